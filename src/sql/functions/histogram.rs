//! HdrHistograms as bytes and as ranks: V2 serialisation, three significant digits. The bytes may
//! come from a user, so none of them can do more than cause an error.

use datafusion::common::{DataFusionError, Result};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use super::rank::{Rank, interpolate};

/// Three digits: a value is known to 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;

/// A histogram that grows with its values.
pub(super) fn empty() -> Result<Histogram<u64>> {
    let mut histogram = Histogram::new(SIGNIFICANT_DIGITS)
        .map_err(|source| DataFusionError::External(Box::new(source)))?;
    histogram.auto(true);
    Ok(histogram)
}

pub(super) fn to_bytes(histogram: &Histogram<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|source| DataFusionError::External(Box::new(source)))?;
    Ok(bytes)
}

pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Histogram<u64>> {
    Deserializer::new().deserialize(&mut bytes).map_err(|_| {
        DataFusionError::Execution("these bytes are no histogram (HdrHistogram V2)".to_owned())
    })
}

/// Adds `other`, whatever its range.
pub(super) fn merge(into: &mut Histogram<u64>, other: &Histogram<u64>) -> Result<()> {
    into.add(other).map_err(|source| {
        DataFusionError::Execution(format!("these histograms cannot be summed: {source}"))
    })
}

/// The quantile, interpolated between neighbouring ranks; `None` when there are no values.
pub(super) fn quantile(histogram: &Histogram<u64>, rank: Rank) -> Option<f64> {
    let (index, fraction) = rank.place(histogram.len())?;
    let (low, high) = neighbours(histogram, index)?;
    Some(interpolate(low, high, fraction))
}

/// The values of rank `index`, from 0, and of the next rank (or the same, for the last).
pub(super) fn neighbours(histogram: &Histogram<u64>, index: u64) -> Option<(f64, f64)> {
    let mut seen = 0_u64;
    let mut low = None;
    for step in histogram.iter_recorded() {
        seen += step.count_since_last_iteration();
        let value = histogram.median_equivalent(step.value_iterated_to()) as f64;
        if low.is_none() && seen > index {
            low = Some(value);
        }
        if seen > index + 1 {
            return low.map(|low| (low, value));
        }
    }
    low.map(|low| (low, low))
}

/// Memory of a histogram.
pub(super) fn size_bytes(histogram: &Histogram<u64>) -> usize {
    size_of::<Histogram<u64>>() + histogram.distinct_values() * size_of::<u64>()
}
