//! A small history of runs, and snapshots that hold it hot, cold or both.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use genstore::clock::SystemClock;
use genstore::error::{Error, Result};
use genstore::event::{
    BatchRow, ContractRow, IssueRow, Row, RunRow, ScoreRow, StepLatencyRow, StepRow, Table, Text,
    TimeUs,
};
use genstore::sql::{Params, QueryOutput, Session, SessionSettings};
use genstore::store::schema::{arrow_schema, to_batch};
use genstore::store::snapshot::{DataFile, Snapshot, TableSnapshot};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

pub(crate) const RUNS: i64 = 120;
pub(crate) const STEPS: [&str; 4] = ["parse", "render", "validate", "write"];
/// 2026-11-01T00:00:00Z.
const START_US: i64 = 1_793_491_200_000_000;
const HOUR_US: i64 = 3_600_000_000;

/// The duration of step `step` of run `run`: spread, and the same every time.
pub(crate) fn duration_ns(run: i64, step: usize) -> i64 {
    (run * 7_919 + step as i64 * 104_729) % 10_007 * 1_000 + 1
}

/// All rows of the history, oldest first.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for run in 0..RUNS {
        let run_id = Text::from(format!("run-{run:04}"));
        let at = TimeUs(START_US + run * HOUR_US);
        let digest = Text::from(format!("digest-{}", run % 10));
        let ok = run % 7 != 0;
        let result = Text::from(if ok { "success" } else { "failure" });
        for (index, name) in STEPS.iter().enumerate() {
            rows.push(Row::Steps(StepRow {
                run_id: run_id.clone(),
                step_id: Text::from(format!("{:016x}", index + 1)),
                pipeline_name: "node_generation".into(),
                node_type: Some(Text::from(["COMPUTE", "EFFECT"][run as usize % 2])),
                step_name: Text::from(*name),
                attempt: 1,
                result: "success".into(),
                start_time: at,
                duration_ns: duration_ns(run, index),
                on_critical_path: index != 2,
                ..StepRow::default()
            }));
        }
        for issue in 0..run % 3 {
            rows.push(Row::Issues(IssueRow {
                run_id: run_id.clone(),
                validator_name: "security".into(),
                rule_id: Text::from(format!("security.rule-{issue}")),
                level: "warning".into(),
                message: "something".into(),
                time: at,
                ..IssueRow::default()
            }));
        }
        rows.push(Row::Scores(ScoreRow {
            run_id: run_id.clone(),
            name: "quality".into(),
            value: (run % 11 != 0).then_some((run % 100) as f64),
            time: at,
            ..ScoreRow::default()
        }));
        // Every contract is recorded twice, as two writers may.
        for (again, uri) in [(0, "first.yaml"), (1, "again.yaml")] {
            rows.extend((run < 10).then(|| {
                Row::Contracts(ContractRow {
                    contract_digest: digest.clone(),
                    name: Some(Text::from(format!("node_{}", run % 10))),
                    node_type: Some("COMPUTE".into()),
                    uri: Some(uri.into()),
                    first_seen_time: TimeUs(at.0 + again),
                    ..ContractRow::default()
                })
            }));
        }
        rows.push(Row::Runs(RunRow {
            run_id,
            batch_id: Some(Text::from(format!("batch-{}", run % 2))),
            pipeline_name: "node_generation".into(),
            contract_name: Some(Text::from(format!("node_{}", run % 10))),
            contract_digest: Some(digest),
            node_type: Some(Text::from(["COMPUTE", "EFFECT"][run as usize % 2])),
            result,
            error_type: (!ok).then(|| "validation".into()),
            start_time: at,
            end_time: TimeUs(at.0 + 1_000),
            duration_ns: (0..STEPS.len()).map(|it| duration_ns(run, it)).sum(),
            quality_score: (run % 11 != 0).then_some((run % 100) as f64),
            warning_count: run % 3,
            ..RunRow::default()
        }));
    }
    rows.push(Row::Batches(BatchRow {
        batch_id: "batch-0".into(),
        uri: "contracts".into(),
        start_time: TimeUs(START_US),
        end_time: TimeUs(START_US + 1_500_000),
        result: "failure".into(),
        total: RUNS / 2,
        ..BatchRow::default()
    }));
    for hour in 0..4 {
        rows.push(Row::StepLatency(latency(hour)));
    }
    rows
}

fn latency(hour: i64) -> StepLatencyRow {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    (1..=1_000_u64).for_each(|it| histogram.record(it).unwrap());
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&histogram, &mut bytes).unwrap();
    StepLatencyRow {
        hour: TimeUs(START_US + hour * HOUR_US),
        pipeline_name: "node_generation".into(),
        step_name: "parse".into(),
        result: "success".into(),
        count: 1_000,
        histogram: bytes,
        ..StepLatencyRow::default()
    }
}

/// Where the rows of a snapshot are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// All rows hot, in two batches per table.
    Hot,
    /// All rows in files, three per table.
    Cold,
    /// Two files per table, and the rest hot.
    Mixed,
}

pub(crate) const PLACES: [Place; 3] = [Place::Hot, Place::Cold, Place::Mixed];

/// A snapshot of `rows`; its files are in `folder`.
pub(crate) fn snapshot(rows: &[Row], place: Place, folder: &Path) -> Snapshot {
    let mut tables = BTreeMap::new();
    for table in Table::ALL {
        let mine: Vec<&Row> = rows.iter().filter(|it| it.table() == *table).collect();
        let parts: Vec<&[&Row]> = mine.chunks(mine.len().div_ceil(3).max(1)).collect();
        let mut shown = TableSnapshot { version: Some(0), ..TableSnapshot::default() };
        for (index, part) in parts.into_iter().enumerate() {
            let batch = to_batch(*table, part.iter().copied()).unwrap();
            let hot = match place {
                Place::Hot => true,
                Place::Cold => false,
                Place::Mixed => index == 2,
            };
            if hot {
                shown.hot.push(batch);
            } else {
                let path = folder.join(format!("{} {index}.parquet", table.name()));
                Arc::make_mut(&mut shown.files).push(write(&path, *table, &batch));
            }
        }
        tables.insert(*table, shown);
    }
    Snapshot { tables, ..Snapshot::default() }
}

/// Writes a batch in several row groups.
pub(crate) fn write(path: &Path, table: Table, batch: &RecordBatch) -> DataFile {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(50)).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, arrow_schema(table), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    let size_bytes = path.metadata().unwrap().len();
    let rows = batch.num_rows() as u64;
    DataFile {
        path: path.to_owned(),
        size_bytes,
        rows: Some(rows),
        digest: None,
        run_ids: None,
        times_us: None,
        replaces: [].into(),
        committed_ms: 0,
    }
}

/// A session over a snapshot, with two threads.
pub(crate) fn session(snapshot: &Snapshot) -> Session {
    let settings = SessionSettings { threads: 2, ..SessionSettings::default() };
    Session::new(snapshot, settings, Arc::new(SystemClock::new())).unwrap()
}

/// A session over no rows at all.
pub(crate) fn nothing() -> Session {
    session(&Snapshot::default())
}

/// The rows of an answer as text, one line per row.
pub(crate) fn lines(output: &QueryOutput) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in &output.batches {
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|it| arrow::util::display::array_value_to_string(it, row).unwrap());
            lines.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    lines
}

/// The answer to a statement without parameters, as lines.
pub(crate) async fn ask(session: &Session, sql: &str) -> Vec<String> {
    match session.query(sql, &Params::new()).await {
        Ok(output) => lines(&output),
        Err(error) => panic!("{sql}: {error} {:?} {error:?}", error.hint()),
    }
}

/// The error of a statement without parameters.
pub(crate) async fn refuse(session: &Session, sql: &str) -> Error {
    let answer: Result<QueryOutput> = session.query(sql, &Params::new()).await;
    match answer {
        Ok(output) => panic!("{sql}: {:?}", lines(&output)),
        Err(error) => error,
    }
}
