//! `genstore pipeline`: workflows written as files: what there is, whether one is sound, how it
//! would go, and running it.

mod check;
mod list;
mod plan;
mod run;
mod show;
mod view;

use std::num::NonZeroUsize;

use clap::Subcommand;
use serde_json::{Map, Value as Json};

use super::Context;
use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::output::diagnostic::render;
use crate::pipeline::catalog::{Found, find};
use crate::workflow::{Kind, Library, Workflow, builtin};

/// Run workflows written as files, and look at them before they run
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Components(list::ComponentsArgs),
    Show(show::Args),
    Check(check::Args),
    Plan(plan::Args),
    Run(run::Args),
}

/// Which pipeline, and what it is given.
#[derive(Debug, clap::Args)]
struct Chosen {
    /// A pipeline file, or the name of one that comes with the program
    #[arg(value_name = "PIPELINE")]
    pipeline: String,
    /// Give a parameter a value: a text as it is, anything else as JSON
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::List(args) => list::pipelines(args, context),
        Command::Components(args) => list::components(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Plan(args) => plan::run(args, context),
        Command::Run(args) => run::run(args, context),
    }
}

/// The components of this program.
fn library(context: &Context) -> Library {
    builtin(context.env.for_programs.0.clone())
}

impl Chosen {
    /// The pipeline, checked. Where it does not say how many of its steps may work at a time, as
    /// many may as were asked for, or as the settings have it.
    fn workflow(&self, jobs: Option<NonZeroUsize>, context: &Context) -> Result<Workflow> {
        let found = find(&self.pipeline)?;
        let lowered = found.lower(&library(context));
        let mut workflow = lowered.map_err(|findings| refused(&found, &findings))?;
        let run_jobs_max = context.settings.workflow.run_jobs_max;
        workflow.concurrency.get_or_insert(jobs.map_or(run_jobs_max, NonZeroUsize::get));
        Ok(workflow)
    }

    /// What the pipeline is given, by the kinds of its parameters.
    fn given(&self, workflow: &Workflow) -> Result<Map<String, Json>> {
        let mut given = Map::new();
        for set in &self.set {
            let Some((name, text)) = set.split_once('=') else {
                return Err(Error::usage(format!("--set {set} gives no value"))
                    .with_hint("Write --set NAME=VALUE."));
            };
            let kind = workflow.parameters.iter().find(|it| it.name == name).map(|it| it.kind);
            if given.insert(name.to_owned(), value(kind, text)).is_some() {
                return Err(Error::usage(format!("--set gives `{name}` twice")));
            }
        }
        workflow.given(given)
    }
}

/// A value as it is typed: what is no JSON is a text.
fn value(kind: Option<Kind>, text: &str) -> Json {
    match kind {
        Some(Kind::Text) => Json::from(text),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)),
    }
}

/// The faults of a pipeline as one error.
fn refused(found: &Found, findings: &[Finding]) -> Error {
    let all: String = findings.iter().map(|it| render(it, Some(&found.text), false)).collect();
    let count = count_of(findings);
    Error::invalid(format!("{} has {count}\n\n{}", found.uri, all.trim_end()))
}

/// How many faults a pipeline has, in words.
fn count_of(findings: &[Finding]) -> String {
    match findings.len() {
        1 => "a fault".to_owned(),
        count => format!("{count} faults"),
    }
}
