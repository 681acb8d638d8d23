//! Plans against made-up tables, played to their end.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const BOUNDS: Bounds =
    Bounds { large_bytes: 64 << 20, files_min: 8, files_max: 64, bytes_max: 128 << 20 };

fn file(number: u64, rows: u64, row_bytes: u64) -> PlanFile {
    PlanFile {
        name: format!("{number:08}"),
        size_bytes: rows * row_bytes,
        rows: Some(rows),
        first_run: Some(Text::from(format!("{number:08}"))),
        oldest_us: None,
    }
}

/// A table that is written and compacted: how often each of its first rows was written anew.
struct Table {
    files: BTreeMap<String, PlanFile>,
    next: u64,
    rewritten_rows: u64,
}

impl Table {
    fn of(files: Vec<PlanFile>) -> Self {
        let next = files.len() as u64;
        let files = files.into_iter().map(|it| (it.name.clone(), it)).collect();
        Self { files, next, rewritten_rows: 0 }
    }

    fn list(&self) -> Vec<PlanFile> {
        self.files.values().cloned().collect()
    }

    /// Puts the files of a group together, which must be there.
    fn apply(&mut self, group: &Group) {
        assert!(group.names.len() >= 2, "a group of one: {group:?}");
        let gone: Vec<PlanFile> = group
            .names
            .iter()
            .map(|it| self.files.remove(it).expect("in no other group"))
            .collect();
        assert_eq!(group.size_bytes, gone.iter().map(|it| it.size_bytes).sum::<u64>());
        self.next += 1;
        let made = PlanFile {
            name: format!("{:08}", self.next),
            size_bytes: group.size_bytes,
            rows: Some(gone.iter().map(|it| it.rows.unwrap_or(1)).sum()),
            first_run: gone.iter().map(|it| it.first_run.clone()).min().unwrap(),
            oldest_us: None,
        };
        self.rewritten_rows += made.rows.unwrap();
        self.files.insert(made.name.clone(), made);
    }

    /// Takes steps until there is none left.
    fn settle(&mut self, bounds: &Bounds) {
        while let Some(group) = step(&self.list(), bounds) {
            assert!(group.names.len() <= bounds.files_max.max(2));
            assert!(group.size_bytes <= bounds.bytes_max, "{group:?}");
            self.apply(&group);
        }
    }

    fn compact(&mut self, bounds: &Bounds) {
        loop {
            let groups = full(&self.list(), bounds);
            let names: Vec<&String> = groups.iter().flat_map(|it| &it.names).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "named twice");
            if groups.is_empty() {
                return;
            }
            groups.iter().for_each(|it| self.apply(it));
        }
    }
}

#[test]
fn a_table_that_is_written_for_long_has_few_files_and_writes_each_row_few_times() {
    let mut table = Table::of(Vec::new());
    let flushes = 5_000_u64;
    let mut most = 0;
    for _ in 0..flushes {
        table.next += 1;
        let it = file(table.next, 100, 20);
        table.files.insert(it.name.clone(), it);
        table.settle(&BOUNDS);
        most = most.max(table.files.len());
    }
    // tiers of 64, 512, 4096, … rows up to 500,000, each with at most seven files
    assert!(most <= 7 * 6, "{most} files");
    let times = table.rewritten_rows as f64 / (flushes * 100) as f64;
    assert!(times <= 5.0, "each row was written anew {times} times");
}

#[test]
fn groups_are_neighbours_in_the_order_of_run_ids() {
    let mut files: Vec<PlanFile> = (0..20).rev().map(|it| file(it, 10, 20)).collect();
    files[3].size_bytes = 70 << 20; // the file 16
    let names: Vec<Vec<String>> = full(&files, &BOUNDS).into_iter().map(|it| it.names).collect();
    let numbers = |range: std::ops::Range<u64>| range.map(|it| format!("{it:08}")).collect();
    let expected: [Vec<String>; 2] = [numbers(0..16), numbers(17..20)];
    assert_eq!(names, expected);
    let step = step(&files, &BOUNDS).unwrap();
    assert_eq!(step.names.len(), 19);
    assert_eq!(step.reason, "19 files of 8 to 63 rows");
}

#[test]
fn a_compact_table_gives_no_work() {
    let large = |number| PlanFile { size_bytes: 64 << 20, ..file(number, 1_000_000, 1) };
    for files in [vec![], vec![file(1, 5, 9)], vec![large(1), large(2), file(3, 5, 9)]] {
        assert_eq!(full(&files, &BOUNDS), []);
        assert_eq!(step(&files, &BOUNDS), None);
    }
    let small = (0..7).map(|it| file(it, 100, 9)).collect::<Vec<_>>();
    assert_eq!(step(&small, &BOUNDS), None, "a tier that is not full");
    assert_eq!(full(&small, &BOUNDS).len(), 1);
}

fn files() -> impl Strategy<Value = Vec<PlanFile>> {
    // the size of a file follows from its rows, or not, as with long texts
    let it = (prop_oneof![1..100_u64, 1..3_000_000_u64], 1..400_u64, any::<bool>(), 0..200_u64);
    prop::collection::vec(it, 0..300).prop_map(|all| {
        let numbered = all.into_iter().enumerate();
        let file = |(at, (rows, row_bytes, is_known, first))| {
            let mut it = file(at as u64, rows, row_bytes);
            it.rows = it.rows.filter(|_| is_known);
            it.first_run = (first > 0).then(|| Text::from(format!("{first:08}")));
            it
        };
        numbered.map(file).collect()
    })
}

proptest! {
    #[test]
    fn steps_end_with_few_small_files(
        files in files(), files_min in 2..12_usize, files_max in 2..64_usize, mb in 1..200_u64,
    ) {
        let bounds = Bounds { files_min, files_max, bytes_max: mb << 20, ..BOUNDS };
        let total: u64 = files.iter().map(|it| it.rows.unwrap_or(it.size_bytes)).sum();
        let mut table = Table::of(files);
        table.settle(&bounds);
        let can_grow = |it: &&PlanFile| {
            it.size_bytes < bounds.large_bytes && it.size_bytes <= bounds.bytes_max / 2
        };
        let small = table.files.values().filter(can_grow).count() as u64;
        let tiers = u64::from(total.max(2).ilog(files_min as u64)) + 1;
        prop_assert!(small <= (files_min as u64 - 1) * tiers, "{small} files, {tiers} tiers");
    }

    #[test]
    fn a_full_compaction_ends_and_leaves_no_two_small_neighbours(
        files in files(), files_max in 2..64_usize,
    ) {
        let bounds = Bounds { files_max, ..BOUNDS };
        let rows: usize = files.len();
        let mut table = Table::of(files);
        table.compact(&bounds);
        prop_assert!(table.files.len() <= rows);
        let list = table.list();
        let sorted = in_order(&list);
        for pair in sorted.windows(2) {
            let both_small = pair.iter().all(|it| it.size_bytes < bounds.large_bytes);
            prop_assert!(!both_small, "{pair:?}");
        }
    }
}
