//! The state of one table, from its Delta log: what readers and writers ask for, no more. Reads the
//! newest checkpoint and the commits after it, and then only commits that it has not seen.
//!
//! The log of a table that is written for long is cleaned up from its old end. So whoever finds its
//! next commit missing looks whether its last one is still there: if not, it starts over.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::action::{Action, Add, MetaData, end_of_ms, stamp_us};
use super::read::{Listing, Start, damaged, expect_commits, has_commit, read_commit};
use super::schema;
use super::stats::FileStats;
use crate::error::{Error, Result};
use crate::event::{Column, Table, Text};
use crate::store::files::Files;
use crate::store::layout::{commit_name, delta_log};
use crate::store::snapshot::DataFile;

/// Flush times that are kept per slot, to know when a journal file may go.
const TIMES_KEPT_MAX: usize = 1_000;
/// So many new commits are read one by one.
const AHEAD_MIN: u64 = 2;
/// Commits that are expected at once.
const AHEAD_MAX: u64 = 32;
/// A log would have to be cleaned up this often while it is read.
const ATTEMPTS_MAX: usize = 5;

/// What a table knows of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Txn {
    /// The newest journal file of the slot whose rows the table holds.
    pub(in crate::store) version: u64,
    /// When the newest journal files were committed, in microseconds.
    flush_times_us: BTreeMap<u64, i64>,
}

impl Txn {
    /// When a journal file was committed, in microseconds, or a later time; 0 where that is
    /// unknown. A checkpoint knows only the time of the newest file, to a millisecond.
    pub(in crate::store) fn flush_time_us(&self, n: u64) -> i64 {
        self.flush_times_us.range(n..).next().map_or(0, |(_, time_us)| *time_us)
    }
}

/// One table's log, as far as it has been read.
#[derive(Debug)]
pub(in crate::store) struct Log {
    table: Table,
    folder: PathBuf,
    store: Arc<dyn Files>,
    version: Option<u64>,
    checkpoint: Option<u64>,
    checkpoint_tried: Option<u64>,
    files: BTreeMap<String, DataFile>,
    /// The same as readers get them, as long as nothing has changed.
    listed: Option<Arc<Vec<DataFile>>>,
    txns: HashMap<String, Txn>,
    metadata: Option<MetaData>,
    fit: Result<Vec<&'static Column>, String>,
    flush_time_us: i64,
    data_removals: u64,
}

impl Log {
    /// The log in a table's folder, of which nothing has been read.
    pub(in crate::store) fn new(
        store: Arc<dyn Files>,
        table_folder: PathBuf,
        table: Table,
    ) -> Self {
        Self {
            table,
            folder: table_folder,
            store,
            version: None,
            checkpoint: None,
            checkpoint_tried: None,
            files: BTreeMap::new(),
            listed: None,
            txns: HashMap::new(),
            metadata: None,
            fit: Ok(Vec::new()),
            flush_time_us: 0,
            data_removals: 0,
        }
    }

    /// Reads the commits that are new.
    ///
    /// # Errors
    /// `Damaged` for an empty, torn or missing commit, `Unavailable` for a protocol that is unknown
    /// here.
    pub(in crate::store) fn refresh(&mut self) -> Result<()> {
        let Some(before) = self.version else { return self.load() };
        self.read_new(before)?;
        // commits are removed oldest first: while the newest read is there, none after it is gone
        let folder = delta_log(&self.folder);
        let version = self.version.unwrap_or(before);
        if has_commit(&*self.store, &folder, version)? {
            return Ok(());
        }
        // a foreign tool may have removed all commits up to a checkpoint, and nothing came since
        let newest = Listing::read(&*self.store, &folder)?.newest();
        match newest {
            Some(newest) if newest == version => Ok(()),
            Some(newest) if newest > version => self.start_over(),
            _ => {
                Err(damaged(&folder.join(commit_name(version)), "the commit is not there any more"))
            }
        }
    }

    /// Forgets what was read and reads from the newest checkpoint. Rows may have been removed in
    /// commits that are gone: it counts as one such commit.
    pub(super) fn start_over(&mut self) -> Result<()> {
        let mut fresh = Self::new(Arc::clone(&self.store), self.folder.clone(), self.table);
        fresh.load()?;
        if fresh.version < self.version {
            let missing = fresh.version.map_or(0, |it| it + 1);
            return Err(gap(&delta_log(&self.folder), missing, self.version));
        }
        fresh.data_removals += self.data_removals + 1;
        fresh.flush_time_us = fresh.flush_time_us.max(self.flush_time_us);
        fresh.checkpoint_tried = self.checkpoint_tried;
        *self = fresh;
        Ok(())
    }

    /// Reads everything, from the newest checkpoint that can be read.
    fn load(&mut self) -> Result<()> {
        let folder = delta_log(&self.folder);
        let mut failure = None;
        for _ in 0..ATTEMPTS_MAX {
            // listed first: whatever was there then must be met on the way
            let listing = Listing::read(&*self.store, &folder)?;
            let Start { checkpoint, damage } = listing.start(&*self.store, &folder, u64::MAX)?;
            let mut fresh = Self::new(Arc::clone(&self.store), self.folder.clone(), self.table);
            if let Some((version, actions)) = checkpoint {
                fresh.apply_checkpoint(version, actions);
            }
            let first = fresh.version.map_or(0, |it| it + 1);
            expect_commits(&*self.store, &folder, first, listing.newest());
            fresh.read_new(listing.newest().unwrap_or(0))?;
            if fresh.version >= listing.newest() {
                *self = fresh;
                return Ok(());
            }
            // cleaned up while it was read, or damaged: another look tells
            let missing = fresh.version.map_or(0, |it| it + 1);
            failure = Some(damage.unwrap_or_else(|| gap(&folder, missing, listing.newest())));
        }
        Err(failure.unwrap_or_else(|| Error::internal("a log was not read")))
    }

    /// Reads the commits after the last one. Those up to `expected` are being fetched.
    fn read_new(&mut self, mut expected: u64) -> Result<()> {
        let folder = delta_log(&self.folder);
        let mut ahead = 1;
        loop {
            let version = self.version.map_or(0, |it| it + 1);
            let Some(actions) = read_commit(&*self.store, &folder, version)? else { return Ok(()) };
            self.note_commit(version, actions);
            // where some are new there may be many: each look goes further than the last
            if version > expected {
                ahead = (ahead * 2).min(AHEAD_MAX);
                expected = version + ahead;
                if ahead > AHEAD_MIN {
                    expect_commits(&*self.store, &folder, version + 1, Some(expected));
                }
            }
        }
    }

    /// Takes the next commit, which has been read, or put by this process.
    pub(super) fn note_commit(&mut self, version: u64, actions: Vec<Action>) {
        let flush_time_us = actions
            .iter()
            .filter_map(|action| action.commit_info.as_ref()?.genstore_flush_time_us)
            .next_back();
        for action in actions {
            self.apply(action, flush_time_us);
        }
        self.flush_time_us = self.flush_time_us.max(flush_time_us.unwrap_or(0));
        self.version = Some(version);
    }

    /// A checkpoint has the times of files and slots in milliseconds only. Rounded up, so that the
    /// next flush time is above all that were.
    fn apply_checkpoint(&mut self, version: u64, actions: Vec<Action>) {
        self.flush_time_us = self.flush_time_us.max(stamp_us(&actions).unwrap_or(0));
        for action in actions {
            let updated_ms = action.txn.as_ref().and_then(|txn| {
                let (_, slot) = txn.app_id.rsplit_once('/')?;
                slot.parse::<u32>().ok()?;
                txn.last_updated
            });
            let flush_time_us = updated_ms.map(end_of_ms);
            self.apply(Action { remove: None, ..action }, flush_time_us);
        }
        self.version = Some(version);
        self.checkpoint = Some(version);
    }

    /// The newest version that has been read; `None` before the first commit.
    pub(in crate::store) fn version(&self) -> Option<u64> {
        self.version
    }

    /// The newest checkpoint that is known here.
    pub(in crate::store) fn checkpoint(&self) -> Option<u64> {
        self.checkpoint
    }

    /// The version whose checkpoint is to be written now. Asking makes it no longer due: one that
    /// fails is due again after as many commits.
    pub(in crate::store) fn take_due_checkpoint(&mut self, commits: u64) -> Option<u64> {
        let version = self.version.map(|it| it - it % commits.max(1))?;
        let known = self.checkpoint.max(self.checkpoint_tried).unwrap_or(0);
        (version > known).then(|| {
            self.checkpoint_tried = Some(version);
            version
        })
    }

    /// Takes notice of a checkpoint.
    pub(in crate::store) fn note_checkpoint(&mut self, version: u64) {
        self.checkpoint = self.checkpoint.max(Some(version));
    }

    /// The table's data files, by their names. They are copied once per change, not per reader.
    pub(in crate::store) fn files(&mut self) -> Arc<Vec<DataFile>> {
        let files = &self.files;
        let list = || Arc::new(files.values().cloned().collect());
        Arc::clone(self.listed.get_or_insert_with(list))
    }

    /// The earliest time in the table's files, in microseconds, rounded down to a
    /// millisecond.
    pub(in crate::store) fn oldest_us(&self) -> Option<i64> {
        self.files.values().filter_map(|it| Some(it.times_us?.0)).min()
    }

    /// Whether a data file of this name is part of the table.
    pub(in crate::store) fn has_file(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// Columns of the table that this build does not know.
    pub(super) fn unknown_columns(&self) -> Vec<String> {
        let schema = self.metadata.as_ref().map(|it| it.schema_string.as_str());
        schema.map(|it| schema::unknown(self.table, it)).unwrap_or_default()
    }

    /// Every slot that has committed here, with what the table holds of it.
    pub(in crate::store) fn txns(&self) -> &HashMap<String, Txn> {
        &self.txns
    }

    /// What the table holds of a slot, by its app id.
    pub(in crate::store) fn txn(&self, app_id: &str) -> Option<&Txn> {
        self.txns.get(app_id)
    }

    /// The newest journal file of a slot whose rows are here; 0 for none.
    pub(in crate::store) fn committed(&self, app_id: &str) -> u64 {
        self.txns.get(app_id).map_or(0, |it| it.version)
    }

    /// The newest flush time, in microseconds.
    pub(in crate::store) fn flush_time_us(&self) -> i64 {
        self.flush_time_us
    }

    /// How often rows were, or may have been, taken away since this log was first read: a snapshot
    /// that saw fewer is stale. Two readers may count differently.
    pub(in crate::store) fn data_removals(&self) -> u64 {
        self.data_removals
    }

    /// The folder of the table.
    pub(in crate::store) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the table is, by its newest `metaData`.
    pub(super) fn metadata(&self) -> Option<&MetaData> {
        self.metadata.as_ref()
    }

    /// Refuses to write a table whose columns are not those of this build, but for nullable ones:
    /// rows may lack them. Gives the columns of this build that the table does not have yet.
    pub(in crate::store) fn check_writable(&self) -> Result<&[&'static Column]> {
        if self.version.is_none() {
            return Err(Error::damaged(format!(
                "the table {} has no first commit",
                self.folder.display()
            )));
        }
        self.fit.as_deref().map_err(|reason| {
            Error::unavailable(format!(
                "{} cannot be written by this build: {reason}",
                self.folder.display()
            ))
            .with_hint(
                "Reading works. Write with the genstore that made this store, or a newer one.",
            )
        })
    }

    fn apply(&mut self, action: Action, flush_time_us: Option<i64>) {
        if let Some(metadata) = action.meta_data {
            self.fit = schema::fit(self.table, &metadata.schema_string);
            self.metadata = Some(metadata);
        }
        if let Some(txn) = action.txn {
            // a slot commits its files in order: one that goes back is a commit that was copied
            let state = self.txns.entry(txn.app_id).or_default();
            let version = u64::try_from(txn.version).unwrap_or(0);
            if version > state.version {
                state.version = version;
                state.flush_times_us.insert(version, flush_time_us.unwrap_or(0));
            }
            if state.flush_times_us.len() > TIMES_KEPT_MAX {
                state.flush_times_us.pop_first();
            }
        }
        if let Some(add) = action.add {
            let file = data_file(&self.folder, &add);
            self.files.insert(add.path, file);
            self.listed = None;
        }
        if let Some(remove) = action.remove {
            self.files.remove(&remove.path);
            self.listed = None;
            self.data_removals += u64::from(remove.data_change);
        }
    }
}

/// A data file of a table, as an `add` tells of it.
pub(in crate::store) fn data_file(table_folder: &Path, add: &Add) -> DataFile {
    let stats = add.stats.as_deref().map(FileStats::parse).unwrap_or_default();
    DataFile {
        path: table_folder.join(&add.path),
        size_bytes: add.size,
        rows: stats.rows(),
        digest: add.digest().map(Text::from),
        run_ids: stats.run_ids(),
        times_us: stats.times_us(),
        replaces: add.replaces(),
        committed_ms: add.modification_time,
    }
}

/// A commit is missing before one that is there.
fn gap(log_folder: &Path, missing: u64, newest: Option<u64>) -> Error {
    let newest = newest.unwrap_or(missing);
    damaged(
        &log_folder.join(commit_name(missing)),
        &format!("the commit is missing, though {newest} is there"),
    )
}
