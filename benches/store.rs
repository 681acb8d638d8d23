//! Durable ingest against the bare fdatasync of the same bytes, in turns within one run, because a
//! disk's sync takes 0.2 ms on an idle machine and 4 ms beside a build. Prints a table; asserts
//! nothing. `cargo bench --bench store --profile dev` shares the daily build.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{Clock, SystemClock, SystemIds};
use genstore::event::{Event, RunRow, StepRow, Text, TimeUs};
use genstore::store::{Store, StoreOptions};

const ROUNDS: usize = 5;
const COMMITS: usize = 200;

/// One run with eight steps: nine rows.
fn nine_rows(number: usize) -> Vec<Event> {
    let run_id = Text::from(format!("01990000-0000-7000-8000-{number:012x}"));
    let start_time = TimeUs(1_790_000_000_000_000 + i64::try_from(number).unwrap());
    let step = |step: i64| StepRow {
        run_id: run_id.clone(),
        step_id: Text::from(format!("{step:016x}")),
        pipeline_name: Text::from("node_generation"),
        node_type: Some(Text::from("COMPUTE")),
        step_name: Text::from(format!("step_{step}")),
        component: Text::from("validator"),
        component_version: Text::from("1"),
        attempt: 1,
        result: Text::from("success"),
        start_time,
        duration_ns: 1_000_000 + step,
        depends_on: Text::from("parse,render"),
        ..StepRow::default()
    };
    let run = RunRow {
        run_id: run_id.clone(),
        pipeline_name: Text::from("node_generation"),
        contract_name: Some(Text::from("priced_order")),
        result: Text::from("success"),
        start_time,
        strategy: Text::from("ready_queue"),
        ..RunRow::default()
    };
    (1..=8).map(|it| Event::from(step(it))).chain([Event::from(run)]).collect()
}

fn median_us(mut samples_ns: Vec<i64>) -> f64 {
    samples_ns.sort_unstable();
    let middle = samples_ns.get(samples_ns.len() / 2).copied().unwrap_or_default();
    f64::from(u32::try_from(middle).unwrap_or(u32::MAX)) / 1_000.0
}

fn open(path: &Path) -> Store {
    Store::open(path, StoreOptions::default(), Arc::new(SystemClock::new()), Arc::new(SystemIds))
        .unwrap()
}

fn journal_bytes(path: &Path) -> u64 {
    let files = fs::read_dir(path.join("journal/0")).unwrap();
    files.map(|it| it.unwrap().metadata().unwrap().len()).sum()
}

/// Latencies of `writers` threads that commit nine rows at a time, and the rows per second of all.
fn commits(store: &Store, clock: &SystemClock, writers: usize) -> (Vec<i64>, f64) {
    let start = clock.monotonic_ns();
    let each = COMMITS / writers.min(4);
    let samples: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                scope.spawn(move || {
                    let mut samples = Vec::with_capacity(each);
                    for number in 0..each {
                        let rows = nine_rows(writer * each + number);
                        let begin = clock.monotonic_ns();
                        store.commit_blocking(rows).unwrap();
                        samples.push(clock.monotonic_ns() - begin);
                    }
                    samples
                })
            })
            .collect();
        threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    let rows = (writers * each * 9) as f64;
    (samples, rows * 1e9 / (clock.monotonic_ns() - start) as f64)
}

fn bare(folder: &Path, clock: &SystemClock, size_bytes: usize, round: usize) -> (Vec<i64>, f64) {
    let mut file = File::create(folder.join(format!("bare_{round}"))).unwrap();
    let bytes = vec![7_u8; size_bytes];
    let start = clock.monotonic_ns();
    let samples = (0..COMMITS)
        .map(|_| {
            let begin = clock.monotonic_ns();
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            clock.monotonic_ns() - begin
        })
        .collect();
    let rows = (COMMITS * 9) as f64;
    (samples, rows * 1e9 / (clock.monotonic_ns() - start) as f64)
}

fn small_commits(folder: &Path, clock: &SystemClock) {
    let path = folder.join("small");
    let store = open(&path);
    let before = journal_bytes(&path);
    store.commit_blocking(nine_rows(0)).unwrap();
    let size_bytes = usize::try_from(journal_bytes(&path) - before).unwrap();
    let (mut bare_all, mut one_all, mut many_all) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bare_rate, mut one_rate, mut many_rate) = (0.0, 0.0, 0.0);
    for round in 0..ROUNDS {
        let (samples, rate) = bare(folder, clock, size_bytes, round);
        bare_all.extend(samples);
        bare_rate += rate / ROUNDS as f64;
        let (samples, rate) = commits(&store, clock, 1);
        one_all.extend(samples);
        one_rate += rate / ROUNDS as f64;
        let (samples, rate) = commits(&store, clock, 16);
        many_all.extend(samples);
        many_rate += rate / ROUNDS as f64;
    }
    let reference = median_us(bare_all);
    println!("nine rows per commit, {size_bytes} bytes each");
    let line = |name: &str, p50: f64, rate: f64| {
        println!(
            "  {name:<24} p50 {p50:>8.0} µs ({:>5.2} x)  {rate:>9.0} rows/s ({:>5.2} x)",
            p50 / reference,
            rate / bare_rate
        );
    };
    line("bare write + fdatasync", reference, bare_rate);
    line("1 committer", median_us(one_all), one_rate);
    line("16 committers", median_us(many_all), many_rate);
}

fn large_commits(folder: &Path, clock: &SystemClock) {
    let store = open(&folder.join("large"));
    let batch: Vec<Event> = (0..112).flat_map(nine_rows).take(1_000).collect();
    let rows = 100_000;
    let start = clock.monotonic_ns();
    for _ in 0..rows / 1_000 {
        store.commit_blocking(batch.clone()).unwrap();
    }
    let written = clock.monotonic_ns();
    let snapshot = store.snapshot().unwrap();
    let seen = clock.monotonic_ns();
    store.close().unwrap();
    let flushed = clock.monotonic_ns();
    let rate = |from: i64, to: i64| f64::from(rows) * 1e9 / (to - from) as f64;
    println!("1,000 rows per commit, {rows} rows");
    println!("  journal                  {:>9.0} rows/s", rate(start, written));
    println!("  journal and tables       {:>9.0} rows/s", rate(start, flushed));
    let hot: usize = snapshot.tables.values().flat_map(|it| &it.hot).map(|it| it.num_rows()).sum();
    println!("  snapshot, {hot} rows hot  {:>6} ms", (seen - written) / 1_000_000);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    small_commits(folder.path(), &clock);
    large_commits(folder.path(), &clock);
}
