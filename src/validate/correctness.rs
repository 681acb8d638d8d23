//! Does the code mean something: syntax, names, types against the contract, dead ends.

use super::rule::{Check, Rule, Sink};
use super::subject::Subject;
use super::verdict::SYNTAX_RULE;
use crate::finding::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[Rule {
    id: SYNTAX_RULE,
    level: Level::Error,
    summary: "a file is not Python 3",
    why: "It cannot be imported, so nothing of the package works.",
    check: Check::Package(syntax),
}];

fn syntax(subject: &Subject, sink: &mut Sink<'_>) {
    for file in subject.sources() {
        for problem in &file.module.problems {
            let message = format!("`{}` does not parse: {}", file.path, problem.message);
            sink.at(file, problem.place, message, "Correct the syntax at this place.");
        }
    }
}
