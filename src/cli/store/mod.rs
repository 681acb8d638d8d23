//! `genstore store`: looking after a store.

mod check;
mod compact;
mod copy;
mod index;
mod status;
mod upgrade;

use clap::Subcommand;

use super::{Context, print};
use crate::error::Result;

/// Look after a store
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Args),
    Check(check::Args),
    Compact(compact::Args),
    Index(index::Args),
    Copy(copy::Args),
    Upgrade(upgrade::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::Status(args) => status::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Compact(args) => compact::run(args, context),
        Command::Index(args) => index::run(args, context),
        Command::Copy(args) => copy::run(args, context),
        Command::Upgrade(args) => upgrade::run(args, context),
    }
}

/// Prints one JSON object.
fn print_json(value: &serde_json::Value) -> Result<u8> {
    print(&format!("{value:#}\n")).map(|()| 0)
}
