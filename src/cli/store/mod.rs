//! `genstore store`: looking after a store.

mod check;
mod compact;
mod copy;
mod history;
mod index;
mod outlook;
mod pins;
mod retain;
mod status;
mod upgrade;
mod vacuum;

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
    History(history::Args),
    Retain(retain::Args),
    Vacuum(vacuum::Args),
    Pin(pins::PinArgs),
    Unpin(pins::UnpinArgs),
    Pins(pins::PinsArgs),
    Index(index::Args),
    Copy(copy::Args),
    Upgrade(upgrade::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::Status(args) => status::run(args, context),
        Command::Check(args) => check::run(args, context),
        Command::Compact(args) => compact::run(args, context),
        Command::History(args) => history::run(args, context),
        Command::Retain(args) => retain::run(args, context),
        Command::Vacuum(args) => vacuum::run(args, context),
        Command::Pin(args) => pins::pin(args, context),
        Command::Unpin(args) => pins::unpin(args, context),
        Command::Pins(args) => pins::pins(args, context),
        Command::Index(args) => index::run(args, context),
        Command::Copy(args) => copy::run(args, context),
        Command::Upgrade(args) => upgrade::run(args, context),
    }
}

/// Prints one JSON object.
fn print_json(value: &serde_json::Value) -> Result<u8> {
    print(&format!("{value:#}\n")).map(|()| 0)
}
