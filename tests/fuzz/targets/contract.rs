//! Any bytes as a contract. See `genstore_fuzz::read_contract`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| genstore_fuzz::read_contract(bytes));
