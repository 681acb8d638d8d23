//! Comments that say that something may stay: genstore's own, and those of ruff, bandit, mypy and
//! upstream's purity check, as far as they are about what genstore's rules find. What they hide is
//! kept, with what they say.

use super::rule::{Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::error::nearest;
use crate::finding::Finding;
use crate::python::{Module, Place};

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
}

/// The suppressions of a file.
pub(super) fn read(module: &Module) -> Vec<Suppression> {
    let mut found = Vec::new();
    for place in &module.comments {
        let comment = module.text(*place);
        // one comment may speak to several tools: `# type: ignore  # noqa: F821`
        for part in comment.split('#').map(str::trim).filter(|it| !it.is_empty()) {
            if let Some((reader, codes)) = spoken_to(part) {
                let reach = reach(module, *place, part);
                let (text, place) = (part.to_owned(), *place);
                found.push(Suppression { reader, reach, codes, text, place });
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

fn reach(module: &Module, place: Place, text: &str) -> Reach {
    let lower = text.to_lowercase();
    if lower.starts_with("ruff:") || lower.starts_with("flake8:") {
        return Reach::File;
    }
    let line = module.line(place);
    let start = module.line_place(line).start;
    let is_alone = module.text(Place { start, end: place.start }).trim().is_empty();
    let before = module.text(Place { start: 0, end: start });
    let is_head = before.lines().all(|it| it.trim().is_empty() || it.trim().starts_with('#'));
    match (is_alone, is_head) {
        (true, true) => Reach::Head(line + 1),
        (true, false) => Reach::Line(line + 1),
        (false, _) => Reach::Line(line),
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

/// What rules that upstream's purity check has, too, have among their codes.
const PURITY: &str = "node-purity";

/// Marks the findings that a comment of their file suppresses.
pub(super) fn apply(rules: &'static [Rule], subject: &Subject, findings: &mut [Finding]) {
    if subject.sources().iter().all(|it| it.suppressions.is_empty()) {
        return;
    }
    for finding in findings {
        let file = finding.uri.as_deref().and_then(|it| subject.source(it));
        let rule = rules.iter().find(|it| it.id == finding.rule_id);
        let (Some(file), Some(rule)) = (file, rule) else { continue };
        let holds = |it: &&Suppression| it.names(rule) && it.reaches(finding);
        finding.suppression = file.suppressions.iter().find(holds).map(|it| it.text.clone());
    }
}

/// Reports suppressions of genstore's own that suppress nothing. Other tools' comments may be there
/// for what they alone find.
pub(super) fn unused(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let all = || super::validators().iter().flat_map(|it| it.rules());
    let help = "Remove the comment.";
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
            let mut findings = Vec::new();
            // the rule that is being applied right now would look for itself
            for rule in rules.into_iter().filter(|it| it.id != UNUSED) {
                rule.apply(subject, &mut findings);
            }
            let is_hidden =
                |it: &Finding| it.uri.as_deref() == Some(file.path.as_str()) && own.reaches(it);
            if !findings.iter().any(is_hidden) {
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
