//! The index: what can be looked up faster than read from the tables, and rebuilt from them at any
//! time. Derived, of one process at a time, and never needed: without it the tables are read.
//!
//! An answer of the index counts only for data files that the reader's snapshot has and the index
//! knows; so an index that is behind, or ahead, changes no answer. A damaged one, or one of another
//! store, is moved aside and made anew. It writes below `index/` and nowhere else.

mod catch_up;
mod coding;
mod files;
mod filter;
mod kv;
mod names;
mod opened;
mod postings;
mod runs;
mod status;

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use catch_up::{IndexObserver, IndexProgress};
pub use files::IndexedFiles;
pub use names::NameKind;
pub(super) use runs::run_number;
pub use status::{IndexStatus, IndexTree};

use self::opened::Opened;
use super::lookup::{FoundRun, RunRecord, damage};
use super::snapshot::{DataFile, Snapshot};
use crate::error::{Error, ErrorKind, Result};

/// A lookup brings the index up to date itself if no more runs are missing than this: about as much
/// work as a few lookups without it.
const RUNS_BEHIND_MAX: u64 = 5_000;
/// A damaged index is made anew this many times; after that the process goes on without.
const DAMAGES_MAX: u32 = 2;

/// The index of one store, as this process has it.
#[derive(Debug)]
pub(super) struct Index {
    folder: PathBuf,
    store_id: String,
    state: Mutex<State>,
    /// Held while the index is changed.
    changing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Once taken, kept: no other process comes between an index and the one made after it.
    lock: Option<File>,
    opened: Option<Arc<Opened>>,
    /// Why it is not used.
    off: Option<String>,
    damages: u32,
    told_behind: bool,
    notice: Option<String>,
}

impl Index {
    /// Opens nothing yet.
    pub(super) fn new(folder: PathBuf, store_id: String) -> Self {
        Self { folder, store_id, state: Mutex::default(), changing: Mutex::default() }
    }

    /// The files it knows, if it is open already. Never waits for a disk.
    pub(super) fn known_files(&self) -> Option<Arc<IndexedFiles>> {
        let state = self.state.try_lock().ok()?;
        state.opened.as_ref().map(|it| it.files())
    }

    /// What there is to tell the user of it, once. Never waits.
    pub(super) fn take_notice(&self) -> Option<String> {
        self.state.try_lock().ok()?.notice.take()
    }

    /// Brings the index to the snapshot, whatever it takes.
    ///
    /// # Errors
    /// When another process has it, or the disk refuses.
    pub(super) fn catch_up(&self, snapshot: &Snapshot, progress: IndexObserver<'_>) -> Result<()> {
        let _changing = lock(&self.changing);
        kv::patiently(|| lock(&self.state).take_lock(&self.folder))?;
        loop {
            let opened = self.open()?;
            match opened.catch_up(snapshot, progress) {
                Err(error) if is_own_damage(&error) => self.give_up(&opened, error)?,
                done => return done,
            }
        }
    }

    /// Makes the index anew from the snapshot.
    pub(super) fn rebuild(&self, snapshot: &Snapshot, progress: IndexObserver<'_>) -> Result<()> {
        {
            let _changing = lock(&self.changing);
            let mut state = lock(&self.state);
            kv::patiently(|| state.take_lock(&self.folder))?;
            (state.opened, state.off) = (None, None);
            kv::remove(&self.folder)?;
        }
        self.catch_up(snapshot, progress)
    }

    /// Asks the index; `None` if there is none to ask. Opens it, and brings it up to date if that
    /// is little work.
    fn ask<T>(&self, snapshot: &Snapshot, ask: impl Fn(&Opened) -> Result<T>) -> Option<T> {
        for _ in 0..=DAMAGES_MAX {
            let opened = self.open().ok()?;
            let answer = self.catch_up_a_little(&opened, snapshot).and_then(|()| ask(&opened));
            match answer {
                Ok(answer) => return Some(answer),
                Err(error) if is_own_damage(&error) => self.give_up(&opened, error).ok()?,
                // a disk that is full or gone: the tables are read instead
                Err(error) => {
                    self.turn_off(&error);
                    return None;
                }
            }
        }
        None
    }

    fn catch_up_a_little(&self, opened: &Opened, snapshot: &Snapshot) -> Result<()> {
        if opened.is_at(snapshot) || damage(snapshot).is_some() {
            return Ok(());
        }
        // while another thread changes it, what it knows is asked
        let Ok(_changing) = self.changing.try_lock() else { return Ok(()) };
        let behind = catch_up::runs_behind(&opened.files(), snapshot);
        if behind > RUNS_BEHIND_MAX {
            self.tell_behind(behind);
            return Ok(());
        }
        match opened.catch_up(snapshot, &mut |_| ControlFlow::Continue(())) {
            Err(error) if !is_own_damage(&error) => {
                // an unreadable data file, or a full disk: not tried again for this snapshot
                opened.set_at(snapshot);
                Ok(())
            }
            done => done,
        }
    }

    /// Once, as it is told to people.
    fn tell_behind(&self, runs: u64) {
        let mut state = lock(&self.state);
        if !state.told_behind {
            state.told_behind = true;
            state.notice = Some(format!(
                "{runs} runs are not in the index, and are looked for in the tables; `genstore \
                 store index rebuild` makes that faster"
            ));
        }
    }

    fn open(&self) -> Result<Arc<Opened>> {
        let mut state = lock(&self.state);
        if let Some(opened) = &state.opened {
            return Ok(Arc::clone(opened));
        }
        if let Some(why) = &state.off {
            return Err(Error::unavailable(why.clone()));
        }
        let opened = state.take_lock(&self.folder).and_then(|()| self.open_trees(&mut state));
        match opened {
            Ok(opened) => Ok(Arc::clone(state.opened.insert(Arc::new(opened)))),
            // whoever has it may let go of it
            Err(error) if error.kind() == ErrorKind::Unavailable => Err(error),
            Err(error) => {
                state.off = Some(error.in_one_line());
                Err(error)
            }
        }
    }

    fn open_trees(&self, state: &mut State) -> Result<Opened> {
        match Opened::open(&self.folder, &self.store_id) {
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.move_aside(state, &error)?;
                Opened::open(&self.folder, &self.store_id)
            }
            other => other,
        }
    }

    /// Lets go of a damaged index, so that the next use makes it anew.
    fn give_up(&self, damaged: &Arc<Opened>, error: Error) -> Result<()> {
        let mut state = lock(&self.state);
        if !state.opened.as_ref().is_some_and(|it| Arc::ptr_eq(it, damaged)) {
            return Ok(()); // another thread has done it
        }
        state.opened = None;
        if state.damages >= DAMAGES_MAX {
            state.off = Some(error.in_one_line());
            return Err(error);
        }
        self.move_aside(&mut state, &error)
    }

    fn move_aside(&self, state: &mut State, error: &Error) -> Result<()> {
        kv::set_aside(&self.folder)?;
        state.damages += 1;
        state.notice = Some(format!(
            "{}; it is made anew, and what was there is in {}",
            error.in_one_line(),
            self.folder.join(kv::DAMAGED_NAME).display()
        ));
        Ok(())
    }

    fn turn_off(&self, error: &Error) {
        let mut state = lock(&self.state);
        state.opened = None;
        state.off = Some(error.in_one_line());
    }
}

impl State {
    fn take_lock(&mut self, folder: &Path) -> Result<()> {
        if self.lock.is_none() {
            self.lock = Some(kv::lock(folder)?);
        }
        Ok(())
    }
}

impl Index {
    /// The whole record of a run, if the index has it and nothing newer can add to it.
    pub(super) fn record(&self, snapshot: &Snapshot, run_id: &str) -> Option<RunRecord> {
        let id = run_number(run_id)?;
        self.ask(snapshot, |opened| opened.record(snapshot, run_id, id)).flatten()
    }

    /// The newest runs of a contract in the files that the index knows, at most `count_max`, and
    /// the files of `runs` that it does not.
    pub(super) fn runs_of_contract<'s>(
        &self,
        snapshot: &'s Snapshot,
        name: &str,
        count_max: usize,
    ) -> Option<(Vec<FoundRun>, Vec<&'s DataFile>)> {
        self.ask(snapshot, |opened| opened.runs_of_contract(snapshot, name, count_max)).flatten()
    }

    /// The newest successful run with an input in the files that the index knows, and the files
    /// that it does not. `None` also where the run is in a file that is gone.
    pub(super) fn run_of_input<'s>(
        &self,
        snapshot: &'s Snapshot,
        input_digest: &str,
    ) -> Option<(Option<FoundRun>, Vec<&'s DataFile>)> {
        self.ask(snapshot, |opened| opened.run_of_input(snapshot, input_digest)).flatten()
    }

    /// Names that begin with `prefix`, if the index is open. Never waits for a disk.
    pub(super) fn names(&self, kind: NameKind, prefix: &str, count_max: usize) -> Vec<String> {
        let opened = self.state.try_lock().ok().and_then(|it| it.opened.clone());
        opened.map_or_else(Vec::new, |it| it.names().starting(kind, prefix, count_max))
    }
}

/// Whether the index itself is damaged; errors about data files have another kind here.
fn is_own_damage(error: &Error) -> bool {
    error.kind() == ErrorKind::Damaged
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
