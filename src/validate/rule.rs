//! A rule as data: what it is called, how bad a violation is, why it exists, and the function that
//! looks for violations. A validator is a table of these; a new rule is a new entry.

use super::subject::{SourceFile, Subject};
use crate::contract::model::Contract;
use crate::finding::{Finding, Fix, Level};
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
    /// What other tools call it, as comments that suppress it do: codes of ruff in capitals (`S307`
    /// is `B307` of bandit), of mypy in small letters, and `node-purity`.
    pub codes: &'static [&'static str],
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
    /// Once for a package that has a contract.
    Contract(fn(&Contract, &Subject, &mut Sink<'_>)),
    /// The generator reports it; the validator passes it on.
    Generator,
}

impl Rule {
    /// Looks for violations.
    pub(super) fn apply(&'static self, subject: &Subject, findings: &mut Vec<Finding>) {
        let mut sink = Sink { rule: self, findings };
        match self.check {
            Check::Generator => {}
            Check::Package(check) => check(subject, &mut sink),
            Check::Contract(check) => {
                if let Some(contract) = subject.contract() {
                    check(contract, subject, &mut sink);
                }
            }
            Check::File(check) => {
                for file in subject.sources().iter().filter(|it| it.module.is_valid()) {
                    check(subject, file, &mut sink);
                }
            }
        }
    }

    /// The ids that bandit has for it.
    pub fn bandit_ids(&self) -> impl Iterator<Item = String> {
        self.codes.iter().filter_map(|it| Some(format!("B{}", it.strip_prefix('S')?)))
    }
}

/// Where a check puts what it finds: fills in rule id and level.
#[derive(Debug)]
pub struct Sink<'a> {
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
}

impl Sink<'_> {
    /// A finding at a place of a file.
    pub fn at(
        &mut self,
        file: &SourceFile,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let finding = Finding::new(self.rule.id, self.rule.level, message)
            .in_file(file.path.as_str())
            .at(file.module.span(place))
            .with_help(help);
        self.findings.push(finding);
    }

    /// The same, with a change that mends it: what comes in the place of what.
    pub fn mend(
        &mut self,
        file: &SourceFile,
        place: Place,
        (message, help): (String, &str),
        (what, replacement): (Place, &str),
    ) {
        let fix = Fix { span: file.module.span(what), replacement: replacement.to_owned() };
        self.at(file, place, message, help);
        if let Some(last) = self.findings.pop() {
            self.findings.push(last.with_fix(fix));
        }
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
