//! Which of upstream's validators accept a contract, by rules of our own, and why the others do
//! not. Does no IO.
//!
//! Each layer says yes or no; a layer that says no has a finding that says why. The findings are
//! notes: what genstore itself can work with is for [`super::lint`] to say.

use serde::Serialize;

use super::document::Node;
use super::model::NodeType;
use super::parse::Parsed;
use crate::finding::{Finding, Level, Span};
use scalar::Scalar;
use shape::{Check, Difference, Fault};

mod rewrite;
mod rules;
mod scalar;
mod shape;
mod typed;

pub(super) use rules::RULES;

/// A layer of upstream's validation, or the form of the original system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Upstream's plain YAML loader reads it, and it is a mapping.
    Yaml,
    /// The checks of `onex compliance check` that need the contract alone.
    Structural,
    /// The small model behind `onex validate`.
    Minimal,
    /// The typed models after upstream's rewrite of older forms.
    Audit,
    /// The typed models as they are.
    Strict,
    /// The form of the original system; no tool of upstream's takes it.
    V2,
}

impl Layer {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Yaml, Self::Structural, Self::Minimal, Self::Audit, Self::Strict, Self::V2];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Structural => "structural",
            Self::Minimal => "minimal",
            Self::Audit => "audit",
            Self::Strict => "strict",
            Self::V2 => "v2",
        }
    }
}

/// What each layer says; no layer accepts what cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdicts {
    /// See [`Layer::Yaml`].
    pub yaml: bool,
    /// See [`Layer::Structural`].
    pub structural: bool,
    /// See [`Layer::Minimal`].
    pub minimal: bool,
    /// See [`Layer::Audit`].
    pub audit: bool,
    /// See [`Layer::Strict`].
    pub strict: bool,
    /// See [`Layer::V2`].
    pub v2: bool,
}

impl Verdicts {
    /// What one layer says.
    pub fn of(&self, layer: Layer) -> bool {
        match layer {
            Layer::Yaml => self.yaml,
            Layer::Structural => self.structural,
            Layer::Minimal => self.minimal,
            Layer::Audit => self.audit,
            Layer::Strict => self.strict,
            Layer::V2 => self.v2,
        }
    }
}

/// The verdicts on one file, and why they are what they are.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// Yes or no, by layer.
    pub verdicts: Verdicts,
    /// Why a layer says no, in the order of the document. What the parser found is not repeated.
    pub findings: Vec<Finding>,
}

/// Judges a file by its bytes and what the parser made of them. `uri` is the file.
pub fn judge(bytes: &[u8], parsed: &Parsed, uri: &str) -> Judgement {
    let mut judge = Judge { uri, findings: Vec::new() };
    let yaml = judge.yaml(parsed);
    let document = parsed.document().filter(|it| it.is_mapping());
    let v2 = document.is_some_and(|it| judge.shape(&typed::ORIGINAL, it, "v2"));
    let mut verdicts =
        Verdicts { yaml, structural: false, minimal: false, audit: false, strict: false, v2 };
    if let Some(document) = document.filter(|_| yaml) {
        verdicts.structural = judge.structural(document);
        verdicts.minimal = judge.shape(&typed::MINIMAL, document, "minimal");
        (verdicts.audit, verdicts.strict) = judge.typed(document);
    } else {
        // Upstream passes over a file with nothing in it.
        verdicts.minimal = bytes.iter().all(u8::is_ascii_whitespace);
    }
    let mut findings = judge.findings;
    findings.sort_by_key(|it| it.span.map_or((0, 0), |at| (at.start_line, at.start_column)));
    Judgement { verdicts, findings }
}

/// Whether a finding of the rule is a reason for the layer to say no.
pub fn explains(layer: Layer, rule_id: &str) -> bool {
    let yaml = UNREADABLE.contains(&rule_id) || rule_id.starts_with("contract.yaml-");
    let own = |word: &str| {
        let rest = rule_id.strip_prefix("contract.").and_then(|it| it.strip_prefix(word));
        rest.is_some_and(|it| it.starts_with('-'))
    };
    let typed = match layer {
        // What the rewrite does not cure is wrong without it too.
        Layer::Strict => own("audit"),
        _ => false,
    };
    yaml || own(layer.as_str()) || typed
}

/// Keys of the typed models in which a wrong value is not seen, and why: parts of upstream's models
/// that hardly occur in real contracts.
pub fn left_open() -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    NodeType::ALL.into_iter().for_each(|kind| typed::of(kind).left_open(&mut found));
    found.sort_unstable();
    found.dedup();
    found
}

/// Findings of the parser that mean that upstream's loader cannot read the file either.
const UNREADABLE: [&str; 8] = [
    "contract.yaml",
    "contract.encoding",
    "contract.empty",
    "contract.multi-document",
    "contract.not-a-mapping",
    "contract.too-large",
    "contract.unknown-tag",
    "contract.unreadable",
];

struct Judge<'a> {
    uri: &'a str,
    findings: Vec<Finding>,
}

impl Judge<'_> {
    fn note(&mut self, rule_id: &'static str, span: Span, message: impl Into<String>, help: &str) {
        let mut finding = Finding::new(rule_id, Level::Note, message).in_file(self.uri).at(span);
        finding.help = Some(help.to_owned()).filter(|it| !it.is_empty());
        self.findings.push(finding);
    }

    fn yaml(&mut self, parsed: &Parsed) -> bool {
        let before = self.findings.len();
        for tag in &parsed.include_tags {
            let message = "upstream's plain loader, which its validators use, refuses `!include`";
            let help = "genstore reads it; upstream's contract loader does too";
            self.note("contract.yaml-tag", *tag, message, help);
        }
        if let Some(document) = parsed.document() {
            self.values(document);
        }
        let unreadable =
            |it: &Finding| UNREADABLE.contains(&it.rule_id) && it.uri.as_deref() == Some(self.uri);
        self.findings.len() == before && !parsed.findings.iter().any(unreadable)
    }

    /// Values and keys that upstream's loader cannot make.
    fn values(&mut self, node: &Node) {
        if let Some(Scalar::Date(false)) = scalar::of(node) {
            let message = "upstream's loader takes this for a date, and there is no such day";
            self.note("contract.yaml-value", node.span, message, "put it in quotes");
        }
        node.items().iter().for_each(|item| self.values(item));
        for (key, value) in node.pairs() {
            if key.text().is_none() {
                let message = "upstream's loader takes no list or mapping as a key";
                self.note("contract.yaml-value", key.span, message, "make the key a text");
            }
            self.values(value);
        }
    }

    fn structural(&mut self, document: &Node) -> bool {
        let before = self.findings.len();
        let has = |keys: [&str; 2]| keys.iter().any(|key| document.get(key).is_some());
        let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
        if !has(["node_id", "name"]) || !has(["node_type", "node_kind"]) {
            let message = "upstream asks for `name` or `node_id`, and `node_type` or `node_kind`";
            self.note("contract.structural-identity", first, message, "add what is missing");
        }
        let kind = document.get("node_type").or_else(|| document.get("node_kind"));
        let text = kind.and_then(Node::text).unwrap_or_default().to_lowercase();
        let bare = text.strip_suffix("_generic").unwrap_or(&text);
        if !NodeType::ALL.iter().any(|it| it.suffix() == bare) {
            let message = "`node_type` is none of compute, effect, reducer and orchestrator";
            let place = kind.map_or(first, |it| it.span);
            self.note("contract.structural-kind", place, message, "write COMPUTE_GENERIC or so");
        }
        for key in ["publish_topics", "subscribe_topics"] {
            let Some(topics) = document.at(&["event_bus", key]) else { continue };
            let keys = topics.pairs().iter().map(|(key, _)| key);
            let good = |it: &Node| it.as_string().is_some_and(|it| it.starts_with("onex."));
            let lone = topics.text().filter(|_| !topics.is_null()).map(|_| topics);
            for topic in topics.items().iter().chain(keys).chain(lone).filter(|it| !good(it)) {
                let message = format!("this entry of `{key}` is no text that begins with `onex.`");
                let help = "write it as onex.evt.<producer>.<name>.v1";
                self.note("contract.structural-topic", topic.span, message, help);
            }
        }
        if let Some(config) = document.get("config_requirements").filter(|it| !it.is_sequence()) {
            let message = "`config_requirements` is no list";
            self.note("contract.structural-config", config.span, message, "write it as a list");
        }
        self.findings.len() == before
    }

    fn shape(&mut self, shape: &shape::Shape, document: &Node, layer: &'static str) -> bool {
        let found = differences(shape, document);
        self.report(&found, layer);
        found.is_empty()
    }

    /// The verdicts of the audit and of the strict check. What the rewrite does not cure is said
    /// once, as the audit's.
    fn typed(&mut self, document: &Node) -> (bool, bool) {
        let text = document.get("node_type").and_then(Node::as_string).unwrap_or_default();
        let bare = text.strip_suffix("_GENERIC").unwrap_or(text);
        let Some(kind) = NodeType::ALL.into_iter().find(|it| it.as_str() == bare) else {
            let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
            let place = document.get("node_type").map_or(first, |it| it.span);
            let message = "`node_type` is none of COMPUTE_GENERIC, EFFECT_GENERIC, \
                           REDUCER_GENERIC and ORCHESTRATOR_GENERIC";
            self.note("contract.audit-value", place, message, "");
            return (false, false);
        };
        let audit = differences(typed::of(kind), &rewrite::rewritten(document));
        let mut strict = differences(typed::of(kind), document);
        strict.extend(asked_of_new(kind, document));
        let is_strict = strict.is_empty();
        strict.retain(|it| !audit.contains(it));
        self.report(&audit, "audit");
        self.report(&strict, "strict");
        (audit.is_empty(), is_strict)
    }

    fn report(&mut self, found: &[Difference], layer: &'static str) {
        for it in found {
            let Some(rule) = rules::of(layer, it.fault) else { continue };
            self.note(rule, it.span, it.message.clone(), &it.help);
        }
    }
}

fn differences(shape: &shape::Shape, document: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
    Check::new(&mut found).model(shape, document, first);
    found
}

/// What the strict check asks of new contracts beyond the models.
fn asked_of_new(kind: NodeType, document: &Node) -> Option<Difference> {
    let (key, given) = match kind {
        NodeType::Compute => ("algorithm", document.get("algorithm").is_some()),
        NodeType::Effect => {
            let operations = document.get("io_operations");
            ("io_operations", operations.is_some_and(|it| !it.items().is_empty()))
        }
        NodeType::Reducer | NodeType::Orchestrator => return None,
    };
    let span = document.pairs().first().map_or(document.span, |(key, _)| key.span);
    let message = format!("a new {} contract must say `{key}`", kind.as_str());
    let help = format!("add `{key}`");
    (!given).then_some(Difference { fault: Fault::Missing, span, message, help })
}

#[cfg(test)]
mod tests;
