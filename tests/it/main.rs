//! Integration tests.

mod cli;
mod contract;
mod export;
mod generate;
mod output;
mod python;
mod repl;
mod replay;
mod sql;
mod store;
mod tidy;
mod validate;
mod write;
