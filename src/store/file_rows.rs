//! The rows of one journal file that the tables may not hold yet: as they were written, and as
//! record batches, which are made once, when a reader first asks. Reads and writes no file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::latency::Sketches;
use super::schema::{BatchBuilder, arrow_schema, to_batch};
use crate::error::{Error, Result};
use crate::event::{Event, Row, Table};
use crate::journal::Chunk;

/// A table's batches are put together when there are this many.
const BATCHES_MAX: usize = 16;

/// Batches by table; a table without rows is not there.
pub(super) type Batches = BTreeMap<Table, Vec<RecordBatch>>;

/// The rows of one journal file. Whoever writes waits for no reader.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    written: Mutex<Vec<Arc<Chunk>>>,
    shown: Mutex<Shown>,
}

/// What readers have been shown.
#[derive(Debug, Default)]
struct Shown {
    chunks: usize,
    batches: Batches,
    sketches: Sketches,
}

impl FileRows {
    /// Adds what has been written.
    pub(super) fn push(&self, chunks: impl IntoIterator<Item = Chunk>) {
        lock(&self.written).extend(chunks.into_iter().map(Arc::new));
    }

    /// What has been written.
    pub(super) fn chunks(&self) -> Vec<Arc<Chunk>> {
        lock(&self.written).clone()
    }

    /// Encoded size of the events.
    pub(super) fn size_bytes(&self) -> u64 {
        lock(&self.written).iter().map(|chunk| chunk.size_bytes).sum()
    }

    /// All rows so far; of `step_latency` the sketches of the steps so far.
    pub(super) fn batches(&self) -> Result<Batches> {
        let mut shown = lock(&self.shown);
        let chunks: Vec<_> = lock(&self.written).iter().skip(shown.chunks).cloned().collect();
        match shown.show(&chunks) {
            Ok(()) => Ok(shown.batches.clone()),
            Err(error) => {
                *shown = Shown::default(); // part of it may count: the next reader starts over
                Err(error)
            }
        }
    }
}

impl Shown {
    fn show(&mut self, chunks: &[Arc<Chunk>]) -> Result<()> {
        let mut builders: BTreeMap<Table, BatchBuilder> = BTreeMap::new();
        let mut steps = Vec::new();
        for event in chunks.iter().flat_map(|chunk| &chunk.events) {
            let Event::Row(row) = event else { continue };
            let table = row.table();
            builders.entry(table).or_insert_with(|| BatchBuilder::new(table)).push(row)?;
            if let Row::Steps(step) = row {
                steps.push(step);
            }
        }
        let mut new = Vec::with_capacity(builders.len());
        for (table, mut builder) in builders {
            new.push((table, builder.finish()?));
        }
        steps.iter().for_each(|step| self.sketches.add(step));
        if !steps.is_empty() {
            let batch = to_batch(Table::StepLatency, &self.sketches.rows())?;
            self.batches.insert(Table::StepLatency, vec![batch]);
        }
        for (table, batch) in new {
            let batches = self.batches.entry(table).or_default();
            batches.push(batch);
            if batches.len() >= BATCHES_MAX {
                *batches = vec![joined(table, batches)?];
            }
        }
        self.chunks += chunks.len();
        Ok(())
    }
}

fn joined(table: Table, batches: &[RecordBatch]) -> Result<RecordBatch> {
    concat_batches(&arrow_schema(table), batches).map_err(|source| {
        Error::internal(format!("cannot join batches of {}", table.name())).with_source(source)
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
