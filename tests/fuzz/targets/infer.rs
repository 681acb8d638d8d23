//! Contracts out of any Python. See `genstore_fuzz::infer_contract`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| genstore_fuzz::infer_contract(bytes));
