//! `genstore contract`: what a contract says, and what is wrong with it. Needs no store.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use clap::{Subcommand, ValueEnum};

use super::findings::FindingFormat;
use super::{Context, print};
use crate::contract::{Includes, Parsed, lint, parse_bytes};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::pipeline::source::{ContractFolder, read_contract};
use crate::replay::set;

/// Check contracts, or show what genstore understands of one
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Lint(Lint),
    Show(Show),
}

/// Check contracts; exit code 1 when a finding is an error
#[derive(Debug, clap::Args)]
struct Lint {
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

/// Show the normal form of a contract: one shape, in whatever form it was written
#[derive(Debug, clap::Args)]
struct Show {
    /// The contract
    path: std::path::PathBuf,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: DocumentFormat,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum LevelShown {
    /// Also how each form was rewritten to the normal form
    Note,
    #[default]
    Warning,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum DocumentFormat {
    #[default]
    Yaml,
    Json,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<u8> {
    match &args.command {
        Command::Lint(args) => lint_all(args, context),
        Command::Show(args) => show(args, context),
    }
}

fn lint_all(args: &Lint, context: &Context) -> Result<u8> {
    let least = match args.level {
        LevelShown::Note => Level::Note,
        LevelShown::Warning => Level::Warning,
        LevelShown::Error => Level::Error,
    };
    let mut counts: BTreeMap<Level, usize> = BTreeMap::new();
    let mut files = 0_usize;
    for path in &args.paths {
        for path in set::contracts(path)? {
            files += 1;
            for it in check(&path) {
                *counts.entry(it.finding.level).or_default() += 1;
                if it.finding.level >= least {
                    print(&it.text(args.format, context.env.terminal.color_stdout)?)?;
                }
            }
        }
    }
    let count = |level| counts.get(&level).copied().unwrap_or(0);
    let (errors, warnings, notes) =
        (count(Level::Error), count(Level::Warning), count(Level::Note));
    if args.format == FindingFormat::Human && context.env.terminal.stdout {
        print(&format!("{files} files: {errors} errors, {warnings} warnings, {notes} notes\n"))?;
    }
    Ok(u8::from(errors > 0))
}

/// A finding, and the text that its place is in where that can be read.
struct Located {
    finding: Finding,
    source: Option<Rc<str>>,
}

impl Located {
    fn text(&self, format: FindingFormat, color: bool) -> Result<String> {
        format.text(&self.finding, self.source.as_deref(), color)
    }
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

/// Finds each finding's text: the contract's own, or that of a file that it includes, whose name is
/// relative to the contract's folder.
fn locate(findings: Vec<Finding>, path: &Path, bytes: &[u8]) -> Vec<Located> {
    let uri = path.display().to_string();
    let own: Option<Rc<str>> = std::str::from_utf8(bytes).ok().map(Rc::from);
    let folder = ContractFolder::of(path);
    let mut located: Vec<Located> = findings
        .into_iter()
        .map(|mut finding| {
            let included = finding.uri.clone().filter(|it| *it != uri);
            let Some(included) = included else {
                return Located { finding, source: own.clone() };
            };
            let beside = path.parent().unwrap_or(Path::new("")).join(&included);
            finding.uri = Some(beside.display().to_string());
            let source = folder.read(&included).ok().map(Rc::from);
            Located { finding, source }
        })
        .collect();
    let place =
        |it: &Located| it.finding.span.map_or((0, 0), |at| (at.start_line, at.start_column));
    located.sort_by_key(|it| (it.finding.uri.as_deref() != Some(uri.as_str()), place(it)));
    located
}

fn show(args: &Show, context: &Context) -> Result<u8> {
    let uri = args.path.display().to_string();
    let bytes = read_contract(&args.path)?;
    let parsed = parse_bytes(&bytes, &uri, &ContractFolder::of(&args.path));
    let Parsed { contract: Some(contract), .. } = parsed else {
        let errors = parsed.findings.into_iter().filter(|it| it.level == Level::Error).collect();
        for it in locate(errors, &args.path, &bytes) {
            let drawn = it.text(FindingFormat::Human, context.env.terminal.color_stderr)?;
            // If stderr is closed there is nobody to tell.
            drop(std::io::Write::write_all(&mut std::io::stderr(), drawn.as_bytes()));
        }
        return Err(Error::invalid(format!("{uri} is no contract")));
    };
    let value = serde_json::to_value(&contract)
        .map_err(|source| Error::internal("cannot show the contract").with_source(source))?;
    print(&match args.format {
        DocumentFormat::Json => format!("{value:#}\n"),
        DocumentFormat::Yaml => super::yaml::document(&value),
    })?;
    Ok(0)
}
