//! Reads a journal file. Changes nothing, but for [`cut_tail`], which a recovering writer calls.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::{Disk, open_file};
use super::frame::{self, FRAME_HEAD_BYTES, FRAME_VERSION, Frame, FrameKind, Salt};
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

impl Tail {
    /// Refuses a torn tail of a file that was sealed and synced before a later one was made: no
    /// write was under way there.
    ///
    /// # Errors
    /// `Damaged`, with the place.
    pub fn check_sealed(self, path: &Path) -> Result<()> {
        match self {
            Self::Clean => Ok(()),
            Self::Torn { offset } => {
                let what = "no whole frame, though the file was complete: there is a later one";
                Err(damaged(path, offset, what))
            }
        }
    }
}

/// What was read of a journal file.
#[derive(Debug)]
pub struct NewEvents {
    /// The events of the whole frames that had not been read before, in order.
    pub events: Vec<Event>,
    /// How the file ends now.
    pub tail: Tail,
    /// Size of the frames that the events come from.
    pub size_bytes: u64,
}

/// Reads a journal file from its start, also one that a living writer appends to: each look gives
/// what is new.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    file: File,
    salt: Salt,
    offset: u64,
    header: FileHeader,
}

impl JournalReader {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// `Damaged` if the header is bad; `Unavailable` if a newer genstore wrote the file; `Failed`
    /// if it cannot be read (the source tells a vanished file).
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = open_file(path).context("read", path)?;
        let mut bytes = Vec::new();
        let head = FRAME_HEAD_BYTES as u64;
        file.by_ref().take(head).read_to_end(&mut bytes).context("read", path)?;
        let length = frame::payload_bytes(&bytes).unwrap_or(0);
        file.by_ref().take(length).read_to_end(&mut bytes).context("read", path)?;
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
        let (salt, offset) = (first.salt, first.size_bytes() as u64);
        Ok(Self { path: path.to_owned(), file, salt, offset, header })
    }

    /// The file's header.
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Reads from where the last look ended to the end of the file or its first incomplete frame.
    ///
    /// # Errors
    /// `Damaged` if a bad frame has a valid one after it; `Unavailable` if a newer genstore wrote a
    /// frame; `Failed` if the file cannot be read.
    pub fn read_new(&mut self) -> Result<NewEvents> {
        let path = &self.path;
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(self.offset)).context("read", path)?;
        self.file.read_to_end(&mut bytes).context("read", path)?;
        let mut new = NewEvents { events: Vec::new(), tail: Tail::Clean, size_bytes: 0 };
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let offset = self.offset + at as u64;
            let Some(next) = frame::decode(rest, Some(self.salt)) else {
                if let Some(later) = frame::find(rest, self.salt) {
                    let later = offset + later as u64;
                    let what = format!("a bad frame, though a valid one follows at offset {later}");
                    return Err(damaged(path, offset, &what));
                }
                new.tail = Tail::Torn { offset };
                break;
            };
            check_version(path, &next)?;
            if next.kind == FrameKind::Events {
                decode_events(next.payload, &mut new.events).map_err(|source| {
                    damaged(path, offset, "a frame does not decode").with_source(source)
                })?;
            }
            at += next.size_bytes();
        }
        new.size_bytes = at as u64;
        self.offset += at as u64;
        Ok(new)
    }
}

/// Cuts the torn tail of a file whose writer is dead; nothing if the tail is clean.
pub fn cut_tail(disk: &dyn Disk, path: &Path, tail: Tail) -> Result<()> {
    match tail {
        Tail::Clean => Ok(()),
        Tail::Torn { offset } => disk.truncate(path, offset).context("cut the torn tail of", path),
    }
}

pub(super) fn decode_events(
    payload: &[u8],
    into: &mut Vec<Event>,
) -> Result<(), rmp_serde::decode::Error> {
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

fn damaged(path: &Path, offset: u64, what: &str) -> Error {
    Error::damaged(format!("{} is damaged at offset {offset}: {what}", path.display())).with_hint(
        "Nothing was changed, and the frames before this offset are whole. `genstore store check` \
         says what is lost; with --repair it saves the rest.",
    )
}

#[cfg(test)]
mod tests;
