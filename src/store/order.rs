//! The order of a table's rows in its data files: the one definition for whoever writes one, and
//! for whoever merges some. Sorts rows in memory; touches no file.
//!
//! Rows are in the order of their run ids, which are UUIDv7: rows of a run lie together and runs
//! lie in the order of their start, so that minima and maxima of pages and row groups prune by run
//! and, nearly, by time. NULL comes first, and rows that are equal stay as they were.

use crate::event::{Cell, Row, Table};

/// The columns that the rows of a table are sorted by. Of `step_latency` that is the whole key:
/// rows that are equal in it are sketches of the same thing.
pub(super) fn columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::Runs | Table::Steps | Table::Issues | Table::Scores | Table::Artifacts => {
            &["run_id"]
        }
        Table::Metrics => &["run_id", "time"],
        Table::LlmCalls => &["run_id", "start_time"],
        Table::Contracts => &["contract_digest"],
        Table::Batches => &["batch_id"],
        Table::Baselines | Table::Alerts => &["time"],
        Table::StepLatency => &["hour", "pipeline_name", "step_name", "node_type", "result"],
    }
}

/// Sorts rows of one table.
pub(super) fn sort(table: Table, rows: &mut [&Row]) {
    let places: Vec<Option<usize>> = columns(table)
        .iter()
        .map(|name| table.columns().iter().position(|column| column.name == *name))
        .collect();
    rows.sort_by_cached_key(|row| key(row, &places));
}

/// A value that rows are sorted by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Part<'a> {
    Null,
    Number(i64),
    Text(&'a str),
}

/// No table is sorted by more columns.
const PARTS_MAX: usize = 5;

fn key<'a>(row: &'a Row, places: &[Option<usize>]) -> [Part<'a>; PARTS_MAX] {
    let mut key = [Part::Null; PARTS_MAX];
    row.visit(|index, cell| {
        let place = places.iter().position(|it| *it == Some(index));
        if let Some(part) = place.and_then(|it| key.get_mut(it)) {
            *part = match cell {
                Cell::Text(value) => Part::Text(value),
                Cell::Time(value) | Cell::Int(value) => Part::Number(value),
                _ => Part::Null,
            };
        }
    });
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted_by_columns_that_it_has() {
        for table in Table::ALL {
            assert!(columns(*table).len() <= PARTS_MAX);
            for name in columns(*table) {
                assert!(table.columns().iter().any(|it| it.name == *name), "{name}");
            }
        }
    }
}
