//! All tables' logs, as far as this process has read them. Each has its own lock, so that a
//! snapshot waits for at most one commit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::delta::{self, Log, LogKeeping};
use super::files::Files;
use super::layout::Layout;
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::event::Table;

/// Threads that read logs at the same time.
const READERS_MAX: usize = 4;

/// The logs of every table.
#[derive(Debug)]
pub(super) struct Tables {
    files: Arc<dyn Files>,
    logs: Vec<(Table, Mutex<Log>)>,
    are_read: AtomicBool,
}

impl Tables {
    /// Reads nothing yet.
    pub(super) fn new(layout: &Layout, files: Arc<dyn Files>) -> Self {
        let log =
            |table: &Table| Mutex::new(Log::new(Arc::clone(&files), layout.table(*table), *table));
        let logs = Table::ALL.iter().map(|table| (*table, log(table)));
        Self { logs: logs.collect(), are_read: AtomicBool::new(false), files }
    }

    /// Where the tables lie.
    pub(super) fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// Reads every log once, several at the same time: of a long history that is most of the work
    /// of opening. Whoever then refreshes a log in the right order finds it nearly done, or gets
    /// the error.
    pub(super) fn read_ahead(&self) {
        if self.are_read.swap(true, Ordering::SeqCst) || self.files.is_remote() {
            return; // there, tables are read at the same time anyway, and each look costs
        }
        let readers = thread::available_parallelism().map_or(1, |it| it.get().min(READERS_MAX));
        // whoever refreshes a log in its turn gets the error
        let read = |table| {
            drop(self.log(table)?.refresh());
            Ok(())
        };
        at_once(readers, Table::ALL, read).ok();
    }

    /// Does something for each of some tables: at the same time where each request takes the time
    /// of a network, else one after the other up to the first error.
    pub(super) fn each(
        &self,
        tables: impl Iterator<Item = Table>,
        work: impl Fn(Table) -> Result<()> + Sync,
    ) -> Result<()> {
        let tables: Vec<Table> = tables.collect();
        let threads = if self.files.is_remote() { tables.len() } else { 1 };
        at_once(threads, &tables, work)
    }

    /// The log of a table, as far as it has been read.
    pub(super) fn log(&self, table: Table) -> Result<MutexGuard<'_, Log>> {
        let log = self.logs.iter().find(|(it, _)| *it == table).map(|(_, log)| log);
        log.map(|log| log.lock().unwrap_or_else(PoisonError::into_inner))
            .ok_or_else(|| Error::internal(format!("there is no log of {}", table.name())))
    }

    /// The tables in the order in which a snapshot must read them: `runs` first, so that every run
    /// that is seen has its children. A flush commits in the opposite order.
    pub(super) fn reading_order() -> impl Iterator<Item = Table> {
        std::iter::once(Table::Runs).chain(Self::children())
    }

    /// The tables in the order in which a flush commits them: `runs` last.
    pub(super) fn writing_order() -> impl Iterator<Item = Table> + Clone {
        Self::children().chain(std::iter::once(Table::Runs))
    }

    /// The tables whose rows belong to rows of `runs`.
    pub(super) fn children() -> impl Iterator<Item = Table> + Clone {
        Table::ALL.iter().copied().filter(|it| *it != Table::Runs)
    }

    /// The newest journal file of a slot that any table holds, after a look at the disk; 0 for
    /// none.
    pub(super) fn newest_committed(&self, app_id: &str) -> Result<u64> {
        let newest = AtomicU64::new(0);
        self.each(Self::reading_order(), |table| {
            let mut log = self.log(table)?;
            log.refresh()?;
            newest.fetch_max(log.committed(app_id), Ordering::SeqCst);
            Ok(())
        })?;
        Ok(newest.into_inner())
    }

    /// A flush time after all that have been seen.
    pub(super) fn next_flush_time_us(&self, now_us: i64) -> Result<i64> {
        let mut next = now_us;
        for table in Self::reading_order() {
            next = next.max(self.log(table)?.flush_time_us().saturating_add(1));
        }
        Ok(next)
    }

    /// Writes the checkpoints that are due, and removes what they make superfluous; the first
    /// error, after every table has had its turn.
    pub(super) fn keep_logs(
        &self,
        ids: &dyn IdSource,
        keeping: LogKeeping,
        now_us: i64,
    ) -> Result<()> {
        let failed = Mutex::new(None);
        self.each(Self::writing_order(), |table| {
            let (folder, due) = {
                let mut log = self.log(table)?;
                (log.folder().to_owned(), log.take_due_checkpoint(keeping.checkpoint_commits))
            };
            let Some(version) = due else { return Ok(()) };
            // not under the log's lock: nobody waits for a checkpoint
            match delta::keep(&*self.files, ids, &folder, version, keeping, now_us / 1_000) {
                Ok(()) => self.log(table)?.note_checkpoint(version),
                Err(error) => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
            Ok(())
        })?;
        failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

/// Does something for each of some tables on so many threads, this one among them. After an error
/// no more are begun; it is the first one in the order of the tables.
fn at_once(
    threads: usize,
    tables: &[Table],
    work: impl Fn(Table) -> Result<()> + Sync,
) -> Result<()> {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let (next, failed) = (&next, &failed);
    let share = || {
        loop {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let is_over = !failed.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            let Some(table) = tables.get(at).filter(|_| !is_over) else { return };
            if let Err(error) = work(*table) {
                failed.lock().unwrap_or_else(PoisonError::into_inner).insert(at, error);
            }
        }
    };
    thread::scope(|scope| {
        let named = || thread::Builder::new().name("genstore-log".to_owned());
        // without one that cannot begin, the others do its part
        let helpers: Vec<_> =
            (1..threads).filter_map(|_| named().spawn_scoped(scope, share).ok()).collect();
        share();
        // Joined, not let go: glibc reads a thread that is detached while it ends after it has
        // freed it (bug 19951), and these end at once.
        for helper in helpers {
            helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
    failed.pop_first().map_or(Ok(()), |(_, error)| Err(error))
}
