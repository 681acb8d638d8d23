//! What a run that has ended amounts to: the longest chain, the sums, the result, and its rows for
//! the sink. Starts nothing.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::sync::Arc;

use super::context::Shared;
use super::engine::Run;
use super::outcome::{Outcome, ResultKind, StepSummary};
use super::plan::Plan;
use super::record::{Common, Record};
use crate::event::{Text, TimeUs};

/// Why a run was stopped before its steps had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Someone wanted it.
    Cancelled,
    /// The run took too long.
    Deadline,
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
            Self::Sink => "the run's rows can no longer be recorded",
            Self::Limits => "the limits of the engine were closed",
        }
    }

    fn result(self) -> (ResultKind, &'static str) {
        match self {
            Self::Cancelled => (ResultKind::Cancellation, "cancelled"),
            Self::Deadline => (ResultKind::Timeout, "deadline"),
            Self::Sink => (ResultKind::Error, "sink"),
            Self::Limits => (ResultKind::Error, "limits"),
        }
    }
}

/// A run whose steps have all ended.
pub(super) struct Ended {
    pub(super) shared: Arc<Shared>,
    pub(super) run: Run,
    /// In the order in which the attempts ended.
    pub(super) records: Vec<Record>,
    pub(super) stop: Option<Stop>,
    pub(super) start_us: i64,
    pub(super) start_ns: i64,
}

/// Sums up a run and emits its rows in the order of their step ids.
pub(super) fn conclude(ended: Ended) -> Outcome {
    let Ended { shared, run, mut records, stop, start_us, start_ns } = ended;
    let duration_ns = shared.clock.monotonic_ns() - start_ns;
    let plan = &shared.plan;
    let mut steps = summaries(plan, &shared, &records);
    let critical_path_ns = mark_critical_path(plan, &mut steps);
    let (mut result, mut error_type, mut error_message) = result(&shared, &steps, &records, stop);

    let node_type = shared.node_type.get().cloned();
    records.sort_unstable_by_key(|record| record.ordinal);
    let common = Common {
        run_id: run.run_id,
        parent_step_id: run.parent_step_id,
        batch_id: run.batch_id,
        pipeline_name: run.pipeline_name,
        node_type: node_type.clone(),
        start_us,
        start_ns,
    };
    for record in records {
        let (node, critical) = (&plan.nodes()[record.index], steps[record.index].on_critical_path);
        if !shared.emit(record.into_row(&common, node, critical).into()) {
            break;
        }
    }
    let sink_error = shared.close();
    if let Some(error) = &sink_error {
        result = ResultKind::Error;
        error_type = Some("sink".into());
        error_message = Some(error.to_string().into());
    }
    Outcome {
        result,
        degraded: steps.iter().any(|step| step.degraded),
        error_type,
        error_message,
        start_time: TimeUs(start_us),
        end_time: TimeUs(start_us + duration_ns / 1_000),
        duration_ns,
        queue_ns: steps.iter().map(|step| step.queue_ns).sum(),
        work_ns: steps.iter().map(|step| step.duration_ns).sum(),
        critical_path_ns,
        strategy: run.strategy,
        node_type,
        steps,
        sink_error,
        shared,
    }
}

fn summaries(plan: &Plan, shared: &Shared, records: &[Record]) -> Vec<StepSummary> {
    let mut steps: Vec<StepSummary> = plan
        .nodes()
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let done = shared.done(index);
            StepSummary {
                name: node.name.clone(),
                result: done.map_or(ResultKind::Cancellation, |done| done.result),
                degraded: done.is_some_and(|done| done.degraded),
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
        step.queue_ns += record.queue_ns;
        step.wait_ns += record.wait_ns;
        step.error_type.clone_from(&record.error_type);
        step.error_message = record.error_message.clone().or_else(|| {
            record.attributes.get("reason").and_then(|reason| reason.as_str()).map(Text::from)
        });
    }
    steps
}

/// Finds the chain of dependent steps with the most work, marks its steps, and returns its work.
/// Of equal chains the one whose steps come first in the plan.
fn mark_critical_path(plan: &Plan, steps: &mut [StepSummary]) -> i64 {
    let mut until = vec![0_i64; steps.len()];
    let longest = |until: &[i64], from: &mut dyn Iterator<Item = usize>| {
        from.reduce(|best, at| if until[at] > until[best] { at } else { best })
    };
    for (index, node) in plan.nodes().iter().enumerate() {
        let before = longest(&until, &mut node.dependencies.iter().copied());
        until[index] = steps[index].duration_ns + before.map_or(0, |before| until[before]);
    }
    let Some(last) = longest(&until, &mut (0..steps.len())) else { return 0 };
    let mut at = Some(last);
    while let Some(index) = at {
        steps[index].on_critical_path = true;
        at = longest(&until, &mut plan.dependencies(index).iter().copied());
    }
    until[last]
}

type Verdict = (ResultKind, Option<Text>, Option<Text>);

fn result(
    shared: &Shared,
    steps: &[StepSummary],
    records: &[Record],
    stop: Option<Stop>,
) -> Verdict {
    if let Some(stop) = stop {
        let (result, error_type) = stop.result();
        return (result, Some(error_type.into()), Some(stop.reason().into()));
    }
    let broken = |result: ResultKind| {
        matches!(result, ResultKind::Error | ResultKind::Timeout | ResultKind::Cancellation)
    };
    let first = |wanted: &dyn Fn(ResultKind) -> bool| {
        let ended = records.iter().map(|record| record.index);
        let mut unhappy =
            ended.filter(|&index| shared.done(index).is_some_and(|done| !done.passed));
        unhappy.find(|&index| wanted(steps[index].result)).map(|index| &steps[index])
    };
    if let Some(step) = first(&broken).or_else(|| first(&|result| result == ResultKind::Failure)) {
        let message = step.error_message.as_deref().unwrap_or_default();
        let message = format!("step `{}`: {message}", step.name);
        return (step.result, step.error_type.clone(), Some(message.into()));
    }
    let skipped = steps.iter().all(|step| step.result == ResultKind::Skip);
    (if skipped { ResultKind::Skip } else { ResultKind::Success }, None, None)
}
