//! Without accidents: rows are seen once, hot or cold, by the writer and by others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::ErrorKind;
use genstore::event::{Event, EventSink, Table};
use genstore::recorder::Recorder;
use genstore::store::{Store, StoreOptions};

use super::rows::{
    NOW_US, all_rows, children, column, contract, open, quiet, rows, run_row, started, whole_run,
};

#[test]
fn rows_are_the_same_hot_flushed_and_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path, quiet()).unwrap();
    for number in 0..20 {
        store.commit_blocking(whole_run(number)).unwrap();
    }
    let hot = store.snapshot().unwrap();
    assert_eq!(hot.tables[&Table::Runs].files.len(), 0);
    assert_eq!(hot.tables[&Table::Runs].rows(), 20);
    assert_eq!(hot.tables[&Table::Steps].rows(), 100);
    assert_eq!(hot.tables.len(), Table::ALL.len());
    let other = Store::open_read_only(&path).unwrap();
    assert_eq!(all_rows(&other.snapshot().unwrap()), all_rows(&hot));

    store.flush().unwrap();
    let cold = store.snapshot().unwrap();
    assert_eq!(cold.tables[&Table::Runs].hot.len(), 0);
    assert_eq!(cold.tables[&Table::Runs].files[0].rows, Some(20));
    assert_eq!(all_rows(&cold), all_rows(&hot));
    // one flush: the sketches must be what the hot steps gave
    assert_eq!(rows(&cold, Table::StepLatency), rows(&hot, Table::StepLatency));
    assert_eq!(all_rows(&other.snapshot().unwrap()), all_rows(&hot));
    let status = store.status().unwrap();
    assert_eq!((status.lag_rows, status.slot, status.journal_files), (0, Some(0), 1));
    assert_eq!(status.oldest.unwrap().0, NOW_US);

    store.close().unwrap();
    store.close().unwrap();
    assert_eq!(store.commit_blocking(whole_run(99)).unwrap_err().kind(), ErrorKind::Unavailable);
    drop(store);
    let again = open(&path, quiet()).unwrap();
    assert_eq!(all_rows(&again.snapshot().unwrap()), all_rows(&hot));
    assert_eq!(again.status().unwrap().store_id, status.store_id);
}

#[test]
fn a_run_split_over_flushes_is_whole_and_one_without_an_end_is_abandoned() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    store.append(vec![Event::RunStarted(started(1)), Event::RunStarted(started(2))]).unwrap();
    store.append(children(1, 3)).unwrap();
    store.flush().unwrap();
    store.append(children(2, 4)).unwrap();
    store.commit_blocking(vec![Event::from(run_row(1))]).unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.tables[&Table::Runs].rows(), 1);
    assert_eq!(snapshot.tables[&Table::Steps].rows(), 7);
    drop(store); // run 2 has not ended

    for _ in 0..2 {
        let store = open(folder.path(), quiet()).unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(column(&snapshot, Table::Runs, "result"), ["success", "error"]);
        assert_eq!(column(&snapshot, Table::Runs, "error_type"), ["∅", "abandoned"]);
        assert_eq!(snapshot.tables[&Table::Steps].rows(), 7);
    }
}

#[test]
fn journal_files_go_after_the_grace_time_and_numbers_never_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(NOW_US);
    let options = StoreOptions { journal_grace_ms: 60_000, ..quiet() };
    let journal = |n: u64| folder.path().join(format!("journal/0/{n}.wal")).exists();
    let open = |clock: &Arc<ManualClock>| {
        let clock: Arc<ManualClock> = Arc::clone(clock);
        Store::open_at(folder.path(), options.clone(), clock, Arc::new(SystemIds)).unwrap()
    };
    let store = open(&clock);
    store.commit_blocking(whole_run(1)).unwrap();
    store.close().unwrap();
    drop(store);
    assert!(journal(1));

    clock.advance_ns(59_000_000_000);
    let store = open(&clock);
    store.commit_blocking(whole_run(2)).unwrap();
    store.flush().unwrap();
    assert!(journal(1) && journal(2));
    clock.advance_ns(2_000_000_000);
    store.commit_blocking(whole_run(3)).unwrap();
    store.close().unwrap(); // file 1 is looked at after each flush
    drop(store);
    assert!(!journal(1) && journal(2) && journal(3));

    clock.advance_ns(120_000_000_000);
    let store = open(&clock);
    store.commit_blocking(whole_run(4)).unwrap();
    store.close().unwrap();
    assert!(!journal(2) && !journal(3) && journal(4));
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 4);
}

#[test]
fn readers_never_see_a_run_without_its_children_nor_a_row_twice() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { journal_bytes_max: 8 << 10, linger_ms: 1, ..quiet() };
    let options = StoreOptions { hot_bytes_max: 64 << 10, journal_grace_ms: 0, ..options };
    let store = Arc::new(open(folder.path(), options).unwrap());
    let done = AtomicBool::new(false);
    let look = |store: &Store| {
        let mut most = 0;
        while !done.load(Ordering::SeqCst) {
            let snapshot = store.snapshot().unwrap();
            let runs = column(&snapshot, Table::Runs, "run_id");
            let steps = column(&snapshot, Table::Steps, "run_id");
            let unique: BTreeSet<_> = runs.iter().collect();
            assert_eq!(unique.len(), runs.len());
            for run in &runs {
                assert_eq!(steps.iter().filter(|it| *it == run).count(), 5, "{run}");
            }
            assert!(runs.len() >= most, "rows went away");
            most = runs.len();
        }
    };
    std::thread::scope(|scope| {
        let reader = Store::open_read_only(folder.path()).unwrap();
        let (look, store) = (&look, &store);
        scope.spawn(move || look(&reader));
        scope.spawn(move || look(store));
        for number in 0..300 {
            store.append(vec![Event::RunStarted(started(number))]).unwrap();
            store.append(children(number, 5)).unwrap();
            store.commit_blocking(vec![Event::from(run_row(number))]).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    store.close().unwrap();
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.tables[&Table::Runs].rows(), 300);
    assert!(snapshot.tables[&Table::Runs].files.len() > 5);
}

#[test]
fn a_writer_too_many_is_told_who_writes() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { writers_max: 1, ..quiet() };
    let first = open(folder.path(), options.clone()).unwrap();
    let error = open(folder.path(), options.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    open(folder.path(), options).unwrap();
}

#[test]
fn two_writers_in_two_slots_both_land() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { writers_max: 2, ..quiet() };
    let first = open(folder.path(), options.clone()).unwrap();
    let second = open(folder.path(), options.clone()).unwrap();
    assert_eq!(second.status().unwrap().slot, Some(1));
    first.commit_blocking(whole_run(1)).unwrap();
    second.commit_blocking(whole_run(2)).unwrap();
    assert_eq!(first.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
    first.flush().unwrap();
    second.commit_blocking(whole_run(3)).unwrap();
    second.commit_blocking(vec![Event::RunStarted(started(4))]).unwrap();
    second.flush().unwrap();
    assert_eq!(first.snapshot().unwrap().tables[&Table::Runs].rows(), 3);
    drop(second);
    drop(first);
    // whoever comes next takes slot 0 and ends what slot 1 has left open
    let third = open(folder.path(), options).unwrap();
    let results = column(&third.snapshot().unwrap(), Table::Runs, "result");
    assert_eq!(results, ["success", "success", "success", "error"]);
}

#[test]
fn journal_files_of_a_slot_that_nobody_writes_any_more_go_too() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(NOW_US);
    let open = || {
        let clock: Arc<ManualClock> = Arc::clone(&clock);
        Store::open_at(folder.path(), quiet(), clock, Arc::new(SystemIds)).unwrap()
    };
    let (first, second) = (open(), open());
    second.commit_blocking(whole_run(1)).unwrap();
    drop((second, first));
    let journal = folder.path().join("journal/1/1.wal");
    drop(open());
    assert!(journal.exists(), "a reader may still look at it");
    clock.advance_ns(61_000_000_000);
    let store = open();
    assert!(!journal.exists());
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 1);
}

#[tokio::test]
async fn the_recorder_keeps_the_rows_of_a_run_together_and_contracts_once() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(Arc::new(open(folder.path(), quiet()).unwrap()));
    for number in 0..3 {
        let run = recorder.begin(started(number)).unwrap();
        run.emit(Event::Row(contract("a digest"))).unwrap();
        for event in children(number, 400) {
            run.emit(event).unwrap();
        }
        run.finish(run_row(number)).await.unwrap();
    }
    recorder.record(vec![contract("a digest"), contract("another")]).await.unwrap();
    let snapshot = recorder.store().snapshot().unwrap();
    assert_eq!(snapshot.tables[&Table::Runs].rows(), 3);
    assert_eq!(snapshot.tables[&Table::Steps].rows(), 1_200);
    assert_eq!(snapshot.tables[&Table::Contracts].rows(), 2);
    recorder.store().flush().unwrap();
    let digests = recorder.store().contract_digests(10).unwrap();
    assert_eq!(digests, recorder.store().contract_digests(2).unwrap());
    assert_eq!(recorder.store().contract_digests(1).unwrap().len(), 1);
    // the next process knows them, too
    let next = Recorder::new(Arc::clone(recorder.store()));
    next.record(vec![contract("another"), contract("a third")]).await.unwrap();
    assert_eq!(next.store().snapshot().unwrap().tables[&Table::Contracts].rows(), 3);
}

#[tokio::test]
async fn a_contract_counts_as_recorded_only_when_it_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(Arc::new(open(folder.path(), quiet()).unwrap()));
    let first = recorder.begin(started(1)).unwrap();
    first.emit(Event::Row(contract("a digest"))).unwrap();
    // the second run must not rely on a row that waits in the memory of the first
    let second = recorder.begin(started(2)).unwrap();
    second.emit(Event::Row(contract("a digest"))).unwrap();
    second.emit(Event::Row(contract("a digest"))).unwrap();
    second.finish(run_row(2)).await.unwrap();
    let contracts = || recorder.store().snapshot().unwrap().tables[&Table::Contracts].rows();
    assert_eq!(contracts(), 1);
    let third = recorder.begin(started(3)).unwrap();
    third.emit(Event::Row(contract("a digest"))).unwrap();
    third.finish(run_row(3)).await.unwrap();
    assert_eq!(contracts(), 1);
}

#[test]
fn writers_wait_at_the_bound_and_all_rows_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { journal_bytes_max: 4 << 10, hot_bytes_max: 8 << 10, ..quiet() };
    let store = open(folder.path(), options).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..25 {
                    store.append(whole_run(writer * 100 + number)).unwrap();
                }
            });
        }
    });
    store.close().unwrap();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 100);
}
