//! The order of a table's rows in its data files: the one definition for whoever writes one, and
//! for whoever merges some. Sorts rows in memory, and encodes keys of batches; touches no file.
//!
//! Rows are in the order of their run ids, which are UUIDv7: rows of a run lie together and runs
//! lie in the order of their start, so that minima and maxima of pages and row groups prune by run
//! and, nearly, by time. NULL comes first, and rows that are equal stay as they were.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

use super::schema::arrow_schema;
use crate::error::{Error, Result};
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

/// Encodes the columns that the rows of a table are sorted by: of two keys the smaller one is of
/// the row that comes first.
#[derive(Debug)]
pub(super) struct Keys {
    table: Table,
    /// Which columns of the table.
    columns: Vec<usize>,
    converter: RowConverter,
    /// Whether rows come in the order of their run ids, and each has one.
    by_run: bool,
}

impl Keys {
    pub(super) fn new(table: Table) -> Result<Self> {
        let schema = arrow_schema(table);
        let columns: Vec<usize> =
            columns(table).iter().filter_map(|it| schema.index_of(it).ok()).collect();
        let fields = columns.iter().map(|it| SortField::new(schema.field(*it).data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(|it| unsorted(table, it))?;
        // the bounds of a column that may be NULL say nothing of those rows, which come first
        let first = columns.first().map(|it| schema.field(*it));
        let by_run = first.is_some_and(|it| it.name() == "run_id" && !it.is_nullable());
        Ok(Self { table, columns, converter, by_run })
    }

    /// The keys of rows in the columns of the table.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<Rows> {
        let columns = batch.project(&self.columns).map_err(|it| unsorted(self.table, it))?;
        self.converter.convert_columns(columns.columns()).map_err(|it| unsorted(self.table, it))
    }

    /// Keys one of which no row is below whose run id is not below this one; `None` where a run id
    /// says nothing about the order.
    pub(super) fn of_run(&self, run_id: &str) -> Result<Option<Rows>> {
        if !self.by_run {
            return Ok(None);
        }
        let schema = arrow_schema(self.table);
        let id: ArrayRef = Arc::new(StringArray::from(vec![run_id]));
        let null = |it: &usize| new_null_array(schema.field(*it).data_type(), 1);
        let values: Vec<ArrayRef> =
            std::iter::once(id).chain(self.columns.iter().skip(1).map(null)).collect();
        let rows = self.converter.convert_columns(&values);
        rows.map(Some).map_err(|it| unsorted(self.table, it))
    }
}

/// Rows of a table that cannot be sorted.
pub(super) fn unsorted(table: Table, source: ArrowError) -> Error {
    Error::internal(format!("cannot sort {}", table.name())).with_source(source)
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
