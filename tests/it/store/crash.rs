//! The disk breaks at every operation in turn; whoever opens the store afterwards finds what was
//! acknowledged, once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::ErrorKind;
use genstore::event::{Event, Table};
use genstore::journal::disk::Disk;
use genstore::store::{Store, StoreOptions};

use super::rows::{
    BreakingDisk, NOW_US, UnsyncedDisk, all_rows, children, column, open_on, quiet, run_id,
    run_row, started, whole_run,
};

/// Two flushes with a run across them; gives the runs that were acknowledged before the disk broke.
fn session(disk: Arc<dyn Disk>, path: &Path, seed: u64) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    let Ok(store) = open_on(disk, path, seed) else { return acknowledged };
    let mut commit = |number: i64, events: Vec<Event>| {
        if store.commit_blocking(events).is_ok() {
            acknowledged.insert(run_id(number).to_string());
        }
    };
    commit(1, whole_run(1));
    store.append(vec![Event::RunStarted(started(2))]).ok();
    store.append(children(2, 2)).ok();
    store.flush().ok();
    commit(2, [children(2, 3), vec![Event::from(run_row(2))]].concat());
    store.close().ok();
    acknowledged
}

#[test]
fn a_crash_at_any_operation_of_the_first_open_leaves_a_store_or_nothing() {
    for operations in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let disk = BreakingDisk::after(operations);
        let first = open_on(Arc::clone(&disk) as Arc<dyn Disk>, folder.path(), 1);
        if disk.is_broken() {
            let error = first.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.hint().is_some());
        } else {
            assert!(operations > 60, "making a store takes {operations} operations only");
            return;
        }
        let store = open_on(Arc::new(UnsyncedDisk), folder.path(), 2).unwrap();
        for (table, it) in store.snapshot().unwrap().tables {
            assert_eq!((it.version, it.rows()), (Some(0), 0), "{} at {operations}", table.name());
        }
    }
}

#[test]
fn a_crash_at_any_operation_of_commits_and_flushes_loses_and_doubles_nothing() {
    let made = tempfile::tempdir().unwrap();
    drop(open_on(Arc::new(UnsyncedDisk), made.path(), 9).unwrap());
    for operations in 0.. {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(made.path(), folder.path());
        let disk = BreakingDisk::after(operations);
        let acknowledged = session(Arc::clone(&disk) as Arc<dyn Disk>, folder.path(), 1);
        let broke = disk.is_broken();
        // a recovery that breaks as well, at another operation each time, changes nothing
        drop(open_on(BreakingDisk::after(operations % 23), folder.path(), 2));
        let store = open_on(Arc::new(UnsyncedDisk), folder.path(), 3).unwrap();
        let snapshot = store.snapshot().unwrap();
        check(&snapshot, &acknowledged, operations);
        drop(store);
        if operations % 7 == 0 {
            let again = open_on(Arc::new(UnsyncedDisk), folder.path(), 4).unwrap();
            let (again, before) = (again.snapshot().unwrap(), all_rows(&snapshot));
            assert_eq!(all_rows(&again), before, "at {operations}");
        }
        if !broke {
            assert_eq!(acknowledged.len(), 2);
            assert!(operations > 60, "the session takes {operations} operations only");
            return;
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn check(
    snapshot: &genstore::store::snapshot::Snapshot,
    acknowledged: &BTreeSet<String>,
    operations: i64,
) {
    let runs = column(snapshot, Table::Runs, "run_id");
    let results = column(snapshot, Table::Runs, "result");
    let steps = column(snapshot, Table::Steps, "run_id");
    let unique: BTreeSet<_> = runs.iter().cloned().collect();
    assert_eq!(unique.len(), runs.len(), "a run is doubled at {operations}");
    for run in acknowledged {
        let at = runs.iter().position(|it| it == run);
        let at = at.unwrap_or_else(|| panic!("{run} is lost at {operations}"));
        assert_eq!(results[at], "success", "at {operations}");
        let count = steps.iter().filter(|it| *it == run).count();
        assert_eq!(count, 5, "steps of {run} at {operations}");
    }
    let sketched = column(snapshot, Table::StepLatency, "count");
    let sketched: usize = sketched.iter().map(|it| it.parse::<usize>().unwrap()).sum();
    assert_eq!(sketched, steps.len(), "sketches at {operations}");
}

#[test]
fn a_flush_that_fails_is_done_again_and_rows_are_there_meanwhile() {
    for operations in [0, 2, 3, 5, 9, 14, 20] {
        let folder = tempfile::tempdir().unwrap();
        let disk = BreakingDisk::after_within(i64::MAX, "tables");
        let store = open_on(Arc::clone(&disk) as Arc<dyn Disk>, folder.path(), 1).unwrap();
        store.commit_blocking(whole_run(1)).unwrap();
        let before = all_rows(&store.snapshot().unwrap());
        disk.set(operations);
        let error = store.flush().unwrap_err();
        assert!(error.message().contains("the disk is gone"), "{error}");
        assert_eq!(all_rows(&store.snapshot().unwrap()), before, "at {operations}");
        let reader = Store::open_read_only(folder.path()).unwrap();
        assert_eq!(all_rows(&reader.snapshot().unwrap()), before, "at {operations}");
        store.commit_blocking(whole_run(2)).unwrap(); // the journal does not mind
        disk.set(i64::MAX);
        store.flush().unwrap();
        assert_eq!(store.status().unwrap().lag_rows, 0);
        store.close().unwrap();
        let snapshot = store.snapshot().unwrap();
        check(&snapshot, &BTreeSet::from([1, 2].map(|it| run_id(it).to_string())), operations);
    }
}

#[test]
fn at_the_bound_a_flush_that_cannot_go_on_is_an_error_and_not_a_wait() {
    let folder = tempfile::tempdir().unwrap();
    let disk = BreakingDisk::after_within(i64::MAX, "tables");
    let options = StoreOptions {
        journal_bytes_max: 4 << 10,
        hot_bytes_max: 16 << 10,
        flush_retry_ms: 10,
        ..quiet()
    };
    let ids = Arc::new(SystemIds);
    let store = Store::open_on(
        Arc::clone(&disk) as Arc<dyn Disk>,
        folder.path(),
        options,
        ManualClock::at(NOW_US),
        ids,
    )
    .unwrap();
    disk.set(0);
    let mut accepted = 0;
    let error = loop {
        match store.append(whole_run(accepted)) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 1_000, "nothing stops the writer");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("the disk is gone"), "{error}");
    disk.set(i64::MAX);
    store.flush().unwrap();
    store.append(whole_run(accepted)).unwrap();
    store.close().unwrap();
    let rows = store.snapshot().unwrap().tables[&Table::Runs].rows();
    assert_eq!(i64::try_from(rows).unwrap(), accepted + 1);
}
