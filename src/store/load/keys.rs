//! What tells the rows of an import apart, and to which runs they belong: eight bytes per row of a
//! table with a key, and sixteen per run. Hashes find what may be wrong; whether it is, is told by
//! the texts, when the input is read once more.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, RecordBatch, StringArray};

use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::data_file::texts;

/// Keys that are looked at when a conflict is told: the first of them is named.
const NAMED_MAX: usize = 10_000;

/// The columns that a row of a table is told apart by; none where rows may be equal.
pub(super) fn key_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Runs => &["run_id"],
        Table::Steps => &["run_id", "step_id"],
        Table::Batches => &["batch_id"],
        _ => &[],
    }
}

/// Whether the rows of a table belong to runs.
pub(super) fn has_runs(table: Table) -> bool {
    table != Table::Runs && table.columns().iter().any(|it| it.name == "run_id")
}

fn hash(parts: [&str; 2]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// A run as sixteen bytes.
pub(super) fn run_key(run_id: &str) -> u128 {
    let digest = blake3::hash(run_id.as_bytes());
    digest.as_bytes().first_chunk().map_or(0, |it| u128::from_le_bytes(*it))
}

/// The texts that tell the rows of a batch apart.
struct RowKeys<'a>(&'a StringArray, Option<&'a StringArray>);

impl<'a> RowKeys<'a> {
    fn of(table: Table, batch: &'a RecordBatch) -> Option<Self> {
        let mut columns = key_columns(table).iter().map(|it| texts(batch, it));
        let first = columns.next()??;
        Some(Self(first, columns.next().flatten()))
    }

    fn key(&self, row: usize) -> [&'a str; 2] {
        [self.0.value(row), self.1.map_or("", |it| it.value(row))]
    }
}

/// The keys of the rows of one table.
#[derive(Debug)]
pub(super) struct TableKeys {
    pub(super) table: Table,
    rows_max: usize,
    rows: Vec<u64>,
    /// Runs that are named, or, of `runs`, that are there.
    pub(super) runs: Vec<u128>,
    /// The runs have been told apart when there were so many.
    distinct_runs: usize,
    last_run: String,
    /// The smallest and the largest run id.
    pub(super) run_ids: Option<(String, String)>,
}

impl TableKeys {
    pub(super) fn new(table: Table, rows_max: usize) -> Self {
        Self {
            table,
            rows_max,
            rows: Vec::new(),
            runs: Vec::new(),
            distinct_runs: 0,
            last_run: String::new(),
            run_ids: None,
        }
    }

    /// Adds the keys of rows in the schema of the table.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        if let Some(keys) = RowKeys::of(self.table, batch) {
            self.rows.extend((0..batch.num_rows()).map(|row| hash(keys.key(row))));
        }
        if let Some(ids) = texts(batch, "run_id") {
            ids.iter().flatten().for_each(|it| self.add_run(it));
        }
        if self.rows.len() > self.rows_max {
            let (table, max) = (self.table.name(), self.rows_max);
            let message = format!("there are more than {max} rows of {table} to import at once");
            return Err(Error::invalid(message).with_hint("Import fewer files at a time."));
        }
        Ok(())
    }

    fn add_run(&mut self, run_id: &str) {
        if !self.runs.is_empty() && run_id == self.last_run {
            return;
        }
        run_id.clone_into(&mut self.last_run);
        self.runs.push(run_key(run_id));
        match &mut self.run_ids {
            Some((min, _)) if run_id < min.as_str() => run_id.clone_into(min),
            Some((_, max)) if run_id > max.as_str() => run_id.clone_into(max),
            Some(_) => {}
            None => self.run_ids = Some((run_id.to_owned(), run_id.to_owned())),
        }
        if self.runs.len() > 64 * 1024 + 2 * self.distinct_runs {
            self.tell_runs_apart();
        }
    }

    fn tell_runs_apart(&mut self) {
        self.runs.sort_unstable();
        self.runs.dedup();
        self.distinct_runs = self.runs.len();
    }

    /// All rows are there.
    pub(super) fn close(&mut self) {
        self.tell_runs_apart();
        self.rows.sort_unstable();
    }

    /// Rows that may be there twice.
    pub(super) fn twice(&self) -> Option<Conflict> {
        let pairs = self.rows.windows(2).filter(|it| it.first() == it.last());
        let hashes: HashSet<u64> =
            pairs.filter_map(|it| it.first().copied()).take(NAMED_MAX).collect();
        (!hashes.is_empty()).then(|| Conflict::Twice(self.table, hashes))
    }

    /// Notes the rows of a batch of the store that are also here.
    pub(super) fn also_in(&self, stored: &RecordBatch, found: &mut HashSet<[String; 2]>) {
        let Some(keys) = RowKeys::of(self.table, stored) else { return };
        for row in 0..stored.num_rows() {
            let key = keys.key(row);
            if found.len() < NAMED_MAX && self.rows.binary_search(&hash(key)).is_ok() {
                found.insert(key.map(str::to_owned));
            }
        }
    }
}

/// What may be wrong with rows of a table.
#[derive(Debug)]
pub enum Conflict {
    /// Rows with one of these hashes may be there twice.
    Twice(Table, HashSet<u64>),
    /// Rows with these keys are in the store.
    Stored(Table, HashSet<[String; 2]>),
    /// Rows whose run is nowhere.
    Orphan(Table, HashSet<u128>),
}

/// A row that is in conflict.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<P> {
    /// The row in its batch.
    pub row: usize,
    /// The key of the row, in words.
    pub what: String,
    /// Where an equal one stands before it.
    pub earlier: Option<P>,
}

/// Looks for the first row that is in conflict.
#[derive(Debug)]
pub struct Finder<P> {
    conflict: Conflict,
    seen: HashMap<[String; 2], P>,
}

impl<P: Copy> Finder<P> {
    /// Nothing was looked at yet.
    pub fn new(conflict: Conflict) -> Self {
        Self { conflict, seen: HashMap::new() }
    }

    /// The table whose rows are to be looked at.
    pub fn table(&self) -> Table {
        match &self.conflict {
            Conflict::Twice(table, _) | Conflict::Stored(table, _) | Conflict::Orphan(table, _) => {
                *table
            }
        }
    }

    /// The first row of a batch that is in conflict, if there is one; `place` says where a row
    /// stands.
    pub fn find(&mut self, batch: &RecordBatch, place: impl Fn(usize) -> P) -> Option<Found<P>> {
        let table = self.table();
        if let Conflict::Orphan(_, runs) = &self.conflict {
            let ids = texts(batch, "run_id")?;
            let mut rows = (0..ids.len()).filter(|row| ids.is_valid(*row));
            let row = rows.find(|row| runs.contains(&run_key(ids.value(*row))))?;
            return Some(Found { row, what: format!("run {}", ids.value(row)), earlier: None });
        }
        let keys = RowKeys::of(table, batch)?;
        for row in 0..batch.num_rows() {
            let key = keys.key(row);
            let is_suspect = match &self.conflict {
                Conflict::Twice(_, hashes) => hashes.contains(&hash(key)),
                Conflict::Stored(_, keys) => keys.contains(&key.map(str::to_owned)),
                Conflict::Orphan(..) => false,
            };
            if !is_suspect {
                continue;
            }
            let what = in_words(table, key);
            if matches!(self.conflict, Conflict::Stored(..)) {
                return Some(Found { row, what, earlier: None });
            }
            let key = key.map(str::to_owned);
            if let Some(earlier) = self.seen.get(&key) {
                return Some(Found { row, what, earlier: Some(*earlier) });
            }
            self.seen.insert(key, place(row));
        }
        None
    }
}

fn in_words(table: Table, [first, second]: [&str; 2]) -> String {
    match table {
        Table::Steps => format!("step {second} of run {first}"),
        Table::Batches => format!("batch {first}"),
        _ => format!("run {first}"),
    }
}

#[cfg(test)]
mod tests;
