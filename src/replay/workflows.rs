//! Runs of any workflow, recorded: begun in the store, run, and ended with one acknowledged commit.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::clock::{Clock, IdSource};
use crate::error::Result;
use crate::event::{EventSink, RunStarted, Text, TimeUs};
use crate::pipeline::{WorkflowOptions, WorkflowReport, run_workflow};
use crate::recorder::{Recorder, RunRecorder};
use crate::workflow::{Cancel, Engine, Limits, Workflow};

/// What runs of workflows share.
#[derive(Debug)]
pub struct WorkflowRuns {
    /// Where rows go.
    pub recorder: Recorder,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdSource>,
    /// Places for steps that work; whoever else works in this process may share them.
    pub limits: Limits,
    /// How many there are.
    pub jobs: usize,
}

impl WorkflowRuns {
    /// Runs a workflow, and returns when its rows are durable.
    ///
    /// # Errors
    /// When the run could not begin, or its rows cannot be recorded.
    pub async fn run(
        &self,
        workflow: &Workflow,
        given: Map<String, Json>,
        options: WorkflowOptions,
        cancel: &Cancel,
    ) -> Result<WorkflowReport> {
        let started = RunStarted {
            run_id: self.ids.next_id().to_string().into(),
            pipeline_name: Text::from(workflow.name.as_str()),
            start_time: TimeUs(self.clock.now_us()),
            tool_version: env!("CARGO_PKG_VERSION").into(),
            attributes: options.attributes.clone(),
            ..RunStarted::default()
        };
        let recorder = Arc::new(self.recorder.begin(started.clone())?);
        let sink: Arc<dyn EventSink> = Arc::<RunRecorder>::clone(&recorder);
        let limits = workflow.limits(&self.limits, self.jobs);
        let engine = Engine { clock: Arc::clone(&self.clock), sink, limits };
        let report = run_workflow(workflow, given, &started, options, &engine, cancel).await?;
        recorder.finish(report.run.clone()).await?;
        Ok(report)
    }
}
