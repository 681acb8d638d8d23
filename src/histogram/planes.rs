//! The bytes of histograms in roll-ups: quick to read, as short as HdrHistogram's when compressed,
//! and read by nobody else. How far it is from place to place and how many values a place has are
//! written apart, a byte each where that is enough, so that a reader seldom has to choose.
//!
//! After the mark comes the number of gap bytes, four bytes, the lower ones first, and these: how
//! many places without a value are before the next one with values, 255 for as many and more to
//! come. After them the counts, as HdrHistogram writes numbers.

use super::{Counts, NoHistogram, PLACES_MAX, number};

const MARK: &[u8] = b"gsh\x02";

/// The bytes of counts that are in order.
pub(super) fn bytes(counts: &Counts) -> Vec<u8> {
    let (mut gaps, mut numbers, mut next) = (Vec::new(), Vec::new(), 0);
    counts.each(|place, count| {
        let gap = place - next;
        gaps.extend(std::iter::repeat_n(u8::MAX, (gap / 255) as usize));
        gaps.push((gap % 255) as u8);
        next = place + 1;
        number::put(&mut numbers, count);
    });
    let length = u32::try_from(gaps.len()).unwrap_or(u32::MAX);
    [MARK, &length.to_le_bytes(), &gaps, &numbers].concat()
}

/// Bytes of this shape, of places that there are.
pub(super) struct Planes<'a> {
    gaps: &'a [u8],
    numbers: &'a [u8],
    /// The place after the last one.
    pub(super) end: u32,
}

impl<'a> Planes<'a> {
    /// `None` when the bytes have another shape.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Result<Self, NoHistogram>> {
        let rest = bytes.strip_prefix(MARK)?;
        let split = rest.split_first_chunk().and_then(|(length, rest)| {
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        });
        let planes = split.and_then(|(gaps, numbers)| {
            let skipped: u64 = gaps.iter().map(|gap| u64::from(*gap)).sum();
            let places = gaps.iter().filter(|gap| **gap != u8::MAX).count() as u64;
            let end = u32::try_from(skipped + places).ok().filter(|it| *it <= PLACES_MAX)?;
            Some(Self { gaps, numbers, end })
        });
        Some(planes.ok_or(NoHistogram))
    }

    /// How many places there are, or more.
    pub(super) fn len(&self) -> usize {
        self.gaps.len()
    }

    /// Places and counts, in order.
    #[inline]
    pub(super) fn each(&self, mut take: impl FnMut(u32, u64)) -> Result<(), NoHistogram> {
        let (mut place, mut numbers) = (0, self.numbers.iter());
        for gap in self.gaps {
            place += u32::from(*gap);
            if *gap == u8::MAX {
                continue;
            }
            take(place, number::take(&mut numbers).ok_or(NoHistogram)?);
            place += 1;
        }
        Ok(())
    }
}
