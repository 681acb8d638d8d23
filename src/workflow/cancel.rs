//! The one token by which a run is steered from outside: cloned into every running step. Knows no
//! signal and no reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wishes about a run, shared by all clones: to stop, which can be made once and not be taken back,
/// and to pause.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cancelled: AtomicBool,
    paused: AtomicBool,
    changed: Notify,
}

impl Cancel {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everyone who holds a clone to stop.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether stopping was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Returns when stopping is asked for.
    pub async fn cancelled(&self) {
        self.until(Self::is_cancelled).await;
    }

    /// Asks runs to start no further step, inside of steps neither. What works goes on, and so does
    /// time: deadlines hold.
    pub fn pause(&self) {
        self.0.paused.store(true, Ordering::SeqCst);
    }

    /// Takes the wish to pause back.
    pub fn resume(&self) {
        self.0.paused.store(false, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether a pause was asked for.
    pub fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::SeqCst)
    }

    /// Returns when there is no pause any more.
    pub async fn resumed(&self) {
        self.until(|it| !it.is_paused()).await;
    }

    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // registered before the flag is read, or a change between the two would be missed
            changed.as_mut().enable();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }
}
