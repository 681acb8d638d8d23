//! Statistics of a data file for its `add` action, written and read: few columns, so that a log
//! stays small in memory. Parquet's own statistics hold the rest.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::event::{Cell, Row, Table, Text};

/// Columns that readers skip files by.
const COLUMNS: [&str; 5] = ["run_id", "batch_id", "start_time", "time", "hour"];
/// Longer text would have to be cut, and cut bounds are easily wrong.
const TEXT_BYTES_MAX: usize = 64;

#[derive(Default)]
struct Bounds<'a> {
    text: Option<(&'a str, &'a str)>,
    time: Option<(i64, i64)>,
    nulls: u64,
}

/// The `stats` of a file with these rows.
pub(in crate::store) fn stats(table: Table, rows: &[&Row]) -> String {
    let mut columns: BTreeMap<usize, Bounds<'_>> = BTreeMap::new();
    for (index, column) in table.columns().iter().enumerate() {
        if COLUMNS.contains(&column.name) {
            columns.insert(index, Bounds::default());
        }
    }
    for row in rows {
        row.visit(|index, cell| {
            if let Some(bounds) = columns.get_mut(&index) {
                bounds.add(cell);
            }
        });
    }
    let (mut minima, mut maxima, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (index, bounds) in columns {
        let Some(column) = table.columns().get(index) else { continue };
        let name = column.name.to_owned();
        nulls.insert(name.clone(), Value::from(bounds.nulls));
        let pair = match bounds {
            Bounds { text: Some((min, max)), .. } if min.len().max(max.len()) <= TEXT_BYTES_MAX => {
                Some((Value::from(min), Value::from(max)))
            }
            Bounds { time: Some((min, max)), .. } => timestamp(min.div_euclid(1_000))
                .zip(timestamp(max.div_euclid(1_000) + i64::from(max.rem_euclid(1_000) > 0))),
            _ => None,
        };
        if let Some((min, max)) = pair {
            minima.insert(name.clone(), min);
            maxima.insert(name, max);
        }
    }
    json!({
        "numRecords": rows.len(),
        "minValues": minima,
        "maxValues": maxima,
        "nullCount": nulls,
    })
    .to_string()
}

impl<'a> Bounds<'a> {
    fn add(&mut self, cell: Cell<'a>) {
        match cell {
            Cell::Text(value) => {
                let (min, max) = self.text.unwrap_or((value, value));
                self.text = Some((min.min(value), max.max(value)));
            }
            Cell::Time(value) => {
                let (min, max) = self.time.unwrap_or((value, value));
                self.time = Some((min.min(value), max.max(value)));
            }
            _ => self.nulls += 1,
        }
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
    start_time: Option<String>,
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

    /// The earliest `start_time` in microseconds, rounded down to a millisecond.
    pub(super) fn oldest_us(&self) -> Option<i64> {
        let time = self.min_values.start_time.as_deref()?;
        Some(chrono::DateTime::parse_from_rfc3339(time).ok()?.timestamp_micros())
    }
}

#[cfg(test)]
mod tests;
