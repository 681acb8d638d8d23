//! One group of files of a table to one commit: reads and verifies them, writes their rows anew,
//! replaces them. Decides nothing about which.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::merge::{self, Batches, Failure, Piece, Source};
use super::plan::Group;
use super::sketches::Summing;
use super::{Extent, Merge, extent, name_of};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;
use crate::store::check;
use crate::store::data_file::whole;
use crate::store::delta::{self, Rewrite};
use crate::store::files::{FileSource, Input};
use crate::store::flush::Writing;
use crate::store::segment::Segment;
use crate::store::segment_writer::{self, SegmentWriter};
use crate::store::snapshot::DataFile;

/// Bytes that are read of all files of a group at a time, as they are in memory.
const READ_BYTES: usize = 32 << 20;
/// Bytes that are read of one file at a time at least.
const READ_BYTES_MIN: usize = 64 << 10;

/// What became of a group.
#[derive(Debug)]
pub(super) enum Outcome {
    /// With the names of the new files.
    Done(Merge, Vec<String>),
    /// One of the files is no part of the table any more: the plan was for another table.
    Stale,
    /// One of the files is not what the log says, or holds what cannot be merged.
    Unreadable(PathBuf, Error),
}

/// Hears how many rows were merged, and may break it off.
pub(super) type Observer<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// Replaces files of a table by new ones with the same rows.
pub(super) fn merge_files(
    writing: &Writing,
    table: Table,
    inputs: &[DataFile],
    group: &Group,
    is_automatic: bool,
    go_on: Observer<'_>,
) -> Result<Outcome> {
    if inputs.len() != group.names.len() {
        return Ok(Outcome::Stale);
    }
    let segments = match write(writing, table, inputs, go_on) {
        Ok(segments) => segments,
        Err(Failure { source: Some(source), error }) if is_of_file(&error) => {
            let Some(input) = inputs.get(source) else { return Err(error) };
            // one that a vacuum has removed since the plan is none of this table any more
            return match is_listed(writing, table, input)? {
                true => Ok(Outcome::Unreadable(input.path.clone(), error)),
                false => Ok(Outcome::Stale),
            };
        }
        Err(Failure { error, .. }) => return Err(error),
    };
    let before = extent(inputs);
    let after = Extent {
        files: segments.len() as u64,
        size_bytes: segments.iter().map(|it| it.size_bytes).sum(),
    };
    let rewrite = Rewrite {
        operation: "OPTIMIZE",
        parameters: parameters(group, is_automatic),
        metrics: metrics(before, after),
        removes: group.names.clone(),
        adds: segments.clone(),
        data_change: table == Table::StepLatency,
        time_us: writing.tables.next_flush_time_us(writing.clock.now_us())?,
    };
    // A commit that fails may have gone through: its files stay, and are strays if it did not.
    let mut log = writing.tables.log(table)?;
    if delta::rewrite(&**writing.files(), &*writing.ids, &mut log, &rewrite)? {
        let (rows, reason) = (group.rows, group.reason.clone());
        let names = segments.into_iter().map(|it| it.name).collect();
        return Ok(Outcome::Done(Merge { before, after: Some(after), rows, reason }, names));
    }
    drop(log);
    segment_writer::remove(writing, table, &segments);
    Ok(Outcome::Stale)
}

/// Whether an error says something of the content of a file, not of the disk or the caller.
fn is_of_file(error: &Error) -> bool {
    error.kind() == ErrorKind::Damaged
}

fn is_listed(writing: &Writing, table: Table, file: &DataFile) -> Result<bool> {
    let mut log = writing.tables.log(table)?;
    log.refresh()?;
    Ok(log.has_file(&name_of(&file.path)))
}

/// Writes the rows of files to new ones, which are durable and not committed.
fn write(
    writing: &Writing,
    table: Table,
    inputs: &[DataFile],
    go_on: Observer<'_>,
) -> Result<Vec<Segment>, Failure> {
    let files = FileSource::new(writing.files());
    let batch_bytes = (READ_BYTES / inputs.len().max(1)).max(READ_BYTES_MIN);
    let source = |file| Source {
        first_run: run_bound(file),
        open: Box::new({
            let files = files.clone();
            move || open(&files, table, file, batch_bytes)
        }),
    };
    let sources = inputs.iter().map(source).collect();
    let mut output = Output {
        writer: SegmentWriter::new(writing, table),
        summing: (table == Table::StepLatency).then(Summing::new),
        table,
    };
    merge::merge(table, sources, &mut |pieces| {
        let rows: usize = pieces.iter().map(|it| it.batch.num_rows()).sum();
        if go_on(rows as u64).is_break() {
            return Err(Failure::from(broken_off()));
        }
        output.write(&pieces)
    })?;
    Ok(output.finish()?)
}

/// A copy must not give a damaged file a digest that fits: the whole file is looked at first.
fn open<'f>(
    files: &FileSource,
    table: Table,
    file: &'f DataFile,
    batch_bytes: usize,
) -> Result<Batches<'f>> {
    let input = if files.files().is_remote() {
        Input::Memory(check::read_verified(files, file)?) // one request, not one per page
    } else {
        check::verify(files, file)?;
        Arc::clone(files.files()).open(&file.path, file.size_bytes)?
    };
    Ok(Box::new(whole(input, table, file, batch_bytes)?))
}

fn run_bound(file: &DataFile) -> Option<&str> {
    file.run_ids.as_ref().map(|(first, _)| first.as_str())
}

fn broken_off() -> Error {
    Error::new(ErrorKind::Interrupted, "the compaction was broken off")
        .with_hint("What it has committed stays; the rest is as it was.")
}

struct Output<'w> {
    writer: SegmentWriter<'w>,
    summing: Option<Summing>,
    table: Table,
}

impl Output<'_> {
    fn write(&mut self, pieces: &[Piece]) -> Result<(), Failure> {
        let Some(summing) = &mut self.summing else {
            return Ok(self.writer.write(&merge::joined(self.table, pieces)?)?);
        };
        for piece in pieces {
            if let Some(batch) = summing.add(piece)? {
                self.writer.write(&batch)?;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Segment>> {
        if let Some(summing) = self.summing {
            self.writer.write(&summing.finish()?)?;
        }
        self.writer.finish()
    }
}

/// As other tools name them, with the reason of ours.
fn parameters(group: &Group, is_automatic: bool) -> Map<String, Value> {
    Map::from_iter([
        ("predicate".to_owned(), Value::from("[]")),
        ("auto".to_owned(), Value::from(is_automatic.to_string())),
        ("reason".to_owned(), Value::from(group.reason.clone())),
    ])
}

fn metrics(before: Extent, after: Extent) -> Map<String, Value> {
    let metrics = [
        ("numRemovedFiles", before.files),
        ("numRemovedBytes", before.size_bytes),
        ("numAddedFiles", after.files),
        ("numAddedBytes", after.size_bytes),
    ];
    metrics.into_iter().map(|(name, it)| (name.to_owned(), Value::from(it.to_string()))).collect()
}
