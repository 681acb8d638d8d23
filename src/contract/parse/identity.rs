//! Who a contract is: name, kind, versions, description.

use crate::contract::document::Node;
use crate::contract::model::{NodeType, Version};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level, Span};

/// Keys of which a node contract has at least one: they say what kind of node it is or what goes
/// in and out.
const NODE_KEYS: [&str; 14] = [
    "node_type",
    "descriptor",
    "handler_id",
    "handler_kind",
    "handler_routing",
    "handler",
    "workflow_id",
    "input_model",
    "output_model",
    "input_state",
    "output_state",
    "inputs",
    "outputs",
    "tool_specification",
];

/// Where a name is looked for, best first.
const NAME_KEYS: [&str; 6] =
    ["name", "node_name", "contract_name", "node_id", "handler_id", "workflow_id"];

/// Whether the document is a node contract at all; a finding says what it is otherwise.
pub(super) fn is_contract(document: &Node, notes: &mut Notes) -> bool {
    if !document.is_mapping() {
        let message =
            format!("a contract is a mapping of keys to values, this is {}", document.what());
        notes.error("contract.not-a-mapping", document.span, message);
        return false;
    }
    if NODE_KEYS.iter().any(|key| document.get(key).is_some()) {
        return true;
    }
    let help = if document.get("states").is_some() || document.get("transitions").is_some() {
        "it looks like a state machine on its own: include it from a contract as `state_machine`"
    } else if document.get("execution_graph").is_some() {
        "it looks like a workflow on its own: include it from a contract as \
         `workflow_coordination.workflow_definition`"
    } else {
        "a contract says at least `name`, `node_type`, `input_model` and `output_model`"
    };
    let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
    let message = "this is no node contract: it says neither what kind of node it describes nor \
                   what goes in or out";
    notes
        .push(Finding::new("contract.not-a-node", Level::Error, message).at(first).with_help(help));
    false
}

/// The name, from whichever key has it; `None` with an error finding.
pub(super) fn name(document: &Node, notes: &mut Notes) -> Option<String> {
    for key in NAME_KEYS {
        let Some((key_node, value)) = document.entry(key) else { continue };
        match value.text().map(str::trim) {
            Some(text) if !text.is_empty() && !value.is_null() => {
                if key != "name" {
                    let message = format!("the contract has no `name`; it is named by `{key}`");
                    notes.note("contract.rewrite-name", key_node.span, message);
                }
                return Some(text.to_owned());
            }
            Some(_) => {}
            None => {
                let message = format!("`{key}` must be a text, this is {}", value.what());
                notes.error("contract.name", value.span, message);
                return None;
            }
        }
    }
    let nested = [
        &["tool_specification", "tool_name"][..],
        &["metadata", "name"],
        &["workflow_coordination", "workflow_definition", "workflow_metadata", "workflow_name"],
        &["state_machine", "state_machine_name"],
        &["state_transitions", "state_machine_name"],
        &["effect_operations", "subcontract_name"],
        &["db_repository", "name"],
    ];
    for path in nested {
        if let Some(node) = document.at(path)
            && let Some(text) = node.as_str().map(str::trim).filter(|text| !text.is_empty())
        {
            let message =
                format!("the contract has no `name`; it is named by `{}`", path.join("."));
            notes.note("contract.rewrite-name", node.span, message);
            return Some(text.to_owned());
        }
    }
    let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
    let finding = Finding::new("contract.name", Level::Error, "the contract has no name")
        .at(first)
        .with_help("add `name: node_<what>_<kind>`");
    notes.push(finding);
    None
}

/// The kind, from whichever place tells it; `None` with an error finding.
pub(super) fn node_type(document: &Node, notes: &mut Notes) -> Option<NodeType> {
    let Some(node) = document.get("node_type").filter(|node| !node.is_null()) else {
        return untyped(document, notes);
    };
    let text = node.as_string().map(str::trim).unwrap_or_default();
    let lower = text.to_lowercase();
    let bare = lower.strip_suffix("_generic").unwrap_or(&lower);
    let direct = kind(bare);
    let found = direct.or_else(|| kind_of_role(bare));
    let Some(found) = found else {
        let what = if text.is_empty() { node.what().to_owned() } else { shown(text) };
        let names = ["compute", "effect", "reducer", "orchestrator"];
        let help = match crate::error::nearest(bare.get(..bare.len().min(64)).unwrap_or(""), names)
        {
            Some(name) => format!("did you mean {}_GENERIC?", name.to_uppercase()),
            None => "it is one of COMPUTE_GENERIC, EFFECT_GENERIC, REDUCER_GENERIC and \
                     ORCHESTRATOR_GENERIC"
                .to_owned(),
        };
        let message = format!("`node_type` is {what}, which is no kind of node");
        notes.push(
            Finding::new("contract.node-type", Level::Error, message).at(node.span).with_help(help),
        );
        return None;
    };
    let normal = format!("{}_GENERIC", found.as_str());
    if text != normal {
        let message = format!("`node_type` {} is read as {normal}", shown(text));
        notes.note("contract.rewrite-node-type", node.span, message);
    }
    Some(found)
}

/// The kind of a contract without `node_type`.
fn untyped(document: &Node, notes: &mut Notes) -> Option<NodeType> {
    for path in [
        &["descriptor", "node_archetype"][..],
        &["descriptor", "handler_kind"],
        &["handler_kind"],
        &["handler_id"],
    ] {
        let Some(node) = document.at(path) else { continue };
        let text = node.as_str().unwrap_or_default().to_lowercase();
        let word = text.split(['.', '_', ' ']).find_map(kind);
        if let Some(found) = word {
            let key = path.join(".");
            let message = format!("without `node_type`, `{key}` makes it {}", found.as_str());
            notes.note("contract.rewrite-node-type", node.span, message);
            return Some(found);
        }
    }
    for key in NAME_KEYS {
        let Some(node) = document.get(key) else { continue };
        let text = node.as_str().unwrap_or_default().to_lowercase();
        if let Some(found) = text.rsplit(['_', '.', ' ']).next().and_then(kind) {
            let message =
                format!("without `node_type`, the end of `{key}` makes it {}", found.as_str());
            notes.note("contract.rewrite-node-type", node.span, message);
            return Some(found);
        }
    }
    let first = document.pairs().first().map_or(document.span, |(key, _)| key.span);
    if document.get("workflow_id").is_some() {
        let message = "without `node_type`, `workflow_id` makes it ORCHESTRATOR";
        notes.note("contract.rewrite-node-type", first, message);
        return Some(NodeType::Orchestrator);
    }
    let models =
        ["input_model", "output_model", "input_state", "output_state", "inputs", "outputs"];
    let help = "add `node_type: COMPUTE_GENERIC` (or EFFECT_, REDUCER_, ORCHESTRATOR_GENERIC)";
    if models.iter().any(|key| document.get(key).is_some()) {
        let message = "nothing says what kind of node this is; it is taken for COMPUTE, an output \
                       made from an input";
        notes.push(
            Finding::new("contract.node-type-assumed", Level::Warning, message)
                .at(first)
                .with_help(help),
        );
        return Some(NodeType::Compute);
    }
    notes.push(
        Finding::new("contract.node-type", Level::Error, "nothing says what kind of node this is")
            .at(first)
            .with_help(help),
    );
    None
}

fn kind(word: &str) -> Option<NodeType> {
    NodeType::ALL.into_iter().find(|kind| kind.suffix() == word)
}

/// The kind of the other words that occur as `node_type`. Upstream's own tools disagree on some
/// (a validator is an orchestrator to one and an effect to another); here the question is what a
/// node of that role does: only computing, reaching out, folding or coordinating.
fn kind_of_role(word: &str) -> Option<NodeType> {
    match word {
        "function" | "model" | "node" | "schema" | "transformer" | "validator" => {
            Some(NodeType::Compute)
        }
        "adapter" | "agent" | "gateway" | "infrastructure" | "plugin" | "query"
        | "runtime_host" | "service" | "tool" => Some(NodeType::Effect),
        "aggregator" | "projection" => Some(NodeType::Reducer),
        "workflow" => Some(NodeType::Orchestrator),
        _ => None,
    }
}

/// `contract_version`, else the deprecated `version`, else 1.0.0.
pub(super) fn version(document: &Node, notes: &mut Notes) -> Version {
    const FIRST: Version = Version { major: 1, minor: 0, patch: 0 };
    let given = |key: &str| document.entry(key).filter(|(_, value)| !value.is_null());
    if let Some((_, value)) = given("contract_version") {
        return semver("contract_version", value, Level::Error, notes).unwrap_or(FIRST);
    }
    let Some((key, value)) = given("version") else { return FIRST };
    notes.note(
        "contract.rewrite-version-key",
        key.span,
        "`version` is read as `contract_version`, which has taken its place",
    );
    semver("version", value, Level::Error, notes).unwrap_or(FIRST)
}

/// `node_version`; one that cannot be read counts as absent.
pub(super) fn node_version(document: &Node, notes: &mut Notes) -> Option<Version> {
    let value = document.get("node_version").filter(|value| !value.is_null())?;
    semver("node_version", value, Level::Warning, notes)
}

/// A version in any of its forms; a fault has the level given.
fn semver(key: &str, value: &Node, level: Level, notes: &mut Notes) -> Option<Version> {
    if value.is_mapping() {
        return version_map(key, value, level, notes);
    }
    let fault = |message: String| {
        Finding::new("contract.version", level, message)
            .at(value.span)
            .with_help("write it as {major: 1, minor: 0, patch: 0}")
    };
    let Some(text) = value.text().map(str::trim) else {
        notes.push(fault(format!("`{key}` must be a map or a text, this is {}", value.what())));
        return None;
    };
    let (core, suffix) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut parts = core.strip_prefix('v').unwrap_or(core).split('.').map(part);
    let version = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(Some(major)), Some(Some(minor)), None, None) => {
            Some(Version { major, minor, patch: 0 })
        }
        (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => {
            Some(Version { major, minor, patch })
        }
        _ => None,
    };
    match version {
        None => notes.push(fault(format!("`{key}` {} is no version", shown(text)))),
        Some(version) => {
            let lost = if suffix.is_empty() { "" } else { ", without its suffix" };
            let Version { major, minor, patch } = version;
            let map = format!("{{major: {major}, minor: {minor}, patch: {patch}}}");
            let message = format!("`{key}` {} is read as {map}{lost}", shown(text));
            notes.note("contract.rewrite-version", value.span, message);
        }
    }
    version
}

/// A number of a version: digits, no leading zero.
fn part(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    if digits && plain { text.parse().ok() } else { None }
}

fn version_map(key: &str, value: &Node, level: Level, notes: &mut Notes) -> Option<Version> {
    let mut numbers = [0; 3];
    for (name, number) in ["major", "minor", "patch"].into_iter().zip(&mut numbers) {
        match value.get(name) {
            Some(node) => match node.text().map(str::trim).and_then(part) {
                Some(found) => *number = found,
                None => {
                    let message = format!("`{key}.{name}` must be a whole number from 0");
                    notes.push(Finding::new("contract.version", level, message).at(node.span));
                    return None;
                }
            },
            None if name == "major" => {
                let message = format!("`{key}` has no `major`");
                notes.push(Finding::new("contract.version", level, message).at(value.span));
                return None;
            }
            None => {
                let message = format!("`{key}` has no `{name}`; it is taken for 0");
                notes.warning("contract.version", value.span, message);
            }
        }
    }
    let [major, minor, patch] = numbers;
    Some(Version { major, minor, patch })
}

/// `description`, else `contract_description`, trimmed; empty where there is none.
pub(super) fn description(document: &Node, notes: &mut Notes) -> String {
    let text = |key: &str| document.first_text(&[key]).map(|it| it.trim().to_owned());
    if let Some(found) = text("description") {
        return found;
    }
    let Some(found) = text("contract_description") else { return String::new() };
    let span = document.entry("contract_description").map_or(Span::default(), |(key, _)| key.span);
    notes.note(
        "contract.rewrite-description",
        span,
        "`contract_description` is read as `description`",
    );
    found
}
