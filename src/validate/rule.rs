//! A rule as data: what it is called, how bad a violation is, why it exists, and the function that
//! looks for violations. A validator is a table of these; a new rule is a new entry.

use super::subject::{SourceFile, Subject};
use crate::finding::{Finding, Level};
use crate::python::Place;

/// One rule of one validator.
#[derive(Debug)]
pub struct Rule {
    /// `<validator>.<rule>`; stable, it ends in the `issues` table.
    pub id: &'static str,
    /// Level of its findings, unless the rule says otherwise for a single one.
    pub level: Level,
    /// What a violation is, half a sentence.
    pub summary: &'static str,
    /// Why it matters, a sentence.
    pub why: &'static str,
    /// Who looks for violations.
    pub check: Check,
}

/// How violations of a rule are found.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Once for every Python file that parses; a file with syntax errors is left out, because its
    /// tree is a guess.
    File(fn(&Subject, &SourceFile, &mut Sink<'_>)),
    /// Once for the package.
    Package(fn(&Subject, &mut Sink<'_>)),
    /// The generator reports it; the validator passes it on.
    Generator,
}

/// Where a check puts what it finds: fills in rule id and level.
#[derive(Debug)]
pub struct Sink<'a> {
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Sink<'a> {
    /// A sink for one rule.
    pub(super) fn new(rule: &'static Rule, findings: &'a mut Vec<Finding>) -> Self {
        Self { rule, findings }
    }

    /// A finding at a place of a file.
    pub fn at(
        &mut self,
        file: &SourceFile,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.at_level(self.rule.level, file, place, message, help);
    }

    /// The same with a level of its own.
    pub fn at_level(
        &mut self,
        level: Level,
        file: &SourceFile,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Finding::new(self.rule.id, level, message)
            .in_file(file.path.as_str())
            .at(file.module.span(place))
            .with_help(help);
        self.findings.push(finding);
    }

    /// A finding about a whole file, which need not exist.
    pub fn whole_file(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        let finding = Finding::new(self.rule.id, self.rule.level, message);
        self.findings.push(finding.in_file(path).with_help(help));
    }

    /// A finding about the whole package.
    pub fn package(&mut self, message: impl Into<String>, help: impl Into<String>) {
        let finding = Finding::new(self.rule.id, self.rule.level, message);
        self.findings.push(finding.with_help(help));
    }
}
