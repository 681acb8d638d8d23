//! `genstore sql`: statements from an argument, a file or stdin.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Context;
use super::ask::{Bounds, Moment, RowFormat, stdout};
use super::steer::end_when_asked;
use crate::error::{Error, IoContext, Result};
use crate::repl::BYTE_ORDER_MARK;

/// Longest script.
const SCRIPT_BYTES_MAX: u64 = 16 << 20;

/// Ask in SQL
///
/// Runs every statement in order and stops at the first error. A query sees the store at one
/// moment, also while a replay is writing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The statements; `-` reads them from stdin
    #[arg(conflicts_with = "file")]
    query: Option<String>,
    /// Read the statements from a file
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    format: RowFormat,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    moment: Moment,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let (text, uri) = match (&args.file, args.query.as_deref()) {
        (Some(path), _) => (read_file(path)?, Some(path.display().to_string())),
        (None, Some("-")) => {
            (read(std::io::stdin(), Path::new("stdin"))?, Some("stdin".to_owned()))
        }
        (None, Some(query)) => (query.to_owned(), None),
        (None, None) => {
            return Err(Error::usage("sql needs a QUERY").with_hint(
                "Give one in quotes, `-f FILE`, or `-` for stdin; `genstore repl` is the shell.",
            ));
        }
    };
    end_when_asked()?;
    let mut shell = context.shell(args.format.format, true)?;
    args.bounds.set(shell.reader());
    args.moment.set(shell.reader())?;
    let done = shell.run_script(&text, &mut stdout());
    Ok(done.map_or_else(|failure| context.print_failure(&failure, uri.as_deref()), |_| 0))
}

fn read_file(path: &Path) -> Result<String> {
    read(std::fs::File::open(path).context("open", path)?, path)
}

fn read(input: impl Read, path: &Path) -> Result<String> {
    let mut text = String::new();
    let size = input.take(SCRIPT_BYTES_MAX + 1).read_to_string(&mut text).context("read", path)?;
    if size as u64 > SCRIPT_BYTES_MAX {
        let (path, max) = (path.display(), SCRIPT_BYTES_MAX >> 20);
        return Err(Error::invalid(format!("{path} is longer than {max} MiB")));
    }
    if text.starts_with(BYTE_ORDER_MARK) {
        text.remove(0);
    }
    Ok(text)
}
