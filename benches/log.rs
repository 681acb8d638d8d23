//! A long Delta log: what opening costs with and without checkpoints, what writing a checkpoint
//! costs, and how long the log stays. Many commits with few rows each, so that nothing else is
//! measured; `lookup` opens a store with many rows. Prints a table; asserts only that nothing is
//! lost. `GENSTORE_BENCH_COMMITS=300 cargo bench --bench log --profile dev` is a small one.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SystemClock, SystemIds};
use genstore::event::{ArtifactRow, ContractRow, Event, MetricRow, Table, Text};
use genstore::store::{Store, StoreOptions};

use common::UnsyncedDisk;

const SAMPLES: usize = 9;

/// A run with rows in eight tables; the sketches of its steps are one of them.
fn wide_run(number: usize) -> Vec<Event> {
    let run_id = common::run_id(number);
    let digest = Text::from(format!("{number:064x}"));
    let mut events = common::whole_run(number);
    events.push(Event::from(ContractRow { contract_digest: digest, ..ContractRow::default() }));
    events.push(Event::from(ArtifactRow { run_id: run_id.clone(), ..ArtifactRow::default() }));
    events.push(Event::from(MetricRow { run_id: Some(run_id), ..MetricRow::default() }));
    events
}

fn options() -> StoreOptions {
    StoreOptions {
        flush_age_ms: 3_600_000,
        journal_grace_ms: 0,
        checkpoint_commits: u64::MAX,
        ..StoreOptions::default()
    }
}

/// Commits runs one by one, as a process of its own; gives the milliseconds from the last commit
/// to the end of closing.
fn commit(path: &Path, numbers: std::ops::Range<usize>, options: StoreOptions) -> f64 {
    let clock = ManualClock::at(common::START_US + common::BETWEEN_US * numbers.start as i64);
    let (disk, ids) = (Arc::new(UnsyncedDisk), Arc::new(SystemIds));
    let store =
        Store::open_on(disk, path, options, Arc::<ManualClock>::clone(&clock), ids).unwrap();
    let real = SystemClock::new();
    let mut start = 0;
    for number in numbers {
        clock.advance_ns(common::BETWEEN_US * 1_000);
        start = real.monotonic_ns();
        store.commit_blocking(wide_run(number)).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
    (real.monotonic_ns() - start) as f64 / 1e6
}

fn open_ms(path: &Path, runs: usize) -> f64 {
    let clock = SystemClock::new();
    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let start = clock.monotonic_ns();
            let snapshot = Store::open_read_only(path).unwrap().snapshot().unwrap();
            let ms = (clock.monotonic_ns() - start) as f64 / 1e6;
            assert_eq!(snapshot.tables[&Table::Runs].rows(), runs as u64);
            ms
        })
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

/// Files and bytes of every log.
fn logs(path: &Path) -> (usize, u64) {
    let files = Table::ALL.iter().flat_map(|table| {
        let folder = path.join("tables").join(table.name()).join("_delta_log");
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().metadata().unwrap().len())
    });
    files.fold((0, 0), |(count, size), it| (count + 1, size + it))
}

fn main() {
    let commits = std::env::var("GENSTORE_BENCH_COMMITS").map_or(2_000, |it| it.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let line = |name: &str, ms: f64| println!("{name:<44} {ms:>9.1} ms");
    println!("{commits} commits to each of 8 tables");
    commit(&path, 0..commits - 2, options());
    let plain_ms = commit(&path, commits - 2..commits - 1, options());
    line("open and snapshot, commits only", open_ms(&path, commits - 1));
    let at_last = StoreOptions { checkpoint_commits: commits as u64, ..options() };
    let with_ms = commit(&path, commits - 1..commits, at_last);
    line("8 checkpoints, read and written", with_ms - plain_ms);
    let checkpoint = format!("tables/steps/_delta_log/{commits:020}.checkpoint.parquet");
    let size_bytes = fs::metadata(path.join(checkpoint)).unwrap().len();
    println!(
        "{:<44} {:>9.1} B",
        "a checkpoint of steps, per file",
        size_bytes as f64 / commits as f64
    );
    line("open and snapshot, checkpoints", open_ms(&path, commits));
    commit(&path, commits..commits + 99, options());
    line("open and snapshot, checkpoints and 99 commits", open_ms(&path, commits + 99));
    let (count, size_bytes) = logs(&path);
    println!("{:<44} {count:>9} files, {size_bytes} bytes", "logs, nothing removed");
    let short = StoreOptions {
        checkpoint_commits: 100,
        log_commits_kept: 100,
        log_kept_ms: 0,
        ..options()
    };
    commit(&path, commits + 99..commits + 302, short);
    let (count, size_bytes) = logs(&path);
    println!("{:<44} {count:>9} files, {size_bytes} bytes", "logs, the newest 100 commits kept");
    line("open and snapshot, after the clean-up", open_ms(&path, commits + 302));
}
