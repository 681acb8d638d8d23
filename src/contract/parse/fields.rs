//! Fields of models: from a mapping of names, a JSON schema, or a bare list of names.

use super::composed;
use super::types::Types;
use crate::contract::constrained::hoisted;
use crate::contract::document::{Node, Value};
use crate::contract::model::{Field, FieldType};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level};
use std::collections::HashSet;

/// Fields of an `object` schema: `properties` (or `fields`), with the required ones listed in
/// `required`. The v1 form without properties lists names in `required` and `optional`.
pub(super) fn of_schema(node: &Node, types: &mut Types<'_>, notes: &mut Notes) -> Vec<Field> {
    let listed: Option<HashSet<&str>> = node
        .get("required")
        .filter(|it| it.is_sequence())
        .map(|it| it.items().iter().filter_map(Node::text).collect());
    let properties = node.first(&["properties", "fields"]);
    let required = |name: &str, definition: &Node| {
        let own = definition.get("required").and_then(Node::as_bool);
        match &listed {
            Some(names) => Some(names.contains(name) || own == Some(true)),
            // In a JSON schema nothing is required that is not listed.
            None if node.get("properties").is_some() => Some(own == Some(true)),
            None => own,
        }
    };
    let mut fields = properties.map_or_else(Vec::new, |it| named(it, &required, types, notes));
    let mut known: HashSet<String> = fields.iter().map(|field| field.name.clone()).collect();
    for (key, required) in [("required", true), ("optional", false)] {
        let Some(list) = node.get(key) else { continue };
        let fixed = |_: &str, _: &Node| Some(required);
        for field in named(list, &fixed, types, notes) {
            if known.insert(field.name.clone()) {
                fields.push(field);
            }
        }
    }
    fields
}

/// Fields by name: a mapping, a list of mappings with a `name`, or a list of names. A field is
/// required unless it says otherwise, has a default, or may be null.
pub(super) fn of_mapping(node: &Node, types: &mut Types<'_>, notes: &mut Notes) -> Vec<Field> {
    named(node, &|_, _| None, types, notes)
}

fn named(
    node: &Node,
    required: &dyn Fn(&str, &Node) -> Option<bool>,
    types: &mut Types<'_>,
    notes: &mut Notes,
) -> Vec<Field> {
    // a field without a name is none, wherever it stands
    let is_name = |it: &&str| !it.trim().is_empty();
    match &node.value {
        Value::Mapping(pairs) => pairs
            .iter()
            .filter_map(|(key, value)| {
                let name = key.text().filter(is_name)?;
                Some(field(name, key, value, required(name, value), types, notes))
            })
            .collect(),
        Value::Sequence(items) => items
            .iter()
            .filter_map(|item| {
                let listed = || item.first_text(&["name", "field", "field_name"]);
                let name = item.text().filter(is_name).or_else(listed)?;
                Some(field(name, item, item, required(name, item), types, notes))
            })
            .collect(),
        Value::Scalar { .. } => Vec::new(),
    }
}

fn field(
    name: &str,
    place: &Node,
    definition: &Node,
    required: Option<bool>,
    types: &mut Types<'_>,
    notes: &mut Notes,
) -> Field {
    // An item of a list of names says nothing of a type.
    let bare = std::ptr::eq(place, definition) && definition.text().is_some();
    let field_type =
        if bare { FieldType::Unknown(String::new()) } else { types.of(definition, name, notes) };
    let (field_type, limits) = hoisted(field_type);
    if let Some(raw) = composed::unknown(&field_type).filter(|_| !bare) {
        unknown(name, raw, place, notes);
    }
    let default = definition.get("default").filter(|it| !it.is_null()).map(Node::to_json);
    let says_null = definition.get("default").is_some_and(Node::is_null);
    let own = definition.get("required").and_then(Node::as_bool);
    let optional = matches!(field_type, FieldType::Optional(_));
    Field {
        name: name.to_owned(),
        required: required.or(own).unwrap_or(default.is_none() && !says_null && !optional),
        field_type,
        description: definition
            .first_text(&["description", "doc"])
            .map(|text| text.trim().to_owned()),
        default,
        limits,
        span: Some(place.span),
    }
}

/// Says of a field that its type is not known.
fn unknown(name: &str, raw: &str, place: &Node, notes: &mut Notes) {
    let name = shown(name);
    let message = if raw.is_empty() {
        format!("the contract does not say of what type {name} is; a text stands in")
    } else {
        format!("the type {} of {name} is not known; a text stands in", shown(raw))
    };
    let finding = Finding::new("contract.unknown-type", Level::Note, message).at(place.span);
    let help = "write a type such as `str`, `list[int]` or `uuid`, or declare it under \
                `definitions`";
    notes.push(finding.with_help(help));
}
