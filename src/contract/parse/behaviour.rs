//! What a node does beside its models: actions, IO operations, dependencies, error codes,
//! capabilities.

use crate::contract::document::{Node, Value};
use crate::contract::model::{Action, Dependency, ErrorCode, IoOperation};
use crate::contract::notes::Notes;
use std::collections::HashSet;

fn owned(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
}

/// A list of things, or a mapping of names to things, as (name if it is a key, place, thing).
fn entries(node: &Node) -> Vec<(Option<&str>, &Node, &Node)> {
    match &node.value {
        Value::Sequence(items) => items.iter().map(|item| (None, item, item)).collect(),
        Value::Mapping(pairs) => {
            pairs.iter().map(|(key, value)| (key.text(), key, value)).collect()
        }
        Value::Scalar { .. } => Vec::new(),
    }
}

/// The name of an entry: its key, its text, or what it has under one of `keys`.
fn name_of<'a>(key: Option<&'a str>, node: &'a Node, keys: &[&str]) -> Option<&'a str> {
    key.or_else(|| node.as_str()).or_else(|| node.first_text(keys)).map(str::trim)
}

fn nameless(notes: &mut Notes, list: &str, place: &Node) {
    let message = format!("this entry of `{list}` has no name; it is left out");
    notes.warning("contract.nameless", place.span, message);
}

fn map_note(notes: &mut Notes, key: &str, document: &Node) {
    if document.get(key).is_some_and(Node::is_mapping) {
        let message = format!("the map `{key}` is read as a list of named entries");
        notes.note("contract.rewrite-map", document.key_span(&[key]), message);
    }
}

/// Actions: a list, or the map of the original system's form.
pub(super) fn actions(document: &Node, notes: &mut Notes) -> Vec<Action> {
    let Some(node) = document.first(&["actions", "supported_actions"]) else { return Vec::new() };
    map_note(notes, "actions", document);
    let mut found = Vec::new();
    for (key, place, entry) in entries(node) {
        let Some(name) = name_of(key, entry, &["name", "action_name", "action"]) else {
            nameless(notes, "actions", place);
            continue;
        };
        let text = key.and(entry.as_str()).or_else(|| entry.first_text(&["description"]));
        found.push(Action {
            name: name.to_owned(),
            description: owned(text),
            span: Some(place.span),
        });
    }
    found
}

/// IO operations: `io_operations` in both forms, else `effect_operations.operations`, else
/// `operations`.
pub(super) fn io_operations(document: &Node, notes: &mut Notes) -> Vec<IoOperation> {
    let places = [&["io_operations"][..], &["effect_operations", "operations"], &["operations"]];
    let filled = |node: &&Node| node.is_mapping() || !node.items().is_empty();
    let Some((path, node)) =
        places.iter().find_map(|path| Some((path, document.at(path).filter(filled)?)))
    else {
        return Vec::new();
    };
    if path.join(".") != "io_operations" {
        let message = format!("`{}` is read as `io_operations`", path.join("."));
        notes.note("contract.rewrite-io-operations", document.key_span(path), message);
    }
    let names = ["operation", "operation_name", "name", "operation_type", "type"];
    let mut found = Vec::new();
    for (key, place, entry) in entries(node) {
        let Some(name) = name_of(key, entry, &names) else {
            nameless(notes, "io_operations", place);
            continue;
        };
        let says = |key: &str| entry.get(key).and_then(Node::as_bool).unwrap_or(false);
        found.push(IoOperation {
            name: name.to_owned(),
            description: owned(entry.first_text(&["description"])),
            input_fields: field_names(entry, &["input_fields", "inputs"]),
            output_fields: field_names(entry, &["output_fields", "outputs"]),
            idempotent: says("idempotent"),
            atomic: says("atomic"),
            span: Some(place.span),
        });
    }
    found
}

fn field_names(entry: &Node, keys: &[&str]) -> Vec<String> {
    let Some(node) = entry.first(keys) else { return Vec::new() };
    entries(node)
        .into_iter()
        .filter_map(|(key, _, item)| name_of(key, item, &["name", "field"]))
        .map(str::to_owned)
        .collect()
}

/// Dependencies: a list of maps or texts, or a map of groups (`external_services`, `packages`,
/// `nodes`, `required`, `optional`).
pub(super) fn dependencies(document: &Node, notes: &mut Notes) -> Vec<Dependency> {
    let Some(node) = document.get("dependencies") else { return Vec::new() };
    let mut found = Vec::new();
    if !node.is_mapping() {
        for item in node.items() {
            dependency(None, item, item, None, &mut found, notes);
        }
        return found;
    }
    map_note(notes, "dependencies", document);
    for (group_key, group) in node.pairs() {
        let Some(name) = group_key.text() else { continue };
        if group.is_sequence() || group.pairs().iter().any(|(_, value)| value.is_mapping()) {
            for (key, place, entry) in entries(group) {
                dependency(key, place, entry, Some(name), &mut found, notes);
            }
        } else {
            dependency(Some(name), group_key, group, None, &mut found, notes);
        }
    }
    found
}

fn dependency(
    key: Option<&str>,
    place: &Node,
    entry: &Node,
    group: Option<&str>,
    found: &mut Vec<Dependency>,
    notes: &mut Notes,
) {
    let names = ["name", "dependency_name", "key", "library", "package", "node", "class_name"];
    let Some(name) = name_of(key, entry, &names) else {
        nameless(notes, "dependencies", place);
        return;
    };
    let says = |key: &str| entry.get(key).and_then(Node::as_bool);
    let own = says("required").or_else(|| says("optional").map(|optional| !optional));
    let kind = owned(entry.first_text(&["type", "dependency_type"]));
    let group = group.filter(|group| !matches!(*group, "required" | "optional"));
    found.push(Dependency {
        name: name.to_owned(),
        kind: kind.or_else(|| group.map(|group| group.trim_end_matches('s').to_owned())),
        module: owned(entry.first_text(&["module", "module_path"])),
        class_name: owned(entry.first_text(&["class_name", "class"])),
        required: own.unwrap_or(true),
        span: Some(place.span),
    });
}

/// Error codes, from the five places where they occur; of one code the first counts.
pub(super) fn error_codes(document: &Node, notes: &mut Notes) -> Vec<ErrorCode> {
    let places = [
        &["error_codes"][..],
        &["error_handling", "error_codes"],
        &["error_handling", "error_types"],
        &["error_handling"],
        &["definitions", "error_codes"],
    ];
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for path in places {
        let Some(node) = document.at(path) else { continue };
        if path == ["error_handling"] && !node.is_sequence() {
            continue;
        }
        let before = found.len();
        for (key, place, entry) in entries(node) {
            let Some(code) = name_of(key, entry, &["error_code", "code", "name"]) else {
                nameless(notes, &path.join("."), place);
                continue;
            };
            if known.insert(code.to_owned()) {
                found.push(error_code(code, key, place, entry));
            }
        }
        if found.len() > before && path != ["error_codes"] {
            let message = format!("`{}` is read as `error_codes`", path.join("."));
            notes.note("contract.rewrite-error-codes", document.key_span(path), message);
        }
    }
    found
}

fn error_code(code: &str, key: Option<&str>, place: &Node, entry: &Node) -> ErrorCode {
    let text = key.and(entry.as_str()).or_else(|| entry.first_text(&["description", "message"]));
    let names = ["recoverable", "retriable", "retryable", "retry"];
    ErrorCode {
        code: code.to_owned(),
        description: owned(text)
            .or_else(|| owned(entry.first_text(&["name"])).filter(|it| it != code)),
        recoverable: names.iter().find_map(|name| entry.get(name).and_then(Node::as_bool)),
        span: Some(place.span),
    }
}

/// Names of capabilities, from `capabilities` and `capability_outputs`, each once.
pub(super) fn capabilities(document: &Node) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for key in ["capabilities", "capability_outputs"] {
        let Some(node) = document.get(key) else { continue };
        for (key, _, entry) in entries(node) {
            let Some(name) = name_of(key, entry, &["name", "capability"]) else { continue };
            if !name.is_empty() && known.insert(name) {
                found.push(name.to_owned());
            }
        }
    }
    found
}
