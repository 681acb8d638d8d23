//! A script that touches every path of the store, what it was told along the way, and what must
//! hold of a store afterwards. Decides nothing about where the disk breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use genstore::clock::{Clock, ManualClock, SeededIds};
use genstore::error::Result;
use genstore::event::{Event, Table};
use genstore::journal::Durability;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Store, StoreOptions};

use super::rows::{NOW_US, children, columns, quiet, run_id, run_row, started};
use crate::disk::{FaultDisk, Machine};

/// Steps of every run of a script.
pub(crate) const STEPS: i64 = 3;
const GRACE_MS: i64 = 1_000;

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
        writers_max,
        durability,
        ..quiet()
    }
}

/// Opens a store as a process of a machine.
pub(crate) fn open_on(
    disk: &FaultDisk,
    machine: &Machine,
    options: StoreOptions,
    clock: &Arc<ManualClock>,
    seed: u64,
) -> Result<Store> {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let ids = Arc::new(SeededIds::new(seed << 32));
    Store::open_on(disk.shared(), &machine.store(), options, clock, ids)
}

/// A process with a store, which notes what it was told.
pub(crate) struct Session<'a> {
    store: Store,
    told: &'a mut Told,
    own: BTreeSet<i64>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(store: Store, told: &'a mut Told) -> Self {
        Self { store, told, own: BTreeSet::new() }
    }

    pub(crate) fn begin(&mut self, number: i64) {
        self.told.sent.insert(number);
        self.store.append(vec![Event::RunStarted(started(number))]).ok();
        self.store.append(children(number, 1)).ok();
    }

    pub(crate) fn end(&mut self, number: i64) {
        let rest = children(number, STEPS).into_iter().skip(1);
        let rest = rest.filter(|it| matches!(it, Event::Row(row) if row.table() == Table::Steps));
        let rows = rest.chain([Event::from(run_row(number))]).collect();
        if self.store.commit_blocking(rows).is_ok() {
            self.told.acknowledged.insert(number);
            self.own.insert(number);
        }
    }

    pub(crate) fn run(&mut self, number: i64) {
        self.begin(number);
        self.end(number);
    }

    pub(crate) fn flush(&mut self) {
        if self.store.flush().is_ok() {
            self.told.flushed.extend(&self.own);
        }
    }

    pub(crate) fn close(mut self) {
        if self.store.close().is_ok() {
            self.told.flushed.append(&mut self.own);
        }
    }
}

/// First open, commits, a run across flushes, rotation by size, a second writer, files that go
/// after their grace time, abandoned runs, recovery of the other slot, a close. One disk for all:
/// when it breaks, all processes are dead.
pub(crate) fn play(machine: &Machine, disk: &FaultDisk, durability: Durability) -> Told {
    let mut told = Told::default();
    let clock = ManualClock::at(NOW_US);
    let two = || small(2, durability);
    let (mut first_told, mut second_told) = (Told::default(), Told::default());
    if let Ok(store) = open_on(disk, machine, two(), &clock, 1) {
        let mut first = Session::new(store, &mut first_told);
        first.run(1);
        first.begin(2);
        first.flush();
        first.end(2);
        if let Ok(store) = open_on(disk, machine, two(), &clock, 2) {
            let mut second = Session::new(store, &mut second_told);
            second.run(3);
            second.begin(4); // never ends
            second.flush();
            clock.advance_ns(2 * GRACE_MS * 1_000_000);
            for number in 5..9 {
                first.run(number); // more than a file takes
            }
            second.run(9);
            second.close();
        }
        first.begin(10);
        first.close();
    }
    for it in [first_told, second_told] {
        told.acknowledged.extend(it.acknowledged);
        told.flushed.extend(it.flushed);
        told.sent.extend(it.sent);
    }
    clock.advance_ns(2 * GRACE_MS * 1_000_000);
    if let Ok(store) = open_on(disk, machine, small(1, durability), &clock, 3) {
        let mut third = Session::new(store, &mut told);
        third.run(11);
        third.flush();
        third.run(12);
        third.close();
    }
    told
}

/// What a good process finds: opens the store for writing, checks it, and gives its rows.
pub(crate) fn recover(machine: &Arc<Machine>, seed: u64) -> Result<(Store, Snapshot)> {
    let clock = ManualClock::at(NOW_US + 3_600_000_000);
    let disk = machine.process();
    let store = open_on(&disk, machine, small(1, Durability::Run), &clock, seed)?;
    let snapshot = store.snapshot()?;
    Ok((store, snapshot))
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

/// What must hold of every store that a writer has opened after whatever happened: `safe` runs are
/// there, whole; none is doubled; no row is there that nobody sent; a run that succeeded has all
/// its children, and no child is without a run; sketches count what steps count.
pub(crate) fn check(snapshot: &Snapshot, safe: &BTreeSet<i64>, sent: &BTreeSet<i64>, at: &str) {
    let runs = results(snapshot, at);
    for number in safe {
        let found = runs.get(&*run_id(*number)).map(String::as_str);
        assert_eq!(found, Some("success"), "{at}: run {number} was acknowledged");
    }
    let sent: BTreeSet<String> = sent.iter().map(|it| run_id(*it).to_string()).collect();
    let mut steps: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut count = 0;
    for [run, step] in columns(snapshot, Table::Steps, ["run_id", "step_id"]) {
        assert!(runs.contains_key(&run), "{at}: a step of {run}, which is not there");
        let new = steps.entry(run.clone()).or_default().insert(step.clone());
        assert!(new, "{at}: step {step} of {run} is doubled");
        count += 1;
    }
    for (run, result) in &runs {
        assert!(sent.contains(run), "{at}: nobody sent {run}");
        let whole = steps.get(run).map_or(0, BTreeSet::len) == usize::try_from(STEPS).unwrap();
        assert!(result == "error" || whole, "{at}: {run} lacks steps");
    }
    for table in [Table::Issues, Table::Scores] {
        let mut seen = BTreeSet::new();
        for [run] in columns(snapshot, table, ["run_id"]) {
            assert!(seen.insert(run.clone()), "{at}: {} of {run} are doubled", table.name());
        }
        for (run, _) in runs.iter().filter(|it| it.1 == "success") {
            assert!(seen.contains(run), "{at}: {run} has no {}", table.name());
        }
    }
    let sketched = columns(snapshot, Table::StepLatency, ["count"]);
    let sketched: usize = sketched.iter().map(|[it]| it.parse::<usize>().unwrap()).sum();
    assert_eq!(sketched, count, "{at}: sketches against steps");
}
