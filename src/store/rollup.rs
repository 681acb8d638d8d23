//! The roll-up of a file of sketches: the same sketches added up over days and over months, as a
//! Parquet file of its own **inside** the file, between the last row group and the footer, which
//! names its place. Whoever asks about ninety days reads some months and days instead of two
//! thousand hours. Readers that know nothing of it see the rows of the hours and no others.
//!
//! It is made of the rows of its own file and of no other, so it is never older than these, and
//! what moves or removes the file needs to know nothing of it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};

use super::data_file::rows;
use super::latency::{Span, SpanSums};
use super::schema::{arrow_schema, to_batch};
use crate::error::{Error, Result};
use crate::event::{Row, Table};

/// The column that says whether a row is of a day or of a month.
pub(crate) const SPAN: &str = "span";
/// The spans of a roll-up.
const SPANS: [Span; 2] = [Span::Day, Span::Month];
/// How the footer names it. The number counts the shapes that it had: one of another is not read.
const KEY: &str = "genstore.rollup.2";
/// Files of fewer rows are read as fast without one.
const ROWS_MIN: u64 = 1_024;
/// It has at most this share of the rows of its file: of one day there is nothing to add up.
const SHARE_MAX: u64 = 4;
/// Rows of a row group, which is a page of each column: so few that a question about some days
/// leaves the others out, and that several threads share the rest.
const GROUP_ROWS: usize = 512;

/// Where in its file a roll-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RollupPlace {
    pub(crate) offset: u64,
    pub(crate) size_bytes: u64,
}

impl RollupPlace {
    /// As the footer has it.
    pub(super) fn entry(self) -> Result<KeyValue> {
        let text = serde_json::to_string(&self)
            .map_err(|it| Error::internal("cannot name a roll-up").with_source(it))?;
        Ok(KeyValue::new(KEY.to_owned(), text))
    }

    /// What a footer says; a place that cannot be is none.
    pub(crate) fn of(footer: &FileMetaData, file_bytes: u64) -> Option<Self> {
        let entries = footer.key_value_metadata()?;
        let text = entries.iter().find(|it| it.key == KEY)?.value.as_ref()?;
        let place: Self = serde_json::from_str(text).ok()?;
        let end = place.offset.checked_add(place.size_bytes)?;
        (end < file_bytes).then_some(place)
    }
}

/// The columns of a roll-up: those of `step_latency`, `hour` being the start of the span and
/// `histogram` in a shape of its own, and the span.
fn schema() -> SchemaRef {
    let table = arrow_schema(Table::StepLatency);
    let span = Arc::new(Field::new(SPAN, DataType::Utf8, false));
    Arc::new(Schema::new(table.fields().iter().cloned().chain([span]).collect::<Vec<_>>()))
}

/// A roll-up on its way.
#[derive(Debug)]
pub(super) struct Rollup {
    sums: [(Span, SpanSums, Vec<Row>); 2],
    rows: u64,
}

impl Rollup {
    pub(super) fn new() -> Self {
        Self { sums: SPANS.map(|span| (span, SpanSums::over(span), Vec::new())), rows: 0 }
    }

    /// Takes rows of the file.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut result = Ok(());
        let damaged = || Error::damaged("a sketch holds no histogram");
        rows(
            Table::StepLatency,
            batch,
            |_| true,
            |row| {
                let Row::StepLatency(row) = row else { return };
                self.rows += 1;
                for (_, sums, done) in &mut self.sums {
                    match sums.add(&row) {
                        Ok(rows) => done.extend(rows),
                        Err(source) => result = Err(damaged().with_source(source)),
                    }
                }
            },
        )
        .map_err(|source| Error::internal("cannot roll sketches up").with_source(source))?;
        result
    }

    /// The roll-up as a Parquet file, if it pays.
    pub(super) fn finish(self) -> Result<Option<Vec<u8>>> {
        let of = self.rows;
        let sums = self.sums.map(|(span, mut sums, mut done)| {
            done.extend(sums.take());
            (span, done)
        });
        let rows: usize = sums.iter().map(|(_, rows)| rows.len()).sum();
        if of < ROWS_MIN || rows as u64 > of / SHARE_MAX {
            return Ok(None);
        }
        encode(&sums).map(Some)
    }
}

fn encode(sums: &[(Span, Vec<Row>)]) -> Result<Vec<u8>> {
    let failed = |source: ParquetError| {
        Error::internal("cannot encode the roll-up of sketches").with_source(source)
    };
    let mut writer =
        ArrowWriter::try_new(Vec::new(), schema(), Some(properties())).map_err(failed)?;
    for (span, rows) in sums {
        for rows in rows.chunks(GROUP_ROWS) {
            let batch = to_batch(Table::StepLatency, rows)?;
            let spans: ArrayRef = Arc::new(StringArray::from(vec![span.name(); rows.len()]));
            let columns = batch.columns().iter().cloned().chain([spans]).collect();
            let batch = RecordBatch::try_new(schema(), columns)
                .map_err(|it| Error::internal("a roll-up without columns").with_source(it))?;
            writer.write(&batch).map_err(failed)?;
            writer.flush().map_err(failed)?;
        }
    }
    writer.into_inner().map_err(failed)
}

fn properties() -> WriterProperties {
    let histogram = ColumnPath::from("histogram");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_dictionary_enabled(histogram.clone(), false)
        .set_column_statistics_enabled(histogram, EnabledStatistics::None)
        .build()
}

#[cfg(test)]
mod tests;
