//! Which contracts a store holds already, so that a nightly replay records each content once. Reads
//! one column, and is an optimisation: SQL shows the first of two rows with one digest anyway.

use std::collections::HashSet;

use arrow::array::RecordBatch;

use super::data_file;
use super::snapshot::Snapshot;
use crate::error::Result;
use crate::event::{Table, Text};

const COLUMN: &str = "contract_digest";

/// The digests of a snapshot's contracts, at most `count_max`.
pub(super) fn digests(snapshot: &Snapshot, count_max: usize) -> Result<HashSet<Text>> {
    let mut digests = HashSet::new();
    let Some(contracts) = snapshot.tables.get(&Table::Contracts) else { return Ok(digests) };
    if let Some(damage) = &contracts.damage {
        return Err(damage.again());
    }
    for batch in &contracts.hot {
        collect(batch, count_max, &mut digests);
    }
    for file in contracts.files.iter() {
        if digests.len() >= count_max {
            break;
        }
        for batch in data_file::columns(&snapshot.source, file, &[COLUMN])? {
            collect(&batch, count_max, &mut digests);
        }
    }
    Ok(digests)
}

fn collect(batch: &RecordBatch, count_max: usize, into: &mut HashSet<Text>) {
    let Some(column) = data_file::texts(batch, COLUMN) else { return };
    for value in column.iter().flatten() {
        if into.len() >= count_max {
            return;
        }
        into.insert(Text::from(value));
    }
}
