//! What sessions of one process share: the threads queries run on, their memory and spill bounds,
//! and the caches of file footers. Knows no table and no query.

use std::sync::Arc;

use datafusion::execution::cache::Cache;
use datafusion::execution::cache::default_cache::DefaultCache;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::SessionConfig;
use object_store::path::Path;
use tokio::runtime::Runtime;

use super::footer::FileFacts;
use super::open_rollup::OpenRollup;
use super::session::SessionSettings;
use super::spill::SpillFolder;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::setting::Fault;
use crate::store::FileSource;

/// Names under which the tables of a store stand.
pub(super) const CATALOG: &str = "genstore";
pub(super) const SCHEMA: &str = "main";

/// Memory for the footers of data files, and as much for those of their roll-ups; beyond it the one
/// not used for longest goes. That of the steps of a million runs takes 1.8 MB.
const FOOTER_BYTES_MAX: usize = 64 << 20;

/// How many of the largest memory consumers an out-of-memory error names.
const CONSUMERS_NAMED: usize = 3;

/// Planning recurses; a worker thread gets what a main thread has.
const STACK_BYTES: usize = 64 << 20;

/// By the location of a file.
type FileCache<T> = Box<dyn Cache<Path, T>>;

/// Threads, memory and caches.
#[derive(Debug)]
pub(super) struct Engine {
    runtime: Option<Runtime>,
    pub(super) env: Arc<RuntimeEnv>,
    pub(super) settings: SessionSettings,
    pub(super) clock: Arc<dyn Clock>,
    /// What is known of data files. These never change, so an entry is never stale.
    pub(super) files: FileCache<FileFacts>,
    pub(super) rollups: FileCache<OpenRollup>,
}

impl Engine {
    pub(super) fn new(settings: SessionSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        settings.validate().map_err(Fault::into_error)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(settings.threads())
            .thread_name("genstore-sql")
            .thread_stack_size(STACK_BYTES)
            .enable_time()
            .build()
            .map_err(|source| {
                Error::failed("cannot start the threads that run queries").with_source(source)
            })?;
        let env = runtime_env(&settings)?;
        let files = Box::new(DefaultCache::new(FOOTER_BYTES_MAX));
        let rollups = Box::new(DefaultCache::new(FOOTER_BYTES_MAX));
        Ok(Self { runtime: Some(runtime), env, settings, clock, files, rollups })
    }

    /// The threads queries run on.
    pub(super) fn handle(&self) -> Result<&tokio::runtime::Handle> {
        self.runtime
            .as_ref()
            .map(Runtime::handle)
            .ok_or_else(|| Error::internal("a query was started after its engine was shut down"))
    }

    /// Makes the files of a store's tables known to queries.
    pub(super) fn add_tables(&self, source: &FileSource) -> Result<()> {
        let url = tables_url(source)?;
        let store = Arc::clone(source.files()).object_store();
        self.env.register_object_store(url.as_ref(), store);
        Ok(())
    }

    /// The configuration of one session.
    pub(super) fn session_config(&self) -> SessionConfig {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.settings.threads())
            .with_batch_size(batch_rows(&self.settings))
            .with_default_catalog_and_schema(CATALOG, SCHEMA)
            .with_information_schema(true);
        let options = config.options_mut();
        options.sql_parser.collect_spans = true;
        options.sql_parser.map_string_types_to_utf8view = false;
        options.execution.parquet.schema_force_view_types = false;
        // What each sort keeps back for merging: the engine's 10 MB would be all of a small memory.
        let share = self.settings.memory_bytes_max / self.settings.threads() / 32;
        options.execution.sort_spill_reservation_bytes = share.clamp(64 << 10, 10 << 20);
        // One table of all rows of the smaller side, where it fits: dealing out the rows of the
        // larger side by the hash of their key takes longer than all the rest of the join.
        let share = self.settings.memory_bytes_max / 16;
        options.optimizer.hash_join_single_partition_threshold = share;
        options.optimizer.hash_join_single_partition_threshold_rows = share / 64;
        // It leaves rows out that another aggregate wants, if that one's argument is no column:
        // min(start_time) beside max(nullif(duration_ns, 0)).
        options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
        options.execution.time_zone = Some("UTC".to_owned());
        config
    }
}

/// Rows that are worked on at a time: so few that a merge of sorted parts has room for some of
/// each, as long as a row is not much longer than 256 bytes.
fn batch_rows(settings: &SessionSettings) -> usize {
    let batches_in_memory = 32;
    let row_bytes = 256;
    let memory_of_thread = settings.memory_bytes_max / settings.threads();
    (memory_of_thread / batches_in_memory / row_bytes).clamp(128, 8_192)
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            crate::runtime::end(runtime);
        }
    }
}

/// The address under which the files of a store's tables are known; user SQL cannot name it.
pub(super) fn tables_url(source: &FileSource) -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(format!("genstore-tables://{}", source.files().name()))
        .map_err(|source| Error::internal("the tables' address is no URL").with_source(source))
}

fn runtime_env(settings: &SessionSettings) -> Result<Arc<RuntimeEnv>> {
    let failed =
        |source| Error::failed("cannot set up memory and spill files for SQL").with_source(source);
    let pool = FairSpillPool::new(settings.memory_bytes_max);
    let named = std::num::NonZeroUsize::new(CONSUMERS_NAMED).unwrap_or(std::num::NonZeroUsize::MIN);
    let folder = settings.spill_dir.clone().unwrap_or_else(std::env::temp_dir);
    let files = SpillFolder::new(folder, settings.spill_bytes_max);
    let disk = DiskManagerBuilder::default().with_temp_file_factory(Arc::new(files));
    let env = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, named)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(failed)?;
    // The tables are reached under an address of their own. Without files SQL gets no file system;
    // with them, statements name paths, which `files` judges, and no addresses.
    if !settings.files.is_allowed() {
        env.deregister_object_store(ObjectStoreUrl::local_filesystem().as_ref()).map_err(failed)?;
    }
    Ok(env)
}
