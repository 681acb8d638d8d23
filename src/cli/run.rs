//! `genstore run`: one or a few contracts, each a run of its own.

use std::path::PathBuf;

use crate::error::Result;
use crate::pipeline::Task;
use crate::replay::report;

use super::work::{WorkArgs, block_on};
use super::{Context, print};

/// Generate, validate and record the packages of some contracts
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
    block_on(async |cancel| {
        for path in &args.contracts {
            if cancel.is_cancelled() {
                break;
            }
            let report = workshop.run(Task { path: path.clone() }, None, &cancel).await?;
            if report.run.result.as_str() != "success" {
                code = 1;
            }
            print(&match args.format {
                RunFormat::Text => format!("{}\n", report::line(&report)),
                RunFormat::Ndjson => format!("{}\n", report::json(&report)),
            })?;
        }
        Ok(())
    })?;
    workshop.recorder.store().flush()?;
    Ok(code)
}
