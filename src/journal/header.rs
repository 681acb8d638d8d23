//! What stands at the head of a journal file. Plain data.

use serde::{Deserialize, Serialize};

use crate::event::RunStarted;

/// Version of the row structs that this build reads and writes. Raised when a column is added, so
/// that an older build does not recover a journal whose columns it would drop.
pub const SCHEMA_VERSION: u32 = 1;

/// The first frame of a journal file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileHeader {
    /// The store that the rows belong to.
    pub store_id: String,
    /// The folder of journals; with tables on an object store there is one per machine.
    pub journal_root_id: String,
    /// The writer's slot.
    pub slot: u32,
    /// Number of the file in its slot.
    pub n: u64,
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Runs that had begun, and not ended, when the file was made.
    pub open_runs: Vec<RunStarted>,
}

/// Name of file `n` in the folder of its slot.
pub fn file_name(n: u64) -> String {
    format!("{n}.wal")
}

/// The number in a file's name; `None` for a file that is no journal file.
pub fn file_number(name: &str) -> Option<u64> {
    name.strip_suffix(".wal")?.parse().ok()
}
