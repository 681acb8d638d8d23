//! One frame as bytes, and how to find the frames in a file's bytes. Decides nothing about what a
//! bad frame means: `read` does.
//!
//! ```text
//! offset  0  magic "GSJ1"            4 bytes
//!         4  salt of the file        8 bytes
//!        12  length of the payload   u32, little endian
//!        16  CRC32C of bytes 4..16, 20..24 and the payload, u32, little endian
//!        20  format version          u16, little endian
//!        22  kind                    u16, little endian: 0 header, 1 events
//!        24  payload
//! ```
//!
//! The salt is random per file, so that a payload which happens to hold a journal (a contract about
//! journals, say) is never mistaken for a frame of this file.

/// Bytes before the payload.
pub(super) const FRAME_HEAD_BYTES: usize = 24;
/// Longest payload of one frame.
pub(super) const PAYLOAD_BYTES_MAX: usize = 256 << 20;
/// Version of this layout.
pub(super) const FRAME_VERSION: u16 = 1;

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = *b"GSJ1";

/// What a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameKind {
    /// A [`super::FileHeader`].
    Header,
    /// Concatenated MessagePack arrays of events, one per append.
    Events,
}

/// The salt of a file.
pub(super) type Salt = [u8; 8];

/// A frame found in bytes.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) kind: FrameKind,
    pub(super) version: u16,
    pub(super) salt: Salt,
    pub(super) payload: &'a [u8],
}

impl Frame<'_> {
    /// Size of the frame with its head.
    pub(super) fn size_bytes(&self) -> usize {
        FRAME_HEAD_BYTES + self.payload.len()
    }
}

/// Writes a frame around the payload that `parts` make when put together, to the end of `out`.
pub(super) fn encode<'a>(
    out: &mut Vec<u8>,
    salt: Salt,
    kind: FrameKind,
    parts: impl IntoIterator<Item = &'a [u8]>,
) {
    let start = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD_BYTES]);
    for part in parts {
        out.extend_from_slice(part);
    }
    let Some((head, payload)) =
        out.get_mut(start..).and_then(|it| it.split_at_mut_checked(FRAME_HEAD_BYTES))
    else {
        return;
    };
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let version = FRAME_VERSION.to_le_bytes();
    let kind = match kind {
        FrameKind::Header => 0_u16,
        FrameKind::Events => 1_u16,
    }
    .to_le_bytes();
    let crc = checksum(salt, length, version, kind, payload).to_le_bytes();
    let fields: [&[u8]; 6] = [&MAGIC, &salt, &length, &crc, &version, &kind];
    for (to, from) in head.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
}

/// The frame at the start of `bytes`, if it is whole and right. `salt` is the file's, where it is
/// known already.
pub(super) fn decode(bytes: &[u8], salt: Option<Salt>) -> Option<Frame<'_>> {
    let (head, rest) = bytes.split_at_checked(FRAME_HEAD_BYTES)?;
    let magic: [u8; 4] = field(head, 0)?;
    let found: Salt = field(head, 4)?;
    let length: [u8; 4] = field(head, 12)?;
    let crc: [u8; 4] = field(head, 16)?;
    let version: [u8; 2] = field(head, 20)?;
    let kind: [u8; 2] = field(head, 22)?;
    if magic != MAGIC || salt.is_some_and(|it| it != found) {
        return None;
    }
    let payload = rest.get(..u32::from_le_bytes(length) as usize)?;
    if checksum(found, length, version, kind, payload) != u32::from_le_bytes(crc) {
        return None;
    }
    let kind = match u16::from_le_bytes(kind) {
        0 => FrameKind::Header,
        1 => FrameKind::Events,
        _ => return None,
    };
    Some(Frame { kind, version: u16::from_le_bytes(version), salt: found, payload })
}

/// Size of the payload of the frame that begins with this head, as the head says; `None` if it is
/// no head, or more than a frame may hold.
pub(super) fn payload_bytes(head: &[u8]) -> Option<u64> {
    let length = u32::from_le_bytes(field(head, 12)?);
    (length as usize <= PAYLOAD_BYTES_MAX).then_some(u64::from(length))
}

/// Where the next valid frame of this file begins, at or after the start of `bytes`.
pub(super) fn find(bytes: &[u8], salt: Salt) -> Option<usize> {
    let mut start = MAGIC.to_vec();
    start.extend_from_slice(&salt);
    bytes
        .windows(start.len())
        .enumerate()
        .filter(|(_, window)| *window == start)
        .map(|(offset, _)| offset)
        .find(|offset| bytes.get(*offset..).is_some_and(|it| decode(it, Some(salt)).is_some()))
}

fn checksum(salt: Salt, length: [u8; 4], version: [u8; 2], kind: [u8; 2], payload: &[u8]) -> u32 {
    let mut crc = crc32c::crc32c(&salt);
    for part in [&length[..], &version[..], &kind[..], payload] {
        crc = crc32c::crc32c_append(crc, part);
    }
    crc
}

fn field<const N: usize>(head: &[u8], offset: usize) -> Option<[u8; N]> {
    head.get(offset..offset + N)?.try_into().ok()
}

#[cfg(test)]
mod tests;
