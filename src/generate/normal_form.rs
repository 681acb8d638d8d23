//! The contract of a generated package in upstream's strict form: what the strict model knows
//! stands in its place, everything else that the contract says stands under `annotations`, which
//! the model takes as it is. Drops only topics that upstream's event bus refuses, with a finding.

use serde_json::{Map, Value as Json, json};

use super::graph::Graph;
use super::machine::Machine;
use super::mixin::Wanted;
use super::shape::code_text;
use super::types::Shape;
use super::{remark, tables};
use crate::contract::model::{
    Action, Contract, Dependency, ErrorCode, Field, State, StateMachine, Transition, Version,
    Workflow, WorkflowStep,
};
use crate::contract::{NodeType, write, yaml_text};
use crate::finding::Finding;
use crate::template::names::Names;
use crate::template::python_text::clean;

/// The version of a part that never had another.
const FIRST: Version = Version { major: 1, minor: 0, patch: 0 };

/// What the normal form is made of.
pub(super) struct Source<'a> {
    pub(super) contract: &'a Contract,
    pub(super) names: &'a Names,
    pub(super) shape: &'a Shape,
    pub(super) summary: &'a str,
    pub(super) machine: Option<&'a Machine>,
    pub(super) graph: Option<&'a Graph>,
    pub(super) mixins: &'a [Wanted],
}

/// The text of `contract.yaml`.
pub(super) fn text(source: &Source<'_>, findings: &mut Vec<Finding>) -> String {
    let contract = source.contract;
    let mut root = Map::new();
    let mut put = |key: &str, value: Json| root.insert(key.to_owned(), value);
    put("name", source.names.package.as_str().into());
    put("node_type", format!("{}_GENERIC", contract.node_type.as_str()).into());
    put("contract_version", write::version(contract.version));
    let own = contract.node_version.unwrap_or(contract.version);
    put("node_version", write::version(own));
    put("description", source.summary.into());
    put("input_model", source.shape.input.class_name.as_str().into());
    put("output_model", source.shape.output.class_name.as_str().into());
    match contract.node_type {
        NodeType::Compute => {
            put("performance", json!({"single_operation_max_ms": 1000}));
            let base = json!({"weight": 1.0, "calculation_method": "linear"});
            let kind = "weighted_factor_algorithm";
            put("algorithm", json!({"algorithm_type": kind, "factors": {"base": base}}));
        }
        NodeType::Effect => {
            put("io_operations", io_operations(source));
            let operations = &contract.io_operations;
            if !operations.is_empty() && !operations.iter().any(|it| it.atomic) {
                // the strict model takes transactions only with an atomic operation
                put("transaction_management", json!({"enabled": false}));
            }
        }
        NodeType::Reducer => {
            if let Some(machine) = source.machine {
                put("state_machine", state_machine(machine));
            }
        }
        NodeType::Orchestrator => {
            put("performance", json!({"single_operation_max_ms": 5000}));
        }
    }
    if let Some(bus) = event_bus(contract, findings) {
        put("event_bus", bus);
    }
    let annotations = annotations(source);
    if !annotations.is_empty() {
        put("annotations", Json::Object(annotations));
    }
    yaml_text::document(&Json::Object(root))
}

/// The operations that the package has.
fn io_operations(source: &Source<'_>) -> Json {
    let operations = tables::operations(source.contract, &source.names.what);
    operations.iter().map(write::operation).collect()
}

fn state_machine(machine: &Machine) -> Json {
    let state = |it: &super::machine::MachineState| State {
        name: it.name.clone(),
        description: Some(it.description.clone()),
        terminal: it.terminal,
        error: it.error,
        span: None,
    };
    let transition = |it: &super::machine::Step| Transition {
        name: Some(it.name.clone()),
        from: it.from.clone(),
        to: it.to.clone(),
        trigger: it.trigger.clone(),
        conditional: false,
        description: None,
        span: None,
    };
    write::state_machine(&StateMachine {
        name: machine.name.clone(),
        description: Some(machine.description.clone()),
        initial_state: machine.initial.clone(),
        states: machine.states.iter().map(state).collect(),
        transitions: machine.transitions.iter().map(transition).collect(),
        span: None,
    })
}

/// Topics in the form that upstream's event bus model takes.
fn event_bus(contract: &Contract, findings: &mut Vec<Finding>) -> Option<Json> {
    let mut list = |topics: &[String]| -> Vec<String> {
        let (good, bad): (Vec<String>, Vec<String>) =
            topics.iter().cloned().partition(|topic| is_topic(topic));
        for topic in bad {
            let message = format!("topic `{}` is not in upstream's form; left out", clean(&topic));
            findings.push(
                remark("correctness.topic-form", message)
                    .in_file("contract.yaml")
                    .with_help("write onex.<cmd|evt|intent|snapshot|dlq>.<producer>.<name>.v<n>"),
            );
        }
        good
    };
    let (publish, subscribe) = (list(&contract.publish_topics), list(&contract.subscribe_topics));
    if publish.is_empty() && subscribe.is_empty() {
        return None;
    }
    let version = write::version(FIRST);
    Some(json!({"version": version, "publish_topics": publish, "subscribe_topics": subscribe}))
}

/// `onex.<kind>.<producer>.<event-name>.v<n>`, the middle parts in kebab case.
fn is_topic(topic: &str) -> bool {
    let kebab = |part: &str| {
        part.starts_with(|it: char| it.is_ascii_lowercase())
            && !part.ends_with('-')
            && !part.contains("--")
            && part.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
    };
    let parts: Vec<&str> = topic.split('.').collect();
    let [onex, kind, producer, event, version] = parts.as_slice() else { return false };
    *onex == "onex"
        && ["cmd", "evt", "intent", "snapshot", "dlq"].contains(kind)
        && kebab(producer)
        && kebab(event)
        && version.strip_prefix('v').is_some_and(|number| {
            !number.starts_with('0')
                && !number.is_empty()
                && number.chars().all(|it| it.is_ascii_digit())
        })
}

/// What the strict model has no place for. Models are those of the package, so that contract and
/// code say the same.
fn annotations(source: &Source<'_>) -> Map<String, Json> {
    let Source { contract, shape, .. } = source;
    let mut map = Map::new();
    if contract.name != source.names.package {
        put_text(&mut map, "contract_name", Some(&contract.name));
    }
    put_text(&mut map, "fingerprint", contract.fingerprint.as_deref());
    for (role, model) in [("input", &contract.input), ("output", &contract.output)] {
        put_text(&mut map, &format!("{role}_class"), model.class_name.as_deref());
        put_text(&mut map, &format!("{role}_module"), model.module.as_deref());
    }
    let mut list = |key: &str, items: Json| {
        if items.as_array().is_some_and(|it| !it.is_empty()) {
            map.insert(key.to_owned(), items);
        }
    };
    for (key, model) in [("inputs", &shape.input), ("outputs", &shape.output)] {
        let fields: Vec<Field> = model.fields.iter().map(|it| it.declared(shape)).collect();
        list(key, write::field_list(&fields));
    }
    list("definitions", write::definition_list(&shape.definitions()));
    let words = |it: Option<&str>| it.map(clean).filter(|it| !it.is_empty());
    let action = |it: &Action| Action {
        name: clean(&it.name),
        description: words(it.description.as_deref()),
        span: None,
    };
    list("actions", contract.actions.iter().map(|it| write::action(&action(it))).collect());
    let dependency = |it: &Dependency| Dependency {
        name: clean(&it.name),
        kind: words(it.kind.as_deref()),
        module: words(it.module.as_deref()),
        class_name: words(it.class_name.as_deref()),
        ..it.clone()
    };
    let dependencies = contract.dependencies.iter();
    list("dependencies", dependencies.map(|it| write::dependency(&dependency(it))).collect());
    let error = |it: &ErrorCode| ErrorCode {
        code: clean(&it.code),
        description: code_text(it),
        ..it.clone()
    };
    list(
        "error_codes",
        contract.error_codes.iter().map(|it| write::error_code(&error(it))).collect(),
    );
    list("capabilities", contract.capabilities.iter().map(|it| Json::from(clean(it))).collect());
    if contract.node_type != NodeType::Effect {
        list("io_operations", io_operations(source));
    }
    if contract.node_type != NodeType::Reducer
        && let Some(machine) = source.machine
    {
        map.insert("state_machine".into(), state_machine(machine));
    }
    if let Some(graph) = source.graph {
        map.insert("workflow".into(), workflow(graph));
    }
    if !source.mixins.is_empty() {
        let mixin =
            |it: &Wanted| (it.mixin.name().to_owned(), Json::Object(write::mixin(&it.asked)));
        map.insert("mixins".into(), Json::Object(source.mixins.iter().map(mixin).collect()));
    }
    map
}

fn workflow(graph: &Graph) -> Json {
    let step = |it: &super::graph::GraphStep| WorkflowStep {
        name: it.name.clone(),
        node_type: Some(it.kind.to_owned()),
        description: Some(it.description.clone()).filter(|it| !it.is_empty()),
        depends_on: it.depends_on.clone(),
        span: None,
    };
    write::workflow_definition(&Workflow {
        name: graph.name.clone(),
        description: Some(graph.description.clone()),
        execution_mode: Some(graph.mode.to_owned()),
        steps: graph.steps.iter().map(step).collect(),
        span: None,
    })
}

fn put_text(map: &mut Map<String, Json>, key: &str, text: Option<&str>) {
    let text = text.map(clean).filter(|text| !text.is_empty());
    if let Some(text) = text {
        map.insert(key.to_owned(), text.into());
    }
}
