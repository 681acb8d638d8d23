//! Rules about what a node is connected to: dependencies, topics, IO operations, capabilities,
//! error codes.

use super::{Hits, Rule, place};
use crate::contract::document::Node;
use crate::contract::model::{Contract, NodeType};
use crate::contract::notes::shown;
use crate::finding::Level::{Note, Warning};
use crate::finding::Span;
use std::collections::HashSet;

/// Most dependencies upstream allows.
const DEPENDENCIES_MAX: usize = 100;

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.dependency-name",
        Warning,
        "A dependency has a name of two or more characters.",
        dependency_name,
    )
    .why("Upstream refuses shorter ones, and nothing can be found by them.")
    .fix("Give it a name of two or more characters."),
    Rule::new(
        "contract.dependency-twice",
        Warning,
        "A dependency is declared once.",
        dependency_twice,
    )
    .why("The second would replace the first when both are bound.")
    .fix("Remove one."),
    Rule::new(
        "contract.dependency-self",
        Warning,
        "A contract does not depend on itself.",
        dependency_self,
    )
    .why("A node that needs itself can never be started.")
    .fix("Remove the dependency."),
    Rule::new(
        "contract.dependency-count",
        Warning,
        "A contract has at most 100 dependencies.",
        dependency_count,
    )
    .why("Upstream refuses more; a node with so many does too much.")
    .fix("Split the node."),
    Rule::new(
        "contract.dependency-protocol",
        Warning,
        "A dependency of type protocol has `protocol` in its name, class or module.",
        dependency_protocol,
    )
    .why("Protocols are told from classes by that word when they are injected.")
    .fix("Name it protocol_…, or correct its type."),
    Rule::new("contract.topic", Warning, "A topic begins with `onex.`.", topic)
        .why("The event bus routes by that prefix and refuses others.")
        .fix("Write it as onex.evt.<producer>.<name>.v1."),
    Rule::new(
        "contract.effect-operations",
        Note,
        "An EFFECT declares its `io_operations`.",
        effect_operations,
    )
    .why("What an effect does to the world is what reviewers and retries need to know.")
    .fix("Add `io_operations`."),
    Rule::new(
        "contract.operation-twice",
        Warning,
        "An operation is declared once.",
        operation_twice,
    )
    .why("The second would replace the first in the generated code.")
    .fix("Remove one."),
    Rule::new("contract.action-twice", Warning, "An action is declared once.", action_twice)
        .why("The second would replace the first in the generated code.")
        .fix("Remove one."),
    Rule::new(
        "contract.alias-twice",
        Warning,
        "An alias of a needed capability is its own.",
        alias_twice,
    )
    .why("The second capability would be bound over the first.")
    .fix("Give each an alias of its own."),
    Rule::new(
        "contract.tool-specification",
        Warning,
        "A `tool_specification` has a `tool_name` and a `main_tool_class`.",
        tool_specification,
    )
    .why("Upstream finds the tool by its name and starts it by its class.")
    .fix("Add `tool_name` and `main_tool_class`."),
];

fn dependency_name(contract: &Contract, hits: &mut Hits<'_>) {
    for dependency in contract.dependencies.iter().filter(|it| it.name.chars().count() < 2) {
        let message = format!("the dependency's name {} is too short", shown(&dependency.name));
        hits.hit(dependency.span, message, "give it a name of two or more characters");
    }
}

/// A hit for every second one of a name.
fn twice<'a>(
    what: &str,
    named: impl Iterator<Item = (&'a str, Option<Span>)>,
    hits: &mut Hits<'_>,
) {
    let mut known = HashSet::new();
    for (name, span) in named {
        if !known.insert(name) {
            hits.hit(span, format!("the {what} {} is declared twice", shown(name)), "remove one");
        }
    }
}

fn dependency_twice(contract: &Contract, hits: &mut Hits<'_>) {
    let named = contract.dependencies.iter().map(|it| (it.name.as_str(), it.span));
    twice("dependency", named, hits);
}

fn dependency_self(contract: &Contract, hits: &mut Hits<'_>) {
    for dependency in contract.dependencies.iter().filter(|it| it.name == contract.name) {
        let message = format!("the contract depends on itself: {}", shown(&dependency.name));
        hits.hit(dependency.span, message, "remove the dependency");
    }
}

fn dependency_count(contract: &Contract, hits: &mut Hits<'_>) {
    let count = contract.dependencies.len();
    if count > DEPENDENCIES_MAX {
        let message =
            format!("the contract has {count} dependencies, more than {DEPENDENCIES_MAX}");
        hits.hit(place(contract, "dependencies"), message, "split the node");
    }
}

fn dependency_protocol(contract: &Contract, hits: &mut Hits<'_>) {
    for dependency in
        contract.dependencies.iter().filter(|it| it.kind.as_deref() == Some("protocol"))
    {
        let texts =
            [Some(&dependency.name), dependency.module.as_ref(), dependency.class_name.as_ref()];
        let says = texts.into_iter().flatten().any(|it| it.to_lowercase().contains("protocol"));
        if !says {
            let name = shown(&dependency.name);
            let message = format!("the dependency {name} is a protocol, but nothing of it says so");
            hits.hit(dependency.span, message, "name it protocol_…, or correct its type");
        }
    }
}

fn topic(contract: &Contract, hits: &mut Hits<'_>) {
    let all = contract.subscribe_topics.iter().chain(&contract.publish_topics);
    for topic in all.filter(|it| !it.starts_with("onex.")) {
        if hits.full() {
            return;
        }
        let span = find_text(&contract.document, topic).or_else(|| place(contract, "event_bus"));
        let message = format!("the topic {} does not begin with `onex.`", shown(topic));
        hits.hit(span, message, "write it as onex.evt.<producer>.<name>.v1");
    }
}

/// The place of a scalar with this text.
fn find_text(node: &Node, text: &str) -> Option<Span> {
    if node.text().is_some_and(|it| it.trim() == text) {
        return Some(node.span);
    }
    let values = node.pairs().iter().map(|(_, value)| value);
    values.chain(node.items()).find_map(|it| find_text(it, text))
}

fn effect_operations(contract: &Contract, hits: &mut Hits<'_>) {
    if contract.node_type == NodeType::Effect && contract.io_operations.is_empty() {
        let message = "the effect does not declare what it does to the world";
        hits.hit(place(contract, "node_type"), message, "add `io_operations`");
    }
}

fn operation_twice(contract: &Contract, hits: &mut Hits<'_>) {
    let named = contract.io_operations.iter().map(|it| (it.name.as_str(), it.span));
    twice("operation", named, hits);
}

fn action_twice(contract: &Contract, hits: &mut Hits<'_>) {
    let named = contract.actions.iter().map(|it| (it.name.as_str(), it.span));
    twice("action", named, hits);
}

fn alias_twice(contract: &Contract, hits: &mut Hits<'_>) {
    let inputs = contract.document.get("capability_inputs").map_or(&[][..], Node::items);
    let named = inputs.iter().filter_map(|it| {
        let alias = it.get("alias")?;
        Some((alias.as_str()?, Some(alias.span)))
    });
    twice("alias", named, hits);
}

fn tool_specification(contract: &Contract, hits: &mut Hits<'_>) {
    let Some((key, node)) = contract.document.entry("tool_specification") else { return };
    for name in ["tool_name", "main_tool_class"] {
        if node.first_text(&[name]).is_none() {
            let message = format!("the tool specification has no `{name}`");
            hits.hit(Some(key.span), message, format!("add `{name}`"));
        }
    }
}
