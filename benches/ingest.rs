//! Durable ingest: acknowledgements and rows per second, beside the bare write and fdatasync of the
//! same bytes, in turns within one run, because a disk's sync takes 0.2 ms on an idle machine and
//! 4 ms beside a build. Prints tables; asserts nothing.
//!
//! `cargo bench --bench ingest`; `-- --rows 200000` makes the large part smaller or larger.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{Clock, SystemClock, SystemIds};
use genstore::event::{Event, RunRow, StepRow, Table, Text, TimeUs};
use genstore::store::{Store, StoreOptions};

const ROUNDS: usize = 5;
const COMMITS: usize = 240;

/// What a number of commits took.
#[derive(Default)]
struct Taken {
    samples_ns: Vec<i64>,
    rows: usize,
    elapsed_ns: i64,
}

impl Taken {
    fn add(&mut self, other: Self) {
        self.samples_ns.extend(other.samples_ns);
        self.rows += other.rows;
        self.elapsed_ns += other.elapsed_ns;
    }

    fn quantile_us(&self, quantile: f64) -> f64 {
        let mut samples = self.samples_ns.clone();
        samples.sort_unstable();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = (samples.len() as f64 * quantile) as usize;
        samples.get(at).copied().unwrap_or_default() as f64 / 1_000.0
    }

    fn rows_per_second(&self) -> f64 {
        self.rows as f64 * 1e9 / self.elapsed_ns as f64
    }

    fn print(&self, name: &str, bare: &Self) {
        let (p50, p99, rate) =
            (self.quantile_us(0.5), self.quantile_us(0.99), self.rows_per_second());
        println!(
            "  {name:<24} p50 {p50:>7.0} µs ({:>5.2} x)  p99 {p99:>7.0} µs  {rate:>9.0} rows/s \
             ({:>5.2} x)",
            p50 / bare.quantile_us(0.5),
            rate / bare.rows_per_second()
        );
    }
}

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
        duration_ns: 1_000_000 + step * 7_919 + i64::try_from(number % 10_007).unwrap() * 101,
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

/// About a thousand rows: whole runs.
fn thousand_rows(number: usize) -> Vec<Event> {
    (0..111).flat_map(|it| nine_rows(number * 111 + it)).collect()
}

fn open(path: &Path, options: StoreOptions) -> Store {
    Store::open_at(path, options, Arc::new(SystemClock::new()), Arc::new(SystemIds)).unwrap()
}

fn folder_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
    entries
        .map(|it| match it.file_type().unwrap().is_dir() {
            true => folder_bytes(&it.path()),
            false => it.metadata().unwrap().len(),
        })
        .sum()
}

/// Who commits: so many threads that block, or so many tasks of a runtime with two threads, as the
/// engine does it.
#[derive(Clone, Copy)]
enum Committers {
    Threads(usize),
    Tasks(usize),
}

impl Committers {
    fn count(self) -> usize {
        match self {
            Self::Threads(count) | Self::Tasks(count) => count,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Threads(1) => "1 committer".to_owned(),
            Self::Threads(count) => format!("{count} committers"),
            Self::Tasks(count) => format!("{count} committers, tasks"),
        }
    }
}

/// Commits of `each` committer; the rows are made before the time is taken.
fn commits(
    store: &Arc<Store>,
    clock: &Arc<SystemClock>,
    committers: Committers,
    each: usize,
    make: fn(usize) -> Vec<Event>,
) -> Taken {
    let count = committers.count();
    let work: Vec<Vec<Vec<Event>>> =
        (0..count).map(|it| (0..each).map(|n| make(it * each + n)).collect()).collect();
    let rows = work.iter().flatten().map(Vec::len).sum();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let start = clock.monotonic_ns();
    let samples_ns = match committers {
        Committers::Threads(_) => std::thread::scope(|scope| {
            let threads: Vec<_> = work
                .into_iter()
                .map(|commits| {
                    scope.spawn(move || {
                        let mut samples = Vec::with_capacity(commits.len());
                        for rows in commits {
                            let begin = clock.monotonic_ns();
                            store.commit_blocking(rows).unwrap();
                            samples.push(clock.monotonic_ns() - begin);
                        }
                        samples
                    })
                })
                .collect();
            threads.into_iter().flat_map(|it| it.join().unwrap()).collect()
        }),
        Committers::Tasks(_) => runtime.block_on(async {
            let tasks: Vec<_> = work
                .into_iter()
                .map(|commits| {
                    let (store, clock) = (Arc::clone(store), Arc::clone(clock));
                    tokio::spawn(async move {
                        let mut samples = Vec::with_capacity(commits.len());
                        for rows in commits {
                            let begin = clock.monotonic_ns();
                            store.commit(rows).await.unwrap();
                            samples.push(clock.monotonic_ns() - begin);
                        }
                        samples
                    })
                })
                .collect();
            let mut samples = Vec::new();
            for task in tasks {
                samples.extend(task.await.unwrap());
            }
            samples
        }),
    };
    Taken { samples_ns, rows, elapsed_ns: clock.monotonic_ns() - start }
}

/// The same bytes written and synced by hand, `commits` times.
fn bare(path: &Path, clock: &SystemClock, commits: usize, size_bytes: usize, rows: usize) -> Taken {
    let mut file = File::create(path).unwrap();
    let bytes = vec![7_u8; size_bytes];
    let start = clock.monotonic_ns();
    let samples_ns = (0..commits)
        .map(|_| {
            let begin = clock.monotonic_ns();
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            clock.monotonic_ns() - begin
        })
        .collect();
    Taken { samples_ns, rows: rows * commits, elapsed_ns: clock.monotonic_ns() - start }
}

/// A journal that never seals its file, so that nothing is flushed beside the commits.
fn journal_only() -> StoreOptions {
    StoreOptions {
        flush_age_ms: 3_600_000,
        journal_bytes_max: 2 << 30,
        hot_bytes_max: 4 << 30,
        ..StoreOptions::default()
    }
}

fn compared(
    folder: &Path,
    clock: &Arc<SystemClock>,
    name: &str,
    (committers, each): (&[Committers], usize),
    make: fn(usize) -> Vec<Event>,
) {
    let path = folder.join(name);
    let store = Arc::new(open(&path, journal_only()));
    store.commit_blocking(make(0)).unwrap();
    let before = folder_bytes(&path.join("journal/0"));
    store.commit_blocking(make(1)).unwrap();
    let size_bytes = usize::try_from(folder_bytes(&path.join("journal/0")) - before).unwrap();
    let rows = make(1).len();
    let (mut reference, mut taken) = (Taken::default(), Vec::new());
    taken.resize_with(committers.len(), Taken::default);
    for round in 0..ROUNDS {
        let file = folder.join(format!("{name}_bare_{round}"));
        reference.add(bare(&file, clock, each, size_bytes, rows));
        for (committers, taken) in committers.iter().zip(&mut taken) {
            let each = each / committers.count().min(4);
            taken.add(commits(&store, clock, *committers, each, make));
        }
    }
    println!("{rows} rows per commit, {size_bytes} bytes each, journal alone");
    reference.print("bare write + fdatasync", &reference);
    for (committers, taken) in committers.iter().zip(taken) {
        taken.print(&committers.name(), &reference);
    }
}

/// Much more than the hot bound: the flush has to keep up.
fn sustained(folder: &Path, clock: &Arc<SystemClock>, rows: usize) {
    for committers in [Committers::Threads(1), Committers::Threads(4)] {
        let path = folder.join(format!("sustained_{}", committers.count()));
        let store = Arc::new(open(&path, StoreOptions::default()));
        let each = rows / 999 / committers.count();
        let mut taken = commits(&store, clock, committers, each, thousand_rows);
        let begin = clock.monotonic_ns();
        store.close().unwrap();
        let closing_ns = clock.monotonic_ns() - begin;
        let acknowledged = taken.rows_per_second();
        taken.elapsed_ns += closing_ns;
        println!(
            "sustained, {}, {} rows: acknowledged {acknowledged:.0} rows/s, \
             in the tables {:.0} rows/s",
            committers.name(),
            taken.rows,
            taken.rows_per_second()
        );
        if committers.count() == 1 {
            sizes(&store);
        }
    }
}

fn sizes(store: &Store) {
    for it in store.status().unwrap().tables {
        if [Table::Runs, Table::Steps].contains(&it.table) {
            println!(
                "  {:<6} {} rows in {} files, {:.1} bytes per row at rest",
                it.table.name(),
                it.cold_rows,
                it.files,
                it.size_bytes as f64 / it.cold_rows as f64
            );
        }
    }
}

/// A reader beside the writer: what a snapshot of many hot rows costs, first and again.
fn snapshots(folder: &Path, clock: &SystemClock) {
    let store = open(&folder.join("hot"), journal_only());
    (0..100).for_each(|it| store.commit_blocking(thousand_rows(it)).unwrap());
    let look = || {
        let begin = clock.monotonic_ns();
        let snapshot = store.snapshot().unwrap();
        let rows: u64 =
            [Table::Runs, Table::Steps].map(|it| snapshot.tables[&it].rows()).iter().sum();
        (rows, (clock.monotonic_ns() - begin) as f64 / 1e6)
    };
    let (rows, first_ms) = look();
    store.commit_blocking(nine_rows(0)).unwrap();
    let (_, again_ms) = look();
    println!("snapshot with {rows} hot rows: first {first_ms:.2} ms, again {again_ms:.2} ms");
}

fn main() {
    let mut arguments = std::env::args().skip_while(|it| it != "--rows").skip(1);
    let rows = arguments.next().map_or(2_000_000, |it| it.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::new());
    use Committers::{Tasks, Threads};
    let small = [Threads(1), Tasks(1), Threads(16), Tasks(16)];
    compared(folder.path(), &clock, "small", (&small, COMMITS), nine_rows);
    let large = [Threads(1), Threads(4), Tasks(4)];
    compared(folder.path(), &clock, "large", (&large, COMMITS / 4), thousand_rows);
    snapshots(folder.path(), &clock);
    sustained(folder.path(), &clock, rows);
}
