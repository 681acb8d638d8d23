//! One run, or a few, without SQL: from hot rows, from the index, else from the data files that may
//! hold them. The index only saves reading; the answer is the same without it.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use serde::{Deserialize, Serialize};

use super::data_file::{columns, rows, rows_of_runs, texts, times};
use super::index::Index;
use super::snapshot::{DataFile, Snapshot, TableSnapshot};
use crate::error::{Error, Result};
use crate::event::{IssueRow, Row, RunRow, StepRow, Table, Text, TimeUs};

/// A run with what belongs to it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its row of `runs`.
    pub run: RunRow,
    /// Its attempts of steps, by their ids.
    pub steps: Vec<StepRow>,
    /// Its issues, by time, step, rule and place.
    pub issues: Vec<IssueRow>,
}

/// A run that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRun {
    /// Its id.
    pub run_id: Text,
    /// When it started.
    pub start_time: TimeUs,
}

impl RunRecord {
    /// Steps and issues in an order that does not depend on the files that they are in.
    pub(super) fn in_order(mut self) -> Self {
        self.steps.sort_by(|a, b| (&a.step_id, a.attempt).cmp(&(&b.step_id, b.attempt)));
        let key = |it: &IssueRow| {
            let place = (it.uri.clone(), it.start_line, it.start_column);
            (it.time, it.step_id.clone(), it.rule_id.clone(), place, it.fingerprint.clone())
        };
        self.issues.sort_by_cached_key(key);
        self
    }
}

/// Whether a file may hold a run between two, both included.
pub(super) fn may_hold_runs(file: &DataFile, first: &str, last: &str) -> bool {
    let bounds = file.run_ids.as_ref();
    bounds.is_none_or(|(min, max)| min.as_str() <= last && max.as_str() >= first)
}

/// The files of a table that may hold rows of a run.
pub(super) fn files_of_run<'s>(
    snapshot: &'s Snapshot,
    table: Table,
    run_id: &str,
) -> impl Iterator<Item = &'s DataFile> {
    let files = snapshot.tables.get(&table).into_iter().flat_map(|it| it.files.iter());
    files.filter(move |file| may_hold_runs(file, run_id, run_id))
}

/// Why a table that lookups read cannot be read, if so.
pub(super) fn damage(snapshot: &Snapshot) -> Option<Error> {
    [Table::Runs, Table::Steps, Table::Issues].iter().find_map(|it| of(snapshot, *it).err())
}

/// The run with this id.
pub(super) fn run(snapshot: &Snapshot, index: &Index, run_id: &str) -> Result<Option<RunRecord>> {
    let hot = hot_rows(snapshot, run_id)?;
    if hot.is_empty()
        && let Some(record) = index.record(snapshot, run_id)
    {
        return Ok(Some(record));
    }
    let mut found = Vec::new();
    for table in [Table::Runs, Table::Steps, Table::Issues] {
        for file in files_of_run(snapshot, table, run_id) {
            rows_of_runs(&snapshot.source, table, file, (run_id, run_id), |row| found.push(row))?;
        }
        let is_hot = || hot.iter().any(|row| row.table() == Table::Runs);
        if table == Table::Runs && found.is_empty() && !is_hot() {
            return Ok(None);
        }
    }
    found.extend(hot);
    Ok(record_of(found))
}

fn record_of(rows: Vec<Row>) -> Option<RunRecord> {
    let (mut run, mut steps, mut issues) = (None, Vec::new(), Vec::new());
    for row in rows {
        match row {
            Row::Runs(row) => run = run.or(Some(row)),
            Row::Steps(row) => steps.push(row),
            Row::Issues(row) => issues.push(row),
            _ => {}
        }
    }
    Some(RunRecord { run: run?, steps, issues }.in_order())
}

fn hot_rows(snapshot: &Snapshot, run_id: &str) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for table in [Table::Runs, Table::Steps, Table::Issues] {
        for batch in &of(snapshot, table)?.hot {
            rows(table, batch, |it| it == run_id, |row| found.push(row)).map_err(|source| {
                Error::internal(format!("hot rows of {} do not fit it", table.name()))
                    .with_source(source)
            })?;
        }
    }
    Ok(found)
}

/// The newest runs of a contract, by their ids, at most `count_max`.
pub(super) fn runs_of_contract(
    snapshot: &Snapshot,
    index: &Index,
    name: &str,
    count_max: usize,
) -> Result<Vec<FoundRun>> {
    let runs = of(snapshot, Table::Runs)?;
    let (found, to_read) = index
        .runs_of_contract(snapshot, name, count_max)
        .unwrap_or_else(|| (Vec::new(), runs.files.iter().collect()));
    let mut found: BTreeMap<Text, TimeUs> =
        found.into_iter().map(|it| (it.run_id, it.start_time)).collect();
    let mut take = |batch: &RecordBatch| {
        collect(batch, "contract_name", name, false, |run_id, start_time| {
            found.insert(run_id, start_time);
            if found.len() > count_max {
                found.pop_first();
            }
        });
    };
    runs.hot.iter().for_each(&mut take);
    for file in to_read {
        let read = columns(&snapshot.source, file, &["run_id", "contract_name", "start_time"])?;
        read.iter().for_each(&mut take);
    }
    let newest = found.into_iter().rev().take(count_max);
    Ok(newest.map(|(run_id, start_time)| FoundRun { run_id, start_time }).collect())
}

/// The newest successful run whose `input_digest` is this.
pub(super) fn run_of_input(
    snapshot: &Snapshot,
    index: &Index,
    input_digest: &str,
) -> Result<Option<FoundRun>> {
    let runs = of(snapshot, Table::Runs)?;
    let (found, to_read) = index
        .run_of_input(snapshot, input_digest)
        .unwrap_or_else(|| (None, runs.files.iter().collect()));
    let mut newest = found.map(|it| (it.start_time, it.run_id));
    let mut take = |batch: &RecordBatch| {
        collect(batch, "input_digest", input_digest, true, |run_id, start_time| {
            newest = newest.take().max(Some((start_time, run_id)));
        });
    };
    runs.hot.iter().for_each(&mut take);
    for file in to_read {
        let read =
            columns(&snapshot.source, file, &["run_id", "input_digest", "result", "start_time"])?;
        read.iter().for_each(&mut take);
    }
    Ok(newest.map(|(start_time, run_id)| FoundRun { run_id, start_time }))
}

/// Hands over the runs of a batch whose column has this value.
fn collect(
    batch: &RecordBatch,
    column: &str,
    value: &str,
    succeeded: bool,
    mut take: impl FnMut(Text, TimeUs),
) {
    let (ids, values) = (texts(batch, "run_id"), texts(batch, column));
    let (Some(ids), Some(values)) = (ids, values) else { return };
    let Some(starts) = times(batch, "start_time") else { return };
    let results = texts(batch, "result").filter(|_| succeeded);
    for row in 0..batch.num_rows() {
        let fits = values.is_valid(row) && values.value(row) == value;
        if fits && results.is_none_or(|it| it.value(row) == "success") {
            take(Text::from(ids.value(row)), TimeUs(starts.value(row)));
        }
    }
}

fn of(snapshot: &Snapshot, table: Table) -> Result<&TableSnapshot> {
    let known = snapshot
        .tables
        .get(&table)
        .ok_or_else(|| Error::internal(format!("the snapshot lacks the table {}", table.name())))?;
    match &known.damage {
        Some(damage) => Err(damage.again()),
        None => Ok(known),
    }
}
