//! How a run ended: its result, its times, its steps and their outputs. Decides nothing about them.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value as Json};

use super::bound::Handed;
use super::failure::StepError;
use super::schedule::Strategy;
use super::shared::Shared;
use crate::error::{Error, Result, nearest};
use crate::event::{Text, TimeUs};

/// How an attempt, a step or a run ended, by the names of the `result` columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResultKind {
    /// Did what it should.
    Success,
    /// A validator said no.
    Failure,
    /// The engine or a component broke.
    Error,
    /// Took too long.
    Timeout,
    /// Was asked to stop.
    Cancellation,
    /// Was not needed, or could not be tried: `cause` in the attributes of the row is `condition`
    /// or `failure`, and `reason` says it in words.
    Skip,
}

impl ResultKind {
    const ALL: [Self; 6] =
        [Self::Success, Self::Failure, Self::Error, Self::Timeout, Self::Cancellation, Self::Skip];

    /// The name in the `result` columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancellation => "cancellation",
            Self::Skip => "skip",
        }
    }

    /// The name as a cell; made once per process.
    pub fn text(self) -> Text {
        static TEXTS: LazyLock<[Text; 6]> =
            LazyLock::new(|| ResultKind::ALL.map(|kind| kind.as_str().into()));
        TEXTS.get(self as usize).cloned().unwrap_or_default()
    }
}

impl fmt::Display for ResultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The run's result: `cancellation` and `timeout` if it was stopped, else the result of the
    /// step that failed first, else `failure` if a step said no, `skip` if no step ran at all.
    pub result: ResultKind,
    /// Whether the run went on without an output, or with one of a fallback.
    pub degraded: bool,
    /// Class of the error, of low cardinality.
    pub error_type: Option<Text>,
    /// The error in words, naming the step.
    pub error_message: Option<Text>,
    /// When the run started.
    pub start_time: TimeUs,
    /// When the run ended: the start plus the duration.
    pub end_time: TimeUs,
    /// From start to end.
    pub duration_ns: i64,
    /// Waiting for a free place, summed over attempts, those inside of steps included.
    pub queue_ns: i64,
    /// At work, summed over attempts. Of a step with plans inside only the steps inside count.
    pub work_ns: i64,
    /// Work along the longest chain of dependent steps; through a step with plans inside it is
    /// their longest chain.
    pub critical_path_ns: i64,
    /// Scheduling strategy.
    pub strategy: Strategy,
    /// Node type, if the run or a step of it said one.
    pub node_type: Option<Text>,
    /// One summary per step, in the order of the plan.
    pub steps: Vec<StepSummary>,
    /// Why the sink took no more rows: the run's rows are then not complete.
    pub sink_error: Option<Error>,
    pub(super) error: Option<StepError>,
    pub(super) shared: Arc<Shared>,
}

/// How one step ended, over all its attempts.
#[derive(Debug, Clone)]
pub struct StepSummary {
    /// Name of the step.
    pub name: Text,
    /// Result of its last attempt.
    pub result: ResultKind,
    /// Whether the run went on without its output, or with one of a fallback.
    pub degraded: bool,
    /// Whether an output of an earlier run stood in.
    pub cached: bool,
    /// Attempts that were made; 0 for a step that was never tried.
    pub attempts: u32,
    /// At work, summed over attempts.
    pub duration_ns: i64,
    /// Waiting for a free place, summed over attempts.
    pub queue_ns: i64,
    /// Backing off, summed over attempts.
    pub wait_ns: i64,
    /// Class of the last error.
    pub error_type: Option<Text>,
    /// The last error in words, or why the step was skipped.
    pub error_message: Option<Text>,
    /// Whether the run's longest chain of dependent steps went through it.
    pub on_critical_path: bool,
}

impl Outcome {
    /// The output of a step; `None` if it has none. An internal error if there is no such step or
    /// its output is no `T`.
    pub fn output<T: Any + Send + Sync>(&self, step: &str) -> Result<Option<Arc<T>>> {
        let plan = &self.shared.plan;
        let Some(index) = plan.find(step) else {
            let error = Error::internal(format!("the plan has no step `{step}`"));
            let names = plan.steps().map(|step| step.name.as_str());
            return Err(match nearest(step, names) {
                Some(name) => error.with_hint(format!("Did you mean `{name}`?")),
                None => error,
            });
        };
        let Some(output) = self.shared.done(index).and_then(|done| done.output.as_ref()) else {
            return Ok(None);
        };
        output.value::<T>().map_err(|found| {
            let wanted = std::any::type_name::<T>();
            Error::internal(format!("step `{step}` gave a {found}, not a {wanted}"))
        })
    }

    /// What steps of a workflow have given: that of the only one, or of several by their names.
    pub(super) fn given(&self, exits: &[(String, String)]) -> Result<Json> {
        let mut outputs = Map::new();
        for (name, step) in exits {
            if let Some(handed) = self.output::<Handed>(step)? {
                outputs.insert(name.clone(), handed.output.clone());
            }
        }
        Ok(match (exits.len(), outputs.len()) {
            (1, 1) => outputs.into_iter().next().map(|it| it.1).unwrap_or_default(),
            (_, 0) => Json::Null,
            _ => Json::Object(outputs),
        })
    }

    /// What a step returns that ran this plan inside: the error, with its class; `None` if the plan
    /// succeeded, had nothing to do, or has a verdict.
    pub fn error(&self) -> Option<&StepError> {
        self.error.as_ref().filter(|_| self.result != ResultKind::Failure)
    }

    /// The summary of a step.
    pub fn step(&self, name: &str) -> Option<&StepSummary> {
        self.shared.plan.find(name).and_then(|index| self.steps.get(index))
    }
}
