//! Types of fields, in every spelling: Python's, JSON schema's, and a few of their own.

use crate::contract::document::{Node, Value};
use crate::contract::model::{Definition, FieldType};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level, Span};
use std::collections::HashMap;

/// Most levels of a type inside a type.
const TYPE_DEPTH_MAX: usize = 16;

/// Most object types that may be declared in place inside others.
const INLINE_MAX: usize = 256;

/// What types can refer to, and the object types that were declared in place.
#[derive(Debug)]
pub(super) struct Types<'a> {
    /// Nodes of `definitions` by name.
    named: HashMap<&'a str, &'a Node>,
    inline: Vec<Definition>,
}

impl<'a> Types<'a> {
    /// Knows the definitions of a document.
    pub(super) fn new(document: &'a Node) -> Self {
        let named = super::models::definition_nodes(document)
            .into_iter()
            .map(|(name, _, node)| (name, node))
            .collect();
        Self { named, inline: Vec::new() }
    }

    /// Definitions, with those declared in place at the end.
    pub(super) fn with_inline(self, mut definitions: Vec<Definition>) -> Vec<Definition> {
        definitions.extend(self.inline);
        definitions
    }

    /// The type of a field whose definition is `node`: a type's name, a schema, or a list of
    /// alternatives. `name` is for messages and for the name of an object declared in place.
    pub(super) fn of(&mut self, node: &Node, name: &str, notes: &mut Notes) -> FieldType {
        self.of_depth(node, name, notes, 0)
    }

    fn of_depth(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        if depth > TYPE_DEPTH_MAX {
            return FieldType::Unknown("nested too deep".to_owned());
        }
        match &node.value {
            Value::Scalar { .. } if node.is_null() => FieldType::Unknown(String::new()),
            Value::Scalar { text, .. } => self.spelled(text, node.span, notes, 0),
            Value::Sequence(items) => self.alternatives(items, name, notes, depth),
            Value::Mapping(_) => {
                let found = self.schema(node, name, notes, depth);
                let nullable = node.get("nullable").and_then(Node::as_bool) == Some(true);
                if nullable { optional(found) } else { found }
            }
        }
    }

    /// `[str, null]`: one of several types.
    fn alternatives(
        &mut self,
        items: &[Node],
        name: &str,
        notes: &mut Notes,
        depth: usize,
    ) -> FieldType {
        let is_null = |item: &Node| item.text().is_some_and(is_none);
        let mut others = items.iter().filter(|item| !is_null(item));
        let found = match (others.next(), others.next()) {
            (Some(one), None) => self.of_depth(one, name, notes, depth + 1),
            (None, _) => FieldType::Unknown(String::new()),
            _ => {
                let texts: Vec<&str> = items.iter().filter_map(Node::text).collect();
                FieldType::Unknown(texts.join(" | "))
            }
        };
        if items.iter().any(is_null) { optional(found) } else { found }
    }

    /// A schema: `type` or `property_type`, `$ref`, `reference` or `ref`, `enum`, `items`,
    /// `properties`.
    fn schema(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        if let Some(reference) = node.first(&["$ref", "reference", "ref"]) {
            return self.reference(reference, name, notes, depth);
        }
        if let Some(values) = node.first(&["enum", "values", "allowed_values", "choices"])
            && let Some(found) = enumeration(values)
        {
            return found;
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Sequence(items)) = node.get(key).map(|it| &it.value) {
                let null = |it: &Node| it.first_text(&["type"]) == Some("null");
                let mut others = items.iter().filter(|it| !null(it) && !it.is_null());
                if let (Some(one), None) = (others.next(), others.next()) {
                    let found = self.of_depth(one, name, notes, depth + 1);
                    return if items.iter().any(null) { optional(found) } else { found };
                }
                return FieldType::Unknown(key.to_owned());
            }
        }
        let type_keys = ["type", "property_type", "data_type", "field_type"];
        let Some(declared) = node.first(&type_keys) else {
            let object = node.first(&["properties", "fields"]).is_some_and(Node::is_mapping);
            return if object {
                self.object(node, name, notes, depth)
            } else {
                FieldType::Unknown(String::new())
            };
        };
        if declared.is_sequence() {
            return self.of_depth(declared, name, notes, depth + 1);
        }
        match declared.text().unwrap_or_default() {
            "array" | "list" | "List" => match node.get("items").filter(|it| !it.is_null()) {
                Some(items) => {
                    let item = self.of_depth(items, name, notes, depth + 1);
                    FieldType::List(Box::new(item))
                }
                None => FieldType::List(Box::new(FieldType::Unknown(String::new()))),
            },
            "object" | "dict" | "map" => self.object(node, name, notes, depth),
            "string" | "str" => match node.first_text(&["format"]) {
                Some("uuid") => FieldType::Uuid,
                Some("date-time" | "datetime") => FieldType::DateTime,
                _ => FieldType::Text,
            },
            text => self.spelled(text, declared.span, notes, 0),
        }
    }

    /// An object: with properties a type of its own, else a mapping.
    fn object(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        let fields = node.first(&["properties", "fields"]).filter(|it| !it.pairs().is_empty());
        if fields.is_some() && self.inline.len() < INLINE_MAX && depth < TYPE_DEPTH_MAX {
            return self.declare(node, name, notes);
        }
        let values = ["additionalProperties", "additional_properties"];
        let value = node.first(&values).filter(|it| it.is_mapping());
        let value = match value {
            Some(value) => self.of_depth(value, name, notes, depth + 1),
            None => FieldType::Unknown(String::new()),
        };
        FieldType::Map(Box::new(value))
    }

    /// Gives an object declared in place a definition of its own, named after its field.
    fn declare(&mut self, node: &Node, name: &str, notes: &mut Notes) -> FieldType {
        let taken = |types: &Self, name: &str| {
            types.named.contains_key(name) || types.inline.iter().any(|it| it.name == name)
        };
        let mut unique = name.to_owned();
        for number in 2..=INLINE_MAX {
            if !taken(self, &unique) {
                break;
            }
            unique = format!("{name}_{number}");
        }
        let at = self.inline.len();
        let mut definition = super::models::definition(&unique, node);
        // It takes its place before its fields are read, so that a name inside it differs.
        self.inline.push(definition.clone());
        definition.fields = super::fields::of_schema(node, self, notes);
        if let Some(place) = self.inline.get_mut(at) {
            *place = definition;
        }
        let message = format!("the object type declared in place is named {}", shown(&unique));
        notes.note("contract.rewrite-inline-type", node.span, message);
        FieldType::Ref(unique)
    }

    fn reference(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        let text = node.text().unwrap_or_default();
        let last = text.rsplit(['/', '#', '.']).next().unwrap_or_default();
        let Some((target, definition)) = self.named.get_key_value(last).map(|(k, v)| (*k, *v))
        else {
            let message = format!("the reference {} names no definition", shown(text));
            notes.warning("contract.reference", node.span, message);
            return FieldType::Unknown(last.to_owned());
        };
        if super::models::is_object_or_enum(definition) {
            return FieldType::Ref(target.to_owned());
        }
        // A definition that is no object is only another name of its type.
        self.of_depth(definition, name, notes, depth + 1)
    }

    /// A type by its spelling, such as `list[str] | null`.
    fn spelled(&self, text: &str, span: Span, notes: &mut Notes, depth: usize) -> FieldType {
        let text = text.trim();
        let unknown = || FieldType::Unknown(text.chars().take(200).collect());
        if depth > TYPE_DEPTH_MAX || text.len() > 1000 {
            return unknown();
        }
        let parts = split(text, '|');
        if parts.len() > 1 {
            return self.union(&parts, unknown(), span, notes, depth);
        }
        if let Some(inner) = text.strip_suffix('?') {
            return optional(self.spelled(inner, span, notes, depth + 1));
        }
        if let Some(inner) = text.strip_suffix("[]") {
            return FieldType::List(Box::new(self.spelled(inner, span, notes, depth + 1)));
        }
        if let Some(open) = text.find(['[', '<'])
            && text.ends_with([']', '>'])
        {
            let (head, rest) = text.split_at(open);
            let inner = rest.get(1..rest.len() - 1).unwrap_or_default();
            let found = self.generic(head.trim(), inner, span, notes, depth);
            return found.unwrap_or_else(unknown);
        }
        if let Some((name, _)) = self.named.get_key_value(text) {
            return FieldType::Ref((*name).to_owned());
        }
        match simple(&text.to_lowercase()) {
            Some(found) => found,
            None => self.misspelt(text, span, notes).unwrap_or_else(unknown),
        }
    }

    fn union(
        &self,
        parts: &[&str],
        unknown: FieldType,
        span: Span,
        notes: &mut Notes,
        depth: usize,
    ) -> FieldType {
        let mut others = parts.iter().filter(|part| !is_none(part));
        let found = match (others.next(), others.next()) {
            (Some(one), None) => self.spelled(one, span, notes, depth + 1),
            _ => unknown,
        };
        if parts.iter().any(|part| is_none(part)) { optional(found) } else { found }
    }

    /// `head[inner]`.
    fn generic(
        &self,
        head: &str,
        inner: &str,
        span: Span,
        notes: &mut Notes,
        depth: usize,
    ) -> Option<FieldType> {
        let parts = split(inner, ',');
        let mut read = |text: &str| self.spelled(text, span, notes, depth + 1);
        let head = head.rsplit('.').next().unwrap_or(head).to_lowercase();
        match (head.as_str(), parts.as_slice()) {
            ("list" | "array" | "sequence" | "set" | "frozenset" | "iterable", [one])
            | ("tuple", [one] | [one, "..."]) => Some(FieldType::List(Box::new(read(one)))),
            ("dict" | "map" | "mapping" | "object", [_, value]) => {
                Some(FieldType::Map(Box::new(read(value))))
            }
            ("optional", [one]) => Some(optional(read(one))),
            ("union", parts) => {
                let unknown = FieldType::Unknown(parts.join(" | "));
                Some(self.union(parts, unknown, span, notes, depth))
            }
            ("annotated", [one, ..]) => Some(read(one)),
            ("literal" | "enum", values) => {
                let texts: Vec<String> = values
                    .iter()
                    .map(|value| value.trim_matches(['"', '\'']).to_owned())
                    .filter(|value| !value.is_empty())
                    .collect();
                (!texts.is_empty()).then_some(FieldType::Enum(texts))
            }
            _ => None,
        }
    }

    /// A lower-case word near to a type's name, such as `objec`.
    fn misspelt(&self, text: &str, span: Span, notes: &mut Notes) -> Option<FieldType> {
        let word = text.len() >= 4 && text.len() <= 20;
        if !word || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let names =
            ["string", "integer", "float", "number", "boolean", "object", "array", "datetime"];
        let near = crate::error::nearest(text, names)?;
        let message = format!("the type {} is not known; it is read as `{near}`", shown(text));
        notes.push(
            Finding::new("contract.type", Level::Warning, message)
                .at(span)
                .with_help(format!("write `{near}`")),
        );
        simple(near)
    }
}

/// Splits at a separator that stands in no bracket; parts are trimmed.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' | '<' | '(' => depth += 1,
            ']' | '>' | ')' => depth = depth.saturating_sub(1),
            c if c == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts
}

fn is_none(text: &str) -> bool {
    matches!(text.trim(), "null" | "None" | "none" | "NoneType" | "~" | "")
}

fn optional(inner: FieldType) -> FieldType {
    match inner {
        FieldType::Optional(_) => inner,
        inner => FieldType::Optional(Box::new(inner)),
    }
}

/// `enum: [a, b]`: texts, or whole numbers; null among them makes it optional.
fn enumeration(values: &Node) -> Option<FieldType> {
    let items = values.items();
    let named: Vec<&Node> = items.iter().filter(|item| !item.is_null()).collect();
    if named.is_empty() {
        return None;
    }
    let found = if named.iter().all(|item| item.as_u64().is_some()) {
        FieldType::Int
    } else {
        let texts: Option<Vec<String>> = named
            .iter()
            .map(|item| item.text().or_else(|| item.first_text(&["value", "name"])))
            .map(|text| text.map(str::to_owned))
            .collect();
        FieldType::Enum(texts?)
    };
    Some(if named.len() < items.len() { optional(found) } else { found })
}

/// A type that is one word, in lower case.
fn simple(word: &str) -> Option<FieldType> {
    let of_unknown = || Box::new(FieldType::Unknown(String::new()));
    match word {
        // What travels as text in JSON is text.
        "str" | "string" | "text" | "path" | "uri" | "url" | "email" | "date" | "time" => {
            Some(FieldType::Text)
        }
        "int" | "integer" | "long" => Some(FieldType::Int),
        "float" | "number" | "double" | "decimal" => Some(FieldType::Float),
        "bool" | "boolean" => Some(FieldType::Bool),
        "uuid" | "uuid4" => Some(FieldType::Uuid),
        "datetime" | "date-time" | "timestamp" => Some(FieldType::DateTime),
        "list" | "array" | "set" | "tuple" | "sequence" => Some(FieldType::List(of_unknown())),
        "dict" | "object" | "map" | "mapping" | "json" => Some(FieldType::Map(of_unknown())),
        "null" | "none" => Some(FieldType::Optional(of_unknown())),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
