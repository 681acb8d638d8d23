//! The bytes of histograms on their way through a query: quick to write, in no order, and read by
//! nobody else. After the mark come two bytes for each place and two for its count, the lower one
//! first; a place may be there several times.

use super::{Counts, NoHistogram, PLACES_MAX};

const MARK: &[u8] = b"gsh\x01";
const ENTRY_BYTES: usize = 4;

/// The bytes of counts; `None` when one is too large.
pub(super) fn bytes(counts: &Counts) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(MARK.len() + ENTRY_BYTES * counts.listed.len());
    bytes.extend_from_slice(MARK);
    let mut fits = true;
    counts.each(|place, count| {
        let ([low, high], [low_count, high_count]) =
            ((place as u16).to_le_bytes(), (count as u16).to_le_bytes());
        bytes.extend_from_slice(&[low, high, low_count, high_count]);
        fits &= count <= u64::from(u16::MAX);
    });
    fits.then_some(bytes)
}

/// Places and counts; `None` when the bytes have another shape.
pub(super) fn entries(
    bytes: &[u8],
) -> Option<Result<impl ExactSizeIterator<Item = (u32, u64)> + Clone + '_, NoHistogram>> {
    let (entries, rest) = bytes.strip_prefix(MARK)?.as_chunks::<ENTRY_BYTES>();
    let place = |[low, high, ..]: &[u8; ENTRY_BYTES]| u32::from(u16::from_le_bytes([*low, *high]));
    if !rest.is_empty() || entries.iter().any(|it| place(it) >= PLACES_MAX) {
        return Some(Err(NoHistogram));
    }
    Some(Ok(entries.iter().map(move |entry| {
        let [.., low, high] = entry;
        (place(entry), u64::from(u16::from_le_bytes([*low, *high])))
    })))
}
