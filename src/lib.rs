//! genstore: an embedded, SQL-queryable store for code-generation runs, with the engine that makes
//! those runs.

pub mod cli;
pub mod clock;
pub mod config;
pub mod contract;
pub mod error;
pub mod event;
pub mod export;
pub mod finding;
pub mod generate;
pub mod journal;
pub mod output;
pub mod pipeline;
pub mod python;
pub mod recorder;
pub mod repl;
pub mod replay;
pub mod sql;
pub mod store;
pub mod template;
pub mod validate;
pub mod workflow;
