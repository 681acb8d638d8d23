//! `genstore pipeline list` and `components`: what can be run, and of what it is made.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde_json::{Value as Json, json};

use super::super::ask::stdout;
use super::super::{Context, print};
use super::library;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::pipeline::catalog::{Found, builtin, builtin_names, in_folder};
use crate::workflow::{Input, Workflow};

/// List the pipelines that come with the program, or those of a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder whose pipeline files are listed [default: those that come with the program]
    folder: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// List the components that steps can use: what each takes, and what it gives
#[derive(Debug, clap::Args)]
pub(super) struct ComponentsArgs {
    /// One of them, to list its inputs and what each means
    component: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// The pipelines that come with the program, or those of a folder.
pub(super) fn pipelines(args: &Args, context: &Context) -> Result<u8> {
    let library = library(context);
    let found = match &args.folder {
        Some(folder) => in_folder(folder)?,
        None => builtin_names().filter_map(builtin).collect(),
    };
    let rows = found.iter().map(|it| match it.lower(&library) {
        Ok(workflow) => row(it, &workflow),
        Err(findings) => {
            let faults = super::count_of(&findings);
            let words = format!("has {faults}: `genstore pipeline check {}`", it.uri);
            [it.uri.clone(), String::new(), String::new(), words]
        }
    });
    write(["pipeline", "steps", "parameters", "description"], rows.collect(), args.json, context)
}

fn row(found: &Found, workflow: &Workflow) -> [String; 4] {
    let parameters: Vec<&str> = workflow.parameters.iter().map(|it| it.name.as_str()).collect();
    [
        found.uri.clone(),
        workflow.plan.len().to_string(),
        parameters.join(", "),
        workflow.description.clone(),
    ]
}

/// The components that steps can use.
pub(super) fn components(args: &ComponentsArgs, context: &Context) -> Result<u8> {
    let library = library(context);
    if let Some(name) = &args.component {
        let rows = library.get(name)?.about().inputs.iter().map(input);
        return write(["input", "type", "default", "means"], rows.collect(), args.json, context);
    }
    let rows = library.listed().into_iter();
    let rows = rows.map(|it| [it.name, it.inputs, it.output, it.description]);
    write(["component", "inputs", "gives", "description"], rows.collect(), args.json, context)
}

fn input(input: &Input) -> [String; 4] {
    let default = match &input.default {
        Some(Json::String(text)) => text.clone(),
        Some(default) => default.to_string(),
        None if input.required => "must be given".to_owned(),
        None => String::new(),
    };
    let choices = match input.one_of.as_slice() {
        [] => String::new(),
        all => format!(": {}", all.join(", ")),
    };
    let means = format!("{}{choices}", input.description);
    [input.name.clone(), input.kind.to_string(), default, means]
}

fn write<const N: usize>(
    names: [&str; N],
    rows: Vec<[String; N]>,
    json: bool,
    context: &Context,
) -> Result<u8> {
    if json {
        for row in rows {
            let entries = names.iter().zip(row).map(|(name, it)| ((*name).to_owned(), json!(it)));
            print(&format!("{}\n", Json::Object(entries.collect())))?;
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
