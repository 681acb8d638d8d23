//! The engine's door: what it works with, what a run is started with, and the call that runs it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use super::cancel::Cancel;
use super::component::Value;
use super::execution::{Execution, nanos};
use super::limits::Limits;
use super::outcome::Outcome;
use super::plan::Plan;
use super::schedule::Strategy;
use super::shared::{Root, Shared};
use super::summary::Stop;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{EventSink, Memo, Text, Watch};

/// What runs work with; shared by all runs of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Where time comes from. Timeouts and back-off follow tokio's time.
    pub clock: Arc<dyn Clock>,
    /// Where rows go. When it fails, the run ends as `error` of type `sink`.
    pub sink: Arc<dyn EventSink>,
    /// Places shared by all runs.
    pub limits: Limits,
}

/// One run, before it has begun.
#[derive(Clone)]
pub struct Run {
    /// The run's id.
    pub run_id: Text,
    /// The replay it belongs to.
    pub batch_id: Option<Text>,
    /// The step that this run is the inside of.
    pub parent_step_id: Option<Text>,
    /// Name of the pipeline.
    pub pipeline_name: Text,
    /// Node type, if it is known yet; a step may set it, too.
    pub node_type: Option<Text>,
    /// What the steps get as their `input`.
    pub input: Option<Value>,
    /// Scheduling strategy.
    pub strategy: Strategy,
    /// Steps of this run that may work at a time, those of plans inside included; 0 counts as 1.
    pub concurrency_max: usize,
    /// Of the runs that share limits and wait for a place, those of higher priority go first;
    /// among equals they take turns, and each plan inside of a step has turns of its own. What
    /// works is not interrupted, and a run may wait as long as more urgent ones have work.
    pub priority: i32,
    /// Longest time of the whole run.
    pub timeout: Option<Duration>,
    /// Longest time of one attempt of a step whose policy names none and that has no plan inside.
    pub step_timeout: Option<Duration>,
    /// How long working steps may go on after the wish to stop; then they are dropped.
    pub grace: Duration,
    /// How long taking back the effects of a failed plan may last.
    pub undo_grace: Duration,
    /// Seed of everything random.
    pub seed: u64,
    /// Outputs of earlier runs that may stand in.
    pub memo: Option<Arc<dyn Memo>>,
    /// Who is told how it gets on.
    pub watch: Option<Arc<dyn Watch>>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("run_id", &self.run_id).finish_non_exhaustive()
    }
}

impl Run {
    /// A run by ready queue, eight steps at a time, an hour at most, five minutes for an attempt,
    /// one second of grace.
    pub fn new(run_id: impl Into<Text>, pipeline_name: impl Into<Text>) -> Self {
        Self {
            run_id: run_id.into(),
            batch_id: None,
            parent_step_id: None,
            pipeline_name: pipeline_name.into(),
            node_type: None,
            input: None,
            strategy: Strategy::default(),
            concurrency_max: 8,
            priority: 0,
            timeout: Some(Duration::from_secs(3_600)),
            step_timeout: Some(Duration::from_secs(300)),
            grace: Duration::from_secs(1),
            undo_grace: Duration::from_secs(30),
            seed: 0,
            memo: None,
            watch: None,
        }
    }

    /// Sets what the steps get as their `input`.
    #[must_use]
    pub fn with_input<T: std::any::Any + Send + Sync>(mut self, input: T) -> Self {
        self.input = Some(Arc::new(input));
        self
    }
}

impl Engine {
    /// Runs a plan to its end. Must be awaited within a tokio runtime with time. An error means
    /// that the run could not begin and nothing was emitted; whatever happens later is in the
    /// outcome. Dropping the future drops the working steps and emits nothing more.
    pub async fn execute(&self, plan: &Arc<Plan>, run: Run, cancel: &Cancel) -> Result<Outcome> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::internal("a run needs a tokio runtime"));
        }
        let (timeout, concurrency_max) = (run.timeout, run.concurrency_max);
        let root = Root::new(self, run, cancel);
        let deadline = timeout.map(|it| (root.start_ns.saturating_add(nanos(it)), Stop::Deadline));
        // a plan without others inside counts its working steps by itself
        let limits = match plan.has_nested() {
            true => self.limits.within(root.run.strategy.concurrency_max(concurrency_max)),
            false => self.limits.clone(),
        };
        let shared = Arc::new(Shared::outermost(root, plan, limits));
        let mut execution = Execution::new(shared, plan, concurrency_max, deadline, cancel)?;
        poll_fn(|cx| execution.poll(cx)).await;
        execution.undo().await;
        Ok(execution.conclude())
    }
}
