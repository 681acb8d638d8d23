//! The moment at which a batch was complete in the tables: its row in `batches` and, as a flush
//! commits them last, its runs. Found by the commit that brought the row, also when compactions
//! have moved it since. Writes nothing.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::{names, timeline};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::data_file;
use crate::store::delta::{Life, Timeline, data_file as described};
use crate::store::files::FileSource;
use crate::store::snapshot::Snapshot;
use crate::store::tables::Tables;

const BATCH_ID: &str = "batch_id";
/// Batches that an error names.
const NAMED_MAX: usize = 3;

/// By the ids of batches, where their rows came into the table.
type Found = BTreeMap<String, Origin>;

/// A file of the table `batches`, as its log tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    added_us: i64,
    version: Option<u64>,
}

/// The stamp at which the batch whose id begins with `prefix` was complete. `now` is the store as
/// it is, for a batch whose rows are on their way.
///
/// # Errors
/// `Usage` if there is none, or more than one, naming candidates; `Failed` if its rows are not in
/// the tables yet.
pub(in crate::store) fn stamp_of_batch(
    tables: &Tables,
    prefix: &str,
    now: impl FnOnce() -> Result<Snapshot>,
) -> Result<i64> {
    let batches = timeline(tables, Table::Batches, None)?;
    let found = found(tables, &batches)?;
    let matching: Vec<_> = found.range(prefix.to_owned()..).collect();
    let matching: Vec<_> =
        matching.into_iter().take_while(|(id, _)| id.starts_with(prefix)).collect();
    match matching.as_slice() {
        // one that is the whole text is meant, whatever goes on longer
        [(id, origin), ..] if matching.len() == 1 || id.as_str() == prefix => {
            complete_us(tables, &batches, **origin)
        }
        [] => Err(unknown(prefix, &found, &now()?)),
        several => {
            let ids = several.iter().map(|(id, _)| id.as_str());
            let message = format!("{} batches begin with {prefix:?}", several.len());
            Err(Error::usage(message).with_hint(format!("They are {}.", listed(ids))))
        }
    }
}

/// When the runs of the same flush, too, were in the tables: a flush that was done in two goes has
/// two stamps.
fn complete_us(tables: &Tables, batches: &Timeline, origin: Origin) -> Result<i64> {
    let mut complete_us = origin.added_us;
    let Some(version) = origin.version else { return Ok(complete_us) };
    let runs = timeline(tables, Table::Runs, None)?;
    for txn in batches.txns_of(version) {
        complete_us = complete_us.max(runs.stamp_of(txn).unwrap_or(complete_us));
    }
    Ok(complete_us)
}

/// The batches of all files that the log tells of. One that is gone is known by the bounds in the
/// log, if these are the same: a flush seldom brings two batches.
fn found(tables: &Tables, batches: &Timeline) -> Result<Found> {
    let there = names(tables, Table::Batches)?;
    let folder = tables.log(Table::Batches)?.folder().to_owned();
    let source = FileSource::new(tables.files());
    let mut found = Found::new();
    for life in batches.lives() {
        let origin = Origin { added_us: life.added_us, version: life.version };
        let ids = match only_id(life) {
            Some(id) => vec![id],
            None if there.contains(&life.add.path) => {
                let file = described(&folder, &life.add);
                let read = data_file::columns(&source, &file, &[BATCH_ID])?;
                read.iter().flat_map(ids).collect()
            }
            None => Vec::new(),
        };
        for id in ids {
            let known = found.entry(id).or_insert(origin);
            *known = origin.min(*known);
        }
    }
    Ok(found)
}

fn only_id(life: &Life) -> Option<String> {
    let (min, max) = life.batch_ids()?;
    (min == max).then(|| min.to_string())
}

fn ids(batch: &RecordBatch) -> Vec<String> {
    let ids = data_file::texts(batch, BATCH_ID);
    ids.into_iter().flat_map(|it| it.iter().flatten().map(str::to_owned)).collect()
}

fn unknown(prefix: &str, found: &Found, now: &Snapshot) -> Error {
    let hot = now.tables.get(&Table::Batches).map(|it| it.hot.as_slice()).unwrap_or_default();
    if let Some(id) = hot.iter().flat_map(ids).find(|it| it.starts_with(prefix)) {
        return Error::failed(format!("the batch {id} is not in the tables yet"))
            .with_hint("It will be with the next flush; without a batch it can be seen now.");
    }
    let error = Error::usage(format!("{prefix:?} is neither a time nor the id of a batch"));
    let mut newest: Vec<_> = found.iter().map(|(id, origin)| (*origin, id.as_str())).collect();
    newest.sort_unstable_by(|a, b| b.cmp(a));
    match newest.is_empty() {
        true => error.with_hint("A time is 2026-11-22, 2026-11-22T10:00:00Z or an age as 7d."),
        false => {
            let ids = newest.iter().map(|(_, id)| *id);
            error.with_hint(format!(
                "A time is 2026-11-22T10:00:00Z or 7d; the newest batches are {}.",
                listed(ids)
            ))
        }
    }
}

fn listed<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.take(NAMED_MAX).collect::<Vec<_>>().join(", ")
}
