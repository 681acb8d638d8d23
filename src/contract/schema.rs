//! The normal form as JSON, and its JSON Schema (draft 2020-12). Checks nothing.

use serde_json::{Map, Value, json};

use super::complexity::{complexity, structure};
use super::model::Contract;
use super::model::mixins::MixinKind;

/// The normal form of a contract with its complexity, as `contract show` prints it.
///
/// # Errors
/// Only when a number is none that JSON has, which the parser never makes.
pub fn normal_form(contract: &Contract) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(contract)?;
    if let Some(map) = value.as_object_mut() {
        map.insert("complexity".to_owned(), serde_json::to_value(complexity(contract))?);
        map.insert("structure".to_owned(), serde_json::to_value(structure(contract))?);
    }
    Ok(value)
}

/// Objects of the normal form: name, what it is, and its keys with their types. A type ends in `?`
/// where it may be null, in `[]` where it is a list and in `~` where the key may be missing.
type Object = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const CONTRACT: &[(&str, &str)] = &[
    ("name", "text"),
    ("node_type", "NodeType"),
    ("version", "Version"),
    ("node_version", "Version?"),
    ("description", "text"),
    ("input", "Model"),
    ("output", "Model"),
    ("definitions", "Definition[]"),
    ("actions", "Action[]"),
    ("io_operations", "IoOperation[]"),
    ("dependencies", "Dependency[]"),
    ("error_codes", "ErrorCode[]"),
    ("state_machine", "StateMachine?"),
    ("workflow", "Workflow?"),
    ("subscribe_topics", "text[]"),
    ("publish_topics", "text[]"),
    ("capabilities", "text[]"),
    ("fingerprint", "text?"),
    ("status_codes", "StatusCode[]"),
    ("error_state", "Model?"),
    ("descriptor", "Descriptor?"),
    ("event_bus", "EventBus?"),
    ("handler_routing", "HandlerRouting?"),
    ("effect", "Effect?"),
    ("compute", "Compute?"),
    ("subcontracts", "Subcontract[]"),
    ("mixins", "Mixin[]"),
    ("markers", "text[]"),
    ("runtime_profiles", "text[]"),
    ("single_operation_max_ms", "whole?"),
    ("complexity", "Complexity"),
    ("structure", "Structure"),
];

const OBJECTS: &[Object] = &[
    (
        "Version",
        "A semantic version",
        &[("major", "whole"), ("minor", "whole"), ("patch", "whole")],
    ),
    (
        "Model",
        "An input or output model",
        &[
            ("class_name", "text?"),
            ("module", "text?"),
            ("description", "text?"),
            ("fields", "Field[]"),
        ],
    ),
    (
        "Field",
        "A field of a model",
        &[
            ("name", "text"),
            ("field_type", "FieldType"),
            ("required", "flag"),
            ("description", "text?"),
            ("default", "any"),
        ],
    ),
    (
        "Limits",
        "What narrows the values of a type",
        &[
            ("minimum", "number~"),
            ("maximum", "number~"),
            ("exclusive_minimum", "number~"),
            ("exclusive_maximum", "number~"),
            ("multiple_of", "number~"),
            ("min_length", "whole~"),
            ("max_length", "whole~"),
            ("pattern", "text~"),
            ("unique_items", "flag~"),
            ("max_digits", "whole~"),
            ("decimal_places", "whole~"),
        ],
    ),
    (
        "Definition",
        "A named object type or enum",
        &[("name", "text"), ("description", "text?"), ("fields", "Field[]"), ("values", "text[]")],
    ),
    ("Action", "An action", &[("name", "text"), ("description", "text?")]),
    (
        "IoOperation",
        "An IO operation of an EFFECT",
        &[
            ("name", "text"),
            ("description", "text?"),
            ("input_fields", "text[]"),
            ("output_fields", "text[]"),
            ("idempotent", "flag"),
            ("atomic", "flag"),
        ],
    ),
    (
        "Dependency",
        "A dependency",
        &[
            ("name", "text"),
            ("kind", "text?"),
            ("module", "text?"),
            ("class_name", "text?"),
            ("required", "flag"),
        ],
    ),
    (
        "ErrorCode",
        "An error code",
        &[("code", "text"), ("description", "text?"), ("recoverable", "flag?")],
    ),
    (
        "StateMachine",
        "A state machine",
        &[
            ("name", "text"),
            ("description", "text?"),
            ("initial_state", "text"),
            ("states", "State[]"),
            ("transitions", "Transition[]"),
        ],
    ),
    (
        "State",
        "A state",
        &[("name", "text"), ("description", "text?"), ("terminal", "flag"), ("error", "flag")],
    ),
    (
        "Transition",
        "A transition; its source may be `*`",
        &[
            ("name", "text?"),
            ("from", "text"),
            ("to", "text"),
            ("trigger", "text"),
            ("conditional", "flag"),
            ("description", "text?"),
        ],
    ),
    (
        "Workflow",
        "A workflow",
        &[
            ("name", "text"),
            ("description", "text?"),
            ("execution_mode", "text?"),
            ("steps", "WorkflowStep[]"),
        ],
    ),
    (
        "WorkflowStep",
        "A step of a workflow",
        &[
            ("name", "text"),
            ("node_type", "text?"),
            ("description", "text?"),
            ("depends_on", "text[]"),
        ],
    ),
    ("StatusCode", "A code a process ends with", &[("code", "text"), ("description", "text?")]),
    (
        "Descriptor",
        "What the runtime may expect of the node",
        &[
            ("archetype", "text?"),
            ("purity", "text?"),
            ("idempotent", "flag?"),
            ("timeout_ms", "whole?"),
        ],
    ),
    (
        "EventBus",
        "The event bus beyond the topics",
        &[
            ("version", "Version?"),
            ("dead_letter_topics", "text[]"),
            ("terminal_topic", "text?"),
            ("consumer_group", "text?"),
        ],
    ),
    (
        "HandlerRouting",
        "Which handler gets what",
        &[
            ("strategy", "text?"),
            ("version", "Version?"),
            ("handlers", "Handler[]"),
            ("default_handler", "text?"),
        ],
    ),
    (
        "Handler",
        "A handler",
        &[
            ("name", "text"),
            ("module", "text?"),
            ("operation", "text?"),
            ("event_class", "text?"),
            ("topic", "text?"),
            ("description", "text?"),
        ],
    ),
    (
        "Effect",
        "How operations are carried out",
        &[
            ("execution_mode", "text?"),
            ("timeout_ms", "whole?"),
            ("retries_max", "whole?"),
            ("circuit_breaker", "flag?"),
        ],
    ),
    ("Compute", "How a result is computed", &[("algorithm", "text?"), ("factors", "Factor[]")]),
    (
        "Factor",
        "A factor of an algorithm",
        &[("name", "text"), ("weight", "number?"), ("method", "text?")],
    ),
    (
        "Subcontract",
        "A subcontract by reference",
        &[("name", "text"), ("path", "text?"), ("kind", "text?"), ("description", "text?")],
    ),
    (
        "Mixin",
        "What stands around the node's work, with the numbers that it is given",
        &[("kind", "MixinKind"), ("settings", "numbers")],
    ),
    (
        "Complexity",
        "The original system's formula",
        &[("score", "number"), ("class", "ComplexityClass")],
    ),
    (
        "Structure",
        "What the contract is made of, counted",
        &[
            ("fields", "whole"),
            ("operations", "whole"),
            ("states", "whole"),
            ("transitions", "whole"),
            ("steps", "whole"),
            ("depth", "whole"),
            ("dependencies", "whole"),
            ("connections", "whole"),
            ("error_codes", "whole"),
            ("points", "whole"),
            ("score", "number"),
            ("explanation", "text"),
        ],
    ),
];

/// The JSON Schema of the normal form.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    definitions.insert(
        "NodeType".to_owned(),
        json!({ "enum": ["COMPUTE", "EFFECT", "REDUCER", "ORCHESTRATOR"] }),
    );
    definitions.insert(
        "ComplexityClass".to_owned(),
        json!({ "enum": ["simple", "moderate", "complex", "highly_complex"] }),
    );
    definitions.insert("MixinKind".to_owned(), json!({ "enum": MixinKind::ALL }));
    definitions.insert("FieldType".to_owned(), field_type());
    for (name, about, keys) in OBJECTS {
        definitions.insert((*name).to_owned(), object(about, keys));
    }
    // the limits of a field stand beside its type
    let limits = definitions.get("Limits").and_then(|it| it.get("properties")).cloned();
    let field = definitions.get_mut("Field").and_then(|it| it.get_mut("properties"));
    if let (Some(Value::Object(field)), Some(Value::Object(limits))) = (field, limits) {
        field.extend(limits);
    }
    let mut root = object("The normal form of an ONEX node contract", CONTRACT);
    if let Some(map) = root.as_object_mut() {
        map.shift_insert(0, "$schema".to_owned(), json!(DRAFT));
        map.insert("$defs".to_owned(), Value::Object(definitions));
    }
    root
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A word, or an object whose one key says what the type is made of.
fn field_type() -> Value {
    let own = json!({ "$ref": "#/$defs/FieldType" });
    let one = |key: &str, value: Value| {
        json!({
            "type": "object",
            "properties": { key: value },
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({ "oneOf": [
        { "enum": [
            "text", "int", "float", "bool", "uuid", "date_time", "date", "time", "duration",
            "decimal", "bytes",
        ] },
        one("list", own.clone()),
        one("map", own.clone()),
        one("optional", own.clone()),
        one("enum", json!({ "type": "array", "items": { "type": "string" } })),
        one("literal", json!({ "type": "array" })),
        one("union", json!({ "type": "array", "items": own })),
        one("limited", json!({
            "type": "array",
            "prefixItems": [own, { "$ref": "#/$defs/Limits" }],
        })),
        one("ref", json!({ "type": "string" })),
        one("unknown", json!({ "type": "string" })),
    ] })
}

fn object(about: &str, keys: &[(&str, &str)]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|(key, spelled)| ((*key).to_owned(), of_type(spelled))).collect();
    let always = keys.iter().filter(|(_, spelled)| !spelled.ends_with('~'));
    let required: Vec<&str> = always.map(|(key, _)| *key).collect();
    json!({
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_type(spelled: &str) -> Value {
    if let Some(item) = spelled.strip_suffix("[]") {
        return json!({ "type": "array", "items": of_type(item) });
    }
    if let Some(inner) = spelled.strip_suffix('~') {
        return of_type(inner);
    }
    if let Some(inner) = spelled.strip_suffix('?') {
        return match inner {
            "text" => json!({ "type": ["string", "null"] }),
            "whole" => json!({ "type": ["integer", "null"], "minimum": 0 }),
            "number" => json!({ "type": ["number", "null"] }),
            "flag" => json!({ "type": ["boolean", "null"] }),
            name => json!({ "anyOf": [of_type(name), { "type": "null" }] }),
        };
    }
    match spelled {
        "any" => json!(true),
        "numbers" => json!({ "type": "object", "additionalProperties": { "type": "number" } }),
        "text" => json!({ "type": "string" }),
        "whole" => json!({ "type": "integer", "minimum": 0 }),
        "number" => json!({ "type": "number" }),
        "flag" => json!({ "type": "boolean" }),
        name => json!({ "$ref": format!("#/$defs/{name}") }),
    }
}
