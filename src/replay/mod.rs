//! Runs of one or many contracts: which files, how many at a time, and what is recorded of them
//! together. Prints nothing: `cli` and `repl` do.

mod batch;
pub mod report;
pub mod set;

pub use batch::{Batch, Workshop};
