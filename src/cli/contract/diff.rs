//! `genstore contract diff`: what changed between two versions of a contract. Judges nothing
//! itself.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::show::normal;
use super::{Context, print};
use crate::contract::diff::{Change, Impact};
use crate::contract::{Contract, Diff, diff};
use crate::error::Result;
use crate::finding::Span;

/// Compare two versions of a contract; exit code 1 when contract_version took too small a step
///
/// Breaking changes ask for a major step (minor before 1.0.0), compatible ones for a minor (patch
/// before 1.0.0), changes of texts for a patch. Layout and spelling are no changes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The old contract
    old: PathBuf,
    /// The new contract
    new: PathBuf,
    /// Form of the changes
    #[arg(long, value_enum, default_value_t)]
    format: ChangeFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ChangeFormat {
    #[default]
    Human,
    /// One JSON object per change, and one for the version
    Ndjson,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let old = normal(&args.old, context)?;
    let new = normal(&args.new, context)?;
    let found = diff(&old, &new);
    print(&match args.format {
        ChangeFormat::Human => human(args, &old, &new, &found),
        ChangeFormat::Ndjson => lines(&old, &new, &found),
    })?;
    Ok(u8::from(!found.is_enough()))
}

fn word(impact: Impact) -> &'static str {
    match impact {
        Impact::Breaking => "breaking",
        Impact::Compatible => "compatible",
        Impact::Cosmetic => "cosmetic",
    }
}

fn human(args: &Args, old: &Contract, new: &Contract, found: &Diff) -> String {
    let mut text = String::new();
    let place = |path: &Path, span: Option<Span>| {
        span.map(|it| format!("{}:{}:{}", path.display(), it.start_line, it.start_column))
    };
    for Change { impact, path, message, old, new } in &found.changes {
        let places = [place(&args.old, *old), place(&args.new, *new)];
        let places: Vec<String> = places.into_iter().flatten().collect();
        text.push_str(&format!("{:<10}  {path}: {message}\n", word(*impact)));
        if !places.is_empty() {
            text.push_str(&format!("            {}\n", places.join(" -> ")));
        }
    }
    let taken = found.taken.map_or("went back", |it| it.as_str());
    let verdict = if found.is_enough() { "enough" } else { "too small" };
    text.push_str(&format!(
        "step asked for: {}; contract_version {} -> {}: {taken}, {verdict}\n",
        found.demanded.as_str(),
        old.version,
        new.version
    ));
    text
}

fn lines(old: &Contract, new: &Contract, found: &Diff) -> String {
    let mut text = String::new();
    for change in &found.changes {
        let object = json!({
            "impact": change.impact,
            "path": change.path,
            "message": change.message,
            "old_line": change.old.map(|it| it.start_line),
            "old_column": change.old.map(|it| it.start_column),
            "new_line": change.new.map(|it| it.start_line),
            "new_column": change.new.map(|it| it.start_column),
        });
        text.push_str(&format!("{object}\n"));
    }
    let object = json!({
        "old_version": old.version.to_string(),
        "new_version": new.version.to_string(),
        "demanded": found.demanded,
        "taken": found.taken,
        "enough": found.is_enough(),
    });
    text.push_str(&format!("{object}\n"));
    text
}
