//! The footer of a data file as the engine needs it: checked against the log, and without the Arrow
//! schema that some writers put there. Reads no rows.
//!
//! That Arrow schema says nothing that Parquet's own does not, and the decoder of a damaged one
//! panics. Scans get the footer from here, so they do not meet it either.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::CacheValue;
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectMeta;
use parquet::file::metadata::{
    FileMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder,
};

use crate::error::Error;
use crate::store::{FileSource, RollupPlace};

/// Bytes of the end of a remote file that are read at once: nearly always the whole footer, so that
/// it takes one request.
const REMOTE_FOOTER_BYTES: usize = 256 << 10;

/// How much of the end of each file is read at once, if not only what is needed.
pub(super) fn end_bytes(source: &FileSource) -> Option<usize> {
    source.files().is_remote().then_some(REMOTE_FOOTER_BYTES)
}

/// What the engine knows of a data file.
#[derive(Debug, Clone)]
pub(super) struct FileFacts {
    /// In terms of the columns that the engine sees.
    pub(super) statistics: Arc<Statistics>,
    pub(super) footer: Arc<ParquetMetaData>,
    /// Where the roll-up of its sketches is, if it has one.
    pub(super) rollup: Option<RollupPlace>,
}

impl CacheValue for FileFacts {
    /// The statistics are small beside the footer that they are of.
    fn size(&self) -> usize {
        size_of::<Self>() + self.footer.memory_size()
    }
}

/// Reads the footer of a file with `rows` rows, if that is known; gives what it says, in terms of
/// `schema`.
pub(super) async fn read(
    (state, url, end_bytes): (&dyn Session, &ObjectStoreUrl, Option<usize>),
    meta: &ObjectMeta,
    rows: Option<u64>,
    schema: &SchemaRef,
) -> Result<FileFacts> {
    let store = state.runtime_env().object_store(url)?;
    let fetched = DFParquetMetadata::new(&store, meta)
        .with_metadata_size_hint(end_bytes)
        .with_page_index_policy(Some(PageIndexPolicy::Optional))
        .fetch_metadata()
        .await?;
    let found = fetched.file_metadata().num_rows();
    if let Some(rows) = rows.filter(|rows| u64::try_from(found) != Ok(*rows)) {
        let message = format!("its footer says {found} rows, and its commit says {rows}");
        return Err(DataFusionError::External(Box::new(Error::damaged(message))));
    }
    let rollup = RollupPlace::of(fetched.file_metadata(), meta.size);
    let footer = Arc::new(without_extras(&fetched));
    let statistics = DFParquetMetadata::statistics_from_parquet_metadata(&footer, schema)?;
    let statistics = Arc::new(trusted(statistics, schema));
    Ok(FileFacts { statistics, footer, rollup })
}

/// Parquet leaves NaN out of a column's bounds, so bounds of floats only guide pruning.
fn trusted(mut statistics: Statistics, schema: &SchemaRef) -> Statistics {
    for (column, field) in statistics.column_statistics.iter_mut().zip(schema.fields()) {
        if field.data_type() == &DataType::Float64 {
            column.min_value = std::mem::take(&mut column.min_value).to_inexact();
            column.max_value = std::mem::take(&mut column.max_value).to_inexact();
        }
        column.sum_value = Precision::Absent;
    }
    statistics
}

fn without_extras(footer: &ParquetMetaData) -> ParquetMetaData {
    let file = footer.file_metadata();
    let file = FileMetaData::new(
        file.version(),
        file.num_rows(),
        file.created_by().map(str::to_owned),
        None,
        file.schema_descr_ptr(),
        file.column_orders().cloned(),
    );
    ParquetMetaDataBuilder::new(file)
        .set_row_groups(footer.row_groups().to_vec())
        .set_column_index(footer.column_index().cloned())
        .set_offset_index(footer.offset_index().cloned())
        .build()
}
