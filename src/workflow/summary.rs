//! What a run that has ended amounts to: the longest chain, the sums, the result, and its rows for
//! the sink. Starts nothing.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::sync::Arc;

use super::failure::{ErrorClass, StepError};
use super::inside::{Composite, Inner, Sums};
use super::outcome::{Outcome, ResultKind, StepSummary};
use super::plan::Plan;
use super::record::Record;
use super::shared::{Kept, Shared};
use crate::event::{Text, TimeUs};

/// Why a run was stopped before its steps had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Someone wanted it.
    Cancelled,
    /// The run took too long.
    Deadline,
    /// The step around the plan took too long.
    StepDeadline,
    /// The step around the plan was given up.
    GivenUp,
    /// The sink takes no more rows.
    Sink,
    /// The limits were closed.
    Limits,
}

impl Stop {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Cancelled => "the run was cancelled",
            Self::Deadline => "the run took longer than it may",
            Self::StepDeadline => "the step around it took longer than it may",
            Self::GivenUp => "the step around it was given up",
            Self::Sink => "the run's rows can no longer be recorded",
            Self::Limits => "the limits of the engine were closed",
        }
    }

    /// Whether working steps get no time to end by themselves: a step that takes too long gets
    /// none, whatever is inside.
    pub(super) fn is_at_once(self) -> bool {
        matches!(self, Self::StepDeadline | Self::GivenUp)
    }

    fn result(self) -> (ResultKind, &'static str) {
        match self {
            Self::Cancelled => (ResultKind::Cancellation, "cancelled"),
            Self::Deadline => (ResultKind::Timeout, "deadline"),
            Self::StepDeadline => (ResultKind::Timeout, "timeout"),
            Self::GivenUp => (ResultKind::Cancellation, "cancelled"),
            Self::Sink => (ResultKind::Error, "sink"),
            Self::Limits => (ResultKind::Error, "limits"),
        }
    }
}

/// A plan whose steps have all ended.
pub(super) struct Ended {
    pub(super) shared: Arc<Shared>,
    /// In the order in which the attempts ended.
    pub(super) records: Vec<Record>,
    pub(super) stop: Option<Stop>,
    pub(super) start_ns: i64,
    /// What could not be taken back, in words.
    pub(super) undo_failures: Vec<String>,
}

/// Sums up a plan. The rows of the outermost one are emitted, with all others, in the order of
/// their step ids; those of an inner one are kept until then.
pub(super) fn conclude(ended: Ended) -> Outcome {
    let Ended { shared, mut records, stop, start_ns, undo_failures } = ended;
    let root = Arc::clone(&shared.root);
    let duration_ns = root.clock.monotonic_ns() - start_ns;
    let mut steps = summaries(&shared, &records);
    let mut sums = sums(&steps, &records);
    sums.critical_path_ns = mark_critical_path(&shared.plan, &mut steps, &records);
    let (mut result, mut error) = result(&shared, &steps, &records, stop);
    if let Some(error) = &mut error {
        for failure in undo_failures {
            error.message = format!("{}; {failure}", error.message);
        }
    }
    records.sort_unstable_by_key(|record| record.ordinal);
    let sink_error = match &shared.inner {
        Some(inner) => {
            let number = inner.inside.end(inner.before, sums);
            keep(&shared, inner, number, records, &steps);
            None
        }
        None => {
            emit(&shared, records, &steps);
            root.close()
        }
    };
    if let Some(sink_error) = &sink_error {
        result = ResultKind::Error;
        error = Some(StepError::permanent("sink", sink_error.to_string()));
    }
    let start_us = root.start_us + (start_ns - root.start_ns) / 1_000;
    Outcome {
        result,
        degraded: sums.degraded,
        error_type: error.as_ref().map(|error| (&*error.error_type).into()),
        error_message: error.as_ref().map(|error| error.message.as_str().into()),
        start_time: TimeUs(start_us),
        end_time: TimeUs(start_us + duration_ns / 1_000),
        duration_ns,
        queue_ns: sums.queue_ns,
        work_ns: sums.work_ns,
        critical_path_ns: sums.critical_path_ns,
        strategy: root.run.strategy,
        node_type: root.node_type.get().cloned(),
        steps,
        sink_error,
        error,
        shared,
    }
}

/// Emits all rows of a run. The chain of an inner plan is critical if the step around it is.
fn emit(shared: &Shared, records: Vec<Record>, steps: &[StepSummary]) {
    let root = &shared.root;
    let mut kept = root.take_kept().into_iter().peekable();
    let emit_kept = |kept: Kept| {
        let Kept { mut row, within, composite, .. } = kept;
        row.node_type = root.node_type.get().cloned();
        row.on_critical_path &= within.is_some_and(|(inside, number)| inside.is_marked(number));
        mark(row.on_critical_path, composite.as_deref());
        root.emit(row.into())
    };
    for record in records {
        while let Some(kept) = kept.next_if(|kept| kept.ordinal < record.ordinal) {
            if !emit_kept(kept) {
                return;
            }
        }
        let critical = steps[record.index].on_critical_path;
        mark(critical, record.composite.as_deref());
        let Some(row) = record.into_row(shared, critical) else { continue };
        if !root.emit(row.into()) {
            return;
        }
    }
    // a sink that fails takes no more: the first `false` is the last
    let _ = kept.all(emit_kept);
}

fn mark(critical: bool, composite: Option<&Composite>) {
    if let Some(composite) = composite.filter(|_| critical) {
        composite.inside.mark_longest_chain();
    }
}

fn keep(
    shared: &Shared,
    inner: &Inner,
    number: usize,
    records: Vec<Record>,
    steps: &[StepSummary],
) {
    let rows = records.into_iter().filter_map(|record| {
        let (ordinal, composite) = (record.ordinal, record.composite.clone());
        let critical = steps[record.index].on_critical_path;
        let row = record.into_row(shared, critical)?;
        let within = Some((Arc::clone(&inner.inside), number));
        Some(Kept { ordinal, within, composite, row })
    });
    shared.root.keep(rows);
}

fn summaries(shared: &Shared, records: &[Record]) -> Vec<StepSummary> {
    let mut steps: Vec<StepSummary> = shared
        .plan
        .nodes()
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let done = shared.done(index);
            StepSummary {
                name: node.name.clone(),
                result: done.map_or(ResultKind::Cancellation, |done| done.result),
                degraded: done.is_some_and(|done| done.degraded),
                cached: false,
                attempts: 0,
                duration_ns: 0,
                queue_ns: 0,
                wait_ns: 0,
                error_type: None,
                error_message: None,
                on_critical_path: false,
            }
        })
        .collect();
    for record in records {
        let step = &mut steps[record.index];
        step.attempts += u32::from(record.tried);
        step.duration_ns += record.duration_ns;
        step.cached |= record.cached;
        step.queue_ns += record.queue_ns;
        step.wait_ns += record.wait_ns;
        step.error_type.clone_from(&record.error_type);
        step.error_message = record.error_message.clone().or_else(|| {
            record.attributes.get("reason").and_then(|reason| reason.as_str()).map(Text::from)
        });
    }
    steps
}

/// What the attempts sum up to, but for the critical path. The work of a step with plans inside is
/// that of the steps inside: nothing is counted twice.
fn sums(steps: &[StepSummary], records: &[Record]) -> Sums {
    let mut sums = Sums { degraded: steps.iter().any(|step| step.degraded), ..Sums::default() };
    for record in records {
        let inside = record.sums();
        sums.work_ns += inside.map_or(record.duration_ns, |inside| inside.work_ns);
        sums.queue_ns += record.queue_ns + inside.map_or(0, |inside| inside.queue_ns);
    }
    sums
}

/// Finds the chain of dependent steps with the most work, marks its steps, and returns its work.
/// Of equal chains the one whose steps come first in the plan. A step with plans inside counts as
/// their longest chain.
fn mark_critical_path(plan: &Plan, steps: &mut [StepSummary], records: &[Record]) -> i64 {
    let mut own = vec![0_i64; steps.len()];
    for record in records {
        let inside = record.sums().map(|inside| inside.critical_path_ns);
        own[record.index] += inside.unwrap_or(record.duration_ns);
    }
    let mut until = vec![0_i64; steps.len()];
    let longest = |until: &[i64], from: &mut dyn Iterator<Item = usize>| {
        from.reduce(|best, at| if until[at] > until[best] { at } else { best })
    };
    for (index, node) in plan.nodes().iter().enumerate() {
        let before = longest(&until, &mut node.dependencies.iter().copied());
        until[index] = own[index] + before.map_or(0, |before| until[before]);
    }
    let Some(last) = longest(&until, &mut (0..steps.len())) else { return 0 };
    let mut at = Some(last);
    while let Some(index) = at {
        steps[index].on_critical_path = true;
        at = longest(&until, &mut plan.dependencies(index).iter().copied());
    }
    until[last]
}

/// How a plan ended whose steps have all ended.
pub(super) fn verdict(
    shared: &Shared,
    records: &[Record],
    stop: Option<Stop>,
) -> (ResultKind, Option<StepError>) {
    result(shared, &summaries(shared, records), records, stop)
}

fn result(
    shared: &Shared,
    steps: &[StepSummary],
    records: &[Record],
    stop: Option<Stop>,
) -> (ResultKind, Option<StepError>) {
    if let Some(stop) = stop {
        let (result, error_type) = stop.result();
        let class = match result {
            ResultKind::Timeout => ErrorClass::Timeout,
            ResultKind::Cancellation => ErrorClass::Cancelled,
            _ => ErrorClass::Permanent,
        };
        return (result, Some(StepError::new(class, error_type, stop.reason())));
    }
    let broken = |result: ResultKind| {
        matches!(result, ResultKind::Error | ResultKind::Timeout | ResultKind::Cancellation)
    };
    let first = |wanted: &dyn Fn(ResultKind) -> bool| {
        let unhappy = |index: usize| shared.done(index).is_some_and(|done| !done.passed);
        let index = records
            .iter()
            .map(|record| record.index)
            .find(|&index| unhappy(index) && wanted(steps[index].result))?;
        records.iter().rfind(|record| record.index == index)
    };
    if let Some(last) = first(&broken).or_else(|| first(&|result| result == ResultKind::Failure)) {
        let step = &steps[last.index];
        let message = step.error_message.as_deref().unwrap_or_default();
        let message = format!("step `{}`: {message}", step.name);
        let class = last.class.unwrap_or(ErrorClass::Permanent);
        let error_type = step.error_type.as_deref().unwrap_or_default().to_owned();
        return (step.result, Some(StepError::new(class, error_type, message)));
    }
    let skipped = steps.iter().all(|step| step.result == ResultKind::Skip);
    (if skipped { ResultKind::Skip } else { ResultKind::Success }, None)
}
