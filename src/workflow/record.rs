//! What is kept of each attempt until its run has ended, and the `steps` row it becomes then. Only
//! at the end is it known which steps the longest chain went through.

use serde_json::{Map, Value as Json};

use super::outcome::ResultKind;
use super::plan::Node;
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
}

/// What all rows of a run have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) run_id: Text,
    pub(super) parent_step_id: Option<Text>,
    pub(super) batch_id: Option<Text>,
    pub(super) pipeline_name: Text,
    pub(super) node_type: Option<Text>,
    /// Wall-clock time of the run's start.
    pub(super) start_us: i64,
    /// Monotonic time of the run's start.
    pub(super) start_ns: i64,
}

impl Record {
    /// The row. Its start is the run's wall-clock start plus monotonic time, so that a clock that
    /// jumps cannot put a step before its run.
    pub(super) fn into_row(self, common: &Common, node: &Node, on_critical_path: bool) -> StepRow {
        let (component, component_version) = match &node.fallback {
            Some((component, version)) if self.by_fallback => (component, version),
            _ => (&node.component, &node.version),
        };
        StepRow {
            run_id: common.run_id.clone(),
            step_id: self.step_id,
            parent_step_id: common.parent_step_id.clone(),
            batch_id: common.batch_id.clone(),
            pipeline_name: common.pipeline_name.clone(),
            node_type: common.node_type.clone(),
            step_name: node.name.clone(),
            component: component.clone(),
            component_version: component_version.clone(),
            attempt: i64::from(self.attempt),
            result: self.result.text(),
            degraded: self.degraded,
            cached: false,
            error_type: self.error_type,
            error_message: self.error_message,
            start_time: TimeUs(common.start_us + (self.start_ns - common.start_ns) / 1_000),
            duration_ns: self.duration_ns,
            queue_ns: self.queue_ns,
            wait_ns: self.wait_ns,
            on_critical_path,
            stage: i64::try_from(node.stage).unwrap_or(i64::MAX),
            depends_on: node.depends_on.clone(),
            input_digest: self.input_digest,
            output_digest: self.output_digest,
            attributes: (!self.attributes.is_empty())
                .then(|| Json::Object(self.attributes).to_string().into()),
        }
    }
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
