//! The journal: what was acknowledged is here, synced, before it is anywhere else.
//!
//! A slot's folder holds files `<n>.wal` with ever rising n. A file is a header frame and then one
//! frame per group commit; the next frame is written only after the last one is synced, so a bad
//! frame with a valid one after it can only be damage. This room knows frames, files and the one
//! thread that commits; it knows no table, no Parquet and no SQL, and it never removes a file.

pub mod disk;
mod frame;
mod group;
mod header;
mod open_runs;
mod options;
mod queue;
mod read;
mod salvage;
mod write;

pub use group::{Journal, JournalListener, Place};
pub use header::{FileHeader, SCHEMA_VERSION, file_name, file_number};
pub use open_runs::OpenRuns;
pub use options::{Durability, JournalOptions};
pub use queue::{Chunk, Queue};
pub use read::{JournalReader, NewEvents, Tail, cut_tail};
pub use salvage::{Salvage, salvage};
pub use write::JournalFile;
