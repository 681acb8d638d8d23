//! The sketches of `step_latency`: attempts grouped by hour, pipeline, step, node type and result,
//! with an HdrHistogram of their durations. Pure; merging sketches is the reader's work.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use crate::error::{Error, Result};
use crate::event::{Row, StepLatencyRow, StepRow, Text, TimeUs};

const HOUR_US: i64 = 3_600_000_000;
/// Significant digits of the histogram: 0.1 % relative error.
const DIGITS: u8 = 3;

type Key = (i64, Text, Text, Option<Text>, Text);

#[derive(Debug)]
struct Sketch {
    count: i64,
    sum_ns: i64,
    min_ns: i64,
    max_ns: i64,
    histogram_us: Histogram<u64>,
}

/// Sketches that grow by steps.
#[derive(Debug, Default)]
pub(super) struct Sketches {
    groups: BTreeMap<Key, Sketch>,
}

impl Sketches {
    /// Adds a step.
    pub(super) fn add(&mut self, step: &StepRow) -> Result<()> {
        let key = (
            step.start_time.0.div_euclid(HOUR_US) * HOUR_US,
            step.pipeline_name.clone(),
            step.step_name.clone(),
            step.node_type.clone(),
            step.result.clone(),
        );
        let group = match self.groups.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Sketch::new()?),
        };
        group.add(step.duration_ns.max(0))
    }

    /// One row of `step_latency` per group, in the order of the groups.
    pub(super) fn rows(&self) -> Result<Vec<Row>> {
        self.groups.iter().map(|(key, group)| group.row(key)).collect()
    }
}

impl Sketch {
    fn new() -> Result<Self> {
        let histogram_us = empty_histogram()?;
        Ok(Self { count: 0, sum_ns: 0, min_ns: i64::MAX, max_ns: 0, histogram_us })
    }

    fn add(&mut self, duration_ns: i64) -> Result<()> {
        self.count += 1;
        self.sum_ns = self.sum_ns.saturating_add(duration_ns);
        self.min_ns = self.min_ns.min(duration_ns);
        self.max_ns = self.max_ns.max(duration_ns);
        let duration_us = (duration_ns.unsigned_abs() + 500) / 1_000;
        self.histogram_us.record(duration_us).map_err(|source| {
            Error::internal(format!("cannot record a duration of {duration_us} µs"))
                .with_source(source)
        })
    }

    fn row(&self, key: &Key) -> Result<Row> {
        let (hour, pipeline_name, step_name, node_type, result) = key.clone();
        let histogram = encode_histogram(&self.histogram_us)?;
        Ok(Row::StepLatency(StepLatencyRow {
            hour: TimeUs(hour),
            pipeline_name,
            step_name,
            node_type,
            result,
            count: self.count,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            histogram,
        }))
    }
}

/// A histogram that grows with its values.
pub(super) fn empty_histogram() -> Result<Histogram<u64>> {
    Histogram::new(DIGITS)
        .map_err(|source| Error::internal("cannot make a histogram").with_source(source))
}

/// A histogram as a row holds it.
pub(super) fn encode_histogram(histogram: &Histogram<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|source| Error::internal("cannot encode a histogram").with_source(source))?;
    Ok(bytes)
}

/// The histogram that a row holds.
pub(super) fn decode_histogram(mut bytes: &[u8]) -> Result<Histogram<u64>> {
    Deserializer::new()
        .deserialize(&mut bytes)
        .map_err(|source| Error::damaged("a histogram cannot be decoded").with_source(source))
}

#[cfg(test)]
mod tests;
