//! `genstore store status`: rows, files and bytes, who writes, and what only journals hold. Changes
//! nothing.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, outlook, print, print_json};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::event::TimeUs;
use crate::output::{Format, escape};
use crate::store::{Outlook, SlotStatus, Status, Store, TableStatus};

/// Show rows, files and bytes of each table, who writes, and what only journals hold yet
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show rows and bytes of each table by month, too
    #[arg(long)]
    months: bool,
    /// Show the biggest contracts and artifacts, too; reads their sizes from the data files
    #[arg(long)]
    biggest: bool,
    /// Print one JSON object, with the months
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let store = Store::open_at_read_only(&context.store)?;
    let status = store.status()?;
    // of a damaged store, what can be told is told
    let outlook = store.outlook(context.clock.now_us());
    if args.json {
        let mut all = object(&status);
        if let Some(all) = all.as_object_mut() {
            match &outlook {
                Ok(outlook) => all.extend(outlook::object(outlook)),
                Err(error) => {
                    all.insert("outlook_damage".to_owned(), Value::from(error.in_one_line()));
                }
            }
            if args.biggest {
                all.extend(outlook::biggest_objects(context)?);
            }
        }
        return print_json(&all);
    }
    print(&heading(&status))?;
    match &outlook {
        Ok(outlook) => print(&outlook::text(outlook))?,
        Err(error) => print(&format!("{:<15} {}\n", "damage", escape(&error.in_one_line())))?,
    }
    let mut shell = context.shell(Format::Table, false)?;
    shell.write(&tables(&status, outlook.as_ref().ok())?, &mut stdout())?;
    if !status.slots.is_empty() {
        shell.write(&slots(&status)?, &mut stdout())?;
    }
    if let (Ok(outlook), true) = (&outlook, args.months) {
        shell.write(&outlook::months(outlook)?, &mut stdout())?;
    }
    if args.biggest {
        return outlook::print_biggest(&mut shell, context);
    }
    Ok(0)
}

fn object(status: &Status) -> Value {
    let time = |it: Option<TimeUs>| it.map(|it| rfc3339(it.0));
    let table = |it: &TableStatus| {
        json!({
            "table": it.table.name(), "rows": it.rows(), "journal_rows": it.hot_rows,
            "files": it.files, "size_bytes": it.size_bytes, "version": it.version,
            "checkpoint": it.checkpoint, "damage": it.damage,
        })
    };
    let slot = |it: &SlotStatus| {
        json!({
            "slot": it.number, "holder": it.holder, "flushed": it.flushed,
            "open_runs": it.open_runs, "waiting_files": it.waiting_files,
            "journal_files": it.journal_files, "journal_bytes": it.journal_bytes,
        })
    };
    json!({
        "path": status.path.display().to_string(),
        "state": status.state.as_ref().map(|it| it.display().to_string()),
        "store_id": status.store_id,
        "format_version": status.format_version,
        "created": status.created,
        "oldest_run": time(status.oldest),
        "lag_rows": status.lag_rows,
        "lag_since": time(status.lag_since),
        "journal_files": status.journal_files,
        "journal_bytes": status.journal_bytes,
        "index_bytes": status.index_bytes,
        "damage": status.damage,
        "tables": status.tables.iter().map(table).collect::<Vec<_>>(),
        "slots": status.slots.iter().map(slot).collect::<Vec<_>>(),
    })
}

fn heading(status: &Status) -> String {
    let path = status.path.display().to_string();
    let state = status.state.as_ref().map(|it| escape(&it.display().to_string()).into_owned());
    let since = status.lag_since.map(|it| format!(", since {}", rfc3339(it.0)));
    let mut lines = vec![
        ("store", escape(&path).into_owned()),
        ("local state", state.unwrap_or_default()),
        ("id", status.store_id.clone()),
        ("format version", status.format_version.to_string()),
        ("created", status.created.clone()),
        ("oldest run", status.oldest.map_or_else(|| "none".to_owned(), |it| rfc3339(it.0))),
        (
            "journal",
            format!(
                "{} bytes in {} files, {} rows not in the tables yet{}",
                status.journal_bytes,
                status.journal_files,
                status.lag_rows,
                since.unwrap_or_default()
            ),
        ),
    ];
    lines.extend(status.index_bytes.map(|it| ("index", format!("{it} bytes"))));
    let damage = status.tables.iter().filter_map(|it| it.damage.as_ref());
    for text in status.damage.iter().chain(damage) {
        lines.push(("damage", escape(text).into_owned()));
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines.into_iter().map(|(name, value)| format!("{name:<15} {value}\n")).collect()
}

fn tables(status: &Status, outlook: Option<&Outlook>) -> Result<RecordBatch> {
    let ints = |value: fn(&TableStatus) -> Option<u64>| -> ArrayRef {
        let readable = |it: &TableStatus| value(it).filter(|_| it.damage.is_none());
        Arc::new(status.tables.iter().map(|it| int(readable(it)?)).collect::<Int64Array>())
    };
    let names = StringArray::from_iter_values(status.tables.iter().map(|it| it.table.name()));
    let growth = |it: &TableStatus| {
        let growth = outlook?.growth.iter().find(|of| of.table == it.table);
        int(growth.map_or(0, |it| it.bytes_per_day))
    };
    let growth: Int64Array = status.tables.iter().map(growth).collect();
    batch([
        ("table", Arc::new(names) as ArrayRef),
        ("rows", ints(|it| Some(it.rows()))),
        ("journal_rows", ints(|it| Some(it.hot_rows))),
        ("files", ints(|it| Some(it.files))),
        ("bytes", ints(|it| Some(it.size_bytes))),
        ("bytes_per_day", Arc::new(growth)),
        ("version", ints(|it| it.version)),
        ("checkpoint", ints(|it| it.checkpoint)),
    ])
}

fn slots(status: &Status) -> Result<RecordBatch> {
    let ints = |value: fn(&SlotStatus) -> Option<u64>| -> ArrayRef {
        Arc::new(status.slots.iter().map(|it| int(value(it)?)).collect::<Int64Array>())
    };
    let holder = |it: &SlotStatus| match &it.holder {
        Some(process) => format!("held by process {process}"),
        None => "free".to_owned(),
    };
    let holders = StringArray::from_iter_values(status.slots.iter().map(holder));
    batch([
        ("slot", ints(|it| Some(u64::from(it.number)))),
        ("state", Arc::new(holders)),
        ("flushed", ints(|it| Some(it.flushed))),
        ("waiting_files", ints(|it| Some(it.waiting_files))),
        ("journal_files", ints(|it| Some(it.journal_files))),
        ("journal_bytes", ints(|it| Some(it.journal_bytes))),
        ("open_runs", ints(|it| it.open_runs)),
    ])
}

pub(super) fn int(value: u64) -> Option<i64> {
    Some(i64::try_from(value).unwrap_or(i64::MAX))
}

pub(super) fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<RecordBatch> {
    let columns = columns.map(|(name, values)| (name, values, true));
    RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|source| Error::internal("cannot build the status").with_source(source))
}
