//! The trees by themselves, at the bounds that a small store never reaches.

use std::collections::HashMap;

use super::opened::Opened;
use super::postings::{self, Posting};
use super::runs::{self, RunEntry, RunNumber, run_id};
use super::*;
use crate::event::{RunRow, Text};

fn open(folder: &Path) -> Opened {
    Opened::open(folder, "a store").expect("an index")
}

fn record(id: RunNumber) -> (RunNumber, RunRecord) {
    let run = RunRow { run_id: Text::from(run_id(id)), ..RunRow::default() };
    (id, RunRecord { run, ..RunRecord::default() })
}

#[test]
fn runs_are_found_in_every_chunk_and_only_in_their_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = open(folder.path());
    let entry = |id: RunNumber| RunEntry { id: id * 3, start_us: -5 };
    let runs: Vec<RunEntry> = (1..=1_300).map(entry).collect();
    runs::write(&opened.kv, 7, &runs).expect("written");
    runs::write(&opened.kv, 8, &[entry(2_000)]).expect("written");
    for (at, run) in runs.iter().enumerate() {
        let first = runs.get(at / runs::GROUP_RUNS * runs::GROUP_RUNS).expect("a group").id;
        let found = runs::find(&opened.kv, 7, run.id).expect("read");
        assert_eq!(found, Some((*run, first)));
        assert_eq!(runs::find(&opened.kv, 7, run.id + 1).expect("read"), None);
        assert_eq!(runs::find(&opened.kv, 8, run.id).expect("read"), None);
    }
    assert_eq!(runs::find(&opened.kv, 7, 0).expect("read"), None);
    runs::remove(&opened.kv, 7).expect("removed");
    assert_eq!(runs::find(&opened.kv, 7, 3).expect("read"), None);
    assert!(runs::find(&opened.kv, 8, 6_000).expect("read").is_some());
}

#[test]
fn the_records_of_the_oldest_runs_go_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = open(folder.path());
    // file 2 holds the older runs, and is indexed later
    for (file, first) in [(1, 100), (1, 116), (2, 0), (2, 16)] {
        let group: Vec<_> = (first..first + 16).map(record).collect();
        runs::pack(&opened.kv, file, &[9], &group).expect("packed");
        opened.note_packed(16);
    }
    opened.drop_oldest(40).expect("dropped");
    let unpack = |file, first, id| runs::unpack(&opened.kv, file, first, id).expect("read");
    assert_eq!([unpack(2, 0, 3), unpack(2, 16, 17)], [None, None]);
    assert_eq!(unpack(1, 100, 115), Some((vec![9], record(115).1)));
    assert_eq!(unpack(1, 100, 116), None, "of another group");
    drop(opened);
    let opened = open(folder.path());
    assert_eq!(runs::packed_count(&opened.kv).expect("read"), 32);
}

#[test]
fn long_lists_of_a_contract_are_newest_first_whatever_the_order_they_came_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = open(folder.path());
    let posting = |id: u128, file| Posting { id, start_us: 1, file };
    let parts: [Vec<u128>; 5] = [
        (0..700).step_by(2).collect(),
        (1_000..2_300).collect(),
        (1..700).step_by(2).collect(), // between those of the first
        vec![5_000],
        vec![4_000, 600],
    ];
    for (file, ids) in (1..).zip(&parts) {
        let postings = ids.iter().map(|id| posting(*id, file)).collect();
        let added = HashMap::from([(postings::digest("a"), postings)]);
        postings::add_to_contracts(&opened.kv, added).expect("added");
    }
    let newest = |count, without: u32| -> Vec<u128> {
        let counts = |file| file != without;
        let found = postings::newest_of_contract(&opened.kv, "a", count, counts).expect("read");
        found.iter().map(|it| it.id).collect()
    };
    let mut expected: Vec<u128> = parts.iter().flatten().copied().collect();
    expected.sort_unstable();
    expected.dedup();
    expected.reverse();
    for count in [0, 1, 2, 3, 1_299, 1_302, 1_303, 1_400, 9_999] {
        let kept = expected.get(..count.min(expected.len())).expect("a part");
        assert_eq!(newest(count, 0), kept, "{count}");
    }
    assert_eq!(newest(2, 4), [4_000, 2_299], "a file that is gone does not count");
    assert!(postings::newest_of_contract(&opened.kv, "b", 9, |_| true).expect("read").is_empty());
}

#[test]
fn a_lookup_never_sees_a_contract_without_runs_that_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened = open(folder.path());
    let contract = postings::digest("a");
    let add = |id: RunNumber| {
        let added = HashMap::from([(contract, vec![Posting { id, start_us: 0, file: 1 }])]);
        postings::add_to_contracts(&opened.kv, added).expect("added");
    };
    add(1);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (2..=400).for_each(add));
        let mut seen = 1;
        while !writer.is_finished() {
            let found = postings::newest_of_contract(&opened.kv, "a", 1_000, |_| true);
            let found = found.expect("read").len();
            assert!(found >= seen, "{found} after {seen}");
            seen = found;
        }
    });
}
