//! A table of the store as the engine sees it: plain Parquet scans of the committed files in union
//! with the hot rows. Lists no folder and takes no decision about what is visible: the snapshot
//! has.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{TableProvider, TableType, ViewTable, provider_as_source};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableProviderFilterPushDown, col};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use datafusion::prelude::SessionContext;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectMeta;

use super::engine::{Engine, tables_url};
use super::hot::{HotRows, HotSource};
use super::pruned_scan::PrunedScanExec;
use super::pruning::{Known, prune};
use super::{diagnose, footer, plain};
use crate::error::{Error, ErrorKind};
use crate::event::Table;
use crate::store::snapshot::{CHECK_HINT, DataFile, Snapshot};
use crate::store::{FileSource, IndexedFiles};

/// Footers read at the same time.
const FOOTERS_IN_FLIGHT: usize = 16;

/// One table at one moment.
#[derive(Debug)]
pub(super) struct StoreTable {
    table: Table,
    schema: SchemaRef,
    files: Arc<Vec<DataFile>>,
    hot: Arc<HotRows>,
    source: FileSource,
    index: Option<Arc<IndexedFiles>>,
    damage: Option<Arc<Error>>,
    engine: Arc<Engine>,
}

impl StoreTable {
    pub(super) fn new(table: Table, snapshot: &Snapshot, engine: Arc<Engine>) -> Self {
        let schema = plain::scanned(table);
        let shown = snapshot.tables.get(&table).cloned().unwrap_or_default();
        let hot = Arc::new(HotRows::new(Arc::clone(&schema), shown.hot));
        let (files, damage, index) = (shown.files, shown.damage, snapshot.index.clone());
        let source = snapshot.source.clone();
        Self { table, schema, files, hot, source, index, damage, engine }
    }

    /// A scan of the files that may hold rows of the answer. Footers of the others are not read.
    async fn pruned_plan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (table, schema, files) = (self.table, &self.schema, self.files.as_slice());
        let known = Known { table, schema, files, index: self.index.as_deref() };
        let pruned = prune(state, known, filters);
        let scan = match pruned.files.as_slice() {
            [] => Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)),
            files => self.cold_plan(state, files, projection, limit).await?,
        };
        if !pruned.any() {
            return Ok(scan);
        }
        Ok(Arc::new(PrunedScanExec::new(scan, pruned.files.len(), pruned.of, pruned.by)))
    }

    async fn cold_plan(
        &self,
        state: &dyn Session,
        files: &[DataFile],
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = tables_url(&self.source).map_err(external)?;
        let env = state.runtime_env();
        let store = env.object_store(&url)?;
        let cache = env.cache_manager.get_file_metadata_cache();
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let factory = CachedParquetFileReaderFactory::new(store, cache);
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(factory));
        let source = match footer::end_bytes(&self.source) {
            Some(size_bytes) => source.with_metadata_size_hint(size_bytes),
            None => source,
        };
        let files = self.files_with_statistics(state, &url, files).await?;
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let groups = groups.into_iter().map(|it| self.summed(it)).collect::<Result<Vec<_>>>()?;
        let statistics = Statistics::try_merge_iter(
            groups.iter().filter_map(|it| it.file_statistics(None)),
            &self.schema,
        )?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn summed(&self, group: FileGroup) -> Result<FileGroup> {
        let files = group.iter().filter_map(|it| it.statistics.as_deref());
        let statistics = Statistics::try_merge_iter(files, &self.schema)?;
        Ok(group.with_statistics(Arc::new(statistics)))
    }

    async fn files_with_statistics(
        &self,
        state: &dyn Session,
        url: &ObjectStoreUrl,
        files: &[DataFile],
    ) -> Result<Vec<PartitionedFile>> {
        let reads: Vec<_> =
            files.iter().map(|file| self.file_with_statistics(state, url, file)).collect();
        futures::stream::iter(reads).buffered(FOOTERS_IN_FLIGHT).try_collect().await
    }

    async fn file_with_statistics(
        &self,
        state: &dyn Session,
        url: &ObjectStoreUrl,
        file: &DataFile,
    ) -> Result<PartitionedFile> {
        let files = self.source.files();
        let location =
            files.location(&file.path).map_err(|source| external(self.damaged(file, source)))?;
        let meta = ObjectMeta {
            location,
            // Files never change, so no cache needs the time to know that its entry is good.
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: file.size_bytes,
            e_tag: None,
            version: None,
        };
        let statistics = match self.engine.statistics.get(&file.path) {
            Some(statistics) => statistics,
            None => {
                if !files.is_remote() {
                    // elsewhere that would be a request of its own
                    file.check_present(&self.source).map_err(external)?;
                }
                let place = (state, url, footer::end_bytes(&self.source));
                // Some damaged bytes make a decoder panic instead of refusing them.
                let read = AssertUnwindSafe(footer::read(place, &meta, file.rows, &self.schema))
                    .catch_unwind()
                    .await
                    .map_err(|_| external(self.damaged(file, "its footer cannot be decoded")))?;
                let statistics = read.map_err(|error| self.unreadable(file, error))?;
                let statistics = Arc::new(trusted(statistics, &self.schema));
                self.engine.statistics.put(file.path.clone(), Arc::clone(&statistics));
                statistics
            }
        };
        Ok(PartitionedFile::new_from_meta(meta).with_statistics(statistics))
    }

    /// A file that cannot be reached now is no damage.
    fn unreadable(&self, file: &DataFile, error: DataFusionError) -> DataFusionError {
        match diagnose::told(&error) {
            Some(told) if told.kind() != ErrorKind::Damaged => external(told.again()),
            _ => external(self.damaged(file, error)),
        }
    }

    fn damaged(
        &self,
        file: &DataFile,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let (table, path) = (self.table.name(), file.path.display());
        Error::damaged(format!("cannot read {path}, a file of table {table}"))
            .with_source(source)
            .with_hint(CHECK_HINT)
    }
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

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for StoreTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(damage) = &self.damage {
            return Err(external(damage.again()));
        }
        let mut parts: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !self.files.is_empty() {
            parts.push(self.pruned_plan(state, projection, filters, limit).await?);
        }
        if !self.hot.is_empty() {
            let hot = HotSource::try_new(Arc::clone(&self.hot), projection, limit)?;
            parts.push(DataSourceExec::from_data_source(hot));
        }
        match parts.len() {
            0 => Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?))),
            1 => Ok(parts.swap_remove(0)),
            _ => UnionExec::try_new(parts),
        }
    }

    /// Filters reach the files as pruning predicates and are checked again above the scan.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

/// Registers a table. Of `contracts`, two writers may have recorded the same content twice: the
/// table shown is a view of the first row per digest.
pub(super) fn register(
    context: &SessionContext,
    table: Table,
    snapshot: &Snapshot,
    engine: &Arc<Engine>,
) -> Result<()> {
    let rows = Arc::new(StoreTable::new(table, snapshot, Arc::clone(engine)));
    let shown: Arc<dyn TableProvider> = match table {
        Table::Contracts => {
            let columns = table.columns().iter().map(|it| col(it.name)).collect();
            let first = vec![
                col("contract_digest").sort(true, false),
                col("first_seen_time").sort(true, false),
                col("uri").sort(true, false),
            ];
            let plan = LogicalPlanBuilder::scan(table.name(), provider_as_source(rows), None)?
                .distinct_on(vec![col("contract_digest")], columns, Some(first))?
                .build()?;
            Arc::new(ViewTable::new(plan, None))
        }
        _ => rows,
    };
    context.register_table(table.name(), shown)?;
    Ok(())
}
