//! The sketches of `step_latency`: attempts grouped by hour, pipeline, step, node type and result,
//! with an HdrHistogram of their durations. Pure; merging sketches is the reader's work.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, RecordBatch};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

use super::data_file::{ints, texts, times};
use crate::error::{Error, Result};
use crate::event::{Row, StepLatencyRow, StepRow, Text, TimeUs};

const HOUR_US: i64 = 3_600_000_000;
/// Significant digits of the histogram: 0.1 % relative error.
const DIGITS: u8 = 3;
/// So many durations of a group are kept as they are: a histogram takes more room.
const PLAIN_MAX: usize = 512;
/// About the room that a histogram and a group take.
const HISTOGRAM_BYTES: usize = 96 << 10;
const GROUP_BYTES: usize = 256;

/// What a group is told apart by, in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key<'a> {
    hour_us: i64,
    pipeline_name: &'a str,
    step_name: &'a str,
    node_type: Option<&'a str>,
    result: &'a str,
}

#[derive(Debug)]
struct Group {
    hour_us: i64,
    pipeline_name: Text,
    step_name: Text,
    node_type: Option<Text>,
    result: Text,
    sketch: Sketch,
}

#[derive(Debug)]
struct Sketch {
    count: i64,
    sum_ns: i64,
    min_ns: i64,
    max_ns: i64,
    durations_us: Durations,
}

#[derive(Debug)]
enum Durations {
    Plain(Vec<u64>),
    Histogram(Histogram<u64>),
}

/// Sketches that grow by steps.
#[derive(Debug, Default)]
pub(super) struct Sketches {
    /// By the hash of the key.
    groups: HashMap<u64, Vec<Group>>,
    size_bytes: usize,
}

impl Sketches {
    /// Adds a step.
    pub(super) fn add(&mut self, step: &StepRow) -> Result<()> {
        let key = Key {
            hour_us: hour_us(step.start_time.0),
            pipeline_name: &step.pipeline_name,
            step_name: &step.step_name,
            node_type: step.node_type.as_deref(),
            result: &step.result,
        };
        self.add_duration(key, step.duration_ns)
    }

    /// Adds rows of `steps`, in the schema of the table.
    pub(super) fn add_batch(&mut self, steps: &RecordBatch) -> Result<()> {
        let missing = || Error::internal("steps without the columns of a sketch");
        let starts = times(steps, "start_time").ok_or_else(missing)?;
        let durations = ints(steps, "duration_ns").ok_or_else(missing)?;
        let pipelines = texts(steps, "pipeline_name").ok_or_else(missing)?;
        let names = texts(steps, "step_name").ok_or_else(missing)?;
        let node_types = texts(steps, "node_type").ok_or_else(missing)?;
        let results = texts(steps, "result").ok_or_else(missing)?;
        for row in 0..steps.num_rows() {
            let key = Key {
                hour_us: hour_us(starts.value(row)),
                pipeline_name: pipelines.value(row),
                step_name: names.value(row),
                node_type: node_types.is_valid(row).then(|| node_types.value(row)),
                result: results.value(row),
            };
            self.add_duration(key, durations.value(row))?;
        }
        Ok(())
    }

    fn add_duration(&mut self, key: Key<'_>, duration_ns: i64) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let groups = self.groups.entry(hasher.finish()).or_default();
        let at = groups.iter().position(|it| it.key() == key).unwrap_or_else(|| {
            groups.push(Group::new(key));
            self.size_bytes += GROUP_BYTES;
            groups.len() - 1
        });
        match groups.get_mut(at) {
            Some(group) => group.sketch.add(duration_ns.max(0), &mut self.size_bytes),
            None => Ok(()),
        }
    }

    /// About how many bytes of memory they take.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// One row of `step_latency` per group, in the order of the groups.
    pub(super) fn rows(&self) -> Result<Vec<Row>> {
        let mut groups: Vec<&Group> = self.groups.values().flatten().collect();
        groups.sort_by_key(|it| it.key());
        groups.into_iter().map(Group::row).collect()
    }
}

fn hour_us(time_us: i64) -> i64 {
    time_us.div_euclid(HOUR_US) * HOUR_US
}

impl Group {
    fn new(key: Key<'_>) -> Self {
        let durations_us = Durations::Plain(Vec::new());
        Self {
            hour_us: key.hour_us,
            pipeline_name: key.pipeline_name.into(),
            step_name: key.step_name.into(),
            node_type: key.node_type.map(Text::from),
            result: key.result.into(),
            sketch: Sketch { count: 0, sum_ns: 0, min_ns: i64::MAX, max_ns: 0, durations_us },
        }
    }

    fn key(&self) -> Key<'_> {
        Key {
            hour_us: self.hour_us,
            pipeline_name: &self.pipeline_name,
            step_name: &self.step_name,
            node_type: self.node_type.as_deref(),
            result: &self.result,
        }
    }

    fn row(&self) -> Result<Row> {
        Ok(Row::StepLatency(StepLatencyRow {
            hour: TimeUs(self.hour_us),
            pipeline_name: self.pipeline_name.clone(),
            step_name: self.step_name.clone(),
            node_type: self.node_type.clone(),
            result: self.result.clone(),
            count: self.sketch.count,
            sum_ns: self.sketch.sum_ns,
            min_ns: self.sketch.min_ns,
            max_ns: self.sketch.max_ns,
            histogram: self.sketch.serialized()?,
        }))
    }
}

impl Sketch {
    fn add(&mut self, duration_ns: i64, size_bytes: &mut usize) -> Result<()> {
        self.count += 1;
        self.sum_ns = self.sum_ns.saturating_add(duration_ns);
        self.min_ns = self.min_ns.min(duration_ns);
        self.max_ns = self.max_ns.max(duration_ns);
        let duration_us = (duration_ns.unsigned_abs() + 500) / 1_000;
        match &mut self.durations_us {
            Durations::Histogram(histogram) => record(histogram, duration_us),
            Durations::Plain(durations) if durations.len() < PLAIN_MAX => {
                durations.push(duration_us);
                *size_bytes += size_of::<u64>();
                Ok(())
            }
            Durations::Plain(durations) => {
                let mut histogram = histogram_of(durations)?;
                record(&mut histogram, duration_us)?;
                self.durations_us = Durations::Histogram(histogram);
                *size_bytes += HISTOGRAM_BYTES;
                Ok(())
            }
        }
    }

    fn serialized(&self) -> Result<Vec<u8>> {
        match &self.durations_us {
            Durations::Histogram(histogram) => encode_histogram(histogram),
            Durations::Plain(durations) => encode_histogram(&histogram_of(durations)?),
        }
    }
}

fn histogram_of(durations_us: &[u64]) -> Result<Histogram<u64>> {
    let mut histogram = empty_histogram()?;
    durations_us.iter().try_for_each(|it| record(&mut histogram, *it))?;
    Ok(histogram)
}

fn record(histogram: &mut Histogram<u64>, duration_us: u64) -> Result<()> {
    histogram.record(duration_us).map_err(|source| {
        Error::internal(format!("cannot record a duration of {duration_us} µs")).with_source(source)
    })
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
