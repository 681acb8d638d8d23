//! `genstore repl`, and plain `genstore` at a terminal.

use std::io::{BufReader, stdin};

use super::Context;
use super::ask::{RowFormat, stdout};
use crate::error::Result;
use crate::output::terminal_width;
use crate::repl::{Surroundings, interact, script};

/// Open the shell: SQL, canned queries and runs, with history and completion
///
/// When stdin is not a terminal, it is read as a script of SQL and dot commands, which stops at
/// the first error.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    format: RowFormat,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let terminal = context.env.terminal;
    let launched = context.clone();
    let launcher = Box::new(move |words: &[String]| super::launch(words, &launched));
    let mut shell = context.shell(args.format.format, terminal.stdin)?.with_launcher(launcher);
    if !terminal.stdin {
        let done = script(&mut shell, &mut BufReader::new(stdin()), &mut stdout());
        return Ok(done.map_or_else(|it| context.print_failure(&it, Some("stdin")), |()| 0));
    }
    let surroundings = Surroundings {
        state_dir: context.env.state_dir.clone(),
        color: terminal.color_stdout,
        width: terminal_width,
    };
    interact(&mut shell, &surroundings).map(|()| 0)
}
