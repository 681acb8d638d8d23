//! What waits for the next group commit, and the bound on rows that no table holds yet.
//!
//! Rows enter here encoded, so that encoding costs the caller's core and not the one thread that
//! writes. Their bytes count as held until [`Queue::release`] says that a table has them; at the
//! bound a caller waits, and the file is asked to be sealed, so that the wait ends.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::oneshot;

use super::frame::PAYLOAD_BYTES_MAX;
use crate::error::{Error, Result};
use crate::event::Event;

/// One frame takes at most about this much, so that one commit does not wait for too long a write.
const GROUP_BYTES_MAX: u64 = 8 << 20;
/// Rows that nobody waits for are written at once when there are this many bytes of them.
const EAGER_BYTES: u64 = 1 << 20;

/// About what an event takes when it is encoded: a first guess that spares most growing.
const EVENT_BYTES: usize = 192;

/// Events that were appended together.
#[derive(Debug)]
pub struct Chunk {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Their encoded size, to be released when they are in the tables.
    pub size_bytes: u64,
}

/// How a caller hears of its commit.
#[derive(Debug)]
pub(super) enum Reply {
    Nobody,
    Task(oneshot::Sender<Result<()>>),
    Thread(mpsc::SyncSender<Result<()>>),
}

impl Reply {
    /// Tells the caller. One that has gone away does not mind.
    pub(super) fn send(self, result: Result<()>) {
        match self {
            Self::Nobody => {}
            Self::Task(sender) => drop(sender.send(result)),
            Self::Thread(sender) => drop(sender.send(result)),
        }
    }
}

/// A chunk on its way to the disk.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) chunk: Chunk,
    pub(super) encoded: Vec<u8>,
    pub(super) reply: Reply,
}

/// What the committing thread has to do now.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) pending: Vec<Pending>,
    pub(super) seal: bool,
    pub(super) sealed_replies: Vec<mpsc::SyncSender<Result<Option<u64>>>>,
    pub(super) last: bool,
}

#[derive(Debug, Default)]
struct State {
    pending: VecDeque<Pending>,
    pending_bytes: u64,
    awaited: usize,
    held_bytes: u64,
    seal: bool,
    sealed_replies: Vec<mpsc::SyncSender<Result<Option<u64>>>>,
    closing: bool,
    failure: Option<String>,
    stall: Option<String>,
    waiting: Vec<oneshot::Sender<()>>,
}

/// The queue in front of a journal.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    work: Condvar,
    space: Condvar,
    held_bytes_max: u64,
}

impl Queue {
    pub(super) fn new(held_bytes_max: u64) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            space: Condvar::new(),
            held_bytes_max,
        }
    }

    /// Enters events into the next group commit; waits, blocking, only at the bound.
    pub fn append(&self, events: Vec<Event>) -> Result<()> {
        self.push_blocking(events, Reply::Nobody)
    }

    /// [`Queue::append`] for a caller that may not wait: gives the events back when there is no
    /// room, for whatever reason.
    pub fn try_append(&self, events: Vec<Event>) -> Result<Option<Vec<Event>>> {
        if !self.has_room(&mut self.lock(), 1)? {
            return Ok(Some(events));
        }
        let pending = encode(events, Reply::Nobody)?;
        let mut state = self.lock();
        if !self.has_room(&mut state, pending.chunk.size_bytes)? {
            return Ok(Some(pending.chunk.events));
        }
        self.enter(&mut state, pending);
        Ok(None)
    }

    /// Returns when the events are as safe as the durability setting says. Blocks the thread.
    pub fn commit_blocking(&self, events: Vec<Event>) -> Result<()> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.push_blocking(events, Reply::Thread(sender))?;
        receiver.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Returns when the events are as safe as the durability setting says. Needs no particular
    /// runtime.
    pub async fn commit(&self, events: Vec<Event>) -> Result<()> {
        let (sender, receiver) = oneshot::channel();
        let pending = encode(events, Reply::Task(sender))?;
        loop {
            let space = {
                let mut state = self.lock();
                if self.admits(&mut state, pending.chunk.size_bytes)? {
                    self.enter(&mut state, pending);
                    break;
                }
                let (sender, space) = oneshot::channel();
                state.waiting.push(sender);
                space
            };
            // an error only says that the sender is gone, and then the next look tells why
            drop(space.await);
        }
        receiver.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Asks for the current file to be sealed; gives the number of the newest sealed file, after
    /// everything that was entered before has been written.
    pub fn seal(&self) -> Result<Option<u64>> {
        let (sender, receiver) = mpsc::sync_channel(1);
        {
            let mut state = self.lock();
            refuse(&state)?;
            state.seal = true;
            state.sealed_replies.push(sender);
        }
        self.work.notify_one();
        receiver.recv().unwrap_or_else(|_| Err(self.stopped()))
    }

    /// Says that rows of this encoded size are in the tables now.
    pub fn release(&self, size_bytes: u64) {
        let mut state = self.lock();
        state.held_bytes = state.held_bytes.saturating_sub(size_bytes);
        self.wake_writers(&mut state);
    }

    /// Says why rows cannot get into the tables, or that they can again. Callers at the bound get
    /// an error instead of waiting for ever.
    pub fn set_stall(&self, stall: Option<String>) {
        let mut state = self.lock();
        state.stall = stall;
        self.wake_writers(&mut state);
    }

    /// Encoded bytes of rows that no table holds yet.
    pub fn held_bytes(&self) -> u64 {
        self.lock().held_bytes
    }

    /// Refuses further events; what has entered is still written.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        self.wake_writers(&mut state);
        drop(state);
        self.work.notify_one();
    }

    /// Poisons the queue: no more acknowledgements, for those who wait and those who come.
    pub(super) fn fail(&self, failure: String) {
        let mut state = self.lock();
        state.failure = Some(failure);
        let pending: Vec<_> = state.pending.drain(..).collect();
        state.sealed_replies.clear();
        self.wake_writers(&mut state);
        drop(state);
        for it in pending {
            it.reply.send(Err(self.stopped()));
        }
    }

    /// Waits for work: something awaited, enough bytes, a seal or the end; `linger` after the first
    /// entry that nobody awaits; `idle` when there is nothing at all.
    pub(super) fn take(&self, linger: Duration, idle: Option<Duration>) -> Work {
        let mut state = self.lock();
        while !(state.closing
            || state.seal
            || state.awaited > 0
            || state.pending_bytes >= EAGER_BYTES)
        {
            let wait = if state.pending.is_empty() { idle } else { Some(linger) };
            let Some(wait) = wait else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (woken, timeout) =
                self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() {
                break;
            }
        }
        let mut work = Work::default();
        let mut size_bytes = 0;
        while let Some(next) = state.pending.front() {
            size_bytes += next.chunk.size_bytes;
            if size_bytes > GROUP_BYTES_MAX && !work.pending.is_empty() {
                return work; // the rest, and a seal, come in the next turn
            }
            let Some(next) = state.pending.pop_front() else { break };
            state.pending_bytes -= next.chunk.size_bytes;
            state.awaited -= usize::from(!matches!(next.reply, Reply::Nobody));
            work.pending.push(next);
        }
        work.seal = std::mem::take(&mut state.seal);
        work.sealed_replies = std::mem::take(&mut state.sealed_replies);
        work.last = state.closing;
        work
    }

    fn push_blocking(&self, events: Vec<Event>, reply: Reply) -> Result<()> {
        let pending = encode(events, reply)?;
        let mut state = self.lock();
        while !self.admits(&mut state, pending.chunk.size_bytes)? {
            state = self.space.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.enter(&mut state, pending);
        Ok(())
    }

    /// [`Queue::has_room`] for a caller that would wait: an error where the wait might never end.
    fn admits(&self, state: &mut State, size_bytes: u64) -> Result<bool> {
        let has_room = self.has_room(state, size_bytes)?;
        match &state.stall {
            Some(stall) if !has_room => Err(Error::unavailable(format!(
                "the store can take no more rows until they get into the tables: {stall}"
            ))
            .with_hint("Every acknowledged run is safe in the journal; repair the cause.")),
            _ => Ok(has_room),
        }
    }

    /// Whether there is room; if not, the file is asked to be sealed, so that there will be.
    /// Something larger than the bound is let in alone.
    fn has_room(&self, state: &mut State, size_bytes: u64) -> Result<bool> {
        refuse(state)?;
        if state.held_bytes == 0 || state.held_bytes + size_bytes <= self.held_bytes_max {
            return Ok(true);
        }
        if state.stall.is_none() {
            state.seal = true;
            self.work.notify_one();
        }
        Ok(false)
    }

    fn enter(&self, state: &mut State, pending: Pending) {
        let awaited = !matches!(pending.reply, Reply::Nobody);
        let first = state.pending.is_empty();
        state.held_bytes += pending.chunk.size_bytes;
        state.pending_bytes += pending.chunk.size_bytes;
        state.awaited += usize::from(awaited);
        state.pending.push_back(pending);
        if awaited || first || state.pending_bytes >= EAGER_BYTES {
            self.work.notify_one();
        }
    }

    fn wake_writers(&self, state: &mut State) {
        self.space.notify_all();
        for it in state.waiting.drain(..) {
            let _ = it.send(()); // a caller that has gone away needs no space
        }
    }

    fn stopped(&self) -> Error {
        match refuse(&self.lock()) {
            Err(error) => error,
            Ok(()) => Error::internal("the journal's thread ended without a reason"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse(state: &State) -> Result<()> {
    if let Some(failure) = &state.failure {
        return Err(Error::unavailable(format!(
            "the journal takes no more rows since a write failed: {failure}"
        ))
        .with_hint("Open the store again; what was acknowledged is safe."));
    }
    if state.closing {
        return Err(Error::unavailable("the store is closed")
            .with_hint("Open it again to write; what was acknowledged is there."));
    }
    Ok(())
}

fn encode(events: Vec<Event>, reply: Reply) -> Result<Pending> {
    let mut encoded = Vec::with_capacity(events.len() * EVENT_BYTES);
    events
        .serialize(&mut rmp_serde::Serializer::new(&mut encoded))
        .map_err(|source| Error::internal("cannot encode events").with_source(source))?;
    if encoded.len() > PAYLOAD_BYTES_MAX / 2 {
        return Err(Error::invalid(format!(
            "{} events of {} bytes are too many for one write; at most {} bytes go together",
            events.len(),
            encoded.len(),
            PAYLOAD_BYTES_MAX / 2
        )));
    }
    let chunk = Chunk { size_bytes: encoded.len() as u64, events };
    Ok(Pending { chunk, encoded, reply })
}

#[cfg(test)]
mod tests;
