//! Classes and annotations to fields, types and definitions.

use std::collections::BTreeSet;

use super::expression::Expression;
use super::files::{Found, Source, Sources};
use super::{note, warning};
use crate::contract::model::{Definition, Field, FieldType};
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
    /// Models that fields refer to; each after those that it refers to.
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
        let number =
            |keys: [&str; 2]| keys.iter().find_map(|it| says(it)).and_then(|it| it.number());
        let (minimum, maximum) = (number(["ge", "gt"]), number(["le", "lt"]));
        let description = says("description").and_then(|it| it.text().map(str::to_owned));
        let field_type = self.type_of(&read, source, &name, place);
        Some(Field {
            required: given.is_none(),
            field_type,
            description: description.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()),
            default,
            minimum,
            maximum,
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
        let mut others = all.iter().filter(|it| !null(it));
        let (Some(one), None) = (others.next(), others.next()) else { return None };
        let inner = self.type_of(one, source, name, place);
        Some(if all.iter().any(|it| null(&it)) { optional(inner) } else { inner })
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
            (
                "list" | "List" | "Sequence" | "set" | "Set" | "frozenset" | "FrozenSet"
                | "Iterable" | "Collection",
                [item],
            ) => Some(FieldType::List(read(item))),
            ("tuple" | "Tuple", [item]) => Some(FieldType::List(read(item))),
            ("tuple" | "Tuple", [item, Expression::Name(rest)]) if rest == "..." => {
                Some(FieldType::List(read(item)))
            }
            ("dict" | "Dict" | "Mapping" | "MutableMapping", [_, value]) => {
                Some(FieldType::Map(read(value)))
            }
            ("Optional", [one]) => Some(optional(*read(one))),
            ("Annotated" | "Required" | "NotRequired" | "Final", [one, ..]) => Some(*read(one)),
            ("Union", all) => self.union(all, source, name, place),
            ("Literal", values) => {
                let texts: Option<Vec<String>> =
                    values.iter().map(|it| it.text().map(str::to_owned)).collect();
                match texts {
                    Some(texts) if !texts.is_empty() => Some(FieldType::Enum(texts)),
                    _ => None,
                }
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
        let class = self.sources.class(last, source)?;
        if let Some(members) = self.sources.members(class) {
            let texts: Option<Vec<String>> =
                members.iter().map(|(_, value)| value.text().map(str::to_owned)).collect();
            let whole = members.iter().all(|(_, value)| value.number().is_some());
            return match texts {
                Some(texts) if !texts.is_empty() => Some(FieldType::Enum(texts)),
                _ if whole && !members.is_empty() => Some(FieldType::Int),
                _ => None,
            };
        }
        self.define(class);
        Some(FieldType::Ref(class.class.name.clone()))
    }

    /// Makes a model a definition, once.
    fn define(&mut self, of: Found<'a>) {
        if !self.seen.insert(of.class.name.clone()) {
            return;
        }
        let fields = self.fields(of);
        if fields.is_empty() {
            let message = format!("`{}` has no fields that can be read", of.class.name);
            self.findings.push(note("contract.infer-type", message).in_file(&of.source.path));
        }
        self.definitions.push(Definition {
            name: of.class.name.clone(),
            description: of.docstring(),
            fields,
            values: Vec::new(),
            span: None,
        });
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
        "str" | "date" | "time" | "timedelta" | "Path" | "HttpUrl" | "AnyUrl" | "EmailStr"
        | "SecretStr" => FieldType::Text,
        "int" => FieldType::Int,
        "float" | "Decimal" => FieldType::Float,
        "bool" => FieldType::Bool,
        "UUID" | "UUID4" => FieldType::Uuid,
        "datetime" | "AwareDatetime" => FieldType::DateTime,
        "list" | "tuple" | "set" | "List" | "Sequence" => FieldType::List(unknown()),
        "dict" | "Dict" | "Mapping" => FieldType::Map(unknown()),
        _ => return None,
    })
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
