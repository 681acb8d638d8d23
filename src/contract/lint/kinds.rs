//! Rules about what each kind of node declares of its own: algorithms, transactions, streaming,
//! limits of orchestration, placement. They read the document: the normal form has no place for
//! such settings.

use super::{Hits, Rule};
use crate::contract::document::Node;
use crate::contract::model::{Contract, NodeType};
use crate::contract::notes::shown;
use crate::finding::Level::{Note, Warning};
use std::collections::HashSet;

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.algorithm-weights",
        Warning,
        "The weights of an algorithm's factors add up to 1, within 0.01.",
        algorithm_weights,
    )
    .why("A score made of them would not stay between 0 and 1.")
    .fix("Correct a weight."),
    Rule::new(
        "contract.transaction",
        Warning,
        "With transactions at least one operation is atomic.",
        transaction,
    )
    .why("There would be nothing to roll back.")
    .fix("Mark an operation `atomic: true`, or turn transactions off."),
    Rule::new(
        "contract.breaker-threshold",
        Warning,
        "A breaker's threshold is not above the most attempts of a call.",
        breaker_threshold,
    )
    .why("One call could never open the breaker, however often it is tried.")
    .fix("Lower `circuit_breaker_threshold`, or raise `max_attempts`."),
    Rule::new(
        "contract.external-service",
        Warning,
        "A required external service has a `connection_config`.",
        external_service,
    )
    .why("The node cannot reach what it cannot do without.")
    .fix("Add `connection_config`, or say `required: false`."),
    Rule::new("contract.aggregation", Warning, "An aggregation names its functions.", aggregation)
        .why("Without a function nothing is aggregated.")
        .fix("Add `aggregation_functions`."),
    Rule::new(
        "contract.limit",
        Warning,
        "Sizes, limits and intervals are large enough to mean something.",
        limit,
    )
    .why(
        "Upstream refuses them: a batch of none, a window of none or a checkpoint every few \
          milliseconds cannot work.",
    )
    .fix("Raise the value to the one the finding names."),
    Rule::new(
        "contract.single-operation-bound",
        Note,
        "COMPUTE and ORCHESTRATOR say `performance.single_operation_max_ms`.",
        single_operation_bound,
    )
    .why("Upstream's typed models ask for it; without a bound nobody knows what is too slow.")
    .fix("Add `performance: {single_operation_max_ms: …}`."),
    Rule::new(
        "contract.critical-operation",
        Warning,
        "A critical operation of a state machine is atomic and can roll back.",
        critical_operation,
    )
    .why("Half of it done is worse than none.")
    .fix("Say `requires_atomic_execution: true` and `supports_rollback: true`."),
    Rule::new(
        "contract.event-twice",
        Warning,
        "An event is published under one name once.",
        event_twice,
    )
    .why("Listeners could not tell the two apart.")
    .fix("Rename one."),
    Rule::new(
        "contract.placement",
        Warning,
        "A node that keeps state and may run anywhere says `placement.state.store: none`.",
        placement,
    )
    .why("Two of them would fold the same events into two states.")
    .fix("Say `mode: primary`, or that there is no state."),
    Rule::new(
        "contract.marker",
        Warning,
        "The four markers of the original form are true where they are given.",
        marker,
    )
    .why("They promise what the generated package keeps; a no cannot be kept.")
    .fix("Say true, or remove the marker."),
];

fn number(contract: &Contract, path: &[&str]) -> Option<f64> {
    contract.document.at(path).and_then(Node::as_f64)
}

fn flag(contract: &Contract, path: &[&str]) -> Option<bool> {
    contract.document.at(path).and_then(Node::as_bool)
}

fn items<'a>(contract: &'a Contract, path: &[&str]) -> &'a [Node] {
    contract.document.at(path).map_or(&[], Node::items)
}

fn algorithm_weights(contract: &Contract, hits: &mut Hits<'_>) {
    let Some(factors) = contract.document.at(&["algorithm", "factors"]) else { return };
    let weights: Vec<f64> = factors
        .pairs()
        .iter()
        .filter_map(|(_, factor)| factor.get("weight").and_then(Node::as_f64))
        .collect();
    let sum: f64 = weights.iter().sum();
    if !weights.is_empty() && !(0.99..=1.01).contains(&sum) {
        let message = format!("the weights of the factors add up to {sum:.2}");
        hits.hit(Some(factors.span), message, "make them add up to 1");
    }
}

fn transaction(contract: &Contract, hits: &mut Hits<'_>) {
    let path = ["transaction_management", "enabled"];
    let operations = items(contract, &["io_operations"]);
    let plain = |it: &Node| it.get("atomic").and_then(Node::as_bool) == Some(false);
    if flag(contract, &path) == Some(true) && !operations.is_empty() && operations.iter().all(plain)
    {
        let span = contract.document.key_span(&path);
        let message = "transactions are on, but no operation is atomic";
        hits.hit(Some(span), message, "mark one `atomic: true`");
    }
}

fn breaker_threshold(contract: &Contract, hits: &mut Hits<'_>) {
    for key in ["retry_policies", "retry_policy"] {
        let Some(policy) = contract.document.get(key) else { continue };
        let value = |key: &str| policy.get(key).and_then(Node::as_f64);
        if let (Some(threshold), Some(attempts)) =
            (value("circuit_breaker_threshold"), value("max_attempts"))
            && threshold > attempts
        {
            let span = policy.key_span(&["circuit_breaker_threshold"]);
            let message = format!("the threshold {threshold} is above the {attempts} attempts");
            hits.hit(Some(span), message, format!("make it at most {attempts}"));
        }
    }
}

fn external_service(contract: &Contract, hits: &mut Hits<'_>) {
    for service in items(contract, &["external_services"]) {
        let optional = service.get("required").and_then(Node::as_bool) == Some(false);
        let config = service.get("connection_config");
        if service.is_mapping() && !optional && config.is_none_or(Node::is_null) {
            let name = service.first_text(&["service_name", "name"]).unwrap_or("?");
            let message = format!("the service {} says not how to reach it", shown(name));
            hits.hit(Some(service.span), message, "add `connection_config`");
        }
    }
}

fn aggregation(contract: &Contract, hits: &mut Hits<'_>) {
    let Some((key, node)) = contract.document.entry("aggregation") else { return };
    if node.is_mapping() && node.get("aggregation_functions").is_none_or(|it| it.items().is_empty())
    {
        let message = "the aggregation names no functions";
        hits.hit(Some(key.span), message, "add `aggregation_functions: [sum]` or so");
    }
}

/// Settings with a least value, and the flag without which they do not count.
const LIMITS: [(&[&str], f64, &[&str]); 9] = [
    (&["streaming", "window_size"], 1.0, &["streaming", "enabled"]),
    (&["parallel_processing", "max_workers"], 1.0, &["parallel_processing", "enabled"]),
    (&["caching", "max_entries"], 1.0, &["caching", "caching_enabled"]),
    (&["action_emission", "batch_size"], 1.0, &[]),
    (&["workflow_coordination", "max_parallel_branches"], 1.0, &[]),
    (
        &["workflow_coordination", "checkpoint_interval_ms"],
        100.0,
        &["workflow_coordination", "checkpoint_enabled"],
    ),
    (&["conditional_branching", "max_branch_depth"], 1.0, &[]),
    (&["event_coordination", "buffer_size"], 1.0, &[]),
    (
        &["event_coordination", "correlation_timeout_ms"],
        1000.0,
        &["event_coordination", "correlation_enabled"],
    ),
];

fn limit(contract: &Contract, hits: &mut Hits<'_>) {
    for (path, least, switch) in LIMITS {
        let off = !switch.is_empty() && flag(contract, switch) == Some(false);
        if let Some(value) = number(contract, path).filter(|value| !off && *value < least) {
            let span = contract.document.at(path).map(|it| it.span);
            let message = format!("`{}` is {value}, less than {least}", path.join("."));
            hits.hit(span, message, format!("make it {least} or more"));
        }
    }
}

fn single_operation_bound(contract: &Contract, hits: &mut Hits<'_>) {
    let asked = matches!(contract.node_type, NodeType::Compute | NodeType::Orchestrator);
    let path = ["performance", "single_operation_max_ms"];
    if asked && contract.document.at(&path).is_none_or(Node::is_null) {
        let message = "the contract does not say how long one call may take";
        hits.hit(super::place(contract, "performance"), message, "add it");
    }
}

fn critical_operation(contract: &Contract, hits: &mut Hits<'_>) {
    for key in ["state_machine", "fsm", "state_transitions"] {
        for operation in items(contract, &[key, "operations"]) {
            let name = operation.first_text(&["operation_name", "name"]).unwrap_or_default();
            let kind = operation.first_text(&["operation_type", "type"]).unwrap_or_default();
            if kind != "critical" {
                continue;
            }
            for flag in ["requires_atomic_execution", "supports_rollback"] {
                if operation.get(flag).and_then(Node::as_bool) == Some(false) {
                    let message =
                        format!("the critical operation {} says no to `{flag}`", shown(name));
                    hits.hit(Some(operation.span), message, format!("say `{flag}: true`"));
                }
            }
        }
    }
}

fn event_twice(contract: &Contract, hits: &mut Hits<'_>) {
    let mut known = HashSet::new();
    for event in items(contract, &["published_events"]) {
        let Some(name) = event.first_text(&["event_name", "name"]) else { continue };
        if !known.insert(name) {
            let message = format!("the event {} is published twice", shown(name));
            hits.hit(Some(event.span), message, "rename one");
        }
    }
}

fn placement(contract: &Contract, hits: &mut Hits<'_>) {
    let stateful = matches!(contract.node_type, NodeType::Reducer | NodeType::Orchestrator);
    let text = |path: &[&str]| contract.document.at(path).and_then(Node::as_str);
    if stateful
        && text(&["placement", "mode"]) == Some("any")
        && text(&["placement", "state", "store"]) != Some("none")
    {
        let span = contract.document.key_span(&["placement"]);
        let message = "the node may run anywhere, and keeps state";
        hits.hit(Some(span), message, "say `mode: primary`, or `state: {store: none}`");
    }
}

fn marker(contract: &Contract, hits: &mut Hits<'_>) {
    for key in ["contract_driven", "strong_typing", "zero_any_types", "protocol_based"] {
        let node = contract.document.get(key);
        if let Some(node) = node.filter(|it| it.as_bool() != Some(true)) {
            hits.hit(Some(node.span), format!("the marker `{key}` is not true"), "say true");
        }
    }
}
