//! The scan of the roll-ups that files of sketches carry: Parquet within Parquet, read by shifting
//! the place of each read. Knows where a roll-up is, and not what is asked of it.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::store::RollupPlace;

/// A roll-up whose own footer was read.
#[derive(Debug, Clone)]
pub(super) struct OpenRollup {
    place: RollupPlace,
    footer: Arc<ParquetMetaData>,
}

impl OpenRollup {
    /// Reads the footer of the roll-up in a file.
    pub(super) async fn open(
        store: &Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        place: RollupPlace,
    ) -> Result<Self> {
        let mut within = Within {
            store: Arc::clone(store),
            location: file.location.clone(),
            offset: place.offset,
            footer: None,
        };
        let footer = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .load_and_finish(&mut within, place.size_bytes)
            .await?;
        Ok(Self { place, footer: Arc::new(footer) })
    }

    /// The roll-up as a file to scan: it has the path of the file that it is in.
    pub(super) fn file(&self, file: &ObjectMeta) -> PartitionedFile {
        let meta = ObjectMeta { size: self.place.size_bytes, ..file.clone() };
        PartitionedFile::new_from_meta(meta)
    }

    pub(super) fn row_groups(&self) -> usize {
        self.footer.num_row_groups()
    }
}

/// Reads roll-ups, by the path of the files that they are in.
pub(super) struct RollupReaders {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) rollups: HashMap<Path, Arc<OpenRollup>>,
}

impl fmt::Debug for RollupReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RollupReaders").field("rollups", &self.rollups.len()).finish()
    }
}

impl ParquetFileReaderFactory for RollupReaders {
    fn create_reader(
        &self,
        _partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let location = file.object_meta.location;
        let rollup = self.rollups.get(&location).ok_or_else(|| {
            DataFusionError::Internal(format!("{location} was planned without its roll-up"))
        })?;
        Ok(Box::new(Within {
            store: Arc::clone(&self.store),
            location,
            offset: rollup.place.offset,
            footer: Some(Arc::clone(&rollup.footer)),
        }))
    }
}

/// A file from some byte on.
struct Within {
    store: Arc<dyn ObjectStore>,
    location: Path,
    offset: u64,
    footer: Option<Arc<ParquetMetaData>>,
}

impl Within {
    fn place(&self, range: Range<u64>) -> Range<u64> {
        self.offset.saturating_add(range.start)..self.offset.saturating_add(range.end)
    }
}

fn failed(source: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(source))
}

impl AsyncFileReader for Within {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let range = self.place(range);
        self.store.get_range(&self.location, range).map_err(failed).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        let ranges: Vec<_> = ranges.into_iter().map(|it| self.place(it)).collect();
        async move { self.store.get_ranges(&self.location, &ranges).await.map_err(failed) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let footer = self.footer.clone();
        let missing = || ParquetError::General("a roll-up without its footer".to_owned());
        async move { footer.ok_or_else(missing) }.boxed()
    }
}
