//! `genstore pipeline plan`: how a pipeline would go, before anything runs.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use clap::ValueEnum;
use serde_json::{Value as Json, json};

use super::super::ask::stdout;
use super::super::steer::block_on;
use super::super::{Context, print};
use super::Chosen;
use crate::error::{Error, Result};
use crate::history::{History, Medians, existing};
use crate::output::{Format, escape};
use crate::workflow::{Analysis, PlanRow, Strategy, Workflow, span};

/// How long a step is expected to take when nobody knows of any.
const FALLBACK: Duration = Duration::from_millis(1);

/// Print how a pipeline would go: steps, bounds, and what each strategy would take
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Steps that work at a time [default: the setting workflow.jobs, else the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[arg(long, value_enum, default_value_t)]
    format: PlanFormat,
}

/// Form of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum PlanFormat {
    /// A table of the steps, and what the run would take
    #[default]
    Table,
    /// The steps as a tree
    Tree,
    /// A graph for Graphviz
    Dot,
    /// One JSON object
    Json,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let workflow = args.chosen.workflow(args.jobs, context)?;
    args.chosen.given(&workflow)?;
    let jobs = args.jobs.map_or_else(|| context.settings.workflow.jobs(), NonZeroUsize::get);
    show(&workflow, jobs, args.format, context)
}

/// Prints the plan of a workflow for so many places.
pub(super) fn show(
    workflow: &Workflow,
    jobs: usize,
    format: PlanFormat,
    context: &Context,
) -> Result<u8> {
    let medians = medians(&workflow.name, context)?;
    let estimates = workflow.estimates(medians);
    let capacity = workflow.capacity(jobs);
    let analysis = Analysis::new(&workflow.plan, &estimates, FALLBACK, &capacity)?;
    match format {
        PlanFormat::Table => {
            let batch = table(&analysis.rows())?;
            context.shell(Format::Table, false)?.write(&batch, &mut stdout())?;
            print(&summary(&analysis))?;
        }
        PlanFormat::Tree => {
            let lines = analysis.tree().into_iter().map(|it| format!("{}\n", escape(&it)));
            print(&lines.collect::<String>())?;
        }
        PlanFormat::Dot => print(&analysis.dot(&workflow.name))?,
        PlanFormat::Json => print(&format!("{}\n", object(workflow, &analysis)))?,
    }
    Ok(0)
}

/// What the store knows of the steps' durations, if there is one.
fn medians(pipeline: &str, context: &Context) -> Result<Medians> {
    let Some(store) = existing(&context.store)? else { return Ok(Medians::default()) };
    let history = History::new(&store.snapshot()?, &context.clock)?;
    block_on(context, async |_| history.medians(pipeline).await)
}

fn table(rows: &[PlanRow]) -> Result<RecordBatch> {
    let text = |of: &dyn Fn(&PlanRow) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|it| Some(of(it))).collect::<StringArray>())
    };
    let stages = rows.iter().map(|it| i64::try_from(it.stage).ok()).collect::<Int64Array>();
    let critical = rows.iter().map(|it| Some(it.on_critical_path)).collect::<BooleanArray>();
    let columns: [(&str, ArrayRef); 8] = [
        ("step", text(&|it| it.step.clone())),
        ("component", text(&|it| it.component.clone())),
        ("stage", Arc::new(stages)),
        ("depends_on", text(&|it| it.depends_on.join(", "))),
        ("resource", text(&|it| it.resource.clone().unwrap_or_default())),
        (
            "estimate",
            text(&|it| {
                let mark = if it.is_known { "" } else { "?" };
                format!("{}{mark}", span(it.estimate_ns))
            }),
        ),
        ("slack", text(&|it| span(it.slack_ns))),
        ("critical", Arc::new(critical)),
    ];
    RecordBatch::try_from_iter(columns)
        .map_err(|source| Error::internal("cannot build the plan").with_source(source))
}

fn summary(analysis: &Analysis<'_>) -> String {
    let plan = analysis.plan();
    let critical: Vec<&str> =
        analysis.critical_path().iter().map(|it| plan.step_name(*it)).collect();
    let mut text = format!(
        "\n{} in {}, {}, {} independent\nwork {}, critical path {}: {}\n\
         at least {} (LB1 {})\n",
        counted(plan.len(), "step"),
        counted(plan.stages(), "stage"),
        counted(analysis.chains().len(), "chain"),
        analysis.independent().len(),
        span(analysis.work_ns()),
        span(analysis.critical_path_ns()),
        escape(&critical.join(" → ")),
        span(analysis.lb2_ns()),
        span(analysis.lb1_ns()),
    );
    let original = analysis.original_strategy();
    for strategy in Strategy::ALL {
        let it = analysis.predict(strategy);
        let note = match strategy {
            Strategy::ReadyQueue => ", the default",
            _ if strategy == original => ", the 70 % rule's choice",
            _ => "",
        };
        text.push_str(&format!(
            "{:<18} {:>9}, {:.2} × sequential{note}\n",
            strategy.as_str(),
            span(it.makespan_ns),
            it.speedup
        ));
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn object(workflow: &Workflow, analysis: &Analysis<'_>) -> Json {
    let steps = analysis.rows().into_iter().map(|it| {
        json!({
            "step": it.step, "component": it.component, "stage": it.stage,
            "depends_on": it.depends_on, "resource": it.resource, "estimate_ns": it.estimate_ns,
            "estimate_known": it.is_known, "slack_ns": it.slack_ns,
            "on_critical_path": it.on_critical_path,
        })
    });
    let predicted = Strategy::ALL.into_iter().map(|strategy| {
        let it = analysis.predict(strategy);
        json!({
            "strategy": strategy.as_str(), "makespan_ns": it.makespan_ns, "speedup": it.speedup,
            "idle_share": it.idle_share, "working_max": it.working_max,
        })
    });
    json!({
        "pipeline": workflow.name,
        "steps": steps.collect::<Vec<_>>(),
        "work_ns": analysis.work_ns(),
        "critical_path_ns": analysis.critical_path_ns(),
        "lb1_ns": analysis.lb1_ns(),
        "lb2_ns": analysis.lb2_ns(),
        "original_strategy": analysis.original_strategy().as_str(),
        "predicted": predicted.collect::<Vec<_>>(),
    })
}
