//! `genstore store pin`, `unpin` and `pins`: which batches retention keeps, whatever their age.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::ask::stdout;
use super::{Context, print, print_json};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::output::{Format, escape};
use crate::store::{Pin, Store};

/// Keep the runs of a batch, whatever their age
#[derive(Debug, clap::Args)]
pub(crate) struct PinArgs {
    /// Id of the batch, or the beginning of it
    batch: String,
    /// What the batch stands for [default: its id]
    #[arg(long)]
    name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Keep the runs of a pinned batch no longer than others
#[derive(Debug, clap::Args)]
pub(crate) struct UnpinArgs {
    /// Id of the batch, or the beginning of it
    batch: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List the pinned batches
#[derive(Debug, clap::Args)]
pub(crate) struct PinsArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn pin(args: &PinArgs, context: &Context) -> Result<u8> {
    let now_us = context.clock.now_us();
    let pin = written(context, |store| store.pin(&args.batch, args.name.as_deref(), now_us))?;
    tell(&pin, "is pinned", args.json)
}

pub(crate) fn unpin(args: &UnpinArgs, context: &Context) -> Result<u8> {
    let now_us = context.clock.now_us();
    let pin = written(context, |store| store.unpin(&args.batch, now_us))?;
    tell(&pin, "is not pinned any more", args.json)
}

pub(crate) fn pins(args: &PinsArgs, context: &Context) -> Result<u8> {
    let pins = Store::open_at_read_only(&context.store)?.pins()?;
    if args.json {
        let pins: Vec<Value> = pins.iter().map(object).collect();
        return print_json(&json!({ "pins": pins }));
    }
    context.shell(Format::Table, false)?.write(&table(&pins)?, &mut stdout())?;
    Ok(0)
}

/// Opens the store, which must be there, for one row.
fn written(context: &Context, write: impl FnOnce(&Store) -> Result<Pin>) -> Result<Pin> {
    drop(Store::open_at_read_only(&context.store)?);
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let store = Store::open_at(&context.store, context.settings.store.clone(), clock, ids)?;
    let pin = write(&store)?;
    store.close()?;
    Ok(pin)
}

fn object(pin: &Pin) -> Value {
    json!({ "batch_id": &*pin.batch_id, "name": &*pin.name, "time": rfc3339(pin.time.0) })
}

fn tell(pin: &Pin, what: &str, json: bool) -> Result<u8> {
    if json {
        return print_json(&object(pin));
    }
    let name = match pin.name == pin.batch_id {
        true => String::new(),
        false => format!(" ({})", escape(&pin.name)),
    };
    print(&format!("batch {}{name} {what}\n", escape(&pin.batch_id))).map(|()| 0)
}

fn table(pins: &[Pin]) -> Result<RecordBatch> {
    let texts = |text: fn(&Pin) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(pins.iter().map(text)))
    };
    RecordBatch::try_from_iter([
        ("batch_id", texts(|it| it.batch_id.to_string())),
        ("name", texts(|it| it.name.to_string())),
        ("since", texts(|it| rfc3339(it.time.0))),
    ])
    .map_err(|source| Error::internal("cannot build a list").with_source(source))
}
