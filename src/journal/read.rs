//! Reads a journal file. Changes nothing, but for [`cut_tail`], which a recovering writer calls.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::disk::Disk;
use super::frame::{self, FRAME_VERSION, Frame, FrameKind};
use super::header::{FileHeader, SCHEMA_VERSION};
use crate::error::{Error, IoContext, Result};
use crate::event::Event;

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// With a whole frame.
    Clean,
    /// With bytes that are no whole frame: a write that was cut short, never acknowledged.
    Torn {
        /// Where the bad bytes begin.
        offset: u64,
    },
}

/// What a journal file holds.
#[derive(Debug)]
pub struct FileContents {
    /// The file's header.
    pub header: FileHeader,
    /// The events of all whole frames, in order.
    pub events: Vec<Event>,
    /// How the file ends.
    pub tail: Tail,
    /// Size of the whole file.
    pub size_bytes: u64,
}

/// Reads a file up to its end or its first incomplete frame.
///
/// # Errors
/// `Damaged` if a bad frame has a valid one after it, or the header is bad; `Unavailable` if a
/// newer genstore wrote the file; `Failed` if it cannot be read (the source tells a vanished file).
pub fn read_file(path: &Path) -> Result<FileContents> {
    let bytes = fs::read(path).context("read", path)?;
    let first = frame::decode(&bytes, None)
        .ok_or_else(|| damaged(path, 0, "the header is not a whole frame"))?;
    check_version(path, &first)?;
    if first.kind != FrameKind::Header {
        return Err(damaged(path, 0, "the first frame is no header"));
    }
    let header: FileHeader = rmp_serde::from_slice(first.payload)
        .map_err(|source| damaged(path, 0, "the header does not decode").with_source(source))?;
    if header.schema_version > SCHEMA_VERSION {
        return Err(newer(path, header.schema_version, SCHEMA_VERSION));
    }
    let mut contents = FileContents {
        header,
        events: Vec::new(),
        tail: Tail::Clean,
        size_bytes: bytes.len() as u64,
    };
    let mut offset = first.size_bytes();
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let Some(next) = frame::decode(rest, Some(first.salt)) else {
            if let Some(later) = frame::find(rest, first.salt) {
                let later = offset + later;
                let what = format!("a bad frame, though a valid one follows at offset {later}");
                return Err(damaged(path, offset, &what));
            }
            contents.tail = Tail::Torn { offset: offset as u64 };
            break;
        };
        check_version(path, &next)?;
        if next.kind == FrameKind::Events {
            decode_events(next.payload, &mut contents.events).map_err(|source| {
                damaged(path, offset, "a frame does not decode").with_source(source)
            })?;
        }
        offset += next.size_bytes();
    }
    Ok(contents)
}

/// Cuts the torn tail of a file whose writer is dead; nothing if the tail is clean.
pub fn cut_tail(disk: &dyn Disk, path: &Path, tail: Tail) -> Result<()> {
    match tail {
        Tail::Clean => Ok(()),
        Tail::Torn { offset } => disk.truncate(path, offset).context("cut the torn tail of", path),
    }
}

fn decode_events(payload: &[u8], into: &mut Vec<Event>) -> Result<(), rmp_serde::decode::Error> {
    let mut rest = payload;
    while !rest.is_empty() {
        let mut decoder = rmp_serde::Deserializer::new(&mut rest);
        into.append(&mut Vec::<Event>::deserialize(&mut decoder)?);
    }
    Ok(())
}

fn check_version(path: &Path, frame: &Frame<'_>) -> Result<()> {
    if frame.version > FRAME_VERSION {
        return Err(newer(path, u32::from(frame.version), u32::from(FRAME_VERSION)));
    }
    Ok(())
}

fn newer(path: &Path, theirs: u32, ours: u32) -> Error {
    Error::unavailable(format!(
        "{} was written by a newer genstore (journal version {theirs}, this build knows {ours})",
        path.display()
    ))
    .with_hint("Use the newer genstore for this store.")
}

fn damaged(path: &Path, offset: usize, what: &str) -> Error {
    Error::damaged(format!("{} is damaged at offset {offset}: {what}", path.display())).with_hint(
        "Nothing was changed. Copy the store before you do anything else; the frames before this \
         offset are whole.",
    )
}

#[cfg(test)]
mod tests;
