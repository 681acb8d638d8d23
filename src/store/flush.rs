//! One journal file into the tables: a data file and a commit per table that has rows, children
//! first, and always a commit of `runs` at the end, which makes the file's rows count as flushed.
//!
//! Exactly once: each commit carries the file's number, and a table that has it is left alone. So a
//! flush that failed anywhere is simply done again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::delta;
use super::identity::Identity;
use super::latency::Sketches;
use super::layout::Layout;
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
    pub(super) tables: Arc<Tables>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
}

impl Writing {
    /// The name under which a slot commits.
    pub(super) fn app_id(&self, slot: u32) -> String {
        app_id(&self.journal_root_id, slot)
    }
}

/// The name under which a slot of a folder of journals commits.
pub(super) fn app_id(journal_root_id: &str, slot: u32) -> String {
    format!("{journal_root_id}/{slot}")
}

/// Brings the events of file `n` of a slot into the tables, exactly once; returns when all of it is
/// durable, with the flush time.
pub(super) fn flush_file<'a>(
    writing: &Writing,
    slot: u32,
    n: u64,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<i64> {
    let app_id = writing.app_id(slot);
    let (mut rows, mut sketches) = (BTreeMap::<Table, Vec<&Row>>::new(), Sketches::default());
    for event in events {
        let Event::Row(row) = event else { continue };
        rows.entry(row.table()).or_default().push(row);
        if let Row::Steps(step) = row {
            sketches.add(step)?;
        }
    }
    let sketches = sketches.rows()?;
    rows.entry(Table::StepLatency).or_default().extend(&sketches);
    let flush_time_us = writing.tables.next_flush_time_us(writing.clock.now_us())?;
    let (disk, ids) = (&*writing.disk, &*writing.ids);
    for table in Tables::writing_order() {
        let rows = rows.remove(&table).unwrap_or_default();
        if rows.is_empty() && table != Table::Runs {
            continue;
        }
        let committed = {
            let mut log = writing.tables.log(table)?;
            log.refresh()?;
            log.check_writable()?;
            log.committed(&app_id) >= n
        };
        // not under the log's lock: snapshots go on while the data file is written
        let segment = if rows.is_empty() || committed {
            None
        } else {
            Some(segment::write(disk, ids, &writing.layout.table(table), table, rows)?)
        };
        let mut log = writing.tables.log(table)?;
        delta::append(disk, ids, &mut log, &app_id, n, segment, flush_time_us)?;
    }
    Ok(flush_time_us)
}
