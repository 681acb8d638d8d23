//! What goes in and out: classes by reference, declared fields, and named definitions.

use super::fields;
use super::types::Types;
use crate::contract::document::Node;
use crate::contract::model::{Definition, Field, Model};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level, Span};
use std::collections::HashSet;

/// The keys of one side of a node.
pub(super) struct Side {
    /// `input` or `output`.
    word: &'static str,
    model: &'static str,
    fields: &'static str,
    state: &'static str,
    /// Keys of an entry of the handler routing that name a model.
    routing: &'static [&'static str],
}

/// What goes in.
pub(super) const INPUT: Side = Side {
    word: "input",
    model: "input_model",
    fields: "inputs",
    state: "input_state",
    routing: &["input_model", "event_model"],
};

/// What comes out.
pub(super) const OUTPUT: Side = Side {
    word: "output",
    model: "output_model",
    fields: "outputs",
    state: "output_state",
    routing: &["output_model"],
};

/// The model of one side, from whichever forms the contract has: the class from the first that
/// names one, the fields from the first that declares some.
pub(super) fn model(
    document: &Node,
    side: &Side,
    definitions: &[Definition],
    types: &mut Types<'_>,
    notes: &mut Notes,
) -> Model {
    let mut model = named_class(document, side, notes);
    for key in [side.fields, side.word, side.state, side.model] {
        let Some((key_node, node)) = document.entry(key) else { continue };
        let found = declared_fields(node, key == side.model, types, notes);
        if found.is_empty() {
            continue;
        }
        if key != side.fields {
            let message = format!("the fields of `{key}` are read as `{}`", side.fields);
            notes.note("contract.rewrite-fields", key_node.span, message);
        }
        model.fields = found;
        model.span.get_or_insert(key_node.span);
        let description = node.first_text(&["description"]).map(|text| text.trim().to_owned());
        if key == side.state {
            model.description = model.description.or(description);
        }
        return model;
    }
    if let Some(class) = &model.class_name
        && let Some(definition) = definitions.iter().find(|it| &it.name == class)
    {
        model.fields.clone_from(&definition.fields);
        model.description = model.description.or_else(|| definition.description.clone());
    }
    model
}

/// Fields that a node of a model's key declares; a `*_model` only below `fields` or `properties`.
fn declared_fields(
    node: &Node,
    reference: bool,
    types: &mut Types<'_>,
    notes: &mut Notes,
) -> Vec<Field> {
    if let Some(inner) = node.get("fields").filter(|it| it.is_mapping() || it.is_sequence())
        && node.get("type").is_none_or(|it| it.text().is_some())
    {
        return fields::of_mapping(inner, types, notes);
    }
    let schema = node.get("properties").is_some_and(Node::is_mapping)
        || ["object_type", "full_schema"].iter().any(|key| node.get(key).is_some())
        || (node.first_text(&["type"]) == Some("object") && node.get("required").is_some());
    if schema {
        return fields::of_schema(node, types, notes);
    }
    let names_class = ["class", "class_name", "model", "module"]
        .iter()
        .any(|key| node.get(key).is_some_and(|it| it.text().is_some()));
    if reference || names_class || node.text().is_some() {
        return Vec::new();
    }
    fields::of_mapping(node, types, notes)
}

/// The class of a model, from the first place that names one.
fn named_class(document: &Node, side: &Side, notes: &mut Notes) -> Model {
    let normal = [side.model];
    let places = [
        &normal[..],
        &["handler", side.model],
        &["handler_routing", side.model],
        &[side.word],
        &["models", side.word],
    ];
    for path in places {
        let Some(node) = document.at(path).filter(|node| !node.is_null()) else { continue };
        let Some(model) = class_reference(node, &path.join("."), notes) else { continue };
        if path != [side.model] && model.class_name.is_some() {
            let message = format!("`{}` is read as `{}`", path.join("."), side.model);
            notes.note("contract.rewrite-model", document.key_span(path), message);
        }
        if model.class_name.is_some() || path == [side.model] {
            return model;
        }
    }
    let handlers = document.at(&["handler_routing", "handlers"]).map_or(&[][..], Node::items);
    for key in side.routing {
        let Some(node) = handlers.iter().find_map(|it| it.get(key).filter(|it| !it.is_null()))
        else {
            continue;
        };
        if let Some(model) = class_reference(node, key, notes).filter(|it| it.class_name.is_some())
        {
            let message = format!("`{key}` of the handler routing is read as `{}`", side.model);
            notes.note("contract.rewrite-model", node.span, message);
            return model;
        }
    }
    Model::default()
}

/// A class by map (`name` and `module`), dotted text or bare name.
fn class_reference(node: &Node, key: &str, notes: &mut Notes) -> Option<Model> {
    if let Some(text) = node.as_str() {
        return Some(class_text(text, key, node.span, notes));
    }
    if !node.is_mapping() {
        let message = format!("`{key}` must be a map or a text, this is {}", node.what());
        notes.warning("contract.model-reference", node.span, message);
        return None;
    }
    let names = ["name", "class", "class_name", "type_name", "model"];
    let text = |keys: &[&str]| node.first_text(keys).map(|text| text.trim().to_owned());
    let module = text(&["module", "module_path", "import_path"]);
    let mut model = match node.first(&names).and_then(|it| Some((it, it.as_str()?))) {
        Some((place, name)) if name.contains(['.', ':']) && module.is_none() => {
            class_text(name, key, place.span, notes)
        }
        Some((_, name)) if is_word(name.trim()) => {
            Model { class_name: Some(name.trim().to_owned()), ..Model::default() }
        }
        Some((place, name)) => no_class(name, key, place.span, notes),
        None => Model::default(),
    };
    model.module = module.or(model.module);
    model.description = text(&["description"]);
    model.span = Some(node.span);
    Some(model)
}

/// `package.module.Class`, `package.module:Class` or `Class`.
fn class_text(text: &str, key: &str, span: Span, notes: &mut Notes) -> Model {
    let text = text.trim();
    let (module, class) = match text.rsplit_once([':', '.']) {
        Some((module, class)) => (Some(module), class),
        None => (None, text),
    };
    if !is_word(class) || !module.is_none_or(|module| module.split('.').all(is_word)) {
        return no_class(text, key, span, notes);
    }
    let message = match module {
        Some(module) => format!("`{key}` is read as class {class} of module {module}"),
        None => format!("`{key}` is read as class {class}, without a module"),
    };
    notes.note("contract.rewrite-model", span, message);
    Model {
        class_name: Some(class.to_owned()),
        module: module.map(str::to_owned),
        span: Some(span),
        ..Model::default()
    }
}

/// Complains about a text that no class can be called.
fn no_class(text: &str, key: &str, span: Span, notes: &mut Notes) -> Model {
    let message = format!("`{key}` {} names no class", shown(text));
    notes.push(
        Finding::new("contract.model-reference", Level::Warning, message)
            .at(span)
            .with_help("write {name: ModelSomething, module: package.models}"),
    );
    Model { span: Some(span), ..Model::default() }
}

fn is_word(part: &str) -> bool {
    part.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && part.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Keys by which a node of `definitions` is a type and not a group of types.
const TYPE_KEYS: [&str; 9] =
    ["type", "property_type", "properties", "enum", "values", "fields", "items", "$ref", "module"];

/// Names, keys and nodes of `definitions`, groups (`models`, `enums`, …) opened; also of a list.
pub(super) fn definition_nodes<'a>(document: &'a Node) -> Vec<(&'a str, &'a Node, &'a Node)> {
    fn collect<'a>(node: &'a Node, found: &mut Vec<(&'a str, &'a Node, &'a Node)>, depth: usize) {
        for (key, value) in node.pairs() {
            let Some(name) = key.text().filter(|name| !(depth == 0 && *name == "error_codes"))
            else {
                continue;
            };
            let a_type = TYPE_KEYS
                .iter()
                .any(|key| value.get(key).is_some_and(|it| !it.is_mapping() || *key != "type"));
            if a_type {
                found.push((name, key, value));
            } else if depth == 0 {
                collect(value, found, depth + 1);
            }
        }
    }
    let mut found = Vec::new();
    if let Some(definitions) = document.get("definitions") {
        collect(definitions, &mut found, 0);
        let named = |item: &'a Node| Some((item.first_text(&["name"])?, item, item));
        found.extend(definitions.items().iter().filter_map(named));
    }
    found
}

/// Whether a definition is worth a class: it has fields or values.
pub(super) fn is_object_or_enum(node: &Node) -> bool {
    let is = |keys: &[&str]| node.first(keys).is_some();
    is(&["properties", "fields", "enum", "values"])
        || matches!(node.first_text(&["type", "property_type"]), Some("object" | "dict"))
}

/// A definition without its fields.
pub(super) fn definition(name: &str, node: &Node) -> Definition {
    let values = node.first(&["enum", "values"]).map_or(&[][..], Node::items);
    Definition {
        name: name.to_owned(),
        description: node.first_text(&["description"]).map(|text| text.trim().to_owned()),
        fields: Vec::new(),
        values: values
            .iter()
            .filter_map(|it| it.as_str().or_else(|| it.first_text(&["value", "name"])))
            .map(str::to_owned)
            .collect(),
        span: Some(node.span),
    }
}

/// The object types and enums of `definitions`.
pub(super) fn definitions(
    document: &Node,
    types: &mut Types<'_>,
    notes: &mut Notes,
) -> Vec<Definition> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for (name, key, node) in definition_nodes(document) {
        if !is_object_or_enum(node) || !known.insert(name) {
            continue;
        }
        let mut definition = definition(name, node);
        definition.span = Some(key.span);
        if definition.values.is_empty() {
            definition.fields = fields::of_schema(node, types, notes);
        }
        found.push(definition);
    }
    found
}
