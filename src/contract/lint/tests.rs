//! The table, and for each rule a contract that breaks it.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::contract::{NoIncludes, parse};
use std::collections::BTreeSet;

/// A contract no rule has anything against.
const GOOD: &str = "name: node_a_effect\nnode_type: EFFECT_GENERIC\ncontract_version: {major: 1, \
                    minor: 0, patch: 0}\ndescription: Does what it says.\ninputs: {a: str}\n\
                    outputs: {b: str}\nio_operations: [{operation: x}]\n";

fn hits(text: &str) -> Vec<Finding> {
    lint(&parse(text, "c.yaml", &NoIncludes).contract.unwrap(), "c.yaml")
}

/// What GOOD turns into when some keys are replaced or added.
fn changed(lines: &str) -> String {
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let replaced: BTreeSet<String> = lines.lines().map(key).collect();
    let kept = GOOD.lines().filter(|line| !replaced.contains(&key(line)));
    kept.chain(lines.lines().filter(|line| !line.ends_with(": -"))).collect::<Vec<_>>().join("\n")
}

#[test]
fn ids_are_unique_and_documented() {
    let ids: Vec<_> = rules().map(|rule| rule.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    for rule in rules() {
        assert!(rule.id.starts_with("contract."), "{rule:?}");
        for text in [rule.summary, rule.why, rule.fix] {
            assert!(text.ends_with('.') && text.len() > 4, "{rule:?}");
        }
    }
    assert_eq!(hits(GOOD), []);
}

/// A rule, and lines that break it.
const CASES: &[(&str, &str)] = &[
    ("contract.name-style", "name: Has Spaces"),
    ("contract.version-missing", "contract_version: -"),
    ("contract.version-key", "version: 1.0.0"),
    ("contract.description-missing", "description: -"),
    ("contract.description-short", "description: short"),
    ("contract.fingerprint", "fingerprint: 1.0.0:xyz"),
    ("contract.archetype", "descriptor: {node_archetype: compute}"),
    ("contract.purity", "descriptor: {purity: impure}"),
    ("contract.handler-id", "handler_id: single"),
    ("contract.name-suffix", "name: node_a_reducer"),
    ("contract.input-missing", "inputs: -"),
    ("contract.output-missing", "outputs: -"),
    ("contract.model-prefix", "input_model: {name: Thing, module: a}"),
    ("contract.model-incomplete", "inputs: -\ninput_model: {name: ModelA}"),
    ("contract.module-path", "input_model: {name: ModelA, module: ../a}"),
    ("contract.module-in-tests", "input_model: {name: ModelA, module: tests.a}"),
    ("contract.field-twice", "inputs: {order_id: str, orderId: str}"),
    ("contract.field-default", "inputs: {a: {type: int, default: x}}"),
    ("contract.field-default", "inputs: {a: {type: int, default: 5, maximum: 3}}"),
    ("contract.field-default", "inputs: {a: {enum: [x], default: y}}"),
    ("contract.field-bounds", "inputs: {a: {type: int, minimum: 5, maximum: 3}}"),
    ("contract.algorithm-weights", "algorithm: {factors: {a: {weight: 0.5}}}"),
    (
        "contract.transaction",
        "transaction_management: {enabled: true}\nio_operations: [{operation: x, atomic: no}]",
    ),
    (
        "contract.breaker-threshold",
        "retry_policies: {max_attempts: 2, circuit_breaker_threshold: 3}",
    ),
    ("contract.external-service", "external_services: [{service_name: mail}]"),
    ("contract.aggregation", "aggregation: {aggregation_functions: []}"),
    ("contract.limit", "streaming: {window_size: 0}"),
    ("contract.limit", "event_coordination: {correlation_timeout_ms: 10}"),
    ("contract.single-operation-bound", "node_type: COMPUTE_GENERIC\nname: node_a_compute"),
    (
        "contract.critical-operation",
        "fsm: {initial_state: a, states: [a], operations: [{operation_type: critical, \
         supports_rollback: no}]}",
    ),
    ("contract.event-twice", "published_events: [{event_name: a}, {event_name: a}]"),
    (
        "contract.placement",
        "node_type: REDUCER_GENERIC\nname: node_a_reducer\nplacement: {mode: any}",
    ),
    ("contract.marker", "strong_typing: no"),
    (
        "contract.fsm-transition-name",
        "fsm: {states: [a, b], transitions: [{name: t, from: a, to: b, trigger: x}, {name: t, \
         from: b, to: a, trigger: y}]}",
    ),
    ("contract.fsm-undeclared-state", "fsm: {states: [a], error_states: [z]}"),
    ("contract.protocol-interface", "protocol_interfaces: [Clock]"),
    ("contract.protocol-binding", "protocol_dependencies: [{name: a, bind_as: b}, {name: b}]"),
    (
        "contract.dependency-circle",
        "dependencies: [{name: x1, type: service, module: a.node_a_effect, description: d}]",
    ),
    ("contract.dependency-type", "dependencies: [{name: x1, type: servise, description: d}]"),
    ("contract.dependency-description", "dependencies: [{name: x1, type: service}]"),
    ("contract.golden-path", "subscribe_topics: [onex.evt.a.b.v1]"),
    ("contract.config-requirements", "config_requirements: {a: b}"),
    ("contract.annotation", "annotations: {topic: onex.evt.a.b.v1}"),
    ("contract.handler-descriptor", "handler_id: a.b\ndescriptor: {node_archetype: effect}"),
    ("contract.handler-class", "handler_class: Single"),
    ("contract.version-suffix", "contract_version: 1.0.0-01"),
    ("contract.fingerprint-version", "fingerprint: 2.0.0:0123456789ab"),
    (
        "contract.fsm-undeclared-state",
        "fsm: {initial_state: a, terminal_states: [c], states: \
         [a, b, c], transitions: [{from: a, to: z, trigger: x}]}",
    ),
    ("contract.fsm-duplicate-state", "fsm: {states: [a, a]}"),
    (
        "contract.fsm-duplicate-transition",
        "fsm: {initial_state: a, terminal_states: [c], states: [a, b, c], transitions: \
             [{from: a, to: b, trigger: x}, {from: a, to: c, trigger: x}]}",
    ),
    (
        "contract.fsm-terminal-exit",
        "fsm: {initial_state: a, terminal_states: [c], states: \
         [a, b, c], transitions: [{from: c, to: a, trigger: x}]}",
    ),
    (
        "contract.fsm-unreachable",
        "fsm: {initial_state: a, terminal_states: [c], states: [a, \
         b, c], transitions: [{from: a, to: b, trigger: x}]}",
    ),
    ("contract.fsm-missing", "node_type: REDUCER_GENERIC"),
    ("contract.workflow-unknown-step", "workflow: {steps: [{name: a, depends_on: [z]}]}"),
    (
        "contract.workflow-cycle",
        "workflow: {steps: [{name: a, depends_on: [b]}, {name: b, depends_on: [a]}]}",
    ),
    ("contract.workflow-cycle", "workflow: {steps: [{name: a, depends_on: [a]}]}"),
    ("contract.workflow-duplicate-step", "workflow: {steps: [a, a]}"),
    (
        "contract.workflow-missing",
        "node_type: ORCHESTRATOR_GENERIC\nhandler_routing: {handlers: [{event_model: A}, \
             {event_model: B}, {event_model: C}]}",
    ),
    ("contract.dependency-name", "dependencies: [x]"),
    ("contract.dependency-twice", "dependencies: [xx, xx]"),
    ("contract.dependency-self", "dependencies: [node_a_effect]"),
    ("contract.dependency-protocol", "dependencies: [{name: db, type: protocol}]"),
    ("contract.topic", "event_bus: {publish_topics: [shop.sold]}"),
    ("contract.effect-operations", "io_operations: -"),
    ("contract.operation-twice", "io_operations: [x, x]"),
    ("contract.action-twice", "actions: [go, go]"),
    ("contract.alias-twice", "capability_inputs: [{alias: db}, {alias: db}]"),
    ("contract.tool-specification", "tool_specification: {tool_name: x}"),
];

#[test]
fn each_rule_hits_what_breaks_it() {
    let many: String = (0..101).map(|n| format!("d{n}, ")).collect();
    let many = format!("dependencies: [{many}]");
    let cases = CASES.iter().copied().chain([("contract.dependency-count", many.as_str())]);
    let mut tested = BTreeSet::new();
    for (id, lines) in cases {
        tested.insert(id);
        let text = changed(lines);
        let found = hits(&text);
        let hit = found.iter().find(|it| it.rule_id == id);
        let hit = hit.unwrap_or_else(|| panic!("{id} does not hit:\n{text}\n{found:#?}"));
        assert!(hit.span.is_some() && hit.help.is_some(), "{hit:#?}");
    }
    let checked = rules().filter(|rule| rule.check.is_some());
    let all: BTreeSet<_> = checked.map(|rule| rule.id).collect();
    assert_eq!(tested, all, "a rule without a case");
}

#[test]
fn conditions_wildcards_and_diamonds_are_no_faults() {
    let text = changed(
        "fsm: {states: [a, b], transitions: [{from: a, to: b, trigger: x, conditions: [y]}, {from: \
         a, to: a, trigger: x, priority: 1}, {from: '*', to: a, trigger: reset}]}\nworkflow: \
         {steps: [a, {name: b, depends_on: [a]}, {name: c, depends_on: [a]}, {name: d, depends_on: \
         [b, c]}]}",
    );
    assert_eq!(hits(&text), []);
}

#[test]
fn hits_of_one_rule_are_bounded() {
    let topics: String = (0..200).map(|n| format!("t{n}, ")).collect();
    let found = hits(&changed(&format!("event_bus: {{publish_topics: [{topics}]}}")));
    assert_eq!(found.len(), HITS_MAX);
}
