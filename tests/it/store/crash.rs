//! The disk breaks at every operation of a script in turn: by the death of the process, by a power
//! loss, and again while the store is recovered. Whoever opens the store afterwards finds what was
//! acknowledged, once.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use genstore::clock::ManualClock;
use genstore::error::ErrorKind;
use genstore::event::Table;
use genstore::journal::Durability;
use genstore::store::check::{self, Severity};
use genstore::store::{Store, StoreOptions};

use super::rows::{NOW_US, all_rows, whole_run};
use super::script::{Session, Told, check, open_on, play, recover, results, small};
use crate::disk::{Fault, FaultDisk, Kind, Machine};

/// A machine with a store in which nothing is yet.
fn prepared() -> Arc<Machine> {
    let machine = Machine::new();
    let clock = ManualClock::at(NOW_US);
    drop(open_on(&machine.process(), &machine, small(1, Durability::Run), &clock, 8).unwrap());
    machine
}

/// Calls `at` with every operation number below `end`, on several threads.
pub(super) fn each(end: u64, at: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let operation = next.fetch_add(1, Ordering::SeqCst);
                    if operation >= end {
                        return;
                    }
                    at(operation);
                }
            });
        }
    });
}

/// The number of operations of the script, which must touch every path.
fn operations(prepared: &Machine, durability: Durability) -> u64 {
    let machine = prepared.power_loss(1);
    let disk = machine.process();
    let told = play(&machine, &disk, durability);
    assert_eq!(told.acknowledged.len(), 10, "the script does not go through: {told:?}");
    for (kind, within) in [
        (Kind::Remove, ".wal"),
        (Kind::Remove, "_delta_log/000000"),
        (Kind::Rename, "checkpoint"),
        (Kind::WriteNew, "journal/1/"),
        (Kind::HardLink, "runs/_delta_log/"),
    ] {
        assert!(disk.count(kind, within) > 0, "no {kind:?} in {within}: {:?}", disk.trace());
    }
    disk.operations()
}

/// Lets a recovery die at an operation.
fn recover_badly(machine: &Arc<Machine>, operation: u64) {
    let disk = machine.process().with(Fault::crash().after(operation));
    let clock = ManualClock::at(NOW_US + 1_800_000_000);
    drop(open_on(&disk, machine, small(1, Durability::Run), &clock, 50));
}

/// A good open: everything of `safe` is there; where `twice`, a second one changes nothing.
fn check_recovered(
    machine: &Arc<Machine>,
    told: &Told,
    safe: &BTreeSet<i64>,
    twice: bool,
    at: &str,
) {
    let (store, snapshot) = recover(machine, 60).unwrap_or_else(|error| panic!("{at}: {error}"));
    check(&snapshot, safe, &told.sent, at);
    drop(store);
    if !twice {
        return;
    }
    let (_store, again) = recover(machine, 70).unwrap();
    let same = results(&again, at) == results(&snapshot, at);
    assert!(same, "{at}: a second open changes runs");
    for (table, before) in &snapshot.tables {
        assert_eq!(again.tables[table].rows(), before.rows(), "{at}: {}", table.name());
    }
}

/// What a crash at an operation leaves: the machine after a power loss, and the machine as it is.
/// On one of the two a recovery dies, too, and then the power is lost again at every second time.
fn machines(machine: &Arc<Machine>, operation: u64) -> [(Arc<Machine>, String); 2] {
    let seed = if operation.is_multiple_of(4) { 0 } else { operation };
    let again = operation * 3 % 41; // each time elsewhere
    let broken = format!("recovery broken at {again}");
    let lost = machine.power_loss(seed);
    let loss = format!("power loss {seed}");
    if operation.is_multiple_of(2) {
        recover_badly(&lost, again);
        let crashed = Arc::clone(machine);
        return [(lost, format!("{loss}, {broken}")), (crashed, "crash".to_owned())];
    }
    recover_badly(machine, again);
    if operation % 4 == 1 {
        return [(lost, loss), (Arc::clone(machine), format!("crash, {broken}"))];
    }
    [(lost, loss.clone()), (machine.power_loss(seed), format!("crash, {broken}, {loss}"))]
}

#[test]
fn a_crash_or_a_power_loss_at_any_operation_of_the_first_open_leaves_a_store_or_nothing() {
    let first = |machine: &Machine, disk: &FaultDisk| {
        let clock = ManualClock::at(NOW_US);
        let mut told = Told::default();
        if let Ok(store) = open_on(disk, machine, small(1, Durability::Run), &clock, 1) {
            let mut session = Session::new(store);
            session.run(1).ok();
            told.add(session.close().0);
        }
        told
    };
    let machine = Machine::new();
    let disk = machine.process();
    assert_eq!(first(&machine, &disk).flushed.len(), 1);
    let end = disk.operations();
    each(end, |operation| {
        let machine = Machine::new();
        let disk = machine.process().with(Fault::crash().after(operation));
        let told = first(&machine, &disk);
        for (machine, what) in machines(&machine, operation) {
            let at = format!("operation {operation} ({}), {what}", disk.last());
            if let Ok(report) = check::check(&machine.store(), NOW_US, &mut |_| ()) {
                assert_eq!(report.count(Severity::Error), 0, "{at}: {:#?}", report.findings);
            }
            check_recovered(&machine, &told, &told.acknowledged, false, &at);
        }
    });
    eprintln!("first open: {end} operations, {} crashes and power losses", 2 * end);
    assert!(end > 60, "making a store takes {end} operations only");
}

#[test]
fn a_crash_or_a_power_loss_at_any_operation_loses_and_doubles_nothing() {
    let prepared = prepared();
    let scenarios = AtomicUsize::new(0);
    let end = operations(&prepared, Durability::Run);
    each(end, |operation| {
        let machine = prepared.power_loss(1);
        let disk = machine.process().with(Fault::crash().after(operation));
        let told = play(&machine, &disk, Durability::Run);
        let reader = Store::open_read_only(&machine.store()).ok().filter(|_| operation % 5 == 1);
        let seen = reader.as_ref().and_then(|it| it.snapshot().ok());
        for (machine, what) in machines(&machine, operation) {
            let at = format!("operation {operation} ({}), {what}", disk.last());
            check_recovered(&machine, &told, &told.acknowledged, operation % 6 == 0, &at);
            scenarios.fetch_add(1, Ordering::SeqCst);
        }
        if let Some((reader, seen)) = reader.zip(seen) {
            let at = format!("an old reader at {operation}");
            let now = results(&reader.snapshot().unwrap(), &at);
            for (run, result) in results(&seen, &at) {
                assert_eq!(now.get(&run), Some(&result), "{at}: {run}");
            }
        }
    });
    let scenarios = scenarios.into_inner();
    eprintln!("{end} operations, {scenarios} crashes and power losses");
}

#[test]
fn weaker_durability_loses_nothing_to_a_crash_and_to_a_power_loss_what_is_documented() {
    let damaged = AtomicUsize::new(0);
    let prepared = prepared();
    for durability in [Durability::Interval, Durability::None] {
        let end = operations(&prepared, durability);
        each(end, |operation| {
            if operation % 8 != u64::from(durability == Durability::None) {
                return; // an eighth of all for each: the whole sweep is above
            }
            let machine = prepared.power_loss(1);
            let disk = machine.process().with(Fault::crash().after(operation));
            let told = play(&machine, &disk, durability);
            let at = format!("{durability:?}, operation {operation} ({})", disk.last());
            let lost = machine.power_loss(operation);
            check_recovered(&machine, &told, &told.acknowledged, false, &at);
            match recover(&lost, 80) {
                Ok((_store, snapshot)) => check(&snapshot, &told.flushed, &told.sent, &at),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Damaged, "{at}: {error}");
                    assert!(error.message().contains(".wal"), "{at}: {error}");
                    damaged.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        eprintln!("{durability:?}: an eighth of {end} operations");
    }
    eprintln!("{} journals said to be damaged", damaged.into_inner());
}

#[test]
#[should_panic(expected = "was acknowledged")]
fn the_check_notices_a_journal_that_is_not_synced() {
    let machine = Machine::new();
    let told = play(&machine, &machine.process(), Durability::Run);
    let disk = machine.process();
    let clock = ManualClock::at(NOW_US);
    let store = open_on(&disk, &machine, small(1, Durability::None), &clock, 9).unwrap();
    let mut session = Session::new(store);
    session.run(99).unwrap();
    let safe = told.acknowledged.iter().copied().chain([99]).collect();
    let sent = told.sent.iter().copied().chain([99]).collect();
    let lost = machine.power_loss(0);
    let (_store, snapshot) = recover(&lost, 10).unwrap();
    check(&snapshot, &safe, &sent, "without a sync");
}

/// The commit by which a journal file counts as flushed is there, and its name is not durable: its
/// writer died. Whoever removes the file must make it so before.
#[test]
fn a_journal_file_goes_only_when_the_commit_that_a_dead_writer_made_is_durable() {
    let machine = Machine::new();
    let clock = ManualClock::at(NOW_US);
    let disk = machine.process();
    let store = open_on(&disk, &machine, small(1, Durability::Run), &clock, 1).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    disk.inject(Fault::crash().on(&[Kind::SyncFolder]).within("runs/_delta_log"));
    store.flush().unwrap_err();
    drop(store);

    clock.advance_ns(3_600_000_000_000);
    let disk = machine.process().with(Fault::hold().on(&[Kind::Remove]).within("1.wal"));
    let store = open_on(&disk, &machine, small(1, Durability::Run), &clock, 2).unwrap();
    disk.wait_until_held();
    disk.release();
    disk.wait_for(Kind::SyncFolder, "journal/0");
    let lost = machine.power_loss(0);
    drop(store);
    let (_store, snapshot) = recover(&lost, 3).unwrap();
    assert_eq!(results(&snapshot, "after the power loss").len(), 1);
}

/// Commits of both tables, with no checkpoint near that would make their names durable by the way.
#[test]
fn a_journal_file_goes_only_when_all_its_commits_are_durable() {
    let machine = Machine::new();
    let clock = ManualClock::at(NOW_US);
    let disk = machine.process();
    let options = StoreOptions { checkpoint_commits: 1_000, ..small(1, Durability::Run) };
    let store = open_on(&disk, &machine, options, &clock, 1).unwrap();
    let mut session = Session::new(store);
    session.run(1).unwrap();
    session.flush().unwrap();
    clock.advance_ns(3_600_000_000_000);
    session.run(2).unwrap();
    session.flush().unwrap();
    session.close().1.unwrap(); // the thread that removes files has ended
    assert_eq!(disk.count(Kind::Remove, "journal/0/1.wal"), 1);
    let lost = machine.power_loss(0);
    let (_store, snapshot) = recover(&lost, 3).unwrap();
    let both = BTreeSet::from([1, 2]);
    check(&snapshot, &both, &both, "after the power loss");
}

#[test]
fn a_commit_whose_reply_was_lost_is_not_made_twice() {
    for commit in 0..5 {
        let machine = Machine::new();
        let disk = machine.process();
        let clock = ManualClock::at(NOW_US);
        let store = open_on(&disk, &machine, super::rows::quiet(), &clock, 1).unwrap();
        store.commit_blocking(whole_run(1)).unwrap();
        disk.inject(Fault::lose_reply().on(&[Kind::HardLink]).within("_delta_log").after(commit));
        store.flush().ok(); // the thread behind it may have tried a second time already
        store.flush().unwrap();
        let snapshot = store.snapshot().unwrap();
        for (table, it) in &snapshot.tables {
            assert_eq!(it.version, Some(u64::from(it.rows() > 0)), "{}", table.name());
        }
        assert_eq!(snapshot.tables[&Table::Steps].rows(), 5);
    }
}

#[test]
fn a_flush_that_fails_is_done_again_and_rows_are_there_meanwhile() {
    for operation in [0, 2, 3, 5, 9, 14, 20] {
        for fault in [
            Fault::fail(io::ErrorKind::StorageFull),
            Fault::tear(io::ErrorKind::StorageFull),
            Fault::lose_reply(),
        ] {
            let machine = Machine::new();
            let disk = machine.process();
            let clock = ManualClock::at(NOW_US);
            let options = || StoreOptions { flush_retry_ms: 3_600_000, ..super::rows::quiet() };
            let store = open_on(&disk, &machine, options(), &clock, 1).unwrap();
            store.commit_blocking(whole_run(1)).unwrap();
            let before = all_rows(&store.snapshot().unwrap());
            disk.inject(fault.clone().within("tables").after(operation).lasting());
            let error = store.flush().unwrap_err();
            assert!(error.message().contains("the test disk fails here"), "{error}");
            let at = format!("{fault:?} at {operation}");
            assert_eq!(all_rows(&store.snapshot().unwrap()), before, "{at}");
            let reader = Store::open_read_only(&machine.store()).unwrap();
            assert_eq!(all_rows(&reader.snapshot().unwrap()), before, "{at}");
            store.commit_blocking(whole_run(2)).unwrap(); // the journal does not mind
            disk.repair();
            store.flush().unwrap();
            assert_eq!(store.status().unwrap().lag_rows, 0);
            store.close().unwrap();
            let runs = results(&store.snapshot().unwrap(), &at);
            assert_eq!(runs.len(), 2, "{at}");
        }
    }
}

#[test]
fn at_the_bound_a_flush_that_cannot_go_on_is_an_error_and_not_a_wait() {
    let machine = Machine::new();
    let disk = machine.process();
    let options = StoreOptions {
        journal_bytes_max: 4 << 10,
        hot_bytes_max: 16 << 10,
        flush_retry_ms: 10,
        ..super::rows::quiet()
    };
    let clock = ManualClock::at(NOW_US);
    let store = open_on(&disk, &machine, options, &clock, 1).unwrap();
    disk.inject(Fault::fail(io::ErrorKind::StorageFull).within("tables").lasting());
    let mut accepted = 0;
    let error = loop {
        match store.append(whole_run(accepted)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 1_000, "nothing stops the writer");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("the test disk fails here"), "{error}");
    disk.repair();
    store.flush().unwrap();
    store.append(whole_run(accepted)).unwrap();
    store.close().unwrap();
    let runs = results(&store.snapshot().unwrap(), "after the repair");
    assert_eq!(i64::try_from(runs.len()).unwrap(), accepted + 1);
}
