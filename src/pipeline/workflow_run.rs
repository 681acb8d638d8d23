//! A run of any workflow as a row of `runs`, and what it gave. A workflow need not have a contract.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{RunSettings, rows};
use crate::error::Result;
use crate::event::{Memo, RunRow, RunStarted, Text, Watch};
use crate::workflow::{Cancel, Engine, Outcome, Run, Strategy, Workflow};

/// What came of a run.
#[derive(Debug)]
pub struct WorkflowReport {
    /// The row of the run, complete.
    pub run: RunRow,
    /// What the workflow gave; null where it gave nothing.
    pub output: Json,
    /// How it ended, step by step.
    pub outcome: Outcome,
}

/// How a workflow is run.
#[derive(Debug, Clone, Default)]
pub struct WorkflowOptions {
    /// In which order steps are started.
    pub strategy: Strategy,
    /// Places and times of a run, unless the workflow says something else.
    pub settings: RunSettings,
    /// Seed of everything random.
    pub seed: u64,
    /// Outputs of earlier runs that may stand in.
    pub memo: Option<Arc<dyn Memo>>,
    /// What is to be known of the run besides, a JSON object: the run that it goes on with.
    pub attributes: Option<Text>,
    /// Who is told how it gets on.
    pub watch: Option<Arc<dyn Watch>>,
}

/// Runs a workflow. Rows go to the engine's sink, but for that of `runs`, which is returned.
///
/// # Errors
/// When the run could not begin.
pub async fn run_workflow(
    workflow: &Workflow,
    given: Map<String, Json>,
    started: &RunStarted,
    options: WorkflowOptions,
    engine: &Engine,
    cancel: &Cancel,
) -> Result<WorkflowReport> {
    let run = Run::new(started.run_id.clone(), started.pipeline_name.clone());
    let mut run = options.settings.run(run);
    run.strategy = options.strategy;
    run.seed = options.seed;
    run.memo = options.memo;
    run.watch = options.watch;
    run.batch_id.clone_from(&started.batch_id);
    let mut hasher = blake3::Hasher::new();
    hasher.update(workflow.digest.as_bytes());
    hasher.update(Json::Object(given.clone()).to_string().as_bytes());
    let outcome = workflow.execute(engine, run, given, cancel).await?;
    let output = workflow.output(&outcome)?;
    let text = output.to_string();
    let run = RunRow {
        pipeline_digest: Some(workflow.digest.as_str().into()),
        input_digest: Some(hasher.finalize().to_hex().as_str().into()),
        output_digest: Some(blake3::hash(text.as_bytes()).to_hex().as_str().into()),
        ..rows::run(started, &outcome)
    };
    Ok(WorkflowReport { run, output, outcome })
}
