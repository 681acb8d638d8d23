//! What a reader sees: for every table the committed data files and the rows that are only in a
//! journal, at one moment. Plain data; `store` makes it, `sql` and `export` read it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;

use crate::event::{Table, Text};

/// All tables at one moment: a run that is visible has all its children, and no row is there twice.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The tables; every table of [`Table::ALL`] is there.
    pub tables: BTreeMap<Table, TableSnapshot>,
}

/// One table of a [`Snapshot`].
#[derive(Debug, Clone, Default)]
pub struct TableSnapshot {
    /// Version of the Delta log; `None` before the first commit.
    pub version: Option<u64>,
    /// Committed Parquet files.
    pub files: Vec<DataFile>,
    /// Rows that no committed file holds yet, in the schema of the table.
    pub hot: Vec<RecordBatch>,
}

/// A committed Parquet file. It never changes; it is deleted by vacuum alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Size of the file.
    pub size_bytes: u64,
    /// Rows in it.
    pub rows: u64,
    /// BLAKE3 of the whole file, 64 hex digits; `None` for a file that a foreign tool or an older
    /// build committed.
    pub digest: Option<Text>,
    /// Smallest and largest `run_id` in it, as bounds that hold for every row that has one; `None`
    /// where the log says nothing: the file may then hold any run.
    pub run_ids: Option<(Text, Text)>,
}

impl TableSnapshot {
    /// Rows in files and hot rows together.
    pub fn rows(&self) -> u64 {
        let cold: u64 = self.files.iter().map(|it| it.rows).sum();
        let hot: usize = self.hot.iter().map(RecordBatch::num_rows).sum();
        cold + hot as u64
    }
}
