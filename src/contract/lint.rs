//! Lint: a table of rules over the normal form. Says what is wrong with a contract that could be
//! read; rewrites nothing, does no IO.
//!
//! A rule is an error only where no package can honestly be generated from the contract as it
//! stands. Where upstream's own tools contradict each other no rule takes a side.

use super::document::Node;
use super::draft;
use super::infer;
use super::layers::{self, Layer, explains};
use super::model::Contract;
use super::parse;
use crate::finding::{Finding, Level, Span};

mod graphs;
mod identity;
mod kinds;
mod models;
mod surroundings;
mod wiring;

/// Most findings of one rule in one contract.
const HITS_MAX: usize = 50;

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its stable id.
    pub id: &'static str,
    /// The level of its findings, unless one says otherwise.
    pub level: Level,
    /// What it asks for, in a sentence.
    pub summary: &'static str,
    /// Why, in a sentence or two.
    pub why: &'static str,
    /// How to mend a violation.
    pub fix: &'static str,
    /// Who looks for violations; `None` where reading or judging the document finds them.
    check: Option<fn(&Contract, &mut Hits<'_>)>,
}

impl Rule {
    /// A rule whose findings come from elsewhere.
    pub(super) const fn told(id: &'static str, level: Level, summary: &'static str) -> Self {
        Self { id, level, summary, why: "", fix: "", check: None }
    }

    const fn new(
        id: &'static str,
        level: Level,
        summary: &'static str,
        check: fn(&Contract, &mut Hits<'_>),
    ) -> Self {
        Self { id, level, summary, why: "", fix: "", check: Some(check) }
    }

    /// Says why.
    pub(super) const fn why(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// Says how to mend a violation.
    pub(super) const fn fix(mut self, fix: &'static str) -> Self {
        self.fix = fix;
        self
    }

    /// The verdicts that its findings are reasons against: none where only genstore asks.
    pub fn layers(&self) -> impl Iterator<Item = Layer> {
        Layer::ALL.into_iter().filter(|layer| explains(*layer, self.id))
    }

    /// Whether its findings count for genstore's own judgement, which is the default.
    pub fn is_own(&self) -> bool {
        !layers::RULES.iter().any(|rule| rule.id == self.id)
    }
}

/// All rules: what reading finds, what is checked here in this order, and what the layers find.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let tables = [
        parse::RULES,
        identity::RULES,
        models::RULES,
        graphs::RULES,
        wiring::RULES,
        surroundings::RULES,
        kinds::RULES,
        layers::RULES,
        infer::RULES,
        draft::RULES,
    ];
    tables.into_iter().flatten()
}

/// What all rules say of a contract, in the order of the document. `uri` is the contract's file.
pub fn lint(contract: &Contract, uri: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules() {
        let Some(check) = rule.check else { continue };
        check(contract, &mut Hits { rule, uri, count: 0, findings: &mut findings });
    }
    findings.sort_by_key(|it| {
        it.span.map_or((u32::MAX, u32::MAX), |at| (at.start_line, at.start_column))
    });
    findings
}

/// Takes what one rule finds.
struct Hits<'a> {
    rule: &'static Rule,
    uri: &'a str,
    count: usize,
    findings: &'a mut Vec<Finding>,
}

impl Hits<'_> {
    /// Whether more findings of this rule are not wanted: a check that is dear stops then.
    fn full(&self) -> bool {
        self.count >= HITS_MAX
    }

    /// A finding at a place, with a next step.
    fn hit(&mut self, span: Option<Span>, message: impl Into<String>, help: impl Into<String>) {
        if self.full() {
            return;
        }
        self.count += 1;
        let mut finding =
            Finding::new(self.rule.id, self.rule.level, message).in_file(self.uri).with_help(help);
        finding.span = span;
        self.findings.push(finding);
    }
}

/// The place of a key at the top, else of the document's first key.
fn place(contract: &Contract, key: &str) -> Option<Span> {
    let document = &contract.document;
    document
        .entry(key)
        .map(|(key, _)| key.span)
        .or_else(|| document.pairs().first().map(|(key, _)| key.span))
}

/// The place of the value below a path.
fn value_place(contract: &Contract, path: &[&str]) -> Option<Span> {
    contract.document.at(path).map(|node: &Node| node.span)
}

#[cfg(test)]
mod tests;
