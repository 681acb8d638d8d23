//! A pipeline in a program of one's own: from a text to a recorded run, with the usual settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::WorkflowRuns;
use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::pipeline::catalog::Found;
use crate::pipeline::{RunSettings, WorkflowOptions, WorkflowReport};
use crate::recorder::Recorder;
use crate::workflow::{Cancel, Limits, Workflow, builtin};

/// A pipeline that is sound and can be run.
#[derive(Debug)]
pub struct Pipeline(Workflow);

impl Pipeline {
    /// Reads a pipeline as its file would have it. Programs that its steps run see no variables;
    /// the pipelines that it calls are those that come with genstore.
    ///
    /// # Errors
    /// `Invalid`: the first fault, with its line.
    pub fn from_yaml(text: &str) -> Result<Self> {
        let found = Found { uri: "pipeline".to_owned(), text: text.to_owned() };
        let workflow = found.lower(&builtin(BTreeMap::new()));
        workflow.map(Self).map_err(|findings| fault(&findings))
    }

    /// Runs it with these values for its parameters; when this returns, the run is durable.
    ///
    /// # Errors
    /// When the run could not begin, or could not be recorded. How it ended is in its report.
    pub async fn run<const N: usize>(
        &self,
        recorder: &Recorder,
        parameters: [(&str, Json); N],
    ) -> Result<WorkflowReport> {
        let (clock, ids) = recorder.store().clock_and_ids()?;
        let settings = RunSettings::default();
        let jobs = settings.jobs();
        let limits = Limits::new(jobs);
        let runs = WorkflowRuns { recorder: recorder.clone(), clock, ids, limits, jobs };
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value));
        let given: Map<String, Json> = parameters.collect();
        let options = WorkflowOptions { settings, ..WorkflowOptions::default() };
        runs.run(&self.0, given, options, &Cancel::new()).await
    }
}

fn fault(findings: &[Finding]) -> Error {
    let Some(first) = findings.first() else {
        return Error::internal("a pipeline is not sound, and nobody says why");
    };
    let line = first.span.map(|it| format!(", line {}", it.start_line)).unwrap_or_default();
    let error = Error::invalid(format!("the pipeline is not sound{line}: {}", first.message));
    match &first.help {
        Some(help) => error.with_hint(help.clone()),
        None => error,
    }
}
