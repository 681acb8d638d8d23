//! The store: tables on disk that any Parquet or Delta reader can read, and what makes them so.
//!
//! Rows go through the journal (durable, acknowledged), stay hot in memory, and are flushed to
//! Parquet files under a Delta log, one commit per table. [`Store::snapshot`] shows both parts at
//! one moment. A store is one folder; nothing here talks to a network or to a terminal.

pub mod check;
mod contracts;
mod data_file;
mod delta;
mod file_rows;
mod flush;
mod flusher;
mod handle;
mod hot;
mod identity;
mod index;
mod latency;
mod layout;
mod leftovers;
mod lookup;
mod options;
mod recover;
pub mod schema;
mod segment;
mod slot;
pub mod snapshot;
mod status;
mod tables;
mod tails;
mod temporaries;
mod view;

pub use handle::Store;
pub use identity::FORMAT_VERSION;
pub use index::{IndexProgress, IndexStatus, IndexTree, IndexedFiles, NameKind};
pub use lookup::{FoundRun, RunRecord};
pub use options::StoreOptions;
pub use status::{SlotStatus, Status, TableStatus};
