//! `genstore contract`: what a contract says, and what is wrong with it. Needs no store.

use clap::Subcommand;

use super::{Context, print};
use crate::error::Result;

mod diff;
mod infer;
mod lint;
mod located;
mod made;
mod mend;
mod new;
mod rules;
mod schema;
mod show;

/// Check, mend, compare and show contracts; make one of a task or of code
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lint(lint::Args),
    Show(show::Args),
    Diff(diff::Args),
    New(new::Args),
    Infer(infer::Args),
    Rules(rules::Args),
    Schema(schema::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::Lint(args) => lint::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::Diff(args) => diff::run(args, context),
        Command::New(args) => new::run(args, context),
        Command::Infer(args) => infer::run(args, context),
        Command::Rules(args) => rules::run(args),
        Command::Schema(_) => schema::run(),
    }
}
