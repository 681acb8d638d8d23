//! The handle on a store: opens, takes events, gives snapshots, closes. The work is done in the
//! rooms around it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::as_of::{self, AsOf, stamp_of_batch};
use super::compact::{Compactor, Signal};
use super::contracts;
use super::delta;
use super::files::{Files, LocalFiles};
use super::flush::Writing;
use super::flusher::Flusher;
use super::hot::Hot;
use super::identity::{self, Identity};
use super::index::{Index, IndexObserver, IndexStatus, NameKind};
use super::layout::Layout;
use super::location::Location;
use super::lookup::{self, FoundRun, RunRecord};
use super::options::StoreOptions;
use super::recover::{recover, recover_others};
use super::slot::{self, OwnedSlot};
use super::snapshot::Snapshot;
use super::status::{self, Status};
use super::tables::Tables;
use super::tails::Tails;
use super::temporaries;
use super::view::{self, OwnSlot, Reading};
#[cfg(doc)]
use crate::clock::moment_us;
use crate::clock::{Clock, IdSource, SystemClock, SystemIds};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Table, Text};
use crate::journal::disk::{Disk, SystemDisk};
use crate::journal::{Journal, Place};
use crate::setting::Fault;

/// What to do when a local disk refuses.
const WRITE_HINT: &str = "Check the permissions of the folder and the space on its disk.";

/// An open store. Dropping it closes it; only [`Store::close`] tells whether that went well.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    identity: Identity,
    tables: Arc<Tables>,
    tails: Tails,
    index: Index,
    writer: Option<Writer>,
}

// fields are dropped in this order: the journal seals, the compactor stops, the flusher flushes,
// the slot gets free
#[derive(Debug)]
struct Writer {
    journal: Journal,
    compactor: Option<Compactor>,
    flusher: Flusher,
    hot: Arc<Hot>,
    journal_root_id: String,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    slot: OwnedSlot,
}

impl Store {
    /// Opens the store in a folder for writing, and makes it if there is none, with the usual
    /// options and the clock and ids of the system.
    ///
    /// # Errors
    /// As [`Store::open_at`].
    pub fn open(folder: impl Into<Location>) -> Result<Self> {
        let (clock, ids) = (Arc::new(SystemClock::new()), Arc::new(SystemIds));
        Self::open_at(folder, StoreOptions::default(), clock, ids)
    }

    /// Opens a store for writing, in a folder or at an address, and makes it if there is none:
    /// locks a slot, brings what a dead writer has left into the tables, and starts the journal.
    /// At an address it is first tried out whether the object store can hold a store at all.
    ///
    /// # Errors
    /// `Invalid` for wrong options; `Unavailable` when the path is something else, a newer genstore
    /// made the store, or others write it; `Damaged` when bytes are not what was written.
    pub fn open_at(
        location: impl Into<Location>,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        Self::open_telling(Arc::new(SystemDisk), &location.into(), options, clock, ids)
    }

    /// As [`Store::open_at`], with the disk as a parameter: tests pass one that fails.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        path: &Path,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        Self::open_telling(disk, &Location::from(path), options, clock, ids)
    }

    fn open_telling(
        disk: Arc<dyn Disk>,
        location: &Location,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        Self::open_with(disk, location, options, clock, ids).map_err(|error| match error.kind() {
            ErrorKind::Failed => {
                let path = location.path().display();
                let hint = error.hint().map(str::to_owned);
                Error::unavailable(format!("the store {path} cannot be opened for writing"))
                    .with_hint(hint.unwrap_or_else(|| WRITE_HINT.to_owned()))
                    .with_source(error)
            }
            _ => error,
        })
    }

    fn open_with(
        disk: Arc<dyn Disk>,
        location: &Location,
        options: StoreOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        options.validate().map_err(Fault::into_error)?;
        let (layout, files) = (location.layout(), location.files(&disk)?);
        let identity = identity::read_or_create(&*files, &layout, &*disk, &*clock, &*ids)?;
        if files.is_remote() {
            identity::create_folders(layout.state(), &*disk)?;
        }
        files.create_folder(&layout.tables())?;
        let local = LocalFiles::new(Arc::clone(&disk));
        local.create_folder(&layout.journal())?;
        let journal_root_id =
            identity::journal_root_id(&local, &layout, &*ids, &identity.store_id)?;
        let slot = slot::lock_lowest(&layout, &*disk, options.writers_max)?;
        let tables = Arc::new(Tables::new(&layout, files));
        tables.read_ahead();
        let now_us = clock.now_us();
        tables.each(Table::ALL.iter().copied(), |table| {
            delta::create(&**tables.files(), &*ids, &mut *tables.log(table)?, table, now_us)
        })?;
        let writing = Arc::new(Writing {
            layout: layout.clone(),
            identity: identity.clone(),
            journal_root_id: journal_root_id.clone(),
            journal_grace_us: options.journal_grace_us(),
            tables: Arc::clone(&tables),
            disk: Arc::clone(&disk),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        });
        let temporaries = temporaries::list(&**tables.files(), &layout);
        if recover_others(&writing, slot.number())? {
            temporaries::remove(&**tables.files(), &temporaries);
        }
        let recovered = recover(&writing, slot.slot())?;
        let hot = Arc::new(Hot::default());
        let place = Place { folder: layout.slot(slot.number()), header: recovered.header };
        let listener = Arc::clone(&hot);
        let (own_clock, own_ids) = (Arc::clone(&clock), Arc::clone(&ids));
        let journal = Journal::start(place, options.journal(), disk, clock, ids, listener)?;
        let flushed = Arc::new(Signal::default());
        let compaction = Some(&options.compaction).filter(|it| it.enabled);
        let compactor = compaction
            .map(|it| Compactor::start(Arc::clone(&writing), Arc::clone(&flushed), it.bounds()))
            .transpose()?;
        let flusher = Flusher::start(
            writing,
            slot.number(),
            Arc::clone(&hot),
            Arc::clone(journal.queue()),
            &options,
            recovered.leftovers,
            flushed,
        )?;
        let (clock, ids) = (own_clock, own_ids);
        let writer = Writer { journal, compactor, flusher, hot, journal_root_id, clock, ids, slot };
        Ok(Self::over(layout, identity, tables, Some(writer)))
    }

    /// Opens a store for reading. Never writes but to the index, and never makes a writer wait.
    ///
    /// # Errors
    /// `Unavailable` when there is no store, or one that this build cannot read.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        Self::open_at_read_only(&Location::from(path))
    }

    /// As [`Store::open_read_only`], for a store in a folder or at an address.
    pub fn open_at_read_only(location: &Location) -> Result<Self> {
        let layout = location.layout();
        let files = location.files(&SystemDisk::shared())?;
        let identity = identity::read(&*files, &layout)?;
        let tables = Arc::new(Tables::new(&layout, files));
        Ok(Self::over(layout, identity, tables, None))
    }

    fn over(
        layout: Layout,
        identity: Identity,
        tables: Arc<Tables>,
        writer: Option<Writer>,
    ) -> Self {
        let index = Index::new(layout.index(), identity.store_id.clone());
        Self { layout, identity, tables, tails: Tails::default(), index, writer }
    }

    /// All tables at one moment: committed files, and the rows that only a journal holds. Rows of
    /// this handle are there as soon as they are acknowledged.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = self.read(view::snapshot)?;
        snapshot.index = self.index.known_files();
        Ok(snapshot)
    }

    /// All tables as of a moment that [`Store::moment`] gives: what had been flushed by then, and
    /// nothing that only a journal holds. Such a snapshot is the same whenever it is taken.
    ///
    /// # Errors
    /// `Failed`, naming the earliest time that can be shown, if a clean-up of the logs or a vacuum
    /// has taken away what was there.
    pub fn snapshot_as_of(&self, moment_us: i64) -> Result<Snapshot> {
        as_of::snapshot(&self.tables, self.layout.root(), moment_us)
    }

    /// The moment that a text means, in microseconds: a time as [`moment_us`] takes it, or the id
    /// of a batch, or its beginning: then the moment at which it was complete in the tables.
    ///
    /// # Errors
    /// `Usage` for a time in the future or before the store was made, and for an unknown batch.
    pub fn moment(&self, text: &str, now_us: i64) -> Result<i64> {
        match AsOf::parse(text, now_us) {
            AsOf::Batch(id) => stamp_of_batch(&self.tables, &id, || self.snapshot()),
            AsOf::Time(at_us) => {
                let (root, created) = (self.layout.root(), &self.identity.created);
                as_of::check_time(root, created, at_us, now_us).map(|()| at_us)
            }
        }
    }

    /// Enters events into the next group commit and returns. Blocks the thread only when
    /// [`StoreOptions::hot_bytes_max`] is reached.
    pub fn append(&self, events: Vec<Event>) -> Result<()> {
        self.writer()?.journal.queue().append(events)
    }

    /// [`Store::append`] for a caller that may not wait: gives the events back at the bound.
    pub fn try_append(&self, events: Vec<Event>) -> Result<Option<Vec<Event>>> {
        self.writer()?.journal.queue().try_append(events)
    }

    /// Returns when the events are as safe as [`StoreOptions::durability`] says: acknowledged.
    /// Works on any async runtime.
    pub async fn commit(&self, events: Vec<Event>) -> Result<()> {
        self.writer()?.journal.queue().commit(events).await
    }

    /// [`Store::commit`] for a thread that may block.
    pub fn commit_blocking(&self, events: Vec<Event>) -> Result<()> {
        self.writer()?.journal.queue().commit_blocking(events)
    }

    /// Brings everything that was acknowledged before into the tables. Blocks the thread.
    pub fn flush(&self) -> Result<()> {
        let writer = self.writer()?;
        match writer.journal.queue().seal()? {
            Some(n) => writer.hot.wait_flushed(n),
            None => Ok(()),
        }
    }

    /// Flushes and ends the store's threads; events are refused from then on. Reading still works.
    /// Doing it twice does no harm.
    ///
    /// # Errors
    /// When rows could not be brought into the tables: they are safe in the journal, and the next
    /// writer does it.
    pub fn close(&self) -> Result<()> {
        let Some(writer) = &self.writer else { return Ok(()) };
        writer.journal.close();
        // it ends what it is at while the last rows are flushed
        writer.compactor.iter().for_each(Compactor::stop);
        writer.flusher.close();
        writer.compactor.iter().for_each(Compactor::close);
        writer.hot.check_empty()
    }

    /// Sizes, counts and how far the tables are behind the journal.
    pub fn status(&self) -> Result<Status> {
        self.read(|reading| status::status(reading, &self.identity))
    }

    /// Digests of the contracts that the store holds, at most `count_max` of them.
    pub fn contract_digests(&self, count_max: usize) -> Result<HashSet<Text>> {
        contracts::digests(&self.snapshot()?, count_max)
    }

    /// The run with this id, with its steps and issues; `None` if there is none.
    pub fn run(&self, run_id: &str) -> Result<Option<RunRecord>> {
        lookup::run(&self.snapshot()?, &self.index, run_id)
    }

    /// The newest runs of a contract, by their ids, at most `count_max`.
    pub fn runs_of_contract(&self, name: &str, count_max: usize) -> Result<Vec<FoundRun>> {
        lookup::runs_of_contract(&self.snapshot()?, &self.index, name, count_max)
    }

    /// The newest successful run whose `input_digest` is this.
    pub fn run_of_input(&self, input_digest: &str) -> Result<Option<FoundRun>> {
        lookup::run_of_input(&self.snapshot()?, &self.index, input_digest)
    }

    /// Names that begin with `prefix`, sorted, at most `count_max`: those that the index has seen,
    /// none as long as it is not open.
    pub fn names(&self, kind: NameKind, prefix: &str, count_max: usize) -> Vec<String> {
        self.index.names(kind, prefix, count_max)
    }

    /// Opens the index, and brings it up to date, however long that takes. Lookups and queries use
    /// it from then on; they do without as long as it is not open, or another process has it.
    ///
    /// # Errors
    /// `Unavailable` when another process has it; `Failed` when the disk refuses; `Interrupted`
    /// when `progress` breaks it off. Nothing but the speed of lookups depends on it.
    pub fn catch_up_index(&self, progress: IndexObserver<'_>) -> Result<()> {
        self.index.catch_up(&self.snapshot_to_index()?, progress)
    }

    /// Makes the index anew from the tables.
    ///
    /// # Errors
    /// As [`Store::catch_up_index`].
    pub fn rebuild_index(&self, progress: IndexObserver<'_>) -> Result<()> {
        self.index.rebuild(&self.snapshot_to_index()?, progress)
    }

    /// A table that cannot be read must not look like one that is empty.
    fn snapshot_to_index(&self) -> Result<Snapshot> {
        let snapshot = self.snapshot()?;
        match lookup::damage(&snapshot) {
            Some(damage) => Err(damage),
            None => Ok(snapshot),
        }
    }

    /// What the index is like.
    pub fn index_status(&self) -> Result<IndexStatus> {
        self.index.status(&self.snapshot()?)
    }

    /// What there is to tell the user of the index, said once: that it was damaged and is made
    /// anew, or that it is far behind.
    pub fn take_index_notice(&self) -> Option<String> {
        self.index.take_notice()
    }

    /// Why the compaction that runs beside this writer does not come on with a table: its last step
    /// there failed. Nothing but the number of files depends on it.
    pub fn compaction_failure(&self) -> Option<String> {
        self.writer.as_ref()?.compactor.as_ref()?.failure()
    }

    /// The id of the store, which a copy of it does not have.
    pub fn id(&self) -> &str {
        &self.identity.store_id
    }

    /// Where the store is.
    pub fn path(&self) -> &Path {
        self.layout.root()
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.tables
    }

    fn read<T>(&self, read: impl FnOnce(Reading<'_>) -> Result<T>) -> Result<T> {
        let (layout, tables) = (&self.layout, &*self.tables);
        let store_id = self.identity.store_id.as_str();
        let own = self
            .writer
            .as_ref()
            .map(|writer| OwnSlot { number: writer.slot.number(), hot: &writer.hot });
        let root_id = match &self.writer {
            Some(writer) => Some(writer.journal_root_id.clone()),
            None => identity::read_journal_root_id(layout, store_id)?,
        };
        let journal_root_id = root_id.as_deref();
        let tails = &self.tails;
        read(Reading { layout, tables, store_id, journal_root_id, own, tails })
    }

    /// Time and ids, as it was opened for writing with.
    pub(crate) fn clock_and_ids(&self) -> Result<(Arc<dyn Clock>, Arc<dyn IdSource>)> {
        let writer = self.writer()?;
        Ok((Arc::clone(&writer.clock), Arc::clone(&writer.ids)))
    }

    fn writer(&self) -> Result<&Writer> {
        self.writer.as_ref().ok_or_else(|| {
            Error::unavailable(format!("{} is open for reading only", self.layout.root().display()))
                .with_hint("Open the store for writing to change it.")
        })
    }
}
