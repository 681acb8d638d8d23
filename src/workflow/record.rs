//! What is kept of each attempt until its run has ended, and the `steps` row it becomes then. Only
//! at the end is it known which steps the longest chain went through.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::failure::ErrorClass;
use super::inside::Inside;
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
    pub(super) inside: Option<Arc<Inside>>,
}

impl Record {
    /// The row. Its start is the run's wall-clock start plus monotonic time, so that a clock that
    /// jumps cannot put a step before its run.
    pub(super) fn into_row(self, shared: &Shared, on_critical_path: bool) -> Option<StepRow> {
        let node = shared.plan.nodes().get(self.index)?;
        let (component, component_version) = match &node.fallback {
            Some(fallback) if self.by_fallback => (&fallback.name, &fallback.version),
            _ => (&node.component, &node.version),
        };
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
            step_name: prefixed(&shared.prefix, &node.name),
            component: component.clone(),
            component_version: component_version.clone(),
            attempt: i64::from(self.attempt),
            result: self.result.text(),
            degraded: self.degraded,
            cached: false,
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
                .then(|| Json::Object(attributes).to_string().into()),
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
