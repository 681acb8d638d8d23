//! The contract of a generated package in upstream's strict form: what the strict model knows
//! stands in its place, everything else that the contract says stands under `annotations`, which
//! the model takes as it is. Drops only topics that upstream's event bus refuses, with a finding.

use serde_json::{Map, Value as Json, json};

use super::graph::Graph;
use super::machine::Machine;
use super::types::Shape;
use super::{remark, yaml};
use crate::contract::NodeType;
use crate::contract::model::{Contract, Field, FieldType, Model, Version};
use crate::finding::Finding;
use crate::template::names::Names;
use crate::template::python_text::clean;

/// What the normal form is made of.
pub(super) struct Source<'a> {
    pub(super) contract: &'a Contract,
    pub(super) names: &'a Names,
    pub(super) shape: &'a Shape,
    pub(super) summary: &'a str,
    pub(super) machine: Option<&'a Machine>,
    pub(super) graph: Option<&'a Graph>,
}

/// The text of `contract.yaml`.
pub(super) fn text(source: &Source<'_>, findings: &mut Vec<Finding>) -> String {
    let contract = source.contract;
    let mut root = Map::new();
    let mut put = |key: &str, value: Json| root.insert(key.to_owned(), value);
    put("name", source.names.package.as_str().into());
    put("node_type", format!("{}_GENERIC", contract.node_type.as_str()).into());
    put("contract_version", version(contract.version));
    put("node_version", version(contract.node_version.unwrap_or(contract.version)));
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
    yaml::document(&Json::Object(root))
}

fn one() -> Json {
    version(Version { major: 1, minor: 0, patch: 0 })
}

fn version(it: Version) -> Json {
    json!({"major": it.major, "minor": it.minor, "patch": it.patch})
}

fn io_operations(source: &Source<'_>) -> Json {
    let operations = &source.contract.io_operations;
    if operations.is_empty() {
        return json!([{"operation_type": source.names.what, "atomic": true}]);
    }
    let operation = |it: &crate::contract::model::IoOperation| {
        let mut map = Map::new();
        map.insert("operation_type".into(), non_empty(&it.name, &source.names.what));
        map.insert("atomic".into(), it.atomic.into());
        put_text(&mut map, "description", it.description.as_deref());
        map.insert("idempotent".into(), it.idempotent.into());
        put_list(&mut map, "input_fields", &it.input_fields);
        put_list(&mut map, "output_fields", &it.output_fields);
        Json::Object(map)
    };
    operations.iter().map(operation).collect()
}

fn state_machine(machine: &Machine) -> Json {
    let named = |wanted: fn(&super::machine::MachineState) -> bool| -> Json {
        machine.states.iter().filter(|it| wanted(it)).map(|it| Json::from(&*it.name)).collect()
    };
    let states: Json = machine
        .states
        .iter()
        .map(|it| {
            json!({
                "version": one(),
                "state_name": it.name,
                "state_type": it.kind(),
                "description": it.description,
                "is_terminal": it.terminal,
                "is_recoverable": !it.terminal,
            })
        })
        .collect();
    let transitions: Json = machine
        .transitions
        .iter()
        .map(|it| {
            json!({
                "version": one(),
                "transition_name": it.name,
                "from_state": it.from,
                "to_state": it.to,
                "trigger": it.trigger,
            })
        })
        .collect();
    json!({
        "version": one(),
        "state_machine_name": machine.name,
        "state_machine_version": one(),
        "description": machine.description,
        "initial_state": machine.initial,
        "terminal_states": named(|it| it.terminal),
        "error_states": named(|it| it.error),
        "persistence_enabled": false,
        "states": states,
        "transitions": transitions,
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
    Some(json!({"version": one(), "publish_topics": publish, "subscribe_topics": subscribe}))
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

fn annotations(source: &Source<'_>) -> Map<String, Json> {
    let contract = source.contract;
    let mut map = Map::new();
    if contract.name != source.names.package {
        put_text(&mut map, "contract_name", Some(&contract.name));
    }
    put_text(&mut map, "fingerprint", contract.fingerprint.as_deref());
    model(&mut map, "input", &contract.input);
    model(&mut map, "output", &contract.output);
    let mut list = |key: &str, items: Vec<Json>| {
        if !items.is_empty() {
            map.insert(key.to_owned(), Json::Array(items));
        }
    };
    let object = |pairs: &[(&str, Option<&str>)]| {
        let mut map = Map::new();
        for (key, text) in pairs {
            put_text(&mut map, key, *text);
        }
        map
    };
    list("definitions", definitions(contract));
    let actions = contract.actions.iter();
    let action = |it: &crate::contract::model::Action| {
        Json::Object(object(&[
            ("name", Some(&it.name)),
            ("description", it.description.as_deref()),
        ]))
    };
    list("actions", actions.map(action).collect());
    let dependency = |it: &crate::contract::model::Dependency| {
        let mut map = object(&[
            ("name", Some(&it.name)),
            ("kind", it.kind.as_deref()),
            ("module", it.module.as_deref()),
            ("class_name", it.class_name.as_deref()),
        ]);
        map.insert("required".into(), it.required.into());
        Json::Object(map)
    };
    list("dependencies", contract.dependencies.iter().map(dependency).collect());
    let error = |it: &crate::contract::model::ErrorCode| {
        let mut map =
            object(&[("code", Some(&it.code)), ("description", it.description.as_deref())]);
        if let Some(recoverable) = it.recoverable {
            map.insert("recoverable".into(), recoverable.into());
        }
        Json::Object(map)
    };
    list("error_codes", contract.error_codes.iter().map(error).collect());
    list("capabilities", contract.capabilities.iter().map(|it| clean(it).into()).collect());
    if contract.node_type != NodeType::Effect && !contract.io_operations.is_empty() {
        map.insert("io_operations".into(), io_operations(source));
    }
    if contract.node_type != NodeType::Reducer
        && let Some(machine) = source.machine
    {
        map.insert("state_machine".into(), state_machine(machine));
    }
    if let (Some(graph), true) = (source.graph, contract.workflow.is_some()) {
        map.insert("workflow".into(), workflow(graph));
    }
    map
}

fn workflow(graph: &Graph) -> Json {
    let step = |it: &super::graph::GraphStep| {
        let mut map = Map::new();
        map.insert("name".into(), it.name.as_str().into());
        map.insert("step_type".into(), it.kind.into());
        put_text(&mut map, "description", Some(&it.description));
        put_list(&mut map, "depends_on", &it.depends_on);
        Json::Object(map)
    };
    let steps: Json = graph.steps.iter().map(step).collect();
    json!({
        "name": graph.name,
        "description": graph.description,
        "execution_mode": graph.mode,
        "steps": steps,
    })
}

fn model(map: &mut Map<String, Json>, role: &str, model: &Model) {
    put_text(map, &format!("{role}_class"), model.class_name.as_deref());
    put_text(map, &format!("{role}_module"), model.module.as_deref());
    if !model.fields.is_empty() {
        map.insert(format!("{role}s"), model.fields.iter().map(field).collect());
    }
}

fn definitions(contract: &Contract) -> Vec<Json> {
    let definition = |it: &crate::contract::model::Definition| {
        let mut map = Map::new();
        put_text(&mut map, "name", Some(&it.name));
        put_text(&mut map, "description", it.description.as_deref());
        put_list(&mut map, "values", &it.values);
        if !it.fields.is_empty() {
            map.insert("fields".into(), it.fields.iter().map(field).collect());
        }
        Json::Object(map)
    };
    contract.definitions.iter().map(definition).collect()
}

fn field(field: &Field) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "name", Some(&field.name));
    map.insert("type".into(), type_name(&field.field_type).into());
    map.insert("required".into(), field.required.into());
    put_text(&mut map, "description", field.description.as_deref());
    for (key, number) in [("minimum", field.minimum), ("maximum", field.maximum)] {
        if let Some(number) = number.and_then(serde_json::Number::from_f64) {
            map.insert(key.into(), Json::Number(number));
        }
    }
    if let Some(default) = &field.default {
        // compact JSON text: a default may be any tree, and this is a record of it
        map.insert("default".into(), default.to_string().into());
    }
    Json::Object(map)
}

fn type_name(of: &FieldType) -> String {
    match of {
        FieldType::Text => "str".into(),
        FieldType::Int => "int".into(),
        FieldType::Float => "float".into(),
        FieldType::Bool => "bool".into(),
        FieldType::Uuid => "uuid".into(),
        FieldType::DateTime => "datetime".into(),
        FieldType::List(item) => format!("list[{}]", type_name(item)),
        FieldType::Map(item) => format!("dict[str, {}]", type_name(item)),
        FieldType::Optional(item) => format!("{} | null", type_name(item)),
        FieldType::Enum(values) => format!("enum: {}", values.join(", ")),
        FieldType::Ref(name) => format!("ref: {name}"),
        FieldType::Unknown(raw) if raw.is_empty() => "unknown".into(),
        FieldType::Unknown(raw) => format!("unknown: {raw}"),
    }
}

fn put_text(map: &mut Map<String, Json>, key: &str, text: Option<&str>) {
    let text = text.map(clean).filter(|text| !text.is_empty());
    if let Some(text) = text {
        map.insert(key.to_owned(), text.into());
    }
}

fn put_list(map: &mut Map<String, Json>, key: &str, items: &[String]) {
    if !items.is_empty() {
        map.insert(key.to_owned(), items.iter().map(|it| Json::from(clean(it))).collect());
    }
}

fn non_empty(text: &str, otherwise: &str) -> Json {
    let text = clean(text);
    if text.is_empty() { otherwise.into() } else { text.into() }
}
