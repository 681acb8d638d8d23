//! Opening a large store, and looking up one run in it: by the library and by SQL, with the index
//! and without. Prints a table; asserts nothing. `GENSTORE_BENCH_RUNS=20000 cargo bench --bench
//! lookup --profile dev` is a small one for the daily build.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod common;

use std::path::Path;
use std::sync::Arc;

use genstore::clock::{Clock, SystemClock};
use genstore::sql::{ParamValue, Params, Session, SessionSettings};
use genstore::store::Store;
use tokio::runtime::Runtime;

const SAMPLES: usize = 200;

const OF_A_RUN: &str = "SELECT r.run_id, s.step_name, s.duration_ns FROM runs r JOIN steps s ON \
                        s.run_id = r.run_id WHERE r.run_id = $id AND s.run_id = $id";

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

    /// Median, 99th percentile and worst of many.
    fn many(&self, name: &str, mut work: impl FnMut(usize)) {
        let mut samples: Vec<f64> = (0..SAMPLES).map(|it| self.ms(|| work(it)).0).collect();
        samples.sort_by(f64::total_cmp);
        let at = |share: usize| samples[(samples.len() - 1) * share / 100];
        println!("{name:<44} p50 {:>8.3} ms  p99 {:>8.3} ms", at(50), at(99));
    }

    fn rows(&self, session: &Session, sql: &str, id: &str) -> usize {
        let params = Params::from([("id".to_owned(), ParamValue::Text(id.to_owned()))]);
        self.runtime.block_on(session.query(sql, &params)).unwrap().rows()
    }
}

/// The ids of runs all over the store, newest part first.
fn ids(runs: usize) -> Vec<String> {
    (0..SAMPLES).map(|it| common::run_id(runs - 1 - it * 37 % runs).to_string()).collect()
}

fn opening(bench: &Bench, path: &Path) -> (Store, Session) {
    let (open_ms, store) = bench.ms(|| Store::open_read_only(path).unwrap());
    let (snapshot_ms, snapshot) = bench.ms(|| store.snapshot().unwrap());
    println!("{:<44} {:>12.1} ms", "open and snapshot", open_ms + snapshot_ms);
    let (again_ms, _) = bench.ms(|| store.snapshot().unwrap());
    println!("{:<44} {again_ms:>12.3} ms", "another snapshot");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (session_ms, session) =
        bench.ms(|| Session::new(&snapshot, SessionSettings::default(), clock).unwrap());
    let last = common::run_id(common::runs() - 1);
    let (first_ms, found) = bench.ms(|| bench.rows(&session, OF_A_RUN, &last));
    assert_eq!(found, common::STEPS);
    println!("{:<44} {:>12.1} ms", "first query: a run's steps", session_ms + first_ms);
    println!("{:<44} {:>12.1} ms", "all of that", open_ms + snapshot_ms + session_ms + first_ms);
    (store, session)
}

fn main() {
    let bench = Bench {
        clock: SystemClock::new(),
        runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
    };
    let runs = common::runs();
    let (made_ms, path) = bench.ms(|| common::store_of(runs));
    println!("{runs} runs, made in {:.1} s", made_ms / 1e3);
    let (_store, session) = opening(&bench, &path);
    let ids = ids(runs);
    bench.many("steps of a run, SQL, no index", |it| {
        bench.rows(&session, OF_A_RUN, &ids[it]);
    });
}
