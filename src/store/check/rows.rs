//! How the rows of a check relate: every child has its run, no run and no step is there twice, and
//! the sketches count the steps. Remembers a hash of each id, 8 bytes; reads no file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;

use super::journals::Journals;
use super::logs::States;
use super::{Look, Remedy, Severity};
use crate::event::Table;
use crate::store::data_file::texts;

/// Examples that a finding names.
const EXAMPLES_MAX: usize = 3;

const UNCLEAR: (Remedy, &str) =
    (Remedy::Person, "nothing is changed; keep the store, and look where the rows came from");

const RETAINED: (Remedy, &str) = (
    Remedy::None,
    "a retention has removed runs and may be on its way to these; if it died, the next one goes on",
);

/// A hash of an id.
pub(super) type Key = u64;

/// The hash of an id of several parts.
pub(super) fn key(parts: &[&str]) -> Key {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Rows of one kind of fault.
#[derive(Debug, Default)]
struct Faults {
    rows: u64,
    examples: Vec<String>,
}

impl Faults {
    fn add(&mut self, id: &str) {
        self.rows += 1;
        if self.examples.len() < EXAMPLES_MAX && !self.examples.iter().any(|it| it == id) {
            self.examples.push(id.to_owned());
        }
    }

    fn text(&self) -> String {
        self.examples.join(", ")
    }
}

/// From which tables rows were removed, by their logs.
#[derive(Debug)]
pub(super) struct Thinned {
    /// Rows of `runs` were: children that remain go with the next retention.
    runs: bool,
    /// Rows of these were, or may have been.
    others: BTreeSet<Table>,
}

impl Thinned {
    /// What the logs tell. One that is damaged tells nothing.
    pub(super) fn by(states: &States) -> Self {
        let others = states.iter().filter(|it| it.1.may_be_thinned()).map(|it| *it.0).collect();
        Self { runs: states.get(&Table::Runs).is_some_and(|it| it.is_thinned()), others }
    }
}

/// What has been seen of the rows. Runs must be seen before their children.
#[derive(Debug)]
pub(super) struct Rows {
    journals: Journals,
    runs: HashSet<Key>,
    steps: HashSet<Key>,
    step_rows: i64,
    sketched: i64,
    doubled: BTreeMap<Table, Faults>,
    orphans: BTreeMap<Table, Faults>,
    unread: HashSet<Table>,
    thinned: Thinned,
}

impl Rows {
    pub(super) fn new(journals: Journals, thinned: Thinned) -> Self {
        Self {
            journals,
            runs: HashSet::new(),
            steps: HashSet::new(),
            step_rows: 0,
            sketched: 0,
            doubled: BTreeMap::new(),
            orphans: BTreeMap::new(),
            unread: HashSet::new(),
            thinned,
        }
    }

    /// Some rows of a table could not be read: nothing is said then about what may be missing.
    pub(super) fn unread(&mut self, table: Table) {
        self.unread.insert(table);
    }

    /// Takes notice of rows.
    pub(super) fn see(&mut self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Runs => self.see_runs(batch),
            Table::StepLatency => {
                let counts = batch.column_by_name("count");
                let counts = counts.and_then(|it| it.as_primitive_opt::<Int64Type>());
                self.sketched += counts.map_or(0, |it| it.iter().flatten().sum());
            }
            _ => self.see_children(table, batch),
        }
    }

    fn see_runs(&mut self, batch: &RecordBatch) {
        for id in texts(batch, "run_id").into_iter().flat_map(StringArray::iter).flatten() {
            if !self.runs.insert(key(&[id])) {
                self.doubled.entry(Table::Runs).or_default().add(id);
            }
        }
    }

    fn see_children(&mut self, table: Table, batch: &RecordBatch) {
        let Some(run_ids) = texts(batch, "run_id") else { return };
        for id in run_ids.iter().flatten() {
            let run = key(&[id]);
            if !self.runs.contains(&run) && !self.journals.runs.contains(&run) {
                self.orphans.entry(table).or_default().add(id);
            }
        }
        let Some(step_ids) = texts(batch, "step_id").filter(|_| table == Table::Steps) else {
            return;
        };
        for (run, step) in run_ids.iter().zip(step_ids.iter()) {
            self.step_rows += 1;
            let (run, step) = (run.unwrap_or_default(), step.unwrap_or_default());
            if !self.steps.insert(key(&[run, step])) {
                self.doubled.entry(Table::Steps).or_default().add(run);
            }
        }
    }

    /// Reports what does not fit.
    pub(super) fn tell(self, look: &mut Look<'_>) {
        for (table, faults) in &self.doubled {
            let what = if *table == Table::Runs { "runs" } else { "steps of runs" };
            let text = format!("{} {what} are there twice: {}", faults.rows, faults.text());
            let folder = look.layout.table(*table);
            look.report.add(Severity::Error, "rows.doubled", &folder, text, UNCLEAR);
        }
        // what cannot be read may hold the run, and has its own finding
        let sure = !self.unread.contains(&Table::Runs) && self.journals.whole;
        for (table, faults) in self.orphans.iter().filter(|_| sure) {
            let text = format!(
                "{} rows belong to runs that are neither recorded nor open: {}",
                faults.rows,
                faults.text()
            );
            let folder = look.layout.table(*table);
            let (severity, remedy) = match self.thinned.runs {
                true => (Severity::Warning, RETAINED),
                false => (Severity::Error, UNCLEAR),
            };
            look.report.add(severity, "rows.orphan", &folder, text, remedy);
        }
        let counted = ![Table::Steps, Table::StepLatency].iter().any(|it| self.unread.contains(it));
        // sketches outlive the steps that a retention has removed
        let fits = self.sketched == self.step_rows
            || (self.sketched > self.step_rows && self.thinned.others.contains(&Table::Steps))
            || (self.sketched < self.step_rows
                && self.thinned.others.contains(&Table::StepLatency));
        if counted && !fits {
            let (sketched, steps) = (self.sketched, self.step_rows);
            let text = format!("the sketches count {sketched} steps, and there are {steps}");
            let folder = look.layout.table(Table::StepLatency);
            look.report.add(Severity::Error, "rows.sketch", &folder, text, UNCLEAR);
        }
    }
}
