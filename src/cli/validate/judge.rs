//! Reads a file or a package and applies the rules that are asked for.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{CONTRACT, Unit};
use super::report::{self, FileReport, Form, Told};
use crate::contract::{Contract, parse_bytes};
use crate::finding::{Finding, Level, Span};
use crate::pipeline::source::{ContractFolder, read_contract};
use crate::python::SIZE_BYTES_MAX;
use crate::template::package::{FileKind, Package, PackageFile};
use crate::validate::{
    SYNTAX_RULE, SourceFile, Subject, ValidateSettings, Verdict, quality_score, validators,
};

/// How it is judged, and how it is told.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rules: BTreeSet<&'static str>,
    pub(super) settings: ValidateSettings,
    pub(super) form: Form,
    pub(super) level: Level,
    pub(super) color: bool,
}

impl Judge {
    /// Judges a unit, and says so in the form that is asked for.
    pub(super) fn unit(&self, unit: &Unit) -> Told {
        let (reports, named) = match unit {
            Unit::File(path) => (vec![self.file(path)], None),
            Unit::Package { folder, files, named } => (self.package(folder, files), named.as_ref()),
        };
        let is_asked = |it: &&FileReport| named.is_none_or(|named| named.contains(&it.path));
        let mut told = Told::default();
        for report in reports.iter().filter(is_asked) {
            told += report::tell(report, self.form, self.level, self.color);
        }
        told
    }

    /// A file by itself.
    fn file(&self, path: &Path) -> FileReport {
        let uri = path.display().to_string();
        match read(path) {
            Ok(text) => {
                let subject = Subject::file(&uri, text).with_limits(self.settings.limits());
                let verdicts = self.verdicts(&subject);
                self.report(path.to_path_buf(), &verdicts, subject.sources().first())
            }
            Err(finding) => {
                let finding = finding.in_file(uri);
                let verdicts = self.sorted(&[finding]);
                self.report(path.to_path_buf(), &verdicts, None)
            }
        }
    }

    /// A package: a report per file, and one of the whole, under the path of its folder.
    fn package(&self, folder: &Path, files: &[PathBuf]) -> Vec<FileReport> {
        let (contract, text) = match contract_of(folder) {
            Ok(found) => found,
            Err(finding) => {
                let mut reports: Vec<_> = files.iter().map(|it| self.file(it)).collect();
                let verdicts = self.sorted(&[*finding]);
                reports.push(self.report(folder.to_path_buf(), &verdicts, None));
                return reports;
            }
        };
        let (package, unread) = load(folder, files, text);
        let subject = Subject::new(Arc::new(contract), Arc::new(package), unread)
            .with_limits(self.settings.limits());
        let mut whole = self.verdicts(&subject);
        let found: Vec<Finding> = whole.iter_mut().flat_map(|it| it.findings.drain(..)).collect();
        let mut reports = Vec::new();
        for path in files {
            let inside = relative(folder, path);
            let own = |it: &&Finding| it.uri.as_deref() == Some(inside.as_str());
            let own = found.iter().filter(own).cloned().map(|it| located(it, folder));
            let verdicts = self.sorted(&own.collect::<Vec<_>>());
            reports.push(self.report(path.clone(), &verdicts, subject.source(&inside)));
        }
        let names: BTreeSet<_> = files.iter().map(|it| relative(folder, it)).collect();
        let is_of_file = |it: &Finding| it.uri.as_ref().is_some_and(|uri| names.contains(uri));
        let rest = found.iter().filter(|it| !is_of_file(it)).cloned();
        let rest: Vec<Finding> = rest.map(|it| located(it, folder)).collect();
        let mut report = self.report(folder.to_path_buf(), &self.sorted(&rest), None);
        // the scores are those of the whole package
        report.scores = whole.iter().map(|it| (it.validator, it.score)).collect();
        report.quality = quality_score(&self.sorted(&found), &self.settings.weights);
        reports.push(report);
        reports
    }

    /// What the validators say, as far as it is asked for.
    fn verdicts(&self, subject: &Subject) -> Vec<Verdict> {
        let judged = validators().iter().map(|validator| {
            let mut found = validator.validate(subject).findings;
            found.retain(|it| self.rules.contains(it.rule_id));
            Verdict::new(validator.name(), found)
        });
        judged.collect()
    }

    /// Findings as verdicts of the validators that they belong to, as far as they are asked for.
    fn sorted(&self, findings: &[Finding]) -> Vec<Verdict> {
        let verdict = |name: &'static str| {
            let is_own = |it: &&Finding| {
                it.rule_id.split('.').next() == Some(name) && self.rules.contains(it.rule_id)
            };
            Verdict::new(name, findings.iter().filter(is_own).cloned().collect())
        };
        validators().iter().map(|it| verdict(it.name())).collect()
    }

    fn report(
        &self,
        path: PathBuf,
        verdicts: &[Verdict],
        source: Option<&SourceFile>,
    ) -> FileReport {
        let mut findings: Vec<Finding> =
            verdicts.iter().flat_map(|it| it.findings.iter().cloned()).collect();
        findings.sort_by_key(|it| it.span.map_or((0, 0), |at| (at.start_line, at.start_column)));
        FileReport {
            path,
            findings,
            scores: verdicts.iter().map(|it| (it.validator, it.score)).collect(),
            quality: quality_score(verdicts, &self.settings.weights),
            metrics: source.filter(|it| it.module.is_valid()).map(report::metrics),
            text: source.map(|it| it.module.source().to_owned()),
        }
    }
}

/// The path inside a package, with `/` between its parts.
fn relative(folder: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|it| it.to_string_lossy()).collect();
    parts.join("/")
}

/// A finding under the path that the user sees.
fn located(mut finding: Finding, folder: &Path) -> Finding {
    let inside = finding.uri.as_deref().unwrap_or("");
    finding.uri = Some(folder.join(inside).display().to_string());
    finding
}

/// The contract beside the files, and its text.
fn contract_of(folder: &Path) -> Result<(Contract, String), Box<Finding>> {
    let path = folder.join(CONTRACT);
    let uri = path.display().to_string();
    let wrong = |message: String| {
        let message = format!("{message}; its files are judged without it");
        let help = "`genstore contract lint` says what is wrong with it.";
        let finding = Finding::new("completeness.file", Level::Error, message);
        Box::new(finding.in_file(uri.clone()).with_help(help))
    };
    let bytes = read_contract(&path).map_err(|error| wrong(error.message().to_owned()))?;
    let parsed = parse_bytes(&bytes, &uri, &ContractFolder::of(&path));
    let contract =
        parsed.contract.ok_or_else(|| wrong("the contract cannot be read".to_owned()))?;
    Ok((contract, String::from_utf8_lossy(&bytes).into_owned()))
}

/// A package on disk, and what is wrong with files of it that cannot be read.
fn load(folder: &Path, files: &[PathBuf], contract: String) -> (Package, Vec<Finding>) {
    let name = folder.file_name().map_or_else(String::new, |it| it.to_string_lossy().into_owned());
    let contract =
        PackageFile { path: CONTRACT.to_owned(), kind: FileKind::Contract, content: contract };
    let mut package = Package { name, files: vec![contract] };
    let mut unread = Vec::new();
    for path in files {
        let inside = relative(folder, path);
        match read(path) {
            Ok(content) => {
                let kind = kind_of(&inside);
                package.files.push(PackageFile { path: inside, kind, content });
            }
            Err(finding) => unread.push(finding.in_file(inside)),
        }
    }
    package.files.sort_by(|a, b| a.path.cmp(&b.path));
    (package, unread)
}

/// What a file is by its place in a package.
fn kind_of(path: &str) -> FileKind {
    match path.split('/').next() {
        _ if path.ends_with("__init__.py") => FileKind::Package,
        Some("models") => FileKind::Model,
        Some("enums") => FileKind::Enum,
        Some("handlers") => FileKind::Handler,
        Some("tests" | "node_tests") => FileKind::Test,
        _ => FileKind::Node,
    }
}

/// The text of a Python file, or why it has none.
fn read(path: &Path) -> Result<String, Box<Finding>> {
    let wrong = |message: String, help: &str| {
        Box::new(Finding::new(SYNTAX_RULE, Level::Error, message).with_help(help))
    };
    let shown = path.display();
    let unread = |error: std::io::Error| {
        let why = match error.kind() {
            ErrorKind::NotFound => "is not there",
            ErrorKind::PermissionDenied => "may not be read",
            _ => "cannot be read",
        };
        wrong(format!("`{shown}` {why}"), "Name a Python file that can be read.")
    };
    let metadata = std::fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(wrong(format!("`{shown}` is no regular file"), "Name a Python file."));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unread)?;
    file.take(SIZE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() > SIZE_BYTES_MAX {
        let message = format!(
            "`{shown}` has {} bytes, and is not judged: {SIZE_BYTES_MAX} is the limit",
            metadata.len()
        );
        return Err(wrong(message, "Divide it; data belongs into a file of its own."));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let message = format!("`{shown}` is not UTF-8: there is a byte 0x{byte:02x}");
        let place = span_of(error.as_bytes(), at);
        Box::new(wrong(message, "Save it as UTF-8.").at(place))
    })
}

/// The place of a byte before which all is UTF-8.
fn span_of(bytes: &[u8], at: usize) -> Span {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    let line = number(before.matches('\n').count() + 1);
    let column = number(before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
    Span {
        start_line: line,
        start_column: column,
        end_line: line,
        end_column: column + 1,
        start_byte: at,
        end_byte: at + 1,
    }
}
