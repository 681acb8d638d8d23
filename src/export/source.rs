//! What is exported, and where its rows and their days come from. Asks nothing itself.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema, TimeUnit, TimestampMicrosecondType};

use super::names;
use super::runs::{Runs, day_of};
use crate::error::{Error, Result};
use crate::event::{ColumnType, Table};
use crate::sql::{ParamValue, Params};

/// What is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Tables of the store.
    Tables(Vec<Table>),
    /// The result of a query, under a name.
    Query {
        /// Its name, which is also that of its folder.
        name: String,
        /// Its text.
        sql: String,
    },
}

/// Columns that say when a row was, the best first.
const TIMES: [&str; 4] = ["start_time", "time", "hour", "first_seen_time"];

/// The rows of one hour are one row of `step_latency`.
const HOUR_US: i64 = 3_600_000_000;

impl What {
    /// The names of its folders.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Tables(tables) => tables.iter().map(|it| it.name()).collect(),
            Self::Query { name, .. } => vec![name],
        }
    }

    /// Checks its names.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Tables(_) => Ok(()),
            Self::Query { name, .. } => names::check_result(name),
        }
    }
}

/// Which rows of a table are read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted<'a> {
    /// Those of these runs; of all, if there are none.
    pub(super) runs: Option<&'a Runs>,
    /// Those of this time or later, in tables without runs.
    pub(super) since_us: Option<i64>,
}

/// Whether the rows of a table belong to runs.
pub(super) fn has_runs(table: Table) -> bool {
    table.columns().iter().any(|it| it.name == "run_id")
}

/// The query that gives the rows of a table, and perhaps some more of other runs.
pub(super) fn query(table: Table, wanted: Wanted<'_>) -> (String, Params) {
    let mut params = Params::new();
    let mut conditions: Vec<String> = Vec::new();
    if let Some(runs) = wanted.runs.filter(|_| has_runs(table)) {
        match &runs.first_id {
            Some(first) => {
                params.insert("first".to_owned(), ParamValue::Text(first.clone()));
                conditions.push("run_id >= $first".to_owned());
            }
            None => conditions.push("false".to_owned()),
        }
        if table.columns().iter().any(|it| it.name == "run_id" && it.nullable) {
            let since = since(table, wanted.since_us, &mut params);
            let since = since.map(|it| format!(" AND {it}")).unwrap_or_default();
            conditions.push(format!("(run_id IS NULL{since})"));
        }
    } else if !has_runs(table) {
        conditions.extend(since(table, wanted.since_us, &mut params));
    }
    let name = table.name();
    match conditions.is_empty() {
        true => (format!("SELECT * FROM {name}"), params),
        false => (format!("SELECT * FROM {name} WHERE {}", conditions.join(" OR ")), params),
    }
}

/// The condition that a row of a table is of a time or later. Contracts come whole: runs refer to
/// contracts that were first seen long before.
fn since(table: Table, since_us: Option<i64>, params: &mut Params) -> Option<String> {
    let since_us = since_us?;
    let (column, from_us) = match table {
        Table::Contracts => return None,
        Table::StepLatency => ("hour", since_us - since_us.rem_euclid(HOUR_US)),
        table => (time_column(table)?, since_us),
    };
    params.insert("since".to_owned(), ParamValue::Time(from_us));
    Some(format!("{column} >= $since"))
}

/// The column that says when a row of a table was; `None` for one that goes by its runs.
pub(super) fn time_column(table: Table) -> Option<&'static str> {
    let has = |name: &&&str| {
        table.columns().iter().any(|it| it.name == **name && it.kind == ColumnType::Time)
    };
    TIMES.iter().find(has).copied()
}

/// The column by which the rows of a query go to days: one of the usual names, else the only time.
///
/// # Errors
/// `Usage`: there is none, or more than one.
pub(super) fn time_column_of(schema: &Schema) -> Result<usize> {
    let is_time = |kind: &DataType| {
        matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
    };
    let fields = schema.fields().iter().enumerate();
    let times: Vec<_> = fields.filter(|(_, it)| is_time(it.data_type())).collect();
    let usual = TIMES.iter().find_map(|name| times.iter().find(|(_, it)| it.name() == name));
    match (usual, times.as_slice()) {
        (Some((index, _)), _) | (None, [(index, _)]) => Ok(*index),
        (None, []) => Err(Error::usage("the result of the query has no column with a time")
            .with_hint("Select one, or leave --partition-by out.")),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|(_, it)| it.name().as_str()).collect();
            let message = format!("the days could go by {}", names.join(" or "));
            Err(Error::usage(message).with_hint("Name the one that counts: SELECT … AS time."))
        }
    }
}

/// For each row, the day of a time.
pub(super) fn days(times: &ArrayRef) -> Result<Vec<Option<i32>>> {
    let times = match times.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Arc::clone(times),
        _ => cast(times, &DataType::Timestamp(TimeUnit::Microsecond, None))
            .map_err(|it| Error::invalid("a time cannot be read as one").with_source(it))?,
    };
    let times = times.as_primitive::<TimestampMicrosecondType>();
    Ok(times.iter().map(|it| it.map(day_of)).collect())
}

/// The rows of a batch by their days, each day once, in the order in which they come first.
pub(super) fn by_day(
    batch: &RecordBatch,
    days: &[Option<i32>],
) -> Result<Vec<(Option<i32>, RecordBatch)>> {
    let Some(first) = days.first() else { return Ok(Vec::new()) };
    if days.iter().all(|it| it == first) {
        return Ok(vec![(*first, batch.clone())]);
    }
    let mut rows: Vec<(Option<i32>, Vec<u32>)> = Vec::new();
    for (row, day) in days.iter().enumerate() {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        match rows.iter_mut().find(|(it, _)| it == day) {
            Some((_, rows)) => rows.push(row),
            None => rows.push((*day, vec![row])),
        }
    }
    let take = |rows: Vec<u32>| {
        arrow::compute::take_record_batch(batch, &arrow::array::UInt32Array::from(rows))
            .map_err(|it| Error::internal("cannot take rows").with_source(it))
    };
    rows.into_iter().map(|(day, rows)| Ok((day, take(rows)?))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn every_table_has_a_time_or_runs() {
        for table in Table::ALL {
            assert!(time_column(*table).is_some() || has_runs(*table), "{}", table.name());
        }
        assert_eq!(time_column(Table::Steps), Some("start_time"));
        assert_eq!(time_column(Table::Artifacts), None);
    }

    #[test]
    fn a_query_says_which_time_counts() {
        let field = |name: &str, kind| arrow::datatypes::Field::new(name, kind, true);
        let time = || DataType::Timestamp(TimeUnit::Nanosecond, None);
        let schema = |names: &[&str]| {
            let times = names.iter().map(|it| field(it, time()));
            Schema::new(times.chain([field("n", DataType::Int64)]).collect::<Vec<_>>())
        };
        assert_eq!(time_column_of(&schema(&["x"])).unwrap(), 0);
        assert_eq!(time_column_of(&schema(&["x", "time"])).unwrap(), 1);
        let error = time_column_of(&schema(&["x", "y"])).unwrap_err();
        assert_eq!(error.message(), "the days could go by x or y");
        assert!(time_column_of(&schema(&[])).unwrap_err().message().contains("no column"));
    }
}
