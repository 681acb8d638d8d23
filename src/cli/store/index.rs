//! `genstore store index`: the index, which may be made anew at any time. Touches nothing else.

use std::ops::ControlFlow;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{Context, print, print_json};
use crate::cli::progress;
use crate::error::Result;
use crate::output::escape;
use crate::store::{IndexStatus, Store};

/// The index, which makes lookups fast and holds nothing of its own
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the index anew from the tables
    Rebuild(Form),
    /// Show what the index knows, and how far it is behind the tables
    Status(Form),
}

#[derive(Debug, clap::Args)]
struct Form {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let store = Store::open_at_read_only(&context.store)?;
    let (form, seconds) = match &args.command {
        Command::Rebuild(form) => (form, Some(rebuild(&store, context)?)),
        Command::Status(form) => (form, None),
    };
    let status = store.index_status()?;
    let notice = store.take_index_notice();
    if form.json {
        print_json(&object(&status, notice, seconds))
    } else {
        print(&text(&status, notice, seconds)).map(|()| 0)
    }
}

/// Makes the index anew; how many seconds that took.
fn rebuild(store: &Store, context: &Context) -> Result<f64> {
    let start_ns = context.clock.monotonic_ns();
    let bar = progress::bar("{bar:40} {pos}/{len} runs {elapsed}", 0, context);
    store.rebuild_index(&mut |it| {
        bar.set_length(it.runs_total);
        bar.set_position(it.runs_done);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    Ok((context.clock.monotonic_ns() - start_ns) as f64 / 1e9)
}

fn object(status: &IndexStatus, notice: Option<String>, seconds: Option<f64>) -> Value {
    let entries = status.trees.iter().map(|it| (it.name.to_owned(), Value::from(it.entries)));
    let mut object = json!({
        "size_bytes": status.size_bytes,
        "unavailable": status.unavailable,
        "notice": notice,
        "files": status.files,
        "runs_behind": status.runs_behind,
        "entries": entries.collect::<Map<_, _>>(),
    });
    if let (Some(seconds), Some(object)) = (seconds, object.as_object_mut()) {
        object.insert("seconds".to_owned(), Value::from(seconds));
    }
    object
}

fn text(status: &IndexStatus, notice: Option<String>, seconds: Option<f64>) -> String {
    let mut lines = vec![
        ("size", format!("{} bytes", status.size_bytes)),
        ("files known", status.files.to_string()),
        ("runs behind", status.runs_behind.to_string()),
    ];
    lines.extend(status.trees.iter().map(|it| (it.name, it.entries.to_string())));
    lines.extend(status.unavailable.iter().map(|it| ("unavailable", escape(it).into_owned())));
    lines.extend(notice.map(|it| ("notice", escape(&it).into_owned())));
    lines.extend(seconds.map(|it| ("made in", format!("{it:.1} s"))));
    lines.into_iter().map(|(name, value)| format!("{name:<15} {value}\n")).collect()
}
