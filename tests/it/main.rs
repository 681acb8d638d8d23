//! Integration tests.

mod contract;
mod export;
mod output;
mod python;
mod repl;
mod store;
mod sql;
mod write;
