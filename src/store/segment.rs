//! Rows of one table to one Parquet file. Decides order and encoding; commits nothing.
//!
//! Rows are sorted by run id, which is a UUIDv7: rows of a run lie together and runs lie in the
//! order of their start, so that page and row-group minima and maxima prune by run and, nearly, by
//! time. A Bloom filter would only repeat what these say, and is not written.

use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::layout::{data_name, data_temporary_name};
use super::schema::{arrow_schema, to_batch};
use crate::clock::IdSource;
use crate::error::{Error, IoContext, Result};
use crate::event::{Row, Table};
use crate::journal::disk::Disk;

/// Rows of a row group: measured best for the analyst's questions on two cores.
const ROW_GROUP_ROWS_MAX: usize = 128 * 1024;
/// Columns whose values are long and rarely equal: a dictionary and statistics do not pay.
const LONG_COLUMNS: [&str; 3] = ["content", "body", "histogram"];

/// A data file that is durable under its name and not committed yet.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) stats: String,
    /// BLAKE3 of the whole file, in hex.
    pub(super) digest: String,
}

/// Writes the rows of `table`, all of them, to a new file in `folder`, durably.
pub(super) fn write(
    disk: &dyn Disk,
    ids: &dyn IdSource,
    folder: &Path,
    table: Table,
    mut rows: Vec<&Row>,
) -> Result<Segment> {
    let bytes = encode(table, &mut rows)?;
    let id = ids.next_id();
    let temporary = folder.join(data_temporary_name(id));
    let name = data_name(id);
    let path = folder.join(&name);
    let written = disk
        .write_new(&temporary, &bytes)
        .context("write", &temporary)
        .and_then(|()| disk.rename(&temporary, &path).context("rename to", &path));
    if let Err(error) = written {
        // what is there takes room, of which a full disk has none; the first error is the one
        drop(disk.remove(&temporary));
        return Err(error);
    }
    disk.sync_folder(folder).context("sync the folder", folder)?;
    Ok(Segment {
        name,
        size_bytes: bytes.len() as u64,
        stats: super::delta::stats(table, &rows),
        digest: blake3::hash(&bytes).to_hex().to_string(),
    })
}

/// The rows as the bytes of a file, and in the order in which they are there. The same build makes
/// the same bytes of the same rows.
pub(super) fn encode(table: Table, rows: &mut [&Row]) -> Result<Vec<u8>> {
    rows.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    let failed = |source: parquet::errors::ParquetError| {
        Error::internal(format!("cannot encode rows of {}", table.name())).with_source(source)
    };
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by(format!("genstore version {}", env!("CARGO_PKG_VERSION")));
    for name in LONG_COLUMNS {
        if table.columns().iter().any(|column| column.name == name) {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_statistics_enabled(column, EnabledStatistics::None);
        }
    }
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, arrow_schema(table), Some(properties.build()))
            .map_err(failed)?;
    for chunk in rows.chunks(8 * 1024) {
        writer.write(&to_batch(table, chunk.iter().copied())?).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(bytes)
}

/// What a row is sorted by: run id, else time. The sort is stable.
fn sort_key(row: &Row) -> (&str, i64) {
    match row {
        Row::Runs(row) => (&row.run_id, 0),
        Row::Steps(row) => (&row.run_id, 0),
        Row::Issues(row) => (&row.run_id, 0),
        Row::Scores(row) => (&row.run_id, 0),
        Row::Metrics(row) => (row.run_id.as_deref().unwrap_or_default(), row.time.0),
        Row::Contracts(row) => (&row.contract_digest, 0),
        Row::Artifacts(row) => (&row.run_id, 0),
        Row::LlmCalls(row) => (&row.run_id, row.start_time.0),
        Row::Batches(row) => (&row.batch_id, 0),
        Row::Baselines(row) => ("", row.time.0),
        Row::Alerts(row) => ("", row.time.0),
        Row::StepLatency(row) => ("", row.hour.0),
    }
}

#[cfg(test)]
mod tests;
