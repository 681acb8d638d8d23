//! From the engine's events to the store: collects the rows of a run, hands them over in large
//! pieces, and ends a run with one acknowledged commit. Holds no file and no thread.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::event::{Event, EventSink, Row, RunRow, RunStarted, Text};
use crate::store::Store;

/// Rows of one run that wait here at most; then they enter the journal, unacknowledged.
const ROWS_MAX: usize = 256;
/// Digests of contracts that are remembered as recorded; beyond it a contract may be recorded
/// twice, which SQL hides.
const DIGESTS_MAX: usize = 100_000;

/// Records runs in a store. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Recorder {
    store: Arc<Store>,
    contracts: Arc<Mutex<HashSet<Text>>>,
}

impl Recorder {
    /// A recorder into a store that is open for writing.
    pub fn new(store: Arc<Store>) -> Self {
        // not knowing them only means that a contract is recorded again
        let known = store.contract_digests(DIGESTS_MAX / 2).unwrap_or_default();
        Self { store, contracts: Arc::new(Mutex::new(known)) }
    }

    /// Begins a run: if the process dies before [`RunRecorder::finish`], the run gets a row of
    /// result `error` and error_type `abandoned` when the store is opened again.
    pub fn begin(&self, started: RunStarted) -> Result<RunRecorder> {
        self.store.append(vec![Event::RunStarted(started)])?;
        Ok(RunRecorder { recorder: self.clone(), rows: Mutex::default() })
    }

    /// Records rows that belong to no run, or to one that has ended; returns when they are
    /// acknowledged.
    pub async fn record(&self, rows: Vec<Row>) -> Result<()> {
        let events = rows.into_iter().filter(|row| self.is_new(row)).map(Event::Row).collect();
        self.store.commit(events).await
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Whether a row is worth recording: all are, but a contract that is recorded already.
    fn is_new(&self, row: &Row) -> bool {
        let Row::Contracts(contract) = row else { return true };
        let mut known = self.contracts.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= DIGESTS_MAX {
            known.clear();
        }
        known.insert(contract.contract_digest.clone())
    }
}

/// Records one run.
#[derive(Debug)]
pub struct RunRecorder {
    recorder: Recorder,
    rows: Mutex<Vec<Event>>,
}

impl EventSink for RunRecorder {
    fn emit(&self, event: Event) -> Result<()> {
        if let Event::Row(row) = &event
            && !self.recorder.is_new(row)
        {
            return Ok(());
        }
        let full = {
            let mut rows = self.lock();
            rows.push(event);
            if rows.len() < ROWS_MAX {
                return Ok(());
            }
            std::mem::take(&mut *rows)
        };
        self.recorder.store.append(full)
    }
}

impl RunRecorder {
    /// Ends the run. When this returns, the run and all its rows are acknowledged.
    pub async fn finish(&self, run: RunRow) -> Result<()> {
        let mut events = std::mem::take(&mut *self.lock());
        events.push(Event::from(run));
        self.recorder.store.commit(events).await
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunRecorder {
    /// A run that was not finished keeps the rows it has; the run itself stays open.
    fn drop(&mut self) {
        let rows = std::mem::take(&mut *self.lock());
        if !rows.is_empty() {
            drop(self.recorder.store.append(rows)); // a closed store has no use for them
        }
    }
}
