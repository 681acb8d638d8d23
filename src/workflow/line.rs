//! Places, and the line of those who wait for one: the most urgent is next, the first to come among
//! equals. A line may be inside of another: whoever wants a place waits in it first, then in the
//! one around, always in this order, and has a place of each. Knows no run and no step.
//!
//! tokio's semaphore counts the places and gives a free one to nobody but those who wait, so that
//! nobody slips in. Each who waits here also waits there; whoever gets a place there hands it to
//! the most urgent one here.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Some places, and who waits for them.
#[derive(Debug)]
pub(super) struct Line {
    semaphore: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// The line around.
    outer: Option<Arc<Self>>,
}

/// A place, and one of each line around; all are given back when it is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "it is held, not read")]
pub(super) struct Place {
    own: OwnedSemaphorePermit,
    around: Vec<OwnedSemaphorePermit>,
}

type Key = (Reverse<i32>, u64);

#[derive(Debug, Default)]
struct Waiting {
    tickets: u64,
    by_urgency: BTreeMap<Key, oneshot::Sender<OwnedSemaphorePermit>>,
}

impl Line {
    /// A line for so many places; 0 counts as 1.
    pub(super) fn new(places: usize) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        let semaphore = Arc::new(Semaphore::new(places));
        Self { semaphore, waiting: Mutex::default(), outer: None }
    }

    /// A line for so many of the places of another.
    pub(super) fn inside(places: usize, outer: &Arc<Self>) -> Self {
        Self { outer: Some(Arc::clone(outer)), ..Self::new(places) }
    }

    /// Takes a place that is free and that nobody waits for.
    pub(super) fn try_take(&self) -> Option<Place> {
        let own = Arc::clone(&self.semaphore).try_acquire_owned().ok()?;
        let (mut around, mut line) = (Vec::new(), self.outer.as_ref());
        while let Some(outer) = line {
            around.push(Arc::clone(&outer.semaphore).try_acquire_owned().ok()?);
            line = outer.outer.as_ref();
        }
        Some(Place { own, around })
    }

    /// Waits for a place. `None`: there are no more.
    pub(super) async fn take(self: Arc<Self>, priority: i32) -> Option<Place> {
        let own = self.take_own(priority).await?;
        let (mut around, mut line) = (Vec::new(), self.outer.as_ref());
        while let Some(outer) = line {
            around.push(outer.take_own(priority).await?);
            line = outer.outer.as_ref();
        }
        Some(Place { own, around })
    }

    async fn take_own(&self, priority: i32) -> Option<OwnedSemaphorePermit> {
        let mut ticket = Ticket::draw(self, priority);
        loop {
            tokio::select! {
                biased;
                permit = &mut ticket.place => return permit.ok(),
                permit = Arc::clone(&self.semaphore).acquire_owned() => self.hand_on(permit.ok()?),
            }
        }
    }

    /// Gives a place to the most urgent one who still wants it.
    fn hand_on(&self, mut permit: OwnedSemaphorePermit) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, next)) = waiting.by_urgency.pop_first() {
            match next.send(permit) {
                Ok(()) => return,
                Err(back) => permit = back,
            }
        }
    }
}

/// One who waits; dropped, nobody does.
struct Ticket<'l> {
    line: &'l Line,
    key: Key,
    place: oneshot::Receiver<OwnedSemaphorePermit>,
}

impl<'l> Ticket<'l> {
    fn draw(line: &'l Line, priority: i32) -> Self {
        let (sender, place) = oneshot::channel();
        let mut waiting = line.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.tickets += 1;
        let key = (Reverse(priority), waiting.tickets);
        waiting.by_urgency.insert(key, sender);
        Self { line, key, place }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut waiting = self.line.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_urgency.remove(&self.key);
    }
}

#[cfg(test)]
mod tests;
