//! What a store is like now: sizes, counts and how far the tables are behind the journal.

use std::fs;
use std::path::PathBuf;

use super::slot;
use super::snapshot::Snapshot;
use super::tables::Tables;
use super::view::Reading;
use crate::error::Result;
use crate::event::{Table, TimeUs};

/// A store's state.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub path: PathBuf,
    /// Its id.
    pub store_id: String,
    /// Its format version.
    pub format_version: u32,
    /// When it was made, RFC 3339.
    pub created: String,
    /// The slot that this process writes; `None` when it only reads.
    pub slot: Option<u32>,
    /// The tables, in the order of [`Table::ALL`].
    pub tables: Vec<TableStatus>,
    /// Size of all journal files, those that wait to be removed included.
    pub journal_bytes: u64,
    /// How many journal files there are.
    pub journal_files: u64,
    /// Rows that are in a journal and not in a table yet; sketches do not count.
    pub lag_rows: u64,
    /// Start of the oldest run in the tables, rounded down to a millisecond.
    pub oldest: Option<TimeUs>,
}

/// One table's state.
#[derive(Debug, Clone)]
pub struct TableStatus {
    /// The table.
    pub table: Table,
    /// Version of its Delta log.
    pub version: Option<u64>,
    /// Data files.
    pub files: u64,
    /// Size of the data files.
    pub size_bytes: u64,
    /// Rows in data files.
    pub cold_rows: u64,
    /// Rows that only a journal holds.
    pub hot_rows: u64,
}

impl TableStatus {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.cold_rows + self.hot_rows
    }
}

/// Tables and journal of a status, from a snapshot just taken.
pub(super) fn tables(snapshot: &Snapshot) -> Vec<TableStatus> {
    let each = Table::ALL.iter().filter_map(|table| Some((*table, snapshot.tables.get(table)?)));
    each.map(|(table, it)| {
        let cold_rows = it.files.iter().map(|file| file.rows).sum();
        TableStatus {
            table,
            version: it.version,
            files: it.files.len() as u64,
            size_bytes: it.files.iter().map(|file| file.size_bytes).sum(),
            cold_rows,
            hot_rows: it.rows() - cold_rows,
        }
    })
    .collect()
}

/// Size and number of the journal files of every slot.
pub(super) fn journal_bytes(reading: Reading<'_>) -> Result<(u64, u64)> {
    let (mut size_bytes, mut count) = (0, 0);
    for number in slot::list(reading.layout)? {
        for n in slot::files(reading.layout, number)? {
            // a file may go between the listing and this look
            if let Ok(metadata) = fs::metadata(reading.layout.journal_file(number, n)) {
                size_bytes += metadata.len();
                count += 1;
            }
        }
    }
    Ok((size_bytes, count))
}

/// Start of the oldest run in the tables.
pub(super) fn oldest(tables: &Tables) -> Result<Option<TimeUs>> {
    Ok(tables.log(Table::Runs)?.oldest_us().map(TimeUs))
}
