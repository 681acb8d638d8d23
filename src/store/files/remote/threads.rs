//! The threads that talk to an object store. Whoever calls may be any thread, also one that runs
//! futures itself: it hands its request over and blocks until the answer comes.

use std::future::Future;
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::{Error, Result};

/// Requests wait for a network: two threads serve hundreds of them.
const THREADS: usize = 2;

/// The running threads.
#[derive(Debug)]
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("genstore-remote")
            .enable_all()
            .build()
            .map_err(|source| {
                Error::failed("cannot start the threads that talk to an object store")
                    .with_source(source)
            })?;
        Ok(Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Result<&Handle> {
        let runtime = self.0.as_ref().map(Runtime::handle);
        runtime.ok_or_else(|| Error::internal("the threads of an object store have ended"))
    }

    /// Carries a request out and waits for its end. The request has a bound of its own.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = sync_channel(1);
        self.handle()?.spawn(async move { sender.send(request.await).ok() });
        let broke_off = |_| Error::internal("a request to an object store broke off (it panicked)");
        receiver.recv().map_err(broke_off)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            crate::runtime::end(runtime);
        }
    }
}
