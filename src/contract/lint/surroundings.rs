//! Rules about what a contract says of its surroundings: protocols, kinds of dependencies,
//! evidence, annotations, handlers, and versions as texts.

use super::{Hits, Rule, place};
use crate::contract::document::Node;
use crate::contract::model::Contract;
use crate::contract::notes::shown;
use crate::finding::Level::{Note, Warning};
use std::collections::HashSet;

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.protocol-interface",
        Warning,
        "An entry of `protocol_interfaces` has `protocol` in its name.",
        protocol_interface,
    )
    .why("Upstream refuses the contract otherwise.")
    .fix("Name the protocol by its dotted path."),
    Rule::new(
        "contract.protocol-binding",
        Warning,
        "Protocols are bound under names of their own.",
        protocol_binding,
    )
    .why("The second would be bound over the first.")
    .fix("Give one of them another `bind_as`."),
    Rule::new(
        "contract.dependency-circle",
        Note,
        "The module of a dependency has not the contract's own name in it.",
        dependency_circle,
    )
    .why("Upstream takes that for a node that depends on itself, and refuses it.")
    .fix("Depend on a module outside the node, or rename the node."),
    Rule::new(
        "contract.dependency-type",
        Note,
        "The type of a dependency is one that upstream's tools know.",
        dependency_type,
    )
    .why("Core counts what it does not know as a protocol, infra refuses it.")
    .fix("Write protocol, service, module, external, environment, node, handler or library."),
    Rule::new(
        "contract.dependency-description",
        Note,
        "A dependency says what it is for.",
        dependency_description,
    )
    .why("Who replaces it must know what the node needs of it.")
    .fix("Add `description`."),
    Rule::new(
        "contract.golden-path",
        Note,
        "A contract that consumes events has a `golden_path`.",
        golden_path,
    )
    .why("Without one nobody can tell whether events arrive from end to end.")
    .fix("List the steps that prove it under `golden_path`."),
    Rule::new(
        "contract.config-requirements",
        Warning,
        "`config_requirements` is a list.",
        config_requirements,
    )
    .why("Upstream's compliance check refuses anything else.")
    .fix("Write it as a list."),
    Rule::new(
        "contract.annotation",
        Warning,
        "Annotations hold nothing that has a field of its own.",
        annotation,
    )
    .why("Topics, handlers and routes in free annotations escape every check.")
    .fix("Move it to its field."),
    Rule::new(
        "contract.handler-descriptor",
        Warning,
        "A handler contract has a `descriptor` with `node_archetype` and `purity`.",
        handler_descriptor,
    )
    .why("The registry loads handlers by them and refuses one without.")
    .fix("Add `descriptor: {node_archetype: compute, purity: pure}` or so."),
    Rule::new(
        "contract.handler-class",
        Warning,
        "A `handler_class` is a dotted path.",
        handler_class,
    )
    .why("It is imported by that path.")
    .fix("Write package.module.HandlerSomething."),
    Rule::new(
        "contract.version-suffix",
        Warning,
        "Pre-release and build parts of a version follow SemVer 2.0.0.",
        version_suffix,
    )
    .why("Tools sort versions by these parts; what is malformed sorts anywhere.")
    .fix("Write letters, digits and hyphens between dots, numbers without leading zeros."),
    Rule::new(
        "contract.fingerprint-version",
        Warning,
        "A fingerprint begins with the contract's own version.",
        fingerprint_version,
    )
    .why("It was taken of another version of the contract and proves nothing of this one.")
    .fix("Remove it, or let upstream's tool compute it again."),
];

fn items<'a>(contract: &'a Contract, key: &str) -> &'a [Node] {
    contract.document.get(key).map_or(&[], Node::items)
}

fn protocol_interface(contract: &Contract, hits: &mut Hits<'_>) {
    for interface in items(contract, "protocol_interfaces") {
        let text = interface.text().unwrap_or_default();
        if !text.to_lowercase().contains("protocol") {
            let message = format!("the interface {} does not say `protocol`", shown(text));
            hits.hit(Some(interface.span), message, "name the protocol's dotted path");
        }
    }
}

fn protocol_binding(contract: &Contract, hits: &mut Hits<'_>) {
    let mut known = HashSet::new();
    for protocol in items(contract, "protocol_dependencies") {
        let Some(name) = protocol.first_text(&["bind_as", "name"]) else { continue };
        if !known.insert(name) {
            let message = format!("two protocols are bound as {}", shown(name));
            hits.hit(Some(protocol.span), message, "give one another `bind_as`");
        }
    }
}

fn dependency_circle(contract: &Contract, hits: &mut Hits<'_>) {
    let own = contract.name.to_lowercase();
    for dependency in &contract.dependencies {
        let Some(module) = &dependency.module else { continue };
        if dependency.name != contract.name && module.to_lowercase().contains(&own) {
            let message = format!("the module {} has the node's own name in it", shown(module));
            hits.hit(dependency.span, message, "depend on a module outside the node");
        }
    }
}

fn dependency_type(contract: &Contract, hits: &mut Hits<'_>) {
    const KNOWN: [&str; 11] = [
        "protocol",
        "service",
        "module",
        "external",
        "environment",
        "node",
        "handler",
        "library",
        "mixin",
        "path",
        "ModelONEXContainer",
    ];
    for dependency in &contract.dependencies {
        let Some(kind) = dependency.kind.as_deref().filter(|it| !KNOWN.contains(it)) else {
            continue;
        };
        let short = kind.get(..kind.len().min(64)).unwrap_or_default();
        let help = match crate::error::nearest(short, KNOWN) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write service, library or another of the known ones".to_owned(),
        };
        let message = format!("the dependency type {} is not known upstream", shown(kind));
        hits.hit(dependency.span, message, help);
    }
}

fn dependency_description(contract: &Contract, hits: &mut Hits<'_>) {
    for dependency in items(contract, "dependencies") {
        if dependency.is_mapping() && dependency.first_text(&["description"]).is_none() {
            let name = shown(dependency.first_text(&["name"]).unwrap_or("?"));
            let message = format!("the dependency {name} does not say what it is for");
            hits.hit(Some(dependency.span), message, "add `description`");
        }
    }
}

fn golden_path(contract: &Contract, hits: &mut Hits<'_>) {
    let path = contract.document.get("golden_path").filter(|it| !it.is_null());
    if !contract.subscribe_topics.is_empty() && path.is_none() {
        let message = "the contract consumes events and has no `golden_path`";
        hits.hit(place(contract, "event_bus"), message, "list the steps that prove it works");
    }
}

fn config_requirements(contract: &Contract, hits: &mut Hits<'_>) {
    let node = contract.document.get("config_requirements").filter(|it| !it.is_sequence());
    if let Some(node) = node {
        let message = format!("`config_requirements` is {}", node.what());
        hits.hit(Some(node.span), message, "write it as a list");
    }
}

fn annotation(contract: &Contract, hits: &mut Hits<'_>) {
    const FIELDS: [&str; 10] = [
        "topic",
        "topics",
        "handler",
        "routes",
        "routing",
        "validate",
        "validator",
        "consumer_group",
        "subscriber",
        "producer",
    ];
    let Some(annotations) = contract.document.get("annotations") else { return };
    for (key, _) in annotations.pairs() {
        if let Some(name) = key.text().filter(|it| FIELDS.contains(it)) {
            let message = format!("the annotation {} has a field of its own", shown(name));
            hits.hit(Some(key.span), message, "move it there");
        }
    }
}

fn handler_descriptor(contract: &Contract, hits: &mut Hits<'_>) {
    let document = &contract.document;
    if document.get("handler_id").is_none() {
        return;
    }
    let text = |key: &str| document.at(&["descriptor", key]).and_then(Node::as_str);
    for key in ["node_archetype", "purity"] {
        if text(key).is_none() {
            let message = format!("the handler contract has no `descriptor.{key}`");
            hits.hit(place(contract, "descriptor"), message, format!("add `{key}`"));
        }
    }
}

fn handler_class(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(node) = contract.document.get("handler_class").filter(|it| !it.is_null()) else {
        return;
    };
    let text = node.as_str().unwrap_or_default();
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if text.split('.').count() < 2 || !text.split('.').all(word) {
        let message = format!("the handler class {} is no dotted path", shown(text));
        hits.hit(Some(node.span), message, "write package.module.HandlerSomething");
    }
}

fn version_suffix(contract: &Contract, hits: &mut Hits<'_>) {
    for key in ["contract_version", "version", "node_version"] {
        let Some(node) = contract.document.get(key) else { continue };
        let Some(text) = node.as_str() else { continue };
        let (core, build) = match text.split_once('+') {
            Some((core, build)) => (core, Some(build)),
            None => (text, None),
        };
        let before = core.split_once('-').map(|(_, before)| before);
        let signs = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
        };
        let good = before.is_none_or(|it| it.split('.').all(|part| signs(part) && !zero(part)))
            && build.is_none_or(|it| it.split('.').all(signs));
        if !good {
            let message = format!("the suffix of `{key}` {} is not SemVer", shown(text));
            hits.hit(Some(node.span), message, "write it like 1.0.0-rc.1+build.5");
        }
    }
}

fn fingerprint_version(contract: &Contract, hits: &mut Hits<'_>) {
    let Some((version, _)) = contract.fingerprint.as_deref().and_then(|it| it.split_once(':'))
    else {
        return;
    };
    let numbers = version.split('.').filter(|it| it.parse::<u64>().is_ok()).count();
    if numbers == 3 && version != contract.version.to_string() {
        let message =
            format!("the fingerprint is of version {version}, the contract {}", contract.version);
        let span = contract.document.get("fingerprint").map(|it| it.span);
        hits.hit(span, message, "remove it, or compute it again");
    }
}
