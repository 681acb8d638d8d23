//! `genstore run`: one or a few contracts, each a run of its own.

use std::path::PathBuf;

use crate::error::Result;
use crate::pipeline::Task;
use crate::replay::report;

use super::steer::steered;
use super::work::WorkArgs;
use super::{Context, print, progress};

/// Generate, validate and record the packages of some contracts
///
/// One after the other. Ctrl-C starts no further run and ends the one that works; a second one
/// leaves at once. SIGUSR1 pauses: no step starts, what works ends, and the time of the run goes
/// on; SIGUSR2 goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Contracts (YAML files)
    #[arg(required = true, value_name = "CONTRACT")]
    contracts: Vec<PathBuf>,
    /// `text` for people, `ndjson` for one JSON object per run
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    format: RunFormat,
    #[command(flatten)]
    work: WorkArgs,
}

/// How finished runs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RunFormat {
    /// A line for people.
    Text,
    /// One JSON object per line.
    Ndjson,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let workshop = args.work.open(context)?;
    let mut code = 0;
    steered(context, async |cancel| {
        let mut line = progress::Runs::new(args.contracts.len(), &cancel, context);
        for path in &args.contracts {
            if cancel.is_cancelled() {
                break;
            }
            let report = workshop.run(Task::new(path), None, &cancel).await?;
            if report.run.result.as_str() != "success" {
                code = 1;
            }
            line.seen(&report);
            let text = match args.format {
                RunFormat::Text => format!("{}\n", report::line(&report)),
                RunFormat::Ndjson => format!("{}\n", report::json(&report)),
            };
            line.aside(|| print(&text))?;
        }
        Ok(())
    })?;
    workshop.recorder.store().flush()?;
    Ok(code)
}
