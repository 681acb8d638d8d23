//! `genstore store`: what a store is like. Changes nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use clap::Subcommand;

use super::ask::{RowFormat, stdout};
use super::{Context, print};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::store::{Status, Store, TableStatus};

/// Look after a store
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show rows, files and bytes of each table, and what only the journal holds yet
    Status(RowFormat),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let Command::Status(RowFormat { format }) = &args.command;
    let status = Store::open_read_only(&context.store_path)?.status()?;
    if *format == Format::Table {
        print(&heading(&status))?;
    }
    context.shell(*format, false)?.write(&tables(&status)?, &mut stdout())?;
    Ok(0)
}

fn heading(status: &Status) -> String {
    let path = status.path.display().to_string();
    let lines = [
        ("store", crate::output::escape(&path).into_owned()),
        ("id", status.store_id.clone()),
        ("format version", status.format_version.to_string()),
        ("created", status.created.clone()),
        ("oldest run", status.oldest.map_or_else(|| "none".to_owned(), |it| rfc3339(it.0))),
        (
            "journal",
            format!(
                "{} bytes in {} files, {} rows not in the tables yet",
                status.journal_bytes, status.journal_files, status.lag_rows
            ),
        ),
    ];
    lines.map(|(name, value)| format!("{name:<15} {value}\n")).concat()
}

fn tables(status: &Status) -> Result<RecordBatch> {
    let ints = |value: fn(&TableStatus) -> u64| -> ArrayRef {
        let values = status.tables.iter().map(value);
        Arc::new(Int64Array::from_iter_values(
            values.map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
        ))
    };
    let names = StringArray::from_iter_values(status.tables.iter().map(|it| it.table.name()));
    let versions = status.tables.iter().map(|it| it.version.and_then(|it| i64::try_from(it).ok()));
    RecordBatch::try_from_iter_with_nullable([
        ("table", Arc::new(names) as ArrayRef, false),
        ("rows", ints(TableStatus::rows), false),
        ("journal_rows", ints(|it| it.hot_rows), false),
        ("files", ints(|it| it.files), false),
        ("bytes", ints(|it| it.size_bytes), false),
        ("version", Arc::new(versions.collect::<Int64Array>()), true),
    ])
    .map_err(|source| Error::internal("cannot build the status").with_source(source))
}
