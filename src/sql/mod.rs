//! SQL over a store: one read-only session per snapshot, the functions that genstore adds to the
//! engine, its views and the canned queries. Writes nothing, prints nothing, and reads no file but
//! the tables', those of queries, and those that whoever asks allows (see [`Files`]).

mod cancel;
mod constants;
mod diagnose;
mod engine;
mod files;
mod footer;
mod from_first;
mod functions;
mod guard;
mod hot;
mod inner_sketches;
mod limits;
mod long_literals;
mod open_rollup;
mod params;
mod plain;
mod position;
mod provider;
mod pruned_scan;
mod pruning;
mod queries;
mod readers;
mod rollup;
mod run;
mod session;
mod shared_quantiles;
mod shares;
mod spans;
mod spill;
mod statements;
mod views;
mod windows;

pub use files::{FileKind, Files};
pub use functions::{FunctionDoc, function_docs};
pub use guard::CopyTo;
pub use params::{ParamValue, Params};
pub use position::{Position, position};
pub use queries::{CannedQuery, Chart, OutputColumn, Param, ParamType, Queries};
pub use session::{QueryOutput, QueryStream, Session, SessionSettings};
pub use statements::{Statement, split_statements};
pub use views::{table_functions, views};
