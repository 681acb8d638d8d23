//! `genstore store vacuum`: deletes files that no table names any more. Decides nothing itself.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print, print_json};
use crate::error::{Error, Result};
use crate::output::Format;
use crate::store::{Age, Freed, VacuumOptions, Vacuumed, VacuumedTable, vacuum};

/// Delete data files that are part of no table any more
///
/// These are files that a compaction or a retention has replaced, and files that writers which died
/// have left. Works beside writers and readers. What the store holds now is never touched.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// Delete files this long after they were replaced. Below 24h, readers that began before fail,
    /// and --as-of reaches back no further than this
    #[arg(long, value_name = "AGE", default_value = "24h", allow_hyphen_values = true)]
    older_than: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let older_than_us = match crate::clock::duration_us(&args.older_than) {
        Some(0) => 0,
        _ => Age::parse(&args.older_than)?.us(),
    };
    let options = VacuumOptions { older_than_us, dry_run: args.dry_run };
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let vacuumed = vacuum(&context.store, options, clock, ids)?;
    if args.json {
        return print_json(&object(&vacuumed, args.dry_run));
    }
    context.shell(Format::Table, false)?.write(&table(&vacuumed)?, &mut stdout())?;
    print(&notes(&vacuumed, args)).map(|()| 0)
}

fn object(vacuumed: &Vacuumed, dry_run: bool) -> Value {
    let freed = |it: Freed| json!({ "files": it.files, "size_bytes": it.size_bytes });
    let table = |it: &VacuumedTable| {
        json!({
            "table": it.table.name(), "removed": freed(it.removed), "strays": freed(it.strays),
            "too_young": freed(it.kept),
        })
    };
    json!({
        "dry_run": dry_run,
        "tables": vacuumed.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

/// Tables of which something goes, or will.
fn table(vacuumed: &Vacuumed) -> Result<RecordBatch> {
    let files = |it: &VacuumedTable| it.removed.files + it.strays.files;
    let tables: Vec<&VacuumedTable> =
        vacuumed.tables.iter().filter(|it| files(it) + it.kept.files > 0).collect();
    let ints = |value: fn(&VacuumedTable) -> u64| -> ArrayRef {
        let value = |it: &&VacuumedTable| i64::try_from(value(it)).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_iter_values(tables.iter().map(value)))
    };
    let names = StringArray::from_iter_values(tables.iter().map(|it| it.table.name()));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("files", ints(|it| it.removed.files + it.strays.files)),
        ("bytes", ints(|it| it.removed.size_bytes + it.strays.size_bytes)),
        ("strays", ints(|it| it.strays.files)),
        ("files_too_young", ints(|it| it.kept.files)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}

fn notes(vacuumed: &Vacuumed, args: &Args) -> String {
    let all = |of: fn(&VacuumedTable) -> u64| -> u64 { vacuumed.tables.iter().map(of).sum() };
    let files = all(|it| it.removed.files + it.strays.files);
    let bytes = all(|it| it.removed.size_bytes + it.strays.size_bytes);
    let young = all(|it| it.kept.files);
    let done = if args.dry_run { "would delete" } else { "deleted" };
    let rest = match young {
        0 => String::new(),
        _ => format!("; {young} more are younger than {}", args.older_than),
    };
    format!("{done} {files} files, {bytes} bytes{rest}\n")
}
