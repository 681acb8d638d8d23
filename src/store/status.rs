//! What a store is like now: sizes, counts, who writes, and how far the tables are behind the
//! journals. Tells what it can of a damaged store, and which part of it is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::min;
use arrow::datatypes::TimestampMicrosecondType;

use super::flush::app_id;
use super::identity::Identity;
use super::slot;
use super::snapshot::{Snapshot, TableSnapshot};
use super::view::{self, Reading};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Column, ColumnType, RunStarted, Table, TimeUs};
use crate::journal::{JournalReader, OpenRuns};

/// A store's state.
#[derive(Debug, Clone)]
pub struct Status {
    /// Where it is.
    pub path: PathBuf,
    /// The local folder of journal and index, if it is another.
    pub state: Option<PathBuf>,
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
    /// The slots, rising.
    pub slots: Vec<SlotStatus>,
    /// Size of all journal files, those that wait to be removed included.
    pub journal_bytes: u64,
    /// How many journal files there are.
    pub journal_files: u64,
    /// Rows that are in a journal and not in a table yet; sketches do not count. 0 if the journals
    /// cannot be read.
    pub lag_rows: u64,
    /// The earliest time in rows that no table holds yet.
    pub lag_since: Option<TimeUs>,
    /// Start of the oldest run in the tables, rounded down to a millisecond.
    pub oldest: Option<TimeUs>,
    /// Size of the index folder; `None` if there is none.
    pub index_bytes: Option<u64>,
    /// Why the journals cannot be read, if they cannot: rows that are only there do not count.
    pub damage: Option<String>,
}

/// One table's state.
#[derive(Debug, Clone)]
pub struct TableStatus {
    /// The table.
    pub table: Table,
    /// Version of its Delta log.
    pub version: Option<u64>,
    /// Version of the newest checkpoint that this process knows of.
    pub checkpoint: Option<u64>,
    /// Data files.
    pub files: u64,
    /// Size of the data files.
    pub size_bytes: u64,
    /// Rows in data files.
    pub cold_rows: u64,
    /// Rows that only a journal holds.
    pub hot_rows: u64,
    /// Why the table cannot be read, if it cannot.
    pub damage: Option<String>,
}

/// One writer's place.
#[derive(Debug, Clone)]
pub struct SlotStatus {
    /// Its number.
    pub number: u32,
    /// The process that holds it, as it noted itself; `None` for a free slot.
    pub holder: Option<String>,
    /// Journal files, those that wait to be removed included.
    pub journal_files: u64,
    /// Their size.
    pub journal_bytes: u64,
    /// Journal files whose rows are not in the tables yet.
    pub waiting_files: u64,
    /// Number of the newest journal file whose rows are in the tables; 0 for none.
    pub flushed: u64,
    /// Runs that have begun and not ended; `None` if the newest file cannot be read.
    pub open_runs: Option<u64>,
}

impl TableStatus {
    /// All rows.
    pub fn rows(&self) -> u64 {
        self.cold_rows + self.hot_rows
    }
}

/// The status of a store, read now.
pub(super) fn status(reading: Reading<'_>, identity: &Identity) -> Result<Status> {
    let (snapshot, damage) = match view::snapshot(reading) {
        Ok(snapshot) => (snapshot, None),
        Err(error) if error.kind() == ErrorKind::Internal => return Err(error),
        Err(error) => {
            let tables_only = Reading { journal_root_id: None, own: None, ..reading };
            (view::snapshot(tables_only)?, Some(error.in_one_line()))
        }
    };
    let slots = slots(reading)?;
    let tables = tables(reading, &snapshot)?;
    let lagging = tables.iter().filter(|it| it.table != Table::StepLatency);
    Ok(Status {
        path: reading.layout.root().to_owned(),
        state: Some(reading.layout.state())
            .filter(|it| *it != reading.layout.root())
            .map(Path::to_owned),
        store_id: identity.store_id.clone(),
        format_version: identity.format_version,
        created: identity.created.clone(),
        slot: reading.own.map(|it| it.number),
        journal_bytes: slots.iter().map(|it| it.journal_bytes).sum(),
        journal_files: slots.iter().map(|it| it.journal_files).sum(),
        lag_rows: lagging.map(|it| it.hot_rows).sum(),
        lag_since: snapshot.tables.iter().filter_map(|(table, it)| earliest(*table, it)).min(),
        oldest: reading.tables.log(Table::Runs)?.oldest_us().map(TimeUs),
        index_bytes: folder_bytes(&reading.layout.index()),
        slots,
        tables,
        damage,
    })
}

fn tables(reading: Reading<'_>, snapshot: &Snapshot) -> Result<Vec<TableStatus>> {
    let each = Table::ALL.iter().filter_map(|table| Some((*table, snapshot.tables.get(table)?)));
    each.map(|(table, it)| {
        let cold_rows = it.files.iter().filter_map(|file| file.rows).sum();
        Ok(TableStatus {
            table,
            version: it.version,
            checkpoint: reading.tables.log(table)?.checkpoint(),
            files: it.files.len() as u64,
            size_bytes: it.files.iter().map(|file| file.size_bytes).sum(),
            cold_rows,
            hot_rows: it.rows() - cold_rows,
            damage: it.damage.as_deref().map(Error::in_one_line),
        })
    })
    .collect()
}

fn slots(reading: Reading<'_>) -> Result<Vec<SlotStatus>> {
    let numbers = slot::list(reading.layout)?;
    numbers.into_iter().map(|number| slot_status(reading, number)).collect()
}

fn slot_status(reading: Reading<'_>, number: u32) -> Result<SlotStatus> {
    let files = slot::files(reading.layout, number)?;
    let flushed = match reading.journal_root_id {
        Some(id) => reading.tables.log(Table::Runs)?.committed(&app_id(id, number)),
        None => 0,
    };
    let paths = files.iter().map(|n| reading.layout.journal_file(number, *n));
    // a file may go between the listing and this look
    let sizes: Vec<u64> = paths.filter_map(|it| Some(fs::metadata(it).ok()?.len())).collect();
    let newest = files.last().map(|n| reading.layout.journal_file(number, *n));
    Ok(SlotStatus {
        number,
        holder: slot::holder(reading.layout, number)?,
        journal_files: sizes.len() as u64,
        journal_bytes: sizes.iter().sum(),
        waiting_files: files.iter().filter(|n| **n > flushed).count() as u64,
        flushed,
        open_runs: newest.map_or(Some(0), |it| Some(open_runs(&it).ok()?.len() as u64)),
    })
}

/// The runs that have begun and not ended, by the newest journal file of a slot.
pub(super) fn open_runs(path: &Path) -> Result<Vec<RunStarted>> {
    let mut reader = JournalReader::open(path)?;
    let contents = reader.read_new()?;
    let mut open = OpenRuns::new(reader.header().open_runs.iter().cloned());
    contents.events.iter().for_each(|event| open.observe(event));
    Ok(open.to_vec())
}

/// The earliest time in a table's hot rows.
fn earliest(table: Table, snapshot: &TableSnapshot) -> Option<TimeUs> {
    let time = |it: &&Column| it.kind == ColumnType::Time;
    let column = table.columns().iter().find(time).filter(|_| table != Table::StepLatency)?;
    let of = |batch: &RecordBatch| {
        min(batch.column_by_name(column.name)?.as_primitive_opt::<TimestampMicrosecondType>()?)
    };
    // 0 stands for a time that nobody gave
    snapshot.hot.iter().filter_map(of).filter(|it| *it > 0).min().map(TimeUs)
}

/// Size of the files in a folder and below it; `None` if the folder cannot be read.
pub(super) fn folder_bytes(folder: &Path) -> Option<u64> {
    let entries = fs::read_dir(folder).ok()?;
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() => folder_bytes(&entry.path()).unwrap_or(0),
        Ok(it) => it.len(),
        Err(_) => 0, // it has gone meanwhile
    };
    Some(entries.filter_map(|it| it.ok()).map(size).sum())
}
