//! Many rows from elsewhere into the tables: checked together, in data files of their own, by one
//! commit per table, children first and `runs` last.
//!
//! ```text
//! batches ─► keys, sketches ─► chunks in order ─► data files      (uncommitted; a second thread)
//!                 └─► check: twice? in the store? whose run?  ─►  commits, txn import/<digest>
//! ```
//!
//! Nothing is visible before the commits, and what was written is removed if they do not come. A
//! table that has the digest of a file takes no row of it again, so that a load that broke off
//! between two commits is simply done again. Sketches of steps are committed before the steps.
//!
//! Memory: [`LoadOptions::chunk_bytes_max`] about four times, [`LoadOptions::sketch_bytes_max`], a
//! data file, and the keys: 8 bytes per row of `runs`, `steps` and `batches`, and 16 per run that a
//! table names.

mod checks;
mod keys;
mod order;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;

use self::keys::TableKeys;
use self::write::{Filled, fill};
use super::delta;
use super::flush::Writing;
use super::identity;
use super::keeper::{Keeper, Rewriting};
use super::location::Location;
use super::options::StoreOptions;
use super::segment::Segment;
use super::segment_writer::remove;
use super::tables::Tables;
use crate::clock::{Clock, IdSource};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::journal::disk::Disk;

pub use keys::{Conflict, Finder, Found};

const AGAIN_HINT: &str =
    "What is in the store stays, and is left out when the import is done again: do it again.";

/// Bounds of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions {
    /// Rows that are put in order together.
    pub chunk_rows_max: usize,
    /// Bytes of memory that they take.
    pub chunk_bytes_max: usize,
    /// Rows with a key, of one table, in one load.
    pub keyed_rows_max: usize,
    /// Bytes of memory that sketches take before they are written.
    pub sketch_bytes_max: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            chunk_rows_max: 1 << 20,
            chunk_bytes_max: 96 << 20,
            keyed_rows_max: 64 << 20,
            sketch_bytes_max: 96 << 20,
        }
    }
}

/// Where rows of a table are put: in its schema, and, of `steps`, whether their sketches go into
/// `step_latency`.
pub type Sink<'a> = &'a mut dyn FnMut(RecordBatch, bool) -> Result<()>;

/// Rows on their way into a store. Dropped before [`Load::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Load {
    store: Option<Held>,
    options: LoadOptions,
    is_dry: bool,
    parts: BTreeMap<Table, Part>,
}

/// The store, and the right to add files that nobody takes for strays.
#[derive(Debug)]
struct Held {
    keeper: Keeper,
    _rewriting: Option<Rewriting>,
}

/// What one table gets.
#[derive(Debug, Default)]
struct Part {
    keys: Option<TableKeys>,
    app_ids: Vec<String>,
    rows: u64,
    segments: Vec<Segment>,
}

/// The name under which a table remembers a file, by the digest of its bytes.
fn app_id(digest: &str) -> String {
    format!("import/{digest}")
}

impl Load {
    /// Begins a load into a store, which is made if there is none. No two loads go on at once.
    ///
    /// # Errors
    /// As [`Keeper::open`], and `Unavailable` when another process looks after the store.
    pub fn begin(
        disk: Arc<dyn Disk>,
        location: &Location,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: LoadOptions,
    ) -> Result<Self> {
        let (layout, files) = (location.layout(), location.files(&disk)?);
        identity::read_or_create(&*files, &layout, &*disk, &*clock, &*ids)?;
        let keeper = Keeper::open_with(disk, location, clock, ids)?;
        let rewriting = keeper.rewriting_soon()?;
        // whoever made the store may have died over it
        let Writing { tables, clock, ids, .. } = &keeper.writing;
        tables.files().create_folder(&layout.tables())?;
        for table in Table::ALL {
            let mut log = tables.log(*table)?;
            delta::create(&**tables.files(), &**ids, &mut log, *table, clock.now_us())?;
        }
        let store = Some(Held { keeper, _rewriting: Some(rewriting) });
        Ok(Self { store, options, is_dry: false, parts: BTreeMap::new() })
    }

    /// Begins a load that checks everything and writes nothing, into a store or one to come.
    ///
    /// # Errors
    /// As [`Keeper::open`].
    pub fn dry(
        disk: Arc<dyn Disk>,
        location: &Location,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: LoadOptions,
    ) -> Result<Self> {
        let identity = location.layout().identity();
        let store = if location.files(&disk)?.metadata(&identity)?.is_some() {
            let keeper = Keeper::open_with(disk, location, clock, ids)?;
            Some(Held { keeper, _rewriting: None })
        } else {
            None
        };
        Ok(Self { store, options, is_dry: true, parts: BTreeMap::new() })
    }

    /// Whether a table has taken the file with this digest before.
    pub fn has(&self, table: Table, digest: &str) -> Result<bool> {
        let Some(store) = &self.store else { return Ok(false) };
        let mut log = store.keeper.writing.tables.log(table)?;
        log.refresh()?;
        Ok(log.committed(&app_id(digest)) > 0)
    }

    /// Remembers that a table has the file with this digest, once it is committed.
    pub fn note(&mut self, table: Table, digest: &str) {
        let app_ids = &mut self.parts.entry(table).or_default().app_ids;
        let app_id = app_id(digest);
        if !app_ids.contains(&app_id) {
            app_ids.push(app_id);
        }
    }

    /// Takes the rows of a table that `read` puts into the sink, in the schema of the table. Each
    /// table is filled once.
    pub fn fill(&mut self, table: Table, read: impl FnOnce(Sink<'_>) -> Result<()>) -> Result<()> {
        let writing = self.store.as_ref().filter(|_| !self.is_dry).map(|it| &it.keeper.writing);
        let Filled { keys, rows, sketches } = fill(writing, table, self.options, read);
        for (table, written) in [(table, rows), (Table::StepLatency, sketches)] {
            let part = self.parts.entry(table).or_default();
            part.rows += written.rows;
            part.segments.extend(written.segments);
        }
        self.parts.entry(table).or_default().keys = Some(keys?);
        Ok(())
    }

    /// What is wrong with all rows together, if something may be.
    pub fn check(&mut self) -> Result<Option<Conflict>> {
        let keys = self.parts.values_mut().filter_map(|it| it.keys.as_mut());
        let mut keys: Vec<&mut TableKeys> = keys.collect();
        keys.iter_mut().for_each(|it| it.close());
        let keys: Vec<&TableKeys> = keys.into_iter().map(|it| &*it).collect();
        checks::check(&keys, self.store.as_ref().map(|it| &it.keeper.writing))
    }

    /// Keeps the logs as a writer of these settings does.
    #[must_use]
    pub fn with_options(mut self, options: &StoreOptions) -> Self {
        if let Some(Held { keeper, _rewriting }) = self.store.take() {
            self.store = Some(Held { keeper: keeper.with_options(options), _rewriting });
        }
        self
    }

    /// Rows of a table that are to be committed.
    pub fn rows(&self, table: Table) -> u64 {
        self.parts.get(&table).map_or(0, |it| it.rows)
    }

    /// Commits everything, `runs` last.
    ///
    /// # Errors
    /// When a commit failed; those before it stay. Done again, the load completes.
    pub fn commit(mut self) -> Result<()> {
        let Some(store) = self.store.as_ref().filter(|_| !self.is_dry) else { return Ok(()) };
        let writing = &store.keeper.writing;
        let time_us = writing.tables.next_flush_time_us(writing.clock.now_us())?;
        // sketches first: a table of steps that has a file has its sketches, whoever made them
        let first = Table::StepLatency;
        let rest = Tables::writing_order().filter(|it| *it != first);
        for table in std::iter::once(first).chain(rest) {
            let Some(part) = self.parts.get_mut(&table).filter(|it| it.rows > 0) else { continue };
            // whatever comes of the commit, its files stay: it may be there
            let segments = std::mem::take(&mut part.segments);
            commit(writing, table, &part.app_ids, segments, time_us)?;
        }
        store.keeper.keep_logs();
        Ok(())
    }
}

fn commit(
    writing: &Writing,
    table: Table,
    app_ids: &[String],
    segments: Vec<Segment>,
    time_us: i64,
) -> Result<()> {
    let (files, ids) = (&**writing.files(), &*writing.ids);
    let mut log = writing.tables.log(table)?;
    delta::load(files, ids, &mut log, app_ids, segments, time_us).map_err(|error| {
        Error::new(error.kind(), format!("cannot bring rows into {}", table.name()))
            .with_hint(AGAIN_HINT)
            .with_source(error)
    })
}

impl Drop for Load {
    fn drop(&mut self) {
        let Some(store) = &self.store else { return };
        for (table, part) in &self.parts {
            remove(&store.keeper.writing, *table, &part.segments);
        }
    }
}
