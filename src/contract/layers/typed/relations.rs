//! What values of the typed models ask of one another, and words with a form. Pure.

use std::collections::{HashMap, HashSet};

use super::super::scalar::{self, Scalar};
use super::super::shape::{Check, Fault, flag_of, number_of};
use crate::contract::document::Node;
use crate::contract::notes::shown;
use crate::finding::Span;

/// `major.minor.patch:` and twelve hex digits in lower case.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let hex = |text: &str| {
        text.len() == 12 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    text.split_once(':').is_some_and(|(version, rest)| {
        version.split('.').count() == 3 && version.split('.').all(digits) && hex(rest)
    })
}

/// A letter in lower case, then such letters, digits and underscores.
pub(super) fn is_snake_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// A letter in upper case, then such letters, digits and underscores.
pub(super) fn is_upper_case(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
}

pub(super) fn is_uuid(text: &str) -> bool {
    let bare = text.trim().trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    let hex = bare.bytes().filter(u8::is_ascii_hexdigit).count();
    hex == 32 && bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// `onex.<kind>.<producer>.<event-name>.v<number>`, in lower case with hyphens.
pub(in super::super) fn is_topic(text: &str) -> bool {
    let kebab = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && !part.ends_with('-')
            && !part.contains("--")
            && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    let version = |part: &str| {
        let number = part.strip_prefix('v').filter(|it| it.bytes().all(|b| b.is_ascii_digit()));
        number.is_some_and(|it| it.bytes().any(|b| b != b'0'))
    };
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        ["onex", "cmd" | "evt" | "dlq" | "intent" | "snapshot", producer, name, last] => {
            kebab(producer) && kebab(name) && version(last)
        }
        _ => false,
    }
}

/// `field operator value`.
pub(super) fn is_expression(text: &str) -> bool {
    const OPERATORS: [&str; 20] = [
        "==",
        "!=",
        "equals",
        "not_equals",
        "<",
        ">",
        "<=",
        ">=",
        "greater_than",
        "less_than",
        "greater_than_or_equal",
        "less_than_or_equal",
        "min_length",
        "max_length",
        "exists",
        "not_exists",
        "in",
        "not_in",
        "contains",
        "matches",
    ];
    let mut words = text.split_whitespace();
    let operator = words.nth(1);
    words.count() == 1 && operator.is_some_and(|it| OPERATORS.contains(&it))
}

fn text<'a>(node: &'a Node, key: &str) -> &'a str {
    match node.get(key).and_then(scalar::of) {
        Some(Scalar::Text(text)) => text.trim(),
        _ => "",
    }
}

fn is_true(node: Option<&Node>) -> bool {
    node.and_then(flag_of) == Some(true)
}

/// Upstream makes texts of name and module; the type decides whether the word protocol is asked
/// for.
pub(super) fn dependency(node: &Node, check: &mut Check<'_>) {
    const TYPES: [&str; 5] = ["protocol", "service", "module", "external", "environment"];
    let given = node.get("name");
    let name = given.and_then(Node::text).unwrap_or_default().trim();
    // Of a list, a mapping or null, upstream makes a text of two or more characters.
    let short = given.is_none_or(|it| it.text().is_some() && !it.is_null());
    if short && name.chars().count() < 2 {
        let help = "give it a name of two or more characters";
        check.add(Fault::Value, node.span, "name", "{} has fewer than two characters", help);
    }
    let given = node.get("dependency_type").filter(|it| it.text().is_some() && !it.is_null());
    let kind = match given {
        Some(kind) => {
            let text = kind.text().unwrap_or_default();
            if !TYPES.contains(&text) {
                let message = format!("{{}} must be one of {}", TYPES.join(", "));
                check.add(Fault::Value, kind.span, "dependency_type", &message, "");
                return;
            }
            text
        }
        None => match text(node, "type") {
            alias if TYPES.contains(&alias) => alias,
            _ => "protocol",
        },
    };
    let module = node.get("module").filter(|it| !it.is_null());
    let path = module.and_then(Node::text).unwrap_or_default().trim();
    if let Some(module) = module.filter(|_| !path.is_empty() && !is_module(path)) {
        let help = "write it as package.part.module, without system, admin, root or config in it";
        check.add(Fault::Value, module.span, "module", "{} is no module upstream takes", help);
    }
    let says = |text: &str| text.to_lowercase().contains("protocol");
    if kind == "protocol" && !says(name) && !says(path) {
        let message = format!(
            "the dependency {} counts as a protocol, but nothing of it says so",
            shown(name)
        );
        let help = "name it protocol_…, or give it type service, module, external or environment";
        check.relation(node.span, message, help);
    }
}

/// A dotted path of at most 200 characters without the words that upstream takes for privileged.
fn is_module(path: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let lower = path.to_lowercase();
    let privileged = ["system", "admin", "root", "config"].iter().any(|word| {
        let allowed = match *word {
            "system" => lower.contains("file_system") || lower.contains("event_system"),
            "config" => lower.contains("protocol"),
            _ => false,
        };
        lower.contains(word) && !allowed
    });
    path.len() <= 200 && path.split('.').all(part) && !privileged
}

/// What all four kinds ask.
fn base(node: &Node, check: &mut Check<'_>) {
    let own = text(node, "name").to_lowercase();
    let dependencies = node.get("dependencies").map_or(&[][..], Node::items);
    let mut known = HashSet::new();
    for dependency in dependencies {
        let name = dependency.get("name").and_then(Node::text).unwrap_or_default().trim();
        let lower = name.to_lowercase();
        let module = dependency.get("module").and_then(Node::text).unwrap_or_default();
        if lower == own {
            let message = format!("the contract depends on itself: {}", shown(name));
            check.relation(dependency.span, message, "remove the dependency");
        } else if module.to_lowercase().contains(&own) {
            let message = format!("the module {} has the contract's own name in it", shown(module));
            check.relation(dependency.span, message, "upstream takes that for a circle");
        }
        if !known.insert(lower) {
            let message = format!("the dependency {} is declared twice", shown(name));
            check.relation(dependency.span, message, "remove one");
        }
    }
    if dependencies.len() > 50 {
        let message = format!("{} dependencies are more than 50", dependencies.len());
        check.relation(node.key_span(&["dependencies"]), message, "split the node");
    }
    for interface in node.get("protocol_interfaces").map_or(&[][..], Node::items) {
        let text = interface.text().unwrap_or_default();
        if !text.to_lowercase().contains("protocol") {
            let message = format!("the interface {} does not say `protocol`", shown(text));
            check.relation(interface.span, message, "name the protocol's dotted path");
        }
    }
    if let Some(tool) = node.get("tool_specification").filter(|it| !it.pairs().is_empty()) {
        for key in ["tool_name", "main_tool_class"].iter().filter(|key| tool.get(key).is_none()) {
            let message = format!("the tool specification has no `{key}`");
            check.relation(tool.span, message, "add it");
        }
    }
}

fn needs_bound(node: &Node, check: &mut Check<'_>) {
    let bound = node.at(&["performance", "single_operation_max_ms"]);
    if bound.is_none_or(Node::is_null) {
        let message = "`performance.single_operation_max_ms` is missing".to_owned();
        let help = "say how long one call may take";
        check.relation(node.key_span(&["performance"]), message, help);
    }
}

/// A query may not last longer than the call it is part of.
pub(super) fn performance(node: &Node, check: &mut Check<'_>) {
    let number = |key: &str| node.get(key).and_then(number_of);
    if let (Some(query), Some(whole)) =
        (number("database_query_timeout_ms"), number("single_operation_max_ms"))
        && query > whole
    {
        let message =
            format!("database_query_timeout_ms {query} is above the whole call's {whole}");
        check.relation(node.key_span(&["database_query_timeout_ms"]), message, "");
    }
}

pub(super) fn compute(node: &Node, check: &mut Check<'_>) {
    base(node, check);
    needs_bound(node, check);
}

pub(super) fn effect(node: &Node, check: &mut Check<'_>) {
    base(node, check);
    let operations = node.get("io_operations").map_or(&[][..], Node::items);
    let says_no = |node: Option<&Node>| node.and_then(flag_of) == Some(false);
    // Transactions are on and operations atomic unless they say otherwise.
    let transactional = !says_no(node.at(&["transaction_management", "enabled"]));
    let plain = |it: &Node| says_no(it.get("atomic"));
    if transactional && !operations.is_empty() && operations.iter().all(plain) {
        let message = "transactions need at least one atomic operation".to_owned();
        let help = "upstream turns transactions on; say `transaction_management: {enabled: false}`";
        check.relation(node.key_span(&["io_operations"]), message, help);
    }
    let retry = |key: &str, default: f64| {
        node.at(&["retry_policies", key]).and_then(number_of).unwrap_or(default)
    };
    let breaker = !says_no(node.at(&["retry_policies", "circuit_breaker_enabled"]));
    if breaker && retry("circuit_breaker_threshold", 3.0) > retry("max_attempts", 3.0) {
        let message = "the breaker's threshold is above the most attempts".to_owned();
        check.relation(node.key_span(&["retry_policies"]), message, "");
    }
}

pub(super) fn reducer(node: &Node, check: &mut Check<'_>) {
    base(node, check);
    placement(node, check);
}

pub(super) fn orchestrator(node: &Node, check: &mut Check<'_>) {
    base(node, check);
    placement(node, check);
    needs_bound(node, check);
}

/// Folding in two places at once loses events, so upstream asks that there be no state then.
fn placement(node: &Node, check: &mut Check<'_>) {
    let Some(placement) = node.get("placement") else { return };
    let store = placement.at(&["state", "store"]).and_then(Node::text);
    if text(placement, "mode") == "any" && store != Some("none") {
        let message = "with `placement.mode: any` a node that keeps state must say \
                       `placement.state.store: none`";
        check.relation(node.key_span(&["placement"]), message.to_owned(), "");
    }
}

pub(super) fn event_bus(node: &Node, check: &mut Check<'_>) {
    let topics =
        |key: &str| node.get(key).map_or(&[][..], Node::items).iter().filter_map(Node::text);
    let subscribed: HashSet<&str> = topics("subscribe_topics").collect();
    let mut known = HashSet::new();
    for topic in topics("signed_ingress_topics") {
        if !subscribed.contains(topic) || !known.insert(topic) {
            let message = format!("the signed topic {} is twice or not subscribed", shown(topic));
            check.relation(node.key_span(&["signed_ingress_topics"]), message, "");
        }
    }
}

pub(super) fn algorithm(node: &Node, check: &mut Check<'_>) {
    let factors = node.get("factors").map_or(&[][..], Node::pairs);
    let weight = |it: &Node| it.get("weight").and_then(number_of).unwrap_or_default();
    let sum: f64 = factors.iter().map(|(_, factor)| weight(factor)).sum();
    if !(0.99..=1.01).contains(&sum) {
        let message = format!("the weights of the factors add up to {sum:.2}, not to 1");
        check.relation(node.key_span(&["factors"]), message, "");
    }
}

pub(super) fn machine(node: &Node, check: &mut Check<'_>) {
    let states = node.get("states").map_or(&[][..], Node::items);
    let names: HashSet<&str> = states.iter().map(|it| text(it, "state_name")).collect();
    let terminal: HashSet<&str> = states
        .iter()
        .filter(|it| is_true(it.get("is_terminal")))
        .map(|it| text(it, "state_name"))
        .collect();
    for state in states.iter().filter(|it| terminal.contains(text(it, "state_name"))) {
        if state.get("is_recoverable").and_then(flag_of) != Some(false) {
            let name = shown(text(state, "state_name"));
            let message = format!("the terminal state {name} must say `is_recoverable: false`");
            check.relation(state.span, message, "");
        }
    }
    if let Some(initial) = node.get("initial_state") {
        declared(&names, text(node, "initial_state"), initial.span, check);
    }
    for key in ["terminal_states", "error_states"] {
        for state in node.get(key).map_or(&[][..], Node::items) {
            declared(&names, state.text().unwrap_or_default(), state.span, check);
        }
    }
    let (mut known, mut keys) = (HashSet::new(), HashSet::new());
    for transition in node.get("transitions").map_or(&[][..], Node::items) {
        let (from, to) = (text(transition, "from_state"), text(transition, "to_state"));
        if from != "*" {
            declared(&names, from, transition.span, check);
        }
        declared(&names, to, transition.span, check);
        let name = text(transition, "transition_name");
        let priority = transition.get("priority").and_then(Node::text).unwrap_or("0");
        let twice = !known.insert(name);
        if !keys.insert((from, text(transition, "trigger"), priority)) || twice {
            let message = format!("the transition {} is declared twice", shown(name));
            check.relation(transition.span, message, "");
        }
        if terminal.contains(from) {
            let message = format!("a transition leaves the terminal state {}", shown(from));
            check.relation(transition.span, message, "");
        }
    }
}

fn declared(names: &HashSet<&str>, name: &str, place: Span, check: &mut Check<'_>) {
    if !names.contains(name) {
        check.relation(place, format!("the state {} is not declared", shown(name)), "");
    }
}

pub(super) fn graph(node: &Node, check: &mut Check<'_>) {
    let nodes = node.get("nodes").map_or(&[][..], Node::items);
    let before = |step: &'_ Node| step.get("depends_on").map_or(0, |it| it.items().len());
    let mut waits: HashMap<&str, usize> = HashMap::new();
    let mut after: HashMap<&str, Vec<&str>> = HashMap::new();
    for step in nodes {
        let name = text(step, "node_id");
        if waits.insert(name, before(step)).is_some() {
            check.relation(step.span, format!("the step {} is declared twice", shown(name)), "");
        }
    }
    for step in nodes {
        for before in step.get("depends_on").map_or(&[][..], Node::items) {
            let name = before.text().unwrap_or_default();
            if !waits.contains_key(name) {
                check.relation(before.span, format!("{} is no step", shown(name)), "");
            }
            after.entry(name).or_default().push(text(step, "node_id"));
        }
    }
    let mut ready: Vec<&str> =
        waits.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    let mut started = 0;
    while let Some(name) = ready.pop() {
        started += 1;
        for next in after.get(name).into_iter().flatten() {
            if let Some(count) = waits.get_mut(next) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(next);
                }
            }
        }
    }
    if started < waits.len() {
        check.relation(node.span, "some steps wait for one another".to_owned(), "");
    }
}

pub(super) fn no_version_key(node: &Node, check: &mut Check<'_>) {
    if let Some((key, _)) = node.entry("version") {
        let help = "write `contract_version`";
        check.add(Fault::Unknown, key.span, "version", "{} is refused", help);
    }
}

/// A version may be a map or a text here, and error codes stand under `definitions`.
pub(super) fn original(node: &Node, check: &mut Check<'_>) {
    for key in ["contract_driven", "strong_typing", "zero_any_types", "protocol_based"] {
        if let Some(marker) = node.get(key).filter(|it| it.as_bool() != Some(true)) {
            check.add(Fault::Value, marker.span, key, "the marker {} is not true", "");
        }
    }
    if let Some(version) = node.get("contract_version") {
        let text = version.text().unwrap_or_default();
        let numbers = text.split('.').filter(|it| it.parse::<u32>().is_ok()).count();
        let map = ["major", "minor", "patch"].iter().all(|key| version.get(key).is_some());
        if !map && (numbers != 3 || text.split('.').count() != 3) {
            let help = "write it as {major: 1, minor: 0, patch: 0}";
            check.add(Fault::Value, version.span, "contract_version", "{} is no version", help);
        }
    }
    for key in ["error_codes", "error_handling"] {
        if let Some((key_node, _)) = node.entry(key) {
            let help = "the original form has its codes under `definitions.error_codes`";
            check.add(Fault::Unknown, key_node.span, key, "{} is of another form", help);
        }
    }
    let says = |keys: &[&str]| keys.iter().any(|key| node.get(key).is_some());
    for (word, keys) in [
        ("input", ["input_model", "inputs", "input_state"]),
        ("output", ["output_model", "outputs", "output_state"]),
    ] {
        if !says(&keys) {
            let message = format!("nothing says what the {word} is");
            check.relation(node.span, message, &format!("add `{word}_state`"));
        }
    }
}
