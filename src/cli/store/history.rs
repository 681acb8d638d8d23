//! `genstore store history`: what was done to the tables, and why. Changes nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print_json};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::repl::table_by_name;
use crate::store::{Change, Commit, Store};

/// Show what was done to the tables, newest first: flushes, compactions, retentions, imports
///
/// The times are points for --as-of. Logs are cleaned up, so this reaches back some time only.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One table [default: all]
    table: Option<String>,
    /// Show so many commits at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let table = args.table.as_deref().map(table_by_name).transpose()?;
    let commits = Store::open_at_read_only(&context.store)?.history(table, args.limit)?;
    if args.json {
        let commits: Vec<Value> = commits.iter().map(object).collect();
        return print_json(&json!({ "commits": commits }));
    }
    context.shell(Format::Table, false)?.write(&rows(&commits)?, &mut stdout())?;
    Ok(0)
}

fn object(commit: &Commit) -> Value {
    let change =
        |it: Change| json!({ "files": it.files, "rows": it.rows, "size_bytes": it.size_bytes });
    json!({
        "time": rfc3339(commit.time.0), "table": commit.table.name(), "version": commit.version,
        "operation": commit.operation, "reason": commit.reason,
        "added": change(commit.added), "removed": change(commit.removed),
    })
}

fn rows(commits: &[Commit]) -> Result<RecordBatch> {
    let texts = |text: fn(&Commit) -> Option<String>| -> ArrayRef {
        Arc::new(commits.iter().map(text).collect::<StringArray>())
    };
    let version = |it: &Commit| i64::try_from(it.version).unwrap_or(i64::MAX);
    let versions = Int64Array::from_iter_values(commits.iter().map(version));
    RecordBatch::try_from_iter_with_nullable([
        ("time", texts(|it| Some(rfc3339(it.time.0))), true),
        ("table", texts(|it| Some(it.table.name().to_owned())), true),
        ("version", Arc::new(versions) as ArrayRef, true),
        ("operation", texts(|it| Some(it.operation.clone())), true),
        ("files", texts(|it| delta(Some(it.added.files), Some(it.removed.files))), true),
        ("rows", texts(|it| delta(it.added.rows, it.removed.rows)), true),
        ("bytes", texts(|it| delta(it.added.size_bytes, it.removed.size_bytes)), true),
        ("reason", texts(|it| it.reason.clone()), true),
    ])
    .map_err(|source| Error::internal("cannot build a list").with_source(source))
}

/// `+3 -12`; a part that is nothing is left out, one that nobody knows is a question mark.
fn delta(added: Option<u64>, removed: Option<u64>) -> Option<String> {
    let part = |sign: &str, count: Option<u64>| match count {
        Some(0) => None,
        Some(count) => Some(format!("{sign}{count}")),
        None => Some(format!("{sign}?")),
    };
    let parts: Vec<String> = part("+", added).into_iter().chain(part("-", removed)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
