//! The moments between two looks at the disk, which no timing of threads reaches reliably.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use super::*;
use crate::clock::{ManualClock, SystemIds};
use crate::event::{Event, RunRow, StepRow, Text};
use crate::store::files::LocalFiles;
use crate::store::{Store, StoreOptions, identity};

fn run(id: &str) -> Vec<Event> {
    let run_id = Text::from(id);
    let step = StepRow { run_id: run_id.clone(), ..StepRow::default() };
    vec![Event::from(step), Event::from(RunRow { run_id, ..RunRow::default() })]
}

struct Rig {
    _folder: tempfile::TempDir,
    store: Store,
    layout: Layout,
    tables: Tables,
    store_id: String,
    root_id: String,
    tails: Tails,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(0);
        let options = StoreOptions { flush_age_ms: 3_600_000, ..StoreOptions::default() };
        let store = Store::open_at(folder.path(), options, clock, Arc::new(SystemIds)).unwrap();
        let layout = Layout::new(folder.path());
        let store_id = identity::read(&*LocalFiles::system(), &layout).unwrap().store_id;
        let root_id = identity::read_journal_root_id(&layout, &store_id).unwrap().unwrap();
        let tables = Tables::new(&layout, LocalFiles::system());
        Self { _folder: folder, store, layout, tables, store_id, root_id, tails: Tails::default() }
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            layout: &self.layout,
            tables: &self.tables,
            store_id: &self.store_id,
            journal_root_id: Some(&self.root_id),
            own: None,
            tails: &self.tails,
        }
    }
}

#[test]
fn a_file_that_is_flushed_and_removed_between_two_looks_makes_the_reader_start_over() {
    let rig = Rig::new();
    rig.store.commit_blocking(run("a")).unwrap();
    let reading = rig.reading();
    let (_, seen) = read_logs(reading).unwrap();
    let journals = read_journals(reading, &seen).unwrap();
    assert_eq!(journals.len(), 1);

    rig.store.flush().unwrap();
    // read before it went: the rows are there, from the journal, as it was
    assert!(is_complete(reading, &seen, &journals).unwrap());
    std::fs::remove_file(rig.layout.journal_file(0, 1)).unwrap();
    // not read before it went: neither the tables, as they were seen, nor a journal has the rows
    let journals = read_journals(reading, &seen).unwrap();
    assert!(journals.is_empty());
    assert!(!is_complete(reading, &seen, &journals).unwrap());
    assert_eq!(snapshot(reading).unwrap().tables[&Table::Runs].rows(), 1);
}

#[test]
fn rows_come_from_the_journal_until_both_their_table_and_runs_have_the_file() {
    let rig = Rig::new();
    rig.store.commit_blocking(run("a")).unwrap();
    let reading = rig.reading();
    let (before, seen_before) = read_logs(reading).unwrap();
    let journals = read_journals(reading, &seen_before).unwrap();
    rig.store.flush().unwrap();
    let (after, seen_after) = read_logs(reading).unwrap();
    // the moment at which steps is committed and runs is not
    let mut middle = before.clone();
    middle.tables.insert(Table::Steps, after.tables[&Table::Steps].clone());
    let committed = seen_before.committed.clone();
    let mut seen = Seen { committed, ..Seen::default() };
    seen.committed.insert(Table::Steps, seen_after.committed[&Table::Steps].clone());
    for (mut snapshot, seen) in [(before, seen_before), (middle, seen), (after, seen_after)] {
        add_hot(reading, &mut snapshot, &seen, &journals).unwrap();
        assert_eq!(snapshot.tables[&Table::Runs].rows(), 1);
        assert_eq!(snapshot.tables[&Table::Steps].rows(), 1);
        assert_eq!(snapshot.tables[&Table::StepLatency].rows(), 1);
    }
}
