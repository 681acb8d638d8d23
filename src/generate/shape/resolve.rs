//! Declared types to Python types, and definitions to models and enums. A reference that leads
//! nowhere or nests too deep becomes a mapping, with a finding; one that closes a circle is to a
//! class that comes later.

use std::collections::BTreeSet;

use super::{Builder, description};
use crate::contract::model::limits::Limits;
use crate::contract::model::{Definition, FieldType};
use crate::generate::remark;
use crate::generate::types::{ModelPlan, PyType};
use crate::template::names;
use crate::template::python_text::clean;

/// Required models inside one model, and definitions on the way from a field to one; above it a
/// mapping stands in, to keep literals and the stack bounded.
const NESTED_MAX: usize = 64;

/// Types that no union may have all of (upstream's union checker).
const REFUSED: [&[&str]; 3] = [
    &["str", "int", "bool", "float"],
    &["str", "int", "bool", "dict"],
    &["str", "int", "dict", "list"],
];

/// What became of a definition.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    Untouched,
    /// On the way: a reference to it now closes a circle.
    Open(PyType),
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
            FieldType::Date => PyType::Date,
            FieldType::Time => PyType::Time,
            FieldType::Duration => PyType::Duration,
            FieldType::Decimal => PyType::Decimal,
            FieldType::Bytes => PyType::Bytes,
            FieldType::Literal(values) => PyType::Literal(values.clone()),
            FieldType::Union(all) => self.union(all, role, field),
            FieldType::Limited(inner, limits) => {
                let of = self.resolve(inner, role, field);
                let limits = self.limits(limits, &of, role, field);
                if limits.is_empty() { of } else { PyType::Limited(boxed(of), limits) }
            }
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

    /// One of several types. Upstream refuses some unions of three and more.
    fn union(&mut self, all: &[FieldType], role: &str, field: &str) -> PyType {
        let mut members: Vec<PyType> = Vec::new();
        for it in all {
            let it = self.resolve(it, role, field);
            if !members.contains(&it) {
                members.push(it);
            }
        }
        let has = |wanted: &[&str], members: &[PyType]| {
            let word = |of: &PyType| match of {
                PyType::Str => "str",
                PyType::Int => "int",
                PyType::Float => "float",
                PyType::Bool => "bool",
                PyType::List(_) => "list",
                PyType::Dict(_) => "dict",
                _ => "",
            };
            wanted.iter().all(|it| members.iter().any(|of| word(of) == *it))
        };
        let refused = |members: &[PyType]| REFUSED.iter().any(|it| has(it, members));
        if refused(&members) && has(&["int", "float"], &members) {
            members.retain(|it| *it != PyType::Int);
            let message = format!("`{}` takes whole numbers as floats", clean(field));
            let finding = remark("correctness.union", message).in_file(self.file(role));
            let help = "upstream refuses a union of so many types: give it one of fewer";
            self.findings.push(finding.with_help(help));
        }
        if refused(&members) {
            let field = clean(field);
            let message = format!("upstream refuses the union of `{field}`: `str` stands in");
            self.unknown(role, message);
            return PyType::Str;
        }
        if members.len() == 1 { members.remove(0) } else { PyType::Union(members) }
    }

    fn reference(&mut self, name: &str, role: &str, field: &str) -> PyType {
        let at = self.contract.definitions.iter().position(|it| it.name == name);
        let slot = at.and_then(|at| self.slots.get(at)).cloned();
        let (name, field) = (clean(name), clean(field));
        let reason = match (at, slot) {
            (Some(at), Some(Slot::Untouched)) if self.depth < NESTED_MAX => {
                self.depth += 1;
                let made = self.define(at);
                self.depth -= 1;
                return made.unwrap_or_else(|| self.mapping());
            }
            (_, Some(Slot::Untouched)) => "nests too deep",
            (_, Some(Slot::Done(it))) => match it {
                PyType::Model(part) if self.weight(part) > NESTED_MAX => "nests too deep",
                it => return it,
            },
            (_, Some(Slot::Open(it))) => {
                if let PyType::Model(part) = it {
                    self.later.insert(part);
                }
                return it;
            }
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
        let made = self.made_of(at, definition);
        let slot = made.clone().map_or(Slot::Refused, Slot::Done);
        self.settle(at, slot);
        made
    }

    fn settle(&mut self, at: usize, slot: Slot) {
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
    }

    fn made_of(&mut self, slot: usize, definition: &Definition) -> Option<PyType> {
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
        // It takes its place before its fields are planned: they may lead back to it.
        let at = self.shape.parts.len();
        let fields = Vec::new();
        let file = module.clone();
        self.shape.parts.push(ModelPlan { class_name, module, description: text, fields });
        self.weights.push(1);
        self.settle(slot, Slot::Open(PyType::Model(at)));
        let fields = self.fields(&definition.fields, &file, &mut BTreeSet::new());
        let required = fields.iter().filter(|it| it.default.is_none());
        let weight = required.map(|it| self.needed(&it.field_type, &it.limits));
        let weight = weight.fold(1_usize, usize::saturating_add);
        if let Some(own) = self.weights.get_mut(at) {
            *own = weight;
        }
        if let Some(own) = self.shape.parts.get_mut(at) {
            own.fields = fields;
        }
        Some(PyType::Model(at))
    }

    /// Models that a value of the type cannot do without.
    fn needed(&self, of: &PyType, limits: &Limits) -> usize {
        match of {
            PyType::Model(part) => self.weight(*part),
            PyType::Limited(inner, limits) => self.needed(inner, limits),
            PyType::List(item) | PyType::Dict(item) if limits.min_length.unwrap_or(0) > 0 => {
                self.needed(item, &Limits::default())
            }
            PyType::Union(all) => {
                let first = all.iter().map(|it| self.needed(it, &Limits::default()));
                first.min().unwrap_or(0)
            }
            _ => 0,
        }
    }
}
