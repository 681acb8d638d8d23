//! A contract as upstream's migration audit rewrites it before it asks the typed models: what older
//! forms carry is dropped, renamed or set aside. The tree keeps its places. Pure.

use super::typed;
use crate::contract::document::{Node, Value};

/// Keys that the audit drops: the typed models have other places for what they say.
const DROPPED: [&str; 7] = [
    "metadata",
    "contract_name",
    "node_name",
    "event_bus",
    "subscribe_topics",
    "publish_topics",
    "topics",
];

/// The document as the audit sees it.
pub(super) fn rewritten(document: &Node) -> Node {
    let Value::Mapping(pairs) = &document.value else { return document.clone() };
    let kept = pairs.iter().filter(|(key, _)| key.text().is_none_or(|it| !DROPPED.contains(&it)));
    let mut pairs: Vec<(Node, Node)> = kept.cloned().collect();
    for (key, value) in &mut pairs {
        match key.text() {
            Some("input_model" | "output_model") => class_text(value),
            Some("handler_routing") => routing(value),
            Some("dod_evidence") => evidence(value),
            _ => {}
        }
    }
    older_handler(&mut pairs);
    set_aside(&mut pairs);
    Node { span: document.span, value: Value::Mapping(pairs) }
}

fn text(text: &str, like: &Node) -> Node {
    let value = Value::Scalar { text: text.to_owned(), quoted: true };
    Node { span: like.span, value }
}

fn set(node: &mut Node, key: &str, value: Node) {
    let Value::Mapping(pairs) = &mut node.value else { return };
    match pairs.iter_mut().find(|(it, _)| it.text() == Some(key)) {
        Some((_, old)) => *old = value,
        None => pairs.push((text(key, &value), value)),
    }
}

/// `{name, module}` becomes `module.name`.
fn class_text(node: &mut Node) {
    let part = |key: &str| node.get(key).and_then(Node::as_string).filter(|it| !it.is_empty());
    if let (Some(name), Some(module)) = (part("name"), part("module")) {
        *node = text(&format!("{module}.{name}"), node);
    }
}

/// A version where none is given, and for each handler its operation and its class.
fn routing(node: &mut Node) {
    if !node.is_mapping() {
        return;
    }
    if node.get("version").is_none() {
        let pairs = [("major", "1"), ("minor", "0"), ("patch", "0")];
        let number = |text: &str| Value::Scalar { text: text.to_owned(), quoted: false };
        let pairs = pairs
            .map(|(key, value)| (text(key, node), Node { span: node.span, value: number(value) }));
        let version = Node { span: node.span, value: Value::Mapping(pairs.into()) };
        set(node, "version", version);
    }
    let Value::Mapping(pairs) = &mut node.value else { return };
    let handlers = pairs.iter_mut().find(|(key, _)| key.text() == Some("handlers"));
    if let Some((_, Node { value: Value::Sequence(handlers), .. })) = handlers {
        handlers.iter_mut().filter(|it| it.is_mapping()).for_each(handler);
    }
}

fn handler(node: &mut Node) {
    let filled =
        |key: &str| node.get(key).filter(|it| it.as_string().is_some_and(|t| !t.is_empty()));
    if node.get("operation").is_none() {
        let operations = node.get("supported_operations").map_or(&[][..], Node::items);
        let found = filled("routing_key")
            .or_else(|| operations.first())
            .or_else(|| node.get("handler_type"))
            .cloned();
        if let Some(found) = found {
            set(node, "operation", found);
        }
    }
    let named = node.get("handler").filter(|it| it.get("name").is_some()).cloned();
    match named {
        Some(mut class) if class.get("module").is_none() => {
            let empty = text("", &class);
            set(&mut class, "module", empty);
            set(node, "handler", class);
        }
        Some(_) => {}
        None => {
            let key = node.get("handler_key");
            let key = key.filter(|it| it.as_string().is_some_and(|text| !text.is_empty())).cloned();
            if let Some(key) = key {
                let pairs =
                    vec![(text("name", &key), key.clone()), (text("module", &key), text("", &key))];
                let span = key.span;
                set(node, "handler", Node { span, value: Value::Mapping(pairs) });
            }
        }
    }
}

/// `kind` of a piece of evidence becomes its `type`.
fn evidence(node: &mut Node) {
    let Value::Sequence(items) = &mut node.value else { return };
    for item in items.iter_mut().filter(|it| it.get("type").is_none()) {
        let Value::Mapping(pairs) = &mut item.value else { continue };
        let Some((key, value)) = pairs.iter_mut().find(|(key, _)| key.text() == Some("kind"))
        else {
            continue;
        };
        *key = text("type", key);
        if value.as_string() == Some("test") {
            *value = text("unit_test", value);
        }
    }
}

/// The older form with `handler: {class: …}`: only its input model is kept.
fn older_handler(pairs: &mut Vec<(Node, Node)>) {
    let value = |pairs: &[(Node, Node)], name: &str| {
        let found = pairs.iter().find(|(key, _)| key.text() == Some(name));
        found.map(|(_, value)| value.clone())
    };
    let Some(handler) = value(pairs, "handler").filter(|it| it.get("class").is_some()) else {
        return;
    };
    pairs.retain(|(key, _)| {
        !matches!(key.text(), Some("handler" | "descriptor" | "terminal_event"))
    });
    if value(pairs, "input_model").is_none()
        && let Some((key, model)) = handler.entry("input_model")
    {
        pairs.push((key.clone(), model.clone()));
    }
}

/// Keys that none of the models has become annotations.
fn set_aside(pairs: &mut Vec<(Node, Node)>) {
    // Upstream goes by the names of its fields, and this one is only an alias there.
    let known =
        |key: &Node| key.text().is_some_and(|it| typed::knows(it) && it != "state_transitions");
    let (kept, extra): (Vec<_>, Vec<_>) =
        std::mem::take(pairs).into_iter().partition(|(key, _)| known(key));
    *pairs = kept;
    let Some((first, _)) = extra.first().cloned() else { return };
    let at = pairs.iter().position(|(key, _)| key.text() == Some("annotations"));
    let mut annotations = match at.map(|at| pairs.remove(at).1) {
        Some(node) if node.is_mapping() => node,
        _ => Node { span: first.span, value: Value::Mapping(Vec::new()) },
    };
    if let Value::Mapping(own) = &mut annotations.value {
        own.extend(extra);
    }
    pairs.push((text("annotations", &first), annotations));
}
