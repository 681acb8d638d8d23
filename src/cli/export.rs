//! `genstore export`: tables to files for other tools.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::Context;
use super::ask::{LazyStore, Moment, format_parser, stdout};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::export::{FileFormat, Manifest, Options, ROWS_PER_FILE, export};
use crate::output::Format;
use crate::repl::table_by_name;

/// Write tables to files: one folder per table, and a manifest
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Tables to export [default: all]
    tables: Vec<String>,
    /// Format of the files
    #[arg(long, value_name = "FORMAT", default_value_t)]
    #[arg(value_parser = format_parser::<FileFormat>(FileFormat::ALL.map(FileFormat::as_str)))]
    format: FileFormat,
    /// Replace an earlier export of the same tables in a folder that is not empty
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    moment: Moment,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let mut tables = Vec::new();
    for name in &args.tables {
        let table = table_by_name(name)?;
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    let store = Arc::new(LazyStore::new(&context.store));
    let mut reader = context.reader_of_all(store);
    args.moment.set(&mut reader)?;
    let options = Options {
        to: args.to.clone(),
        tables: if tables.is_empty() { Table::ALL.to_vec() } else { tables },
        format: args.format,
        force: args.force,
        rows_per_file: ROWS_PER_FILE,
        now_us: context.clock.now_us(),
        as_of_us: reader.as_of_us(),
    };
    let session = reader.session()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|source| Error::failed("cannot start a runtime").with_source(source))?;
    let manifest = runtime.block_on(export(&session, &options))?;
    context.shell(Format::Table, false)?.write(&summary(&manifest)?, &mut stdout())?;
    Ok(0)
}

/// One row per table: what was written.
fn summary(manifest: &Manifest) -> Result<RecordBatch> {
    let tables = &manifest.tables;
    let int = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let ints = |value: &dyn Fn(usize) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..tables.len()).map(|it| int(value(it)))))
    };
    let names = StringArray::from_iter_values(tables.iter().map(|it| it.name));
    let rows = ints(&|it| tables.get(it).map_or(0, |it| it.rows));
    let files = ints(&|it| tables.get(it).map_or(0, |it| it.files.len() as u64));
    let bytes =
        ints(&|it| tables.get(it).map_or(0, |it| it.files.iter().map(|it| it.size_bytes).sum()));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("rows", rows),
        ("files", files),
        ("bytes", bytes),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}
