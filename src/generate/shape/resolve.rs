//! Declared types to Python types, and definitions to models and enums. A reference that closes a
//! circle, leads nowhere or nests too deep becomes a mapping, with a finding.

use std::collections::BTreeSet;

use super::{Builder, description};
use crate::contract::model::{Definition, FieldType};
use crate::generate::types::{ModelPlan, PyType};
use crate::template::names;
use crate::template::python_text::clean;

/// Required models inside one model; above it a mapping stands in, to keep literals bounded.
const NESTED_MAX: usize = 64;

/// What became of a definition.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    Untouched,
    /// On the way: a reference to it now would close a circle.
    Open,
    Done(PyType),
    Refused,
}

impl Builder<'_> {
    /// The Python type of a declared type; a finding where it had to be guessed.
    pub(super) fn resolve(&mut self, of: &FieldType, role: &str, field: &str) -> PyType {
        let boxed = |it: PyType| Box::new(it);
        match of {
            FieldType::Text => PyType::Str,
            FieldType::Int => PyType::Int,
            FieldType::Float => PyType::Float,
            FieldType::Bool => PyType::Bool,
            FieldType::Uuid => PyType::Uuid,
            FieldType::DateTime => PyType::DateTime,
            FieldType::List(item) => PyType::List(boxed(self.resolve(item, role, field))),
            FieldType::Map(item) => PyType::Dict(boxed(self.resolve(item, role, field))),
            FieldType::Optional(inner) => self.resolve(inner, role, field).optional(),
            FieldType::Enum(values) if values.is_empty() => {
                self.unknown(role, format!("enum `{}` has no values: `str`", clean(field)));
                PyType::Str
            }
            FieldType::Enum(values) => {
                let stem = format!("{}_{}", self.names.what, names::stem(field));
                let text = format!("Values of `{}`.", clean(field));
                PyType::Enum(self.shape.add_enum(&stem, values, &text))
            }
            FieldType::Ref(name) => self.reference(name, role, field),
            FieldType::Unknown(raw) => {
                let raw = clean(raw);
                let field = clean(field);
                let message = if raw.is_empty() {
                    format!("the contract gives no type of `{field}`: `str` stands in")
                } else {
                    format!("type `{raw}` of `{field}` is not known: `str` stands in")
                };
                self.unknown(role, message);
                PyType::Str
            }
        }
    }

    fn reference(&mut self, name: &str, role: &str, field: &str) -> PyType {
        let at = self.contract.definitions.iter().position(|it| it.name == name);
        let slot = at.and_then(|at| self.slots.get(at)).cloned();
        let (name, field) = (clean(name), clean(field));
        let reason = match (at, slot) {
            (Some(at), Some(Slot::Untouched)) => {
                return self.define(at).unwrap_or_else(|| self.mapping());
            }
            (_, Some(Slot::Done(it))) => match it {
                PyType::Model(part) if self.weight(part) > NESTED_MAX => "nests too deep",
                it => return it,
            },
            (_, Some(Slot::Open)) => "refers to itself",
            (_, Some(Slot::Refused)) => "has no fields",
            _ => "is not defined",
        };
        let message = format!("`{name}`, the type of `{field}`, {reason}: a mapping stands in");
        self.unknown(role, message);
        self.mapping()
    }

    /// Stands in for an object of unknown fields.
    fn mapping(&self) -> PyType {
        PyType::Dict(Box::new(PyType::Str))
    }

    fn weight(&self, part: usize) -> usize {
        self.weights.get(part).copied().unwrap_or(1)
    }

    fn define(&mut self, at: usize) -> Option<PyType> {
        let contract = self.contract;
        let definition = contract.definitions.get(at)?;
        self.settle(at, Slot::Open);
        let made = self.made_of(definition);
        let slot = made.clone().map_or(Slot::Refused, Slot::Done);
        self.settle(at, slot);
        made
    }

    fn settle(&mut self, at: usize, slot: Slot) {
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
    }

    fn made_of(&mut self, definition: &Definition) -> Option<PyType> {
        let stem = names::stem(&definition.name);
        let text = description(definition.description.as_deref(), || {
            format!("`{}` of the contract's definitions.", clean(&definition.name))
        });
        if !definition.values.is_empty() {
            let stem = stem.strip_prefix("enum_").unwrap_or(&stem);
            return Some(PyType::Enum(self.shape.add_enum(stem, &definition.values, &text)));
        }
        if definition.fields.is_empty() {
            let name = clean(&definition.name);
            self.unknown("input", format!("definition `{name}` has no fields: a mapping"));
            return None;
        }
        let stem = names::allowed(stem.strip_prefix("model_").unwrap_or(&stem));
        let stem = names::free(&stem, |stem| {
            self.classes.contains(&format!("Model{}", names::class_words(stem)))
        });
        let class_name = format!("Model{}", names::class_words(&stem));
        let module = format!("model_{stem}");
        self.classes.insert(class_name.clone());
        let fields = self.fields(&definition.fields, &module, &mut BTreeSet::new());
        let required = fields.iter().filter(|it| it.default.is_none());
        let weight = required.map(|it| match it.field_type {
            PyType::Model(part) => self.weight(part),
            _ => 0,
        });
        let weight = weight.fold(1_usize, usize::saturating_add);
        self.weights.push(weight);
        self.shape.parts.push(ModelPlan { class_name, module, description: text, fields });
        Some(PyType::Model(self.shape.parts.len() - 1))
    }
}
