//! `genstore replay`: every contract of a set, as one batch, with a summary from the store.

use std::io::Write;

use crate::error::{Error, Result};
use crate::event::BatchRow;
use crate::output::{Format, RowWriter};
use crate::pipeline::Report;
use crate::replay::{Batch, report, set};
use crate::sql::Session;

use super::steer::steered;
use super::work::WorkArgs;
use super::{Context, print, progress};

/// Run every contract of a set and record the batch
///
/// The set is a folder (every *.yaml and *.yml below it, but nothing below folders named
/// `subcontracts`), a file or a glob. The summary at the end is the canned query `batch_summary`.
/// Ctrl-C starts no further run and ends those that work; a second one leaves at once. SIGUSR1
/// pauses: no step starts, what works ends, and the times of runs that have begun go on; SIGUSR2
/// goes on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder, file or glob
    set: String,
    /// Name of the batch
    #[arg(long)]
    name: Option<String>,
    /// Go on with a batch that was killed or cancelled, by its id or the beginning of it; `last` is
    /// the newest. A new batch takes over every run of the earlier one that had ended with success
    /// or failure and whose contract, templates and genstore are the same still, and does the
    /// others. A success whose package is no longer in --out is done again
    #[arg(long, value_name = "BATCH")]
    resume: Option<String>,
    /// Form of the summary: table, json, csv or markdown; `ndjson` prints no summary but one JSON
    /// object per run, as soon as its rows are durable
    #[arg(long, default_value = "table", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    work: WorkArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let files = set::contracts(&args.set)?;
    let workshop = args.work.open(context)?;
    let total = files.len();
    let batch = Batch {
        name: args.name.clone(),
        uri: args.set.clone(),
        files,
        resume: args.resume.clone(),
    };
    let row = steered(context, async |cancel| {
        let mut line = progress::Runs::new(total, &cancel, context);
        if args.resume.is_some() {
            line.say("looks for what is done");
        }
        let seen = |report: &Report| {
            line.seen(report);
            if args.format == Format::Ndjson {
                line.aside(|| print(&format!("{}\n", report::json(report))))?;
            }
            Ok(())
        };
        workshop.replay(batch, &cancel, seen).await
    })?;
    let store = workshop.recorder.store();
    if args.format != Format::Ndjson {
        summary(&store.snapshot()?, &row.batch_id, args.format, context)?;
    }
    store.flush()?;
    say_next(&row, args, context);
    Ok(u8::from(row.failed > 0))
}

/// Says on stderr what was taken over, and what to ask next: when runs did not succeed, and to a
/// person.
fn say_next(row: &BatchRow, args: &Args, context: &Context) {
    let mut said = String::new();
    if let Some(from) = row.resumed_from.as_ref().filter(|_| context.env.terminal.stderr) {
        let rest = if row.cached == row.total { "; nothing was left to do" } else { "" };
        said = format!("{} of {} runs were taken over from {from}{rest}\n", row.cached, row.total);
    }
    let text = if row.failed > 0 {
        let (failed, total) = (row.failed, row.total);
        let why = format!("genstore query failures batch_id={}", row.batch_id);
        format!("{failed} of {total} runs did not succeed; why: {why}\n")
    } else if context.env.terminal.stderr {
        let (out, store) = (args.work.out(context).display(), context.store.path().display());
        format!("Packages are in {out}, the history is in {store}; ask: genstore query\n")
    } else {
        return;
    };
    // If stderr is closed there is nobody to tell.
    drop(std::io::stderr().write_all(format!("{said}{text}").as_bytes()));
}

/// Prints the summary of a batch, as any other reader of the store would get it.
fn summary(
    snapshot: &crate::store::snapshot::Snapshot,
    batch_id: &str,
    format: Format,
    context: &Context,
) -> Result<()> {
    let clock = std::sync::Arc::clone(&context.clock);
    let session = Session::new(snapshot, context.settings.sql.clone().unbounded(), clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::internal("cannot start a runtime").with_source(source))?;
    let output = runtime.block_on(session.canned("batch_summary", &[("batch_id", batch_id)]))?;
    let stdout = std::io::stdout().lock();
    let mut writer = RowWriter::new(stdout, format, context.look(), &output.schema)?;
    for batch in &output.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(())
}
