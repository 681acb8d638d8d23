//! The command line: one file per command, and the one place where an error becomes text and an
//! exit code. Commands hold no logic of their own beyond arguments and printing.

mod schema;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::clock::{Clock, IdSource, SystemClock, SystemIds};
use crate::config::Environment;
use crate::error::{Error, Result};

/// Generate node packages from ONEX contracts, and ask in SQL how it went.
#[derive(Debug, Parser)]
#[command(name = "genstore", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// Folder of the store [default: $GENSTORE_STORE, else ./genstore.db]
    #[arg(long, global = true, value_name = "PATH")]
    store: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Schema(schema::Args),
}

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// The surroundings.
    pub(crate) env: Environment,
    /// The store to use, by flag, environment or default.
    pub(crate) store_path: PathBuf,
    /// Time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Ids.
    pub(crate) ids: Arc<dyn IdSource>,
}

/// Runs the command line `args` (program name first) and returns the exit code: 0 fine, 1 the work
/// failed, 2 usage, 3 a gate says no, 4 the store cannot be opened, 130 interrupted.
pub fn run(args: impl IntoIterator<Item = OsString>, env: Environment) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is all that can go wrong here, and then nobody reads.
            drop(error.print());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let color = env.terminal.color_stderr;
    let context = Context {
        store_path: env.store_path(cli.store.as_deref()),
        env,
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(SystemIds),
    };
    match dispatch(cli.command, &context) {
        Ok(code) => code,
        Err(error) => {
            print_error(&error, color);
            error.kind().exit_code()
        }
    }
}

fn dispatch(command: Command, context: &Context) -> Result<u8> {
    match command {
        Command::Schema(args) => schema::run(&args, context),
    }
}

/// Prints an error, its causes and its hint to stderr.
fn print_error(error: &Error, color: bool) {
    let (red, cyan, reset) =
        if color { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
    let mut text = format!("{red}error{reset}: {error}\n");
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("  {cyan}cause{reset}: {source}\n"));
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  {cyan}hint{reset}: {hint}\n"));
    }
    // If stderr is closed there is nobody to tell.
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Writes a command's result to stdout. A reader that has gone away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to stdout").with_source(error))
        }
        _ => Ok(()),
    }
}
