//! Any bytes as Python that is judged. See `genstore_fuzz::judge_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| genstore_fuzz::judge_file(bytes));
