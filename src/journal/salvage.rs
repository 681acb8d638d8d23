//! What can be saved of a damaged journal file: its whole frames, byte for byte, behind a header.
//! Works on bytes; reads and writes no file.

use super::frame::{self, FrameKind, Salt};
use super::header::FileHeader;
use super::read::decode_events;
use crate::error::{Error, Result};

/// A journal file without its bad frames.
#[derive(Debug)]
pub struct Salvage {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Events in it.
    pub events: u64,
    /// Bytes of the damaged file that are not in it.
    pub lost_bytes: u64,
}

/// Takes the whole frames of a damaged file. `header` stands in for one that cannot be read.
pub fn salvage(damaged: &[u8], header: &FileHeader) -> Result<Salvage> {
    let first = frame::decode(damaged, None).filter(|it| it.kind == FrameKind::Header);
    let (salt, mut at, mut bytes) = match first {
        Some(first) => {
            let end = first.size_bytes();
            (first.salt, end, damaged.get(..end).unwrap_or_default().to_vec())
        }
        None => {
            let salt = any_salt(damaged).unwrap_or_default();
            let payload = rmp_serde::to_vec(header).map_err(|source| {
                Error::internal("cannot encode the header of a journal").with_source(source)
            })?;
            let mut bytes = Vec::new();
            frame::encode(&mut bytes, salt, FrameKind::Header, [payload.as_slice()]);
            (salt, 0, bytes)
        }
    };
    let (mut events, mut kept_bytes) = (Vec::new(), at);
    while let Some(rest) = damaged.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(next) = frame::decode(rest, Some(salt)) else {
            match frame::find(rest, salt) {
                Some(later) => at += later,
                None => break,
            }
            continue;
        };
        let size_bytes = next.size_bytes();
        if next.kind == FrameKind::Events && decode_events(next.payload, &mut events).is_ok() {
            bytes.extend_from_slice(rest.get(..size_bytes).unwrap_or_default());
            kept_bytes += size_bytes;
        }
        at += size_bytes;
    }
    let lost_bytes = damaged.len().saturating_sub(kept_bytes) as u64;
    Ok(Salvage { bytes, events: events.len() as u64, lost_bytes })
}

/// The salt of the first whole frame.
fn any_salt(bytes: &[u8]) -> Option<Salt> {
    let magic = bytes.windows(frame::MAGIC.len()).enumerate().filter(|it| it.1 == frame::MAGIC);
    let mut frames = magic.filter_map(|(at, _)| frame::decode(bytes.get(at..)?, None));
    frames.next().map(|it| it.salt)
}
