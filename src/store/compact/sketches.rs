//! Rows of `step_latency` with the same key become one: counts and sums are added, histograms too.
//! Works on rows that are sorted by the key; sketches that are not neighbours stay apart, which
//! readers do not mind.

use arrow::array::RecordBatch;
use hdrhistogram::Histogram;

use super::merge::{Failure, Piece};
use crate::error::{Error, Result};
use crate::event::{Row, StepLatencyRow, Table};
use crate::store::data_file::rows;
use crate::store::latency::{decode_histogram, empty_histogram, encode_histogram};
use crate::store::schema::BatchBuilder;

/// Rows that are handed on at once.
const ROWS_OUT: usize = 1_024;

/// Sketches on their way.
#[derive(Debug)]
pub(super) struct Summing {
    pending: Option<Pending>,
    done: BatchBuilder,
    /// Attempts that the rows so far stand for.
    pub(super) count: i64,
}

#[derive(Debug)]
struct Pending {
    row: StepLatencyRow,
    histogram: Histogram<u64>,
    /// Whether the row's own bytes are not those of the histogram any more.
    is_sum: bool,
}

impl Summing {
    pub(super) fn new() -> Self {
        Self { pending: None, done: BatchBuilder::new(Table::StepLatency), count: 0 }
    }

    /// Takes rows; gives those that are complete, if they are many.
    pub(super) fn add(&mut self, piece: &Piece) -> Result<Option<RecordBatch>, Failure> {
        let failed = Failure::of(piece.source);
        let mut result = Ok(());
        rows(
            Table::StepLatency,
            &piece.batch,
            |_| true,
            |row| {
                if let Row::StepLatency(row) = row
                    && result.is_ok()
                {
                    result = self.add_row(row, &failed);
                }
            },
        )
        .map_err(|source| failed(Error::damaged("it holds no sketch").with_source(source)))?;
        result?;
        Ok(if self.done.len() >= ROWS_OUT { Some(self.done.finish()?) } else { None })
    }

    /// The rest.
    pub(super) fn finish(mut self) -> Result<RecordBatch> {
        self.complete()?;
        self.done.finish()
    }

    fn add_row(
        &mut self,
        row: StepLatencyRow,
        failed: &impl Fn(Error) -> Failure,
    ) -> Result<(), Failure> {
        // also of a row that nothing is added to: a sketch that nobody can read is not copied
        let histogram = decode_histogram(&row.histogram).map_err(failed)?;
        self.count = self.count.saturating_add(row.count);
        if let Some(pending) = self.pending.as_mut().filter(|it| is_same(&it.row, &row)) {
            return pending.add(&row, &histogram).map_err(failed);
        }
        self.complete()?;
        self.pending = Some(Pending { row, histogram, is_sum: false });
        Ok(())
    }

    fn complete(&mut self) -> Result<()> {
        let Some(mut pending) = self.pending.take() else { return Ok(()) };
        if pending.is_sum {
            pending.row.histogram = encode_histogram(&pending.histogram)?;
        }
        self.done.push(&Row::StepLatency(pending.row))
    }
}

impl Pending {
    fn add(&mut self, row: &StepLatencyRow, histogram: &Histogram<u64>) -> Result<()> {
        if !self.is_sum {
            // the one that was read grows no further than its own largest value
            let first = std::mem::replace(&mut self.histogram, empty_histogram()?);
            self.sum(&first)?;
            self.is_sum = true;
        }
        self.sum(histogram)?;
        let into = &mut self.row;
        into.count = into.count.saturating_add(row.count);
        into.sum_ns = into.sum_ns.saturating_add(row.sum_ns);
        into.min_ns = into.min_ns.min(row.min_ns);
        into.max_ns = into.max_ns.max(row.max_ns);
        Ok(())
    }

    fn sum(&mut self, histogram: &Histogram<u64>) -> Result<()> {
        self.histogram
            .add(histogram)
            .map_err(|source| Error::damaged("its histograms cannot be summed").with_source(source))
    }
}

fn is_same(a: &StepLatencyRow, b: &StepLatencyRow) -> bool {
    let key = |it: &StepLatencyRow| {
        let StepLatencyRow { hour, pipeline_name, step_name, node_type, result, .. } = it.clone();
        (hour, pipeline_name, step_name, node_type, result)
    };
    key(a) == key(b)
}

#[cfg(test)]
mod tests;
