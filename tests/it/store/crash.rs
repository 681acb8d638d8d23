//! The disk breaks at every operation in turn; whoever opens the store afterwards finds what was
//! acknowledged, once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use genstore::event::{Event, Table};
use genstore::journal::disk::Disk;

use super::rows::{
    BreakingDisk, UnsyncedDisk, all_rows, children, column, open_on, run_id, run_row, started,
    whole_run,
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
fn a_crash_at_any_disk_operation_loses_and_doubles_nothing() {
    let mut operations = 0;
    loop {
        let folder = tempfile::tempdir().unwrap();
        let disk = BreakingDisk::after(operations);
        let acknowledged = session(Arc::clone(&disk) as Arc<dyn Disk>, folder.path(), 1);
        let broke = disk.is_broken();
        // a recovery that breaks as well, at another operation each time, changes nothing
        let second = BreakingDisk::after(operations % 23);
        drop(open_on(second, folder.path(), 2));
        let store = open_on(Arc::new(UnsyncedDisk), folder.path(), 3).unwrap();
        let snapshot = store.snapshot().unwrap();
        check(&snapshot, &acknowledged, operations);
        drop(store);
        let again = open_on(Arc::new(UnsyncedDisk), folder.path(), 4).unwrap();
        assert_eq!(all_rows(&again.snapshot().unwrap()), all_rows(&snapshot), "at {operations}");
        if !broke {
            assert_eq!(acknowledged.len(), 2);
            assert!(operations > 60, "the session does {operations} operations only");
            return;
        }
        operations += 1;
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
