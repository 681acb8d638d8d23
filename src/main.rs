//! The genstore binary.
fn main() {}
