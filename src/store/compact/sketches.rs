//! Rows of `step_latency` with the same key become one: counts and sums are added, histograms too.
//! Works on rows in the order of their days; sketches of an hour that lie further apart stay apart,
//! which readers do not mind.

use arrow::array::RecordBatch;

use super::merge::{Failure, Piece};
use crate::error::{Error, Result};
use crate::event::{Row, Table};
use crate::store::data_file::rows;
use crate::store::latency::{Span, SpanSums};
use crate::store::schema::BatchBuilder;

/// Rows that are handed on at once.
const ROWS_OUT: usize = 1_024;

/// Sketches on their way.
#[derive(Debug)]
pub(super) struct Summing {
    hours: SpanSums,
    done: BatchBuilder,
    /// Attempts that the rows so far stand for.
    pub(super) count: i64,
}

impl Summing {
    pub(super) fn new() -> Self {
        let (hours, done) = (SpanSums::over(Span::Hour), BatchBuilder::new(Table::StepLatency));
        Self { hours, done, count: 0 }
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
                if result.is_ok() {
                    result = self.add_row(&row, &failed);
                }
            },
        )
        .map_err(|source| failed(Error::damaged("it holds no sketch").with_source(source)))?;
        result?;
        Ok(if self.done.len() >= ROWS_OUT { Some(self.done.finish()?) } else { None })
    }

    /// The rest.
    pub(super) fn finish(mut self) -> Result<RecordBatch> {
        self.hours.take().iter().try_for_each(|it| self.done.push(it))?;
        self.done.finish()
    }

    fn add_row(&mut self, row: &Row, failed: &impl Fn(Error) -> Failure) -> Result<(), Failure> {
        let Row::StepLatency(row) = row else { return Ok(()) };
        let done = self
            .hours
            .add(row)
            .map_err(|it| failed(Error::damaged("it holds no histogram").with_source(it)))?;
        done.iter().try_for_each(|it| self.done.push(it))?;
        self.count = self.count.saturating_add(row.count);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
