//! `genstore contract lint`: every file's findings and verdicts, drawn as asked. Judges nothing
//! itself.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::located::{Located, locate};
use super::mend::{mended, shown, write};
use super::{Context, print};
use crate::contract::layers::explains;
use crate::contract::lint::rules;
use crate::contract::{Layer, NodeType, Verdicts, judge, lint, parse_bytes};
use crate::error::{Error, Result};
use crate::finding::{Finding, Level};
use crate::output::sarif::{self, Reported, RuleText};
use crate::pipeline::source::{ContractFolder, read_contract};
use crate::replay::set;

/// Check contracts; exit code 1 when genstore cannot make a package of one as it stands
///
/// With --profile the exit code is 1 when that validator of upstream's refuses one, and the reasons
/// are shown as errors. genstore can work with most contracts that upstream's typed models refuse.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Contracts, folders or globs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Form of the findings
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
    /// Show findings of this level and above [default: warning; note with --format ndjson]
    #[arg(long, value_enum)]
    level: Option<LevelShown>,
    /// Carry out the rewrites that have one meaning only, in the files; comments and layout stay
    #[arg(long)]
    fix: bool,
    /// Show what --fix would do, as a diff, and write nothing
    #[arg(long, requires = "fix")]
    diff: bool,
    /// Let this validator decide the exit code
    #[arg(long, value_enum)]
    profile: Option<Profile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FindingFormat {
    /// With the line and a caret
    #[default]
    Human,
    /// One JSON object per file: its verdicts and findings
    Ndjson,
    /// One SARIF 2.1.0 log, for code hosts and editors
    Sarif,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LevelShown {
    /// Also how each form was rewritten to the normal form
    Note,
    Warning,
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// The form of the original system, with its four markers
    V2,
    /// The checks of `onex compliance check` that need the contract alone
    Structural,
    /// The small model behind `onex validate`
    Minimal,
    /// The typed models, after upstream's rewrite of older forms
    Audit,
    /// The typed models as they are
    Strict,
}

impl Profile {
    fn layer(self) -> Layer {
        match self {
            Self::V2 => Layer::V2,
            Self::Structural => Layer::Structural,
            Self::Minimal => Layer::Minimal,
            Self::Audit => Layer::Audit,
            Self::Strict => Layer::Strict,
        }
    }
}

impl Args {
    fn least(&self) -> Level {
        match (self.level, self.format) {
            (Some(LevelShown::Note), _) | (None, FindingFormat::Ndjson) => Level::Note,
            (Some(LevelShown::Warning), _) | (None, _) => Level::Warning,
            (Some(LevelShown::Error), _) => Level::Error,
        }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let mut counts: BTreeMap<Level, usize> = BTreeMap::new();
    let (mut files, mut refused) = (0_usize, 0_usize);
    let mut kept = Vec::new();
    for path in &args.paths {
        for path in set::contracts(path)? {
            if args.fix && mend(&path, args)? {
                continue;
            }
            let mut checked = check(&path);
            files += 1;
            refused += usize::from(checked.apply(args.profile));
            for it in &checked.findings {
                *counts.entry(it.finding.level).or_default() += 1;
            }
            checked.findings.retain(|it| it.finding.level >= args.least());
            match args.format {
                FindingFormat::Human => {
                    for it in &checked.findings {
                        print(&it.drawn(context.env.terminal.color_stdout))?;
                    }
                }
                FindingFormat::Ndjson => print(&format!("{}\n", checked.to_json()))?,
                FindingFormat::Sarif => kept.extend(checked.findings),
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
    Ok(u8::from(refused > 0))
}

/// Carries out the safe rewrites of a file, or only shows them; says whether that is all.
fn mend(path: &Path, args: &Args) -> Result<bool> {
    let Some((before, fixed)) = mended(path) else {
        // that nothing is to be done is no news; that nothing can be done is
        return Ok(args.diff && check(path).node_type.is_some());
    };
    if args.diff {
        print(&shown(path, &before, &fixed))?;
        return Ok(true);
    }
    write(path, &fixed)?;
    for fix in fixed.fixes.iter().filter(|_| args.format == FindingFormat::Human) {
        print(&format!("{}:{}: {}\n", path.display(), fix.line, fix.what))?;
    }
    Ok(false)
}

/// A file, and all that is to be said of it in the order of its lines.
struct Checked {
    file: String,
    digest: Option<String>,
    node_type: Option<NodeType>,
    verdicts: Verdicts,
    findings: Vec<Located>,
}

/// Checks one file. One that cannot be read is a finding like any other, so that the rest of the
/// set is still checked.
fn check(path: &Path) -> Checked {
    let file = path.display().to_string();
    let bytes = match read_contract(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let finding = Finding::new("contract.unreadable", Level::Error, error.message());
            let findings = vec![Located { finding: finding.in_file(&file), source: None }];
            let (digest, node_type, verdicts) = (None, None, Verdicts::default());
            return Checked { file, digest, node_type, verdicts, findings };
        }
    };
    let parsed = parse_bytes(&bytes, &file, &ContractFolder::of(path));
    let judgement = judge(&bytes, &parsed, &file);
    let node_type = parsed.contract.as_ref().map(|it| it.node_type);
    let mut findings = parsed.findings;
    findings.extend(parsed.contract.iter().flat_map(|it| lint(it, &file)));
    findings.extend(judgement.findings);
    Checked {
        findings: locate(findings, path, &bytes),
        file,
        digest: Some(parsed.digest),
        node_type,
        verdicts: judgement.verdicts,
    }
}

impl Checked {
    /// Says whether the file is refused. What the profile refuses it for becomes an error.
    fn apply(&mut self, profile: Option<Profile>) -> bool {
        let Some(layer) = profile.map(Profile::layer) else {
            return self.findings.iter().any(|it| it.finding.level == Level::Error);
        };
        for it in &mut self.findings {
            if explains(layer, it.finding.rule_id) {
                it.finding.level = Level::Error;
            }
        }
        !self.verdicts.of(layer)
    }

    fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(|it| self.finding(it)).collect();
        json!({
            "file": self.file,
            "digest": self.digest,
            "node_type": self.node_type,
            "verdicts": self.verdicts,
            "findings": findings,
        })
    }

    /// A finding in an included file names that file.
    fn finding(&self, located: &Located) -> Value {
        let finding = &located.finding;
        let mut value = json!({
            "rule_id": finding.rule_id,
            "level": finding.level.as_str(),
            "message": finding.message,
            "start_line": finding.span.map(|it| it.start_line),
            "start_column": finding.span.map(|it| it.start_column),
        });
        if let (Some(uri), Some(map)) = (&finding.uri, value.as_object_mut())
            && *uri != self.file
        {
            map.insert("file".to_owned(), json!(uri));
        }
        value
    }
}

fn log(found: &[Located]) -> Result<String> {
    let rules: Vec<RuleText<'_>> = rules().map(super::rules::text_of).collect();
    let mut text = Vec::new();
    sarif::write(&mut text, &rules, found.iter().map(|it| Reported::from(&it.finding)))
        .map_err(|source| Error::internal("cannot write the findings").with_source(source))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
