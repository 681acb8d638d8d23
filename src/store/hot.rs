//! Hot rows: what the journal of this process holds and the tables do not. Also what the flushing
//! thread has to do, and what came of it. Never writes to a disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file_rows::FileRows;
use crate::error::{Error, Result};
use crate::journal::{Chunk, JournalListener};

/// One journal file whose rows are hot.
#[derive(Debug, Clone, Default)]
pub(super) struct HotFile {
    /// Its rows.
    pub(super) rows: Arc<FileRows>,
    /// Whether runs had begun, and not ended, when the file was sealed.
    pub(super) open_runs: bool,
    sealed: bool,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<u64, HotFile>,
    newest: u64,
    attempts: u64,
    failed_attempt: u64,
    failure: String,
    try_now: bool,
    closing: bool,
}

/// The hot rows of one slot.
#[derive(Debug, Default)]
pub(super) struct Hot {
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

/// What the flushing thread has to do.
#[derive(Debug)]
pub(super) enum Task {
    /// Bring this sealed file into the tables.
    Flush(u64, HotFile),
    /// Nothing to flush just now.
    Idle,
    /// The store closes, and nothing is left to flush, or a last attempt has failed.
    End,
}

impl Hot {
    /// The files and their rows now, rising.
    pub(super) fn files(&self) -> Vec<(u64, Arc<FileRows>)> {
        self.lock().files.iter().map(|(n, file)| (*n, Arc::clone(&file.rows))).collect()
    }

    /// The newest file that has been written to; 0 for none.
    pub(super) fn newest(&self) -> u64 {
        self.lock().newest
    }

    /// Waits for a sealed file. After a failure, waits `retry` before the same file is tried again,
    /// unless someone asks for it; without work, returns after `idle`.
    pub(super) fn next_task(&self, failed: bool, retry: Duration, idle: Duration) -> Task {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            let sealed = state.files.iter().find(|(_, file)| file.sealed);
            let sealed = sealed.map(|(n, file)| (*n, file.clone()));
            match sealed {
                Some((n, file)) if !failed || waited || state.try_now => {
                    state.try_now = false;
                    state.attempts += 1;
                    return Task::Flush(n, file);
                }
                _ if state.closing => return Task::End,
                None if waited => return Task::Idle,
                _ => {}
            }
            let wait = if failed { retry } else { idle };
            let (woken, timeout) =
                self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            waited = waited || timeout.timed_out();
        }
    }

    /// Forgets a file whose rows are in all tables.
    pub(super) fn flushed(&self, n: u64) {
        self.lock().files.remove(&n);
        self.done.notify_all();
    }

    /// Notes that a flush failed.
    pub(super) fn flush_failed(&self, failure: String) {
        let mut state = self.lock();
        state.failed_attempt = state.attempts;
        state.failure = failure;
        self.done.notify_all();
    }

    /// Waits until file `n` and those before it are in the tables, or a flush that began after
    /// this call fails.
    pub(super) fn wait_flushed(&self, n: u64) -> Result<()> {
        let mut state = self.lock();
        let before = state.attempts; // one that is under way may fail for a cause that is gone
        state.try_now = true;
        self.work.notify_all();
        loop {
            if state.files.keys().next().is_none_or(|first| *first > n) {
                return Ok(());
            }
            if state.failed_attempt > before || state.closing {
                return Err(unflushed(&state.failure));
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the flushing thread end when it has flushed what is sealed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        state.try_now = true;
        self.work.notify_all();
    }

    /// An error if rows are left that no table holds.
    pub(super) fn check_empty(&self) -> Result<()> {
        let state = self.lock();
        if state.files.is_empty() { Ok(()) } else { Err(unflushed(&state.failure)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JournalListener for Hot {
    fn written(&self, n: u64, chunks: Vec<Chunk>) {
        let mut state = self.lock();
        state.newest = n;
        state.files.entry(n).or_default().rows.push(chunks);
    }

    fn sealed(&self, n: u64, open_runs: bool) {
        let mut state = self.lock();
        if let Some(file) = state.files.get_mut(&n) {
            file.sealed = true;
            file.open_runs = open_runs;
        }
        self.work.notify_all();
    }
}

fn unflushed(failure: &str) -> Error {
    let why = if failure.is_empty() { "the journal failed" } else { failure };
    Error::failed(format!("rows are in the journal and not in the tables yet: {why}"))
        .with_hint("They are safe; the next process that opens the store for writing flushes them.")
}
