//! An export at work: its threads, and whoever looks on and may end it.

use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::{Observer, Progress};
use crate::error::{Error, ErrorKind, Result};

/// How often whoever looks on is asked while nothing comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// Threads, and the observer.
pub(super) struct Work<'o> {
    runtime: Option<Runtime>,
    threads: usize,
    progress: Progress,
    observer: Observer<'o>,
}

impl<'o> Work<'o> {
    /// So many threads that encode; 0 is as many as there are cores.
    pub(super) fn new(threads: usize, observer: Observer<'o>) -> Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if threads == 0 { cores().min(16) } else { threads };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(threads + 1)
            .thread_name("genstore-export")
            .enable_time()
            .build()
            .map_err(|it| Error::failed("cannot start the threads of an export").with_source(it))?;
        let progress = Progress::default();
        Ok(Self { runtime: Some(runtime), threads, progress, observer })
    }

    /// Threads that encode.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Work on a thread of its own.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>> {
        Ok(self.runtime()?.spawn_blocking(work))
    }

    /// Waits for something, and asks meanwhile whether the export is still wanted.
    ///
    /// # Errors
    /// `Interrupted`: it is not.
    pub(super) fn wait<T>(&mut self, what: impl Future<Output = T>) -> Result<T> {
        let Some(runtime) = &self.runtime else { return Err(ended()) };
        let (observer, progress) = (&mut self.observer, self.progress);
        runtime.block_on(async {
            let mut what = std::pin::pin!(what);
            loop {
                if observer(progress).is_break() {
                    return Err(Error::new(
                        ErrorKind::Interrupted,
                        "interrupted; nothing was exported",
                    ));
                }
                if let Ok(done) = tokio::time::timeout(PATIENCE, &mut what).await {
                    return Ok(done);
                }
            }
        })
    }

    /// Takes notice of rows that were read.
    pub(super) fn note(&mut self, rows: u64) {
        self.progress.rows += rows;
    }

    /// Ends the threads, after what they are at.
    pub(super) fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            crate::runtime::end(runtime);
        }
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(ended)
    }
}

fn ended() -> Error {
    Error::internal("an export went on after its end")
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whoever looks on and never ends it.
pub fn to_the_end(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
