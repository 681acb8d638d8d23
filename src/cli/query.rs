//! `genstore query`: the canned queries by name.

use super::Context;
use super::ask::{Bounds, Moment, MoreQueries, RowFormat, stdout};
use super::steer::end_when_asked;
use crate::error::Result;
use crate::repl::queries;
use std::sync::Arc;

/// Ask a canned query; without a name, list them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the query
    name: Option<String>,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    more: MoreQueries,
    #[command(flatten)]
    format: RowFormat,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    moment: Moment,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    end_when_asked()?;
    let shell = context.shell(args.format.format, true)?;
    let mut shell = shell.with_queries(args.more.all(context)?);
    args.bounds.set(shell.reader());
    args.moment.set(shell.reader())?;
    let mut out = stdout();
    let Some(name) = &args.name else {
        let all = Arc::clone(shell.queries());
        for error in all.broken() {
            super::print_error(error, context.env.terminal.color_stderr);
        }
        shell.write(&queries(&all)?, &mut out)?;
        return Ok(0);
    };
    let done = shell.run_query(name, &args.params, &mut out);
    Ok(done.map_or_else(|failure| context.print_failure(&failure, None), |_| 0))
}
