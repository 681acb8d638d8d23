//! Integration tests: one binary, one file per subject.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and says why it was skipped"
)]

mod as_of;
mod bad_contract;
mod cli;
mod config;
mod contract;
mod dice;
mod disk;
mod export;
mod generate;
mod import;
mod infer;
mod journal;
mod judge;
mod output;
mod pipeline;
mod program;
mod python;
mod readme;
mod remote;
mod repl;
mod replay;
mod shapes;
mod sql;
mod steering;
mod store;
mod template;
mod tidy;
mod validate;
mod workflow;
mod write;
