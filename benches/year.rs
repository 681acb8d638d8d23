//! A year of nightly batches: `cargo bench --bench year -- --nights 365 --runs 1000`. Each night a
//! batch is imported from Parquet files, and the steps of compaction that a writer would do by
//! itself follow. Prints, month by month, bytes per run, files per table, the time to open the
//! store, and the time of all canned queries: over the whole history, and over the last thirty
//! nights, where a query takes `since`. What grows with the year shows here.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use arrow::util::display::array_value_to_string;
use common::{STEPS, whole_run};
use genstore::clock::SystemClock;
use genstore::event::{BatchRow, Event, Row, Table, Text, TimeUs};
use genstore::sql::{CannedQuery, Params, Queries, Session, SessionSettings};
use genstore::store::Store;
use genstore::store::schema::{arrow_schema, to_batch};
use parquet::arrow::ArrowWriter;

/// Numbers of runs from one night to the next: the made-up runs are ten seconds apart.
const NUMBERS_OF_A_DAY: usize = 8_640;
const NIGHTS_OF_A_MONTH: usize = 30;
/// Each query is asked so often; the median counts.
const ASKED: usize = 3;

fn argument(name: &str, default: usize) -> usize {
    let given = std::env::args().skip_while(|it| it != name).nth(1);
    given.map_or(default, |it| it.parse().unwrap())
}

fn main() {
    let (nights, runs) = (argument("--nights", 365), argument("--runs", 1_000));
    assert!(runs <= NUMBERS_OF_A_DAY);
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    println!("{nights} nights of {runs} runs with {STEPS} steps each");
    println!(
        "{:>6} {:>9} {:>9} {:>6} {:>6} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>8}  \
         slowest query",
        "month",
        "runs",
        "B/run",
        "files",
        "most",
        "log kB",
        "open ms",
        "import ms",
        "upkeep ms",
        "month ms",
        "all ms",
        "max ms",
    );
    let (mut import_ms, mut upkeep_ms) = (Vec::new(), Vec::new());
    for night in 0..nights {
        let set = folder.path().join("night");
        write_night(&set, night, runs);
        import_ms.push(timed(|| genstore(&store, &["import", &set.display().to_string()])));
        upkeep_ms.push(timed(|| genstore(&store, &["store", "compact", "--step"])));
        fs::remove_dir_all(&set).unwrap();
        if (night + 1) % NIGHTS_OF_A_MONTH == 0 || night + 1 == nights {
            let month = (night + 1).div_ceil(NIGHTS_OF_A_MONTH);
            tell(month, (night + 1) * runs, &store, &mut import_ms, &mut upkeep_ms);
        }
    }
    genstore(&store, &["store", "compact"]);
    tell(0, nights * runs, &store, &mut import_ms, &mut upkeep_ms);
    println!("(the last line: after a full compaction)");
}

/// The batch of a night as Parquet files, one per table.
fn write_night(set: &Path, night: usize, runs: usize) {
    fs::create_dir_all(set).unwrap();
    let batch_id = Text::from(format!("night-{night:04}"));
    let mut rows: BTreeMap<Table, Vec<Row>> = BTreeMap::new();
    let mut ends = TimeUs(0);
    for number in (0..runs).map(|it| night * NUMBERS_OF_A_DAY + it) {
        for event in whole_run(number) {
            let Event::Row(mut row) = event else { continue };
            if let Row::Runs(run) = &mut row {
                run.batch_id = Some(batch_id.clone());
                ends = ends.max(run.end_time);
            }
            rows.entry(row.table()).or_default().push(row);
        }
    }
    rows.insert(
        Table::Batches,
        vec![Row::Batches(BatchRow {
            batch_id,
            name: Some("nightly".into()),
            pipeline_name: "node_generation".into(),
            start_time: ends,
            end_time: ends,
            result: "success".into(),
            total: i64::try_from(runs).unwrap(),
            ..BatchRow::default()
        })],
    );
    for (table, rows) in rows {
        let path = set.join(format!("{}.parquet", table.name()));
        let mut writer =
            ArrowWriter::try_new(File::create(path).unwrap(), arrow_schema(table), None).unwrap();
        writer.write(&to_batch(table, &rows).unwrap()).unwrap();
        writer.close().unwrap();
    }
}

fn genstore(store: &Path, args: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_genstore"));
    let output = command.arg("--store").arg(store).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn median(values: &mut Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or(0.0);
    values.clear();
    middle
}

fn tell(
    month: usize,
    runs: usize,
    path: &Path,
    import_ms: &mut Vec<f64>,
    upkeep_ms: &mut Vec<f64>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut open_ms = Vec::new();
    for _ in 0..ASKED {
        open_ms.push(timed(|| {
            let store = Store::open_read_only(path).unwrap();
            let snapshot = store.snapshot().unwrap();
            assert_eq!(snapshot.tables[&Table::Runs].rows(), runs as u64);
        }));
    }
    let store = Store::open_read_only(path).unwrap();
    let snapshot = store.snapshot().unwrap();
    let files = snapshot.tables.values().map(|it| it.files.len());
    let (all, most) = (files.clone().sum::<usize>(), files.max().unwrap_or(0));
    let bytes: u64 =
        snapshot.tables.values().flat_map(|it| it.files.iter()).map(|it| it.size_bytes).sum();
    let clock = Arc::new(SystemClock::new());
    let session = Session::new(&snapshot, SessionSettings::default(), clock).unwrap();
    let none = Params::default();
    runtime.block_on(session.query("SELECT count(*) FROM runs", &none)).unwrap();
    let newest = session.query("SELECT max(start_time) - INTERVAL '30 days' FROM runs", &none);
    let newest = runtime.block_on(newest).unwrap();
    let since = array_value_to_string(newest.batches[0].column(0), 0).unwrap();
    let ask = |query: &CannedQuery, args: &[(&str, &str)]| {
        let mut times = Vec::new();
        for _ in 0..ASKED {
            times.push(timed(|| {
                runtime.block_on(session.canned(&query.name, args)).unwrap();
            }));
        }
        median(&mut times)
    };
    let (mut month_ms, mut queries) = (0.0, Vec::new());
    for query in Queries::builtin().all() {
        let args: &[(&str, &str)] = match query.name.as_str() {
            "batch_summary" => &[("batch_id", "night-0003")],
            _ if query.params.iter().any(|it| it.required) => continue, // about one thing
            _ => &[],
        };
        queries.push((ask(query, args), query.name.as_str()));
        if query.params.iter().any(|it| it.name == "since") {
            month_ms += ask(query, &[("since", &since)]);
        }
    }
    let sum: f64 = queries.iter().map(|it| it.0).sum();
    let slowest = queries.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let logs: u64 = Table::ALL
        .iter()
        .flat_map(|it| fs::read_dir(path.join("tables").join(it.name()).join("_delta_log")))
        .flatten()
        .map(|it| it.unwrap().metadata().unwrap().len())
        .sum();
    println!(
        "{month:>6} {runs:>9} {:>9.1} {all:>6} {most:>6} {:>8} {:>8.1} {:>9.1} {:>9.1} \
         {month_ms:>8.1} {sum:>8.1} {:>8.1}  {}",
        bytes as f64 / runs as f64,
        logs / 1_000,
        median(&mut open_ms),
        median(import_ms),
        median(upkeep_ms),
        slowest.0,
        slowest.1,
    );
}
