//! Helpers: runs made up from a number, stores in temporary folders, and the rows of a snapshot as
//! text. Opens no store on a disk that fails: `script` does.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use genstore::clock::{ManualClock, SystemIds};
use genstore::error::Result;
use genstore::event::{
    ContractRow, Event, IssueRow, Row, RunRow, RunStarted, ScoreRow, StepRow, Table, Text, TimeUs,
};
use genstore::store::snapshot::Snapshot;
use genstore::store::{Compaction, Store, StoreOptions};
use parquet::arrow::ProjectionMask;
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

/// Options under which nothing happens by age or behind a test's back: tests flush, and compact,
/// when they say so.
pub(crate) fn quiet() -> StoreOptions {
    StoreOptions {
        flush_age_ms: 3_600_000,
        linger_ms: 1,
        compaction: Compaction { enabled: false, ..Compaction::default() },
        ..StoreOptions::default()
    }
}

pub(crate) fn open(path: &Path, options: StoreOptions) -> Result<Store> {
    Store::open_at(path, options, ManualClock::at(NOW_US), Arc::new(SystemIds))
}

/// Every row of a table as text, sorted: what must be the same before and after.
pub(crate) fn rows(snapshot: &Snapshot, table: Table) -> Vec<String> {
    let table = &snapshot.tables[&table];
    let mut rows = Vec::new();
    for file in table.files.iter() {
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

/// The values of some columns as text, row by row, in no order: reads no other column.
pub(crate) fn columns<const N: usize>(
    snapshot: &Snapshot,
    table: Table,
    names: [&str; N],
) -> Vec<[String; N]> {
    let index = |name| table.columns().iter().position(|it| it.name == name).unwrap();
    let wanted = names.map(index);
    let table = &snapshot.tables[&table];
    let mut batches: Vec<(RecordBatch, bool)> = Vec::new();
    for file in table.files.iter() {
        let file = File::open(&file.path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let mask = ProjectionMask::roots(reader.parquet_schema(), wanted);
        let reader = reader.with_projection(mask).build().unwrap();
        batches.extend(reader.map(|it| (it.unwrap(), false)));
    }
    batches.extend(table.hot.iter().map(|it| (it.clone(), true)));
    let options = FormatOptions::default().with_null("∅");
    let mut sorted = wanted;
    sorted.sort_unstable();
    let mut found = Vec::new();
    for (batch, whole) in batches {
        // a projected batch has its columns in the order of the table
        let place = |it| if whole { it } else { sorted.iter().position(|at| *at == it).unwrap() };
        let cells = wanted
            .map(|it| ArrayFormatter::try_new(batch.column(place(it)).as_ref(), &options).unwrap());
        found.extend(
            (0..batch.num_rows())
                .map(|row| std::array::from_fn(|at| cells[at].value(row).to_string())),
        );
    }
    found
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
