//! Ends the threads of a runtime, from any thread at all. Starts none, and runs nothing on them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

/// How long what still works on the threads may go on; the bounds of queries and requests are
/// below it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a runtime, and waits until its threads have ended.
///
/// They are not let go: glibc up to 2.36 may look at a thread that it lets go after that thread has
/// ended, and the whole process dies of it (sourceware bug 19951; seen once in some hundred
/// processes that ended on a busy machine).
pub(crate) fn end(runtime: Runtime) {
    let Ok(here) = Handle::try_current() else {
        runtime.shutdown_timeout(PATIENCE);
        return;
    };
    // A thread that runs futures must not wait for a runtime, but may wait for a thread that does;
    // one of the runtime's own may wait for neither.
    let is_own = here.id() == runtime.handle().id();
    let held = Arc::new(Mutex::new(Some(runtime)));
    let take =
        |held: &Mutex<Option<Runtime>>| held.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ending = Arc::clone(&held);
    let work = move || {
        if let Some(runtime) = take(&ending) {
            runtime.shutdown_timeout(PATIENCE);
        }
    };
    match std::thread::Builder::new().name("genstore-end".to_owned()).spawn(work) {
        // it only ends when this thread has: nobody is looked at too late
        Ok(thread) if is_own => drop(thread),
        // a panic there has told its own message
        Ok(thread) => drop(thread.join()),
        Err(_) => {
            if let Some(runtime) = take(&held) {
                runtime.shutdown_background();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::runtime::{Builder, Runtime};

    use super::end;

    /// A runtime that counts the threads that have ended.
    fn counted(ended: &Arc<AtomicUsize>) -> Runtime {
        let ended = Arc::clone(ended);
        let count = move || {
            ended.fetch_add(1, Ordering::SeqCst);
        };
        Builder::new_multi_thread().worker_threads(3).on_thread_stop(count).build().unwrap()
    }

    #[test]
    fn all_threads_have_ended_afterwards() {
        let ended = Arc::new(AtomicUsize::new(0));
        end(counted(&ended));
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn also_on_a_thread_that_runs_futures() {
        let ended = Arc::new(AtomicUsize::new(0));
        let outer = Builder::new_current_thread().build().unwrap();
        let inner = counted(&ended);
        outer.block_on(async move { end(inner) });
        assert_eq!(ended.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn one_of_its_own_threads_does_not_wait_for_itself() {
        let ended = Arc::new(AtomicUsize::new(0));
        let runtime = Arc::new(counted(&ended));
        let handle = runtime.handle().clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        let held = Arc::new(std::sync::Mutex::new(Some(runtime)));
        let inside = Arc::clone(&held);
        handle.spawn(async move {
            let runtime = inside.lock().unwrap().take().unwrap();
            end(Arc::into_inner(runtime).unwrap());
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
    }
}
