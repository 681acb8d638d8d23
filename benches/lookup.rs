//! Opening a large store, and looking up one run in it: by the library and by SQL, with the index
//! and without; and making the index. Prints a table; asserts nothing but the answers.
//! `GENSTORE_BENCH_RUNS=20000 cargo bench --bench lookup --profile dev` is a small one.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;

use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use genstore::clock::{Clock, SystemClock};
use genstore::sql::{ParamValue, Params, Session, SessionSettings};
use genstore::store::Store;
use tokio::runtime::Runtime;

const SAMPLES: usize = 200;
/// Set in the child that makes the index: what that takes of memory is not what idling takes.
const MAKES_INDEX: &str = "GENSTORE_BENCH_MAKES_INDEX";

const OF_A_RUN: &str = "SELECT r.run_id, s.step_name, s.duration_ns FROM runs r JOIN steps s ON \
                        s.run_id = r.run_id WHERE r.run_id = $id AND s.run_id = $id";
const STEPS: &str = "SELECT * FROM steps WHERE run_id = $id";
const OF_A_CONTRACT: &str =
    "SELECT run_id FROM runs WHERE contract_name = $id ORDER BY run_id DESC LIMIT 10";

struct Bench {
    clock: SystemClock,
    runtime: Runtime,
}

impl Bench {
    /// Milliseconds that `work` takes.
    fn ms<T>(&self, work: impl FnOnce() -> T) -> (f64, T) {
        let start = self.clock.monotonic_ns();
        let done = work();
        ((self.clock.monotonic_ns() - start) as f64 / 1e6, done)
    }

    /// Median and 99th percentile of many.
    fn many(&self, name: &str, count: usize, mut work: impl FnMut(usize)) {
        let mut samples: Vec<f64> = (0..count).map(|it| self.ms(|| work(it)).0).collect();
        samples.sort_by(f64::total_cmp);
        let at = |share: usize| samples[(samples.len() - 1) * share / 100];
        println!("  {name:<42} p50 {:>9.3} ms  p99 {:>9.3} ms", at(50), at(99));
    }

    fn rows(&self, session: &Session, sql: &str, id: &str) -> usize {
        let params = Params::from([("id".to_owned(), ParamValue::Text(id.to_owned()))]);
        self.runtime.block_on(session.query(sql, &params)).unwrap().rows()
    }
}

/// Ids of runs: of the newest, whose records are packed, and from all over the store.
fn ids(runs: usize) -> [Vec<String>; 2] {
    let id = |number: usize| common::run_id(number % runs).to_string();
    let newest = (0..SAMPLES).map(|it| id(runs - 1 - it * 97 % runs.min(90_000))).collect();
    [newest, (0..SAMPLES).map(|it| id(it * 7_919_333)).collect()]
}

fn line(name: &str, ms: f64) {
    println!("  {name:<42}     {ms:>9.1} ms");
}

/// Memory of this process, as far as the system tells.
fn resident(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    println!("  {:<42}     {:>12}", format!("resident {when}"), found.unwrap_or("?").trim());
}

fn opening(bench: &Bench, path: &Path) -> (Store, Session) {
    println!("opening");
    let (open_ms, store) = bench.ms(|| Store::open_read_only(path).unwrap());
    let (snapshot_ms, snapshot) = bench.ms(|| store.snapshot().unwrap());
    line("open and snapshot", open_ms + snapshot_ms);
    let (again_ms, _) = bench.ms(|| store.snapshot().unwrap());
    println!("  {:<42}     {again_ms:>9.3} ms", "another snapshot");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (session_ms, session) =
        bench.ms(|| Session::new(&snapshot, SessionSettings::default(), clock).unwrap());
    let last = common::run_id(common::runs() - 1);
    let (first_ms, found) = bench.ms(|| bench.rows(&session, OF_A_RUN, &last));
    assert_eq!(found, common::STEPS);
    line("first query: a run's steps", session_ms + first_ms);
    line("all of that", open_ms + snapshot_ms + session_ms + first_ms);
    resident("idle");
    (store, session)
}

fn make_index(bench: &Bench, path: &Path) {
    let store = Store::open_read_only(path).unwrap();
    let (ms, ()) = bench.ms(|| store.rebuild_index(&mut |_| ControlFlow::Continue(())).unwrap());
    let status = store.index_status().unwrap();
    println!("making the index");
    line("rebuild", ms);
    println!("  {:<42}     {:>9.1} MB", "size", status.size_bytes as f64 / 1e6);
    for tree in status.trees {
        println!("  {:<42}     {:>9}", tree.name, tree.entries);
    }
    resident("after it");
}

fn lookups(bench: &Bench, path: &Path, indexed: &Store, session: &Session) {
    let [newest, any] = ids(common::runs());
    let plain = Store::open_read_only(path).unwrap(); // the other has the index
    let contract = common::contract_name(17);
    let whole = |store: &Store, id: &str| {
        assert_eq!(store.run(id).unwrap().unwrap().steps.len(), common::STEPS);
    };
    println!("the library");
    bench.many("a run, newest, index", SAMPLES, |it| whole(indexed, &newest[it]));
    bench.many("a run, newest, index, again", SAMPLES, |it| whole(indexed, &newest[it]));
    bench.many("a run, any, index", SAMPLES, |it| whole(indexed, &any[it]));
    bench.many("a run, any, no index", SAMPLES, |it| whole(&plain, &any[it]));
    bench.many("10 runs of a contract, index", SAMPLES, |_| {
        assert_eq!(indexed.runs_of_contract(&contract, 10).unwrap().len(), 10);
    });
    bench.many("10 runs of a contract, no index", 5, |_| {
        assert_eq!(plain.runs_of_contract(&contract, 10).unwrap().len(), 10);
    });
    println!("SQL");
    let with_index = session.with_snapshot(&indexed.snapshot().unwrap()).unwrap();
    bench.many("a snapshot and a session for a query", SAMPLES, |_| {
        drop(session.with_snapshot(&indexed.snapshot().unwrap()).unwrap());
    });
    bench.many("steps of a run", SAMPLES, |it| {
        assert_eq!(bench.rows(session, STEPS, &any[it]), common::STEPS);
    });
    bench.many("steps of a run, again", SAMPLES, |it| {
        assert_eq!(bench.rows(session, STEPS, &any[it]), common::STEPS);
    });
    bench.many("a run with its steps, again", SAMPLES, |it| {
        assert_eq!(bench.rows(session, OF_A_RUN, &any[it]), common::STEPS);
    });
    bench.many("10 runs of a contract, no index", 5, |_| {
        assert_eq!(bench.rows(session, OF_A_CONTRACT, &contract), 10);
    });
    bench.many("10 runs of a contract, index", 5, |_| {
        assert_eq!(bench.rows(&with_index, OF_A_CONTRACT, &contract), 10);
    });
}

fn main() {
    let bench = Bench {
        clock: SystemClock::new(),
        runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
    };
    let runs = common::runs();
    let (made_ms, path) = bench.ms(|| common::store_of(runs));
    if std::env::var_os(MAKES_INDEX).is_some() {
        return make_index(&bench, &path);
    }
    println!(
        "{runs} runs in {} commits, made in {:.1} s",
        runs.div_ceil(common::runs_per_commit()),
        made_ms / 1e3
    );
    let child = Command::new(std::env::current_exe().unwrap()).env(MAKES_INDEX, "1").status();
    assert!(child.unwrap().success());
    let (store, session) = opening(&bench, &path);
    let (index_ms, ()) =
        bench.ms(|| store.catch_up_index(&mut |_| ControlFlow::Continue(())).unwrap());
    line("open the index", index_ms);
    resident("idle, index open");
    lookups(&bench, &path, &store, &session);
    resident("at the end");
}
