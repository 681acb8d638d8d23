//! One read-only SQL session over one snapshot of the store.
//!
//! A session never changes what it shows: for newer rows, make another from a newer snapshot with
//! [`Session::with_snapshot`], which keeps threads, memory bounds and caches. Queries run on
//! threads of their own; dropping a query's future or stream cancels it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    SchemaProvider,
};
use datafusion::common::{DataFusionError, Result as EngineResult, TableReference};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{CreateExternalTable, DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::cancel::YieldingJoins;
use super::constants::SpreadConstants;
use super::diagnose::{Vocabulary, diagnose};
use super::engine::{CATALOG, Engine, SCHEMA};
use super::files::{self, Files, FilesFirst};
use super::guard::CopyTo;
use super::inner_sketches::InnerSketches;
use super::long_literals::BoundedLiterals;
use super::params::{self, Params};
use super::queries::Queries;
use super::rollup::UseRollups;
use super::shared_quantiles::ShareQuantiles;
use super::windows::CountedWindows;
use super::{from_first, functions, guard, limits, plain, provider, run, views};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::setting::{Fault, count, optional_path, paths, size, sizes, times, within};
use crate::store::Store;
use crate::store::snapshot::Snapshot;

/// Batches that may wait between a query and its reader.
const BATCHES_IN_FLIGHT: usize = 2;

/// Nesting of expressions and subqueries that the parser accepts.
const NESTING_MAX: usize = 100;

/// The bounds of the queries of one process.
/// In a file the names carry no unit, and the values do: `query_time_max = "30s"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// Threads, and the number of partitions a query is split into; at 0, as many as there are
    /// cores, at most 16.
    pub threads: usize,
    /// Memory of all running queries together; beyond it sorts, aggregates and joins spill, or
    /// the query fails. Default 1 GiB.
    #[serde(with = "sizes")]
    pub memory_bytes_max: usize,
    /// Bytes of spill files. Default 16 GiB.
    #[serde(with = "sizes")]
    pub spill_bytes_max: u64,
    /// Where spill files go; `None` is the system's temporary folder.
    #[serde(with = "optional_path")]
    pub spill_dir: Option<PathBuf>,
    /// Size of a result that [`Session::query`] collects. Default 1 GiB; a stream has no bound.
    #[serde(with = "sizes")]
    pub result_bytes_max: usize,
    /// A query that has more rows fails when it comes to them; at 0, none does.
    pub rows_max: u64,
    /// A query whose last row was not taken by then fails; at 0, none does.
    #[serde(rename = "query_time_max", with = "times")]
    pub query_ms_max: u64,
    /// Folders whose files SQL may touch besides those below the working directory, where it may
    /// touch files at all.
    #[serde(with = "paths")]
    pub file_dirs: Vec<PathBuf>,
    /// The files that it may touch; no setting, whoever asks says so.
    #[serde(skip)]
    pub files: Files,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            threads: 0,
            memory_bytes_max: 1 << 30,
            spill_bytes_max: 16 << 30,
            spill_dir: None,
            result_bytes_max: 1 << 30,
            rows_max: 0,
            query_ms_max: 0,
            file_dirs: Vec::new(),
            files: Files::default(),
        }
    }
}

impl SessionSettings {
    /// Checks each setting.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        let any = (1, u64::MAX);
        within("sql.threads", self.threads as u64, (0, 1_024), count)?;
        within("sql.memory_bytes_max", self.memory_bytes_max as u64, any, size)?;
        within("sql.result_bytes_max", self.result_bytes_max as u64, any, size)
    }

    /// Lets SQL touch the files below the working directory and the folders that are set.
    pub fn allow_files(&mut self) {
        let here = std::iter::once(PathBuf::from("."));
        self.files = Files::below(here.chain(self.file_dirs.iter().cloned()));
    }

    /// The same without bounds on a query's rows and time: for questions that no user asks.
    #[must_use]
    pub fn unbounded(self) -> Self {
        Self { rows_max: 0, query_ms_max: 0, ..self }
    }

    /// Threads on this machine.
    pub(super) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(16),
            threads => threads,
        }
    }
}

/// A whole result.
#[derive(Debug, Clone)]
pub struct QueryOutput {
    /// Columns of the result; no column is a view or a dictionary.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// From the call to the last row, planning included.
    pub elapsed_ns: i64,
}

impl QueryOutput {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// A result as it is made. Dropping it cancels the query.
pub struct QueryStream {
    schema: SchemaRef,
    /// `Ok(None)` is the end: a channel that closes without it lost its sender to a panic.
    batches: mpsc::Receiver<Result<Option<RecordBatch>>>,
    ended: bool,
    _task: Cancel,
}

impl QueryStream {
    /// Columns of the result.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl fmt::Debug for QueryStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Stream for QueryStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = std::task::ready!(self.batches.poll_recv(cx));
        let item = item.unwrap_or_else(|| Err(Error::internal("a query broke off (it panicked)")));
        self.ended = !matches!(item, Ok(Some(_)));
        Poll::Ready(item.transpose())
    }
}

/// Ends a task when dropped.
struct Cancel(JoinHandle<()>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// SQL over one snapshot.
#[derive(Clone)]
pub struct Session {
    engine: Arc<Engine>,
    context: SessionContext,
    /// What views are planned in.
    _views: Arc<SessionState>,
    vocabulary: Arc<Vocabulary>,
    /// Whether the rows of a COPY are asked for, by whoever writes them.
    copies: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("settings", &self.engine.settings).finish_non_exhaustive()
    }
}

impl Session {
    /// A session with threads, memory and caches of its own. Reads no file yet.
    pub fn new(
        snapshot: &Snapshot,
        settings: SessionSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Self::over(snapshot, Arc::new(Engine::new(settings, clock)?))
    }

    /// A session over another snapshot that shares threads, memory bounds and caches with this one.
    pub fn with_snapshot(&self, snapshot: &Snapshot) -> Result<Self> {
        Self::over(snapshot, Arc::clone(&self.engine))
    }

    fn over(snapshot: &Snapshot, engine: Arc<Engine>) -> Result<Self> {
        engine.add_tables(&snapshot.source)?;
        let config = engine.session_config();
        let memory_bytes_max = engine.settings.memory_bytes_max;
        let literals = BoundedLiterals::new(memory_bytes_max, config.batch_size());
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_optimizer_rule(Arc::new(SpreadConstants))
            .with_optimizer_rule(Arc::new(UseRollups))
            .with_optimizer_rule(Arc::new(ShareQuantiles))
            .with_optimizer_rule(Arc::new(InnerSketches))
            .with_optimizer_rule(Arc::new(literals))
            .with_physical_optimizer_rule(Arc::new(YieldingJoins))
            .with_physical_optimizer_rule(Arc::new(CountedWindows))
            .with_config(config)
            .with_runtime_env(Arc::clone(&engine.env))
            .build();
        let context = SessionContext::new_with_state(state);
        functions::register(&context);
        let tables = Arc::new(views::Tables::default());
        let catalog = context
            .catalog(CATALOG)
            .ok_or_else(|| Error::internal("a session has no catalog of tables"))?;
        let shown = Arc::clone(&tables) as Arc<dyn SchemaProvider>;
        catalog.register_schema(SCHEMA, shown).map_err(|source| {
            Error::internal("cannot set up the tables of a session").with_source(source)
        })?;
        for table in Table::ALL {
            provider::register(&context, *table, snapshot, &engine).map_err(|source| {
                Error::internal(format!("cannot register table {}", table.name()))
                    .with_source(source)
            })?;
        }
        let vocabulary = Arc::new(Vocabulary::of(&context));
        let views = Arc::new(context.state());
        tables.plan_in(&views);
        Ok(Self { engine, context, _views: views, vocabulary, copies: false })
    }

    /// Names of all functions, sorted: scalar, aggregate, window and table functions.
    pub fn function_names(&self) -> &[String] {
        &self.vocabulary.functions
    }

    /// Runs one statement and collects its rows. `$name` in it takes the value of `name`.
    ///
    /// Errors are of kind `Invalid` when the statement is wrong, with [`super::position`] where
    /// the place is known, and `Failed` when it could not be carried out.
    pub async fn query(&self, sql: &str, params: &Params) -> Result<QueryOutput> {
        let start_ns = self.engine.clock.monotonic_ns();
        let mut stream = self.query_stream(sql, params).await?;
        let mut batches = Vec::new();
        let mut size_bytes = 0;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            size_bytes += batch.get_array_memory_size();
            if size_bytes > self.engine.settings.result_bytes_max {
                return Err(Error::failed(format!(
                    "the result is larger than {} bytes",
                    self.engine.settings.result_bytes_max
                ))
                .with_hint("add a LIMIT, ask for fewer columns, or export to a file"));
            }
            batches.push(batch);
        }
        let elapsed_ns = self.engine.clock.monotonic_ns() - start_ns;
        Ok(QueryOutput { schema: stream.schema(), batches, elapsed_ns })
    }

    /// The bounds of its queries.
    pub(super) fn settings(&self) -> &SessionSettings {
        &self.engine.settings
    }

    /// Runs one statement; its rows come as they are made, as fast as they are taken.
    pub async fn query_stream(&self, sql: &str, params: &Params) -> Result<QueryStream> {
        let (session, text, params) = (self.clone(), sql.to_owned(), params.clone());
        let (started, start) = tokio::sync::oneshot::channel();
        let (sender, batches) = mpsc::channel(BATCHES_IN_FLIGHT);
        let task = self.engine.handle()?.spawn(async move {
            let to = run::Receiver { started: Some(started), rows: sender };
            Box::pin(run::run(&session, &text, &params, to)).await;
        });
        let task = Cancel(task);
        let schema = start
            .await
            .map_err(|_| Error::internal("a query ended without an answer (it panicked)"))??;
        Ok(QueryStream { schema, batches, ended: false, _task: task })
    }

    /// The file that a COPY statement asks for, and the rows for it; `None` for any other
    /// statement. Whoever gets them writes them; [`Session::query`] refuses the statement.
    ///
    /// # Errors
    /// `Invalid` also where the file may not be written, see [`Files`].
    pub async fn copy(&self, sql: &str, params: &Params) -> Result<Option<(CopyTo, QueryStream)>> {
        let Statement::CopyTo(copy) = parse(sql, |it| self.told(&it, sql))? else {
            return Ok(None);
        };
        let to = guard::copy_target(&copy, &self.settings().files)?;
        let copying = Self { copies: true, ..self.clone() };
        Ok(Some((to, copying.query_stream(sql, params).await?)))
    }

    /// Runs a canned query of the project, its parameters as a user types them:
    /// `[("since", "7d")]`.
    ///
    /// An unknown query or parameter, or a value of another type, is an error of kind `Usage`
    /// that names the nearest.
    pub async fn canned(&self, name: &str, args: &[(&str, &str)]) -> Result<QueryOutput> {
        let query = Queries::builtin().find(name)?;
        self.query(&query.sql, &query.bind(args)?).await
    }

    /// Plans a statement and starts it. `spill_joins` prefers joins that can spill to the disk.
    pub(super) async fn start(
        &self,
        sql: &str,
        params: &Params,
        spill_joins: bool,
    ) -> Result<SendableRecordBatchStream> {
        let wrong = |error| self.told(&error, sql);
        let mut statement = match (parse(sql, wrong)?, self.copies) {
            (Statement::CreateExternalTable(create), _) => {
                let described = self.name_files(&create)?;
                return Box::pin(self.start(&described, &Params::new(), false)).await;
            }
            (Statement::CopyTo(copy), true) => guard::copy_source(copy)?,
            (statement, _) => statement,
        };
        guard::check_statement(&statement)?;
        from_first::complete(&mut statement);
        params::bind(&mut statement, params)?;
        views::expand(&mut statement)?;
        let mut state = self.with_files(&statement).await.map_err(wrong)?;
        if spill_joins {
            let options = state.config_mut().options_mut();
            options.optimizer.prefer_hash_join = false;
            // The planner sorts for a join only where it would also partition it.
            options.execution.target_partitions = self.engine.settings.threads().max(2);
        }
        let plan = state.statement_to_plan(statement).await.map_err(wrong)?;
        guard::check_plan(&plan)?;
        let plan = plain::described(plan);
        DataFrame::new(state, plan).execute_stream().await.map_err(wrong)
    }

    /// Gives files the name that a statement asks for; the statement that says what they hold.
    fn name_files(&self, create: &CreateExternalTable) -> Result<String> {
        let state = self.context.state();
        let taken = |name: &str| {
            let schema = state.schema_for_ref(TableReference::bare(name));
            schema.is_ok_and(|it| it.table_exist(name))
        };
        let name = guard::name_files(create, &self.settings().files, taken)?;
        Ok(format!("DESCRIBE \"{}\"", name.replace('"', "\"\"")))
    }

    /// The state in which the files that a statement names are tables.
    async fn with_files(&self, statement: &Statement) -> EngineResult<SessionState> {
        let state = self.context.state();
        let mut found = HashMap::new();
        for named in state.resolve_table_references(statement)? {
            let TableReference::Bare { table } = named else { continue };
            let told = |it| DataFusionError::External(Box::new(it));
            if let Some((paths, kind)) = self.settings().files.find(&table).map_err(told)? {
                let rows = files::table(&state, &paths, kind).await.map_err(told)?;
                found.insert(table.to_string(), rows);
            }
        }
        if found.is_empty() {
            return Ok(state);
        }
        let tables = state.schema_for_ref(TableReference::bare("runs"))?;
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema(SCHEMA, Arc::new(FilesFirst::new(found, tables)))?;
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(CATALOG.to_owned(), Arc::new(catalog));
        let builder = SessionStateBuilder::new_from_existing(state);
        Ok(builder.with_catalog_list(Arc::new(catalogs)).build())
    }

    /// The engine's error about a statement, in this project's words.
    pub(super) fn told(&self, error: &DataFusionError, sql: &str) -> Error {
        diagnose(error, sql, &self.vocabulary)
    }
}

impl Store {
    /// A session over what the store holds now, with the usual bounds. It stays at this moment: ask
    /// for another to see later runs.
    pub fn session(&self) -> Result<Session> {
        let clock = Arc::new(SystemClock::new());
        Session::new(&self.snapshot()?, SessionSettings::default(), clock)
    }
}

fn parse(sql: &str, wrong: impl Fn(DataFusionError) -> Error) -> Result<Statement> {
    limits::check_text(sql)?;
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&GenericDialect {})
        .with_recursion_limit(NESTING_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(wrong)?;
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(Error::invalid("there is no statement to run")),
        (Some(_), more) => {
            let count = more + 1;
            let message = format!("one statement was expected, but {count} were given");
            Err(Error::invalid(message).with_hint("run them one after another"))
        }
    }
}
