//! `genstore pipeline run`: one run of a pipeline, recorded like any other.

use std::num::NonZeroUsize;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::super::steer::steered;
use super::super::{Context, print, print_error};
use super::Chosen;
use super::plan::{PlanFormat, show};
use super::view::View;
use crate::error::Result;
use crate::event::{Memo, Watch};
use crate::history::{History, Outputs};
use crate::output::escape;
use crate::pipeline::{WorkflowOptions, WorkflowReport};
use crate::recorder::Recorder;
use crate::replay::WorkflowRuns;
use crate::store::Store;
use crate::workflow::{Limits, ResultKind, StepSummary, Strategy, Workflow, span};

/// Run a pipeline and record it; its output goes to stdout
///
/// Exit code 1 when the run did not succeed. Ctrl-C starts no further step, gives those that work a
/// second to end, and records the run as cancelled; a second one leaves at once. SIGUSR1 pauses: no
/// step starts, what works ends, and the time of the run goes on; SIGUSR2 goes on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Steps that work at a time [default: the setting workflow.jobs, else the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// In which order steps are started
    #[arg(long, value_name = "STRATEGY", value_parser = strategy, default_value = "ready_queue")]
    strategy: Strategy,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Go on where a run has ended: steps that had ended and whose inputs are the same are not done
    /// again. `last` is the newest run of the pipeline that did not succeed
    #[arg(long, value_name = "RUN_ID")]
    resume: Option<String>,
    /// Do every step, also one that is declared pure and was done before with the same inputs
    #[arg(long, conflicts_with = "resume")]
    fresh: bool,
    /// Print how it would go, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// `text` for people: steps to stderr, the output to stdout; `json` for one object with both
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum RunFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

fn strategy(name: &str) -> Result<Strategy, String> {
    Strategy::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Strategy::ALL.iter().map(|it| it.as_str()).collect();
        format!("it is one of {}", names.join(", "))
    })
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let mut workflow = args.chosen.workflow(args.jobs, context)?;
    let given = args.chosen.given(&workflow)?;
    let jobs = args.jobs.map_or_else(|| context.settings.workflow.jobs(), NonZeroUsize::get);
    if args.dry_run {
        return show(&workflow, jobs, PlanFormat::Table, context);
    }
    let store = Store::open_at(
        &context.store,
        context.settings.store.clone(),
        Arc::clone(&context.clock),
        Arc::clone(&context.ids),
    )?;
    let runs = WorkflowRuns {
        recorder: Recorder::new(Arc::new(store)),
        clock: Arc::clone(&context.clock),
        ids: Arc::clone(&context.ids),
        limits: Limits::new(jobs),
        jobs,
    };
    let mut report = None;
    let ended = steered(context, async |cancel| {
        let outputs = args.outputs(&workflow, &runs, context).await?;
        let attributes = outputs.as_ref().and_then(Outputs::attributes);
        let memo = outputs.map(|it| Arc::new(it) as Arc<dyn Memo>);
        // where there is a place for every step, their order is of no importance; but somebody who
        // looks on wants to know how long it takes
        if workflow.plan.len() > jobs || context.env.terminal.stderr {
            let snapshot = runs.recorder.store().snapshot()?;
            let medians = History::new(&snapshot, &context.clock)?.medians(&workflow.name).await?;
            workflow = workflow.expecting(medians, jobs)?;
        }
        let (strategy, seed) = (args.strategy, args.seed);
        let settings = context.settings.workflow.clone();
        let view = View::new(&workflow, &cancel, context);
        let watch = view.clone().map(|it| it as Arc<dyn Watch>);
        let options = WorkflowOptions { strategy, settings, seed, memo, attributes, watch };
        let ended = runs.run(&workflow, given, options, &cancel).await;
        view.iter().for_each(|it| it.end());
        report = Some(ended?);
        Ok(())
    });
    if let Some(report) = &report {
        tell(report, args.format, context.env.terminal.stderr)?;
    }
    ended?;
    runs.recorder.store().flush()?;
    let is_fine = |it: ResultKind| matches!(it, ResultKind::Success | ResultKind::Skip);
    let succeeded = report.is_some_and(|it| is_fine(it.outcome.result));
    Ok(u8::from(!succeeded))
}

impl Args {
    /// The outputs of earlier runs that may stand in.
    async fn outputs(
        &self,
        workflow: &Workflow,
        runs: &WorkflowRuns,
        context: &Context,
    ) -> Result<Option<Outputs>> {
        let pure = workflow.has_pure && !self.fresh;
        if self.resume.is_none() && !pure {
            return Ok(None);
        }
        let history = History::new(&runs.recorder.store().snapshot()?, &context.clock)?;
        let mut outputs = match &self.resume {
            Some(last) if last == "last" => {
                let run_id = history.unfinished(&workflow.name).await?;
                history.of_run(&run_id, &workflow.name).await?
            }
            Some(run_id) => history.of_run(run_id, &workflow.name).await?,
            None => Outputs::default(),
        };
        if pure {
            // without them the steps are done, as they would be in an empty store
            match history.of_pipeline(&workflow.name).await {
                Ok(of_others) => outputs = outputs.and(of_others),
                Err(error) => print_error(&error, context.env.terminal.color_stderr),
            }
        }
        Ok(Some(outputs))
    }
}

/// Prints what a run gave; steps only to somebody who looks on, or where it did not succeed.
fn tell(report: &WorkflowReport, format: RunFormat, looks_on: bool) -> Result<()> {
    if format == RunFormat::Json {
        return print(&format!("{}\n", object(report)));
    }
    let steps: String = report.outcome.steps.iter().map(line).collect();
    let run = &report.run;
    let degraded = if run.degraded { ", degraded" } else { "" };
    let error = match &run.error_message {
        Some(message) => format!("\n{}", escape(message)),
        None => String::new(),
    };
    let text = format!(
        "{steps}{} {}{degraded} in {}{error}\n",
        run.run_id,
        run.result,
        span(run.duration_ns)
    );
    if looks_on || report.outcome.result != ResultKind::Success {
        super::super::tell(&text)?;
    }
    match &report.output {
        Json::Null => Ok(()),
        Json::String(text) => print(&format!("{text}\n")),
        other => print(&format!("{other}\n")),
    }
}

fn line(step: &StepSummary) -> String {
    let attempts = match step.attempts {
        0 | 1 => String::new(),
        attempts => format!(", {attempts} attempts"),
    };
    let degraded = match (step.cached, step.degraded) {
        (true, _) => ", cached",
        (_, true) => ", degraded",
        _ => "",
    };
    let critical = if step.on_critical_path { " *" } else { "" };
    let reason = match &step.error_message {
        Some(message) => format!(": {}", escape(message)),
        None => String::new(),
    };
    format!(
        "{:<24} {:<12} {:>9}{critical}{attempts}{degraded}{reason}\n",
        escape(&step.name),
        step.result.as_str(),
        span(step.duration_ns)
    )
}

fn object(report: &WorkflowReport) -> Json {
    let steps = report.outcome.steps.iter().map(|it| {
        json!({
            "step": &*it.name, "result": it.result.as_str(), "degraded": it.degraded,
            "cached": it.cached,
            "attempts": it.attempts, "duration_ns": it.duration_ns, "queue_ns": it.queue_ns,
            "wait_ns": it.wait_ns, "error_type": it.error_type.as_deref(),
            "error_message": it.error_message.as_deref(),
            "on_critical_path": it.on_critical_path,
        })
    });
    let run = &report.run;
    json!({
        "run_id": &*run.run_id, "pipeline": &*run.pipeline_name, "result": &*run.result,
        "degraded": run.degraded, "duration_ns": run.duration_ns,
        "error_type": run.error_type.as_deref(), "error_message": run.error_message.as_deref(),
        "output": report.output, "steps": steps.collect::<Vec<_>>(),
    })
}
