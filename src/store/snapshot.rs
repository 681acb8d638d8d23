//! What a reader sees: for every table the committed data files and the rows that are only in a
//! journal, at one moment. `store` makes it, `sql` and `export` read it; it never changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::files::FileSource;
use super::index::IndexedFiles;
use crate::error::{Error, Result};
use crate::event::{Table, Text};

/// All tables at one moment: a run that is visible has all its children, and no row is there twice.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The tables; every table of [`Table::ALL`] is there.
    pub tables: BTreeMap<Table, TableSnapshot>,
    /// Where the data files are read from.
    pub source: FileSource,
    /// The data files that the index knows, if it is open: it may say that a file cannot hold a
    /// value.
    pub index: Option<Arc<IndexedFiles>>,
}

/// One table of a [`Snapshot`].
#[derive(Debug, Clone, Default)]
pub struct TableSnapshot {
    /// Version of the Delta log; `None` before the first commit.
    pub version: Option<u64>,
    /// Committed Parquet files.
    pub files: Arc<Vec<DataFile>>,
    /// Rows that no committed file holds yet, in the schema of the table.
    pub hot: Vec<RecordBatch>,
    /// Why the table cannot be read: its log is damaged, or asks for more than this build knows.
    /// No file and no hot row is given then; other tables are not touched by it.
    pub damage: Option<Arc<Error>>,
}

/// A committed Parquet file. It never changes; it is deleted by vacuum alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Size of the file.
    pub size_bytes: u64,
    /// Rows in it; `None` where the log does not say, which only foreign tools leave out.
    pub rows: Option<u64>,
    /// BLAKE3 of the whole file, 64 hex digits; `None` for a file that a foreign tool or an older
    /// build committed.
    pub digest: Option<Text>,
    /// Smallest and largest `run_id` in it, as bounds that hold for every row that has one; `None`
    /// where the log says nothing: the file may then hold any run.
    pub run_ids: Option<(Text, Text)>,
    /// Smallest and largest `start_time`, `time` or `hour` in it, in microseconds, as bounds that
    /// hold for every row; `None` where the log says nothing.
    pub times_us: Option<(i64, i64)>,
    /// Names of the files whose rows it holds, all of them and no others, if it was made of some.
    pub replaces: Arc<[Text]>,
    /// When it was committed, in milliseconds since the epoch, by the clock of its writer.
    pub committed_ms: i64,
}

impl DataFile {
    /// Looks whether a file of the right size is there, which costs no reading.
    ///
    /// # Errors
    /// `Damaged`, naming the file: it is missing, no file, or longer or shorter than it was.
    pub fn check_present(&self, source: &FileSource) -> Result<()> {
        let path = self.path.display();
        let what = match source.files().metadata(&self.path)? {
            Some(it) if it.size_bytes == self.size_bytes => return Ok(()),
            Some(it) => {
                let (now, then) = (it.size_bytes, self.size_bytes);
                format!("{path} has {now} bytes, and had {then} when written")
            }
            None => format!("{path} is missing"),
        };
        Err(Error::damaged(what).with_hint(CHECK_HINT))
    }
}

/// The way out of damage to one table.
pub const CHECK_HINT: &str =
    "Other tables can be read. `genstore store check` says what is wrong and what can be saved.";

impl TableSnapshot {
    /// Rows in files and hot rows together; a file whose rows are not known counts nothing.
    pub fn rows(&self) -> u64 {
        let cold: u64 = self.files.iter().filter_map(|it| it.rows).sum();
        let hot: usize = self.hot.iter().map(RecordBatch::num_rows).sum();
        cold + hot as u64
    }
}
