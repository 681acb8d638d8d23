//! A script that touches every path of the store, what it was told along the way, and what must
//! hold of a store afterwards. Decides nothing about where the disk breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SeededIds};
use genstore::error::{Error, Result};
use genstore::event::{Event, Row, Table};
use genstore::journal::Durability;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Store, StoreOptions};

use super::rows::{NOW_US, columns, quiet, run_id, run_row, started};
use crate::disk::{FaultDisk, Machine};

/// Steps of every run of a script, and how many of them go before its end.
const STEPS: i64 = 3;
const FIRST: usize = 1;
const GRACE_MS: i64 = 1_000;
const ATTEMPTS_MAX: u64 = 200;

/// What the callers of a store were told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Runs whose commit went well.
    pub(crate) acknowledged: BTreeSet<i64>,
    /// Those of them that a flush or a close then said to be in the tables.
    pub(crate) flushed: BTreeSet<i64>,
    /// Runs of which anything was sent at all.
    pub(crate) sent: BTreeSet<i64>,
}

/// Settings under which little is enough for a rotation, and journal files go soon.
pub(crate) fn small(writers_max: u32, durability: Durability) -> StoreOptions {
    StoreOptions {
        journal_bytes_max: 3 << 10,
        hot_bytes_max: 1 << 20,
        journal_grace_ms: GRACE_MS.unsigned_abs(),
        flush_retry_ms: 5,
        checkpoint_commits: 3,
        log_commits_kept: 2,
        log_kept_ms: 1,
        writers_max,
        durability,
        ..quiet()
    }
}

/// Opens a store as a process of a machine. A child process that another test has just started
/// holds copies of all locks until it runs its own program, so one that is held is asked for again.
pub(crate) fn open_on(
    disk: &FaultDisk,
    machine: &Machine,
    options: StoreOptions,
    clock: &Arc<ManualClock>,
    seed: u64,
) -> Result<Store> {
    let mut attempts = 0;
    loop {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        let ids = Arc::new(SeededIds::new(seed << 32));
        let store = Store::open_on(disk.shared(), &machine.store(), options.clone(), clock, ids);
        match store {
            Err(error) if is_held(&error) && attempts < ATTEMPTS_MAX => attempts += 1,
            other => return other,
        }
        std::thread::yield_now();
    }
}

fn is_held(error: &Error) -> bool {
    error.message().contains("is being written by")
}

impl Told {
    /// What another caller was told.
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.flushed.extend(other.flushed);
        self.sent.extend(other.sent);
    }
}

/// A process with a store, which notes what it was told.
pub(crate) struct Session {
    store: Store,
    told: Told,
}

impl Session {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, told: Told::default() }
    }

    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    /// The start of a run and its first rows, of which nobody waits for an acknowledgement.
    pub(crate) fn begin(&mut self, number: i64) -> Result<()> {
        self.told.sent.insert(number);
        self.store.append(vec![Event::RunStarted(started(number))])?;
        self.store.append(children(number).take(FIRST).collect())
    }

    /// The rest of a run, acknowledged.
    pub(crate) fn end(&mut self, number: i64) -> Result<()> {
        let rest = children(number).skip(FIRST);
        self.store.commit_blocking(rest.chain([Event::from(run_row(number))]).collect())?;
        self.told.acknowledged.insert(number);
        Ok(())
    }

    pub(crate) fn run(&mut self, number: i64) -> Result<()> {
        self.begin(number)?;
        self.end(number)
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        self.store.flush()?;
        self.told.flushed.extend(&self.told.acknowledged);
        Ok(())
    }

    pub(crate) fn close(mut self) -> (Told, Result<()>) {
        let closed = self.store.close();
        if closed.is_ok() {
            self.told.flushed.extend(&self.told.acknowledged);
        }
        (self.told, closed)
    }
}

/// Steps, and of some runs an issue and a score: each table more makes every flush longer.
fn children(number: i64) -> impl Iterator<Item = Event> {
    let all = super::rows::children(number, STEPS).into_iter();
    all.filter(move |it| match it {
        Event::Row(Row::Steps(_)) => true,
        _ => has_issue(number),
    })
}

fn has_issue(number: i64) -> bool {
    number % 4 == 1
}

/// First open, commits, a run across flushes, rotation by size, a second writer, files that go
/// after their grace time, abandoned runs, recovery of the other slot, a close. One disk for all:
/// when it breaks, all processes are dead, and what they are told does not matter.
pub(crate) fn play(machine: &Machine, disk: &FaultDisk, durability: Durability) -> Told {
    let clock = ManualClock::at(NOW_US);
    let mut told = Told::default();
    let open = |writers_max, seed| {
        let options = small(writers_max, durability);
        open_on(disk, machine, options, &clock, seed).map(Session::new)
    };
    if let Ok(mut first) = open(2, 1) {
        first.run(1).ok();
        first.begin(2).ok();
        first.flush().ok();
        first.end(2).ok();
        if let Ok(mut second) = open(2, 2) {
            second.run(3).ok();
            second.begin(4).ok(); // never ends
            second.flush().ok();
            clock.advance_ns(2 * GRACE_MS * 1_000_000);
            for number in 5..9 {
                first.run(number).ok(); // more than a file takes
            }
            second.run(9).ok();
            told.add(second.close().0);
        }
        first.begin(10).ok();
        told.add(first.close().0);
    }
    clock.advance_ns(2 * GRACE_MS * 1_000_000);
    if let Ok(mut third) = open(1, 3) {
        third.run(11).ok();
        third.flush().ok();
        third.run(12).ok();
        told.add(third.close().0);
    }
    told
}

/// What a good process finds that opens the store for writing, once no lock of a slot is held.
pub(crate) fn recover(machine: &Arc<Machine>, seed: u64) -> Result<(Store, Snapshot)> {
    let clock = ManualClock::at(NOW_US + 3_600_000_000);
    let disk = machine.process();
    let mut attempts = 0;
    loop {
        let store = open_on(&disk, machine, small(1, Durability::Run), &clock, seed + attempts)?;
        let snapshot = store.snapshot()?;
        let is_flushed = snapshot.tables.values().all(|it| it.hot.is_empty());
        if is_flushed || attempts == ATTEMPTS_MAX {
            return Ok((store, snapshot));
        }
        attempts += 1;
        std::thread::yield_now();
    }
}

/// Runs and their results; fails if one is there twice.
pub(crate) fn results(snapshot: &Snapshot, at: &str) -> BTreeMap<String, String> {
    for (table, it) in &snapshot.tables {
        assert!(it.damage.is_none(), "{at}: {}: {:?}", table.name(), it.damage);
    }
    let mut found = BTreeMap::new();
    for [run, result] in columns(snapshot, Table::Runs, ["run_id", "result"]) {
        if let Some(other) = found.insert(run.clone(), result) {
            panic!("{at}: {run} is doubled, once as {other}");
        }
    }
    found
}

/// What must hold of whatever a reader sees at any time: `safe` runs are there; no row is there
/// twice; no run is there that nobody sent; one that succeeded has all its children; sketches count
/// what steps count. Gives the runs of the steps.
pub(crate) fn check_view(
    snapshot: &Snapshot,
    safe: &BTreeSet<i64>,
    sent: &BTreeSet<i64>,
    at: &str,
) -> BTreeSet<String> {
    let runs = results(snapshot, at);
    for number in safe {
        let found = runs.get(&*run_id(*number)).map(String::as_str);
        assert_eq!(found, Some("success"), "{at}: run {number} was acknowledged");
    }
    let mut steps: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut count = 0;
    for [run, step] in columns(snapshot, Table::Steps, ["run_id", "step_id"]) {
        let new = steps.entry(run.clone()).or_default().insert(step.clone());
        assert!(new, "{at}: step {step} of {run} is doubled");
        count += 1;
    }
    let mut expected: BTreeMap<String, i64> =
        sent.iter().map(|it| (run_id(*it).to_string(), *it)).collect();
    expected.retain(|run, _| runs.get(run).is_some_and(|it| it == "success"));
    for (run, result) in &runs {
        let known = expected.contains_key(run) || result == "error";
        assert!(known, "{at}: nobody sent {run}");
    }
    for run in expected.keys() {
        let found = steps.get(run).map_or(0, BTreeSet::len);
        assert_eq!(i64::try_from(found).unwrap(), STEPS, "{at}: steps of {run}");
    }
    for table in [Table::Issues, Table::Scores] {
        let mut seen = BTreeSet::new();
        for [run] in columns(snapshot, table, ["run_id"]) {
            assert!(seen.insert(run.clone()), "{at}: {} of {run} are doubled", table.name());
        }
        for (run, _) in expected.iter().filter(|it| has_issue(*it.1)) {
            assert!(seen.contains(run), "{at}: {run} has no {}", table.name());
        }
    }
    let sketched = columns(snapshot, Table::StepLatency, ["count"]);
    let sketched: usize = sketched.iter().map(|[it]| it.parse::<usize>().unwrap()).sum();
    assert_eq!(sketched, count, "{at}: sketches against steps");
    steps.into_keys().collect()
}

/// What must hold of a store that a writer has opened after whatever happened: what a reader must
/// see, no rows left in a journal, and no step without its run.
pub(crate) fn check(snapshot: &Snapshot, safe: &BTreeSet<i64>, sent: &BTreeSet<i64>, at: &str) {
    let parents = check_view(snapshot, safe, sent, at);
    let runs = results(snapshot, at);
    for run in parents {
        assert!(runs.contains_key(&run), "{at}: steps of {run}, which is not there");
    }
    for (table, it) in &snapshot.tables {
        assert!(it.hot.is_empty(), "{at}: rows of {} are left in a journal", table.name());
    }
}
