//! Statistics of a data file for its `add` action, written and read: few columns, so that a log
//! stays small in memory. Parquet's own statistics hold the rest.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::TimestampMicrosecondType;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::event::{Table, Text};

/// Columns that readers skip files by.
const COLUMNS: [&str; 5] = ["run_id", "batch_id", "start_time", "time", "hour"];
/// Longer text would have to be cut, and cut bounds are easily wrong.
const TEXT_BYTES_MAX: usize = 64;

/// Bounds of one column so far.
#[derive(Debug, Default)]
struct Bounds {
    text: Option<(String, String)>,
    time_us: Option<(i64, i64)>,
    nulls: u64,
}

/// The `stats` of a data file, from its rows as they are written.
#[derive(Debug)]
pub(in crate::store) struct StatsBuilder {
    rows: u64,
    columns: Vec<(&'static str, Bounds)>,
}

impl StatsBuilder {
    /// No rows yet.
    pub(in crate::store) fn new(table: Table) -> Self {
        let known = table.columns().iter().filter(|it| COLUMNS.contains(&it.name));
        Self { rows: 0, columns: known.map(|it| (it.name, Bounds::default())).collect() }
    }

    /// The columns that are looked at.
    pub(in crate::store) fn columns() -> impl Iterator<Item = &'static str> {
        COLUMNS.into_iter()
    }

    /// Takes notice of rows in the table's schema.
    pub(in crate::store) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (name, bounds) in &mut self.columns {
            match batch.column_by_name(name) {
                Some(column) => bounds.add(column),
                None => bounds.nulls += batch.num_rows() as u64,
            }
        }
    }

    /// The statistics in Delta's JSON form.
    pub(in crate::store) fn finish(self) -> String {
        let (mut minima, mut maxima, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (name, bounds) in self.columns {
            nulls.insert(name.to_owned(), Value::from(bounds.nulls));
            if let Some((min, max)) = bounds.pair() {
                minima.insert(name.to_owned(), min);
                maxima.insert(name.to_owned(), max);
            }
        }
        json!({
            "numRecords": self.rows,
            "minValues": minima,
            "maxValues": maxima,
            "nullCount": nulls,
        })
        .to_string()
    }
}

impl Bounds {
    fn add(&mut self, column: &dyn Array) {
        self.nulls += column.null_count() as u64;
        if let Some(values) = column.as_string_opt::<i32>() {
            let (Some(min), Some(max)) = (min_string(values), max_string(values)) else { return };
            match &mut self.text {
                Some(known) => {
                    if min < known.0.as_str() {
                        min.clone_into(&mut known.0);
                    }
                    if max > known.1.as_str() {
                        max.clone_into(&mut known.1);
                    }
                }
                None => self.text = Some((min.to_owned(), max.to_owned())),
            }
        } else if let Some(values) = column.as_primitive_opt::<TimestampMicrosecondType>()
            && let (Some(low), Some(high)) = (min(values), max(values))
        {
            let known = self.time_us.unwrap_or((low, high));
            self.time_us = Some((known.0.min(low), known.1.max(high)));
        }
    }

    fn pair(&self) -> Option<(Value, Value)> {
        if let Some((min, max)) = &self.text {
            let short = min.len().max(max.len()) <= TEXT_BYTES_MAX;
            return short.then(|| (Value::from(min.as_str()), Value::from(max.as_str())));
        }
        let (min, max) = self.time_us?;
        timestamp(min.div_euclid(1_000))
            .zip(timestamp(max.div_euclid(1_000) + i64::from(max.rem_euclid(1_000) > 0)))
    }
}

/// A bound in milliseconds, the precision that the protocol gives to timestamps here: minima are
/// rounded down and maxima up, so that they hold for every row.
fn timestamp(ms: i64) -> Option<Value> {
    let time = chrono::DateTime::from_timestamp_millis(ms)?;
    Some(Value::from(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)))
}

/// The part of a file's statistics that is used here. A foreign tool may leave out any of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FileStats {
    num_records: Option<u64>,
    min_values: FileBounds,
    max_values: FileBounds,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FileBounds {
    run_id: Option<Text>,
    batch_id: Option<Text>,
    start_time: Option<String>,
    time: Option<String>,
    hour: Option<String>,
}

impl FileBounds {
    fn time_us(&self) -> Option<i64> {
        let time = self.start_time.as_ref().or(self.time.as_ref()).or(self.hour.as_ref())?;
        Some(chrono::DateTime::parse_from_rfc3339(time).ok()?.timestamp_micros())
    }
}

impl FileStats {
    /// Reads the `stats` of an `add`; what does not parse says nothing.
    pub(super) fn parse(stats: &str) -> Self {
        serde_json::from_str(stats).unwrap_or_default()
    }

    /// Rows in the file.
    pub(super) fn rows(&self) -> Option<u64> {
        self.num_records
    }

    /// Bounds of `run_id`; none for a file with no run id, or with one too long for a bound.
    pub(super) fn run_ids(&self) -> Option<(Text, Text)> {
        self.min_values.run_id.clone().zip(self.max_values.run_id.clone())
    }

    /// Bounds of `batch_id`, as of `run_id`.
    pub(super) fn batch_ids(&self) -> Option<(Text, Text)> {
        self.min_values.batch_id.clone().zip(self.max_values.batch_id.clone())
    }

    /// Bounds of the time of the rows, `start_time`, `time` or `hour`, in microseconds: rounded to
    /// a millisecond, down and up.
    pub(super) fn times_us(&self) -> Option<(i64, i64)> {
        self.min_values.time_us().zip(self.max_values.time_us())
    }
}

#[cfg(test)]
mod tests;
