//! What a table was at earlier times: each data file with the moments at which it became part of
//! the table and ceased to be. A time is a stamp of commits; the table as of a time is made of all
//! commits with a stamp up to it. Two writers' stamps may be out of order in one log, so that is a
//! set of commits and not the first so many. Reads logs, no data file, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use super::action::{Action, Add, Transaction, end_of_ms, stamp_us};
use super::read::{Listing, damaged, expect_commits, read_checkpoint, read_commit};
use super::stats::FileStats;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Text;
use crate::store::files::Files;
use crate::store::layout::{commit_name, delta_log};

/// A log would have to be cleaned up this often while it is read.
const ATTEMPTS_MAX: usize = 5;

/// A data file, and when it was part of the table.
#[derive(Debug, Clone)]
pub(in crate::store) struct Life {
    pub(in crate::store) add: Add,
    /// The commit that added it; `None` if only a checkpoint tells of it.
    pub(in crate::store) version: Option<u64>,
    /// The first microsecond at which it was there, or a later one if only a checkpoint tells.
    pub(in crate::store) added_us: i64,
    /// The first microsecond at which it was not there any more.
    pub(in crate::store) removed_us: Option<i64>,
}

impl Life {
    /// Whether the file was part of the table at a time.
    pub(in crate::store) fn spans(&self, at_us: i64) -> bool {
        self.added_us <= at_us && self.removed_us.is_none_or(|it| at_us < it)
    }

    /// Smallest and largest `batch_id` in the file, where its log says so.
    pub(in crate::store) fn batch_ids(&self) -> Option<(Text, Text)> {
        FileStats::parse(self.add.stats.as_deref()?).batch_ids()
    }
}

/// The files of a table through time.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Timeline {
    /// The earliest time that it tells of; `None`: all times.
    pub(in crate::store) from_us: Option<i64>,
    /// The newest commit that was read.
    pub(in crate::store) version: Option<u64>,
    lives: Vec<Life>,
    /// Which of them is the newest of a path that is part of the table.
    newest: BTreeMap<String, usize>,
    /// What the commits say of slots and imports, with their version and stamp.
    txns: Vec<(u64, i64, Transaction)>,
}

impl Timeline {
    /// Reads a log so far back that it tells of a time, or, without one, as far as it reaches. If
    /// it does not reach so far, `from_us` is above that time.
    ///
    /// # Errors
    /// `Damaged` if a commit or checkpoint that is needed is torn or missing.
    pub(in crate::store) fn read(
        files: &dyn Files,
        table_folder: &Path,
        at_us: Option<i64>,
    ) -> Result<Self> {
        let folder = delta_log(table_folder);
        let mut failure = None;
        for _ in 0..ATTEMPTS_MAX {
            let listing = Listing::read(files, &folder)?;
            match Self::from_listing(files, &folder, &listing, at_us) {
                // cleaned up while it was read, or damaged: another look tells
                Err(error) if Listing::read(files, &folder)? != listing => failure = Some(error),
                done => return done,
            }
        }
        Err(failure.unwrap_or_else(|| Error::internal("a log was not read")))
    }

    fn from_listing(
        files: &dyn Files,
        folder: &Path,
        listing: &Listing,
        at_us: Option<i64>,
    ) -> Result<Self> {
        let mut timeline = Self::start(files, folder, listing, at_us)?;
        let next = timeline.version.map_or(0, |it| it + 1);
        expect_commits(files, folder, next, listing.commits.last().copied());
        for version in listing.commits.iter().copied() {
            let next = timeline.version.map_or(0, |it| it + 1);
            if version < next {
                continue;
            }
            let read = if version == next { read_commit(files, folder, version)? } else { None };
            let Some(actions) = read else {
                return Err(damaged(&folder.join(commit_name(next)), "the commit is missing"));
            };
            // one that tells no time changes nothing that lies in time
            let stamp_us = stamp_us(&actions).unwrap_or(i64::MIN);
            timeline.apply(version, stamp_us, actions);
        }
        Ok(timeline)
    }

    /// The newest checkpoint of which all is from before a time; else nothing, if all commits are
    /// there; else the oldest checkpoint, of which the time of its newest commit is known.
    fn start(
        files: &dyn Files,
        folder: &Path,
        listing: &Listing,
        at_us: Option<i64>,
    ) -> Result<Self> {
        let mut damage = None;
        let mut read = |version: u64| match read_checkpoint(files, folder, version) {
            Ok(actions) => Ok(actions),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                damage = Some(error);
                Ok(None)
            }
            Err(error) => Err(error),
        };
        for version in listing.checkpoints.iter().rev().copied() {
            let Some(at_us) = at_us else { break };
            if listing.commits.contains(&version)
                && let Ok(Some(actions)) = read_commit(files, folder, version)
                && stamp_us(&actions).is_some_and(|it| it > at_us)
            {
                continue; // a look at its commit is cheaper than one at all of it
            }
            let Some(actions) = read(version)? else { continue };
            if stamp_us(&actions).is_none_or(|it| it <= at_us) {
                return Ok(Self::from_checkpoint(version, actions));
            }
        }
        if is_complete(listing) {
            return Ok(Self::default());
        }
        for version in listing.checkpoints.iter().copied() {
            if let Some(actions) = read(version)? {
                return Ok(Self::from_checkpoint(version, actions));
            }
        }
        let gone = || damaged(&folder.join(commit_name(0)), "the commit is missing");
        Err(damage.unwrap_or_else(gone))
    }

    fn from_checkpoint(version: u64, actions: Vec<Action>) -> Self {
        let stamp_us = stamp_us(&actions).unwrap_or(i64::MIN);
        let mut timeline = Self::default();
        for add in actions.into_iter().filter_map(|it| it.add) {
            // rounded up, and yet not later than the checkpoint
            let added_us = end_of_ms(add.modification_time).min(stamp_us);
            timeline.add(None, added_us, add);
        }
        Self { from_us: Some(stamp_us), version: Some(version), ..timeline }
    }

    fn apply(&mut self, version: u64, stamp_us: i64, actions: Vec<Action>) {
        for action in actions {
            if let Some(add) = action.add {
                self.end(&add.path, stamp_us);
                self.add(Some(version), stamp_us, add);
            }
            if let Some(remove) = action.remove {
                self.end(&remove.path, stamp_us);
            }
            self.txns.extend(action.txn.map(|it| (version, stamp_us, it)));
        }
        self.version = Some(version);
    }

    fn add(&mut self, version: Option<u64>, added_us: i64, add: Add) {
        self.newest.insert(add.path.clone(), self.lives.len());
        self.lives.push(Life { add, version, added_us, removed_us: None });
    }

    fn end(&mut self, path: &str, removed_us: i64) {
        let life = self.newest.remove(path).and_then(|it| self.lives.get_mut(it));
        if let Some(life) = life {
            life.removed_us = Some(removed_us);
        }
    }

    /// All files that it knows of, in the order of the commits that added them.
    pub(in crate::store) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The files of the table at a time that it tells of, by their names. Of a path that was added
    /// more than once, the last commit counts.
    pub(in crate::store) fn files_at(&self, at_us: i64) -> BTreeMap<&str, &Life> {
        let lives = self.lives.iter().filter(|it| it.spans(at_us));
        lives.map(|it| (it.add.path.as_str(), it)).collect()
    }

    /// What a commit says of slots and imports.
    pub(in crate::store) fn txns_of(&self, version: u64) -> impl Iterator<Item = &Transaction> {
        let of = self.txns.iter().filter(move |(it, _, _)| *it == version);
        of.map(|(_, _, txn)| txn)
    }

    /// The stamp of the first commit with a file of a slot, or a later file of it.
    pub(in crate::store) fn stamp_of(&self, txn: &Transaction) -> Option<i64> {
        let same = |it: &Transaction| it.app_id == txn.app_id && it.version >= txn.version;
        self.txns.iter().find(|(_, _, it)| same(it)).map(|(_, stamp_us, _)| *stamp_us)
    }
}

/// Whether there is the first commit, or nothing at all.
fn is_complete(listing: &Listing) -> bool {
    listing.commits.first().map_or(listing.checkpoints.is_empty(), |it| *it == 0)
}
