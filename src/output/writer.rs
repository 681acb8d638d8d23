//! The one way rows leave as text: a [`RowWriter`] over any [`Write`], batch by batch.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};

use super::Format;
use super::csv::CsvEncoder;
use super::json::{JsonEncoder, NdjsonEncoder};
use super::markdown::MarkdownEncoder;
use super::table::TableEncoder;

/// For whom rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Columns of the terminal that a person reads; `None` for a file or a pipe: then nothing is
    /// cut and nothing is added.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
}

/// Text that an encoder gathers before it passes it on: a row is a hundred pieces.
pub(super) const WRITE_BYTES: usize = 64 << 10;

/// Passes gathered text on, when it is enough.
pub(super) fn pass_full(text: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    if text.len() >= WRITE_BYTES {
        out.write_all(text)?;
        text.clear();
    }
    Ok(())
}

/// A format: what it writes before, for and after the batches.
pub(super) trait Encoder: std::fmt::Debug + Send {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;
    fn batch(&mut self, out: &mut dyn Write, batch: &RecordBatch) -> io::Result<()>;
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes record batches of one schema in one [`Format`]. Memory stays bounded whatever the number
/// of rows. A reader that goes away (`| head`) is no error; see [`RowWriter::reader_gone`].
pub struct RowWriter<W: Write> {
    out: W,
    encoder: Box<dyn Encoder>,
    schema: SchemaRef,
    rows: u64,
    reader_gone: bool,
}

impl<W: Write> std::fmt::Debug for RowWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowWriter").field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

impl<W: Write> RowWriter<W> {
    /// Writes what comes before the rows.
    pub fn new(out: W, format: Format, look: Look, schema: &SchemaRef) -> Result<Self> {
        let encoder: Box<dyn Encoder> = match format {
            Format::Table => Box::new(TableEncoder::new(schema, look)),
            Format::Json => Box::new(JsonEncoder::new(schema)),
            Format::Ndjson => Box::new(NdjsonEncoder::new(schema)),
            Format::Csv => Box::new(CsvEncoder::new(schema)),
            Format::Markdown => Box::new(MarkdownEncoder::new(schema)),
        };
        let schema = SchemaRef::clone(schema);
        let mut writer = Self { out, encoder, schema, rows: 0, reader_gone: false };
        writer.put(|encoder, out| encoder.begin(out))?;
        Ok(writer)
    }

    /// Writes a batch, which must have the schema's number of columns.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_columns() != self.schema.fields().len() {
            return Err(Error::internal(format!(
                "a batch of {} columns was written to a result of {}",
                batch.num_columns(),
                self.schema.fields().len()
            )));
        }
        self.rows += batch.num_rows() as u64;
        self.put(|encoder, out| encoder.batch(out, batch))
    }

    /// Writes what comes after the rows and flushes; returns the number of rows.
    pub fn finish(mut self) -> Result<u64> {
        self.end()?;
        Ok(self.rows)
    }

    /// The same, and gives the writer below back.
    pub fn into_inner(mut self) -> Result<W> {
        self.end()?;
        Ok(self.out)
    }

    fn end(&mut self) -> Result<()> {
        self.put(|encoder, out| {
            encoder.end(out)?;
            out.flush()
        })
    }

    /// Whether the other end of the pipe is closed: nothing more needs to be computed.
    pub fn reader_gone(&self) -> bool {
        self.reader_gone
    }

    fn put(
        &mut self,
        step: impl FnOnce(&mut dyn Encoder, &mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        if self.reader_gone {
            return Ok(());
        }
        match step(self.encoder.as_mut(), &mut self.out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(())
            }
            other => other.map_err(|it| Error::failed("cannot write the result").with_source(it)),
        }
    }
}
