//! Rows of one table to data files: the caller's thread reads and notes keys, another puts chunks
//! in order and encodes them. A chunk is handed over, none waits between the two.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use arrow::array::RecordBatch;
use arrow::row::OwnedRow;

use super::keys::TableKeys;
use super::order::{Chunk, ends};
use super::{LoadOptions, Sink};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;
use crate::store::flush::Writing;
use crate::store::latency::Sketches;
use crate::store::order::Keys;
use crate::store::schema::to_batch;
use crate::store::segment::Segment;
use crate::store::segment_writer::SegmentWriter;

/// Rows of sketches that are encoded together.
const SKETCH_ROWS: usize = 4 * 1024;

/// Rows, and the data files that hold them: none of a load that writes nothing.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) rows: u64,
    pub(super) segments: Vec<Segment>,
}

/// What became of the rows of a table. What was written is told also after an error.
pub(super) struct Filled {
    pub(super) keys: Result<TableKeys>,
    pub(super) rows: Written,
    pub(super) sketches: Written,
}

/// Takes the rows that `read` puts into its sink.
pub(super) fn fill(
    writing: Option<&Writing>,
    table: Table,
    options: LoadOptions,
    read: impl FnOnce(Sink<'_>) -> Result<()>,
) -> Filled {
    let mut sketches = SketchFiles::new(writing, options.sketch_bytes_max);
    let (keys, rows) = thread::scope(|scope| {
        let (sender, chunks) = sync_channel(0);
        let builder = thread::Builder::new().name("genstore-load".to_owned());
        let encoder = match builder.spawn_scoped(scope, move || encode(writing, table, &chunks)) {
            Ok(encoder) => encoder,
            Err(source) => {
                let error = Error::failed("cannot start a thread").with_source(source);
                return (Err(error), Written::default());
            }
        };
        let keys = TableKeys::new(table, options.keyed_rows_max);
        let mut rows = Rows { options, keys, chunk: None, sender };
        let was_read = read(&mut |batch, has_sketches| {
            if has_sketches {
                sketches.add(&batch)?;
            }
            rows.add(batch)
        });
        let keys = was_read.and_then(|()| rows.finish());
        match encoder.join().unwrap_or_else(|_| Err(ended())) {
            Ok(written) => (keys, written),
            // of two errors, one only says that the other side has ended
            Err(error) => match keys {
                Err(cause) if cause.kind() != ErrorKind::Internal => {
                    (Err(cause), Written::default())
                }
                _ => (Err(error), Written::default()),
            },
        }
    });
    match keys.and_then(|keys| Ok((keys, sketches.finish()?))) {
        Ok((keys, sketches)) => Filled { keys: Ok(keys), rows, sketches },
        Err(error) => Filled { keys: Err(error), rows, sketches: Written::default() },
    }
}

fn ended() -> Error {
    Error::internal("the thread that writes rows has ended early")
}

/// Rows on their way to the encoder, which takes `None` for the end.
struct Rows {
    options: LoadOptions,
    keys: TableKeys,
    chunk: Option<Chunk>,
    sender: SyncSender<Option<Chunk>>,
}

impl Rows {
    fn add(&mut self, batch: RecordBatch) -> Result<()> {
        self.keys.add(&batch)?;
        let chunk = match &mut self.chunk {
            Some(chunk) => chunk,
            None => self.chunk.insert(Chunk::new(self.keys.table)?),
        };
        chunk.push(batch)?;
        let LoadOptions { chunk_rows_max, chunk_bytes_max, .. } = self.options;
        if chunk.rows >= chunk_rows_max || chunk.size_bytes >= chunk_bytes_max {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        let Some(chunk) = self.chunk.take() else { return Ok(()) };
        self.sender.send(Some(chunk)).map_err(|_| ended())
    }

    fn finish(mut self) -> Result<TableKeys> {
        self.send()?;
        self.sender.send(None).map_err(|_| ended())?;
        Ok(self.keys)
    }
}

fn encode(
    writing: Option<&Writing>,
    table: Table,
    chunks: &Receiver<Option<Chunk>>,
) -> Result<Written> {
    let mut files = Files::new(writing, table);
    // without an end, the files are removed
    while let Some(chunk) = chunks.recv().map_err(|_| ended())? {
        files.write(chunk)?;
    }
    files.finish()
}

/// The data files of one table. Within each, rows are in order.
struct Files<'w> {
    table: Table,
    writer: Option<SegmentWriter<'w>>,
    rows: u64,
    /// The last key in the last file.
    last: Option<OwnedRow>,
}

impl<'w> Files<'w> {
    fn new(writing: Option<&'w Writing>, table: Table) -> Self {
        let writer = writing.map(|it| SegmentWriter::new(it, table));
        Self { table, writer, rows: 0, last: None }
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        self.rows += chunk.rows as u64;
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let keys = Keys::new(self.table)?;
        for batch in chunk.sorted()? {
            let batch = batch?;
            let Some([first, last]) = ends(&keys, &batch)? else { continue };
            if self.last.as_ref().is_some_and(|it| first < *it) {
                writer.end_file()?;
            }
            writer.write(&batch)?;
            self.last = Some(last);
        }
        Ok(())
    }

    fn finish(self) -> Result<Written> {
        let segments = self.writer.map_or_else(|| Ok(Vec::new()), SegmentWriter::finish)?;
        Ok(Written { rows: self.rows, segments })
    }
}

/// Sketches of steps, and the data files that they go to when they have grown large. Several rows
/// of one group are merged by whoever reads them.
struct SketchFiles<'w> {
    sketches: Sketches,
    size_bytes_max: usize,
    files: Files<'w>,
}

impl<'w> SketchFiles<'w> {
    fn new(writing: Option<&'w Writing>, size_bytes_max: usize) -> Self {
        let files = Files::new(writing, Table::StepLatency);
        Self { sketches: Sketches::default(), size_bytes_max, files }
    }

    fn add(&mut self, steps: &RecordBatch) -> Result<()> {
        self.sketches.add_batch(steps)?;
        if self.sketches.size_bytes() > self.size_bytes_max { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.sketches).rows();
        for rows in rows.chunks(SKETCH_ROWS) {
            let mut chunk = Chunk::new(Table::StepLatency)?;
            chunk.push(to_batch(Table::StepLatency, rows)?)?;
            self.files.write(chunk)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Written> {
        self.write()?;
        self.files.finish()
    }
}
