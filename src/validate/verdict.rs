//! What a validator says, and how findings become a score. The formulas are stated here and
//! nowhere else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::rule::Rule;
use super::settings::Weights;
use super::subject::Subject;
use super::suppression;
use crate::finding::{Finding, Level};

/// The outcome of one validator.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Its name.
    pub validator: &'static str,
    /// What it found, worst first, then by place.
    pub findings: Vec<Finding>,
    /// 0 to 100, see [`score`].
    pub score: f64,
    /// How the score came about, one line.
    pub explanation: String,
}

impl Verdict {
    /// The verdict for what was found.
    pub fn new(validator: &'static str, mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| {
            let place = |it: &Finding| it.span.map(|span| (span.start_line, span.start_column));
            b.level.cmp(&a.level).then_with(|| a.uri.cmp(&b.uri)).then(place(a).cmp(&place(b)))
        });
        let (score, explanation) = score(&findings);
        Self { validator, findings, score, explanation }
    }

    /// The findings that count: those that the text itself does not suppress.
    pub fn counting(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|it| !it.is_suppressed())
    }

    /// How many findings of a level count.
    pub fn count(&self, level: Level) -> usize {
        self.counting().filter(|finding| finding.level == level).count()
    }
}

/// One of the six: a name and a table of rules.
pub trait Validator: Send + Sync {
    /// The name, which begins the ids of its rules.
    fn name(&self) -> &'static str;
    /// Its rules.
    fn rules(&self) -> &'static [Rule];
    /// Applies every rule. Never fails, never runs what it reads.
    fn validate(&self, subject: &Subject) -> Verdict;
}

/// A validator that is nothing but its table.
#[derive(Debug)]
pub struct Suite {
    /// The name.
    pub name: &'static str,
    /// The table.
    pub rules: &'static [Rule],
}

impl Validator for Suite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rules(&self) -> &'static [Rule] {
        self.rules
    }

    fn validate(&self, subject: &Subject) -> Verdict {
        let mut findings: Vec<Finding> =
            subject.generated().iter().filter(|it| passes_on(it) == self.name).cloned().collect();
        for rule in self.rules {
            rule.apply(subject, &mut findings);
        }
        suppression::apply(self.rules, subject, &mut findings);
        Verdict::new(self.name, findings)
    }
}

/// Which validator passes a generator's finding on: the one that begins its rule id, or
/// `completeness` where that is none, so that every finding is passed on exactly once.
fn passes_on(finding: &Finding) -> &'static str {
    let prefix = finding.rule_id.split('.').next();
    let mut names = super::validators().iter().map(|it| it.name());
    names.find(|name| Some(*name) == prefix).unwrap_or("completeness")
}

/// What the first finding of a rule costs.
fn cost(level: Level) -> f64 {
    match level {
        Level::Error => 40.0,
        Level::Warning => 8.0,
        Level::Note => 1.0,
    }
}

/// Score of one validator and its explanation.
///
/// `max(0, 100 − Σ cost × (1 + ln n))` over the rules (and levels) violated, where `n` is how often
/// one is violated and the cost is 40 for an error, 8 for a warning, 1 for a note. The logarithm
/// makes the hundredth violation of one rule cost less than the first of another: one mistake in a
/// template shows in every file it renders, and is still one mistake. A further finding never
/// raises the score; one that the text itself suppresses leaves it as it is.
pub fn score(findings: &[Finding]) -> (f64, String) {
    let mut violations: BTreeMap<(std::cmp::Reverse<Level>, &str), u32> = BTreeMap::new();
    for finding in findings.iter().filter(|it| !it.is_suppressed()) {
        *violations.entry((std::cmp::Reverse(finding.level), finding.rule_id)).or_default() += 1;
    }
    let mut total = 100.0;
    let mut explanation = String::from("100");
    for ((level, rule_id), count) in &violations {
        let penalty = cost(level.0) * (1.0 + f64::from(*count).ln());
        total -= penalty;
        let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
        let _infallible = write!(explanation, " − {penalty:.1} {rule_id}{times}");
    }
    let score = f64::max(total, 0.0);
    if !violations.is_empty() {
        let _infallible = write!(explanation, " = {score:.1}");
    }
    (score, explanation)
}

/// The rule whose violation makes the whole run worth nothing.
pub const SYNTAX_RULE: &str = "correctness.syntax";

/// Quality score of a run, 0 to 100: the mean of the verdicts' scores by their weights, or 0 when a
/// file does not parse, because nothing else that is said about it means anything then. The mean
/// is over the verdicts at hand, so a run that went on without one validator is not punished for
/// it; without any verdict, or any weight, the score is 0.
pub fn quality_score(verdicts: &[Verdict], weights: &Weights) -> f64 {
    let broken = |it: &Verdict| it.counting().any(|found| found.rule_id == SYNTAX_RULE);
    if verdicts.iter().any(broken) {
        return 0.0;
    }
    let weight = |it: &Verdict| f64::from(weights.of(it.validator));
    let sum: f64 = verdicts.iter().map(weight).sum();
    let total: f64 = verdicts.iter().map(|it| weight(it) * it.score).sum();
    if sum > 0.0 { total / sum } else { 0.0 }
}

#[cfg(test)]
mod tests;
