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
}

/// Where the engine sends its events.
pub trait EventSink: std::fmt::Debug + Send + Sync {
    /// Takes an event, in order, without waiting for a disk. An error means that the sink can take
    /// no more events: the run must end.
    fn emit(&self, event: Event) -> Result<()>;
}

/// How long steps are expected to take, for example by the store's medians.
pub trait Estimates: std::fmt::Debug + Send + Sync {
    /// Expected duration of a step in nanoseconds; `None` when nobody knows.
    fn estimate_ns(&self, step_name: &str) -> Option<i64>;
}
