//! The sketches of `step_latency`: attempts grouped by hour, pipeline, step, node type and result,
//! with a histogram of their durations; and the same over longer spans, made of those of hours.
//! Pure; merging sketches is the reader's work.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::{Array, RecordBatch};

use super::data_file::{ints, texts, times};
use crate::error::{Error, Result};
use crate::event::{Row, StepLatencyRow, StepRow, Text, TimeUs};
use crate::histogram::{Counts, NoHistogram};
pub(crate) use span::Span;

mod span;

/// About the room that a group takes without its counts.
const GROUP_BYTES: usize = 256;
/// Sums that take more memory are given before their span has ended.
const SUM_BYTES_MAX: usize = 64 << 20;

/// What a group is told apart by; within a day in the order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key<'a> {
    pipeline_name: &'a str,
    step_name: &'a str,
    node_type: Option<&'a str>,
    result: &'a str,
    start_us: i64,
}

#[derive(Debug)]
struct Group {
    start_us: i64,
    pipeline_name: Text,
    step_name: Text,
    node_type: Option<Text>,
    result: Text,
    count: i64,
    sum_ns: i64,
    min_ns: i64,
    max_ns: i64,
    durations_us: Counts,
}

/// Sketches that grow by steps, or by sketches of shorter spans.
#[derive(Debug)]
pub(super) struct Sketches {
    span: Span,
    /// By the hash of the key.
    groups: HashMap<u64, Vec<Group>>,
    size_bytes: usize,
}

impl Default for Sketches {
    fn default() -> Self {
        Self::over(Span::Hour)
    }
}

impl Sketches {
    /// None yet, each of so much time.
    pub(super) fn over(span: Span) -> Self {
        Self { span, groups: HashMap::new(), size_bytes: 0 }
    }

    /// Adds a step.
    pub(super) fn add(&mut self, step: &StepRow) {
        let key = Key {
            start_us: self.span.around(step.start_time.0).0,
            pipeline_name: &step.pipeline_name,
            step_name: &step.step_name,
            node_type: step.node_type.as_deref(),
            result: &step.result,
        };
        self.change(key, |group| group.add_duration(step.duration_ns.max(0)));
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
                start_us: self.span.around(starts.value(row)).0,
                pipeline_name: pipelines.value(row),
                step_name: names.value(row),
                node_type: node_types.is_valid(row).then(|| node_types.value(row)),
                result: results.value(row),
            };
            self.change(key, |group| group.add_duration(durations.value(row).max(0)));
        }
        Ok(())
    }

    /// Adds a sketch of a span that lies within one of these.
    fn add_sketch(&mut self, row: &StepLatencyRow) -> Result<(), NoHistogram> {
        let key = Key {
            start_us: self.span.around(row.hour.0).0,
            pipeline_name: &row.pipeline_name,
            step_name: &row.step_name,
            node_type: row.node_type.as_deref(),
            result: &row.result,
        };
        self.change(key, |group| group.add_sketch(row)).unwrap_or(Ok(()))
    }

    fn change<T>(&mut self, key: Key<'_>, change: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let groups = self.groups.entry(hasher.finish()).or_default();
        let at = groups.iter().position(|it| it.key() == key).unwrap_or_else(|| {
            groups.push(Group::new(key));
            self.size_bytes += GROUP_BYTES;
            groups.len() - 1
        });
        let group = groups.get_mut(at)?;
        let before = group.durations_us.size_bytes();
        let changed = change(group);
        self.size_bytes = self.size_bytes + group.durations_us.size_bytes() - before;
        Some(changed)
    }

    /// About how many bytes of memory they take.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// One row of `step_latency` per group, in the order of the table; `hour` is the start of the
    /// span.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut groups: Vec<&Group> = self.groups.values().flatten().collect();
        groups.sort_by_key(|it| (Span::Day.around(it.start_us).0, it.key()));
        groups.into_iter().map(|it| Row::StepLatency(it.row(self.span))).collect()
    }
}

/// Sums of sketches that come in the order of their days: those of a day, or of a longer span, are
/// done when the next one begins. Where they do not come so, a group has several rows, as it may
/// have in several files.
#[derive(Debug)]
pub(super) struct SpanSums {
    sketches: Sketches,
    start_us: Option<i64>,
}

impl SpanSums {
    /// Sums over so much time.
    pub(super) fn over(span: Span) -> Self {
        Self { sketches: Sketches::over(span), start_us: None }
    }

    /// Adds a sketch; gives the rows before it, where it begins another day or span.
    pub(super) fn add(&mut self, row: &StepLatencyRow) -> Result<Vec<Row>, NoHistogram> {
        let (start_us, _) = self.sketches.span.max(Span::Day).around(row.hour.0);
        let is_next = self.start_us.replace(start_us).is_some_and(|it| it != start_us);
        let done = if is_next || self.sketches.size_bytes > SUM_BYTES_MAX {
            self.take()
        } else {
            Vec::new()
        };
        self.sketches.add_sketch(row)?;
        Ok(done)
    }

    /// The rows so far.
    pub(super) fn take(&mut self) -> Vec<Row> {
        let next = Sketches::over(self.sketches.span);
        std::mem::replace(&mut self.sketches, next).rows()
    }
}

impl Group {
    fn new(key: Key<'_>) -> Self {
        Self {
            start_us: key.start_us,
            pipeline_name: key.pipeline_name.into(),
            step_name: key.step_name.into(),
            node_type: key.node_type.map(Text::from),
            result: key.result.into(),
            count: 0,
            sum_ns: 0,
            min_ns: i64::MAX,
            max_ns: 0,
            durations_us: Counts::default(),
        }
    }

    fn key(&self) -> Key<'_> {
        Key {
            start_us: self.start_us,
            pipeline_name: &self.pipeline_name,
            step_name: &self.step_name,
            node_type: self.node_type.as_deref(),
            result: &self.result,
        }
    }

    fn add_duration(&mut self, duration_ns: i64) {
        self.add_moments(1, duration_ns, (duration_ns, duration_ns));
        self.durations_us.record((duration_ns.unsigned_abs() + 500) / 1_000);
    }

    fn add_sketch(&mut self, row: &StepLatencyRow) -> Result<(), NoHistogram> {
        self.add_moments(row.count, row.sum_ns, (row.min_ns, row.max_ns));
        self.durations_us.merge_bytes(&row.histogram)
    }

    fn add_moments(&mut self, count: i64, sum_ns: i64, (min_ns, max_ns): (i64, i64)) {
        self.count = self.count.saturating_add(count);
        self.sum_ns = self.sum_ns.saturating_add(sum_ns);
        self.min_ns = self.min_ns.min(min_ns);
        self.max_ns = self.max_ns.max(max_ns);
    }

    fn row(&self, span: Span) -> StepLatencyRow {
        let mut durations_us = self.durations_us.clone();
        StepLatencyRow {
            hour: TimeUs(self.start_us),
            pipeline_name: self.pipeline_name.clone(),
            step_name: self.step_name.clone(),
            node_type: self.node_type.clone(),
            result: self.result.clone(),
            count: self.count,
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            histogram: match span {
                Span::Hour => durations_us.bytes(),
                // these are only in roll-ups, which no one else reads
                Span::Day | Span::Month => durations_us.planes(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
