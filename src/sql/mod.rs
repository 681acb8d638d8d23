//! SQL over a store: one read-only session per snapshot, the functions that genstore adds to the
//! engine, and the canned queries. Writes nothing, prints nothing, reads no file but the tables'.

mod cancel;
mod diagnose;
mod engine;
mod footer;
mod from_first;
mod functions;
mod guard;
mod hot;
mod limits;
mod params;
mod plain;
mod position;
mod provider;
mod pruned_scan;
mod pruning;
mod queries;
mod run;
mod session;
mod statements;

pub use functions::function_docs;
pub use params::{ParamValue, Params};
pub use position::{Position, position};
pub use queries::{
    CannedQuery, Chart, Param, ParamType, all as canned_queries, find as canned_query,
};
pub use session::{QueryOutput, QueryStream, Session, SessionSettings};
pub use statements::{Statement, split_statements};
