//! The thread that flushes sealed journal files behind the writers' backs, and removes files whose
//! rows have been in the tables for the grace time. A failed flush is tried again; rows stay safe
//! in the journal meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::compact::Signal;
use super::delta::LogKeeping;
use super::flush::{Writing, flush_file};
use super::hot::{Hot, HotFile, Task};
use super::leftovers::{Leftover, Leftovers};
use super::options::StoreOptions;
use crate::error::{Error, Result};
use crate::journal::Queue;

/// The running thread.
#[derive(Debug)]
pub(super) struct Flusher {
    hot: Arc<Hot>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Flusher {
    pub(super) fn start(
        writing: Arc<Writing>,
        slot: u32,
        hot: Arc<Hot>,
        queue: Arc<Queue>,
        options: &StoreOptions,
        leftovers: Leftovers,
        flushed: Arc<Signal>,
    ) -> Result<Self> {
        let work = Work {
            writing,
            slot,
            hot: Arc::clone(&hot),
            queue,
            retry: Duration::from_millis(options.flush_retry_ms),
            idle: Duration::from_millis(options.journal_grace_ms.clamp(100, 10_000)),
            log_keeping: options.log_keeping(),
            leftovers,
            flushed,
        };
        let thread = std::thread::Builder::new()
            .name("genstore-flush".to_owned())
            .spawn(move || work.run())
            .map_err(|source| Error::failed("cannot start a thread").with_source(source))?;
        Ok(Self { hot, thread: Mutex::new(Some(thread)) })
    }

    /// Flushes what is sealed and ends the thread. Once is enough.
    pub(super) fn close(&self) {
        self.hot.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join()); // a panic there is a bug that its own message has told
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.close();
    }
}

struct Work {
    writing: Arc<Writing>,
    slot: u32,
    hot: Arc<Hot>,
    queue: Arc<Queue>,
    retry: Duration,
    idle: Duration,
    log_keeping: LogKeeping,
    leftovers: Leftovers,
    /// Who wants to know that tables have new files.
    flushed: Arc<Signal>,
}

impl Work {
    fn run(mut self) {
        let mut failed = false;
        loop {
            let flushed = match self.hot.next_task(failed, self.retry, self.idle) {
                Task::Flush(n, file) => self.flush_or_say(n, &file),
                Task::Idle => Ok(()),
                Task::End => return,
            };
            if let Err(error) = &flushed {
                let failure = error.in_one_line();
                self.queue.set_stall(Some(failure.clone()));
                self.hot.flush_failed(failure);
            }
            failed = flushed.is_err();
            // a file that cannot be removed is only late: a later look tries again
            drop(self.leftovers.remove_due(&self.writing, self.hot.newest()));
            self.keep_logs();
        }
    }

    /// A bug in a flush is a failed flush: the rows are safe, and nobody waits for ever.
    fn flush_or_say(&mut self, n: u64, file: &HotFile) -> Result<()> {
        let flush = std::panic::AssertUnwindSafe(|| self.flush(n, file));
        std::panic::catch_unwind(flush).unwrap_or_else(|_| {
            Err(Error::internal(format!("the flush of journal file {n} panicked")))
        })
    }

    fn flush(&mut self, n: u64, file: &HotFile) -> Result<()> {
        let chunks = file.rows.chunks();
        let events = chunks.iter().flat_map(|chunk| &chunk.events);
        let flush_time_us = flush_file(&self.writing, self.slot, n, events)?;
        self.leftovers.push(Leftover { n, flush_time_us, open_runs: file.open_runs });
        self.queue.set_stall(None);
        self.queue.release(file.rows.size_bytes());
        self.flushed.wake();
        self.hot.flushed(n); // last: whoever waits for it may write again
        Ok(())
    }

    /// A checkpoint that cannot be written is only late: the log is longer to read, no more.
    fn keep_logs(&self) {
        let Writing { tables, ids, clock, .. } = &*self.writing;
        let keep = || tables.keep_logs(&**ids, self.log_keeping, clock.now_us());
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(keep)));
    }
}
