//! The roll-ups that files of sketches carry: Parquet within Parquet. Knows where a roll-up is, and
//! not what is asked of it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::execution::cache::CacheValue;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::async_reader::MetadataFetch;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};

use super::readers::Opened;
use crate::store::RollupPlace;

/// A roll-up whose own footer was read.
#[derive(Debug, Clone)]
pub(super) struct OpenRollup {
    size_bytes: u64,
    pub(super) opened: Opened,
}

impl CacheValue for OpenRollup {
    fn size(&self) -> usize {
        size_of::<Self>() + self.opened.footer.memory_size()
    }
}

impl OpenRollup {
    /// Reads the footer of the roll-up in a file.
    pub(super) async fn open(
        store: &Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        place: RollupPlace,
    ) -> Result<Self> {
        let within = Within { store, file, offset: place.offset };
        let footer = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .load_and_finish(within, place.size_bytes)
            .await?;
        let opened = Opened { offset: place.offset, footer: Arc::new(footer) };
        Ok(Self { size_bytes: place.size_bytes, opened })
    }

    /// The roll-up as a file to scan: it has the path of the file that it is in.
    pub(super) fn file(&self, file: &ObjectMeta) -> PartitionedFile {
        let meta = ObjectMeta { size: self.size_bytes, ..file.clone() };
        PartitionedFile::new_from_meta(meta)
    }
}

/// A file from some byte on.
struct Within<'a> {
    store: &'a Arc<dyn ObjectStore>,
    file: &'a ObjectMeta,
    offset: u64,
}

impl MetadataFetch for Within<'_> {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let offset = self.offset;
        let range = offset.saturating_add(range.start)..offset.saturating_add(range.end);
        let failed = |source| ParquetError::External(Box::new(source));
        self.store.get_range(&self.file.location, range).map_err(failed).boxed()
    }
}
