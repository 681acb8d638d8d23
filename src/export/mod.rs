//! Rows to files that other tools read: a folder per table, and a manifest that says what is there.
//!
//! ```text
//! session ─► wanted runs ─► rows ─► the tool's types ─► groups, encoded on all cores
//!                                                          └► files, written and read back
//! <target>/runs/part-0.parquet …            or runs/dt=2026-11-22/part-0.parquet
//! <target>/runs/_delta_log/…                of Parquet: the folder is a Delta table, too
//! <target>/_position/…                      what an incremental export leaves out next time
//! <target>/_manifest.json                   written last: where it is, the export is complete
//! ```
//!
//! Which types, names and sizes a tool reads best stands in [`profile`] and nowhere else. Never
//! removes a file that is not its own: see `own` and `target`.

mod copy;
mod destination;
mod encode;
mod format;
mod lower;
mod manifest;
mod names;
mod own;
mod parts;
mod position;
mod profile;
mod request;
mod run;
mod runs;
mod source;
mod target;
mod verify;
mod work;

pub use copy::copy;
pub use destination::Destination;
pub use format::FileFormat;
pub use manifest::{ExportedColumn, ExportedFile, ExportedTable, MANIFEST, Manifest, Position};
pub use profile::{PROFILES, Profile, profile};
pub use request::{Exported, Observer, Progress, ROWS_PER_FILE, Request, Written};
pub use run::export;
pub use source::What;
pub use work::to_the_end;
