//! Integration tests.

mod cli;
mod contract;
mod export;
mod output;
mod python;
mod repl;
mod sql;
mod store;
mod validate;
mod write;
