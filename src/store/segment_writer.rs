//! Rows of one table, in their order, to data files of a good size, as they come: for whoever has
//! more rows than memory. The files are durable and part of no table until they are committed.

use super::flush::Writing;
use super::segment::{Encoder, Segment};
use crate::error::Result;
use crate::event::Table;
use arrow::array::RecordBatch;

/// A file that has this size gets no more rows: 96 MiB, so that most lie between 64 and 128.
const FILE_BYTES: u64 = 96 << 20;

/// Data files on their way. Dropped without [`SegmentWriter::finish`], it removes what it wrote.
#[derive(Debug)]
pub(super) struct SegmentWriter<'w> {
    writing: &'w Writing,
    table: Table,
    encoder: Option<Encoder>,
    segments: Vec<Segment>,
}

impl<'w> SegmentWriter<'w> {
    /// No rows yet.
    pub(super) fn new(writing: &'w Writing, table: Table) -> Self {
        Self { writing, table, encoder: None, segments: Vec::new() }
    }

    /// Adds rows, in the table's schema, that come after those before. A new file is begun where
    /// the last one is large enough.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let encoder = match &mut self.encoder {
            Some(encoder) => encoder,
            None => self.encoder.insert(Encoder::new(self.table)?),
        };
        encoder.write(batch)?;
        if encoder.size_bytes() >= FILE_BYTES { self.end_file() } else { Ok(()) }
    }

    /// Ends the last file: the next rows begin a new one.
    pub(super) fn end_file(&mut self) -> Result<()> {
        let Some(encoder) = self.encoder.take() else { return Ok(()) };
        let folder = self.writing.layout.table(self.table);
        let files = &**self.writing.files();
        self.segments.push(encoder.finish()?.place(files, &*self.writing.ids, &folder)?);
        Ok(())
    }

    /// The files, in the order of their rows.
    pub(super) fn finish(mut self) -> Result<Vec<Segment>> {
        self.end_file()?;
        Ok(std::mem::take(&mut self.segments))
    }
}

impl Drop for SegmentWriter<'_> {
    fn drop(&mut self) {
        remove(self.writing, self.table, &std::mem::take(&mut self.segments));
    }
}

/// Removes files that were written and will not be committed. One that stays is a stray, which a
/// vacuum removes.
pub(super) fn remove(writing: &Writing, table: Table, segments: &[Segment]) {
    let folder = writing.layout.table(table);
    for segment in segments {
        drop(writing.files().remove(&folder.join(&segment.name)));
    }
}
