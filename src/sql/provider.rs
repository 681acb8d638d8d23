//! A table of the store as the engine sees it: plain Parquet scans of the committed files in union
//! with the hot rows. Lists no folder and takes no decision about what is visible: the snapshot
//! has.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{DFSchema, DataFusionError, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{TableProvider, TableType, ViewTable, provider_as_source};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, Operator, TableProviderFilterPushDown, col,
};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use datafusion::prelude::SessionContext;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectMeta;

use super::engine::{Engine, tables_url};
use super::footer::FileFacts;
use super::hot::{HotRows, HotSource};
use super::open_rollup::OpenRollup;
use super::pruned_scan::PrunedScanExec;
use super::pruning::{Known, prune};
use super::readers::{Opened, Readers};
use super::shares::Shares;
use super::spans::Spans;
use super::{diagnose, footer, plain};
use crate::error::{Error, ErrorKind};
use crate::event::Table;
use crate::store::snapshot::{CHECK_HINT, DataFile, Snapshot};
use crate::store::{FileSource, IndexedFiles, SPAN};

/// Footers read at the same time.
const FOOTERS_IN_FLIGHT: usize = 16;

/// One table at one moment.
#[derive(Debug, Clone)]
pub(super) struct StoreTable {
    table: Table,
    schema: SchemaRef,
    files: Arc<Vec<DataFile>>,
    hot: Arc<HotRows>,
    source: FileSource,
    index: Option<Arc<IndexedFiles>>,
    damage: Option<Arc<Error>>,
    engine: Arc<Engine>,
    /// Which sketches to read, where a question can do with longer ones.
    spans: Option<Spans>,
}

/// A file whose footer was read.
struct KnownFile {
    file: DataFile,
    meta: ObjectMeta,
    facts: FileFacts,
}

impl StoreTable {
    pub(super) fn new(table: Table, snapshot: &Snapshot, engine: Arc<Engine>) -> Self {
        let schema = plain::scanned(table);
        let shown = snapshot.tables.get(&table).cloned().unwrap_or_default();
        let hot = Arc::new(HotRows::new(Arc::clone(&schema), shown.hot));
        let (files, damage, index) = (shown.files, shown.damage, snapshot.index.clone());
        let source = snapshot.source.clone();
        Self { table, schema, files, hot, source, index, damage, engine, spans: None }
    }

    /// Whether a question about the table may read longer sketches than those of hours.
    pub(super) fn can_be_rolled(&self) -> bool {
        self.table == Table::StepLatency && self.spans.is_none()
    }

    /// The same table for a question that tells only these spans apart.
    pub(super) fn rolled(&self, spans: Spans) -> Self {
        Self { spans: Some(spans), ..self.clone() }
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
            files => self.cold_plan(state, files, projection, (filters, limit)).await?,
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
        (filters, limit): (&[Expr], Option<usize>),
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = tables_url(&self.source).map_err(external)?;
        let reads: Vec<_> = files.iter().map(|file| self.known(state, &url, file)).collect();
        let files: Vec<_> =
            futures::stream::iter(reads).buffered(FOOTERS_IN_FLIGHT).try_collect().await?;
        match &self.spans {
            None => {
                let first = filters_first(self.table, filters);
                self.rows((state, &url), &files, projection, (first, limit))
            }
            Some(spans) => self.sketches((state, &url), (files, spans), projection).await,
        }
    }

    /// The rows of files.
    fn rows(
        &self,
        (state, url): (&dyn Session, &ObjectStoreUrl),
        files: &[KnownFile],
        projection: Option<&Vec<usize>>,
        (filters_first, limit): (bool, Option<usize>),
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let store = state.runtime_env().object_store(url)?;
        let mut readers = Readers { store, files: HashMap::new() };
        let mut shares = Shares::new(state.config().target_partitions());
        for KnownFile { meta, facts, .. } in files {
            let file = PartitionedFile::new_from_meta(meta.clone())
                .with_statistics(Arc::clone(&facts.statistics));
            shares.deal(&file, facts.footer.num_row_groups());
            let opened = Opened { offset: 0, footer: Arc::clone(&facts.footer) };
            readers.files.insert(meta.location.clone(), opened);
        }
        let source = parquet_source(state, &self.schema, filters_first, readers);
        let groups = shares.groups().into_iter().map(|it| self.summed(it));
        let groups = groups.collect::<Result<Vec<_>>>()?;
        let of_files = files.iter().map(|it| &*it.facts.statistics);
        let statistics = Statistics::try_merge_iter(of_files, &self.schema)?;
        let config = FileScanConfigBuilder::new(url.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// Sketches of files, those of whole days and months in place of those of their hours.
    async fn sketches(
        &self,
        (state, url): (&dyn Session, &ObjectStoreUrl),
        (files, spans): (Vec<KnownFile>, &Spans),
        projection: Option<&Vec<usize>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (with, without): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|it| it.facts.rollup.is_some());
        let mut parts = Vec::new();
        if !without.is_empty() {
            parts.push(self.rows((state, url), &without, projection, (true, None))?);
        }
        if !with.is_empty() {
            let wanted = Wanted::of(&self.schema, projection);
            if let Some(hours) = spans.hours() {
                let columns = wanted.scanned(&["hour"])?;
                let rows = self.rows((state, url), &with, Some(&columns), (true, None))?;
                parts.push(wanted.filtered(state, rows, hours)?);
            }
            let schema = self.rolled_schema();
            let wanted = Wanted::of(&schema, Some(&wanted.columns));
            let columns = wanted.scanned(&["hour", SPAN])?;
            let rows = self.rolled_rows((state, url), &with, &schema, columns).await?;
            let note = format!("files={}, days and months in place of hours", with.len());
            let rows = Arc::new(PrunedScanExec::noted(rows, &note));
            parts.push(wanted.filtered(state, rows, spans.rolled())?);
        }
        match parts.len() {
            1 => Ok(parts.swap_remove(0)),
            _ => UnionExec::try_new(parts),
        }
    }

    /// The columns of a roll-up, as the engine sees them.
    fn rolled_schema(&self) -> SchemaRef {
        let span = Arc::new(Field::new(SPAN, DataType::Utf8View, false));
        let fields = self.schema.fields().iter().cloned().chain([span]);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The rows of roll-ups.
    async fn rolled_rows(
        &self,
        (state, url): (&dyn Session, &ObjectStoreUrl),
        files: &[KnownFile],
        schema: &SchemaRef,
        columns: Vec<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let store = state.runtime_env().object_store(url)?;
        let mut readers = Readers { store, files: HashMap::new() };
        let mut shares = Shares::new(state.config().target_partitions());
        for KnownFile { file, meta, facts } in files {
            let Some(place) = facts.rollup else { continue };
            let rollup = match self.engine.rollups.get(&meta.location) {
                Some(rollup) => rollup,
                None => {
                    let open = AssertUnwindSafe(OpenRollup::open(&readers.store, meta, place));
                    let open = open.catch_unwind().await.map_err(|_| {
                        external(self.damaged(file, "its roll-up cannot be decoded"))
                    })?;
                    let open = open.map_err(|error| self.unreadable(file, error))?;
                    self.engine.rollups.put(&meta.location, open.clone());
                    open
                }
            };
            shares.deal(&rollup.file(meta), rollup.opened.footer.num_row_groups());
            readers.files.insert(meta.location.clone(), rollup.opened);
        }
        let source = parquet_source(state, schema, true, readers);
        let config = FileScanConfigBuilder::new(url.clone(), Arc::new(source))
            .with_file_groups(shares.groups())
            .with_projection_indices(Some(columns))?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn summed(&self, group: FileGroup) -> Result<FileGroup> {
        let files = group.iter().filter_map(|it| it.statistics.as_deref());
        let statistics = Statistics::try_merge_iter(files, &self.schema)?;
        Ok(group.with_statistics(Arc::new(statistics)))
    }

    async fn known(
        &self,
        state: &dyn Session,
        url: &ObjectStoreUrl,
        file: &DataFile,
    ) -> Result<KnownFile> {
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
        let facts = match self.engine.files.get(&meta.location) {
            Some(facts) => facts,
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
                let facts = read.map_err(|error| self.unreadable(file, error))?;
                self.engine.files.put(&meta.location, facts.clone());
                facts
            }
        };
        Ok(KnownFile { file: file.clone(), meta, facts })
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

/// Whether to decode the other columns only of rows that pass the filters. That pays where few do,
/// or where one column is far longer than the others; elsewhere it costs up to half as much again.
fn filters_first(table: Table, filters: &[Expr]) -> bool {
    let is_of_one_run = |filter: &Expr| {
        let (column, is_few) = match filter {
            Expr::BinaryExpr(it) => {
                let is_constant = matches!(&*it.right, Expr::Literal(..));
                (&*it.left, it.op == Operator::Eq && is_constant)
            }
            Expr::InList(it) => (&*it.expr, !it.negated),
            _ => return false,
        };
        is_few && matches!(column, Expr::Column(it) if it.name == "run_id")
    };
    table == Table::StepLatency || filters.iter().any(is_of_one_run)
}

fn parquet_source(
    state: &dyn Session,
    schema: &SchemaRef,
    filters_first: bool,
    readers: Readers,
) -> ParquetSource {
    let mut global = state.config_options().execution.parquet.clone();
    global.pushdown_filters = filters_first;
    let options = TableParquetOptions { global, ..TableParquetOptions::default() };
    ParquetSource::new(Arc::clone(schema))
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(Arc::new(readers))
}

/// The columns that a scan is to give, which need not be those that its filter looks at.
struct Wanted {
    schema: SchemaRef,
    columns: Vec<usize>,
}

impl Wanted {
    fn of(schema: &SchemaRef, projection: Option<&Vec<usize>>) -> Self {
        let all = || (0..schema.fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        Self { schema: Arc::clone(schema), columns }
    }

    /// They, and more that a filter needs.
    fn scanned(&self, more: &[&str]) -> Result<Vec<usize>> {
        let mut columns = self.columns.clone();
        for name in more {
            let column = self.schema.index_of(name)?;
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        Ok(columns)
    }

    /// The rows of a scan that pass a filter, without the columns that only that needs.
    fn filtered(
        &self,
        state: &dyn Session,
        scan: Arc<dyn ExecutionPlan>,
        filter: Expr,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = DFSchema::try_from(scan.schema())?;
        let filter = state.create_physical_expr(filter, &schema)?;
        let projection = Some((0..self.columns.len()).collect());
        let filter = FilterExecBuilder::new(filter, scan).apply_projection(projection)?.build()?;
        Ok(Arc::new(filter))
    }
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
