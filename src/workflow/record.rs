//! What is kept of each attempt until its run has ended, and the `steps` row it becomes then. Only
//! at the end is it known which steps the longest chain went through.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::component::Output;
use super::failure::{ErrorClass, StepError};
use super::inside::{Composite, Sums};
use super::outcome::ResultKind;
use super::shared::Shared;
use crate::event::{StepRow, Text, TimeUs};

/// One attempt, or one step that was never tried.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) index: usize,
    pub(super) ordinal: u64,
    pub(super) step_id: Text,
    pub(super) attempt: u32,
    /// Whether the component was called.
    pub(super) tried: bool,
    pub(super) by_fallback: bool,
    pub(super) result: ResultKind,
    pub(super) degraded: bool,
    pub(super) cached: bool,
    pub(super) error_type: Option<Text>,
    pub(super) error_message: Option<Text>,
    pub(super) start_ns: i64,
    pub(super) duration_ns: i64,
    pub(super) queue_ns: i64,
    pub(super) wait_ns: i64,
    pub(super) input_digest: Option<Text>,
    pub(super) output_digest: Option<Text>,
    pub(super) attributes: Map<String, Json>,
    /// What the error meant for the next attempt.
    pub(super) class: Option<ErrorClass>,
    /// What went on inside, if the step ran plans.
    pub(super) composite: Option<Arc<Composite>>,
    /// Whether it took the step back.
    pub(super) undo: bool,
}

impl Record {
    /// That a step was taken back, or could not be.
    pub(super) fn undo(
        index: usize,
        ordinal: u64,
        start_ns: i64,
        duration_ns: i64,
        answer: &Result<Output, StepError>,
        reason: &str,
    ) -> Self {
        let error = answer.as_ref().err();
        let mut attributes = Map::new();
        attributes.insert("reason".to_owned(), reason.into());
        Self {
            index,
            ordinal,
            step_id: step_id(ordinal),
            attempt: 1,
            tried: true,
            by_fallback: false,
            result: error.map_or(ResultKind::Success, |error| result_of(error.class)),
            degraded: false,
            cached: false,
            error_type: error.map(|error| (&*error.error_type).into()),
            error_message: error.map(|error| error.message.as_str().into()),
            start_ns,
            duration_ns,
            queue_ns: 0,
            wait_ns: 0,
            input_digest: None,
            output_digest: None,
            attributes,
            class: error.map(|error| error.class),
            composite: None,
            undo: true,
        }
    }

    /// What went on inside, if there were plans.
    pub(super) fn sums(&self) -> Option<Sums> {
        self.composite.as_ref().map(|composite| composite.inside.sums())
    }

    /// The row. Its start is the run's wall-clock start plus monotonic time, so that a clock that
    /// jumps cannot put a step before its run.
    pub(super) fn into_row(self, shared: &Shared, on_critical_path: bool) -> Option<StepRow> {
        let node = shared.plan.nodes().get(self.index)?;
        let other = if self.undo { &node.undo } else { &node.fallback };
        let (component, component_version) = match other {
            Some(other) if self.undo || self.by_fallback => (&other.name, &other.version),
            _ => (&node.component, &node.version),
        };
        let mut step_name = prefixed(&shared.prefix, &node.name);
        if self.undo {
            step_name = format!("{step_name}.undo").into();
        }
        let (root, run) = (&shared.root, &shared.root.run);
        let around = shared.inner.as_ref().map(|inner| &inner.inside.step_id);
        let mut attributes = self.attributes;
        for (key, value) in &shared.attributes {
            attributes.entry(key).or_insert_with(|| value.clone());
        }
        Some(StepRow {
            run_id: run.run_id.clone(),
            step_id: self.step_id,
            parent_step_id: around.or(run.parent_step_id.as_ref()).cloned(),
            batch_id: run.batch_id.clone(),
            pipeline_name: run.pipeline_name.clone(),
            node_type: root.node_type.get().cloned(),
            step_name,
            component: component.clone(),
            component_version: component_version.clone(),
            attempt: i64::from(self.attempt),
            result: self.result.text(),
            degraded: self.degraded,
            cached: self.cached,
            error_type: self.error_type,
            error_message: self.error_message,
            start_time: TimeUs(root.start_us + (self.start_ns - root.start_ns) / 1_000),
            duration_ns: self.duration_ns,
            queue_ns: self.queue_ns,
            wait_ns: self.wait_ns,
            on_critical_path,
            stage: i64::try_from(node.stage).unwrap_or(i64::MAX),
            depends_on: prefixed_each(&shared.prefix, &node.depends_on),
            input_digest: self.input_digest,
            output_digest: self.output_digest,
            attributes: (!attributes.is_empty())
                .then(|| serde_json::to_string(&attributes).unwrap_or_default().into()),
        })
    }
}

fn prefixed(prefix: &str, name: &Text) -> Text {
    if prefix.is_empty() { name.clone() } else { format!("{prefix}{name}").into() }
}

/// Puts the prefix before each of comma-separated names.
fn prefixed_each(prefix: &str, names: &Text) -> Text {
    if prefix.is_empty() || names.is_empty() {
        return names.clone();
    }
    let names: Vec<String> = names.split(',').map(|name| format!("{prefix}{name}")).collect();
    names.join(",").into()
}

/// The ordinal of an attempt as 16 hex digits.
pub(super) fn step_id(ordinal: u64) -> Text {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; 16];
    let mut rest = ordinal;
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = DIGITS.get((rest & 15) as usize).copied().unwrap_or(b'0');
        rest >>= 4;
    }
    std::str::from_utf8(&digits).unwrap_or_default().into()
}

/// How an attempt ended that gave an error.
pub(super) fn result_of(class: ErrorClass) -> ResultKind {
    match class {
        ErrorClass::Timeout => ResultKind::Timeout,
        ErrorClass::Cancelled => ResultKind::Cancellation,
        _ => ResultKind::Error,
    }
}
