//! The order of a table's rows in its data files: the one definition for whoever writes one, and
//! for whoever merges some. Sorts rows in memory, and encodes keys of batches; touches no file.
//!
//! Rows are in the order of their run ids, which are UUIDv7: rows of a run lie together and runs
//! lie in the order of their start, so that minima and maxima of pages and row groups prune by run
//! and, nearly, by time. Sketches are in the order of their days, and within a day the hours of one
//! step lie together: a question about the last hours leaves out the other days, one about a step
//! over months leaves out most of each. NULL comes first, and rows that are equal stay as they
//! were.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};

use super::latency::Span;
use super::schema::arrow_schema;
use crate::error::{Error, Result};
use crate::event::{Cell, Row, Table};

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The values of a column.
    Column(&'static str),
    /// The days that the times of a column are in.
    Day(&'static str),
}

impl By {
    fn column(self) -> &'static str {
        match self {
            Self::Column(name) | Self::Day(name) => name,
        }
    }
}

/// What the rows of a table are sorted by. Of `step_latency` that is the whole key: rows that are
/// equal in it are sketches of the same thing.
pub(super) fn columns(table: Table) -> &'static [By] {
    use By::{Column, Day};
    match table {
        Table::Runs | Table::Steps | Table::Issues | Table::Scores | Table::Artifacts => {
            &[Column("run_id")]
        }
        Table::Metrics => &[Column("run_id"), Column("time")],
        Table::LlmCalls => &[Column("run_id"), Column("start_time")],
        Table::Contracts => &[Column("contract_digest")],
        Table::Batches => &[Column("batch_id")],
        Table::Baselines | Table::Alerts => &[Column("time")],
        Table::StepLatency => &[
            Day("hour"),
            Column("pipeline_name"),
            Column("step_name"),
            Column("node_type"),
            Column("result"),
            Column("hour"),
        ],
    }
}

/// Sorts rows of one table.
pub(super) fn sort(table: Table, rows: &mut [&Row]) {
    let place = |by: &By| {
        let index = table.columns().iter().position(|column| column.name == by.column());
        (*by, index)
    };
    let places: Vec<(By, Option<usize>)> = columns(table).iter().map(place).collect();
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
const PARTS_MAX: usize = 6;

fn key<'a>(row: &'a Row, places: &[(By, Option<usize>)]) -> [Part<'a>; PARTS_MAX] {
    let mut key = [Part::Null; PARTS_MAX];
    row.visit(|index, cell| {
        for ((by, place), part) in places.iter().zip(&mut key) {
            if *place != Some(index) {
                continue;
            }
            *part = match (cell, by) {
                (Cell::Time(value), By::Day(_)) => Part::Number(Span::Day.around(value).0),
                (Cell::Time(value) | Cell::Int(value), _) => Part::Number(value),
                (Cell::Text(value), _) => Part::Text(value),
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
    /// By which columns of the table.
    columns: Vec<(By, usize)>,
    converter: RowConverter,
    /// Whether rows come in the order of their run ids, and each has one.
    by_run: bool,
}

impl Keys {
    pub(super) fn new(table: Table) -> Result<Self> {
        let schema = arrow_schema(table);
        let column = |by: &By| Some((*by, schema.index_of(by.column()).ok()?));
        let columns: Vec<(By, usize)> = columns(table).iter().filter_map(column).collect();
        let kind = |it: &(By, usize)| SortField::new(schema.field(it.1).data_type().clone());
        let fields = columns.iter().map(kind);
        let converter = RowConverter::new(fields.collect()).map_err(|it| unsorted(table, it))?;
        // the bounds of a column that may be NULL say nothing of those rows, which come first
        let first = columns.first().map(|it| schema.field(it.1));
        let by_run = first.is_some_and(|it| it.name() == "run_id" && !it.is_nullable());
        Ok(Self { table, columns, converter, by_run })
    }

    /// The keys of rows in the columns of the table.
    pub(super) fn of(&self, batch: &RecordBatch) -> Result<Rows> {
        let values = |(by, column): &(By, usize)| {
            let values = batch.column(*column);
            match by {
                By::Column(_) => Arc::clone(values),
                By::Day(_) => days(values),
            }
        };
        let values: Vec<ArrayRef> = self.columns.iter().map(values).collect();
        self.converter.convert_columns(&values).map_err(|it| unsorted(self.table, it))
    }

    /// Keys one of which no row is below whose run id is not below this one; `None` where a run id
    /// says nothing about the order.
    pub(super) fn of_run(&self, run_id: &str) -> Result<Option<Rows>> {
        if !self.by_run {
            return Ok(None);
        }
        let schema = arrow_schema(self.table);
        let id: ArrayRef = Arc::new(StringArray::from(vec![run_id]));
        let null = |it: &(By, usize)| new_null_array(schema.field(it.1).data_type(), 1);
        let values: Vec<ArrayRef> =
            std::iter::once(id).chain(self.columns.iter().skip(1).map(null)).collect();
        let rows = self.converter.convert_columns(&values);
        rows.map(Some).map_err(|it| unsorted(self.table, it))
    }
}

/// When the days begin that times are in.
fn days(times: &ArrayRef) -> ArrayRef {
    match times.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(values) => {
            let days: TimestampMicrosecondArray = values.unary(|it| Span::Day.around(it).0);
            Arc::new(days.with_data_type(times.data_type().clone()))
        }
        None => Arc::clone(times),
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
            for by in columns(*table) {
                assert!(table.columns().iter().any(|it| it.name == by.column()), "{by:?}");
            }
        }
    }
}
