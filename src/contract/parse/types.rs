//! Types of fields, in every form: a word, Python's spelling, a list of alternatives, a schema.

use super::composed::{self, enumeration, literal, union_of};
use super::{limits, spelled};
use crate::contract::constrained::limited;
use crate::contract::document::{Node, Value};
use crate::contract::model::{Definition, FieldType};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level};
use std::collections::{HashMap, HashSet};

/// Most levels of a type inside a type.
pub(super) const TYPE_DEPTH_MAX: usize = 16;

/// Most object types that may be declared in place inside others.
const INLINE_MAX: usize = 256;

/// Most types that are read of one contract, so that types which multiply end.
const TYPES_MAX: usize = 200_000;

/// What types can refer to, and the object types that were declared in place.
#[derive(Debug)]
pub(super) struct Types<'a> {
    /// Nodes of `definitions` by name.
    pub(super) named: HashMap<&'a str, &'a Node>,
    inline: Vec<Definition>,
    /// Definitions that are other names of types, on the way.
    open: Vec<&'a str>,
    read: usize,
    /// Names of types that nothing has.
    missing: HashSet<String>,
    /// Names that no object declared in place is given.
    reserved: HashSet<String>,
}

impl<'a> Types<'a> {
    /// Knows the definitions of a document; no object declared in place gets a name of `reserved`.
    pub(super) fn new(document: &'a Node, reserved: HashSet<String>) -> Self {
        let named = super::models::definition_nodes(document)
            .into_iter()
            .map(|(name, _, node)| (name, node))
            .collect();
        Self {
            named,
            inline: Vec::new(),
            open: Vec::new(),
            read: 0,
            missing: HashSet::new(),
            reserved,
        }
    }

    /// Definitions, with those declared in place at the end.
    pub(super) fn with_inline(self, mut definitions: Vec<Definition>) -> Vec<Definition> {
        definitions.extend(self.inline);
        definitions
    }

    /// Notes that a type is named which nothing defines.
    pub(super) fn miss(&mut self, name: &str) {
        self.missing.insert(name.to_owned());
    }

    /// The names that nothing defines, where an object declared in place has got one of them: once
    /// written out, it would be taken for the type that is missing. `None` in a second reading.
    pub(super) fn mistakable(&mut self) -> Option<HashSet<String>> {
        let first = self.reserved.is_empty();
        let mistakable = self.inline.iter().any(|it| self.missing.contains(&it.name));
        (first && mistakable).then(|| std::mem::take(&mut self.missing))
    }

    /// The type of a field whose definition is `node`: a type's name, a schema, or a list of
    /// alternatives. `name` is for messages and for the name of an object declared in place.
    pub(super) fn of(&mut self, node: &Node, name: &str, notes: &mut Notes) -> FieldType {
        self.of_depth(node, name, notes, 0)
    }

    pub(super) fn of_depth(
        &mut self,
        node: &Node,
        name: &str,
        notes: &mut Notes,
        depth: usize,
    ) -> FieldType {
        self.read += 1;
        if depth > TYPE_DEPTH_MAX || self.read > TYPES_MAX {
            return FieldType::Unknown("nested too deep".to_owned());
        }
        match &node.value {
            Value::Scalar { .. } if node.is_null() => FieldType::Unknown(String::new()),
            Value::Scalar { text, .. } => spelled::read(text, self, node.span, notes),
            Value::Sequence(items) => {
                let is_null = |item: &Node| item.text().is_some_and(spelled::is_none);
                let others = items.iter().filter(|item| !is_null(item));
                let all = others.map(|it| self.of_depth(it, name, notes, depth + 1)).collect();
                let found = union_of(all);
                if items.iter().any(is_null) { optional(found) } else { found }
            }
            Value::Mapping(_) => {
                let found = self.schema(node, name, notes, depth);
                let nullable = node.get("nullable").and_then(Node::as_bool) == Some(true);
                let found = if nullable { optional(found) } else { found };
                let (found, unfit) = limited(found, limits::of(node, notes));
                limits::unfit(&unfit, node, notes);
                found
            }
        }
    }

    /// A schema: `allOf`, `$ref`, `const`, `enum`, `anyOf`, `oneOf`, `type`, `items`, `properties`,
    /// and the words that older contracts have for them.
    fn schema(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        if node.get("allOf").is_some_and(Node::is_sequence) {
            return match composed::all_of(node, self, notes) {
                composed::Merged::Reference(it) => self.reference(it, name, notes, depth),
                composed::Merged::Schema(it) => self.of_depth(&it, name, notes, depth + 1),
            };
        }
        if let Some(reference) = node.first(&["$ref", "reference", "ref"]) {
            return self.reference(reference, name, notes, depth);
        }
        if let Some(found) = node.get("const").and_then(|it| literal(&[it], notes)) {
            return found;
        }
        let type_keys = ["type", "property_type", "data_type", "field_type"];
        let declared = node.first(&type_keys);
        if let Some(values) = node.first(&["enum", "values", "allowed_values", "choices"])
            && let Some(found) = enumeration(values, declared, notes)
        {
            return found;
        }
        for key in ["anyOf", "oneOf"] {
            let Some(Value::Sequence(items)) = node.get(key).map(|it| &it.value) else { continue };
            let null = |it: &Node| it.first_text(&["type"]) == Some("null");
            let others = items.iter().filter(|it| !null(it) && !it.is_null());
            let all = others.map(|it| self.of_depth(it, name, notes, depth + 1)).collect();
            let found = union_of(all);
            return if items.iter().any(|it| null(it) || it.is_null()) {
                optional(found)
            } else {
                found
            };
        }
        let Some(declared) = declared else {
            let object = node.first(&["properties", "fields"]).is_some_and(Node::is_mapping);
            return if object {
                self.object(node, name, notes, depth)
            } else {
                FieldType::Unknown(String::new())
            };
        };
        let Value::Sequence(items) = &declared.value else {
            return self.word(declared, node, name, notes, depth);
        };
        let is_null = |item: &Node| item.text().is_some_and(spelled::is_none);
        let others = items.iter().filter(|item| !is_null(item));
        let all = others.map(|it| self.word(it, node, name, notes, depth + 1)).collect();
        let found = union_of(all);
        if items.iter().any(is_null) { optional(found) } else { found }
    }

    /// The type that the word `declared` makes of the schema `node`.
    fn word(
        &mut self,
        declared: &Node,
        node: &Node,
        name: &str,
        notes: &mut Notes,
        depth: usize,
    ) -> FieldType {
        let format = node.first_text(&["format"]);
        match declared.text().unwrap_or_default() {
            "" => self.of_depth(declared, name, notes, depth + 1),
            "array" | "list" | "List" => match node.get("items").filter(|it| !it.is_null()) {
                Some(items) => {
                    let item = self.of_depth(items, name, notes, depth + 1);
                    FieldType::List(Box::new(item))
                }
                None => FieldType::List(Box::new(FieldType::Unknown(String::new()))),
            },
            "object" | "dict" | "map" => self.object(node, name, notes, depth),
            "string" | "str" => match format.map(spelled::format) {
                None => FieldType::Text,
                Some(Some(found)) => found,
                Some(None) => {
                    let format = shown(format.unwrap_or_default());
                    let message = format!("the format {format} is not checked: it is a text");
                    let at = node.key_span(&["format"]);
                    let finding = Finding::new("contract.format", Level::Note, message).at(at);
                    notes.push(finding.with_help("add a `pattern`, if it must be checked"));
                    FieldType::Text
                }
            },
            "number" | "float" if format == Some("decimal") => FieldType::Decimal,
            text => spelled::read(text, self, declared.span, notes),
        }
    }

    /// An object: with properties a type of its own, else a mapping.
    fn object(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        let fields = node.first(&["properties", "fields"]).filter(|it| !it.pairs().is_empty());
        let values = ["additionalProperties", "additional_properties"];
        let value = node.first(&values);
        if fields.is_some() && self.inline.len() < INLINE_MAX && depth < TYPE_DEPTH_MAX {
            if let Some(open) = value.filter(|it| it.as_bool() != Some(false)) {
                let message = "other properties beside the declared ones are refused by the model";
                let finding = Finding::new("contract.constraint", Level::Warning, message);
                let help = "declare a field of its own for them, a mapping";
                notes.push(finding.at(open.span).with_help(help));
            }
            return self.declare(node, name, notes);
        }
        let value = match value.filter(|it| it.as_bool().is_none()) {
            Some(value) => self.of_depth(value, name, notes, depth + 1),
            None => FieldType::Unknown(String::new()),
        };
        FieldType::Map(Box::new(value))
    }

    /// Gives an object declared in place a definition of its own, named after its field.
    fn declare(&mut self, node: &Node, name: &str, notes: &mut Notes) -> FieldType {
        let taken = |types: &Self, name: &str| {
            types.named.contains_key(name)
                || types.reserved.contains(name)
                || types.inline.iter().any(|it| it.name == name)
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

    /// The type that a `$ref` names; where no definition has the name, what it would be as a word.
    fn reference(&mut self, node: &Node, name: &str, notes: &mut Notes, depth: usize) -> FieldType {
        let text = node.text().unwrap_or_default();
        let last = text.rsplit(['/', '#', '.']).next().unwrap_or_default();
        let Some((target, definition)) = self.named.get_key_value(last).map(|(k, v)| (*k, *v))
        else {
            let message = format!("the reference {} names no definition", shown(text));
            notes.warning("contract.reference", node.span, message);
            return spelled::read(last, self, node.span, notes);
        };
        if super::models::is_object_or_enum(definition) {
            return FieldType::Ref(target.to_owned());
        }
        // A definition that is no object is only another name of its type.
        if self.open.contains(&target) {
            let message = format!("the type {} is made of itself and no object", shown(target));
            let finding = Finding::new("contract.reference", Level::Warning, message);
            let help = "make it an object with `properties`, one of which refers to it";
            notes.push(finding.at(node.span).with_help(help));
            return FieldType::Unknown(target.to_owned());
        }
        self.open.push(target);
        let found = self.of_depth(definition, name, notes, depth + 1);
        self.open.pop();
        found
    }
}

/// The type, or null.
pub(super) fn optional(inner: FieldType) -> FieldType {
    match inner {
        FieldType::Optional(_) => inner,
        inner => FieldType::Optional(Box::new(inner)),
    }
}

#[cfg(test)]
mod tests;
