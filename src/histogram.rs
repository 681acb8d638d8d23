//! Histograms of non-negative whole numbers, three significant digits, as counts, bytes and ranks.
//! Bytes may come from a user, so none of them can do more than cause an error.
//!
//! A histogram of the store has some dozens of values, and a query merges a hundred thousand of
//! them: bytes are added to the counts as they are read, and counts are a list of places as long as
//! they are few. A dense one of microseconds takes 100 KB.
//!
//! There are three shapes of bytes, and all are read everywhere: HdrHistogram's own for whoever
//! reads the tables ([`hdr`]), one that is quick to write for the states of a query ([`packed`]),
//! and one that is quick to read for roll-ups ([`planes`]).

use std::fmt;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use planes::Planes;
pub(crate) use rank::{Rank, interpolate};

mod hdr;
mod number;
mod packed;
mod planes;
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
/// Neighbouring places that are counted together on the way to a rank: a 64th of a power of two.
const BLOCK_BITS: u32 = 6;
const BLOCKS: usize = (PLACES_MAX >> BLOCK_BITS) as usize;

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
    /// Places and counts, as long as both are few; a place may be there several times.
    listed: Vec<(u16, u32)>,
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
        self.listed.capacity() * size_of::<(u16, u32)>() + self.array.capacity() * size_of::<u64>()
    }

    /// Adds a value.
    pub(crate) fn record(&mut self, value: u64) {
        self.put(place_of(value), 1);
        self.listed_more();
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
        let mut fits = true;
        self.listed.dedup_by(|(next, more), (kept, count)| {
            let sum = if next == kept { count.checked_add(*more) } else { return false };
            fits &= sum.is_some();
            sum.is_some_and(|sum| {
                *count = sum;
                true
            })
        });
        if !fits {
            self.settle();
        }
    }

    /// Makes the list an array.
    fn settle(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        let places = listed.iter().map(|it| usize::from(it.0) + 1).max().unwrap_or(0);
        if places > self.array.len() {
            self.array.resize(places, 0);
        }
        for (place, count) in listed {
            if let Some(into) = self.array.get_mut(usize::from(place)) {
                *into = into.saturating_add(u64::from(count));
            }
        }
    }

    /// Adds the counts of another histogram.
    pub(crate) fn merge(&mut self, other: &Self) {
        other.each(|place, count| self.put(place, count));
        self.listed_more();
    }

    fn each(&self, mut take: impl FnMut(u32, u64)) {
        self.listed.iter().for_each(|(place, count)| take(u32::from(*place), u64::from(*count)));
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

    /// Adds the counts of a histogram's bytes, of any shape.
    pub(crate) fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), NoHistogram> {
        if let Some(entries) = packed::entries(bytes) {
            let entries = entries?;
            self.make_room(entries.len());
            entries.for_each(|(place, count)| self.put(place, count));
        } else if let Some(planes) = Planes::of(bytes) {
            self.merge_planes(&planes?)?;
        } else if let Some(payload) = hdr::payload(bytes) {
            self.make_room(payload.len() / 2);
            hdr::entries(payload)
                .try_for_each(|it| it.map(|(place, count)| self.put(place, count)))?;
        } else {
            return self.merge_foreign(bytes);
        }
        self.listed_more();
        Ok(())
    }

    /// A roll-up adds up some thousand histograms of a thousand places each: nothing is decided
    /// from place to place.
    fn merge_planes(&mut self, planes: &Planes<'_>) -> Result<(), NoHistogram> {
        if self.array.is_empty() && self.listed.len() + planes.len() < LISTED_MAX {
            self.make_room(planes.len());
            return planes.each(|place, count| self.put(place, count));
        }
        self.settle();
        let (mut total, end) = (self.total, planes.end as usize);
        if self.array.len() < end {
            self.array.resize(end, 0);
        }
        planes.each(|place, count| {
            if let Some(into) = self.array.get_mut(place as usize) {
                *into = into.saturating_add(count);
            }
            total = total.saturating_add(count);
        })?;
        self.total = total;
        Ok(())
    }

    /// Makes room for about so many places.
    fn make_room(&mut self, places: usize) {
        if self.array.is_empty() {
            self.listed.reserve(places);
        }
    }

    /// Adds a count of a place that there is; [`Self::listed_more`] is called after the last one.
    #[inline]
    fn put(&mut self, place: u32, count: u64) {
        self.total = self.total.saturating_add(count);
        if let Some(into) = self.array.get_mut(place as usize) {
            *into = into.saturating_add(count);
            return;
        }
        match u32::try_from(count) {
            Ok(count) if self.array.is_empty() => self.listed.push((place as u16, count)),
            _ => self.put_beyond(place, count),
        }
    }

    /// Adds a count to the array, which is too short for it.
    #[cold]
    fn put_beyond(&mut self, place: u32, count: u64) {
        self.settle();
        let place = place as usize;
        if place >= self.array.len() {
            self.array.resize(place + 1, 0);
        }
        if let Some(into) = self.array.get_mut(place) {
            *into = into.saturating_add(count);
        }
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
            self.put(place_of(step.value_iterated_to()), step.count_at_value());
        }
        self.listed_more();
        Ok(())
    }

    /// The histogram as bytes for the states of a query. Where a count is too large for that, they
    /// are those of [`Self::bytes`].
    pub(crate) fn packed(&mut self) -> Vec<u8> {
        match packed::bytes(self) {
            Some(bytes) => bytes,
            None => self.bytes(),
        }
    }

    /// The histogram as bytes for a roll-up.
    pub(crate) fn planes(&mut self) -> Vec<u8> {
        self.sort();
        planes::bytes(self)
    }

    /// The histogram as HdrHistogram's bytes.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        self.sort();
        hdr::bytes(self)
    }

    /// The quantile, interpolated between neighbouring ranks; `None` when there are no values.
    pub(crate) fn quantile(&self, rank: Rank) -> Option<f64> {
        ranked(self.total, rank, |index| self.neighbours(index))
    }

    /// The values of rank `index`, from 0, and of the next rank (or the same, for the last).
    pub(crate) fn neighbours(&self, index: u64) -> Option<(f64, f64)> {
        if self.array.is_empty() {
            let listed = self.listed.iter();
            let listed = listed.map(|(place, count)| (u32::from(*place), u64::from(*count)));
            return neighbours_among(listed, index);
        }
        let array = self.array.iter().zip(0..).map(|(count, place)| (place, *count));
        neighbours(array, index)
    }
}

/// The quantile of the histogram that some bytes hold; `None` when there are no values in it.
pub(crate) fn quantile_of(bytes: &[u8], rank: Rank) -> Result<Option<f64>, NoHistogram> {
    if let Some(entries) = packed::entries(bytes) {
        let entries = entries?;
        let total = entries.clone().map(|(_, count)| count).sum();
        return Ok(ranked(total, rank, |index| neighbours_among(entries, index)));
    }
    let Some(payload) = hdr::payload(bytes) else { return Ok(Counts::of(bytes)?.quantile(rank)) };
    let mut total = 0_u64;
    for entry in hdr::entries(payload) {
        total = total.saturating_add(entry?.1);
    }
    let entries = hdr::entries(payload).filter_map(Result::ok);
    Ok(ranked(total, rank, |index| neighbours(entries, index)))
}

/// The quantile of so many values, of which `neighbours` gives those of a rank and of the next.
fn ranked(
    total: u64,
    rank: Rank,
    neighbours: impl FnOnce(u64) -> Option<(f64, f64)>,
) -> Option<f64> {
    let (index, fraction) = rank.place(total)?;
    let (low, high) = neighbours(index)?;
    Some(interpolate(low, high, fraction))
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

/// The same of counts in any order: only those of the blocks that the two ranks are in are put in
/// order.
fn neighbours_among(
    counts: impl Iterator<Item = (u32, u64)> + Clone,
    index: u64,
) -> Option<(f64, f64)> {
    let block_of = |place: u32| (place >> BLOCK_BITS) as usize;
    let mut blocks = [0_u64; BLOCKS];
    for (place, count) in counts.clone() {
        let block = blocks.get_mut(block_of(place))?;
        *block = block.saturating_add(count);
    }
    let (mut before, mut first, mut last) = (0_u64, None, 0);
    for (block, count) in blocks.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let seen = before.saturating_add(count);
        if seen > index {
            first.get_or_insert((block, before));
            last = block;
        }
        if seen > index + 1 {
            break;
        }
        before = seen;
    }
    let (first, before) = first?;
    let mut near: Vec<_> =
        counts.filter(|(place, _)| (first..=last).contains(&block_of(*place))).collect();
    near.sort_unstable_by_key(|it| it.0);
    neighbours(near.into_iter(), index - before)
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

#[cfg(test)]
mod tests;
