//! Bad surroundings: a full disk, a folder that may not be written, another store's journals, a
//! writer that hangs, a clock that jumps. Each gets a clear error or the right behaviour, and what
//! was acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::journal::Durability;
use genstore::store::{Store, StoreOptions};
use serde_json::Value;

use super::rows::{NOW_US, column, open, quiet, run_id, whole_run};
use super::script::{Session, check, check_view, open_on, recover, small};
use crate::disk::{Fault, Kind, Machine};

fn numbers(numbers: &[i64]) -> BTreeSet<i64> {
    numbers.iter().copied().collect()
}

#[test]
fn a_disk_that_is_full_for_the_journal_ends_acknowledgements_and_loses_none() {
    let faults = [
        Fault::tear(io::ErrorKind::StorageFull).on(&[Kind::Append]).within(".wal").after(1),
        Fault::fail(io::ErrorKind::StorageFull).on(&[Kind::Append]).within(".wal").after(1),
        Fault::fail(io::ErrorKind::StorageFull).on(&[Kind::Sync]).within(".wal").after(1),
        Fault::tear(io::ErrorKind::StorageFull).on(&[Kind::WriteNew]).within("2.wal"),
    ];
    for fault in faults {
        let machine = Machine::new();
        let clock = ManualClock::at(NOW_US);
        let disk = machine.process().with(fault.clone().lasting());
        let options = StoreOptions { linger_ms: 3_600_000, ..small(1, Durability::Run) };
        let store = open_on(&disk, &machine, options, &clock, 1).unwrap();
        let mut session = Session::new(store);
        session.run(1).unwrap();
        session.flush().ok();
        let error = session.run(2).unwrap_err();
        assert!(error.message().contains(".wal"), "{fault:?}: {error}");
        let error = session.run(3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault:?}: {error}");
        assert!(error.hint().unwrap().contains("Open the store again"), "{fault:?}: {error}");
        let reader = Store::open_read_only(&machine.store()).unwrap();
        let (safe, sent) = (numbers(&[1]), numbers(&[1, 2, 3]));
        check_view(&reader.snapshot().unwrap(), &safe, &sent, "while the disk is full");
        drop(session.close());
        let (_store, snapshot) = recover(&machine, 2).unwrap();
        check(&snapshot, &safe, &sent, &format!("{fault:?}"));
    }
}

#[test]
fn a_disk_that_is_full_for_checkpoints_is_in_nobodys_way() {
    for fault in [
        Fault::tear(io::ErrorKind::StorageFull).on(&[Kind::WriteNew]),
        Fault::fail(io::ErrorKind::StorageFull).on(&[Kind::Rename]),
    ] {
        let machine = Machine::new();
        let clock = ManualClock::at(NOW_US);
        let disk = machine.process().with(fault.within("checkpoint").lasting());
        let store = open_on(&disk, &machine, small(1, Durability::Run), &clock, 1).unwrap();
        let mut session = Session::new(store);
        for number in 1..8 {
            session.run(number).unwrap();
            session.flush().unwrap();
        }
        assert_eq!(disk.count(Kind::Remove, "_delta_log/000000"), 0, "commits are needed still");
        disk.repair();
        for number in 8..20 {
            clock.advance_ns(1_000_000_000);
            session.run(number).unwrap();
            session.flush().unwrap();
        }
        assert!(disk.count(Kind::Remove, "_delta_log/000000") > 0, "later it is made up for");
        session.close().1.unwrap();
        let (_store, snapshot) = recover(&machine, 2).unwrap();
        let all = (1..20).collect();
        check(&snapshot, &all, &all, "after a full disk");
    }
}

#[test]
fn a_disk_that_may_not_be_written_is_said_and_can_be_read() {
    let machine = Machine::new();
    let clock = ManualClock::at(NOW_US);
    let store = open_on(&machine.process(), &machine, quiet(), &clock, 1).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    drop(store);
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
        let disk = machine.process().with(Fault::fail(kind).lasting());
        let error = open_on(&disk, &machine, quiet(), &clock, 2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains(&machine.store().display().to_string()), "{error}");
        assert!(error.hint().unwrap().contains("permissions"), "{error}");
        let reader = Store::open_read_only(&machine.store()).unwrap();
        assert_eq!(reader.snapshot().unwrap().tables[&Table::Runs].rows(), 1);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_made_read_only_is_said_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path, quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    drop(store);
    let journal = path.join("journal");
    let slot = journal.join("0");
    let set = |mode: u32| {
        for folder in [&path, &journal, &slot] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(slot.join("lock"), fs::Permissions::from_mode(mode & 0o444)).unwrap();
    };
    set(0o555);
    if fs::File::create(path.join("probe")).is_ok() {
        set(0o755);
        eprintln!("skipped: this user may write everything");
        return;
    }
    let error = open(&path, quiet()).unwrap_err();
    let reader = Store::open_read_only(&path).unwrap().snapshot();
    set(0o755);
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.hint().is_some(), "{error}");
    assert_eq!(reader.unwrap().tables[&Table::Runs].rows(), 1);
    open(&path, quiet()).unwrap();
}

#[cfg(unix)]
#[test]
fn two_stores_with_one_journal_folder_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
    let store = open(&mine, quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    fs::create_dir(&other).unwrap();
    let identity = fs::read_to_string(mine.join("store.json")).unwrap();
    fs::write(other.join("store.json"), identity.replacen("-7", "-6", 1)).unwrap();
    std::os::unix::fs::symlink(mine.join("journal"), other.join("journal")).unwrap();
    // also while the owner is at work, and after it: its journal is not the other store's
    let said = |path: &Path| {
        let write = open(path, quiet()).map(drop);
        let read = Store::open_read_only(path).and_then(|it| it.snapshot()).map(drop);
        for error in [write.unwrap_err(), read.unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            assert!(error.message().contains("belongs to"), "{error}");
            assert!(error.hint().is_some(), "{error}");
        }
    };
    said(&other);
    store.commit_blocking(whole_run(2)).unwrap();
    store.close().unwrap();
    drop(store);
    said(&other);
    fs::remove_dir_all(&other).unwrap();
    let store = open(&mine, quiet()).unwrap();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
}

#[cfg(unix)]
#[test]
fn a_writer_that_hangs_stops_nobody_and_its_rows_are_seen() {
    use crate::program::{Pace, Place, Until, Victim};
    let place = Place::new();
    let pace = Pace { seconds: 3_600, journal_bytes_max: 256 << 10, pause_us: 0, old_every: 0 };
    let hung = Victim::start(super::kill::writer(&place, pace));
    assert!(hung.wait_for(30));
    let id = hung.id().to_string();
    let stop = std::process::Command::new("kill").args(["-s", "STOP", &id]).status().unwrap();
    assert!(stop.success());

    let store = open(&place.store(), quiet()).unwrap();
    assert_eq!(store.status().unwrap().slot, Some(1));
    store.commit_blocking(whole_run(1)).unwrap();
    store.flush().unwrap();
    let runs = column(&store.snapshot().unwrap(), Table::Runs, "run_id");
    assert!(runs.len() > 30, "the rows of the hung writer are seen: {}", runs.len());
    drop(store);
    let reader = Store::open_read_only(&place.store()).unwrap();
    assert_eq!(column(&reader.snapshot().unwrap(), Table::Runs, "run_id"), runs);

    let (printed, _) = hung.kill(Until::Micros(0)); // it hangs still: only SIGKILL reaches it
    let store = open(&place.store(), quiet()).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(store.status().unwrap().lag_rows, 0);
    let runs: BTreeSet<String> = column(&snapshot, Table::Runs, "run_id").into_iter().collect();
    for run in printed.keys().map(String::as_str).chain([&*run_id(1)]) {
        assert!(runs.contains(run), "{run} is lost");
    }
    drop(store);
    place.assert_checked();
}

#[test]
fn a_clock_that_jumps_back_between_sessions_and_within_one_does_no_harm() {
    const HOUR_US: i64 = 3_600_000_000;
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(NOW_US);
    let mut number = 0;
    for jump_us in [0, -5 * HOUR_US, 9 * HOUR_US, -24 * HOUR_US] {
        clock.jump_us(jump_us);
        let options = StoreOptions { checkpoint_commits: 3, log_commits_kept: 4, ..quiet() };
        let store_clock = Arc::<ManualClock>::clone(&clock);
        let store =
            Store::open_at(folder.path(), options, store_clock, Arc::new(SystemIds)).unwrap();
        for _ in 0..2 {
            number += 1;
            store.commit_blocking(whole_run(number)).unwrap();
            store.flush().unwrap();
            clock.jump_us(-3 * HOUR_US);
            number += 1;
            store.commit_blocking(whole_run(number)).unwrap();
        }
        store.close().unwrap();
        let runs = column(&store.snapshot().unwrap(), Table::Runs, "run_id");
        assert_eq!(i64::try_from(runs.len()).unwrap(), number);
    }
    for table in ["runs", "steps"] {
        let log = folder.path().join("tables").join(table).join("_delta_log");
        let mut commits: Vec<_> = fs::read_dir(log).unwrap().map(|it| it.unwrap().path()).collect();
        commits.retain(|it| it.extension().is_some_and(|it| it == "json"));
        commits.sort();
        let times: Vec<i64> = commits.iter().filter_map(|it| flush_time_us(it)).collect();
        assert!(times.len() > 8, "{times:?}");
        assert!(times.is_sorted_by(|a, b| a < b), "flush times of {table}: {times:?}");
    }
}

fn flush_time_us(commit: &Path) -> Option<i64> {
    let text = fs::read_to_string(commit).unwrap();
    let mut actions = text.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
    let info = actions.find_map(|it| it.get("commitInfo").cloned())?;
    info.as_object()?.iter().find(|it| it.0.to_lowercase().contains("flush"))?.1.as_i64()
}

#[test]
fn writers_that_make_a_store_at_the_same_time_all_get_it() {
    for _ in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("store");
        let start = Barrier::new(4);
        let ids = std::thread::scope(|scope| {
            let open = || {
                start.wait();
                let store = open(path, quiet()).unwrap();
                store.commit_blocking(whole_run(1)).unwrap();
                store.status().unwrap().store_id
            };
            let writers: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            writers.into_iter().map(|it| it.join().unwrap()).collect::<BTreeSet<_>>()
        });
        assert_eq!(ids.len(), 1);
    }
}

#[test]
fn those_who_look_at_a_store_keep_no_writer_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let options = StoreOptions { writers_max: 1, ..quiet() };
    drop(open(path, options.clone()).unwrap());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let reader = Store::open_read_only(path).unwrap();
                while !is_over.load(Ordering::SeqCst) {
                    reader.status().unwrap();
                }
            });
        }
        let opened: Result<Vec<()>> =
            (0..100).map(|_| open(path, options.clone()).map(drop)).collect();
        is_over.store(true, Ordering::SeqCst);
        opened.unwrap();
    });
}
