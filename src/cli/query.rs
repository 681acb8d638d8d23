//! `genstore query`: the canned queries by name.

use super::Context;
use super::ask::{Moment, RowFormat, stdout};
use crate::error::Result;
use crate::repl::queries;

/// Ask a canned query; without a name, list them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the query
    name: Option<String>,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    format: RowFormat,
    #[command(flatten)]
    moment: Moment,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let mut shell = context.shell(args.format.format, false)?;
    args.moment.set(shell.reader())?;
    let mut out = stdout();
    match &args.name {
        Some(name) => shell.run_query(name, &args.params, &mut out)?,
        None => shell.write(&queries()?, &mut out)?,
    };
    Ok(0)
}
