//! Rows of one table to one Parquet file. Decides order and encoding; commits nothing.
//!
//! Rows are sorted as `order` says, so that minima and maxima of pages and row groups prune. A
//! Bloom filter would only repeat what these say, and is not written.

use std::fmt;
use std::path::Path;

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::delta::StatsBuilder;
use super::files::Files;
use super::layout::{data_name, data_temporary_name};
use super::order;
use super::rollup::{Rollup, RollupPlace};
use super::schema::{arrow_schema, to_batch};
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::event::{Column, ColumnType, Row, Table};

/// Rows of a row group: measured best for the analyst's questions on two cores.
const ROW_GROUP_ROWS_MAX: usize = 128 * 1024;
/// Bytes of a row group, where rows are long.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;
/// Columns whose values are long and rarely equal: a dictionary and statistics do not pay.
const LONG_COLUMNS: [&str; 3] = ["content", "body", "histogram"];

/// A data file that is durable under its name and not committed yet.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) stats: String,
    /// BLAKE3 of the whole file, in hex.
    pub(super) digest: String,
}

/// Writes the rows of `table`, all of them, to a new file in `folder`, durably.
pub(super) fn write(
    files: &dyn Files,
    ids: &dyn IdSource,
    folder: &Path,
    table: Table,
    mut rows: Vec<&Row>,
) -> Result<Segment> {
    encode(table, &mut rows)?.place(files, ids, folder)
}

/// The rows as a file, and in the order in which they are there. The same build makes the same
/// bytes of the same rows.
pub(super) fn encode(table: Table, rows: &mut [&Row]) -> Result<Encoded> {
    order::sort(table, rows);
    let mut encoder = Encoder::new(table)?;
    for chunk in rows.chunks(8 * 1024) {
        encoder.write(&to_batch(table, chunk.iter().copied())?)?;
    }
    encoder.finish()
}

/// A data file on its way.
pub(super) struct Encoder {
    table: Table,
    writer: ArrowWriter<Vec<u8>>,
    stats: StatsBuilder,
    rollup: Option<Rollup>,
}

/// A data file as bytes.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    stats: String,
}

impl Encoder {
    pub(super) fn new(table: Table) -> Result<Self> {
        let writer = ArrowWriter::try_new(Vec::new(), arrow_schema(table), Some(properties(table)))
            .map_err(|source| cannot_encode(table, source))?;
        let rollup = (table == Table::StepLatency).then(Rollup::new);
        Ok(Self { table, writer, stats: StatsBuilder::new(table), rollup })
    }

    /// Adds rows, in the table's schema, that come after those before.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.stats.add(batch);
        if let Some(rollup) = &mut self.rollup {
            rollup.add(batch)?;
        }
        self.writer.write(batch).map_err(|source| cannot_encode(self.table, source))
    }

    /// About how large the file would be if it ended here.
    pub(super) fn size_bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    pub(super) fn finish(self) -> Result<Encoded> {
        let failed = |source| cannot_encode(self.table, source);
        let (mut writer, _) = self.writer.into_serialized_writer().map_err(failed)?;
        if let Some(bytes) = self.rollup.map(Rollup::finish).transpose()?.flatten() {
            let (offset, size_bytes) = (writer.bytes_written() as u64, bytes.len() as u64);
            writer.write_all(&bytes).map_err(|source| failed(source.into()))?;
            writer.append_key_value_metadata(RollupPlace { offset, size_bytes }.entry()?);
        }
        let bytes = writer.into_inner().map_err(failed)?;
        Ok(Encoded { bytes, stats: self.stats.finish() })
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Encoded {
    /// Puts the file into `folder`, durably, under a name of its own.
    pub(super) fn place(
        self,
        files: &dyn Files,
        ids: &dyn IdSource,
        folder: &Path,
    ) -> Result<Segment> {
        let id = ids.next_id();
        let name = data_name(id);
        files.create(folder, &name, &data_temporary_name(id), &self.bytes)?;
        let digest = blake3::hash(&self.bytes).to_hex().to_string();
        let size_bytes = self.bytes.len() as u64;
        Ok(Segment { name, size_bytes, stats: self.stats, digest })
    }
}

fn properties(table: Table) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_data_page_row_count_limit(page_rows(table))
        .set_write_batch_size(page_rows(table).min(1_024))
        .set_created_by(format!("genstore version {}", env!("CARGO_PKG_VERSION")));
    for column in table.columns() {
        let path = ColumnPath::from(column.name);
        if is_unique(table, column) {
            properties = properties.set_column_dictionary_enabled(path, false);
        } else if LONG_COLUMNS.contains(&column.name) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        } else if is_measured(column) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}

/// Whether each row has a value of its own: a dictionary of them is all that a page would hold, and
/// has to be read for any row of a row group.
fn is_unique(table: Table, column: &Column) -> bool {
    matches!((table, column.name), (Table::Runs, "run_id") | (Table::Contracts, "contract_digest"))
}

/// Rows of a page, of which a question about one run, or one step of a day, reads one.
fn page_rows(table: Table) -> usize {
    match table {
        Table::StepLatency => 256,
        Table::Runs => 4_096,
        _ => 20_000,
    }
}

/// Whether nearly each value of a column is another number: a dictionary of them is as long as they
/// are. Of the steps of 15,000 runs a time takes 2.2 bytes so and 4.2 with a dictionary, a duration
/// 3.3 and 5.1. Splitting the bytes of numbers takes 0.5 less, but is new to many readers.
fn is_measured(column: &Column) -> bool {
    column.kind == ColumnType::Time || column.name.ends_with("_ns")
}

fn cannot_encode(table: Table, source: ParquetError) -> Error {
    Error::internal(format!("cannot encode rows of {}", table.name())).with_source(source)
}

#[cfg(test)]
mod tests;
