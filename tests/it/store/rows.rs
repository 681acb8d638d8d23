//! Helpers: runs made up from a number, stores in temporary folders, a disk that fails, and the
//! rows of a snapshot as text.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use genstore::clock::{ManualClock, SeededIds, SystemIds};
use genstore::error::Result;
use genstore::event::{
    ContractRow, Event, IssueRow, Row, RunRow, RunStarted, ScoreRow, StepRow, Table, Text, TimeUs,
};
use genstore::journal::disk::{AppendFile, Disk};
use genstore::store::snapshot::Snapshot;
use genstore::store::{Store, StoreOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

pub(crate) const NOW_US: i64 = 1_790_000_000_000_000;

pub(crate) fn run_id(number: i64) -> Text {
    Text::from(format!("01990000-0000-7000-8000-{number:012x}"))
}

pub(crate) fn started(number: i64) -> RunStarted {
    RunStarted {
        run_id: run_id(number),
        pipeline_name: Text::from("node_generation"),
        contract_name: Some(Text::from(format!("contract_{number}"))),
        start_time: TimeUs(NOW_US + number),
        tool_version: Text::from("0.1.0"),
        ..RunStarted::default()
    }
}

pub(crate) fn run_row(number: i64) -> RunRow {
    RunRow {
        run_id: run_id(number),
        pipeline_name: Text::from("node_generation"),
        result: Text::from("success"),
        start_time: TimeUs(NOW_US + number),
        end_time: TimeUs(NOW_US + number + 1_000),
        duration_ns: 1_000_000,
        quality_score: Some(87.5),
        ..RunRow::default()
    }
}

/// Steps, an issue and a score: what a run has besides its own row.
pub(crate) fn children(number: i64, steps: i64) -> Vec<Event> {
    let run_id = run_id(number);
    let mut events: Vec<Event> = (1..=steps)
        .map(|step| {
            Event::from(StepRow {
                run_id: run_id.clone(),
                step_id: Text::from(format!("{step:016x}")),
                pipeline_name: Text::from("node_generation"),
                step_name: Text::from(format!("step_{step}")),
                component: Text::from("component"),
                attempt: 1,
                result: Text::from("success"),
                start_time: TimeUs(NOW_US + number),
                duration_ns: 1_000 * (number + step),
                ..StepRow::default()
            })
        })
        .collect();
    events.push(Event::from(IssueRow {
        run_id: run_id.clone(),
        rule_id: Text::from("completeness.scaffold"),
        message: Text::from("ünïcode, a \"quote\" and\na line"),
        ..IssueRow::default()
    }));
    events.push(Event::from(ScoreRow { run_id, value: Some(1.0), ..ScoreRow::default() }));
    events
}

/// A whole run: begun, its children, its row.
pub(crate) fn whole_run(number: i64) -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started(number))];
    events.extend(children(number, 5));
    events.push(Event::from(run_row(number)));
    events
}

pub(crate) fn contract(digest: &str) -> Row {
    Row::Contracts(ContractRow {
        contract_digest: Text::from(digest),
        body: Text::from("name: x"),
        ..ContractRow::default()
    })
}

/// Options under which nothing happens by age: tests flush when they say so.
pub(crate) fn quiet() -> StoreOptions {
    StoreOptions { flush_age_ms: 3_600_000, linger_ms: 1, ..StoreOptions::default() }
}

pub(crate) fn open(path: &Path, options: StoreOptions) -> Result<Store> {
    Store::open(path, options, ManualClock::at(NOW_US), Arc::new(SystemIds))
}

pub(crate) fn open_on(disk: Arc<dyn Disk>, path: &Path, seed: u64) -> Result<Store> {
    let ids = Arc::new(SeededIds::new(seed << 32));
    Store::open_on(disk, path, quiet(), ManualClock::at(NOW_US), ids)
}

/// Every row of a table as text, sorted: what must be the same before and after.
pub(crate) fn rows(snapshot: &Snapshot, table: Table) -> Vec<String> {
    let table = &snapshot.tables[&table];
    let mut rows = Vec::new();
    for file in &table.files {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.path).unwrap());
        for batch in reader.unwrap().build().unwrap() {
            rows.extend(texts(&batch.unwrap()));
        }
    }
    rows.extend(table.hot.iter().flat_map(texts));
    rows.sort();
    rows
}

/// The rows of every table but the sketches, whose grouping depends on the flushes.
pub(crate) fn all_rows(snapshot: &Snapshot) -> BTreeMap<&'static str, Vec<String>> {
    let tables = Table::ALL.iter().filter(|it| **it != Table::StepLatency);
    tables.map(|table| (table.name(), rows(snapshot, *table))).collect()
}

/// The values of one column in the order of [`rows`].
pub(crate) fn column(snapshot: &Snapshot, table: Table, name: &str) -> Vec<String> {
    let index = table.columns().iter().position(|it| it.name == name).unwrap();
    let rows = rows(snapshot, table);
    rows.iter().map(|row| row.split('\u{1f}').nth(index).unwrap().to_owned()).collect()
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|it| ArrayFormatter::try_new(it.as_ref(), &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let cells: Vec<_> = columns.iter().map(|it| it.value(row).to_string()).collect();
            cells.join("\u{1f}")
        })
        .collect()
}

/// A disk whose operations all fail after the first `left`: what a crash leaves behind. The one at
/// which it breaks may be half done.
#[derive(Debug)]
pub(crate) struct BreakingDisk {
    left: Arc<AtomicI64>,
    within: &'static str,
}

impl BreakingDisk {
    pub(crate) fn after(operations: i64) -> Arc<Self> {
        Self::after_within(operations, "")
    }

    /// Only operations on paths that contain `within` count, and fail.
    pub(crate) fn after_within(operations: i64, within: &'static str) -> Arc<Self> {
        Arc::new(Self { left: Arc::new(AtomicI64::new(operations)), within })
    }

    /// Lets this many further operations go through.
    pub(crate) fn set(&self, operations: i64) {
        self.left.store(operations, Ordering::SeqCst);
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    fn step(&self, path: &Path) -> io::Result<()> {
        if path.to_string_lossy().contains(self.within) { step(&self.left) } else { Ok(()) }
    }
}

fn step(left: &AtomicI64) -> io::Result<()> {
    if left.fetch_sub(1, Ordering::SeqCst) <= 0 {
        left.fetch_min(-1, Ordering::SeqCst);
        return Err(io::Error::other("the disk is gone"));
    }
    Ok(())
}

impl Disk for BreakingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step(path)?;
        UnsyncedDisk.create_folder(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.step(path) {
            if self.left.load(Ordering::SeqCst) == -1 {
                UnsyncedDisk.write_new(path, &bytes[..bytes.len() / 2]).ok();
                self.left.store(-2, Ordering::SeqCst);
            }
            return Err(error);
        }
        UnsyncedDisk.write_new(path, bytes)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(to)?;
        UnsyncedDisk.rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(to)?;
        UnsyncedDisk.hard_link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(path)?;
        UnsyncedDisk.remove(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step(path)?;
        UnsyncedDisk.sync_folder(path)
    }
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        self.step(path)?;
        UnsyncedDisk.truncate(path, size_bytes)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        self.step(path)?;
        let file = UnsyncedDisk.open_append(path)?;
        if !path.to_string_lossy().contains(self.within) {
            return Ok(file);
        }
        Ok(Box::new(BreakingFile { left: Arc::clone(&self.left), file }))
    }
}

#[derive(Debug)]
struct BreakingFile {
    left: Arc<AtomicI64>,
    file: Box<dyn AppendFile>,
}

impl AppendFile for BreakingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = step(&self.left) {
            if self.left.load(Ordering::SeqCst) == -1 {
                self.file.append(&bytes[..bytes.len() / 2]).ok();
                self.left.store(-2, Ordering::SeqCst);
            }
            return Err(error);
        }
        self.file.append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        step(&self.left)?;
        self.file.sync()
    }
}

/// The machine's disk without waiting for it: a crash of the process loses nothing of what was
/// written, so tests of such crashes need no sync, and hundreds of them fit in a second.
#[derive(Debug)]
pub(crate) struct UnsyncedDisk;

impl Disk for UnsyncedDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        File::create_new(path)?.write_all(bytes)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(size_bytes)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(UnsyncedFile(OpenOptions::new().append(true).open(path)?)))
    }
}

#[derive(Debug)]
struct UnsyncedFile(File);

impl AppendFile for UnsyncedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
