//! Sets of places in a plan, as ranges: the steps before a step of a plan that was written from top
//! to bottom are few of them, however many steps there are. Pure.

use std::ops::Range;

/// Ranges that rise, are not empty and do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Range<usize>>);

impl Ranges {
    /// The places of some ranges, in whatever order they come.
    pub(super) fn of(mut all: Vec<Range<usize>>) -> Self {
        all.retain(|it| !it.is_empty());
        all.sort_unstable_by_key(|it| it.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in all {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Self(joined)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        self.0.iter().cloned()
    }

    /// Each place, rising.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.iter().flatten()
    }

    /// The places below an end that are not in it.
    pub(super) fn gaps_below(&self, end: usize) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.0.iter().map(|it| it.end));
        let ends = self.0.iter().map(|it| it.start).chain(std::iter::once(end));
        let gaps = starts.zip(ends).map(move |(start, until)| start..until.min(end));
        gaps.filter(|it| !it.is_empty())
    }

    /// The places of rising numbers that are in it, as places among those numbers.
    pub(super) fn among(&self, numbers: &[usize]) -> Self {
        let place = |number: usize| numbers.partition_point(|it| *it < number);
        Self::of(self.iter().map(|it| place(it.start)..place(it.end)).collect())
    }
}
