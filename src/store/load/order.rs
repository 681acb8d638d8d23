//! Rows in batches, put into the order that `store::order` gives to a table. Rows that come in
//! order stay as they are and cost one look each.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::row::OwnedRow;

use crate::error::Result;
use crate::event::Table;
use crate::store::order::{Keys, unsorted};
use crate::store::schema::arrow_schema;

/// Rows of the batches that are handed on.
const BATCH_ROWS: usize = 8 * 1024;

/// The first and the last key of rows in order.
pub(super) fn ends(keys: &Keys, batch: &RecordBatch) -> Result<Option<[OwnedRow; 2]>> {
    let Some(last) = batch.num_rows().checked_sub(1) else { return Ok(None) };
    let (first, last) = (keys.of(&batch.slice(0, 1))?, keys.of(&batch.slice(last, 1))?);
    Ok(Some([first.row(0).owned(), last.row(0).owned()]))
}

/// Rows of a table that are put in order together.
#[derive(Debug)]
pub(super) struct Chunk {
    table: Table,
    keys: Keys,
    batches: Vec<RecordBatch>,
    pub(super) rows: usize,
    pub(super) size_bytes: usize,
    is_sorted: bool,
    /// The last key, as long as the rows come in order.
    last: Option<OwnedRow>,
}

impl Chunk {
    pub(super) fn new(table: Table) -> Result<Self> {
        let (keys, batches) = (Keys::new(table)?, Vec::new());
        Ok(Self { table, keys, batches, rows: 0, size_bytes: 0, is_sorted: true, last: None })
    }

    /// Adds rows at the end.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if self.is_sorted
            && let Some(last) = batch.num_rows().checked_sub(1)
        {
            let keys = self.keys.of(&batch)?;
            let follows = self.last.as_ref().is_none_or(|it| it.row() <= keys.row(0));
            let within = (0..last).all(|row| keys.row(row) <= keys.row(row + 1));
            self.is_sorted = follows && within;
            self.last = Some(keys.row(last).owned());
        }
        self.rows += batch.num_rows();
        self.size_bytes += batch.get_array_memory_size();
        self.batches.push(batch);
        Ok(())
    }

    /// The rows in order, in batches.
    pub(super) fn sorted(self) -> Result<Sorted> {
        let table = self.table;
        if self.is_sorted {
            return Ok(Sorted { table, batches: self.batches.into_iter(), taken: None });
        }
        let whole = concat_batches(&arrow_schema(table), &self.batches)
            .map_err(|it| unsorted(table, it))?;
        drop(self.batches);
        let keys = self.keys.of(&whole)?;
        let mut rows: Vec<u32> = (0..).take(whole.num_rows()).collect();
        // stable: rows that are equal stay as they were
        rows.sort_by(|a, b| keys.row(*a as usize).cmp(&keys.row(*b as usize)));
        let taken = Some(Taken { whole, order: UInt32Array::from(rows), next: 0 });
        Ok(Sorted { table, batches: Vec::new().into_iter(), taken })
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
        Some(take_record_batch(&taken.whole, &order).map_err(|it| unsorted(self.table, it)))
    }
}

#[cfg(test)]
mod tests;
