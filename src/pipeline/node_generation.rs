//! The built-in pipeline `node_generation`: from a contract to a validated, scored package on disk.

use std::sync::Arc;

use crate::error::Result;
use crate::event::{RunRow, RunStarted, Text};
use crate::finding::Finding;
use crate::generate::{Generated, Generator};
use crate::template::{Library, TemplateSet};
use crate::validate::{ValidateSettings, Verdict, validators};
use crate::workflow::{
    Cancel, Condition, Engine, FnComponent, Outcome, Output, Plan, Run, RunWhen, Step, StepContext,
    StepError, StepSummary,
};

use super::contract_steps::{self, Read, Task};
use super::package_steps::{self, Judge, Quality, Render, package_digest};
use super::rows::{self, Counts, integer};
use super::settings::RunSettings;
use super::write::{OutputFolder, Written};

/// Name of the pipeline in tables.
pub const PIPELINE: &str = "node_generation";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The pipeline, ready for many runs at a time.
#[derive(Debug)]
pub struct NodeGeneration {
    plan: Arc<Plan>,
    digest: Text,
    generator: String,
    pub(super) library: Arc<Library>,
    output: Arc<OutputFolder>,
    settings: RunSettings,
}

/// What came out of one run.
#[derive(Debug)]
pub struct Report {
    /// The row of the run, complete.
    pub run: RunRow,
    /// The contract's file, as it was named.
    pub uri: String,
    /// Rows of the run in `steps`: every attempt, and every skipped step.
    pub steps: usize,
    /// What was written, when something was.
    pub written: Option<Written>,
}

impl NodeGeneration {
    /// The pipeline: `generator` makes packages of the templates of `library`, and they go to
    /// `output`; `judging` says from where on something is a finding, and what each weighs.
    pub fn new(
        library: Arc<Library>,
        generator: Arc<dyn Generator>,
        output: Arc<OutputFolder>,
        settings: RunSettings,
        judging: ValidateSettings,
    ) -> Result<Self> {
        let name = generator.name().to_owned();
        let steps = steps(Arc::clone(&library), generator, Arc::clone(&output), &judging);
        let digest = digest(&steps, &judging);
        let plan = Arc::new(Plan::new(steps)?);
        Ok(Self { plan, digest, generator: name, library, output, settings })
    }

    /// Runs the pipeline over one contract. Rows of the run go to the engine's sink, but for the
    /// row of `runs`, which is returned: whoever records it says when the run is over.
    ///
    /// An error means that the run could not be carried out at all, not that it failed.
    pub async fn execute(
        &self,
        task: Task,
        started: &RunStarted,
        engine: &Engine,
        cancel: &Cancel,
    ) -> Result<Report> {
        let uri = task.uri();
        let priority = task.priority;
        let run = Run::new(started.run_id.clone(), PIPELINE).with_input(task);
        let mut run = self.settings.run(run);
        run.priority = priority;
        run.batch_id.clone_from(&started.batch_id);
        let outcome = engine.execute(&self.plan, run, cancel).await?;
        let run = self.row(started, &outcome)?;
        let written = outcome.output::<Written>("write")?.map(|it| Written::clone(&it));
        let attempts = |it: &StepSummary| usize::try_from(it.attempts.max(1)).unwrap_or(1);
        let steps = outcome.steps.iter().map(attempts).sum();
        Ok(Report { run, uri, steps, written })
    }

    fn row(&self, started: &RunStarted, outcome: &Outcome) -> Result<RunRow> {
        let read = outcome.output::<Read>("parse")?;
        let contract = read.as_ref().and_then(|it| it.contract.as_ref());
        let set = outcome.output::<TemplateSet>("select_template")?;
        let complexity = outcome.output::<crate::contract::Complexity>("complexity")?;
        let counts = counts(outcome)?;
        let template_digest = set.map(|it| Text::from(it.digest.as_str()));
        let contract_digest = read.as_ref().map(|it| it.digest.clone());
        Ok(RunRow {
            pipeline_digest: Some(self.digest.clone()),
            contract_name: contract.map(|it| it.name.as_str().into()),
            contract_version: contract.map(|it| it.version.to_string().into()),
            input_digest: contract_digest
                .as_deref()
                .map(|it| self.input_digest(it, template_digest.as_deref())),
            contract_digest,
            quality_score: outcome.output::<Quality>("score")?.map(|it| it.0),
            complexity_score: complexity.map(|it| it.score),
            error_count: integer(counts.errors),
            warning_count: integer(counts.warnings),
            note_count: integer(counts.notes),
            generator: Some(self.generator.as_str().into()),
            template_digest,
            output_digest: outcome.output::<Generated>("render")?.map(|it| package_digest(&it)),
            ..rows::run(started, outcome)
        })
    }

    /// Where the packages go.
    pub fn output(&self) -> &OutputFolder {
        &self.output
    }

    /// Digest of everything that decides the output.
    pub(super) fn input_digest(&self, contract: &str, templates: Option<&str>) -> Text {
        let mut hasher = blake3::Hasher::new();
        for part in [contract, &self.digest, templates.unwrap_or_default(), VERSION] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.finalize().to_hex().as_str().into()
    }
}

/// All findings of a run, by level.
fn counts(outcome: &Outcome) -> Result<Counts> {
    let mut counts = Counts::default();
    if let Some(findings) = outcome.output::<Vec<Finding>>("lint")? {
        counts += Counts::of(findings.iter());
    }
    for validator in validators() {
        if let Some(verdict) = outcome.output::<Verdict>(validator.name())? {
            counts += Counts::of(&verdict.findings);
        }
    }
    Ok(counts)
}

fn steps(
    library: Arc<Library>,
    generator: Arc<dyn Generator>,
    output: Arc<OutputFolder>,
    judging: &ValidateSettings,
) -> Vec<Step> {
    let limits = judging.limits();
    let weights = judging.weights;
    let inspect = move |ctx: &StepContext| package_steps::inspect(limits, ctx);
    let score = move |ctx: &StepContext| package_steps::score(&weights, ctx);
    let select = move |ctx: &StepContext| package_steps::select_template(&library, ctx);
    let write = move |ctx: &StepContext| package_steps::write(&output, ctx);
    let judged = Condition::new("a validator judged the package", |view| {
        for validator in validators() {
            if view.output_if::<Verdict>(validator.name())?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    });
    let six = || validators().iter().map(|it| it.name());
    let mut steps = vec![
        step("parse", contract_steps::parse),
        step("lint", contract_steps::lint).after(["parse"]),
        step("complexity", contract_steps::complexity).after(["parse"]).only_if(is_contract()),
        step("select_template", select).after(["parse", "lint"]),
        Step::new("render", Render { generator }).after(["parse", "select_template"]),
        step("inspect", inspect).after(["parse", "render"]),
    ];
    steps.extend(
        validators().iter().map(|it| Step::new(it.name(), Judge(*it)).after(["parse", "inspect"])),
    );
    let score = step("score", score);
    steps.push(score.after(six()).when(RunWhen::AllDone).only_if(judged));
    steps.push(step("write", write).after(["parse", "render", "score"]).after(six()));
    steps
}

fn is_contract() -> Condition {
    Condition::new("the file is a contract", |view| {
        Ok(view.output::<Read>("parse")?.contract.is_some())
    })
}

fn step<F>(name: &str, function: F) -> Step
where
    F: Fn(&StepContext) -> Result<Output, StepError> + Send + Sync + 'static,
{
    Step::new(name, FnComponent::new(name, VERSION, function))
}

/// Digest of a pipeline: names, components and dependencies, and how it judges.
fn digest(steps: &[Step], judging: &ValidateSettings) -> Text {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{:?}{:?}", judging.limits(), judging.weights).as_bytes());
    for step in steps {
        hasher.update(
            format!("{}={}@{}(", step.name, step.component.name(), step.component.version())
                .as_bytes(),
        );
        hasher.update(step.depends_on.join(",").as_bytes());
        hasher.update(b")");
    }
    hasher.finalize().to_hex().as_str().into()
}
