//! Packages of any contract. See `genstore_fuzz::write_package`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| genstore_fuzz::write_package(bytes));
