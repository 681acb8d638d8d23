//! The order of rows in a data file, for rows in batches: the same as `segment` gives to single
//! rows. Rows that come in order stay as they are and cost one look each.

use arrow::array::{Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};

use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::data_file::{texts, times};

/// Rows of the batches that are handed on.
const BATCH_ROWS: usize = 8 * 1024;

/// What a row is sorted by: a text, then a time.
type Key<'a> = (&'a str, i64);

/// The keys of a batch.
struct Keys<'a> {
    text: Option<&'a StringArray>,
    time: Option<&'a TimestampMicrosecondArray>,
}

impl<'a> Keys<'a> {
    fn of(table: Table, batch: &'a RecordBatch) -> Self {
        let (text, time) = match table {
            Table::Runs | Table::Steps | Table::Issues | Table::Scores | Table::Artifacts => {
                (Some("run_id"), None)
            }
            Table::Metrics => (Some("run_id"), Some("time")),
            Table::LlmCalls => (Some("run_id"), Some("start_time")),
            Table::Contracts => (Some("contract_digest"), None),
            Table::Batches => (Some("batch_id"), None),
            Table::Baselines | Table::Alerts => (None, Some("time")),
            Table::StepLatency => (None, Some("hour")),
        };
        Self {
            text: text.and_then(|it| texts(batch, it)),
            time: time.and_then(|it| times(batch, it)),
        }
    }

    fn key(&self, row: usize) -> Key<'a> {
        let text = self.text.filter(|it| it.is_valid(row)).map_or("", |it| it.value(row));
        (text, self.time.map_or(0, |it| it.value(row)))
    }

    /// The first bytes of the key, so that most comparisons are of two numbers.
    fn prefix(&self, row: usize) -> u128 {
        let mut bytes = [0; 16];
        let (text, time) = self.key(row);
        if self.text.is_some() {
            bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
            u128::from_be_bytes(bytes)
        } else {
            // from the earliest time on
            u128::from(time.abs_diff(i64::MIN))
        }
    }
}

/// Rows of a table that are put in order together.
#[derive(Debug)]
pub(super) struct Chunk {
    table: Table,
    batches: Vec<RecordBatch>,
    pub(super) rows: usize,
    pub(super) size_bytes: usize,
    is_sorted: bool,
    /// The last key, as long as the rows come in order.
    last: (String, i64),
}

impl Chunk {
    pub(super) fn new(table: Table) -> Self {
        let last = (String::new(), i64::MIN);
        Self { table, batches: Vec::new(), rows: 0, size_bytes: 0, is_sorted: true, last }
    }

    /// Adds rows at the end.
    pub(super) fn push(&mut self, batch: RecordBatch) {
        let rows = batch.num_rows();
        if self.is_sorted && rows > 0 {
            let keys = Keys::of(self.table, &batch);
            let mut before = (self.last.0.as_str(), self.last.1);
            for row in 0..rows {
                let key = keys.key(row);
                if key < before {
                    self.is_sorted = false;
                    break;
                }
                before = key;
            }
            let last = (before.0.to_owned(), before.1);
            self.last = last;
        }
        self.rows += rows;
        self.size_bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }

    /// The rows in order, in batches.
    pub(super) fn sorted(self) -> Result<Sorted> {
        if self.is_sorted {
            return Ok(Sorted {
                table: self.table,
                batches: self.batches.into_iter(),
                taken: None,
            });
        }
        let failed = |source| {
            Error::internal(format!("cannot sort {}", self.table.name())).with_source(source)
        };
        let Some(schema) = self.batches.first().map(RecordBatch::schema) else {
            return Err(Error::internal("a chunk without rows is out of order"));
        };
        let whole = concat_batches(&schema, &self.batches).map_err(failed)?;
        drop(self.batches);
        let keys = Keys::of(self.table, &whole);
        let mut rows: Vec<(u128, u32)> =
            (0..whole.num_rows()).zip(0..).map(|(row, at)| (keys.prefix(row), at)).collect();
        // stable, as the sort of single rows
        rows.sort_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| keys.key(a.1 as usize).cmp(&keys.key(b.1 as usize)))
        });
        let order = UInt32Array::from_iter_values(rows.into_iter().map(|(_, row)| row));
        let taken = Some(Taken { whole, order, next: 0 });
        Ok(Sorted { table: self.table, batches: Vec::new().into_iter(), taken })
    }
}

/// The rows of a chunk in order.
pub(super) struct Sorted {
    table: Table,
    batches: std::vec::IntoIter<RecordBatch>,
    taken: Option<Taken>,
}

struct Taken {
    whole: RecordBatch,
    order: UInt32Array,
    next: usize,
}

impl Iterator for Sorted {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(taken) = &mut self.taken else { return self.batches.next().map(Ok) };
        let rows = BATCH_ROWS.min(taken.order.len() - taken.next);
        if rows == 0 {
            return None;
        }
        let order = taken.order.slice(taken.next, rows);
        taken.next += rows;
        Some(take_record_batch(&taken.whole, &order).map_err(|source| {
            Error::internal(format!("cannot sort {}", self.table.name())).with_source(source)
        }))
    }
}

/// The first and the last key of rows in order.
pub(super) fn ends(table: Table, batch: &RecordBatch) -> Option<[(String, i64); 2]> {
    let last = batch.num_rows().checked_sub(1)?;
    let keys = Keys::of(table, batch);
    let owned = |row| {
        let (text, time) = keys.key(row);
        (text.to_owned(), time)
    };
    Some([owned(0), owned(last)])
}

#[cfg(test)]
mod tests;
