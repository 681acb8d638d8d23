//! Sorted sources of rows to one sorted stream, row by row, with a few rows of each source in
//! memory. Knows batches, not files.
//!
//! A source is opened when the stream reaches its first run, so that of sources that follow each
//! other only one is open at a time. Rows that are equal keep the order of their sources. A source
//! that is not sorted costs the order of the stream, and no row.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::row::Rows;

use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::order::{Keys, unsorted};
use crate::store::schema::arrow_schema;

/// Rows that are handed on at once, and bytes, if that is sooner.
const ROWS_OUT: usize = 8 * 1024;
const BYTES_OUT: usize = 8 << 20;

/// The rows of a source in the columns of the table.
pub(super) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Rows to merge.
pub(super) struct Source<'a> {
    /// No row of it has a smaller run id, if that is known.
    pub(super) first_run: Option<&'a str>,
    pub(super) open: Box<dyn FnOnce() -> Result<Batches<'a>> + 'a>,
}

/// Consecutive rows of one source.
pub(super) struct Piece {
    /// Which source.
    pub(super) source: usize,
    pub(super) batch: RecordBatch,
}

/// Why a merge was given up.
#[derive(Debug)]
pub(super) struct Failure {
    /// The source that cannot be read; `None` where it is not the fault of one.
    pub(super) source: Option<usize>,
    pub(super) error: Error,
}

impl Failure {
    pub(super) fn of(source: usize) -> impl Fn(Error) -> Self {
        move |error| Self { source: Some(source), error }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { source: None, error }
    }
}

/// Merges sources; `take` gets the rows in their order, piece by piece, some thousands at a time.
pub(super) fn merge<'a>(
    table: Table,
    sources: Vec<Source<'a>>,
    take: &mut dyn FnMut(Vec<Piece>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let keys = Keys::new(table)?;
    let mut heap = BinaryHeap::with_capacity(sources.len());
    let mut states = Vec::with_capacity(sources.len());
    for (index, source) in sources.into_iter().enumerate() {
        heap.push(Reverse((first_key(&keys, source.first_run)?, index)));
        states.push(State::Waiting(source.open));
    }
    let mut pieces = Pieces::default();
    while let Some(Reverse((_, index))) = heap.pop() {
        let Some(state) = states.get_mut(index) else { continue };
        let failed = Failure::of(index);
        if matches!(state, State::Waiting(_)) {
            let State::Waiting(open) = std::mem::replace(state, State::Done) else { continue };
            *state = State::next(open().map_err(&failed)?, &keys).map_err(&failed)?;
        } else if let State::Reading(cursor) = state {
            let limit = heap.peek().map(|Reverse((key, other))| (&**key, *other));
            let row_bytes = cursor.row_bytes;
            pieces.push(cursor.take_before(limit, index), row_bytes);
            if cursor.is_done() {
                let State::Reading(cursor) = std::mem::replace(state, State::Done) else {
                    continue;
                };
                *state = State::next(cursor.rest, &keys).map_err(&failed)?;
            }
        }
        if let State::Reading(cursor) = state {
            heap.push(Reverse((cursor.key(), index)));
        }
        if pieces.are_enough() {
            take(pieces.drain())?;
        }
    }
    if pieces.rows == 0 { Ok(()) } else { take(pieces.drain()) }
}

/// Pieces as one batch.
pub(super) fn joined(table: Table, pieces: &[Piece]) -> Result<RecordBatch> {
    if let [Piece { batch, .. }] = pieces {
        return Ok(batch.clone());
    }
    concat_batches(&arrow_schema(table), pieces.iter().map(|it| &it.batch))
        .map_err(|it| unsorted(table, it))
}

/// The encoded values that a row is sorted by.
type Key = Box<[u8]>;

/// A key that no row of a source is below; the smallest of all where nothing is known of it.
fn first_key(keys: &Keys, first_run: Option<&str>) -> Result<Key> {
    let rows = first_run.map(|it| keys.of_run(it)).transpose()?.flatten();
    Ok(rows.map_or_else(Key::default, |it| it.row(0).as_ref().into()))
}

/// How far a source is read.
enum State<'a> {
    Waiting(Box<dyn FnOnce() -> Result<Batches<'a>> + 'a>),
    Reading(Cursor<'a>),
    Done,
}

impl<'a> State<'a> {
    /// Reads the next batch that has rows.
    fn next(mut rest: Batches<'a>, keys: &Keys) -> Result<Self> {
        for batch in rest.by_ref() {
            let batch = batch?;
            if batch.num_rows() > 0 {
                let keys = keys.of(&batch)?;
                let row_bytes = size_of(&batch) / batch.num_rows();
                return Ok(Self::Reading(Cursor { rest, batch, keys, at: 0, row_bytes }));
            }
        }
        Ok(Self::Done)
    }
}

/// A place in a batch of a source.
struct Cursor<'a> {
    rest: Batches<'a>,
    batch: RecordBatch,
    keys: Rows,
    at: usize,
    /// About the bytes of a row of the batch.
    row_bytes: usize,
}

impl Cursor<'_> {
    fn is_done(&self) -> bool {
        self.at >= self.batch.num_rows()
    }

    fn key(&self) -> Key {
        self.keys.row(self.at).as_ref().into()
    }

    /// Takes the next row, and those after it that come before the next row of another source.
    fn take_before(&mut self, limit: Option<(&[u8], usize)>, source: usize) -> Piece {
        let is_before = |at: usize| match limit {
            None => true,
            Some((key, other)) => match self.keys.row(at).as_ref().cmp(key) {
                Ordering::Less => true,
                Ordering::Equal => source < other,
                Ordering::Greater => false,
            },
        };
        let rows = self.batch.num_rows();
        let (mut end, mut leap) = (self.at + 1, 1);
        while end + leap <= rows && is_before(end + leap - 1) {
            end += leap;
            leap *= 2;
        }
        let mut beyond = rows.min(end + leap);
        while end < beyond {
            let middle = end + (beyond - end) / 2;
            if is_before(middle) {
                end = middle + 1;
            } else {
                beyond = middle;
            }
        }
        let batch = self.batch.slice(self.at, end - self.at);
        self.at = end;
        Piece { source, batch }
    }
}

/// Rows that are about to be handed on.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    rows: usize,
    bytes: usize,
}

impl Pieces {
    fn push(&mut self, piece: Piece, row_bytes: usize) {
        self.rows += piece.batch.num_rows();
        self.bytes += piece.batch.num_rows() * row_bytes;
        self.pieces.push(piece);
    }

    fn are_enough(&self) -> bool {
        self.rows >= ROWS_OUT || self.bytes >= BYTES_OUT
    }

    fn drain(&mut self) -> Vec<Piece> {
        std::mem::take(self).pieces
    }
}

fn size_of(batch: &RecordBatch) -> usize {
    let sizes = batch.columns().iter().map(|it| it.to_data().get_slice_memory_size().unwrap_or(0));
    sizes.sum()
}

#[cfg(test)]
mod tests;
