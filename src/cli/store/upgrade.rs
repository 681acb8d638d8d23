//! `genstore store upgrade`: what older builds wrote, up to what this build writes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, print, print_json};
use crate::error::Result;
use crate::store::{Keeper, UpgradeStep};

/// Bring a store of an older genstore up to what this one writes
///
/// In place, without a change of any row or data file; the older genstore can read it until it is
/// done. An upgrade that broke off is simply done again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    let (clock, ids) = (Arc::clone(&context.clock), Arc::clone(&context.ids));
    let keeper = Keeper::open_at(&context.store, clock, ids)?;
    let keeper = keeper.with_options(&context.settings.store);
    let steps = keeper.upgrade(args.dry_run)?;
    if args.json {
        return print_json(&object(args.dry_run, &steps));
    }
    print(&text(args.dry_run, &steps)).map(|()| 0)
}

fn object(dry_run: bool, steps: &[UpgradeStep]) -> Value {
    let step = |it: &UpgradeStep| json!({ "table": it.table.map(|it| it.name()), "what": it.what });
    json!({ "dry_run": dry_run, "steps": steps.iter().map(step).collect::<Vec<_>>() })
}

fn text(dry_run: bool, steps: &[UpgradeStep]) -> String {
    if steps.is_empty() {
        return "nothing to do: the store is up to date\n".to_owned();
    }
    let mut text = String::new();
    for it in steps {
        let name = it.table.map_or("store", |it| it.name());
        text.push_str(&format!("{name:<15} {}\n", it.what));
    }
    if dry_run {
        text.push_str("nothing was changed: this is what would be done\n");
    }
    text
}
