//! Histograms of non-negative whole numbers, three significant digits, as counts, bytes and ranks.
//! The bytes are HdrHistogram's V2 serialisation, which every HdrHistogram reads. They may come
//! from a user, so none of them can do more than cause an error.
//!
//! A histogram of the store has some dozens of values, and a query merges a hundred thousand of
//! them: bytes are added to the counts as they are read, and counts are a list of places as long as
//! they are few. A dense one of microseconds takes 100 KB.

use std::fmt;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

pub(crate) use rank::{Rank, interpolate};

mod rank;

/// Three digits: a value is known to 0.1 %.
const SIGNIFICANT_DIGITS: u32 = 3;
/// Places of an octave: so many that neighbours differ by less than 0.1 %.
const OCTAVE: u32 = 1 << OCTAVE_BITS;
const OCTAVE_BITS: u32 = 10;
/// Places of all values: the first octave takes two.
const PLACES_MAX: u32 = (65 - OCTAVE_BITS) * OCTAVE;
/// A list of more places becomes an array.
const LISTED_MAX: usize = 4_096;

/// How HdrHistogram's V2 serialisation begins.
const COOKIE: u32 = 0x1c84_9303 | 0x10;
const HEADER_BYTES: usize = 40;
/// How packed bytes begin: then come two bytes for each place that has values, and two for how
/// many, the lower one first. Every place fits.
const PACKED: &[u8] = b"gsh\x01";
const PACKED_BYTES: usize = 4;

/// Bytes that are no histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoHistogram;

impl fmt::Display for NoHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are no histogram (HdrHistogram V2)")
    }
}

impl std::error::Error for NoHistogram {}

/// How often each value was there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// By place, as long as there are few; a place may be there several times.
    listed: Vec<(u32, u64)>,
    /// By place, when there are many.
    array: Vec<u64>,
    total: u64,
}

impl Counts {
    /// The histogram that some bytes hold.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, NoHistogram> {
        let mut counts = Self::default();
        counts.merge_bytes(bytes)?;
        Ok(counts)
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> u64 {
        self.total
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Memory beside the struct itself.
    pub(crate) fn size_bytes(&self) -> usize {
        self.listed.capacity() * size_of::<(u32, u64)>() + self.array.capacity() * size_of::<u64>()
    }

    /// Adds a value.
    pub(crate) fn record(&mut self, value: u64) {
        self.add(place_of(value), 1);
    }

    /// The same for counts that many values go to: they are an array from the start. Says whether
    /// it has grown.
    #[inline]
    pub(crate) fn record_many(&mut self, value: u64) -> bool {
        self.total += 1;
        let place = place_of(value) as usize;
        if let Some(count) = self.array.get_mut(place) {
            *count += 1;
            return false;
        }
        self.settle();
        self.array.resize(place + 1, 0);
        if let Some(count) = self.array.get_mut(place) {
            *count += 1;
        }
        true
    }

    fn add(&mut self, place: u32, count: u64) {
        self.total = self.total.saturating_add(count);
        if self.array.is_empty() {
            self.listed.push((place, count));
            if self.listed.len() >= LISTED_MAX {
                self.pack();
            }
            return;
        }
        let at = place as usize;
        if at >= self.array.len() {
            self.array.resize(at + 1, 0);
        }
        if let Some(into) = self.array.get_mut(at) {
            *into = into.saturating_add(count);
        }
    }

    /// Sums what is listed twice; if that does not help much, the list becomes an array.
    fn pack(&mut self) {
        self.sort();
        if self.listed.len() > LISTED_MAX / 2 {
            self.settle();
        }
    }

    /// Puts places in order, and sums what is listed twice.
    fn sort(&mut self) {
        // what was added comes in sorted runs, which this sort merges
        self.listed.sort_by_key(|it| it.0);
        self.listed.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }

    fn settle(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let places = listed.iter().map(|it| it.0 as usize + 1).max().unwrap_or(0);
        if places > self.array.len() {
            self.array.resize(places, 0);
        }
        for (place, count) in listed {
            if let Some(into) = self.array.get_mut(place as usize) {
                *into = into.saturating_add(count);
            }
        }
    }

    /// Adds the counts of another histogram.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.each(|place, count| self.add(place, count));
    }

    fn each(&self, mut take: impl FnMut(u32, u64)) {
        self.listed.iter().for_each(|(place, count)| take(*place, *count));
        let array = self.array.iter().zip(0..).filter(|(count, _)| **count > 0);
        array.for_each(|(count, place)| take(place, *count));
    }

    /// Where the quantile is counted, without interpolation; for [`Self::above`].
    pub(crate) fn place_at(&mut self, q: f64) -> u32 {
        self.sort();
        let wanted = ((q * self.total as f64).ceil() as u64).max(1);
        let (mut seen, mut found) = (0_u64, None);
        self.each(|place, count| {
            seen = seen.saturating_add(count);
            if seen >= wanted {
                found.get_or_insert(place);
            }
        });
        found.unwrap_or(0)
    }

    /// How many values are counted beyond a place.
    pub(crate) fn above(&self, place: u32) -> u64 {
        let mut above = 0_u64;
        self.each(|at, count| above += if at > place { count } else { 0 });
        above
    }

    /// Takes away what was added before; `None` when it was not.
    pub(crate) fn subtract(&mut self, other: &Self) -> Option<()> {
        self.settle();
        let mut gone = other.clone();
        gone.settle();
        for (at, count) in gone.array.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = self.array.get_mut(at)?;
            *left = left.checked_sub(*count)?;
        }
        self.total = self.total.checked_sub(gone.total)?;
        Some(())
    }

    /// Adds the counts of a histogram's bytes, of HdrHistogram or packed.
    pub(crate) fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), NoHistogram> {
        if let Some(packed) = bytes.strip_prefix(PACKED) {
            return self.merge_packed(packed);
        }
        let Some(payload) = payload(bytes) else { return self.merge_foreign(bytes) };
        let mut places = Places::of(payload);
        while let Some((place, count)) = places.next()? {
            self.put(place, count)?;
        }
        self.listed_more();
        Ok(())
    }

    fn merge_packed(&mut self, packed: &[u8]) -> Result<(), NoHistogram> {
        let (entries, rest) = packed.as_chunks::<PACKED_BYTES>();
        if !rest.is_empty() {
            return Err(NoHistogram);
        }
        for [low, high, count @ ..] in entries {
            let place = u16::from_le_bytes([*low, *high]);
            self.put(usize::from(place), u64::from(u16::from_le_bytes(*count)))?;
        }
        self.listed_more();
        Ok(())
    }

    /// Adds a count that came as bytes; [`Self::listed_more`] is called after the last one.
    #[inline]
    fn put(&mut self, place: usize, count: u64) -> Result<(), NoHistogram> {
        self.total = self.total.saturating_add(count);
        if let Some(into) = self.array.get_mut(place) {
            *into = into.saturating_add(count);
        } else if place >= PLACES_MAX as usize {
            return Err(NoHistogram);
        } else if self.array.is_empty() {
            self.listed.push((place as u32, count));
        } else {
            self.array.resize(place, 0);
            self.array.push(count);
        }
        Ok(())
    }

    fn listed_more(&mut self) {
        if self.listed.len() >= LISTED_MAX {
            self.pack();
        }
    }

    /// The same for HdrHistogram's bytes of another shape, such as other digits or compressed ones.
    fn merge_foreign(&mut self, mut bytes: &[u8]) -> Result<(), NoHistogram> {
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes).map_err(|_| NoHistogram)?;
        for step in histogram.iter_recorded() {
            self.add(place_of(step.value_iterated_to()), step.count_at_value());
        }
        Ok(())
    }

    /// The histogram as bytes that are quick to write and to add to another one, for the states of
    /// a query: they are twice as long, and nobody else reads them. Where a count is too large for
    /// that, they are those of [`Self::bytes`].
    pub(crate) fn packed(&mut self) -> Vec<u8> {
        let mut counts = self.listed.iter().map(|(_, count)| count).chain(&self.array);
        if counts.any(|it| *it > u64::from(u16::MAX)) {
            return self.bytes();
        }
        let mut bytes = Vec::with_capacity(PACKED.len() + PACKED_BYTES * self.listed.len());
        bytes.extend_from_slice(PACKED);
        self.each(|place, count| {
            let ([low, high], [low_count, high_count]) =
                ((place as u16).to_le_bytes(), (count as u16).to_le_bytes());
            bytes.extend_from_slice(&[low, high, low_count, high_count]);
        });
        bytes
    }

    /// The histogram as bytes.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.sort();
        // about two bytes for how far it is from the place before, and one for the count
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 3 * self.listed.len());
        bytes.resize(HEADER_BYTES, 0);
        let mut next = 0;
        let mut put = |place: u32, count: u64| {
            let zeros = i64::from(place - next);
            match zeros {
                0 => {}
                1 => put_number(&mut bytes, 0),
                _ => put_number(&mut bytes, ((-zeros << 1) ^ (-zeros >> 63)) as u64),
            }
            put_number(&mut bytes, count.min(i64::MAX as u64) << 1);
            next = place + 1;
        };
        self.each(&mut put);
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

    /// The quantile, interpolated between neighbouring ranks; `None` when there are no values.
    pub(crate) fn quantile(&mut self, rank: Rank) -> Option<f64> {
        let (index, fraction) = rank.place(self.total)?;
        let (low, high) = self.neighbours(index)?;
        Some(interpolate(low, high, fraction))
    }

    /// The values of rank `index`, from 0, and of the next rank (or the same, for the last).
    pub(crate) fn neighbours(&mut self, index: u64) -> Option<(f64, f64)> {
        self.sort();
        let array = self.array.iter().zip(0..).map(|(count, place)| (place, *count));
        neighbours(self.listed.iter().copied().chain(array), index)
    }
}

/// The quantile of the histogram that some bytes hold; `None` when there are no values in it.
pub(crate) fn quantile_of(bytes: &[u8], rank: Rank) -> Result<Option<f64>, NoHistogram> {
    let Some(payload) = payload(bytes) else { return Ok(Counts::of(bytes)?.quantile(rank)) };
    let (mut places, mut total) = (Places::of(payload), 0_u64);
    while let Some((_, count)) = places.next()? {
        total = total.saturating_add(count);
    }
    let Some((index, fraction)) = rank.place(total) else { return Ok(None) };
    let mut places = Places::of(payload);
    let counts = std::iter::from_fn(|| places.next().ok().flatten());
    let counts = counts.map(|(place, count)| (place as u32, count));
    Ok(neighbours(counts, index).map(|(low, high)| interpolate(low, high, fraction)))
}

/// The values of rank `index`, from 0, and of the next one, of counts in the order of their places.
fn neighbours(counts: impl Iterator<Item = (u32, u64)>, index: u64) -> Option<(f64, f64)> {
    let mut seen = 0_u64;
    let mut low = None;
    for (place, count) in counts.filter(|(_, count)| *count > 0) {
        seen = seen.saturating_add(count);
        if low.is_none() && seen > index {
            low = Some(middle_of(place));
        }
        if seen > index + 1 {
            return low.map(|low| (low, middle_of(place)));
        }
    }
    low.map(|low| (low, low))
}

/// Where a value is counted.
#[inline]
fn place_of(value: u64) -> u32 {
    // values below two octaves are told apart
    let octave =
        (64 - OCTAVE_BITS - 1).saturating_sub((value | u64::from(2 * OCTAVE - 1)).leading_zeros());
    octave * OCTAVE + (value >> octave) as u32
}

/// The smallest and the largest value that are counted at a place.
fn bounds_of(place: u32) -> (u64, u64) {
    let octave = (place / OCTAVE).saturating_sub(1);
    let low = u64::from(place - octave * OCTAVE) << octave;
    (low, low + ((1 << octave) - 1))
}

/// What the values at a place count as.
fn middle_of(place: u32) -> f64 {
    let octave = (place / OCTAVE).saturating_sub(1);
    let (low, _) = bounds_of(place);
    (low + ((1_u64 << octave) >> 1)) as f64
}

/// The counts in bytes of the shape that the store writes.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
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
struct Places<'a> {
    bytes: std::slice::Iter<'a, u8>,
    next: usize,
}

impl<'a> Places<'a> {
    fn of(payload: &'a [u8]) -> Self {
        Self { bytes: payload.iter(), next: 0 }
    }

    #[inline]
    fn next(&mut self) -> Result<Option<(usize, u64)>, NoHistogram> {
        while let Some(number) = self.number()? {
            let Ok(count @ 1..) = u64::try_from(number) else {
                // so many places without a value; a zero is one
                let skipped = usize::try_from(number.unsigned_abs()).map_err(|_| NoHistogram)?;
                self.next = self.next.saturating_add(skipped.max(1));
                continue;
            };
            let place = self.next;
            if place >= PLACES_MAX as usize {
                return Err(NoHistogram);
            }
            self.next += 1;
            return Ok(Some((place, count)));
        }
        Ok(None)
    }

    /// Seven bits in each byte but the ninth, the sign in the lowest bit.
    #[inline]
    fn number(&mut self) -> Result<Option<i64>, NoHistogram> {
        let Some(first) = self.bytes.next() else { return Ok(None) };
        let mut value = u64::from(first & 0x7f);
        if *first >= 0x80 {
            let mut shift = 7;
            loop {
                let byte = *self.bytes.next().ok_or(NoHistogram)?;
                if shift == 56 {
                    value |= u64::from(byte) << shift;
                    break;
                }
                value |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
        }
        Ok(Some(((value >> 1) as i64) ^ -((value & 1) as i64)))
    }
}

fn put_number(bytes: &mut Vec<u8>, mut value: u64) {
    for _ in 0..8 {
        if value < 0x80 {
            bytes.push(value as u8);
            return;
        }
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests;
