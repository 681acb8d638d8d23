//! What the generated Python consists of: types, enums, models and their fields, as data, and their
//! text. Decides nothing about a contract; see `shape` for that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::contract::model::{Definition, Field, FieldType};
use crate::template::names;
use crate::template::python_text::{Expr, Imports, literal, said};

/// A Python type that a field may have. There is no `Any` among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PyType {
    Str,
    Int,
    Float,
    Bool,
    Uuid,
    DateTime,
    List(Box<Self>),
    Dict(Box<Self>),
    Optional(Box<Self>),
    /// By place in [`Shape::enums`].
    Enum(usize),
    /// By place in [`Shape::parts`].
    Model(usize),
}

impl PyType {
    /// The type, or null.
    pub(super) fn optional(self) -> Self {
        if matches!(self, Self::Optional(_)) { self } else { Self::Optional(Box::new(self)) }
    }

    /// The type without the null.
    pub(super) fn inner(&self) -> &Self {
        if let Self::Optional(inner) = self { inner } else { self }
    }

    /// Whether bounds mean something for it.
    pub(super) fn is_number(&self) -> bool {
        matches!(self.inner(), Self::Int | Self::Float)
    }
}

/// An enum and its file.
#[derive(Debug, Clone)]
pub(super) struct EnumPlan {
    pub(super) class_name: String,
    pub(super) module: String,
    pub(super) description: String,
    /// Member names and values.
    pub(super) members: Vec<(String, String)>,
    /// What values mean, where that is said.
    pub(super) meanings: BTreeMap<String, String>,
}

impl EnumPlan {
    /// The expression for a value, where it is one of the enum's.
    pub(super) fn member(&self, value: &str) -> Option<String> {
        let (name, _) = self.members.iter().find(|(_, it)| it == value)?;
        Some(format!("{}.{name}", self.class_name))
    }

    /// Whether each of `values` is a value of the enum.
    pub(super) fn holds<'a>(&self, mut values: impl Iterator<Item = &'a str>) -> bool {
        values.all(|value| self.members.iter().any(|(_, it)| it == value))
    }
}

/// Default of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Default {
    /// `default=`.
    Value(Expr),
    /// `default_factory=`.
    Factory(Expr),
}

/// A field of a model.
#[derive(Debug, Clone)]
pub(super) struct FieldPlan {
    /// Name in the contract; the alias where the identifier is another.
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) field_type: PyType,
    /// Without one the field is required.
    pub(super) default: Option<Default>,
    /// The default as data, where it is some.
    pub(super) data: Option<Json>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) description: String,
}

impl FieldPlan {
    /// A required field without bounds.
    pub(super) fn new(name: &str, field_type: PyType, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            ident: name.to_owned(),
            field_type,
            default: None,
            data: None,
            minimum: None,
            maximum: None,
            description: description.to_owned(),
        }
    }

    /// Whether upstream's pattern checker takes a plain `str` of this name for a missing UUID, enum
    /// or entity. The contract says text, so it stays text, but annotated as deliberate.
    fn is_named_text(&self) -> bool {
        self.field_type == PyType::Str
            && (self.ident.ends_with("_id")
                || self.ident.ends_with("_name")
                || ["category", "type", "status"].contains(&self.ident.as_str()))
    }

    /// The arguments of `Field(...)`, the default left out where `bare`.
    fn arguments(&self, bare: bool) -> Vec<Expr> {
        let mut items = Vec::new();
        match &self.default {
            Some(Default::Value(value)) if !bare => items.push(value.clone().named("default")),
            Some(Default::Factory(value)) => items.push(value.clone().named("default_factory")),
            _ => {}
        }
        if self.field_type.is_number() {
            let bound = |value: f64| number(value, self.field_type.inner());
            items.extend(self.minimum.map(|it| Expr::atom(bound(it)).named("ge")));
            items.extend(self.maximum.map(|it| Expr::atom(bound(it)).named("le")));
        }
        if self.ident != self.name {
            items.push(Expr::atom(literal(&self.name)).named("alias"));
        }
        if !self.description.is_empty() {
            items.push(Expr::text(&self.description).named("description"));
        }
        items
    }

    /// The declaration in the class body, at four columns.
    pub(super) fn declaration(&self, shape: &Shape) -> String {
        let head = format!("{}: ", self.ident);
        let annotation = shape.annotation(&self.field_type);
        if self.is_named_text() {
            let field = Expr::group("Field(", self.arguments(true), ")");
            let tail = match &self.default {
                Some(Default::Value(value)) => format!("] = {}", value.render(4)),
                _ => "]".to_owned(),
            };
            let items = vec![Expr::atom(annotation), field];
            return Expr::group(format!("{head}Annotated["), items, tail).render(4);
        }
        let items = self.arguments(false);
        if items.is_empty() {
            return format!("{head}{annotation}");
        }
        Expr::group(format!("{head}{annotation} = Field("), items, ")").render(4)
    }

    /// The field as a contract declares it.
    pub(super) fn declared(&self, shape: &Shape) -> Field {
        let bounded = |it: Option<f64>| it.filter(|_| self.field_type.is_number());
        Field {
            name: self.name.clone(),
            field_type: shape.declared(&self.field_type),
            required: self.default.is_none(),
            description: Some(self.description.clone()).filter(|it| !it.is_empty()),
            default: self.data.clone(),
            minimum: bounded(self.minimum),
            maximum: bounded(self.maximum),
            span: None,
        }
    }

    /// Puts what the declaration needs into `imports`.
    pub(super) fn import(&self, shape: &Shape, imports: &mut Imports) {
        shape.import(&self.field_type, "models", imports);
        if self.is_named_text() {
            imports.name("typing", "Annotated");
        }
        if self.is_named_text() || !self.arguments(false).is_empty() {
            imports.name("pydantic", "Field");
        }
        if let Some(Default::Factory(Expr::Atom(factory))) = &self.default
            && factory == "uuid4"
        {
            imports.name("uuid", "uuid4");
        }
    }
}

/// A pydantic model and its file.
#[derive(Debug, Clone)]
pub(super) struct ModelPlan {
    pub(super) class_name: String,
    pub(super) module: String,
    pub(super) description: String,
    pub(super) fields: Vec<FieldPlan>,
}

/// All enums and models of a package.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) enums: Vec<EnumPlan>,
    /// The models of `definitions` in use.
    pub(super) parts: Vec<ModelPlan>,
    pub(super) input: ModelPlan,
    pub(super) output: ModelPlan,
}

impl Shape {
    /// The type as a contract declares it: enums by their values, models by their class.
    fn declared(&self, of: &PyType) -> FieldType {
        let boxed = |it: &PyType| Box::new(self.declared(it));
        match of {
            PyType::Str => FieldType::Text,
            PyType::Int => FieldType::Int,
            PyType::Float => FieldType::Float,
            PyType::Bool => FieldType::Bool,
            PyType::Uuid => FieldType::Uuid,
            PyType::DateTime => FieldType::DateTime,
            PyType::List(item) => FieldType::List(boxed(item)),
            PyType::Dict(item) => FieldType::Map(boxed(item)),
            PyType::Optional(item) => FieldType::Optional(boxed(item)),
            PyType::Enum(at) => self.enums.get(*at).map_or(FieldType::Text, |it| {
                FieldType::Enum(it.members.iter().map(|(_, value)| value.clone()).collect())
            }),
            PyType::Model(at) => self
                .parts
                .get(*at)
                .map_or(FieldType::Text, |it| FieldType::Ref(it.class_name.clone())),
        }
    }

    /// The parts as a contract declares them.
    pub(super) fn definitions(&self) -> Vec<Definition> {
        let definition = |it: &ModelPlan| Definition {
            name: it.class_name.clone(),
            description: Some(said(&it.description)),
            fields: it.fields.iter().map(|it| it.declared(self)).collect(),
            values: Vec::new(),
            span: None,
        };
        self.parts.iter().map(definition).collect()
    }

    /// The annotation for a type.
    pub(super) fn annotation(&self, of: &PyType) -> String {
        match of {
            PyType::Str => "str".into(),
            PyType::Int => "int".into(),
            PyType::Float => "float".into(),
            PyType::Bool => "bool".into(),
            PyType::Uuid => "UUID".into(),
            PyType::DateTime => "datetime".into(),
            PyType::List(item) => format!("list[{}]", self.annotation(item)),
            PyType::Dict(item) => format!("dict[str, {}]", self.annotation(item)),
            PyType::Optional(item) => format!("{} | None", self.annotation(item)),
            PyType::Enum(at) => self.enums.get(*at).map_or("str", |it| &it.class_name).to_owned(),
            PyType::Model(at) => self.parts.get(*at).map_or("str", |it| &it.class_name).to_owned(),
        }
    }

    /// Puts the type's imports into `imports`, seen from a module in `folder`.
    pub(super) fn import(&self, of: &PyType, folder: &str, imports: &mut Imports) {
        match of {
            PyType::Str | PyType::Int | PyType::Float | PyType::Bool => {}
            PyType::Uuid => imports.name("uuid", "UUID"),
            PyType::DateTime => imports.name("datetime", "datetime"),
            PyType::List(item) | PyType::Dict(item) | PyType::Optional(item) => {
                self.import(item, folder, imports);
            }
            PyType::Enum(at) => {
                if let Some(it) = self.enums.get(*at) {
                    imports.name(&format!("..enums.{}", it.module), &it.class_name);
                }
            }
            PyType::Model(at) => {
                if let Some(it) = self.parts.get(*at) {
                    let from = if folder == "models" { "." } else { "..models." };
                    imports.name(&format!("{from}{}", it.module), &it.class_name);
                }
            }
        }
    }

    /// Adds an enum for `values` and gives its place; the same values under the same stem are one
    /// enum.
    pub(super) fn add_enum(&mut self, stem: &str, values: &[String], description: &str) -> usize {
        let stem = names::allowed(stem);
        let class_name = format!("Enum{}", names::class_words(&stem));
        let same = |it: &EnumPlan| {
            it.members.len() == values.len() && it.holds(values.iter().map(String::as_str))
        };
        let known = self.enums.iter().position(|it| it.class_name == class_name && same(it));
        if let Some(at) = known {
            return at;
        }
        let taken = |stem: &str| {
            let class_name = format!("Enum{}", names::class_words(stem));
            let module = format!("enum_{stem}");
            self.enums.iter().any(|it| it.class_name == class_name || it.module == module)
        };
        let stem = names::free(&stem, taken);
        let class_name = format!("Enum{}", names::class_words(&stem));
        let module = format!("enum_{stem}");
        let mut taken = BTreeSet::new();
        let mut members: Vec<(String, String)> = Vec::new();
        for value in values {
            if !members.iter().any(|(_, it)| it == value) {
                members.push((names::member(value, &mut taken), value.clone()));
            }
        }
        let description = description.to_owned();
        let meanings = BTreeMap::new();
        self.enums.push(EnumPlan { class_name, module, description, members, meanings });
        self.enums.len() - 1
    }
}

/// A number as a literal of the type.
pub(super) fn number(value: f64, of: &PyType) -> String {
    // Debug keeps the point: 1.0
    if *of == PyType::Int { format!("{value:.0}") } else { format!("{value:?}") }
}
