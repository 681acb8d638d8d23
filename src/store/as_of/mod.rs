//! All tables as they were at an earlier time: one cut through all logs, by their stamps, without
//! the rows that only journals hold. Reads logs and the names of data files, writes nothing.
//!
//! A cut reaches back as far as the logs tell and the files are there. Both are looked at before
//! any row is given: whoever asks for an earlier time is told the earliest that there is, and why.

mod batch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub(super) use batch::stamp_of_batch;

use super::delta::{Timeline, data_file};
use super::files::FileSource;
use super::snapshot::{DataFile, Snapshot, TableSnapshot};
use super::tables::Tables;
use super::view::unreadable;
use crate::clock::{moment_us, rfc3339_short};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;

/// Rows would have to be removed this often while one cut is read.
const ATTEMPTS_MAX: usize = 100;

/// What `--as-of` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AsOf {
    /// A time, in microseconds.
    Time(i64),
    /// The id of a batch, or its beginning.
    Batch(String),
}

impl AsOf {
    /// What looks like a time is one; everything else is a batch.
    pub(super) fn parse(text: &str, now_us: i64) -> Self {
        let text = text.trim();
        moment_us(text, now_us).map_or_else(|| Self::Batch(text.to_owned()), Self::Time)
    }
}

/// Refuses a time at which there was nothing yet, or about which nothing is known yet.
pub(super) fn check_time(root: &Path, created: &str, at_us: i64, now_us: i64) -> Result<()> {
    let time = rfc3339_short(at_us);
    if at_us > now_us {
        return Err(Error::usage(format!("{time} is in the future"))
            .with_hint("Without a time, the store is shown as it is now."));
    }
    let made_us = moment_us(created, now_us);
    if made_us.is_some_and(|it| at_us < it) {
        let root = root.display();
        return Err(Error::usage(format!("{root} was made at {created}, after {time}"))
            .with_hint("Choose a later time."));
    }
    Ok(())
}

/// Why a time cannot be shown.
#[derive(Debug)]
struct Gap {
    /// It can from this one on, as far as this reason goes.
    until_us: i64,
    why: String,
}

/// All tables at a time.
///
/// # Errors
/// `Failed` for a time that is too long ago, naming the earliest that is not.
pub(super) fn snapshot(tables: &Tables, root: &Path, at_us: i64) -> Result<Snapshot> {
    let (mut earliest_us, mut why) = (at_us, None);
    for _ in 0..ATTEMPTS_MAX {
        let timelines = read(tables, earliest_us)?;
        let gap = match gap_of_logs(&timelines, earliest_us) {
            Some(gap) => Some(gap),
            None => gap_of_files(tables, &timelines, earliest_us)?,
        };
        match (gap, why) {
            (Some(gap), _) => {
                earliest_us = gap.until_us;
                why = Some(gap.why);
            }
            (None, Some(why)) => return Err(beyond(root, at_us, earliest_us, &why)),
            (None, None) if !is_still_so(tables, &timelines, at_us)? => why = None,
            (None, None) => return shown(tables, &timelines, at_us),
        }
    }
    Err(Error::failed(format!(
        "{} was changed {ATTEMPTS_MAX} times while it was read",
        root.display()
    ))
    .with_hint("Try again when less is being written."))
}

fn beyond(root: &Path, at_us: i64, earliest_us: i64, why: &str) -> Error {
    let (root, at, earliest) = (root.display(), rfc3339_short(at_us), rfc3339_short(earliest_us));
    Error::failed(format!("{root} cannot be shown as of {at}: {why}"))
        .with_hint(format!("The earliest time that can be shown is {earliest}."))
}

/// The logs of all tables so far back, or why one cannot be read.
type Timelines = BTreeMap<Table, Result<Timeline>>;

/// `runs` first, as for a snapshot: a run that is seen has its children.
fn read(tables: &Tables, at_us: i64) -> Result<Timelines> {
    let mut timelines = Timelines::new();
    for table in Tables::reading_order() {
        let read = timeline(tables, table, Some(at_us));
        match read {
            // a disk or a network that fails is no damage of one table
            Err(error) if error.kind() == ErrorKind::Failed => return Err(error),
            read => timelines.insert(table, read),
        };
    }
    Ok(timelines)
}

fn timeline(tables: &Tables, table: Table, at_us: Option<i64>) -> Result<Timeline> {
    let folder = tables.log(table)?.folder().to_owned();
    Timeline::read(&**tables.files(), &folder, at_us)
}

/// The log that has been cleaned up furthest, if that is too far.
fn gap_of_logs(timelines: &Timelines, at_us: i64) -> Option<Gap> {
    let readable = timelines.iter().filter_map(|(table, it)| Some((table, it.as_ref().ok()?)));
    let from = readable.filter_map(|(table, it)| Some((it.from_us?, table)));
    let (until_us, table) = from.max_by_key(|(from_us, _)| *from_us)?;
    (until_us > at_us).then(|| Gap {
        until_us,
        why: format!(
            "the log of {} reaches back to {} only, and was cleaned up before",
            table.name(),
            rfc3339_short(until_us)
        ),
    })
}

/// The file that is gone and was part of a table for longest. One that is part of it now is not
/// looked for: if that is gone, it is damage, which its reader tells.
fn gap_of_files(tables: &Tables, timelines: &Timelines, at_us: i64) -> Result<Option<Gap>> {
    let mut found: Option<Gap> = None;
    for (table, timeline) in timelines {
        let Ok(timeline) = timeline else { continue };
        let files = timeline.files_at(at_us);
        let removed: Vec<_> =
            files.iter().filter_map(|(p, it)| Some((*p, it.removed_us?))).collect();
        if removed.is_empty() {
            continue;
        }
        let there = names(tables, *table)?;
        for (path, removed_us) in removed.into_iter().filter(|(path, _)| !there.contains(*path)) {
            if found.as_ref().is_none_or(|it| it.until_us < removed_us) {
                let (table, time) = (table.name(), rfc3339_short(removed_us));
                let why = format!(
                    "a vacuum removed {path}, a file of {table} that was replaced or given up at \
                     {time}"
                );
                found = Some(Gap { until_us: removed_us, why });
            }
        }
    }
    Ok(found)
}

/// The names of the files in a table's folder.
fn names(tables: &Tables, table: Table) -> Result<BTreeSet<String>> {
    let folder = tables.log(table)?.folder().to_owned();
    Ok(tables.files().list(&folder)?.into_iter().map(|it| it.name).collect())
}

/// Whether `runs` shows the same as before the other logs were read: rows are removed from it
/// first, and the others may have been read after that.
fn is_still_so(tables: &Tables, timelines: &Timelines, at_us: i64) -> Result<bool> {
    let Some(Ok(before)) = timelines.get(&Table::Runs) else { return Ok(true) };
    let now = timeline(tables, Table::Runs, Some(at_us))?;
    Ok(now.version == before.version
        || now.files_at(at_us).keys().eq(before.files_at(at_us).keys()))
}

fn shown(tables: &Tables, timelines: &Timelines, at_us: i64) -> Result<Snapshot> {
    let source = FileSource::new(tables.files());
    let mut snapshot = Snapshot { source, ..Snapshot::default() };
    for (table, timeline) in timelines {
        let folder = tables.log(*table)?.folder().to_owned();
        let it = match timeline {
            Ok(timeline) => {
                let files = timeline.files_at(at_us).into_values();
                let files: Vec<DataFile> = files.map(|it| data_file(&folder, &it.add)).collect();
                TableSnapshot { files: Arc::new(files), ..TableSnapshot::default() }
            }
            Err(error) => {
                let damage = Some(Arc::new(unreadable(*table, error.again())));
                TableSnapshot { damage, ..TableSnapshot::default() }
            }
        };
        snapshot.tables.insert(*table, it);
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests;
