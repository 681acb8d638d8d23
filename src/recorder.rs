//! From the engine's events to the store: collects the rows of a run, hands them over in large
//! pieces, and ends a run with one acknowledged commit. Holds no file and no thread.
//!
//! Only the end of a run waits, for its acknowledgement and, at the store's bound, for room: that
//! is what holds the engine back. Rows before it never block a thread: at the bound they stay with
//! their run.

mod run;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::event::{Event, EventSink, OUTPUT_KIND, Row, RunRow, RunStarted, Text};
use crate::store::Store;

pub use run::{Run, Step};

/// When this many rows of a run wait here, they enter the journal, unacknowledged, if it has room.
const ROWS_PIECE: usize = 256;
/// Digests of contracts that are remembered as recorded; beyond it a contract may be recorded
/// twice, which SQL hides. So may one of which several runs end at the same time.
const DIGESTS_MAX: usize = 100_000;

/// Records runs in a store. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Recorder {
    store: Arc<Store>,
    contracts: Arc<Mutex<HashSet<Text>>>,
}

impl Recorder {
    /// A recorder into a store that is open for writing.
    pub fn new(store: impl Into<Arc<Store>>) -> Self {
        let store = store.into();
        // not knowing them only means that a contract is recorded again
        let known = store.contract_digests(DIGESTS_MAX / 2).unwrap_or_default();
        Self { store, contracts: Arc::new(Mutex::new(known)) }
    }

    /// Begins a run: if the process dies before [`RunRecorder::finish`], the run gets a row of
    /// result `error` and error_type `abandoned` when the store is opened again.
    pub fn begin(&self, started: RunStarted) -> Result<RunRecorder> {
        let kept = self.store.try_append(vec![Event::RunStarted(started)])?;
        let rows = Rows { events: kept.unwrap_or_default(), contracts: Vec::new() };
        Ok(RunRecorder { recorder: self.clone(), rows: Mutex::new(rows) })
    }

    /// Records rows that belong to no run, or to one that has ended; returns when they are
    /// acknowledged.
    pub async fn record(&self, rows: Vec<Row>) -> Result<()> {
        let events = rows.into_iter().filter(|row| self.is_new(row)).map(Event::Row);
        let rows = Rows::from_iter(events);
        self.commit(rows).await
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Whether a row is worth recording: all are, but a contract that is recorded already.
    fn is_new(&self, row: &Row) -> bool {
        let Row::Contracts(contract) = row else { return true };
        !self.known().contains(&contract.contract_digest)
    }

    /// Commits rows. Only then are their contracts known: before, another run must not rely on a
    /// row that may never become durable, or become so after that run.
    async fn commit(&self, rows: Rows) -> Result<()> {
        self.store.commit(rows.events).await?;
        let mut known = self.known();
        if known.len() + rows.contracts.len() > DIGESTS_MAX {
            known.clear();
        }
        known.extend(rows.contracts);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, HashSet<Text>> {
        self.contracts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows that wait, and the digests of the contracts among them and among those that went before.
#[derive(Debug, Default)]
struct Rows {
    events: Vec<Event>,
    contracts: Vec<Text>,
}

impl Rows {
    /// Adds a row, but no contract twice.
    fn push(&mut self, event: Event) {
        if let Event::Row(Row::Contracts(contract)) = &event {
            if self.contracts.contains(&contract.contract_digest) {
                return;
            }
            self.contracts.push(contract.contract_digest.clone());
        }
        self.events.push(event);
    }
}

impl FromIterator<Event> for Rows {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let mut rows = Self::default();
        events.into_iter().for_each(|event| rows.push(event));
        rows
    }
}

/// Records one run.
#[derive(Debug)]
pub struct RunRecorder {
    recorder: Recorder,
    rows: Mutex<Rows>,
}

impl EventSink for RunRecorder {
    fn emit(&self, event: Event) -> Result<()> {
        if let Event::Row(row) = &event
            && !self.recorder.is_new(row)
        {
            return Ok(());
        }
        // outputs are for the case that this run does not end: they must not wait here
        let is_output =
            matches!(&event, Event::Row(Row::Artifacts(it)) if &*it.kind == OUTPUT_KIND);
        let mut rows = self.lock();
        if is_output && rows.events.is_empty() {
            // many come alone: they are kept until they are in the tables, and so is their room
            rows.events.reserve_exact(1);
        }
        rows.push(event);
        if !is_output && !rows.events.len().is_multiple_of(ROWS_PIECE) {
            return Ok(());
        }
        let piece = std::mem::take(&mut rows.events);
        rows.events = self.recorder.store.try_append(piece)?.unwrap_or_default();
        Ok(())
    }
}

impl RunRecorder {
    /// Ends the run. When this returns, the run and all its rows are acknowledged.
    pub async fn finish(&self, run: RunRow) -> Result<()> {
        let mut rows = std::mem::take(&mut *self.lock());
        rows.push(Event::from(run));
        // rows that went before are acknowledged with this commit: the journal keeps their order
        self.recorder.commit(rows).await
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunRecorder {
    /// A run that was not finished keeps the rows it has; the run itself stays open.
    fn drop(&mut self) {
        let rows = std::mem::take(&mut self.lock().events);
        if !rows.is_empty() {
            drop(self.recorder.store.try_append(rows)); // a closed store has no use for them
        }
    }
}
