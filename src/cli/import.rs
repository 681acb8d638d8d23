//! `genstore import`: files of other tools, or an export, into the tables of the store.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::ask::{format_parser, stdout};
use super::steer::block_on;
use super::{Context, print, progress};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::export::FileFormat;
use crate::import::{FORMATS, ImportedTable, Report, Request, Target, import};
use crate::output::{Format, escape};
use crate::repl::table_by_name;

/// What the bar shows while files are read.
const BAR: &str = "{bar:40} {bytes}/{total_bytes} {msg} {elapsed}";

/// Bring files into the tables: Parquet, NDJSON or CSV, or a whole exported folder
///
/// Columns are matched by name; `genstore schema` lists them. A column that may be NULL can be
/// lacking. A value is taken exactly or refused with its file, row and column, and then nothing is
/// imported. A file that the store has taken before is left out, so that an import that broke off
/// is simply done again. Importing steps also makes their sketches in step_latency, unless the
/// folder brings its own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A table and its files, or one folder that `genstore export` wrote
    #[arg(required = true, value_names = ["TABLE", "FILE"])]
    what: Vec<PathBuf>,
    /// Format of the files [default: by their names]
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = format_parser::<FileFormat>(FORMATS.map(FileFormat::as_str)))]
    format: Option<FileFormat>,
    /// Leave out columns that the table has not
    #[arg(long)]
    ignore_unknown: bool,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    fn target(&self) -> Result<Target> {
        let hint = "`genstore import TABLE FILE` names it.";
        match self.what.as_slice() {
            [folder] if folder.is_dir() => Ok(Target::Folder(folder.clone())),
            [only] if only.exists() => {
                let message = format!("of which table is {}?", only.display());
                Err(Error::usage(message).with_hint(hint))
            }
            [only] => {
                let message = match only.to_str().and_then(Table::by_name) {
                    Some(table) => format!("no file of {} is named", table.name()),
                    None => format!("there is no folder {}", only.display()),
                };
                Err(Error::usage(message).with_hint(hint))
            }
            [table, files @ ..] => {
                let table = table_by_name(&table.to_string_lossy())?;
                Ok(Target::Table(table, files.to_vec()))
            }
            [] => Err(Error::usage("nothing to import is named").with_hint(hint)),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let request = Request {
        target: args.target()?,
        format: args.format,
        ignore_unknown: args.ignore_unknown,
        dry_run: args.dry_run,
        limits: context.settings.import.limits(),
        load: context.settings.import.load(),
        store: context.settings.store.clone(),
    };
    let bar = progress::bar(BAR, 0, context);
    let (store, shown) = (context.store.clone(), bar.clone());
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let mut report = None;
    let done = block_on(context, async |cancel| {
        let work = tokio::task::spawn_blocking(move || {
            import(&store, &request, clock, ids, &mut |it| {
                shown.set_length(it.bytes_total);
                shown.set_position(it.bytes_done);
                shown.set_message(format!("{} rows", it.rows));
                if cancel.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        });
        let ended = work.await;
        report = Some(ended.map_err(|it| Error::internal("the import ended").with_source(it))??);
        Ok(())
    });
    bar.finish_and_clear();
    // asked to end when all was done already: it is done
    let report = report.map_or_else(|| done.and(Err(Error::internal("no report"))), Ok)?;
    if args.json {
        return print(&format!("{:#}\n", object(&report, args.dry_run))).map(|()| 0);
    }
    context.shell(Format::Table, false)?.write(&summary(&report.tables)?, &mut stdout())?;
    let mut notes = report.notes;
    if args.dry_run {
        notes.push("nothing was written: this was a dry run".to_owned());
    }
    let notes: String = notes.iter().map(|it| format!("{}\n", escape(it))).collect();
    print(&notes).map(|()| 0)
}

fn object(report: &Report, dry_run: bool) -> Value {
    let tables = report.tables.iter().map(|it| {
        json!({
            "table": it.table.name(),
            "rows": it.rows,
            "files": it.files,
            "skipped": it.skipped,
            "bytes": it.size_bytes,
        })
    });
    json!({ "dry_run": dry_run, "tables": tables.collect::<Vec<_>>(), "notes": report.notes })
}

/// One row per table: what was imported.
fn summary(tables: &[ImportedTable]) -> Result<RecordBatch> {
    let ints = |value: &dyn Fn(&ImportedTable) -> u64| -> ArrayRef {
        let values = tables.iter().map(|it| i64::try_from(value(it)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(values))
    };
    let names = StringArray::from_iter_values(tables.iter().map(|it| it.table.name()));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("rows", ints(&|it| it.rows)),
        ("files", ints(&|it| it.files)),
        ("skipped", ints(&|it| it.skipped)),
        ("bytes", ints(&|it| it.size_bytes)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}
