//! `genstore pipeline list` and `components`: what can be run, and of what it is made.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde_json::json;

use super::super::ask::stdout;
use super::super::{Context, print};
use super::library;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::pipeline::catalog::{builtin, builtin_names};

/// List what there is
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// The pipelines that come with the program.
pub(super) fn pipelines(args: &Args, context: &Context) -> Result<u8> {
    let library = library(context);
    let mut rows = Vec::new();
    for found in builtin_names().filter_map(builtin) {
        let workflow = found.lower(&library).map_err(|it| super::refused(&found, &it))?;
        let parameters: Vec<&str> = workflow.parameters.iter().map(|it| it.name.as_str()).collect();
        rows.push([
            workflow.name.clone(),
            workflow.plan.len().to_string(),
            parameters.join(", "),
            workflow.description.clone(),
        ]);
    }
    write(["pipeline", "steps", "parameters", "description"], rows, args, context)
}

/// The components that steps can use.
pub(super) fn components(args: &Args, context: &Context) -> Result<u8> {
    let rows = library(context).listed().into_iter();
    let rows = rows.map(|it| [it.name, it.inputs, it.output, it.description]);
    write(["component", "inputs", "gives", "description"], rows.collect(), args, context)
}

fn write<const N: usize>(
    names: [&str; N],
    rows: Vec<[String; N]>,
    args: &Args,
    context: &Context,
) -> Result<u8> {
    if args.json {
        for row in rows {
            let entries = names.iter().zip(row).map(|(name, it)| ((*name).to_owned(), json!(it)));
            print(&format!("{}\n", serde_json::Value::Object(entries.collect())))?;
        }
        return Ok(0);
    }
    let column = |at: usize| rows.iter().map(move |row| row.get(at).map(String::as_str));
    let columns = names
        .iter()
        .enumerate()
        .map(|(at, name)| (*name, Arc::new(StringArray::from_iter(column(at))) as ArrayRef));
    let batch = RecordBatch::try_from_iter(columns)
        .map_err(|source| Error::internal("cannot build the list").with_source(source))?;
    context.shell(Format::Table, false)?.write(&batch, &mut stdout())?;
    Ok(0)
}
