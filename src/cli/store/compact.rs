//! `genstore store compact`: many small files of a table become few large ones, with the same rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print, print_json};
use crate::cli::progress;
use crate::error::{Error, Result};
use crate::output::{Format, escape};
use crate::repl::table_by_name;
use crate::store::{CompactOptions, Compacted, CompactedTable, Extent, Keeper, Merge};

/// Merge small data files into large, sorted ones
///
/// Works beside writers and readers; rows stay as they are. Writers do the same in small steps of
/// their own. The files that were merged stay until a vacuum.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tables to compact [default: all]
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// Only say what would be merged, and why
    #[arg(long)]
    dry_run: bool,
    /// Only take the steps that a writer takes by itself
    #[arg(long)]
    step: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let settings = &context.settings.store;
    let steps = args.step.then(|| settings.compaction.clone());
    let mut options = CompactOptions { dry_run: args.dry_run, steps, ..CompactOptions::default() };
    for name in &args.tables {
        let table = table_by_name(name)?;
        if !options.tables.contains(&table) {
            options.tables.push(table);
        }
    }
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let keeper = Keeper::open_at(&context.store, clock, ids)?.with_options(settings);
    let bar = progress::bar("{msg:12} {bar:40} {pos}/{len} rows {elapsed}", 0, context);
    let compacted = keeper.compact(&options, &mut |it| {
        bar.set_message(it.table.name());
        bar.set_length(it.rows_total);
        bar.set_position(it.rows_done);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    if args.json {
        print_json(&object(&compacted, args.dry_run))?;
    } else {
        context.shell(Format::Table, false)?.write(&table(&compacted)?, &mut stdout())?;
        print(&notes(&compacted, args.dry_run))?;
    }
    // what cannot be read is work that failed
    let failed = |it: &CompactedTable| it.skipped.is_some() || !it.left_alone.is_empty();
    Ok(u8::from(compacted.tables.iter().any(failed)))
}

fn object(compacted: &Compacted, dry_run: bool) -> Value {
    let extent = |it: Extent| json!({ "files": it.files, "size_bytes": it.size_bytes });
    let merge = |it: &Merge| {
        json!({
            "before": extent(it.before), "after": it.after.map(extent),
            "rows": it.rows, "reason": it.reason,
        })
    };
    let table = |it: &CompactedTable| {
        let left_alone = it
            .left_alone
            .iter()
            .map(|(path, reason)| json!({ "path": path.display().to_string(), "reason": reason }));
        json!({
            "table": it.table.name(),
            "before": extent(it.before), "after": extent(it.after),
            "merges": it.merges.iter().map(merge).collect::<Vec<_>>(),
            "left_alone": left_alone.collect::<Vec<_>>(),
            "skipped": it.skipped,
            "seconds": it.duration_ns as f64 / 1e9,
        })
    };
    json!({
        "dry_run": dry_run,
        "tables": compacted.tables.iter().map(table).collect::<Vec<_>>(),
    })
}

fn table(compacted: &Compacted) -> Result<RecordBatch> {
    let tables = &compacted.tables;
    let ints = |value: fn(&CompactedTable) -> u64| -> ArrayRef {
        let value = |it| i64::try_from(value(it)).unwrap_or(i64::MAX);
        Arc::new(Int64Array::from_iter_values(tables.iter().map(value)))
    };
    let names = StringArray::from_iter_values(tables.iter().map(|it| it.table.name()));
    let rows = |it: &CompactedTable| it.merges.iter().map(|it| it.rows).sum();
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("files", ints(|it| it.before.files)),
        ("files_after", ints(|it| it.after.files)),
        ("bytes", ints(|it| it.before.size_bytes)),
        ("bytes_after", ints(|it| it.after.size_bytes)),
        ("merged_rows", ints(rows)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}

/// The reasons of a dry run, and in any case what was not done.
fn notes(compacted: &Compacted, dry_run: bool) -> String {
    let mut lines = Vec::new();
    for it in &compacted.tables {
        let name = it.table.name();
        for merge in it.merges.iter().filter(|_| dry_run) {
            let (bytes, rows) = (merge.before.size_bytes, merge.rows);
            lines.push(format!("{name:12} {bytes} bytes, {rows} rows: {}", merge.reason));
        }
        lines.extend(it.skipped.iter().map(|why| format!("{name:12} skipped: {}", escape(why))));
        for (path, why) in &it.left_alone {
            let text = format!("{} is left alone: {why}", path.display());
            lines.push(format!("{name:12} {}", escape(&text)));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
