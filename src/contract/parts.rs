//! A contract and its parts as files: the contract, subcontracts, JSON schemas of what goes in and
//! out, error codes. Writes nothing; the contract is whole without the others.

use serde_json::{Map, Value as Json, json};

use super::model::limits::Limits;
use super::model::{Contract, Definition, Field, FieldType, Model, NodeType};
use super::{write, yaml_text};

/// Parts around the work that a contract has at the top under these keys.
const AROUND: [&str; 6] = [
    "caching",
    "circuit_breaker",
    "health_check",
    "metrics",
    "retry_policy",
    "transaction_management",
];

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Paths and contents, the contract first.
pub fn files(contract: &Contract, text: &str) -> Vec<(String, String)> {
    let mut found = vec![("contract.yaml".to_owned(), text.to_owned())];
    let mut part = |name: &str, value: &Json| {
        found.push((format!("subcontracts/{name}.yaml"), yaml_text::document(value)));
    };
    if let Some(machine) = &contract.state_machine {
        part("state_machine", &write::state_machine(machine));
    }
    if let Some(workflow) = &contract.workflow {
        part("workflow", &write::workflow_definition(workflow));
    }
    for key in AROUND {
        if let Some(node) = contract.document.get(key).filter(|it| it.is_mapping()) {
            part(key, &node.to_json());
        }
    }
    for (role, model) in [("input", &contract.input), ("output", &contract.output)] {
        let schema = schema(model, role, contract);
        found.push((format!("schemas/{role}.schema.json"), format!("{schema:#}\n")));
    }
    let shared: Map<String, Json> =
        contract.definitions.iter().map(|it| (it.name.clone(), definition(it))).collect();
    let title = format!("Types that {} uses in more than one place", contract.name);
    let shared = json!({"$schema": DRAFT, "title": title, "$defs": shared});
    found.push(("schemas/shared.schema.json".to_owned(), format!("{shared:#}\n")));
    let codes: Json = contract.error_codes.iter().map(write::error_code).collect();
    let codes = yaml_text::document(&json!({ "error_codes": codes }));
    found.push(("error_codes.yaml".to_owned(), codes));
    found
}

/// What a person should look at before the contract is relied on.
pub fn recommendations(contract: &Contract) -> Vec<String> {
    let mut all = Vec::new();
    let mut say = |it: String| all.push(it);
    for (role, model) in [("inputs", &contract.input), ("outputs", &contract.output)] {
        let names = |wanted: fn(&&Field) -> bool| -> Vec<String> {
            model.fields.iter().filter(wanted).map(|it| format!("`{}`", it.name)).collect()
        };
        let open = names(|it| matches!(it.field_type, FieldType::Unknown(_)));
        if !open.is_empty() {
            say(format!("declare the type of {} under `{role}`", open.join(", ")));
        }
        let silent = names(|it| it.description.is_none());
        if !silent.is_empty() {
            say(format!("say what {} mean under `{role}`", silent.join(", ")));
        }
        if model.fields.is_empty() {
            say(format!("declare the fields under `{role}`"));
        }
    }
    if contract.error_codes.is_empty() {
        say("declare the errors that callers must expect under `error_codes`".to_owned());
    }
    let undecided = contract.error_codes.iter().filter(|it| it.recoverable.is_none()).count();
    if undecided > 0 {
        say(format!("say of {undecided} error codes whether trying again may help"));
    }
    for it in contract.io_operations.iter().filter(|it| !it.idempotent) {
        say(format!("say how a repeated `{}` is recognised, or that it may be repeated", it.name));
    }
    let topics = contract.subscribe_topics.len() + contract.publish_topics.len();
    if contract.node_type != NodeType::Compute && topics == 0 {
        say("declare `event_bus` topics, if events reach or leave the node".to_owned());
    }
    if let Some(machine) = &contract.state_machine
        && !machine.states.iter().any(|it| it.terminal)
    {
        say(format!("say in which state `{}` ends, if it ends", machine.name));
    }
    let steps = contract.workflow.iter().flat_map(|it| &it.steps);
    let custom: Vec<String> = steps
        .filter(|it| it.node_type.as_deref().is_none_or(|it| it == "custom"))
        .map(|it| format!("`{}`", it.name))
        .collect();
    if !custom.is_empty() {
        say(format!("say which kind of node carries out {}", custom.join(", ")));
    }
    all
}

/// The JSON Schema (draft 2020-12) of one side of a node.
fn schema(model: &Model, role: &str, contract: &Contract) -> Json {
    let title = model.class_name.clone().unwrap_or_else(|| format!("{role} of {}", contract.name));
    let mut map = Map::new();
    map.insert("$schema".into(), DRAFT.into());
    map.insert("title".into(), title.into());
    if let Some(text) = &model.description {
        map.insert("description".into(), text.as_str().into());
    }
    object(&mut map, &model.fields, "shared.schema.json");
    Json::Object(map)
}

fn definition(it: &Definition) -> Json {
    let mut map = Map::new();
    if let Some(text) = &it.description {
        map.insert("description".into(), text.as_str().into());
    }
    if it.values.is_empty() {
        object(&mut map, &it.fields, "");
    } else {
        map.insert("enum".into(), json!(it.values));
    }
    Json::Object(map)
}

fn object(map: &mut Map<String, Json>, fields: &[Field], shared: &str) {
    let required: Vec<&str> =
        fields.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
    map.insert("type".into(), "object".into());
    let properties = fields.iter().map(|it| (it.name.clone(), property(it, shared)));
    map.insert("properties".into(), Json::Object(properties.collect()));
    map.insert("required".into(), json!(required));
    map.insert("additionalProperties".into(), false.into());
}

fn property(field: &Field, shared: &str) -> Json {
    let mut map = of_type(&field.field_type, shared);
    if let Some(text) = &field.description {
        map.insert("description".into(), text.as_str().into());
    }
    limit(&mut map, &field.limits, &field.field_type);
    if let Some(default) = &field.default {
        map.insert("default".into(), default.clone());
    }
    Json::Object(map)
}

/// Puts limits where they hold: on the type itself where null may stand for it.
fn limit(map: &mut Map<String, Json>, limits: &Limits, of: &FieldType) {
    let mut keys = limits.keys(of);
    // JSON Schema knows no digits
    keys.retain(|key, _| !key.contains('_'));
    match map.get_mut("anyOf").and_then(|it| it.get_mut(0)).and_then(Json::as_object_mut) {
        Some(inner) if matches!(of, FieldType::Optional(_)) => inner.extend(keys),
        _ => map.extend(keys),
    }
}

/// A type; `shared` is the file that holds the definitions, empty inside of it.
fn of_type(of: &FieldType, shared: &str) -> Map<String, Json> {
    let inner = |it: &FieldType| Json::Object(of_type(it, shared));
    let value = match of {
        FieldType::Text => json!({"type": "string"}),
        FieldType::Int => json!({"type": "integer"}),
        FieldType::Float => json!({"type": "number"}),
        FieldType::Bool => json!({"type": "boolean"}),
        FieldType::Uuid => json!({"type": "string", "format": "uuid"}),
        FieldType::DateTime => json!({"type": "string", "format": "date-time"}),
        FieldType::List(item) => json!({"type": "array", "items": inner(item)}),
        FieldType::Map(item) => json!({"type": "object", "additionalProperties": inner(item)}),
        FieldType::Optional(it) => json!({"anyOf": [inner(it), {"type": "null"}]}),
        FieldType::Date => json!({"type": "string", "format": "date"}),
        FieldType::Time => json!({"type": "string", "format": "time"}),
        FieldType::Duration => json!({"type": "string", "format": "duration"}),
        FieldType::Decimal => json!({"type": ["number", "string"]}),
        FieldType::Bytes => json!({"type": "string", "format": "binary"}),
        FieldType::Enum(values) => json!({"type": "string", "enum": values}),
        FieldType::Literal(values) => json!({ "enum": values }),
        FieldType::Union(all) => json!({ "anyOf": all.iter().map(inner).collect::<Json>() }),
        FieldType::Limited(it, limits) => {
            let mut map = of_type(it, shared);
            limit(&mut map, limits, it);
            return map;
        }
        FieldType::Ref(name) => json!({ "$ref": format!("{shared}#/$defs/{name}") }),
        FieldType::Unknown(_) => json!({}),
    };
    if let Json::Object(map) = value { map } else { Map::new() }
}
