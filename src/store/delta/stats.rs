//! Statistics of a data file for its `add` action: few columns, so that a log stays small in
//! memory. Parquet's own statistics hold the rest.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::event::{Cell, Row, Table};

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

#[cfg(test)]
mod tests;
