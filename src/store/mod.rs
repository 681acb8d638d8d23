//! The store: tables on disk that any Parquet or Delta reader can read, and what makes them so. A
//! store is one folder, or its tables lie in an object store and the rest in a local folder. Only
//! `files` talks to a network, and nothing to a terminal.
//!
//! # The way of a row
//!
//! ```text
//! commit ─► journal/<slot>/<n>.wal ─► acknowledged ─► hot ─► flush ─► <uuid>.parquet, and
//!           one write, one fdatasync                          │      _delta_log/N.json
//!           for all that wait                                 └► children first, `runs` last
//! ```
//!
//! - A writer locks a **slot** and has its journal there; two writers never share a file. A slot
//!   whose lock is free is recovered by the next process that opens the store for writing.
//! - A **flush** brings one sealed journal file into each table by one commit, which carries
//!   `txn { appId: <journal root>/<slot>, version: n }`. A table that has n is left alone, so a
//!   flush that broke off anywhere is simply done again: exactly once, across all tables.
//! - A **snapshot** takes no lock. It reads the log of `runs`, the other logs, then the journals,
//!   and takes a row of table T from file n exactly when n is above what T and `runs` hold of that
//!   slot. So a run that is visible has all its children, and no row is there twice.
//! - The **index** holds only what can be rebuilt from the tables; without it they are read.
//! - A **roll-up** is the sketches of a file once more, added up over days and months, inside that
//!   file: made when it is written, and gone with it.

mod as_of;
pub mod check;
mod compact;
mod contracts;
mod copy;
mod data_file;
mod delta;
mod file_rows;
mod files;
mod flush;
mod flusher;
mod handle;
mod history;
mod hot;
mod identity;
mod index;
mod keeper;
mod latency;
mod layout;
mod leftovers;
pub mod load;
mod location;
mod lookup;
mod options;
mod order;
mod outlook;
mod pins;
mod recover;
mod retain;
mod rollup;
pub mod schema;
mod segment;
mod segment_writer;
mod slot;
pub mod snapshot;
mod status;
mod tables;
mod tails;
mod temporaries;
mod upgrade;
mod vacuum;
mod view;

pub use compact::{
    CompactObserver, CompactOptions, CompactProgress, Compacted, CompactedTable, Extent, Merge,
};
pub use copy::{Copied, CopiedTable, CopyProgress, copy, copy_on};
pub use data_file::rows_of;
pub(crate) use delta::{OutsideColumn, OutsideFile, OutsideTable, commit_outside};
pub use files::{FileSource, RemoteAccess, RemoteOptions};
pub(crate) use files::{Files, place};
pub use handle::Store;
pub use history::{Change, Commit};
pub use identity::FORMAT_VERSION;
pub use index::{IndexObserver, IndexProgress, IndexStatus, IndexTree, IndexedFiles, NameKind};
pub use keeper::Keeper;
pub(crate) use latency::Span;
pub use layout::SETTINGS_NAME;
pub(crate) use layout::{
    commit_version as delta_commit_version, is_temporary_name as is_delta_temporary,
};
pub use location::Location;
pub use lookup::{FoundRun, RunRecord};
pub use options::{Compaction, StoreOptions};
pub use outlook::{Growth, MonthStatus, Outlook};
pub use pins::Pin;
pub use retain::{Age, Expired, RetainOptions, Retained, RetainedTable, Rules};
pub(crate) use rollup::{RollupPlace, SPAN};
pub use status::{SlotStatus, Status, TableStatus};
pub use upgrade::UpgradeStep;
pub use vacuum::{Freed, VacuumOptions, Vacuumed, VacuumedTable, vacuum, vacuum_on};
