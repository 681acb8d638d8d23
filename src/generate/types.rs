//! What the generated Python consists of: types, enums, models and their fields, as data, and their
//! text. Decides nothing about a contract; see `shape` for that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::value;
use crate::contract::constrained::REFUSE_REPEATS;
use crate::contract::model::limits::Limits;
use crate::contract::model::{Definition, Field, FieldType};
use crate::template::names;
use crate::template::python_text::{Expr, Imports, literal, said};

/// A Python type that a field may have. There is no `Any` among them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PyType {
    Str,
    Int,
    Float,
    Bool,
    Uuid,
    DateTime,
    Date,
    Time,
    Duration,
    Decimal,
    Bytes,
    /// One of these values, not texts alone.
    Literal(Vec<Json>),
    Union(Vec<Self>),
    /// A type inside of another, with limits of its own.
    Limited(Box<Self>, Limits),
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

    /// Whether a type stands in it, itself included.
    pub(super) fn holds(&self, wanted: &dyn Fn(&Self) -> bool) -> bool {
        wanted(self)
            || match self {
                Self::List(it) | Self::Dict(it) | Self::Optional(it) | Self::Limited(it, _) => {
                    it.holds(wanted)
                }
                Self::Union(all) => all.iter().any(|it| it.holds(wanted)),
                _ => false,
            }
    }

    /// The type with a limit on it, inside of what may be null.
    fn with(self, limits: Limits) -> Self {
        match self {
            Self::Optional(inner) => Self::Optional(Box::new(inner.with(limits))),
            of => Self::Limited(Box::new(of), limits),
        }
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
    pub(super) limits: Limits,
    /// Models of the type that are not there yet when the class is made, by place in
    /// [`Shape::parts`].
    pub(super) later: BTreeSet<usize>,
    pub(super) description: String,
}

impl FieldPlan {
    /// A required field without limits.
    pub(super) fn new(name: &str, field_type: PyType, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            ident: name.to_owned(),
            field_type,
            default: None,
            data: None,
            limits: Limits::default(),
            later: BTreeSet::new(),
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
        items.extend(limit_arguments(&self.limits, self.field_type.inner()));
        if self.ident != self.name {
            items.push(Expr::atom(literal(&self.name)).named("alias"));
        }
        if !self.description.is_empty() {
            items.push(Expr::text(&self.description).named("description"));
        }
        items
    }

    /// The type with what only stands in annotations.
    fn typed(&self) -> PyType {
        let unique = Limits { unique_items: self.limits.unique_items, ..Limits::default() };
        let of = self.field_type.clone();
        if unique.is_empty() { of } else { of.with(unique) }
    }

    /// The declaration in the class body, at four columns.
    pub(super) fn declaration(&self, shape: &Shape) -> String {
        let head = format!("{}: ", self.ident);
        let mut annotation = shape.annotation(&self.typed());
        if !self.later.is_empty() {
            annotation = literal(&annotation);
        }
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
            return match self.typed() {
                PyType::Limited(inner, limits) if self.later.is_empty() => {
                    let items = shape.annotated(&inner, &limits);
                    Expr::group(format!("{head}Annotated["), items, "]").render(4)
                }
                _ => format!("{head}{annotation}"),
            };
        }
        Expr::group(format!("{head}{annotation} = Field("), items, ")").render(4)
    }

    /// Whether a list of it must hold nothing twice.
    pub(super) fn refuses_repeats(&self) -> bool {
        let unique = |it: &PyType| matches!(it, PyType::Limited(_, it) if it.unique_items);
        self.typed().holds(&unique)
    }

    /// The field as a contract declares it.
    pub(super) fn declared(&self, shape: &Shape) -> Field {
        Field {
            name: self.name.clone(),
            field_type: shape.declared(&self.field_type),
            required: self.default.is_none(),
            description: Some(self.description.clone()).filter(|it| !it.is_empty()),
            default: self.data.clone(),
            limits: self.limits.clone(),
            span: None,
        }
    }

    /// Puts what the declaration needs into `imports`.
    pub(super) fn import(&self, shape: &Shape, imports: &mut Imports) {
        let of = self.typed();
        shape.import_except(&of, "models", &self.later, imports);
        if of.holds(&|it| matches!(it, PyType::Limited(..))) {
            imports.name("typing", "Annotated");
        }
        let limited = |it: &PyType| {
            matches!(it, PyType::Limited(_, limits)
                if *limits != Limits { unique_items: limits.unique_items, ..Limits::default() })
        };
        if of.holds(&limited) {
            imports.name("pydantic", "Field");
        }
        if self.refuses_repeats() {
            imports.name("pydantic", "AfterValidator");
            imports.name(".repeats", REFUSE_REPEATS);
        }
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
            PyType::Date => FieldType::Date,
            PyType::Time => FieldType::Time,
            PyType::Duration => FieldType::Duration,
            PyType::Decimal => FieldType::Decimal,
            PyType::Bytes => FieldType::Bytes,
            PyType::Literal(values) => FieldType::Literal(values.clone()),
            PyType::Union(all) => {
                FieldType::Union(all.iter().map(|it| self.declared(it)).collect())
            }
            PyType::Limited(inner, limits) => FieldType::Limited(boxed(inner), limits.clone()),
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
            PyType::Date => "date".into(),
            PyType::Time => "time".into(),
            PyType::Duration => "timedelta".into(),
            PyType::Decimal => "Decimal".into(),
            PyType::Bytes => "bytes".into(),
            PyType::Literal(values) => {
                let values: Vec<String> = values.iter().filter_map(value::listed).collect();
                format!("Literal[{}]", values.join(", "))
            }
            PyType::Union(all) => {
                let all: Vec<String> = all.iter().map(|it| self.annotation(it)).collect();
                all.join(" | ")
            }
            PyType::Limited(inner, limits) => {
                let parts = self.annotated(inner, limits);
                let parts: Vec<String> = parts.iter().map(Expr::flat).collect();
                format!("Annotated[{}]", parts.join(", "))
            }
            PyType::List(item) => format!("list[{}]", self.annotation(item)),
            PyType::Dict(item) => format!("dict[str, {}]", self.annotation(item)),
            PyType::Optional(item) => format!("{} | None", self.annotation(item)),
            PyType::Enum(at) => self.enums.get(*at).map_or("str", |it| &it.class_name).to_owned(),
            PyType::Model(at) => self.parts.get(*at).map_or("str", |it| &it.class_name).to_owned(),
        }
    }

    /// What stands in the brackets of `Annotated[...]`.
    fn annotated(&self, inner: &PyType, limits: &Limits) -> Vec<Expr> {
        let mut parts = vec![Expr::Atom(self.annotation(inner))];
        let arguments = limit_arguments(limits, inner);
        if !arguments.is_empty() {
            parts.push(Expr::group("Field(", arguments, ")"));
        }
        if limits.unique_items {
            parts.push(Expr::Atom(format!("AfterValidator({REFUSE_REPEATS})")));
        }
        parts
    }

    /// Nothing at all.
    pub(super) fn nothing() -> Self {
        let model = || ModelPlan {
            class_name: String::new(),
            module: String::new(),
            description: String::new(),
            fields: Vec::new(),
        };
        Self { enums: Vec::new(), parts: Vec::new(), input: model(), output: model() }
    }

    /// Puts the type's imports into `imports`, seen from a module in `folder`.
    pub(super) fn import(&self, of: &PyType, folder: &str, imports: &mut Imports) {
        self.import_except(of, folder, &BTreeSet::new(), imports);
    }

    /// Puts what a value of the type needs into `imports`, seen from a handler or a test.
    pub(super) fn import_value(&self, of: &PyType, imports: &mut Imports) {
        let inside = matches!(
            of,
            PyType::List(_) | PyType::Dict(_) | PyType::Optional(_) | PyType::Limited(..)
        );
        if !inside && !matches!(of, PyType::Union(_) | PyType::Literal(_)) {
            self.import(of, "handlers", imports);
        }
    }

    /// The same without the models in `later`.
    fn import_except(
        &self,
        of: &PyType,
        folder: &str,
        later: &BTreeSet<usize>,
        imports: &mut Imports,
    ) {
        match of {
            PyType::Str | PyType::Int | PyType::Float | PyType::Bool | PyType::Bytes => {}
            PyType::Uuid => imports.name("uuid", "UUID"),
            PyType::DateTime => imports.name("datetime", "datetime"),
            PyType::Date => imports.name("datetime", "date"),
            PyType::Time => imports.name("datetime", "time"),
            PyType::Duration => imports.name("datetime", "timedelta"),
            PyType::Decimal => imports.name("decimal", "Decimal"),
            PyType::Literal(_) => imports.name("typing", "Literal"),
            PyType::List(item)
            | PyType::Dict(item)
            | PyType::Optional(item)
            | PyType::Limited(item, _) => self.import_except(item, folder, later, imports),
            PyType::Union(all) => {
                all.iter().for_each(|it| self.import_except(it, folder, later, imports));
            }
            PyType::Enum(at) => {
                if let Some(it) = self.enums.get(*at) {
                    imports.name(&format!("..enums.{}", it.module), &it.class_name);
                }
            }
            PyType::Model(at) if later.contains(at) => {}
            PyType::Model(at) => {
                if let Some(it) = self.parts.get(*at) {
                    let from = if folder == "models" { "." } else { "..models." };
                    imports.name(&format!("{from}{}", it.module), &it.class_name);
                }
            }
        }
    }

    /// The models of a circle, by place in [`Shape::parts`]: those made while another of the circle
    /// is not there yet, which must be completed when all are, the last one first.
    pub(super) fn circles(&self) -> Vec<usize> {
        let refers = |from: usize, to: usize, later: bool| {
            self.parts.get(from).is_some_and(|it| {
                it.fields
                    .iter()
                    .filter(|it| !later || it.later.iter().any(|it| *it != from))
                    .any(|it| it.field_type.holds(&|it| *it == PyType::Model(to)))
            })
        };
        let count = self.parts.len();
        let reached = |from: usize| {
            let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
            while let Some(at) = waiting.pop() {
                for to in (0..count).filter(|to| refers(at, *to, false)) {
                    if seen.insert(to) {
                        waiting.push(to);
                    }
                }
            }
            seen
        };
        let owners: Vec<usize> = (0..count)
            .filter(|at| (0..count).any(|to| to != *at && refers(*at, to, true)))
            .collect();
        if owners.is_empty() {
            return Vec::new();
        }
        let circle = |at: &usize| {
            let reached = reached(*at);
            reached.contains(at) && owners.iter().any(|it| reached.contains(it))
        };
        (0..count).rev().filter(circle).collect()
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

/// The arguments of `Field(...)` that limit a value of the type.
pub(super) fn limit_arguments(limits: &Limits, of: &PyType) -> Vec<Expr> {
    let bound = |value: Option<f64>, name| value.map(|it| Expr::atom(number(it, of)).named(name));
    let count = |value: Option<u64>, name| value.map(|it| Expr::atom(it.to_string()).named(name));
    let pattern = limits.pattern.as_deref();
    [
        bound(limits.minimum, "ge"),
        bound(limits.exclusive_minimum, "gt"),
        bound(limits.maximum, "le"),
        bound(limits.exclusive_maximum, "lt"),
        bound(limits.multiple_of, "multiple_of"),
        count(limits.min_length, "min_length"),
        count(limits.max_length, "max_length"),
        pattern.map(|it| Expr::atom(literal(it)).named("pattern")),
        count(limits.max_digits, "max_digits"),
        count(limits.decimal_places, "decimal_places"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A number as a literal of the type.
pub(super) fn number(value: f64, of: &PyType) -> String {
    let whole = match of {
        PyType::Int => true,
        // Debug keeps the point: 1.0
        PyType::Float => false,
        _ => value.fract() == 0.0,
    };
    if whole { format!("{value:.0}") } else { format!("{value:?}") }
}
