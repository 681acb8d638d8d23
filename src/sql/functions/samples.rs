//! The values of one group on their way to a quantile: all of them while they are few, and a
//! histogram of the non-negative whole numbers among them when they are many.
//!
//! Up to [`EXACT_VALUES_MAX`] values a quantile is exact. Beyond it, non-negative whole numbers go
//! to an HdrHistogram of three significant digits (an error of at most 0.1 % of the value);
//! negative numbers and floats stay exact, within the memory of the query.

use std::cmp::Ordering;

use crate::histogram::{Counts, Rank, interpolate};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int64Type};
use datafusion::common::Result;

/// Values kept as they are. So many of 8 bytes weigh what a histogram of nanoseconds weighs.
pub(super) const EXACT_VALUES_MAX: usize = 32_768;

/// A number that a quantile can be taken of.
pub(super) trait Sample: ArrowPrimitiveType + std::fmt::Debug + Send + Sync {
    /// Whether a histogram can take any value of this type.
    const COUNTABLE: bool;
    /// The order that defines ranks: by value; NaN above all numbers, as in ORDER BY.
    fn order(left: &Self::Native, right: &Self::Native) -> Ordering;
    /// The nearest float.
    fn float(value: Self::Native) -> f64;
    /// The value as a histogram takes it; `None` when it must stay exact.
    fn countable(value: Self::Native) -> Option<u64>;
    /// One form for values that must count as equal.
    fn normal(value: Self::Native) -> Self::Native;
}

impl Sample for Int64Type {
    const COUNTABLE: bool = true;
    fn order(left: &i64, right: &i64) -> Ordering {
        left.cmp(right)
    }
    fn float(value: i64) -> f64 {
        value as f64
    }
    fn countable(value: i64) -> Option<u64> {
        u64::try_from(value).ok()
    }
    fn normal(value: i64) -> i64 {
        value
    }
}

impl Sample for Float64Type {
    const COUNTABLE: bool = false;
    fn order(left: &f64, right: &f64) -> Ordering {
        left.total_cmp(right)
    }
    fn float(value: f64) -> f64 {
        value
    }
    fn countable(_value: f64) -> Option<u64> {
        None
    }
    fn normal(value: f64) -> f64 {
        if value.is_nan() { f64::NAN } else { value }
    }
}

/// Values, and the bytes of a histogram.
pub(super) type State<T> = (Vec<<T as ArrowPrimitiveType>::Native>, Option<Vec<u8>>);

/// The values of one group.
#[derive(Debug)]
pub(super) struct Samples<T: Sample> {
    /// All values, or those that the histogram cannot take.
    values: Vec<T::Native>,
    histogram: Option<Box<Counts>>,
    /// Memory that whoever holds the group has accounted for.
    pub(super) told_bytes: usize,
}

impl<T: Sample> Default for Samples<T> {
    fn default() -> Self {
        Self { values: Vec::new(), histogram: None, told_bytes: 0 }
    }
}

impl<T: Sample> Samples<T> {
    /// Adds a value. Says whether the memory may have grown.
    #[inline]
    pub(super) fn push(&mut self, value: T::Native) -> bool {
        if let (Some(histogram), Some(count)) = (&mut self.histogram, T::countable(value)) {
            return histogram.record_many(count);
        }
        let grows = self.values.len() == self.values.capacity();
        self.values.push(T::normal(value));
        if T::COUNTABLE && self.histogram.is_none() && self.values.len() > EXACT_VALUES_MAX {
            self.count_values();
            return true;
        }
        grows
    }

    /// Adds the values of another part of the group: `values` as they are, `sketch` as bytes.
    pub(super) fn merge(&mut self, values: &[T::Native], sketch: Option<&[u8]>) -> Result<()> {
        if let Some(bytes) = sketch {
            self.count_values();
            if let Some(mine) = &mut self.histogram {
                mine.merge_bytes(bytes)?;
            }
        }
        values.iter().for_each(|it| {
            self.push(*it);
        });
        Ok(())
    }

    /// The values and the histogram's bytes, for [`Self::merge`].
    pub(super) fn into_state(self) -> State<T> {
        (self.values, self.histogram.map(|mut it| it.packed()))
    }

    /// The quantile; `None` when there are no values. Leaves the values in another order.
    pub(super) fn quantile(&mut self, rank: Rank) -> Option<f64> {
        let exact = self.values.len() as u64;
        let counted = self.histogram.as_ref().map_or(0, |it| it.len());
        let (index, fraction) = rank.place(exact + counted)?;
        // What a histogram cannot take is less than all that it takes.
        if index < exact {
            let (low, next) = self.ranked(usize::try_from(index).ok()?)?;
            let high = match (next, &mut self.histogram) {
                (Some(next), _) => next,
                (None, Some(histogram)) => histogram.neighbours(0)?.0,
                (None, None) => low,
            };
            return Some(interpolate(low, high, fraction));
        }
        let (low, high) = self.histogram.as_mut()?.neighbours(index - exact)?;
        Some(interpolate(low, high, fraction))
    }

    /// Memory beside the struct itself.
    pub(super) fn size_bytes(&self) -> usize {
        let sketch = self.histogram.as_ref().map_or(0, |it| it.size_bytes());
        self.values.capacity() * size_of::<T::Native>() + sketch
    }

    /// The same as it was told the last time, and as it is now.
    pub(super) fn tell_bytes(&mut self) -> (usize, usize) {
        let now = self.size_bytes();
        (std::mem::replace(&mut self.told_bytes, now), now)
    }

    /// The value of a rank, and the one after it, by partial sorting.
    fn ranked(&mut self, index: usize) -> Option<(f64, Option<f64>)> {
        if index >= self.values.len() {
            return None;
        }
        let (_, low, above) = self.values.select_nth_unstable_by(index, T::order);
        let next = above.iter().min_by(|a, b| T::order(a, b)).map(|it| T::float(*it));
        Some((T::float(*low), next))
    }

    /// Moves what a histogram can take into one, once.
    fn count_values(&mut self) {
        if self.histogram.is_some() {
            return;
        }
        let mut histogram = Box::<Counts>::default();
        self.values.retain(|value| match T::countable(*value) {
            Some(count) => {
                histogram.record_many(count);
                false
            }
            None => true,
        });
        self.values.shrink_to_fit();
        self.histogram = Some(histogram);
    }
}

/// Values in order, for windows that move: a value leaves as exactly as it came. Costs a shift of
/// the values after it, so it is bounded by [`WINDOW_VALUES_MAX`].
#[derive(Debug)]
pub(super) struct SortedSamples<T: Sample> {
    values: Vec<T::Native>,
}

/// Values in one moving window frame.
pub(super) const WINDOW_VALUES_MAX: usize = 100_000;

impl<T: Sample> Default for SortedSamples<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T: Sample> SortedSamples<T> {
    pub(super) fn insert(&mut self, value: T::Native) -> Result<()> {
        if self.values.len() >= WINDOW_VALUES_MAX {
            return Err(datafusion::common::DataFusionError::Execution(format!(
                "a percentile over a moving window takes at most {WINDOW_VALUES_MAX} rows a frame"
            )));
        }
        let value = T::normal(value);
        let at = self.values.partition_point(|it| T::order(it, &value).is_lt());
        self.values.insert(at, value);
        Ok(())
    }

    pub(super) fn remove(&mut self, value: T::Native) {
        let value = T::normal(value);
        if let Ok(at) = self.values.binary_search_by(|it| T::order(it, &value)) {
            self.values.remove(at);
        }
    }

    pub(super) fn quantile(&self, rank: Rank) -> Option<f64> {
        let (index, fraction) = rank.place(self.values.len() as u64)?;
        let index = usize::try_from(index).ok()?;
        let low = self.values.get(index).map(|it| T::float(*it))?;
        let high = self.values.get(index + 1).map_or(low, |it| T::float(*it));
        Some(interpolate(low, high, fraction))
    }

    pub(super) fn values(&self) -> &[T::Native] {
        &self.values
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.values.capacity() * size_of::<T::Native>()
    }
}

#[cfg(test)]
mod tests;
