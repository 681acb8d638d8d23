//! The store: tables on disk that any Parquet or Delta reader can read, and what makes them so.

pub mod schema;
pub mod snapshot;
