//! Whoever looks after a store: merges, removes, copies in. It writes no rows of runs and holds no
//! slot, so it works beside writers and readers; what it does to a table is one commit each. It
//! keeps repairs out, and of two that would rewrite files one waits its turn.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use super::delta::LogKeeping;
use super::files::LocalFiles;
use super::flush::Writing;
use super::identity;
use super::layout::Layout;
use super::location::Location;
use super::options::StoreOptions;
use super::slot;
use super::tables::Tables;
use crate::clock::{Clock, IdSource};
use crate::error::{Error, ErrorKind, IoContext, Result};
use crate::journal::disk::{Disk, SystemDisk};

/// Attempts at a right that another process has, each of 0.2 s.
const ATTEMPTS_MAX: u32 = 150;

/// A store that is being looked after.
#[derive(Debug)]
pub struct Keeper {
    pub(super) writing: Writing,
    log_keeping: LogKeeping,
    _shared: File,
}

/// The right to rewrite files of a store's tables; given back when dropped.
#[derive(Debug)]
pub(super) struct Rewriting {
    _lock: File,
}

impl Keeper {
    /// Opens a store to look after it.
    ///
    /// # Errors
    /// `Unavailable` when there is no store, or it is being repaired.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Result<Self> {
        Self::open_at(&Location::from(path), clock, ids)
    }

    /// As [`Keeper::open`], for a store in a folder or at an address.
    pub fn open_at(
        location: &Location,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        Self::open_with(SystemDisk::shared(), location, clock, ids)
    }

    /// As [`Keeper::open`], with the disk as a parameter: tests pass one that fails.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        path: &Path,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        Self::open_with(disk, &Location::from(path), clock, ids)
    }

    pub(super) fn open_with(
        disk: Arc<dyn Disk>,
        location: &Location,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self> {
        let (layout, files) = (location.layout(), location.files(&disk)?);
        let identity = identity::read(&*files, &layout)?;
        if files.is_remote() {
            files.check_conditional_put(layout.root(), &*ids)?;
            identity::create_folders(layout.state(), &*disk)?;
        }
        let journal = layout.journal();
        disk.create_folder(&journal).context("create the folder", &journal)?;
        let local = LocalFiles::new(Arc::clone(&disk));
        let journal_root_id =
            identity::journal_root_id(&local, &layout, &*ids, &identity.store_id)?;
        let shared = slot::lock_shared(&layout)?;
        let tables = Arc::new(Tables::new(&layout, files));
        tables.read_ahead();
        let journal_grace_us = i64::MAX; // journal files are their writers'
        let writing = Writing {
            layout,
            identity,
            journal_root_id,
            journal_grace_us,
            tables,
            disk,
            clock,
            ids,
        };
        let log_keeping = StoreOptions::default().log_keeping();
        Ok(Self { writing, log_keeping, _shared: shared })
    }

    /// Keeps the logs as a writer of these settings does.
    #[must_use]
    pub fn with_options(mut self, options: &StoreOptions) -> Self {
        self.log_keeping = options.log_keeping();
        self
    }

    /// Waits for nobody.
    ///
    /// # Errors
    /// `Unavailable`, naming the process that has the right.
    pub(super) fn rewriting(&self) -> Result<Rewriting> {
        Rewriting::take(&self.writing.layout)
    }

    /// Waits for whoever has the right, half a minute at most.
    ///
    /// # Errors
    /// `Unavailable`, naming the process that still has it.
    pub(super) fn rewriting_soon(&self) -> Result<Rewriting> {
        for _ in 1..ATTEMPTS_MAX {
            match self.rewriting() {
                Err(error) if error.kind() == ErrorKind::Unavailable => {} // it has waited a while
                done => return done,
            }
        }
        self.rewriting()
    }

    /// Writes the checkpoints that are due after commits of this keeper. One that cannot be written
    /// is only late: a log is longer to read, no more.
    pub(super) fn keep_logs(&self) {
        let Writing { tables, ids, clock, .. } = &self.writing;
        drop(tables.keep_logs(&**ids, self.log_keeping, clock.now_us()));
    }
}

impl Rewriting {
    /// Takes the right, if nobody on this machine has it.
    pub(super) fn take(layout: &Layout) -> Result<Self> {
        let path = layout.upkeep_lock();
        let mut file = slot::open_lock(&path)?;
        match slot::patiently(|| file.try_lock()) {
            Ok(()) => {
                slot::note_process(&mut file, &path)?;
                Ok(Self { _lock: file })
            }
            Err(TryLockError::WouldBlock) => {
                let (root, holder) = (layout.root().display(), slot::named_in(&file));
                let message = format!("{root} is being looked after by process {holder}");
                Err(Error::unavailable(message).with_hint("Wait until that has ended."))
            }
            Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
        }
    }
}
