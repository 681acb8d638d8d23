//! Comments that say that something may stay: genstore's own, and those of ruff, bandit, mypy and
//! upstream's purity check, as far as they are about what genstore's rules find. What they hide is
//! kept, with what they say.

use std::collections::HashMap;

use super::rule::{Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::error::nearest;
use crate::finding::Finding;
use crate::python::{Module, Place, inside};

/// Who reads the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// `# genstore: ignore[rule.id] reason`
    Own,
    /// `# noqa`, `# noqa: F401`, and `# ruff: noqa` for a whole file.
    Ruff,
    /// `# nosec`, `# nosec B602`
    Bandit,
    /// `# type: ignore`, `# type: ignore[name-defined]`
    Mypy,
    /// `# node-purity-ok: reason`
    Purity,
}

/// Where a suppression holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In a line.
    Line(u32),
    /// In the line after it, and, as it stands above all code, for what is said of the file.
    Head(u32),
    /// In the whole file.
    File,
}

impl Reach {
    fn is_at_head(self) -> bool {
        matches!(self, Self::Head(_))
    }
}

/// One comment that suppresses something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    reader: Reader,
    reach: Reach,
    /// What it names: rules, or other tools' codes; nothing stands for all.
    codes: Vec<String>,
    /// What it says, without the `#`.
    text: String,
    place: Place,
    /// The line that it stands in.
    line: u32,
}

/// The suppressions of a file.
pub(super) fn read(module: &Module) -> Vec<Suppression> {
    let mut found = Vec::new();
    let is_code = |it: &str| !it.trim().is_empty() && !it.trim_start().starts_with('#');
    let mut lines = (1_u32..).zip(module.source().lines());
    let first_code_line = lines.find(|(_, it)| is_code(it)).map_or(u32::MAX, |(at, _)| at);
    for place in &module.comments {
        let comment = module.text(*place);
        // one comment may speak to several tools: `# type: ignore  # noqa: F821`
        for part in comment.split('#').map(str::trim).filter(|it| !it.is_empty()) {
            if let Some((reader, codes)) = spoken_to(part) {
                let reach = reach(module, *place, first_code_line, part);
                let (text, place, line) = (part.to_owned(), *place, module.line(*place));
                found.push(Suppression { reader, reach, codes, text, place, line });
            }
        }
    }
    found
}

/// Whom a comment speaks to, and what it names.
fn spoken_to(text: &str) -> Option<(Reader, Vec<String>)> {
    let lower = text.to_lowercase();
    let after = |word: &str| {
        let rest = lower.strip_prefix(word)?;
        (!rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')).then_some(rest)
    };
    let listed = |rest: &str| {
        let inside = rest.trim_start().strip_prefix('[')?.split(']').next()?;
        let names = inside.split(',').map(|it| it.trim().to_owned());
        Some(names.filter(|it| !it.is_empty()).collect::<Vec<_>>())
    };
    if let Some(rest) = after("genstore: ignore").or_else(|| after("genstore:ignore")) {
        return Some((Reader::Own, listed(rest).unwrap_or_default()));
    }
    let whole_file = after("ruff: noqa").or_else(|| after("flake8: noqa"));
    if let Some(rest) = whole_file.or_else(|| after("noqa")) {
        return Some((Reader::Ruff, codes(rest, "")));
    }
    if let Some(rest) = after("nosec") {
        return Some((Reader::Bandit, codes(rest, "b")));
    }
    if let Some(rest) = after("type: ignore").or_else(|| after("type:ignore")) {
        return Some((Reader::Mypy, listed(rest).unwrap_or_default()));
    }
    lower.contains("node-purity-ok").then_some((Reader::Purity, Vec::new()))
}

/// Codes such as `f401` at the beginning of a text, until a word is none.
fn codes(text: &str, prefix: &str) -> Vec<String> {
    let words = text.trim_start_matches([':', ' ']).split([',', ' ']).filter(|it| !it.is_empty());
    let is_code = |word: &&str| {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        word.starts_with(prefix)
            && digits.len() < word.len()
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_ascii_digit())
    };
    words.take_while(is_code).map(str::to_owned).collect()
}

fn reach(module: &Module, place: Place, first_code_line: u32, text: &str) -> Reach {
    let lower = text.to_lowercase();
    if lower.starts_with("ruff:") || lower.starts_with("flake8:") {
        return Reach::File;
    }
    let line = module.line(place);
    let start = module.line_place(line).start;
    let is_alone = module.text(Place { start, end: place.start }).trim().is_empty();
    match is_alone {
        true if line < first_code_line => Reach::Head(line + 1),
        true => Reach::Line(line + 1),
        false => Reach::Line(line),
    }
}

impl Suppression {
    /// Whether it is about a rule.
    fn names(&self, rule: &Rule) -> bool {
        let is_named = |code: &str| {
            self.codes.is_empty() || self.codes.iter().any(|it| it.eq_ignore_ascii_case(code))
        };
        let validator = rule.id.split('.').next().unwrap_or(rule.id);
        let is_mypy = |code: &&&str| code.starts_with(|c: char| c.is_ascii_lowercase());
        match self.reader {
            Reader::Own => self.codes.iter().any(|it| it == rule.id || it == validator),
            Reader::Ruff if self.codes.is_empty() => true,
            Reader::Ruff => rule.codes.iter().any(|it| is_named(it)),
            Reader::Bandit => rule.bandit_ids().any(|it| is_named(&it)),
            Reader::Mypy => {
                rule.codes.iter().filter(is_mypy).any(|it| *it != PURITY && is_named(it))
            }
            Reader::Purity => rule.codes.contains(&PURITY),
        }
    }

    /// Whether it is about a line, and no more.
    fn is_in_line(&self, line: u32) -> bool {
        self.reach == Reach::Line(line)
    }

    /// Whether it is about the place of a finding.
    fn reaches(&self, finding: &Finding) -> bool {
        let lines = finding.span.map(|it| it.start_line..=it.end_line);
        match (self.reach, lines) {
            (Reach::File | Reach::Head(_), None) | (Reach::File, Some(_)) => true,
            (Reach::Line(_), None) => false,
            (Reach::Line(line) | Reach::Head(line), Some(lines)) => lines.contains(&line),
        }
    }
}

/// The first line of the import statement that a finding is about: other tools look there, too.
fn import_head(module: &Module, finding: &Finding) -> Option<u32> {
    let span = finding.span.filter(|_| finding.rule_id == "quality.unused-import")?;
    let start = u32::try_from(span.start_byte).ok()?;
    let here = Place { start, end: start + 1 };
    let import = inside(&module.imports, here, |it| it.place).first()?;
    Some(module.line(import.statement))
}

/// What rules that upstream's purity check has, too, have among their codes.
const PURITY: &str = "node-purity";

/// Marks the findings that a comment of their file suppresses.
pub(super) fn apply(rules: &'static [Rule], subject: &Subject, findings: &mut [Finding]) {
    let speaking = subject.sources().iter().filter(|it| !it.suppressions.is_empty());
    let by_path: HashMap<&str, &SourceFile> = speaking.map(|it| (it.path.as_str(), it)).collect();
    for finding in findings {
        let file = finding.uri.as_deref().and_then(|it| by_path.get(it));
        let rule = rules.iter().find(|it| it.id == finding.rule_id);
        let (Some(file), Some(rule)) = (file, rule) else { continue };
        let head = import_head(&file.module, finding);
        let near = near(&file.suppressions, finding, head);
        let holds = |it: &&&Suppression| {
            it.names(rule) && (it.reaches(finding) || head.is_some_and(|at| it.is_in_line(at)))
        };
        finding.suppression = near.iter().find(holds).map(|it| it.text.clone());
    }
}

/// The suppressions that may be about a finding: those of its lines and the line before, and those
/// of the whole file. They are in the order of the text.
fn near<'a>(all: &'a [Suppression], finding: &Finding, head: Option<u32>) -> Vec<&'a Suppression> {
    let of_file = all.iter().take_while(|it| it.reach.is_at_head());
    let of_file = of_file.chain(all.iter().filter(|it| it.reach == Reach::File));
    let Some(span) = finding.span else { return of_file.collect() };
    let first = head.unwrap_or(span.start_line).min(span.start_line);
    let start = all.partition_point(|it| it.line < first.saturating_sub(1));
    let end = all.partition_point(|it| it.line <= span.end_line);
    all.get(start..end).unwrap_or_default().iter().chain(of_file).collect()
}

/// Reports suppressions of genstore's own that suppress nothing. Other tools' comments may be there
/// for what they alone find.
pub(super) fn unused(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let all = || super::validators().iter().flat_map(|it| it.rules());
    let help = "Remove the comment.";
    // each rule is asked once, however many comments name it
    let mut known: HashMap<&str, Vec<Finding>> = HashMap::new();
    for own in file.suppressions.iter().filter(|it| it.reader == Reader::Own) {
        if own.codes.is_empty() {
            let help = "Write `# genstore: ignore[rule.id] reason`.";
            sink.at(file, own.place, "the comment names no rule, so it suppresses nothing", help);
        }
        for code in &own.codes {
            let rules: Vec<_> = all()
                .filter(|it| it.id == code || it.id.split('.').next() == Some(code.as_str()))
                .collect();
            if rules.is_empty() {
                let near = nearest(code, all().map(|it| it.id));
                let help = near.map_or_else(
                    || "`genstore validate rules` lists them.".to_owned(),
                    |it| format!("Did you mean `{it}`?"),
                );
                sink.at(file, own.place, format!("there is no rule `{code}`"), help);
                continue;
            }
            let findings = known.entry(code).or_insert_with(|| {
                let mut findings = Vec::new();
                // the rule that is being applied right now would look for itself
                for rule in rules.into_iter().filter(|it| it.id != UNUSED) {
                    rule.apply(subject, &mut findings);
                }
                findings.retain(|it| it.uri.as_deref() == Some(file.path.as_str()));
                findings
            });
            if !findings.iter().any(|it| own.reaches(it)) {
                let message = format!("the comment suppresses no `{code}`: there is none here");
                sink.mend(file, own.place, (message, help), (own.place, ""));
            }
        }
    }
}

/// The rule whose check [`unused`] is.
pub(super) const UNUSED: &str = "quality.unused-suppression";

#[cfg(test)]
mod tests;
