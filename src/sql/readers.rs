//! How scans read data files, or files within them: by the footer that planning has read, so that
//! no scan looks for it again. Reads no footer itself and decodes nothing.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{ParquetFileMetrics, ParquetFileReaderFactory};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet};
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ParquetMetaData;

/// A Parquet file, or one that begins at a byte of another.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) offset: u64,
    /// With the page index, if the file has one: what is missing here is read for every scan.
    pub(super) footer: Arc<ParquetMetaData>,
}

/// Readers of files, by their paths.
pub(super) struct Readers {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) files: HashMap<Path, Opened>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("files", &self.files.len()).finish()
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let location = file.object_meta.location;
        let opened = self.files.get(&location).cloned().ok_or_else(|| {
            DataFusionError::Internal(format!("{location} was planned without its footer"))
        })?;
        let metrics = ParquetFileMetrics::new(partition_index, location.as_ref(), metrics);
        let (store, read_bytes) = (Arc::clone(&self.store), metrics.bytes_scanned);
        Ok(Box::new(Reader { store, location, opened, read_bytes }))
    }
}

struct Reader {
    store: Arc<dyn ObjectStore>,
    location: Path,
    opened: Opened,
    read_bytes: Count,
}

impl Reader {
    /// Where a range of the file is in the file that it lies in.
    fn place(&self, range: &Range<u64>) -> Range<u64> {
        self.read_bytes.add(usize::try_from(range.end - range.start).unwrap_or(usize::MAX));
        let offset = self.opened.offset;
        offset.saturating_add(range.start)..offset.saturating_add(range.end)
    }
}

fn failed(source: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(source))
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let range = self.place(&range);
        self.store.get_range(&self.location, range).map_err(failed).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        let ranges: Vec<_> = ranges.iter().map(|it| self.place(it)).collect();
        async move { self.store.get_ranges(&self.location, &ranges).await.map_err(failed) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        std::future::ready(Ok(Arc::clone(&self.opened.footer))).boxed()
    }
}
