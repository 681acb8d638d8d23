//! `genstore export`: tables, or the result of a query, to files for other tools.

use std::ffi::OsString;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::ask::{LazyStore, Moment, stdout};
use super::steer::block_on;
use super::{Context, print, progress};
use crate::clock::moment_us;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;
use crate::export::{
    Destination, Exported, PROFILES, Profile, ROWS_PER_FILE, Request, What, Written, export,
    profile,
};
use crate::output::{Format, escape};
use crate::repl::table_by_name;

/// What the bar shows.
const BAR: &str = "{spinner} {msg} {elapsed}";

/// Write tables, or the result of a query, to files for other tools
///
/// One folder per table, and _manifest.json with columns, rows and digests, which is written last:
/// where it is, the export is complete. Every file is read back before it counts. What an export
/// that was cut off has left is removed by the next one into the same folder; other files are never
/// touched. A folder of Parquet files is a Delta table, too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write to, or an address: s3://BUCKET/PATH, gs://…, az://…; made if it is not
    /// there
    #[arg(long, value_name = "DIR|URL")]
    to: OsString,
    /// Tables to export [default: all]
    #[arg(value_name = "TABLE", conflicts_with = "query")]
    tables: Vec<String>,
    /// Export the result of a query instead
    #[arg(long, value_name = "SQL")]
    query: Option<String>,
    /// Name of the result, and of its folder
    #[arg(long, default_value = "query", requires = "query")]
    name: String,
    /// The tool that is to read it
    #[arg(
        long = "for",
        value_name = "PROFILE",
        default_value = "parquet",
        hide_default_value = true
    )]
    #[arg(value_parser = profiles())]
    profile: &'static Profile,
    /// A folder for each day, dt=2026-11-22: of the row's own time, or of its run where it has none
    #[arg(long, value_name = "UNIT")]
    partition_by: Option<Partition>,
    /// Only runs that began at a time or later (2026-11-22, 2026-11-22T10:00:00Z, or 30d), each
    /// with everything that belongs to it; other rows by their own time, and contracts whole
    #[arg(long, value_name = "TIME|AGE", conflicts_with = "query")]
    since: Option<String>,
    /// Go on where the last --incremental export into this folder ended; without one, begin
    ///
    /// Takes each run once, when it has ended, whoever wrote it and however late; without
    /// step_latency, whose rows are merged. Tables, profile and partitions must be those of before.
    #[arg(long, conflicts_with = "query")]
    incremental: bool,
    /// Replace an earlier export in a folder that is not empty; other files stay
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    moment: Moment,
}

/// How files are divided into folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Partition {
    /// By day, in UTC.
    Day,
}

/// A parser of profiles: clap lists them with whom they are for, and offers the nearest to a typo.
fn profiles() -> impl TypedValueParser<Value = &'static Profile> {
    let values = PROFILES.iter().map(|it| PossibleValue::new(it.name).help(it.whom));
    PossibleValuesParser::new(values).try_map(|it| profile(&it))
}

impl Args {
    fn what(&self) -> Result<What> {
        if let Some(sql) = &self.query {
            return Ok(What::Query { name: self.name.clone(), sql: sql.clone() });
        }
        let mut tables = Vec::new();
        for name in &self.tables {
            let table = table_by_name(name)?;
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        if tables.is_empty() {
            let all = Table::ALL.iter().copied();
            tables = all.filter(|it| !self.incremental || *it != Table::StepLatency).collect();
        }
        Ok(What::Tables(tables))
    }

    fn since_us(&self, now_us: i64) -> Result<Option<i64>> {
        let Some(text) = &self.since else { return Ok(None) };
        let hint = "Write it as 2026-11-22, 2026-11-22T10:00:00Z, or 30d for 30 days ago.";
        let Some(since_us) = moment_us(text.trim(), now_us) else {
            let error = Error::usage(format!("{} is no time", escape(text)));
            return Err(error.with_hint(hint));
        };
        if since_us > now_us {
            let error = Error::usage(format!("{} is in the future", escape(text)));
            return Err(error.with_hint(hint));
        }
        Ok(Some(since_us))
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let (what, now_us) = (args.what()?, context.clock.now_us());
    let since_us = args.since_us(now_us)?;
    let to = Destination::parse(&args.to, &context.env.remote)?;
    let store = Arc::new(LazyStore::new(&context.store));
    // rows of a table in their order, so that they prune; a query may do as it likes
    let mut reader = match &what {
        What::Tables(_) => context.reader_in_order(Arc::clone(&store)),
        What::Query { .. } => context.reader_of_all(Arc::clone(&store)),
    };
    args.moment.set(&mut reader)?;
    let session = reader.session()?;
    let request = Request {
        what,
        to,
        profile: args.profile,
        by_day: args.partition_by.is_some(),
        since_us,
        incremental: args.incremental,
        force: args.force,
        rows_per_file: ROWS_PER_FILE,
        threads: 0,
        id: context.ids.next_id(),
        now_us,
        as_of_us: reader.as_of_us(),
        store: context.store.clone(),
        store_id: store.get()?.id().to_owned(),
    };
    let bar = progress::bar(BAR, 0, context);
    let shown = bar.clone();
    let mut exported = None;
    let done = block_on(context, async |cancel| {
        let work = tokio::task::spawn_blocking(move || {
            export(&session, &request, &mut |it| {
                shown.set_message(format!("{} rows", it.rows));
                shown.tick();
                match cancel.is_cancelled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        });
        let ended = work.await;
        exported = Some(ended.map_err(|it| Error::internal("the export ended").with_source(it))??);
        Ok(())
    });
    bar.finish_and_clear();
    // asked to end when all was done already: it is done
    let done = done.map_err(|it| match it.kind() {
        ErrorKind::Interrupted => {
            Error::new(ErrorKind::Interrupted, "interrupted; nothing was exported")
        }
        _ => it,
    });
    let exported = exported.map_or_else(|| done.and(Err(Error::internal("no report"))), Ok)?;
    context.shell(Format::Table, false)?.write(&summary(&exported.written)?, &mut stdout())?;
    print(&notes(&exported)).map(|()| 0)
}

/// One row per table: what was written.
fn summary(written: &[Written]) -> Result<RecordBatch> {
    let ints = |value: &dyn Fn(&Written) -> u64| -> ArrayRef {
        let values = written.iter().map(|it| i64::try_from(value(it)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(values))
    };
    let names = StringArray::from_iter_values(written.iter().map(|it| &it.name));
    RecordBatch::try_from_iter([
        ("table", Arc::new(names) as ArrayRef),
        ("rows", ints(&|it| it.rows)),
        ("files", ints(&|it| it.files)),
        ("bytes", ints(&|it| it.size_bytes)),
    ])
    .map_err(|source| Error::internal("cannot build a summary").with_source(source))
}

/// What became NULL, and what was left out.
fn notes(exported: &Exported) -> String {
    let mut text = String::new();
    for (written, table) in exported.written.iter().zip(&exported.manifest.tables) {
        let name = &table.name;
        if written.nulled > 0 {
            let columns: Vec<&str> = table.nulled.keys().map(String::as_str).collect();
            let (count, columns) = (written.nulled, columns.join(", "));
            let _ = writeln!(text, "{count} values of {name} were no finite number: {columns}");
        }
        if !table.left_out.is_empty() {
            let _ = writeln!(text, "{name} is without {}", table.left_out.join(", "));
        }
    }
    text
}
