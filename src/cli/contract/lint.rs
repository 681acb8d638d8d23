//! `genstore contract lint`: every file's findings, drawn as asked. Judges nothing itself.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;

use super::located::{Located, locate};
use super::{Context, print};
use crate::contract::lint::rules;
use crate::contract::{lint, parse_bytes};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::output::diagnostic::write_ndjson;
use crate::output::sarif::{self, Reported, RuleText};
use crate::pipeline::source::{ContractFolder, read_contract};
use crate::replay::set;

/// Check contracts; exit code 1 when a finding is an error
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Contracts, folders or globs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
    /// Show findings of this level and above
    #[arg(long, value_enum, default_value_t)]
    level: LevelShown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FindingFormat {
    /// With the line and a caret
    #[default]
    Human,
    /// One JSON object per finding
    Ndjson,
    /// One SARIF 2.1.0 log, for code hosts and editors
    Sarif,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LevelShown {
    /// Also how each form was rewritten to the normal form
    Note,
    #[default]
    Warning,
    Error,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let least = match args.level {
        LevelShown::Note => Level::Note,
        LevelShown::Warning => Level::Warning,
        LevelShown::Error => Level::Error,
    };
    let mut counts: BTreeMap<Level, usize> = BTreeMap::new();
    let mut files = 0_usize;
    let mut kept = Vec::new();
    for path in &args.paths {
        for path in set::contracts(path)? {
            files += 1;
            for it in check(&path) {
                *counts.entry(it.finding.level).or_default() += 1;
                if it.finding.level < least {
                    continue;
                }
                match args.format {
                    FindingFormat::Human => print(&it.drawn(context.env.terminal.color_stdout))?,
                    FindingFormat::Ndjson => print(&line(&it.finding)?)?,
                    FindingFormat::Sarif => kept.push(it.finding),
                }
            }
        }
    }
    if args.format == FindingFormat::Sarif {
        print(&log(&kept)?)?;
    }
    let count = |level| counts.get(&level).copied().unwrap_or(0);
    let (errors, warnings, notes) =
        (count(Level::Error), count(Level::Warning), count(Level::Note));
    if args.format == FindingFormat::Human && context.env.terminal.stdout {
        print(&format!("{files} files: {errors} errors, {warnings} warnings, {notes} notes\n"))?;
    }
    Ok(u8::from(errors > 0))
}

/// All that is to be said of a file, in the order of its lines. A file that cannot be read is a
/// finding like any other, so that the rest of the set is still checked.
fn check(path: &Path) -> Vec<Located> {
    let uri = path.display().to_string();
    match read_contract(path) {
        Err(error) => {
            let finding = Finding::new("contract.unreadable", Level::Error, error.message());
            vec![Located { finding: finding.in_file(uri), source: None }]
        }
        Ok(bytes) => {
            let parsed = parse_bytes(&bytes, &uri, &ContractFolder::of(path));
            let mut findings = parsed.findings;
            findings.extend(parsed.contract.iter().flat_map(|it| lint(it, &uri)));
            locate(findings, path, &bytes)
        }
    }
}

fn line(finding: &Finding) -> Result<String> {
    written(|out| write_ndjson(out, finding))
}

fn log(findings: &[Finding]) -> Result<String> {
    let rules: Vec<RuleText<'_>> = rules()
        .map(|it| RuleText { id: it.id, level: it.level, summary: it.doc, why: "", fix: "" })
        .collect();
    written(|out| sarif::write(out, &rules, findings.iter().map(Reported::from)))
}

fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<String> {
    let mut text = Vec::new();
    write(&mut text)
        .map_err(|source| Error::internal("cannot write the findings").with_source(source))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
