//! The rows of one file under the rules of its table: counted, or written anew without those that
//! go. Commits nothing.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::plan::{Bounds, Cut, Facts, time_column};
use super::runs::Known;
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::data_file::{each_batch, texts, times, whole};
use crate::store::files::FileSource;
use crate::store::segment_writer::SegmentWriter;
use crate::store::snapshot::DataFile;

/// Memory of the rows that are read at a time.
const BATCH_BYTES: usize = 8 << 20;

/// Rows of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    /// Of these, how many go.
    pub(super) gone: u64,
}

/// What sorts the rows of one file.
pub(super) struct Sieve<'a> {
    pub(super) table: Table,
    pub(super) cut: &'a Cut,
    pub(super) known: Known<'a>,
    pub(super) file: &'a DataFile,
}

impl Sieve<'_> {
    /// Counts the rows, reading no more columns than it needs.
    pub(super) fn count(&self, source: &FileSource) -> Result<Counts> {
        // one that each table has: a file without any other column would seem to have no row
        let first = self.table.columns().first().map(|it| it.name);
        let columns =
            ["run_id", "batch_id"].into_iter().chain(first).chain(time_column(self.table));
        let columns: Vec<&str> = columns.collect();
        let mut counts = Counts::default();
        each_batch(source, self.file, &columns, |batch| {
            counts.rows += batch.num_rows() as u64;
            counts.gone += self.stays(&batch).false_count() as u64;
        })?;
        Ok(counts)
    }

    /// Writes the rows that stay, in their order, as a file of their own.
    pub(super) fn rewrite(
        &self,
        source: &FileSource,
        writer: &mut SegmentWriter<'_>,
    ) -> Result<Counts> {
        let mut counts = Counts::default();
        let file = self.file;
        if !source.files().is_remote() {
            file.check_present(source)?; // elsewhere that would be a request of its own
        }
        let input = Arc::clone(source.files()).open(&file.path, file.size_bytes)?;
        for batch in whole(input, self.table, file, BATCH_BYTES)? {
            let batch = batch?;
            let stays = self.stays(&batch);
            counts.rows += batch.num_rows() as u64;
            counts.gone += stays.false_count() as u64;
            let kept = filter_record_batch(&batch, &stays).map_err(|source| {
                Error::internal(format!("cannot filter rows of {}", self.table.name()))
                    .with_source(source)
            })?;
            writer.write(&kept)?;
        }
        writer.end_file()?;
        Ok(counts)
    }

    fn stays(&self, batch: &RecordBatch) -> BooleanArray {
        let (runs, batches) = (texts(batch, "run_id"), texts(batch, "batch_id"));
        let batches = batches.filter(|_| self.cut.asks_for_batches());
        let column = time_column(self.table).and_then(|it| times(batch, it));
        let committed_us = Bounds::of(self.file).committed_us;
        let stays = |row: usize| {
            let facts = Facts {
                run_id: runs.filter(|it| it.is_valid(row)).map(|it| it.value(row)),
                batch_id: batches.filter(|it| it.is_valid(row)).map(|it| it.value(row)),
                time_us: column.filter(|it| it.is_valid(row)).map(|it| it.value(row)),
            };
            !self.cut.goes(facts, self.known.standing(facts), committed_us)
        };
        (0..batch.num_rows()).map(|row| Some(stays(row))).collect()
    }
}
