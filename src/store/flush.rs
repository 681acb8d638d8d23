//! One journal file into the tables: a data file and a commit per table that has rows, children
//! first, and always a commit of `runs` at the end, which makes the file's rows count as flushed.
//!
//! Exactly once: each commit carries the file's number, and a table that has it is left alone. So a
//! flush that failed anywhere is simply done again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::delta;
use super::files::Files;
use super::identity::Identity;
use super::latency::Sketches;
use super::layout::Layout;
use super::options::WRITERS_MAX;
use super::segment;
use super::tables::Tables;
use crate::clock::{Clock, IdSource};
use crate::error::Result;
use crate::event::{Event, Row, Table};
use crate::journal::disk::Disk;

/// What every writing part of a store needs.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) layout: Layout,
    pub(super) identity: Identity,
    pub(super) journal_root_id: String,
    /// How long a journal file stays after its rows are in the tables.
    pub(super) journal_grace_us: i64,
    pub(super) tables: Arc<Tables>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
}

impl Writing {
    /// Where the tables lie.
    pub(super) fn files(&self) -> &Arc<dyn Files> {
        self.tables.files()
    }

    /// The name under which a slot commits.
    pub(super) fn app_id(&self, slot: u32) -> String {
        app_id(&self.journal_root_id, slot)
    }
}

/// The name under which a slot of a folder of journals commits.
pub(super) fn app_id(journal_root_id: &str, slot: u32) -> String {
    format!("{journal_root_id}/{slot}")
}

/// Whether it is a slot that commits under a name.
pub(super) fn is_slot(app_id: &str) -> bool {
    app_id.rsplit_once('/').is_some_and(|(root, slot)| {
        uuid::Uuid::try_parse(root).is_ok() && slot.parse::<u32>().is_ok()
    })
}

/// The first time from `next_us` on that no other slot takes: two writers that flush at once must
/// not give two flushes one time.
fn of_slot(next_us: i64, slot: u32) -> i64 {
    let slots = i64::from(WRITERS_MAX);
    let slot = i64::from(slot) % slots;
    next_us + (slot - next_us).rem_euclid(slots)
}

/// Brings the events of file `n` of a slot into the tables, exactly once; returns when all of it is
/// durable, with the flush time.
pub(super) fn flush_file<'a>(
    writing: &Writing,
    slot: u32,
    n: u64,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<i64> {
    flush_into(writing, (slot, n), events, Tables::writing_order())
}

/// The same for some of the tables. Without `runs`, the file's rows do not count as flushed yet.
pub(super) fn flush_into<'a>(
    writing: &Writing,
    (slot, n): (u32, u64),
    events: impl IntoIterator<Item = &'a Event>,
    tables: impl Iterator<Item = Table>,
) -> Result<i64> {
    let app_id = writing.app_id(slot);
    let (mut rows, mut sketches) = (BTreeMap::<Table, Vec<&Row>>::new(), Sketches::default());
    for event in events {
        let Event::Row(row) = event else { continue };
        rows.entry(row.table()).or_default().push(row);
        if let Row::Steps(step) = row {
            sketches.add(step);
        }
    }
    let sketches = sketches.rows();
    if !sketches.is_empty() {
        rows.entry(Table::StepLatency).or_default().extend(&sketches);
    }
    let next_us = writing.tables.next_flush_time_us(writing.clock.now_us())?;
    let flush_time_us = of_slot(next_us, slot);
    let tables: Vec<Table> =
        tables.filter(|it| *it == Table::Runs || rows.contains_key(it)).collect();
    let rows = Mutex::new(rows);
    let commit = |table| {
        let rows = rows.lock().unwrap_or_else(PoisonError::into_inner).remove(&table);
        commit_rows(writing, (&app_id, n), table, rows.unwrap_or_default(), flush_time_us)
    };
    let children = tables.iter().copied().filter(|it| *it != Table::Runs);
    writing.tables.each(children, commit)?;
    if tables.contains(&Table::Runs) {
        commit(Table::Runs)?; // last: from here on the file's rows count as flushed
    }
    Ok(flush_time_us)
}

/// Writes the data file of a table and commits it, unless that has been done.
fn commit_rows(
    writing: &Writing,
    (app_id, n): (&str, u64),
    table: Table,
    rows: Vec<&Row>,
    flush_time_us: i64,
) -> Result<()> {
    let (files, ids) = (&**writing.files(), &*writing.ids);
    let committed = {
        let mut log = writing.tables.log(table)?;
        log.refresh()?;
        log.check_writable()?;
        log.committed(app_id) >= n
    };
    // not under the log's lock: snapshots go on while the data file is written
    let segment = if rows.is_empty() || committed {
        None
    } else {
        Some(segment::write(files, ids, &writing.layout.table(table), table, rows)?)
    };
    let mut log = writing.tables.log(table)?;
    delta::append(files, ids, &mut log, app_id, n, segment, flush_time_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slots_never_give_one_time() {
        for next_us in [-130, -1, 0, 1, 63, 64, 1_790_000_000_000_001] {
            for slot in 0..WRITERS_MAX {
                let time_us = of_slot(next_us, slot);
                assert!((next_us..next_us + 64).contains(&time_us));
                assert_eq!(time_us.rem_euclid(64), i64::from(slot));
            }
        }
    }
}
