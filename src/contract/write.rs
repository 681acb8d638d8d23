//! A contract in normal form as a document that reads back as the same contract. Writes no file
//! and judges nothing.

use serde_json::{Map, Value as Json, json};

use super::model::limits::number;
use super::model::mixins::Mixin;
use super::model::sections::Subcontract;
use super::model::{
    Action, Contract, Definition, Dependency, ErrorCode, Field, FieldType, IoOperation, Model,
    StateMachine, Version, Workflow,
};
use super::yaml_text;

/// Which of two forms a contract is written in. Upstream's tools of today refuse the kind of the
/// original form, and the original form has no other, so no document is of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The form of today: `COMPUTE_GENERIC`, error codes at the top.
    #[default]
    Current,
    /// The form of the original system: `COMPUTE`, actions as a map, error codes under
    /// `definitions`.
    Original,
}

/// Keys by which a mapping of fields would be taken for something else.
const AMBIGUOUS: [&str; 12] = [
    "class",
    "class_name",
    "fields",
    "full_schema",
    "items",
    "model",
    "module",
    "object_type",
    "properties",
    "required",
    "type",
    "description",
];

/// The document as YAML.
pub fn text(contract: &Contract, extras: &Map<String, Json>, form: Form) -> String {
    yaml_text::document(&document(contract, extras, form))
}

/// The document as JSON; `extras` are keys at the top that the normal form has no place for.
pub fn document(contract: &Contract, extras: &Map<String, Json>, form: Form) -> Json {
    let mut root = Map::new();
    let kind = contract.node_type.as_str();
    root.insert("name".into(), contract.name.as_str().into());
    let kind = if form == Form::Current { format!("{kind}_GENERIC") } else { kind.to_owned() };
    root.insert("node_type".into(), kind.into());
    root.insert("contract_version".into(), version(contract.version));
    if let Some(own) = contract.node_version {
        root.insert("node_version".into(), version(own));
    }
    put_text(&mut root, "description", Some(&contract.description));
    for marker in &contract.sections.markers {
        root.insert(marker.clone(), true.into());
    }
    reference(&mut root, "input_model", &contract.input);
    reference(&mut root, "output_model", &contract.output);
    put(&mut root, "inputs", fields(&contract.input.fields));
    put(&mut root, "outputs", fields(&contract.output.fields));
    let codes: Json = contract.error_codes.iter().map(error_code).collect();
    let mut definitions = definition_map(&contract.definitions);
    match form {
        Form::Original => {
            put(&mut definitions, "error_codes", codes);
            put(&mut root, "definitions", Json::Object(definitions));
            let actions = contract.actions.iter();
            let named = |it: &Action| (it.name.clone(), described(it.description.as_deref()));
            put(&mut root, "actions", Json::Object(actions.map(named).collect()));
        }
        Form::Current => {
            put(&mut root, "definitions", Json::Object(definitions));
            put(&mut root, "actions", contract.actions.iter().map(action).collect());
            put(&mut root, "error_codes", codes);
        }
    }
    put(&mut root, "io_operations", contract.io_operations.iter().map(operation).collect());
    put(&mut root, "dependencies", contract.dependencies.iter().map(dependency).collect());
    put(&mut root, "capabilities", contract.capabilities.iter().map(|it| json!(it)).collect());
    if let Some(machine) = &contract.state_machine {
        root.insert("state_machine".into(), state_machine(machine));
    }
    if let Some(workflow) = &contract.workflow {
        let definition = workflow_definition(workflow);
        root.insert("workflow_coordination".into(), json!({ "workflow_definition": definition }));
    }
    let sections = &contract.sections;
    put(&mut root, "subcontracts", sections.subcontracts.iter().map(subcontract).collect());
    if let Some(most) = sections.single_operation_max_ms {
        root.insert("performance".into(), json!({ "single_operation_max_ms": most }));
    }
    for it in &sections.mixins {
        let mut asked = mixin(it);
        asked.shift_insert(0, "enabled".to_owned(), true.into());
        root.insert(it.kind.key().to_owned(), Json::Object(asked));
    }
    root.extend(extras.clone());
    Json::Object(root)
}

/// The numbers that a mixin is given, under the keys of a contract.
pub fn mixin(it: &Mixin) -> Map<String, Json> {
    let mut map = Map::new();
    for value in it.kind.values() {
        let given = it.settings.get(value.attribute).and_then(Json::as_f64);
        if let (Some(given), Some((key, factor))) = (given, value.keys.first()) {
            map.insert((*key).to_owned(), number((given / factor * 1e3).round() / 1e3));
        }
    }
    map
}

/// A version as a mapping.
pub fn version(it: Version) -> Json {
    json!({"major": it.major, "minor": it.minor, "patch": it.patch})
}

/// A class by name, and by module where that is known.
fn reference(root: &mut Map<String, Json>, key: &str, model: &Model) {
    let Some(class) = &model.class_name else { return };
    let value = match &model.module {
        Some(module) => json!({"name": class, "module": module}),
        None => class.as_str().into(),
    };
    root.insert(key.to_owned(), value);
}

/// Fields by name; as a list where a name could be taken for a key.
fn fields(all: &[Field]) -> Json {
    if all.iter().any(|it| AMBIGUOUS.contains(&it.name.as_str()) || it.name.is_empty()) {
        return field_list(all);
    }
    Json::Object(all.iter().map(|it| (it.name.clone(), field(it, true))).collect())
}

/// Fields as a list of entries with a name.
pub fn field_list(all: &[Field]) -> Json {
    let named = |it: &Field| {
        let mut map = Map::new();
        map.insert("name".into(), it.name.as_str().into());
        if let Json::Object(rest) = field(it, true) {
            map.extend(rest);
        }
        Json::Object(map)
    };
    all.iter().map(named).collect()
}

/// What a field is; whether it is required is said where that does not follow.
fn field(it: &Field, says_required: bool) -> Json {
    let mut map = type_of(&it.field_type);
    let follows = it.default.is_none() && !matches!(it.field_type, FieldType::Optional(_));
    if says_required && it.required != follows {
        map.insert("required".into(), it.required.into());
    }
    if let Some(default) = &it.default {
        map.insert("default".into(), default.clone());
    }
    map.extend(it.limits.keys(&it.field_type));
    put_text(&mut map, "description", it.description.as_deref());
    Json::Object(map)
}

/// The keys that say what type something is.
fn type_of(of: &FieldType) -> Map<String, Json> {
    let mut map = Map::new();
    if let Some(word) = spelled(of) {
        if !word.is_empty() {
            map.insert("type".into(), word.into());
        }
        return map;
    }
    match of {
        FieldType::Enum(values) => {
            map.insert("type".into(), "enum".into());
            map.insert("values".into(), json!(values));
        }
        FieldType::Literal(values) => {
            map.insert("enum".into(), json!(values));
        }
        FieldType::Union(all) => {
            let all: Json = all.iter().map(|it| Json::Object(type_of(it))).collect();
            map.insert("anyOf".into(), all);
        }
        FieldType::Limited(inner, limits) => {
            map = type_of(inner);
            map.extend(limits.keys(inner));
        }
        FieldType::Ref(name) => {
            map.insert("$ref".into(), format!("#/definitions/{name}").into());
        }
        FieldType::List(item) => {
            map.insert("type".into(), "array".into());
            map.insert("items".into(), Json::Object(type_of(item)));
        }
        FieldType::Map(item) => {
            map.insert("type".into(), "object".into());
            map.insert("additionalProperties".into(), Json::Object(type_of(item)));
        }
        FieldType::Optional(inner) => {
            map = type_of(inner);
            map.insert("nullable".into(), true.into());
        }
        _ => {}
    }
    map
}

/// A type as one word or phrase, where that says it all.
fn spelled(of: &FieldType) -> Option<String> {
    Some(match of {
        FieldType::Text => "str".into(),
        FieldType::Int => "int".into(),
        FieldType::Float => "float".into(),
        FieldType::Bool => "bool".into(),
        FieldType::Uuid => "uuid".into(),
        FieldType::DateTime => "datetime".into(),
        FieldType::Date => "date".into(),
        FieldType::Time => "time".into(),
        FieldType::Duration => "timedelta".into(),
        FieldType::Decimal => "decimal".into(),
        FieldType::Bytes => "bytes".into(),
        FieldType::List(item) => format!("list[{}]", known(item)?),
        FieldType::Map(item) => format!("dict[str, {}]", known(item)?),
        FieldType::Optional(item) => format!("{} | null", known(item)?),
        FieldType::Enum(_)
        | FieldType::Literal(_)
        | FieldType::Union(_)
        | FieldType::Limited(..)
        | FieldType::Ref(_) => return None,
        FieldType::Unknown(raw) => raw.clone(),
    })
}

/// The spelling of a type inside of another.
fn known(of: &FieldType) -> Option<String> {
    if matches!(of, FieldType::Unknown(_)) { None } else { spelled(of) }
}

fn definition_map(all: &[Definition]) -> Map<String, Json> {
    all.iter().map(|it| (it.name.clone(), definition(it))).collect()
}

fn definition(it: &Definition) -> Json {
    let mut map = Map::new();
    if it.values.is_empty() {
        map.insert("type".into(), "object".into());
    }
    put_text(&mut map, "description", it.description.as_deref());
    if it.values.is_empty() {
        let required: Vec<&str> =
            it.fields.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
        map.insert("required".into(), json!(required));
        let entry = |it: &Field| (it.name.clone(), field(it, false));
        map.insert("properties".into(), Json::Object(it.fields.iter().map(entry).collect()));
    } else {
        map.insert("values".into(), json!(it.values));
    }
    Json::Object(map)
}

/// Definitions as a list of entries with a name.
pub fn definition_list(all: &[Definition]) -> Json {
    let named = |it: &Definition| {
        let mut map = Map::new();
        map.insert("name".into(), it.name.as_str().into());
        put_text(&mut map, "description", it.description.as_deref());
        put(&mut map, "values", json!(it.values));
        put(&mut map, "fields", field_list(&it.fields));
        Json::Object(map)
    };
    all.iter().map(named).collect()
}

fn described(description: Option<&str>) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "description", description);
    Json::Object(map)
}

/// An action.
pub fn action(it: &Action) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "name", Some(&it.name));
    put_text(&mut map, "description", it.description.as_deref());
    Json::Object(map)
}

/// An IO operation.
pub fn operation(it: &IoOperation) -> Json {
    let mut map = Map::new();
    map.insert("operation_type".into(), it.name.as_str().into());
    map.insert("atomic".into(), it.atomic.into());
    put_text(&mut map, "description", it.description.as_deref());
    map.insert("idempotent".into(), it.idempotent.into());
    put(&mut map, "input_fields", json!(it.input_fields));
    put(&mut map, "output_fields", json!(it.output_fields));
    Json::Object(map)
}

/// A dependency.
pub fn dependency(it: &Dependency) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "name", Some(&it.name));
    put_text(&mut map, "type", it.kind.as_deref());
    put_text(&mut map, "module", it.module.as_deref());
    put_text(&mut map, "class_name", it.class_name.as_deref());
    map.insert("required".into(), it.required.into());
    Json::Object(map)
}

/// An error code.
pub fn error_code(it: &ErrorCode) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "code", Some(&it.code));
    put_text(&mut map, "description", it.description.as_deref());
    if let Some(recoverable) = it.recoverable {
        map.insert("recoverable".into(), recoverable.into());
    }
    Json::Object(map)
}

/// A state machine, in the form of upstream's model.
pub fn state_machine(machine: &StateMachine) -> Json {
    let one = || version(Version { major: 1, minor: 0, patch: 0 });
    let named = |wanted: fn(&super::model::State) -> bool| -> Json {
        machine.states.iter().filter(|it| wanted(it)).map(|it| Json::from(&*it.name)).collect()
    };
    let state = |it: &super::model::State| {
        let mut map = Map::new();
        map.insert("version".into(), one());
        put_text(&mut map, "state_name", Some(&it.name));
        let kind = match (it.terminal, it.error) {
            (true, _) => "terminal",
            (false, true) => "error",
            (false, false) => "operational",
        };
        map.insert("state_type".into(), kind.into());
        put_text(&mut map, "description", it.description.as_deref());
        map.insert("is_terminal".into(), it.terminal.into());
        map.insert("is_recoverable".into(), (!it.terminal).into());
        Json::Object(map)
    };
    let transition = |it: &super::model::Transition| {
        let mut map = Map::new();
        map.insert("version".into(), one());
        put_text(&mut map, "transition_name", it.name.as_deref());
        put_text(&mut map, "from_state", Some(&it.from));
        put_text(&mut map, "to_state", Some(&it.to));
        put_text(&mut map, "trigger", Some(&it.trigger));
        Json::Object(map)
    };
    let mut map = Map::new();
    map.insert("version".into(), one());
    put_text(&mut map, "state_machine_name", Some(&machine.name));
    map.insert("state_machine_version".into(), one());
    put_text(&mut map, "description", machine.description.as_deref());
    put_text(&mut map, "initial_state", Some(&machine.initial_state));
    map.insert("terminal_states".into(), named(|it| it.terminal));
    map.insert("error_states".into(), named(|it| it.error));
    map.insert("persistence_enabled".into(), false.into());
    map.insert("states".into(), machine.states.iter().map(state).collect());
    map.insert("transitions".into(), machine.transitions.iter().map(transition).collect());
    Json::Object(map)
}

/// A workflow, in the form of upstream's model.
pub fn workflow_definition(workflow: &Workflow) -> Json {
    let mut about = Map::new();
    put_text(&mut about, "workflow_name", Some(&workflow.name));
    put_text(&mut about, "description", workflow.description.as_deref());
    put_text(&mut about, "execution_mode", workflow.execution_mode.as_deref());
    let step = |it: &super::model::WorkflowStep| {
        let mut map = Map::new();
        put_text(&mut map, "node_id", Some(&it.name));
        put_text(&mut map, "node_type", it.node_type.as_deref());
        put_text(&mut map, "description", it.description.as_deref());
        put(&mut map, "depends_on", json!(it.depends_on));
        Json::Object(map)
    };
    let nodes: Json = workflow.steps.iter().map(step).collect();
    json!({ "workflow_metadata": about, "execution_graph": { "nodes": nodes } })
}

fn subcontract(it: &Subcontract) -> Json {
    let mut map = Map::new();
    put_text(&mut map, "name", Some(&it.name));
    put_text(&mut map, "path", it.path.as_deref());
    put_text(&mut map, "type", it.kind.as_deref());
    put_text(&mut map, "description", it.description.as_deref());
    Json::Object(map)
}

fn put_text(map: &mut Map<String, Json>, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|it| !it.is_empty()) {
        map.insert(key.to_owned(), text.into());
    }
}

/// Puts a list or map that is not empty.
fn put(map: &mut Map<String, Json>, key: &str, value: Json) {
    let empty =
        value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
    if !empty {
        map.insert(key.to_owned(), value);
    }
}
