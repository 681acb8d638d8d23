//! How a node is run and wired: descriptor, handlers, event bus, effect and compute sections,
//! status codes, subcontracts by reference, markers.

use super::fields;
use super::types::Types;
use crate::contract::document::Node;
use crate::contract::model::Model;
use crate::contract::model::Version;
use crate::contract::model::sections::{
    Compute, Descriptor, Effect, EventBus, Factor, Handler, HandlerRouting, Sections, StatusCode,
    Subcontract,
};
use crate::contract::notes::Notes;

/// Reads all sections.
pub(super) fn sections(document: &Node, types: &mut Types<'_>, notes: &mut Notes) -> Sections {
    Sections {
        status_codes: status_codes(document, notes),
        error_state: error_state(document, types, notes),
        descriptor: document.get("descriptor").filter(|it| it.is_mapping()).map(descriptor),
        event_bus: event_bus(document),
        handler_routing: handler_routing(document, notes),
        effect: effect(document),
        compute: compute(document),
        subcontracts: subcontracts(document),
        mixins: super::mixins::mixins(document),
        markers: markers(document),
        runtime_profiles: runtime_profiles(document),
        single_operation_max_ms: document
            .at(&["performance", "single_operation_max_ms"])
            .and_then(Node::as_u64),
    }
}

fn text(node: &Node, keys: &[&str]) -> Option<String> {
    node.first_text(keys).map(|text| text.trim().to_owned())
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let one = node.as_str().into_iter();
    one.chain(node.items().iter().filter_map(Node::as_str)).map(|it| it.trim().to_owned()).collect()
}

fn whole(node: &Node, keys: &[&str]) -> Option<u64> {
    node.first(keys).and_then(Node::as_u64)
}

/// A version that can be read; the faults of one that cannot are the typed models' affair.
fn version(node: &Node) -> Option<Version> {
    let node = node.get("version")?;
    if let Some(text) = node.as_str() {
        let mut parts = text.split('.').map(|it| it.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        return Some(Version { major, minor, patch: parts.next().flatten().unwrap_or(0) });
    }
    let part = |key: &str| node.get(key).and_then(Node::as_u64);
    Some(Version {
        major: part("major")?,
        minor: part("minor").unwrap_or(0),
        patch: part("patch").unwrap_or(0),
    })
}

fn status_codes(document: &Node, notes: &mut Notes) -> Vec<StatusCode> {
    let places = [&["status_codes"][..], &["exit_codes"], &["definitions", "status_codes"]];
    let Some((path, node)) = places.iter().find_map(|path| Some((path, document.at(path)?))) else {
        return Vec::new();
    };
    if path.len() > 1 || *path != ["status_codes"] {
        let message = format!("`{}` is read as `status_codes`", path.join("."));
        notes.note("contract.rewrite-section", document.key_span(path), message);
    }
    let keyed = node.pairs().iter().filter_map(|(key, value)| Some((key.text()?, key, value)));
    let listed = node.items().iter().filter_map(|item| {
        let code = item.as_str().or_else(|| item.first_text(&["code", "status_code", "name"]))?;
        Some((code, item, item))
    });
    let code = |(code, place, entry): (&str, &Node, &Node)| {
        let own = entry.as_str().filter(|it| *it != code).map(str::to_owned);
        StatusCode {
            code: code.trim().to_owned(),
            description: own.or_else(|| text(entry, &["description", "message", "meaning"])),
            span: Some(place.span),
        }
    };
    keyed.chain(listed).map(code).collect()
}

fn error_state(document: &Node, types: &mut Types<'_>, notes: &mut Notes) -> Option<Model> {
    let (key, node) = document.entry("error_state").filter(|(_, node)| node.is_mapping())?;
    let schema = ["properties", "object_type", "required"].iter().any(|it| node.get(it).is_some());
    let fields = if schema {
        fields::of_schema(node, types, notes)
    } else {
        fields::of_mapping(node, types, notes)
    };
    Some(Model {
        class_name: text(node, &["class_name", "object_type"]),
        module: text(node, &["module"]),
        description: text(node, &["description"]),
        fields,
        span: Some(key.span),
    })
}

fn descriptor(node: &Node) -> Descriptor {
    Descriptor {
        archetype: text(node, &["node_archetype", "handler_kind"]),
        purity: text(node, &["purity"]).map(|it| match it.as_str() {
            // Upstream knows one word for them; the lint says so.
            "impure" | "effectful" => "side_effecting".to_owned(),
            _ => it,
        }),
        idempotent: node.get("idempotent").and_then(Node::as_bool),
        timeout_ms: whole(node, &["timeout_ms"]),
        span: Some(node.span),
    }
}

fn runtime_profiles(document: &Node) -> Vec<String> {
    let own = document.get("runtime_profiles").filter(|it| !it.is_null());
    texts(own.or_else(|| document.at(&["descriptor", "runtime_profiles"])))
}

fn event_bus(document: &Node) -> Option<EventBus> {
    let node = document.get("event_bus").filter(|it| it.is_mapping());
    let found = EventBus {
        version: node.and_then(version),
        dead_letter_topics: node
            .map(|it| texts(it.first(&["dlq_topics", "dead_letter_topics", "dlq_topic"])))
            .unwrap_or_default(),
        terminal_topic: text(document, &["terminal_event"]),
        consumer_group: node.and_then(|it| text(it, &["consumer_group"])),
    };
    (node.is_some() || found.terminal_topic.is_some()).then_some(found)
}

fn handler_routing(document: &Node, notes: &mut Notes) -> Option<HandlerRouting> {
    if let Some(node) = document.get("handler_routing").filter(|it| it.is_mapping()) {
        return Some(HandlerRouting {
            strategy: text(node, &["routing_strategy", "strategy"]),
            version: version(node),
            handlers: node
                .get("handlers")
                .map_or(&[][..], Node::items)
                .iter()
                .filter_map(handler)
                .collect(),
            default_handler: node.get("default_handler").and_then(|it| {
                it.as_str().map(str::to_owned).or_else(|| text(it, &["name", "class", "function"]))
            }),
            span: Some(node.span),
        });
    }
    let (key, node) = document.entry("handler").filter(|(_, node)| node.is_mapping())?;
    let name = text(node, &["class", "class_name", "name"])?;
    notes.note(
        "contract.rewrite-section",
        key.span,
        "`handler` is read as the one handler of `handler_routing`",
    );
    let one = Handler {
        name,
        module: text(node, &["module"]),
        description: text(node, &["description"]),
        span: Some(node.span),
        ..Handler::default()
    };
    Some(HandlerRouting { handlers: vec![one], span: Some(key.span), ..HandlerRouting::default() })
}

fn handler(node: &Node) -> Option<Handler> {
    let class = node.get("handler").filter(|it| !it.is_null());
    let inner = class.filter(|it| it.is_mapping()).unwrap_or(node);
    let names = ["name", "class", "handler_class", "class_name", "function", "handler_key"];
    let own = class.and_then(Node::as_str).map(str::to_owned);
    let event = node.first(&["event_model", "payload_type"]);
    Some(Handler {
        name: own
            .or_else(|| text(inner, &names))
            .or_else(|| text(node, &["handler_key", "backend", "operation"]))?,
        module: text(inner, &["module", "handler_module"]),
        operation: text(node, &["operation", "routing_key"]),
        event_class: event
            .and_then(|it| it.as_str().map(str::to_owned).or_else(|| text(it, &["name"]))),
        topic: text(node, &["topic"]),
        description: text(node, &["description"]),
        span: Some(node.span),
    })
}

fn effect(document: &Node) -> Option<Effect> {
    let node = document.first(&["effect", "effect_operations"]).filter(|it| it.is_mapping())?;
    let retry = node.first(&["default_retry_policy", "retry_policy"]);
    let breaker = node.get("circuit_breaker");
    Some(Effect {
        execution_mode: text(node, &["execution_mode"]),
        timeout_ms: whole(node, &["operation_timeout_ms", "timeout_ms"]),
        retries_max: retry.and_then(|it| whole(it, &["max_retries", "max_attempts"])),
        circuit_breaker: breaker.and_then(|it| it.get("enabled").and_then(Node::as_bool)),
        span: Some(node.span),
    })
}

fn compute(document: &Node) -> Option<Compute> {
    let node = document.first(&["algorithm", "compute"])?;
    let algorithm = node.as_str().map(str::to_owned);
    let factor = |(key, value): (&str, &Node)| Factor {
        name: key.to_owned(),
        weight: value.get("weight").and_then(Node::as_f64),
        method: text(value, &["calculation_method"]),
    };
    Some(Compute {
        algorithm: algorithm.or_else(|| text(node, &["algorithm_type", "type", "name"])),
        factors: node.get("factors").into_iter().flat_map(Node::entries).map(factor).collect(),
        span: Some(node.span),
    })
}

/// Entries that name a file; a mapping of groups is looked into.
fn subcontracts(document: &Node) -> Vec<Subcontract> {
    let Some(node) = document.get("subcontracts") else { return Vec::new() };
    let grouped = node.pairs().iter().flat_map(|(key, value)| {
        let one = (!value.is_sequence()).then_some((key.text(), value));
        one.into_iter().chain(value.items().iter().map(|item| (None, item)))
    });
    let listed = node.items().iter().map(|item| (None, item));
    let read = |(key, entry): (Option<&str>, &Node)| {
        let path = entry.as_str().map(str::to_owned);
        let path = path.or_else(|| text(entry, &["path", "file", "ref", "$ref", "contract"]));
        let name = text(entry, &["name", "subcontract_name"]);
        Some(Subcontract {
            name: name.or_else(|| key.map(str::to_owned)).or_else(|| path.clone())?,
            path,
            kind: text(entry, &["integration_type", "type", "kind"]),
            description: text(entry, &["description"]),
            span: Some(entry.span),
        })
    };
    listed.chain(grouped).filter_map(read).filter(|it| it.path.is_some()).collect()
}

fn markers(document: &Node) -> Vec<String> {
    ["contract_driven", "strong_typing", "zero_any_types", "protocol_based"]
        .into_iter()
        .filter(|key| document.get(key).and_then(Node::as_bool) == Some(true))
        .map(str::to_owned)
        .collect()
}
