//! `genstore store copy`: a store to another place, verified.

use std::ffi::OsString;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print, print_json};
use crate::cli::progress;
use crate::error::{Error, Result};
use crate::output::{Format, escape};
use crate::store::{Copied, CopiedTable, copy};

/// Copy a store to an empty place, as it is at one moment, and verify the copy
///
/// The copy is a store of its own, with all rows in its tables. A copy that broke off is no store:
/// the same command goes on with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The store that is copied
    from: OsString,
    /// Where to; made if it is not there
    to: OsString,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let bar = progress::bar("{bar:40} {bytes}/{total_bytes} {elapsed}", 0, context);
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let location = |typed: &OsString| context.env.store_location(Some(typed));
    let (from, to) = (location(&args.from)?, location(&args.to)?);
    let copied = copy(&from, &to, clock, ids, &mut |it| {
        bar.set_length(it.total_bytes);
        bar.set_position(it.done_bytes);
    })?;
    bar.finish_and_clear();
    if args.json {
        return print_json(&object(&copied));
    }
    let (from, to) = (from.path().display().to_string(), to.path().display().to_string());
    print(&format!(
        "{} is copied to {} and verified; its id is {}\n",
        escape(&from),
        escape(&to),
        copied.store_id
    ))?;
    context.shell(Format::Table, false)?.write(&tables(&copied)?, &mut stdout()).map(|_| 0)
}

fn object(copied: &Copied) -> Value {
    let table = |it: &CopiedTable| {
        json!({
            "table": it.table.name(), "rows": it.rows, "files": it.files,
            "size_bytes": it.size_bytes,
        })
    };
    json!({
        "store_id": copied.store_id,
        "tables": copied.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn tables(copied: &Copied) -> Result<RecordBatch> {
    let int = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let ints = |value: fn(&CopiedTable) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(copied.tables.iter().map(|it| int(value(it)))))
    };
    let names = StringArray::from_iter_values(copied.tables.iter().map(|it| it.table.name()));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("rows", ints(|it| it.rows)),
        ("files", ints(|it| it.files)),
        ("bytes", ints(|it| it.size_bytes)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}
