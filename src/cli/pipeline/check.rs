//! `genstore pipeline check`: every fault of pipeline files, with its place. Runs nothing.

use super::super::findings::FindingFormat;
use super::super::{Context, print};
use super::library;
use crate::error::Result;
use crate::finding::{Finding, Level};
use crate::pipeline::catalog::find;

/// Check pipelines; exit code 1 when one has a fault
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pipeline files, or names of those that come with the program
    #[arg(required = true, value_name = "PIPELINE")]
    pipelines: Vec<String>,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let library = library(context);
    let color = context.env.terminal.color_stdout;
    let mut faults = 0;
    for wanted in &args.pipelines {
        let (findings, text) = match find(wanted) {
            Ok(found) => (found.lower(&library).err().unwrap_or_default(), Some(found.text)),
            Err(error) => {
                let finding = Finding::new("pipeline.unreadable", Level::Error, error.message());
                let finding = finding.in_file(wanted.as_str());
                let finding = match error.hint() {
                    Some(hint) => finding.with_help(hint),
                    None => finding,
                };
                (vec![finding], None)
            }
        };
        for finding in &findings {
            faults += usize::from(finding.level == Level::Error);
            print(&args.format.text(finding, text.as_deref(), color)?)?;
        }
    }
    if args.format == FindingFormat::Human && context.env.terminal.stdout {
        print(&format!("{} pipelines: {faults} faults\n", args.pipelines.len()))?;
    }
    Ok(u8::from(faults > 0))
}
