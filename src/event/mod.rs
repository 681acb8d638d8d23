//! The vocabulary in which the engine says what happened: rows, and the ports that carry them.
//!
//! Pure data and traits. The workflow engine, the store and the tests meet here and nowhere else;
//! nothing in this room knows a file, a thread or SQL.

mod row;
mod tables;

pub use row::{Cell, Column, ColumnType, ColumnValue, Text, TimeUs};
pub use tables::{
    AlertRow, ArtifactRow, BaselineRow, BatchRow, ContractRow, IssueRow, LlmCallRow, MetricRow,
    Row, RunRow, ScoreRow, StepLatencyRow, StepRow, Table,
};

use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "almost every event is a row")]
pub enum Event {
    /// A run has begun. If its writer dies, recovery gives it a `runs` row of result `error` and
    /// error_type `abandoned` from what stands here.
    RunStarted(RunStarted),
    /// A row is complete. A row of `runs` ends its run.
    Row(Row),
}

impl<T: Into<Row>> From<T> for Event {
    fn from(row: T) -> Self {
        Self::Row(row.into())
    }
}

/// What is known of a run when it begins.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunStarted {
    /// The run.
    pub run_id: Text,
    /// The replay it belongs to.
    pub batch_id: Option<Text>,
    /// Name of the pipeline.
    pub pipeline_name: Text,
    /// Name of the contract, if it is known yet.
    pub contract_name: Option<Text>,
    /// When it began.
    pub start_time: TimeUs,
    /// Version of genstore.
    pub tool_version: Text,
    /// Attributes of its row, a JSON object.
    pub attributes: Option<Text>,
}

/// Where the engine sends its events.
pub trait EventSink: std::fmt::Debug + Send + Sync {
    /// Takes an event, in order, without waiting for a disk. An error means that the sink can take
    /// no more events: the run must end.
    fn emit(&self, event: Event) -> Result<()>;
}

/// Is told how a run gets on while it lasts; rows come when it has ended. Must not block.
pub trait Watch: std::fmt::Debug + Send + Sync {
    /// A step works and has not ended at once.
    fn working(&self, step_name: &str);
    /// A step has ended, with a result by its name in the `steps` table.
    fn ended(&self, step_name: &str, result: &str);
}

/// The kind of an artifact that is the output of a step: its content is a JSON object with the
/// step's `component`, `version`, `input_digest` and `output`, its filename the name of the step
/// with the items of the lists that it was done for.
pub const OUTPUT_KIND: &str = "output";

/// What earlier runs have left behind, so that steps need not be done again.
pub trait Memo: std::fmt::Debug + Send + Sync {
    /// The output, as JSON, that was recorded of a success of the same component with the same
    /// inputs. `None` when there is none.
    fn recall(&self, step: &StepKey<'_>) -> Option<serde_json::Value>;
}

/// What a step is known by when it is looked for among those of earlier runs.
#[derive(Debug, Clone, Copy)]
pub struct StepKey<'a> {
    /// Its name, with the items of the lists that it is done for: `each/double[3]`.
    pub step: &'a str,
    /// Its component.
    pub component: &'a str,
    /// The component's version.
    pub version: &'a str,
    /// Digest of component, version and inputs.
    pub input_digest: &'a str,
    /// Whether an output of another step, or of another run, may stand in.
    pub pure: bool,
}

/// How long steps are expected to take, for example by the store's medians.
pub trait Estimates: std::fmt::Debug + Send + Sync {
    /// Expected duration of a step in nanoseconds; `None` when nobody knows.
    fn estimate_ns(&self, step_name: &str) -> Option<i64>;
}
