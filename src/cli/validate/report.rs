//! What was found, as it is printed: like a compiler, one JSON object per file, or SARIF.

use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::finding::{Finding, Fix, Level};
use crate::output::diagnostic::render;
use crate::output::sarif::{self, Reported, RuleText};
use crate::python::Module;
use crate::validate::{SourceFile, fingerprint, validators};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Form {
    /// With the line and a caret
    #[default]
    Human,
    /// One JSON object per file, and one per package: findings, scores, metrics
    Ndjson,
    /// SARIF 2.1.0
    Sarif,
}

/// What was found in a file, or said of a package.
#[derive(Debug)]
pub(super) struct FileReport {
    pub(super) path: PathBuf,
    pub(super) findings: Vec<Finding>,
    pub(super) scores: Vec<(&'static str, f64)>,
    pub(super) quality: f64,
    /// Measures; none of a package, and of what is no Python.
    pub(super) metrics: Option<Value>,
    /// What the findings' places point into.
    pub(super) text: Option<String>,
}

/// How much was found.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) files: usize,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
    pub(super) suppressed: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
        self.suppressed += other.suppressed;
    }
}

impl Counts {
    /// One line about all of it.
    pub(super) fn summary(&self) -> String {
        let Self { files, errors, warnings, notes, suppressed, .. } = self;
        format!(
            "{files} files: {errors} errors, {warnings} warnings, {notes} notes, \
             {suppressed} suppressed\n"
        )
    }
}

/// What is printed of a unit.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) text: String,
    /// What a log holds that is written at the end; none in other forms.
    pub(super) findings: Vec<Finding>,
    pub(super) counts: Counts,
}

impl AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.findings.extend(other.findings);
        self.counts += other.counts;
    }
}

/// What is said of a file. JSON has all findings that are asked for, the suppressed ones, too.
pub(super) fn tell(report: &FileReport, form: Form, level: Level, color: bool) -> Told {
    let mut counts = Counts { files: usize::from(report.text.is_some()), ..Counts::default() };
    for finding in &report.findings {
        match (finding.is_suppressed(), finding.level) {
            (true, _) => counts.suppressed += 1,
            (false, Level::Error) => counts.errors += 1,
            (false, Level::Warning) => counts.warnings += 1,
            (false, Level::Note) => counts.notes += 1,
        }
    }
    let shown: Vec<&Finding> = report.findings.iter().filter(|it| it.level >= level).collect();
    let text = match form {
        Form::Human => {
            let counting = shown.iter().filter(|it| !it.is_suppressed());
            counting.map(|it| render(it, report.text.as_deref(), color)).collect()
        }
        Form::Ndjson => object(report, &shown),
        Form::Sarif => String::new(),
    };
    let findings = match form {
        Form::Sarif => shown.into_iter().cloned().collect(),
        Form::Human | Form::Ndjson => Vec::new(),
    };
    Told { text, findings, counts }
}

fn object(report: &FileReport, shown: &[&Finding]) -> String {
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    let mut scores: Map<String, Value> = report
        .scores
        .iter()
        .map(|(name, score)| ((*name).to_owned(), json!(tenth(*score))))
        .collect();
    scores.insert("overall".to_owned(), json!(tenth(report.quality)));
    let findings: Vec<Value> = shown.iter().map(|it| finding_object(it)).collect();
    let object = json!({
        "path": report.path.display().to_string(),
        "findings": findings,
        "metrics": report.metrics,
        "scores": scores,
    });
    format!("{object}\n")
}

fn finding_object(finding: &Finding) -> Value {
    let span = finding.span;
    let fix = |it: &Fix| {
        json!({
            "start_line": it.span.start_line,
            "start_column": it.span.start_column,
            "end_line": it.span.end_line,
            "end_column": it.span.end_column,
            "replacement": it.replacement,
        })
    };
    json!({
        "rule_id": finding.rule_id,
        "level": finding.level.as_str(),
        "message": finding.message,
        "start_line": span.map(|it| it.start_line),
        "start_column": span.map(|it| it.start_column),
        "end_line": span.map(|it| it.end_line),
        "end_column": span.map(|it| it.end_column),
        "help": finding.help,
        "fix": finding.fix.as_ref().map(fix),
        "suppression": finding.suppression,
        "fingerprint": fingerprint(finding),
    })
}

/// The measures of a file, by radon's definitions.
pub(super) fn metrics(file: &SourceFile) -> Value {
    let module = &file.module;
    let (lines, halstead) = (module.metrics.lines, module.metrics.halstead);
    let functions = module.functions.iter().map(|it| {
        json!({
            "name": qualified(module, it.site.function, it.site.class, &it.name),
            "line": module.line(it.place),
            "complexity": it.complexity,
        })
    });
    let classes = module.classes.iter().map(|it| {
        json!({
            "name": qualified(module, it.site.function, it.site.class, &it.name),
            "line": module.line(it.place),
            "complexity": it.complexity,
        })
    });
    json!({
        "maintainability": module.metrics.maintainability_percent(),
        "complexity": module.metrics.complexity,
        "functions": functions.collect::<Vec<_>>(),
        "classes": classes.collect::<Vec<_>>(),
        "halstead": {
            "distinct_operators": halstead.distinct_operators,
            "distinct_operands": halstead.distinct_operands,
            "operators": halstead.operators,
            "operands": halstead.operands,
            "volume": halstead.volume(),
        },
        "lines": {
            "total": lines.total,
            "logical": lines.logical,
            "source": lines.source,
            "comments": lines.comments,
            "multi": lines.multi,
            "blank": lines.blank,
            "single_comments": lines.single_comments,
        },
    })
}

/// A name with those of the classes and functions around it.
fn qualified(module: &Module, function: Option<u32>, class: Option<u32>, name: &str) -> String {
    let mut parts = vec![name];
    let (mut function, mut class) = (function, class);
    // a site names the innermost of each; the class is inside of the function
    while function.is_some() || class.is_some() {
        let around = class.and_then(|it| module.classes.get(it as usize));
        if let Some(around) = around {
            parts.push(&around.name);
            (function, class) = (around.site.function, around.site.class);
        } else if let Some(around) = module.function(function) {
            parts.push(&around.name);
            (function, class) = (around.site.function, around.site.class);
        } else {
            break;
        }
    }
    parts.reverse();
    parts.join(".")
}

/// All findings as one SARIF log, with the rules that were applied.
pub(super) fn sarif(findings: &[Finding], applied: &BTreeSet<&'static str>) -> Result<String> {
    let rules = validators().iter().flat_map(|it| it.rules());
    let rules: Vec<RuleText<'_>> = rules
        .filter(|it| applied.contains(it.id))
        .map(|it| RuleText {
            id: it.id,
            level: it.level,
            summary: it.summary,
            why: it.why,
            fix: "",
        })
        .collect();
    let reported =
        findings.iter().map(|it| Reported { finding: it, suppressed: it.suppression.as_deref() });
    let mut log = Vec::new();
    sarif::write(&mut log, &rules, reported)
        .map_err(|source| Error::internal("cannot write the findings").with_source(source))?;
    Ok(String::from_utf8_lossy(&log).into_owned())
}
