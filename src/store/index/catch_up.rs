//! Brings the index to a snapshot: forgets files that are gone, reads those that are new. Each file
//! is marked as indexed after its entries are durable, so a crash in between costs time only.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use arrow::array::{Array, RecordBatch};

use super::files::{IndexedFile, IndexedFiles, Part, TABLES};
use super::filter::Filter;
use super::names::{NameKind, Names};
use super::opened::Opened;
use super::postings::{self, Digest, Posting};
use super::runs::{self, GROUP_RUNS, RunEntry, RunNumber, run_id, run_number};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Row, Table};
use crate::store::data_file::{columns, rows_of_runs, texts, times};
use crate::store::lookup::{RunRecord, may_hold_runs};
use crate::store::snapshot::{DataFile, Snapshot};

/// Runs whose whole records are kept.
const PACKED_RUNS_MAX: u64 = 100_000;
/// Runs that are read, and whose entries are held in memory, at a time.
const BATCH_RUNS: usize = 250_000;
/// Runs whose steps and issues are held in memory at a time.
const PACK_BATCH_RUNS: usize = 4_096;

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// Runs that are indexed now.
    pub runs_done: u64,
    /// Runs that will be.
    pub runs_total: u64,
}

/// Looks on while the index is brought up to date, and may break it off: what is done is kept.
pub type IndexObserver<'a> = &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>;

/// Rows of `runs` that the index does not have.
pub(super) fn runs_behind(files: &IndexedFiles, snapshot: &Snapshot) -> u64 {
    files.missing(snapshot, Table::Runs).iter().filter_map(|file| file.rows).sum()
}

/// Brings the index to the snapshot.
pub(super) fn catch_up<'a>(
    opened: &'a Opened,
    snapshot: &'a Snapshot,
    progress: IndexObserver<'a>,
) -> Result<()> {
    let mut work = Work {
        progress,
        done: IndexProgress { runs_done: 0, runs_total: runs_behind(&opened.files(), snapshot) },
        opened,
        snapshot,
        files: IndexedFiles::clone(&opened.files()),
        names: opened.names(),
    };
    work.inherit()?;
    work.forget_vanished()?;
    work.index_children()?;
    work.index_runs()?;
    work.names.write(&opened.kv)?;
    opened.kv.flush()?;
    opened.set_names(work.names);
    Ok(())
}

struct Work<'a> {
    progress: IndexObserver<'a>,
    done: IndexProgress,
    opened: &'a Opened,
    snapshot: &'a Snapshot,
    files: IndexedFiles,
    names: Names,
}

/// What is read of a file of runs.
struct ReadFile<'s> {
    file: &'s DataFile,
    number: u32,
    indexed: IndexedFile,
    entries: Vec<RunEntry>,
}

/// What is read of the runs of some files.
#[derive(Default)]
struct Batch<'s> {
    files: Vec<ReadFile<'s>>,
    contracts: HashMap<Digest, Vec<Posting>>,
    memo: HashMap<Digest, Posting>,
    runs: usize,
}

impl<'a> Work<'a> {
    /// Takes over what is known of the files that a compaction has replaced. No entry changes.
    fn inherit(&mut self) -> Result<()> {
        for table in TABLES {
            for file in self.files.missing(self.snapshot, table) {
                if let Some(indexed) = self.files.inherited(table, file) {
                    self.files.add(&self.opened.kv, table, file, indexed)?;
                }
            }
        }
        Ok(())
    }

    /// Whoever has an older snapshot must know, before an entry changes, that it cannot rely on
    /// the files that are gone.
    fn forget_vanished(&mut self) -> Result<()> {
        let gone = self.files.vanished(self.snapshot);
        if gone.is_empty() {
            return Ok(());
        }
        self.files.remove(&self.opened.kv, &gone)?;
        self.publish()?;
        for (_, _, numbers) in gone.iter().filter(|it| it.0 == Table::Runs) {
            for number in numbers {
                runs::remove(&self.opened.kv, *number)?;
            }
        }
        Ok(())
    }

    fn publish(&self) -> Result<()> {
        self.opened.kv.flush()?;
        self.opened.set_files(self.files.clone());
        Ok(())
    }

    fn index_children(&mut self) -> Result<()> {
        for table in [Table::Steps, Table::Issues] {
            let missing = self.files.missing(self.snapshot, table);
            let first = self.files.reserve(&self.opened.kv, missing.len())?;
            for (number, file) in (first..).zip(missing) {
                let contracts = if table == Table::Issues { self.read_issues(file)? } else { None };
                let indexed = IndexedFile::read(number, file, false, contracts);
                self.files.add(&self.opened.kv, table, file, indexed)?;
                self.tell()?;
            }
        }
        self.publish()
    }

    fn read_issues(&mut self, file: &DataFile) -> Result<Option<Filter>> {
        let (mut contracts, mut all_read) = (BTreeSet::new(), true);
        for batch in columns(&self.snapshot.source, file, &["contract_name", "rule_id"])
            .map_err(unreadable)?
        {
            all_read &= distinct(&batch, "contract_name", &mut contracts);
            self.note_names(&batch, NameKind::Rule);
        }
        Ok(filter(&contracts, all_read))
    }

    fn note_names(&mut self, batch: &RecordBatch, kind: NameKind) {
        let mut names = BTreeSet::new();
        distinct(batch, kind.column(), &mut names);
        names.iter().for_each(|name| self.names.add(kind, name));
    }

    /// Oldest files first, so that the newest names and runs come last.
    fn index_runs(&mut self) -> Result<()> {
        let mut missing = self.files.missing(self.snapshot, Table::Runs);
        missing.sort_by(|a, b| last_run(a).cmp(&last_run(b)));
        let mut to_come = self.done.runs_total;
        let first = self.files.reserve(&self.opened.kv, missing.len())?;
        let mut batch = Batch::default();
        for (number, file) in (first..).zip(missing) {
            self.read_runs(number, file, &mut batch)?;
            to_come -= file.rows.unwrap_or(0);
            if batch.runs >= BATCH_RUNS || to_come == 0 {
                self.write_batch(std::mem::take(&mut batch), to_come)?;
                self.done.runs_done = self.done.runs_total - to_come;
            }
            self.tell()?;
        }
        Ok(())
    }

    fn tell(&mut self) -> Result<()> {
        match (self.progress)(self.done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => {
                Err(Error::new(ErrorKind::Interrupted, "the index was not brought up to date"))
            }
        }
    }

    fn read_runs(&mut self, number: u32, file: &'a DataFile, into: &mut Batch<'a>) -> Result<()> {
        const COLUMNS: [&str; 6] =
            ["run_id", "contract_name", "pipeline_name", "input_digest", "result", "start_time"];
        let (mut entries, mut contracts) = (Vec::new(), BTreeSet::new());
        let (mut has_ids, mut all_read) = (true, true);
        for batch in columns(&self.snapshot.source, file, &COLUMNS).map_err(unreadable)? {
            all_read &= distinct(&batch, "contract_name", &mut contracts);
            self.note_names(&batch, NameKind::Pipeline);
            let text = |name| texts(&batch, name);
            let (ids, starts) = (text("run_id"), times(&batch, "start_time"));
            let Some((ids, starts)) = ids.zip(starts) else {
                has_ids = false;
                continue;
            };
            let [contract, input, result] = ["contract_name", "input_digest", "result"].map(text);
            for row in 0..batch.num_rows() {
                let Some(id) = run_number(ids.value(row)) else {
                    has_ids = false;
                    continue;
                };
                let start_us = starts.value(row);
                entries.push(RunEntry { id, start_us });
                let posting = Posting { id, start_us, file: number };
                let value = |column: Option<&'_ arrow::array::StringArray>| {
                    column.filter(|it| it.is_valid(row)).map(|it| postings::digest(it.value(row)))
                };
                if let Some(contract) = value(contract) {
                    into.contracts.entry(contract).or_default().push(posting);
                }
                let succeeded = result.is_some_and(|it| it.value(row) == "success");
                if let Some(input) = value(input).filter(|_| succeeded) {
                    let known = into.memo.entry(input).or_insert(posting);
                    if (posting.start_us, posting.id) > (known.start_us, known.id) {
                        *known = posting;
                    }
                }
            }
        }
        for name in &contracts {
            self.names.add(NameKind::Contract, name);
        }
        entries.sort_unstable();
        has_ids &= entries.is_sorted_by(|a, b| a.id < b.id);
        let contracts = filter(&contracts, all_read);
        into.runs += entries.len();
        let indexed = IndexedFile::read(number, file, has_ids, contracts);
        into.files.push(ReadFile { file, number, indexed, entries });
        Ok(())
    }

    /// `to_come` are the runs that are newer than those of the batch.
    fn write_batch(&mut self, batch: Batch<'_>, mut to_come: u64) -> Result<()> {
        let kv = &self.opened.kv;
        postings::add_to_contracts(kv, batch.contracts)?;
        postings::add_to_memo(kv, batch.memo)?;
        for read in batch.files.iter().rev().filter(|it| it.indexed.has_ids) {
            let ReadFile { file, number, entries, .. } = read;
            runs::write(kv, *number, entries)?;
            let room = PACKED_RUNS_MAX.saturating_sub(to_come);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            // whole groups from the end, as they stand in the chunks of ids
            let skipped = entries.len().saturating_sub(room).next_multiple_of(GROUP_RUNS);
            let newest = entries.get(skipped..).unwrap_or_default();
            for part in newest.chunks(PACK_BATCH_RUNS) {
                self.pack(file, *number, part)?;
            }
            to_come += entries.len() as u64;
        }
        self.opened.drop_oldest(PACKED_RUNS_MAX)?;
        self.opened.kv.flush()?;
        for read in batch.files {
            self.files.add(&self.opened.kv, Table::Runs, read.file, read.indexed)?;
        }
        self.publish()
    }

    /// Packs runs of one file, sorted by id.
    fn pack(&mut self, file: &DataFile, number: u32, part: &[RunEntry]) -> Result<()> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok(()) };
        let (min, max) = (run_id(first.id), run_id(last.id));
        let mut records: HashMap<RunNumber, RunRecord> = HashMap::with_capacity(part.len());
        rows_of_runs(&self.snapshot.source, Table::Runs, file, (&min, &max), |row| {
            if let Row::Runs(run) = row
                && let Some(id) = run_number(&run.run_id)
            {
                records.insert(id, RunRecord { run, ..RunRecord::default() });
            }
        })
        .map_err(unreadable)?;
        let mut children: Vec<Part> = Vec::new();
        for table in [Table::Steps, Table::Issues] {
            for child in self.snapshot.tables.get(&table).into_iter().flat_map(|it| it.files.iter())
            {
                if !may_hold_runs(child, &min, &max) {
                    continue;
                }
                let Some(known) = self.files.get(table, child) else { continue };
                children.extend(known.parts.iter().filter(|it| it.may_hold(&min, &max)).cloned());
                let names = &mut self.names;
                rows_of_runs(&self.snapshot.source, table, child, (&min, &max), |row| {
                    add_child(&mut records, row, names)
                })
                .map_err(unreadable)?;
            }
        }
        for group in part.chunks(GROUP_RUNS) {
            let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
            let (min, max) = (run_id(first.id), run_id(last.id));
            let made_of = children.iter().filter(|it| it.may_hold(&min, &max));
            let made_of: Vec<u32> = made_of.map(|it| it.number).collect();
            let group: Vec<(RunNumber, RunRecord)> = group
                .iter()
                .filter_map(|run| Some((run.id, records.remove(&run.id)?.in_order())))
                .collect();
            runs::pack(&self.opened.kv, number, &made_of, &group)?;
        }
        self.opened.note_packed(part.len() as u64);
        self.tell()
    }
}

fn add_child(records: &mut HashMap<RunNumber, RunRecord>, row: Row, names: &mut Names) {
    match row {
        Row::Steps(step) => {
            names.add(NameKind::Step, &step.step_name);
            names.add(NameKind::Component, &step.component);
            if let Some(record) = record_of(records, &step.run_id) {
                record.steps.push(step);
            }
        }
        Row::Issues(issue) => {
            if let Some(record) = record_of(records, &issue.run_id) {
                record.issues.push(issue);
            }
        }
        _ => {}
    }
}

fn record_of<'r>(
    records: &'r mut HashMap<RunNumber, RunRecord>,
    run_id: &str,
) -> Option<&'r mut RunRecord> {
    records.get_mut(&run_number(run_id)?)
}

/// Adds the distinct values of a text column; `false` if there is one of another type, whose values
/// are not known then.
fn distinct(batch: &RecordBatch, column: &str, to: &mut BTreeSet<String>) -> bool {
    let values = texts(batch, column);
    for value in values.into_iter().flatten().flatten() {
        if !to.contains(value) {
            to.insert(value.to_owned());
        }
    }
    values.is_some() || batch.column_by_name(column).is_none()
}

/// A filter of the names of a file. What cannot be read skips no file.
fn filter(names: &BTreeSet<String>, all_read: bool) -> Option<Filter> {
    Filter::of(names.iter().map(String::as_str)).filter(|_| all_read)
}

fn last_run(file: &DataFile) -> Option<&str> {
    file.run_ids.as_ref().map(|(_, last)| last.as_str())
}

/// A data file that cannot be read is no damage to the index.
fn unreadable(error: Error) -> Error {
    Error::failed("a data file cannot be indexed").with_source(error)
}
