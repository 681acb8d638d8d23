//! `genstore pipeline show`: what a pipeline does and what it can be given.

use super::super::{Context, print};
use super::library;
use crate::error::Result;
use crate::pipeline::catalog::find;

/// Print a pipeline: what it does, what it can be given, and its file
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A pipeline file, or the name of one that comes with the program
    pipeline: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let found = find(&args.pipeline)?;
    let lowered = found.lower(&library(context));
    let workflow = lowered.map_err(|it| super::refused(&found, &it))?;
    let mut text = format!("# {} {}: {}\n", workflow.name, workflow.version, workflow.description);
    for input in &workflow.parameters {
        let default = match &input.default {
            Some(default) => format!(" = {default}"),
            None => ", must be given".to_owned(),
        };
        let words = match input.description.as_str() {
            "" => String::new(),
            words => format!(": {words}"),
        };
        text.push_str(&format!("# --set {} ({}{default}){words}\n", input.name, input.kind));
    }
    print(&format!("{text}\n{}", found.text))?;
    Ok(0)
}
