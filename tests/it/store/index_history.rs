//! The index through compactions, and through histories made up at random: it never changes an
//! answer.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::store::{CompactOptions, Keeper};
use proptest::prelude::*;

use super::index::{answers, go_on, ids, open, run_id, steps, whole, without_index};
use super::rows::NOW_US;

fn compact(path: &Path) {
    let keeper = Keeper::open(path, ManualClock::at(NOW_US), Arc::new(SystemIds)).unwrap();
    keeper.compact(&CompactOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
}

/// Nothing of a file that a compaction made of files that are known is read again.
#[test]
fn a_compaction_changes_no_answer_and_costs_the_index_no_reading() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..30 {
        store.commit_blocking(whole(number)).unwrap();
        if number % 4 == 3 {
            store.flush().unwrap();
        }
    }
    store.catch_up_index(&mut go_on).unwrap();
    let asked = ids(0..60);
    let mut before = answers(&store, &asked);
    for first in [30, 40, 50] {
        compact(folder.path());
        let mut told = Vec::new();
        let status = store.index_status().unwrap();
        store
            .catch_up_index(&mut |it| {
                told.push(it.runs_total);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(told.is_empty(), "files are read: {told:?}, {status:?}");
        assert_eq!(store.index_status().unwrap().runs_behind, 0);
        assert_eq!(answers(&store, &asked), before);
        assert_eq!(without_index(&store, &asked), before);
        store.commit_blocking(whole(first)).unwrap();
        store.flush().unwrap();
        store.catch_up_index(&mut go_on).unwrap();
        before = answers(&store, &asked);
    }
}

#[derive(Debug, Clone)]
enum Operation {
    Commit(Vec<u32>),
    Children(u32),
    Flush,
    CatchUp,
    Rebuild,
    Compact,
    Reopen,
    Lookup(u32),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => proptest::collection::vec(0..60_u32, 1..6).prop_map(Operation::Commit),
        1 => (0..60_u32).prop_map(Operation::Children),
        3 => Just(Operation::Flush),
        1 => Just(Operation::CatchUp),
        1 => Just(Operation::Rebuild),
        2 => Just(Operation::Compact),
        1 => Just(Operation::Reopen),
        2 => (0..60_u32).prop_map(Operation::Lookup),
    ]
}

#[test]
fn the_index_never_changes_an_answer() {
    let config = ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() };
    proptest!(config, |(operations in proptest::collection::vec(operation(), 1..16))| {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        for operation in operations {
            match operation {
                Operation::Commit(numbers) => {
                    store.commit_blocking(numbers.into_iter().flat_map(whole).collect()).unwrap();
                }
                Operation::Children(number) => {
                    store.commit_blocking(steps(&run_id(number), number)).unwrap();
                }
                Operation::Flush => store.flush().unwrap(),
                Operation::CatchUp => store.catch_up_index(&mut go_on).unwrap(),
                Operation::Rebuild => store.rebuild_index(&mut go_on).unwrap(),
                Operation::Compact => compact(folder.path()),
                Operation::Reopen => {
                    drop(store);
                    store = open(folder.path());
                }
                Operation::Lookup(number) => drop(store.run(&run_id(number)).unwrap()),
            }
        }
        let asked = ids(0..60);
        let with = answers(&store, &asked);
        prop_assert_eq!(with, without_index(&store, &asked));
    });
}
