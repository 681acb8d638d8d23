//! Classes and annotations to fields, types and definitions.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::files::{Found, Source, Sources};
use super::{note, warning};
use crate::contract::constrained::{self, Called, hoisted, limited};
use crate::contract::expression::Expression;
use crate::contract::model::limits::Limits;
use crate::contract::model::{Definition, Field, FieldType};
use crate::contract::parse::union_of;
use crate::finding::Finding;
use crate::python::Place;
use crate::python::facts::Assignment;

/// Deepest nesting of types, models in models, and base classes.
const DEPTH_MAX: u32 = 32;

/// Fields that are told as not known one by one.
const TOLD_MAX: usize = 50;

/// Reads models, and keeps those that others refer to.
pub(super) struct Models<'a> {
    sources: &'a Sources,
    /// Models that fields refer to; each before those that only it refers to.
    pub(super) definitions: Vec<Definition>,
    seen: BTreeSet<String>,
    depth: u32,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Models<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            definitions: Vec::new(),
            seen: BTreeSet::new(),
            depth: 0,
            findings: Vec::new(),
        }
    }

    /// The fields of a model class, those of its base classes first.
    pub(super) fn fields(&mut self, of: Found<'a>) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for class in lineage(self.sources, of) {
            for it in class.assignments() {
                let Some(found) = self.field(class, it) else { continue };
                match fields.iter_mut().find(|it| it.name == found.name) {
                    Some(own) => *own = found,
                    None => fields.push(found),
                }
            }
        }
        fields
    }

    fn field(&mut self, of: Found<'a>, it: &Assignment) -> Option<Field> {
        let source = of.source;
        let ident = source.module.text(it.target);
        let annotation = it.annotation?;
        let read = source.expression(annotation);
        let class_wide = matches!(&read, Expression::Name(name) | Expression::Index(name, _)
            if name.ends_with("ClassVar"));
        if ident.starts_with('_') || ident == "model_config" || class_wide {
            return None;
        }
        let value = it.value.map(|it| source.expression(it.place));
        let call = value.as_ref().filter(|it| is_field(it)).cloned();
        let inside = inner_field(source, annotation);
        let place = it.target;
        let says = |name: &str| {
            let of =
                |it: &Option<Expression>| it.as_ref().and_then(|it| it.argument(name)).cloned();
            of(&call).or_else(|| of(&inside))
        };
        let first = match &call {
            Some(Expression::Call(_, arguments)) => {
                arguments.first().filter(|(name, _)| name.is_none()).map(|(_, it)| it.clone())
            }
            _ => None,
        };
        let plain = value.filter(|_| call.is_none());
        let required_mark = |it: &Expression| *it == Expression::Name("...".to_owned());
        let factory = says("default_factory").map(|it| match it {
            Expression::Name(name) => Expression::Call(name, Vec::new()),
            it => it,
        });
        let given = plain.or(first).or_else(|| says("default")).or(factory);
        let given = given.filter(|it| !required_mark(it));
        let member = |dotted: &str| self.sources.member(dotted, source);
        let default = given.as_ref().and_then(|it| it.data(&member)).filter(|it| !it.is_null());
        let name = says("alias").and_then(|it| it.text().map(str::to_owned));
        let name = name.unwrap_or_else(|| ident.to_owned());
        let description = says("description").and_then(|it| it.text().map(str::to_owned));
        let (field_type, own) = hoisted(self.type_of(&read, source, &name, place));
        let limits = call.as_ref().map(constrained::limits).unwrap_or_default();
        let (field_type, unfit) = limited(field_type, limits.and(own));
        let (field_type, limits) = hoisted(field_type);
        if !unfit.is_empty() {
            let message = format!("{} of `{name}` mean nothing for its type", unfit.join(", "));
            let found = warning("contract.infer-type", message).in_file(&source.path);
            self.findings.push(found.at(source.module.span(place)));
        }
        Some(Field {
            required: given.is_none(),
            field_type,
            description: description.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()),
            default,
            limits,
            span: None,
            name,
        })
    }

    /// The type that an annotation says. `name` and `place` are for the finding where it says none.
    pub(super) fn type_of(
        &mut self,
        of: &Expression,
        source: &'a Source,
        name: &str,
        place: Place,
    ) -> FieldType {
        if self.depth > DEPTH_MAX {
            return FieldType::Unknown("nested too deep".to_owned());
        }
        self.depth += 1;
        let found = match of {
            Expression::Name(word) => self.named(word, source),
            Expression::Text(text) => {
                let quoted = Expression::read(text);
                Some(self.type_of(&quoted, source, name, place))
            }
            Expression::Union(all) => self.union(all, source, name, place),
            Expression::Index(head, items) => self.generic(head, items, source, name, place),
            Expression::Call(..) => self.called(of, source, name, place),
            _ => None,
        };
        self.depth -= 1;
        found.unwrap_or_else(|| {
            if self.findings.len() < TOLD_MAX {
                let text = spelling(of);
                let message = format!("the type `{text}` of `{name}` has no place in a contract");
                let found = warning("contract.infer-type", message)
                    .in_file(&source.path)
                    .at(source.module.span(place))
                    .with_help("declare the type in the contract");
                self.findings.push(found);
            }
            FieldType::Unknown(String::new())
        })
    }

    fn union(
        &mut self,
        all: &[Expression],
        source: &'a Source,
        name: &str,
        place: Place,
    ) -> Option<FieldType> {
        let null = |it: &&Expression| **it == Expression::Nothing;
        let others = all.iter().filter(|it| !null(it));
        let members: Vec<FieldType> =
            others.map(|it| self.type_of(it, source, name, place)).collect();
        let unknown = |it: &FieldType| matches!(it, FieldType::Unknown(_));
        if members.len() > 1 && members.iter().any(unknown) {
            return None;
        }
        let inner = union_of(members);
        Some(if all.iter().any(|it| null(&it)) { optional(inner) } else { inner })
    }

    /// `conint(ge=0)`.
    fn called(
        &mut self,
        call: &Expression,
        source: &'a Source,
        name: &str,
        place: Place,
    ) -> Option<FieldType> {
        let (found, limits) = constrained::called(call)?;
        let found = match found {
            Called::Plain(found) => found,
            Called::List(item) => {
                FieldType::List(Box::new(self.type_of(item, source, name, place)))
            }
        };
        Some(limited(found, limits).0)
    }

    fn generic(
        &mut self,
        head: &str,
        items: &[Expression],
        source: &'a Source,
        name: &str,
        place: Place,
    ) -> Option<FieldType> {
        let head = head.rsplit('.').next().unwrap_or(head);
        let mut read = |it: &Expression| Box::new(self.type_of(it, source, name, place));
        match (head, items) {
            ("list" | "List" | "Sequence" | "Iterable" | "Collection", [item]) => {
                Some(FieldType::List(read(item)))
            }
            ("set" | "Set" | "frozenset" | "FrozenSet", [item]) => {
                let limits = Limits { unique_items: true, ..Limits::default() };
                Some(FieldType::Limited(Box::new(FieldType::List(read(item))), limits))
            }
            ("tuple" | "Tuple", [item, Expression::Name(rest)]) if rest == "..." => {
                Some(FieldType::List(read(item)))
            }
            ("dict" | "Dict" | "Mapping" | "MutableMapping", [_, value]) => {
                Some(FieldType::Map(read(value)))
            }
            ("Optional", [one]) => Some(optional(*read(one))),
            ("Annotated", [one, rest @ ..]) => {
                let limits = rest.iter().map(constrained::metadata);
                Some(limited(*read(one), limits.fold(Limits::default(), Limits::and)).0)
            }
            ("Required" | "NotRequired" | "Final", [one]) => Some(*read(one)),
            ("Union", all) => self.union(all, source, name, place),
            ("Literal", values) => {
                let listed = values.iter().filter(|it| **it != Expression::Nothing);
                let data: Option<Vec<Json>> = listed
                    .map(|it| it.data(&|it| self.sources.member(it, source)))
                    .map(|it| it.filter(|it| !it.is_f64() && !it.is_array() && !it.is_object()))
                    .collect();
                let found = one_of(data?)?;
                Some(if values.contains(&Expression::Nothing) { optional(found) } else { found })
            }
            _ => None,
        }
    }

    /// A type that is one name.
    fn named(&mut self, word: &str, source: &'a Source) -> Option<FieldType> {
        let last = word.rsplit('.').next().unwrap_or(word);
        if let Some(found) = simple(last) {
            return Some(found);
        }
        if let Some((found, limits)) = constrained::named(last) {
            return Some(limited(found, limits).0);
        }
        let class = self.sources.class(last, source)?;
        if let Some(members) = self.sources.members(class) {
            let none = |_: &str| None;
            return one_of(members.iter().map(|(_, it)| it.data(&none)).collect::<Option<_>>()?);
        }
        self.define(class);
        Some(FieldType::Ref(class.class.name.clone()))
    }

    /// Makes a model a definition, once.
    fn define(&mut self, of: Found<'a>) {
        if !self.seen.insert(of.class.name.clone()) {
            return;
        }
        // It takes its place before its fields are read: they may lead back to it.
        let at = self.definitions.len();
        self.definitions.push(Definition {
            name: of.class.name.clone(),
            description: of.docstring(),
            fields: Vec::new(),
            values: Vec::new(),
            span: None,
        });
        let fields = self.fields(of);
        if fields.is_empty() {
            let message = format!("`{}` has no fields that can be read", of.class.name);
            self.findings.push(note("contract.infer-type", message).in_file(&of.source.path));
        }
        if let Some(own) = self.definitions.get_mut(at) {
            own.fields = fields;
        }
    }
}

/// A class and its base classes among the files, the most general first.
fn lineage<'a>(sources: &'a Sources, of: Found<'a>) -> Vec<Found<'a>> {
    let mut found = vec![of];
    let mut at = 0;
    while let Some(class) = found.get(at).copied().filter(|_| at < DEPTH_MAX as usize) {
        for base in class.bases() {
            let known = |it: &Found<'_>| found.iter().any(|own| own.class.name == it.class.name);
            let Some(base) = sources.class(&base, class.source) else { continue };
            if !known(&base) {
                found.push(base);
            }
        }
        at += 1;
    }
    found.reverse();
    found
}

fn is_field(value: &Expression) -> bool {
    matches!(value, Expression::Call(name, _)
        if ["Field", "field"].contains(&name.rsplit('.').next().unwrap_or(name)))
}

/// The `Field(…)` inside of `Annotated[…]`.
fn inner_field(source: &Source, annotation: Place) -> Option<Expression> {
    let calls = source.module.calls.iter().filter(|it| annotation.contains(it.place));
    calls.map(|it| source.expression(it.place)).find(is_field)
}

fn optional(inner: FieldType) -> FieldType {
    if matches!(inner, FieldType::Optional(_)) {
        return inner;
    }
    FieldType::Optional(Box::new(inner))
}

fn simple(word: &str) -> Option<FieldType> {
    let unknown = || Box::new(FieldType::Unknown(String::new()));
    Some(match word {
        "str" | "Path" | "HttpUrl" | "AnyUrl" | "EmailStr" | "SecretStr" => FieldType::Text,
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "Decimal" => FieldType::Decimal,
        "bool" => FieldType::Bool,
        "bytes" => FieldType::Bytes,
        "UUID" => FieldType::Uuid,
        "datetime" => FieldType::DateTime,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "timedelta" => FieldType::Duration,
        "list" | "tuple" | "List" | "Sequence" => FieldType::List(unknown()),
        "set" | "frozenset" => FieldType::Limited(
            Box::new(FieldType::List(unknown())),
            Limits { unique_items: true, ..Limits::default() },
        ),
        "dict" | "Dict" | "Mapping" => FieldType::Map(unknown()),
        _ => return None,
    })
}

/// One of several values: an enum where all are texts.
fn one_of(values: Vec<Json>) -> Option<FieldType> {
    let texts: Option<Vec<String>> =
        values.iter().map(|it| it.as_str().map(str::to_owned)).collect();
    match texts {
        _ if values.is_empty() => None,
        Some(texts) => Some(FieldType::Enum(texts)),
        None => values
            .iter()
            .all(|it| !it.is_f64() && !it.is_array() && !it.is_object() && !it.is_null())
            .then_some(FieldType::Literal(values)),
    }
}

/// An annotation for a message.
fn spelling(of: &Expression) -> String {
    let list = |all: &[Expression]| all.iter().map(spelling).collect::<Vec<_>>();
    match of {
        Expression::Name(name) => name.clone(),
        Expression::Nothing => "None".to_owned(),
        Expression::Text(text) => format!("\"{text}\""),
        Expression::Union(all) => list(all).join(" | "),
        Expression::Index(head, all) => format!("{head}[{}]", list(all).join(", ")),
        _ => "…".to_owned(),
    }
}
