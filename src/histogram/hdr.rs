//! HdrHistogram's V2 serialisation, which every HdrHistogram reads: of the places in order, how
//! many values each has, and how many places without any lie between. Reads it in the shape that is
//! written here; what has other digits or a compressed payload is `hdrhistogram`'s to read.

use super::{Counts, NoHistogram, PLACES_MAX, SIGNIFICANT_DIGITS, bounds_of, number};

/// How it begins.
const COOKIE: u32 = 0x1c84_9303 | 0x10;
const HEADER_BYTES: usize = 40;

/// The bytes of counts that are in order.
pub(super) fn bytes(counts: &Counts) -> Vec<u8> {
    // about two bytes for how far it is from the place before, and one for the count
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 3 * counts.listed.len());
    bytes.resize(HEADER_BYTES, 0);
    let mut next = 0;
    counts.each(|place, count| {
        let zeros = i64::from(place - next);
        match zeros {
            0 => {}
            1 => number::put(&mut bytes, 0),
            _ => number::put(&mut bytes, ((-zeros << 1) ^ (-zeros >> 63)) as u64),
        }
        number::put(&mut bytes, count.min(i64::MAX as u64) << 1);
        next = place + 1;
    });
    let largest = next.checked_sub(1).map_or(0, |it| bounds_of(it).1);
    let length = u32::try_from(bytes.len() - HEADER_BYTES).unwrap_or(u32::MAX);
    let header = [
        &COOKIE.to_be_bytes()[..],
        &length.to_be_bytes(),
        &0_u32.to_be_bytes(), // places are not shifted
        &SIGNIFICANT_DIGITS.to_be_bytes(),
        &1_u64.to_be_bytes(), // the lowest value that is told from its neighbours
        &largest.max(2).to_be_bytes(),
        &1_f64.to_be_bytes(), // values are what they are
    ];
    bytes.splice(..HEADER_BYTES, header.concat());
    bytes
}

/// The counts in bytes of the shape that is written here; `None` of any other.
pub(super) fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let is_ours = word(0)? == COOKIE
        && word(8)? == 0
        && word(12)? == SIGNIFICANT_DIGITS
        && long(16)? == 1
        && long(32)? == 1_f64.to_bits();
    let length = usize::try_from(word(4)?).ok()?;
    let payload = bytes.get(HEADER_BYTES..HEADER_BYTES.checked_add(length)?)?;
    is_ours.then_some(payload)
}

/// The places of a payload that have values, in order, and how many each has.
pub(super) fn entries(payload: &[u8]) -> Entries<'_> {
    Entries { bytes: payload.iter(), next: 0 }
}

/// See [`entries`].
pub(super) struct Entries<'a> {
    bytes: std::slice::Iter<'a, u8>,
    next: usize,
}

impl Iterator for Entries<'_> {
    type Item = Result<(u32, u64), NoHistogram>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = match self.number()? {
                Ok(number) => number,
                Err(error) => return Some(Err(error)),
            };
            let Ok(count @ 1..) = u64::try_from(number) else {
                // so many places without a value; a zero is one
                let Ok(skipped) = usize::try_from(number.unsigned_abs()) else {
                    return Some(Err(NoHistogram));
                };
                self.next = self.next.saturating_add(skipped.max(1));
                continue;
            };
            let place = self.next;
            if place >= PLACES_MAX as usize {
                return Some(Err(NoHistogram));
            }
            self.next += 1;
            return Some(Ok((place as u32, count)));
        }
    }
}

impl Entries<'_> {
    /// The sign is in the lowest bit.
    #[inline]
    fn number(&mut self) -> Option<Result<i64, NoHistogram>> {
        if self.bytes.as_slice().is_empty() {
            return None;
        }
        let number = number::take(&mut self.bytes);
        let signed = |it: u64| ((it >> 1) as i64) ^ -((it & 1) as i64);
        Some(number.map(signed).ok_or(NoHistogram))
    }
}
