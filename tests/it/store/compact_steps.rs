//! The steps that a writer compacts by, behind its own back.

use std::collections::BTreeSet;
use std::fs;

use genstore::clock::ManualClock;
use genstore::event::Table;
use genstore::journal::Durability;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Compaction, Store, StoreOptions};

use super::compact::{check_sound, everything, files, prepared};
use super::rows::{NOW_US, columns, open, quiet, rows};
use super::script::{open_on, small};
use crate::disk::{Fault, Kind};

fn steps_of(files_min: u64) -> Compaction {
    Compaction { files_min, ..Compaction::default() }
}

/// Commits and closes until the files are few: a step is taken behind the writer's back.
#[test]
fn a_writer_compacts_by_itself_and_notes_why() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { compaction: steps_of(3), ..quiet() };
    let store = open(folder.path(), options).unwrap();
    let mut number = 0;
    let few = |snapshot: &Snapshot| Table::ALL.iter().all(|it| files(snapshot, *it) <= 8);
    while number < 20 || !few(&store.snapshot().unwrap()) {
        assert!(number < 500, "files are not merged: {:?}", store.compaction_failure());
        store.commit_blocking(everything(number)).unwrap();
        store.flush().unwrap();
        number += 1;
    }
    store.close().unwrap();
    assert_eq!(store.compaction_failure(), None);
    let snapshot = store.snapshot().unwrap();
    let runs: BTreeSet<_> = columns(&snapshot, Table::Runs, ["run_id"]).into_iter().collect();
    assert_eq!(runs.len(), usize::try_from(number).unwrap());
    assert_eq!(rows(&snapshot, Table::Steps).len(), runs.len() * 5);
    let log = folder.path().join("tables/steps/_delta_log");
    let commits = fs::read_dir(log).unwrap().map(|it| fs::read_to_string(it.unwrap().path()));
    let text: String = commits.filter_map(Result::ok).collect();
    assert!(text.contains(r#""auto":"true""#) && text.contains("files of 3 to 8 rows"), "{text}");
    check_sound(folder.path(), "after steps");
}

/// Waits for what the thread beside a writer does.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if is_so() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("never: {what}");
}

#[test]
fn a_step_that_fails_stands_in_no_ones_way_and_is_taken_later() {
    let (machine, _) = prepared();
    let full = Fault::fail(std::io::ErrorKind::StorageFull).on(&[Kind::WriteNew]).lasting();
    let disk = machine.process().with(full.within("tables/steps/0"));
    let options = StoreOptions { compaction: steps_of(3), ..small(1, Durability::Run) };
    let store = open_on(&disk, &machine, options, &ManualClock::at(NOW_US), 9).unwrap();
    wait_until("a step fails", || store.compaction_failure().is_some());
    let failure = store.compaction_failure().unwrap();
    assert!(failure.contains("the test disk fails here"), "{failure}");
    store.commit_blocking(everything(50)).unwrap();
    disk.repair();
    store.flush().unwrap();
    wait_until("it is taken", || files(&store.snapshot().unwrap(), Table::Steps) < 3);
    store.close().unwrap();
    assert_eq!(store.compaction_failure(), None);
    let snapshot = store.snapshot().unwrap();
    assert_eq!(columns(&snapshot, Table::Steps, ["run_id"]).len(), 4 * 5);
    check_sound(&machine.store(), "after failures");
}

#[test]
fn steps_go_around_a_damaged_file_and_say_so() {
    let (machine, _) = prepared();
    let reader = Store::open_read_only(&machine.store()).unwrap();
    let path = reader.snapshot().unwrap().tables[&Table::Steps].files[1].path.clone();
    fs::write(&path, b"no file of ours").unwrap();
    let options = StoreOptions { compaction: steps_of(2), ..small(1, Durability::Run) };
    let disk = machine.process();
    let store = open_on(&disk, &machine, options, &ManualClock::at(NOW_US), 9).unwrap();
    let few = || files(&reader.snapshot().unwrap(), Table::Steps) == 2;
    wait_until("the others are merged", few);
    let listed = reader.snapshot().unwrap();
    assert!(listed.tables[&Table::Steps].files.iter().any(|it| it.path == path));
    store.close().unwrap();
}

#[test]
fn settings_of_steps_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let usual = Compaction::default;
    for (compaction, name) in [
        (Compaction { files_min: 1, ..usual() }, "store.compaction.files_min"),
        (Compaction { files_max: 4, ..usual() }, "store.compaction.files_max"),
        (Compaction { files_max: 257, ..usual() }, "store.compaction.files_max"),
        (Compaction { step_bytes_max: 0, ..usual() }, "store.compaction.step_bytes_max"),
    ] {
        let error = open(folder.path(), StoreOptions { compaction, ..quiet() }).unwrap_err();
        assert!(error.message().contains(name), "{error}");
    }
}
