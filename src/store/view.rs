//! One moment of all tables, without a lock that a writer would notice.
//!
//! Order of reading: the log of `runs`, the other logs, then the journals. A row of table T from
//! journal file n of a slot is taken from the journal exactly when n is above both T's and `runs`'
//! newest file of that slot, else T's data files have it. At the end `runs` is read again: if it
//! has moved past a journal file that was not there to be read any more, or rows were removed,
//! everything starts over.
//!
//! A table whose log cannot be read is shown as damaged, and the others as they are. Without `runs`
//! each of them goes by its own newest file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::delta::Log;
use super::file_rows::FileRows;
use super::files::FileSource;
use super::flush::app_id;
use super::hot::Hot;
use super::layout::Layout;
use super::slot;
use super::snapshot::{CHECK_HINT, Snapshot, TableSnapshot};
use super::tables::Tables;
use super::tails::{FileKey, Owner, Tails};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;

/// A writer would have to flush this often while one snapshot is read.
const ATTEMPTS_MAX: usize = 100;

/// The slot that this process writes, and its rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnSlot<'a> {
    pub(super) number: u32,
    pub(super) hot: &'a Hot,
}

/// Whose journals are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) layout: &'a Layout,
    pub(super) tables: &'a Tables,
    pub(super) store_id: &'a str,
    pub(super) journal_root_id: Option<&'a str>,
    pub(super) own: Option<OwnSlot<'a>>,
    pub(super) tails: &'a Tails,
}

/// The rows of journal files.
type Journals = BTreeMap<FileKey, Arc<FileRows>>;

/// What the logs said when they were read.
#[derive(Debug, Default)]
struct Seen {
    /// By table and app id, the newest journal file that the table holds.
    committed: BTreeMap<Table, BTreeMap<String, u64>>,
    /// Tables whose logs could not be read.
    damaged: BTreeSet<Table>,
    /// How often rows had been removed from `runs`.
    removals: u64,
}

impl Seen {
    fn newest(&self, table: Table, app_id: &str) -> u64 {
        self.committed.get(&table).and_then(|it| it.get(app_id)).copied().unwrap_or(0)
    }
}

/// Takes a snapshot.
pub(super) fn snapshot(reading: Reading<'_>) -> Result<Snapshot> {
    reading.tables.read_ahead();
    for _ in 0..ATTEMPTS_MAX {
        let (mut snapshot, seen) = read_logs(reading)?;
        let journals = read_journals(reading, &seen)?;
        if is_complete(reading, &seen, &journals)? {
            add_hot(reading, &mut snapshot, &seen, &journals)?;
            return Ok(snapshot);
        }
    }
    Err(Error::failed(format!(
        "{} was flushed or changed {ATTEMPTS_MAX} times while it was read",
        reading.layout.root().display()
    ))
    .with_hint("Try again when less is being written."))
}

fn read_logs(reading: Reading<'_>) -> Result<(Snapshot, Seen)> {
    let source = FileSource::new(reading.tables.files());
    let read = Mutex::new((Snapshot { source, ..Snapshot::default() }, Seen::default()));
    read_log(reading, Table::Runs, &read)?;
    reading.tables.each(Tables::children(), |table| read_log(reading, table, &read))?;
    Ok(read.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn read_log(reading: Reading<'_>, table: Table, into: &Mutex<(Snapshot, Seen)>) -> Result<()> {
    let mut log = reading.tables.log(table)?;
    let refreshed = log.refresh();
    let (snapshot, seen) = &mut *into.lock().unwrap_or_else(PoisonError::into_inner);
    if table == Table::Runs {
        seen.removals = log.data_removals();
    }
    // of a damaged log, too: what it has told before the damage is so
    seen.committed.insert(table, newest_files(&log));
    let it = match refreshed {
        Ok(()) => {
            let files = log.files();
            TableSnapshot { version: log.version(), files, ..TableSnapshot::default() }
        }
        // a network that fails is no damage of one table
        Err(error) if error.kind() == ErrorKind::Failed && reading.tables.files().is_remote() => {
            return Err(error);
        }
        Err(error) => {
            seen.damaged.insert(table);
            let damage = Some(Arc::new(unreadable(table, error)));
            TableSnapshot { damage, ..TableSnapshot::default() }
        }
    };
    snapshot.tables.insert(table, it);
    Ok(())
}

/// Why a table cannot be read, with the way out.
pub(super) fn unreadable(table: Table, source: Error) -> Error {
    let message = format!("the table {} cannot be read: {}", table.name(), source.in_one_line());
    let hint = match source.kind() {
        ErrorKind::Unavailable => source.hint().unwrap_or(CHECK_HINT).to_owned(),
        _ => CHECK_HINT.to_owned(),
    };
    Error::new(source.kind(), message).with_hint(hint)
}

fn newest_files(log: &Log) -> BTreeMap<String, u64> {
    log.txns().iter().map(|(app_id, txn)| (app_id.clone(), txn.version)).collect()
}

fn read_journals(reading: Reading<'_>, seen: &Seen) -> Result<Journals> {
    let mut journals = Journals::new();
    let Some(root_id) = reading.journal_root_id else { return Ok(journals) };
    let owner = Owner { store_id: reading.store_id, journal_root_id: root_id };
    for slot in slot::list(reading.layout)? {
        if let Some(own) = reading.own.filter(|own| own.number == slot) {
            journals.extend(own.hot.files().into_iter().map(|(n, rows)| ((slot, n), rows)));
            continue;
        }
        let flushed = seen.newest(Table::Runs, &app_id(root_id, slot));
        for n in slot::files(reading.layout, slot)? {
            if n <= flushed {
                continue;
            }
            let path = reading.layout.journal_file(slot, n);
            // one that has vanished was flushed meanwhile: the last look tells
            let rows = reading.tails.read((slot, n), &path, owner)?;
            journals.extend(rows.map(|rows| ((slot, n), rows)));
        }
    }
    reading.tails.keep(&journals.keys().copied().collect());
    Ok(journals)
}

/// Whether no table has moved past anything that was not read. `runs` tells it for all.
fn is_complete(reading: Reading<'_>, seen: &Seen, journals: &Journals) -> Result<bool> {
    if seen.damaged.contains(&Table::Runs) {
        for table in Tables::reading_order().filter(|it| !seen.damaged.contains(it)) {
            let mut log = reading.tables.log(table)?;
            if log.refresh().is_err() || Some(&newest_files(&log)) != seen.committed.get(&table) {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let mut runs = reading.tables.log(Table::Runs)?;
    if runs.refresh().is_err() || runs.data_removals() != seen.removals {
        return Ok(false);
    }
    let Some(root_id) = reading.journal_root_id else {
        // the first writer came after this reader looked for journals
        return Ok(
            newest_files(&runs).len() == seen.committed.get(&Table::Runs).map_or(0, BTreeMap::len)
        );
    };
    Ok(newest_files(&runs).iter().all(|(app, now)| {
        let slot = app.strip_prefix(root_id).and_then(|it| it.strip_prefix('/')?.parse().ok());
        let before = seen.newest(Table::Runs, app);
        match slot {
            Some(slot) => (before + 1..=*now).all(|n| journals.contains_key(&(slot, n))),
            None => before == *now, // journals elsewhere: rows are seen when `runs` has them
        }
    }))
}

fn add_hot(
    reading: Reading<'_>,
    snapshot: &mut Snapshot,
    seen: &Seen,
    journals: &Journals,
) -> Result<()> {
    let root_id = reading.journal_root_id.unwrap_or_default();
    for ((slot, n), rows) in journals {
        let app_id = app_id(root_id, *slot);
        let runs = seen.newest(Table::Runs, &app_id);
        for (table, batches) in rows.batches()? {
            let is_hot =
                *n > runs.max(seen.newest(table, &app_id)) && !seen.damaged.contains(&table);
            if let Some(it) = snapshot.tables.get_mut(&table).filter(|_| is_hot) {
                it.hot.extend(batches);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
