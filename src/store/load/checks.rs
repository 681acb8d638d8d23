//! The rows of a load held against each other and against the store. Reads of the store only the
//! keys of data files whose runs overlap with those of the load.

use std::collections::HashSet;

use arrow::array::RecordBatch;

use super::keys::{Conflict, TableKeys, has_runs, key_columns, run_key};
use crate::error::Result;
use crate::event::Table;
use crate::store::data_file::{self, texts};
use crate::store::flush::Writing;
use crate::store::snapshot::Snapshot;
use crate::store::tails::Tails;
use crate::store::view::{self, Reading};

/// The first conflict, if there may be one: keys that are there twice, keys that the store has,
/// runs that are nowhere.
pub(super) fn check(keys: &[&TableKeys], writing: Option<&Writing>) -> Result<Option<Conflict>> {
    if let Some(twice) = keys.iter().find_map(|it| it.twice()) {
        return Ok(Some(twice));
    }
    let snapshot = match writing {
        Some(writing) => snapshot(writing)?,
        None => Snapshot::default(),
    };
    for keys in keys {
        let mut found = HashSet::new();
        let columns = key_columns(keys.table);
        if !columns.is_empty() {
            read(&snapshot, keys.table, columns, keys, |it| keys.also_in(it, &mut found))?;
        }
        if !found.is_empty() {
            return Ok(Some(Conflict::Stored(keys.table, found)));
        }
    }
    let loaded = keys.iter().find(|it| it.table == Table::Runs);
    for keys in keys.iter().filter(|it| has_runs(it.table)) {
        let is_loaded = |run: &u128| loaded.is_some_and(|it| it.runs.binary_search(run).is_ok());
        let mut missing: HashSet<u128> =
            keys.runs.iter().copied().filter(|it| !is_loaded(it)).collect();
        if !missing.is_empty() {
            read(&snapshot, Table::Runs, &["run_id"], keys, |runs| {
                for run_id in texts(runs, "run_id").into_iter().flatten().flatten() {
                    missing.remove(&run_key(run_id));
                }
            })?;
        }
        if !missing.is_empty() {
            return Ok(Some(Conflict::Orphan(keys.table, missing)));
        }
    }
    Ok(None)
}

fn snapshot(writing: &Writing) -> Result<Snapshot> {
    view::snapshot(Reading {
        layout: &writing.layout,
        tables: &writing.tables,
        store_id: &writing.identity.store_id,
        journal_root_id: Some(&writing.journal_root_id),
        own: None,
        tails: &Tails::default(),
    })
}

/// Some columns of a table of the store: of the data files that may hold one of the runs, and of
/// the rows in journals.
fn read(
    snapshot: &Snapshot,
    table: Table,
    columns: &[&str],
    keys: &TableKeys,
    mut take: impl FnMut(&RecordBatch),
) -> Result<()> {
    let Some(stored) = snapshot.tables.get(&table) else { return Ok(()) };
    if let Some(damage) = &stored.damage {
        return Err(damage.again()); // one that cannot be read must not look like an empty one
    }
    for file in &*stored.files {
        let overlaps = match (&file.run_ids, &keys.run_ids) {
            (Some((low, high)), Some((min, max))) => {
                low.as_str() <= max.as_str() && high.as_str() >= min.as_str()
            }
            _ => true,
        };
        if overlaps {
            data_file::each_batch(&snapshot.source, file, columns, |it| take(&it))?;
        }
    }
    stored.hot.iter().for_each(take);
    Ok(())
}
