//! Two writers, somebody who looks after the store, and three readers at once: replays one after
//! the other, a process that writes small runs, compaction, retention and vacuum, a reader in this
//! process, `genstore sql` as a process, and the Python readers where there are any. No reader ever
//! sees less than before, or a run without its children; everybody gets on; at the end the counts
//! are exact. Every now and then a run is written that seems old: the retention takes these away
//! and no others.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use genstore::clock::SystemClock;
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::Store;

use super::{Place, Printed, Python, Until, Victim, lines};

/// Runs and steps that no retention takes away, and what must be 0: runs that succeeded and have no
/// step, steps that are not in the sketches.
const LOOK: &str = "
    WITH s AS (SELECT run_id, count(*) AS n FROM steps GROUP BY 1),
         c AS (SELECT count(*) AS n FROM steps WHERE start_time > ago('100d'))
    SELECT (SELECT count(*) FROM runs WHERE start_time > ago('100d')) AS runs,
           (SELECT n FROM c) AS steps,
           (SELECT count(*) FROM runs r LEFT JOIN s ON s.run_id = r.run_id
            WHERE r.result = 'success' AND s.n IS NULL) AS bare,
           (SELECT n FROM c) - (SELECT coalesce(sum(count), 0) FROM step_latency
                                WHERE hour > ago('100d')) AS off";

/// What somebody does to the store again and again. A reader of a minute ago still finds its files.
const CARE: [&[&str]; 3] = [
    &["store", "compact"],
    &["store", "retain", "--keep", "100d"],
    &["store", "vacuum", "--older-than", "60s"],
];

/// Nobody may stand still for longer.
const STILL_SECONDS_MAX: u64 = 120;

/// One of the crowd: how often it has got on.
#[derive(Debug)]
struct Member {
    name: &'static str,
    turns: AtomicU64,
}

/// What a reader has seen; it must never be less.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, i64>);

impl Seen {
    fn see(&mut self, who: &str, counts: BTreeMap<String, i64>) {
        for (name, count) in counts {
            let before = self.0.insert(name.clone(), count).unwrap_or(0);
            assert!(count >= before, "{who}: {name} fell from {before} to {count}");
        }
    }

    fn look(&mut self, who: &str, [runs, steps, bare, off]: [i64; 4]) {
        assert_eq!(bare, 0, "{who}: runs without a step");
        assert_eq!(off, 0, "{who}: steps against sketches");
        self.see(who, BTreeMap::from([("runs".to_owned(), runs), ("steps".to_owned(), steps)]));
    }
}

/// Lets the crowd work for so many seconds; `writer` is the process that writes small runs, which
/// ends by itself. Gives a line on what was done.
pub(crate) fn crowd(
    place: &Place,
    writer: Command,
    seconds: u64,
    python: Option<Python>,
) -> String {
    place.copies(5);
    let first = place.run(&["replay", "set", "--format", "ndjson"]); // so that there is a store
    let mut printed: Printed = super::by_run(lines(&first));
    let members = ["replays", "writer", "care", "library", "genstore sql", "Python"]
        .map(|name| Member { name, turns: AtomicU64::new(0) });
    let [replays, written, care, library, sql, pythons] = &members;
    let done = AtomicBool::new(false);
    let is_done = || done.load(Ordering::SeqCst);
    let still = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let victim = Victim::start(writer);
            while victim.wait_for(1) {
                written.turns.fetch_add(1, Ordering::SeqCst);
            }
            let all = victim.kill(Until::End).0;
            done.store(true, Ordering::SeqCst);
            all
        });
        let replayer = scope.spawn(|| {
            let mut all = Printed::new();
            while !is_done() {
                let victim = Victim::start(place.command(&["replay", "set", "--format", "ndjson"]));
                all.extend(victim.kill(Until::End).0);
                replays.turns.fetch_add(1, Ordering::SeqCst);
            }
            all
        });
        let carer = scope.spawn(|| {
            while !is_done() {
                for command in CARE {
                    take_care(place, command);
                }
                care.turns.fetch_add(1, Ordering::SeqCst);
            }
        });
        let readers = [
            scope.spawn(|| read_here(place, library, &done)),
            scope.spawn(|| read_by_program(place, sql, &done)),
            scope.spawn(|| {
                let mut seen = Seen::default();
                while let Some(python) = python.as_ref().filter(|_| !is_done()) {
                    let mut counts = python.counts(&place.store(), 1).unwrap();
                    counts.retain(|name, _| matches!(name.as_str(), "batches" | "contracts"));
                    seen.see("Python", counts); // of the others, retention takes some away
                    pythons.turns.fetch_add(1, Ordering::SeqCst);
                }
            }),
        ];
        watch(&members, &done, &still, python.is_some(), seconds);
        printed.extend(writer.join().unwrap());
        printed.extend(replayer.join().unwrap());
        carer.join().unwrap();
        readers.into_iter().for_each(|it| it.join().unwrap());
    });
    CARE.iter().for_each(|it| take_care(place, it));
    place.assert_whole(&printed);
    let runs = place.count("SELECT count(*) AS n FROM runs");
    let orphans = "SELECT count(*) AS n FROM steps WHERE run_id NOT IN (SELECT run_id FROM runs)";
    assert_eq!(place.count(orphans), 0, "steps of runs that a retention has taken away");
    assert_eq!(usize::try_from(runs).unwrap(), printed.len(), "runs against printed ones");
    if let Some(python) = python {
        let counts = python.counts(&place.store(), 1).unwrap();
        assert_eq!(counts, place.flushed_counts(), "Python at the end");
    }
    let turns = members.map(|it| format!("{} {}", it.name, it.turns.into_inner()));
    let still = still.into_inner();
    format!("{runs} runs; turns: {}; longest without one {still} s", turns.join(", "))
}

/// The crowd's watchdog: looks every second whether everybody gets on, until the work is done.
fn watch(
    members: &[Member; 6],
    done: &AtomicBool,
    longest: &AtomicU64,
    has_python: bool,
    seconds: u64,
) {
    let mut seen = [(0, 0); 6];
    let mut waited = 0;
    while !done.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_secs(1)); // a clock's tick, and no wait for anybody
        waited += 1;
        assert!(waited < seconds + STILL_SECONDS_MAX, "the writer does not end");
        for (member, (turns, still)) in members.iter().zip(&mut seen) {
            let now = member.turns.load(Ordering::SeqCst);
            *still = if now == *turns { *still + 1 } else { 0 };
            *turns = now;
            if has_python || member.name != "Python" {
                longest.fetch_max(*still, Ordering::SeqCst);
                assert!(*still < STILL_SECONDS_MAX, "{} stands still", member.name);
            }
        }
    }
}

/// One command that looks after the store.
fn take_care(place: &Place, command: &[&str]) {
    let output = place.run(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

/// The library as a reader: one handle, a snapshot per look.
fn read_here(place: &Place, member: &Member, done: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = Store::open_at_read_only(&place.location()).unwrap();
    let mut seen = Seen::default();
    while !done.load(Ordering::SeqCst) {
        let clock = Arc::new(SystemClock::new());
        let snapshot = store.snapshot().unwrap();
        let session = Session::new(&snapshot, SessionSettings::default(), clock).unwrap();
        let rows = runtime.block_on(session.query(LOOK, &Params::default())).unwrap();
        let batch = rows.batches.iter().find(|it| it.num_rows() == 1).unwrap();
        let cell = |at: usize| batch.column(at).as_primitive::<Int64Type>().value(0);
        seen.look(member.name, [cell(0), cell(1), cell(2), cell(3)]);
        member.turns.fetch_add(1, Ordering::SeqCst);
    }
}

/// The program as a reader: a new process per look.
fn read_by_program(place: &Place, member: &Member, done: &AtomicBool) {
    let mut seen = Seen::default();
    while !done.load(Ordering::SeqCst) {
        let rows = place.sql(LOOK);
        let cell = |name: &str| rows[0][name].as_i64().unwrap();
        seen.look(member.name, ["runs", "steps", "bare", "off"].map(cell));
        member.turns.fetch_add(1, Ordering::SeqCst);
    }
}
