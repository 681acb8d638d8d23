//! Types by their spelling, such as `list[str] | null` or `conint(ge=0)`.

use super::composed::union_of;
use super::types::{TYPE_DEPTH_MAX, Types, optional};
use crate::contract::constrained::{self, Called, limited};
use crate::contract::expression::Expression;
use crate::contract::model::FieldType;
use crate::contract::model::limits::Limits;
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level, Span};
use serde_json::Value as Json;

/// Longest spelling that is taken apart, in bytes.
const SPELLING_MAX: usize = 1000;

/// The type that a text spells.
pub(super) fn read(text: &str, types: &mut Types<'_>, span: Span, notes: &mut Notes) -> FieldType {
    Reader { types, span, notes }.spelled(text, 0)
}

struct Reader<'a, 'n> {
    types: &'n mut Types<'a>,
    span: Span,
    notes: &'n mut Notes,
}

impl Reader<'_, '_> {
    fn spelled(&mut self, text: &str, depth: usize) -> FieldType {
        let text = text.trim();
        let unknown = || FieldType::Unknown(text.chars().take(200).collect());
        if depth > TYPE_DEPTH_MAX || text.len() > SPELLING_MAX {
            return unknown();
        }
        let parts = split(text, '|');
        if parts.len() > 1 {
            return self.union(&parts, unknown(), depth);
        }
        if let Some(inner) = text.strip_suffix('?') {
            return optional(self.spelled(inner, depth + 1));
        }
        if let Some(inner) = text.strip_suffix("[]") {
            return FieldType::List(Box::new(self.spelled(inner, depth + 1)));
        }
        if text.ends_with(')') && text.contains('(') {
            return self.called(text, depth).unwrap_or_else(unknown);
        }
        if let Some(open) = text.find(['[', '<'])
            && text.ends_with([']', '>'])
        {
            let (head, rest) = text.split_at(open);
            let inner = rest.get(1..rest.len() - 1).unwrap_or_default();
            return self.generic(head.trim(), inner, depth).unwrap_or_else(unknown);
        }
        if let Some((name, _)) = self.types.named.get_key_value(text) {
            return FieldType::Ref((*name).to_owned());
        }
        if let Some((found, limits)) = constrained::named(text) {
            return self.limited(found, limits);
        }
        match simple(&text.to_lowercase()) {
            Some(found) => found,
            None => self.misspelt(text).unwrap_or_else(|| {
                let found: String = text.chars().take(200).collect();
                self.types.miss(&found);
                FieldType::Unknown(found)
            }),
        }
    }

    fn limited(&mut self, of: FieldType, limits: Limits) -> FieldType {
        let (found, unfit) = limited(of, limits);
        if !unfit.is_empty() {
            let names: Vec<String> = unfit.iter().map(|it| format!("`{it}`")).collect();
            let message =
                format!("{} of this type means nothing; it is left out", names.join(", "));
            let finding = Finding::new("contract.constraint", Level::Warning, message);
            self.notes.push(finding.at(self.span).with_help("remove it"));
        }
        found
    }

    /// `conint(ge=0)`.
    fn called(&mut self, text: &str, depth: usize) -> Option<FieldType> {
        let call = Expression::read(text);
        let (found, limits) = constrained::called(&call)?;
        let found = match found {
            Called::Plain(found) => found,
            Called::List(item) => {
                FieldType::List(Box::new(self.spelled(&spelling(item)?, depth + 1)))
            }
        };
        Some(self.limited(found, limits))
    }

    fn union(&mut self, parts: &[&str], unknown: FieldType, depth: usize) -> FieldType {
        let others = parts.iter().filter(|part| !is_none(part));
        let found: Vec<FieldType> = others.map(|it| self.spelled(it, depth + 1)).collect();
        let found = match found.iter().any(|it| super::composed::unknown(it).is_some()) {
            true if found.len() > 1 => unknown,
            _ => union_of(found),
        };
        if parts.iter().any(|part| is_none(part)) { optional(found) } else { found }
    }

    /// `head[inner]`.
    fn generic(&mut self, head: &str, inner: &str, depth: usize) -> Option<FieldType> {
        let parts = split(inner, ',');
        let head = head.rsplit('.').next().unwrap_or(head).to_lowercase();
        let list = |it: FieldType| FieldType::List(Box::new(it));
        match (head.as_str(), parts.as_slice()) {
            ("set" | "frozenset" | "abstractset", [one]) => {
                let found = list(self.spelled(one, depth + 1));
                let limits = Limits { unique_items: true, ..Limits::default() };
                Some(self.limited(found, limits))
            }
            ("list" | "array" | "sequence" | "iterable" | "collection", [one])
            | ("tuple", [one, "..."]) => Some(list(self.spelled(one, depth + 1))),
            ("dict" | "map" | "mapping" | "object", [key, value]) => {
                if self.spelled(key, depth + 1) != FieldType::Text {
                    let message =
                        format!("keys of a mapping are texts: {} is read as one", shown(key));
                    let finding = Finding::new("contract.type", Level::Warning, message);
                    let help = "write `dict[str, …]`, or a list of objects with the key as a field";
                    self.notes.push(finding.at(self.span).with_help(help));
                }
                Some(FieldType::Map(Box::new(self.spelled(value, depth + 1))))
            }
            ("optional", [one]) => Some(optional(self.spelled(one, depth + 1))),
            ("union", parts) => {
                let unknown = FieldType::Unknown(parts.join(" | "));
                Some(self.union(parts, unknown, depth))
            }
            ("annotated", [one, rest @ ..]) => {
                let found = self.spelled(one, depth + 1);
                let limits = rest.iter().map(|it| constrained::metadata(&Expression::read(it)));
                let limits = limits.fold(Limits::default(), Limits::and);
                Some(self.limited(found, limits))
            }
            ("required" | "notrequired" | "final" | "strict", [one]) => {
                Some(self.spelled(one, depth + 1))
            }
            ("literal" | "enum", values) => one_of(values),
            _ => None,
        }
    }

    /// A lower-case word near to a type's name, such as `objec`.
    fn misspelt(&mut self, text: &str) -> Option<FieldType> {
        let word = text.len() >= 4 && text.len() <= 20;
        if !word || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let names =
            ["string", "integer", "float", "number", "boolean", "object", "array", "datetime"];
        let near = crate::error::nearest(text, names)?;
        let message = format!("the type {} is not known; it is read as `{near}`", shown(text));
        self.notes.push(
            Finding::new("contract.type", Level::Warning, message)
                .at(self.span)
                .with_help(format!("write `{near}`")),
        );
        simple(near)
    }
}

/// `Literal["a", 1, None]`.
fn one_of(values: &[&str]) -> Option<FieldType> {
    let mut found: Vec<Json> = Vec::new();
    let mut null = false;
    for text in values.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        let value = match Expression::read(text) {
            Expression::Text(text) => Json::from(text),
            Expression::Flag(flag) => flag.into(),
            Expression::Number(number) if !number.is_f64() => Json::Number(number),
            Expression::Nothing => {
                null = true;
                continue;
            }
            _ => Json::from(text),
        };
        if !found.contains(&value) {
            found.push(value);
        }
    }
    if found.is_empty() {
        return None;
    }
    let texts: Option<Vec<String>> =
        found.iter().map(|it| it.as_str().map(str::to_owned)).collect();
    let found = texts.map_or(FieldType::Literal(found), FieldType::Enum);
    Some(if null { optional(found) } else { found })
}

/// The text of a type that stands in a call.
fn spelling(of: &Expression) -> Option<String> {
    match of {
        Expression::Name(name) => Some(name.clone()),
        Expression::Nothing => Some("None".to_owned()),
        Expression::Text(text) => Some(text.clone()),
        Expression::Index(head, all) => {
            let all: Option<Vec<String>> = all.iter().map(spelling).collect();
            Some(format!("{head}[{}]", all?.join(", ")))
        }
        Expression::Union(all) => {
            let all: Option<Vec<String>> = all.iter().map(spelling).collect();
            Some(all?.join(" | "))
        }
        _ => None,
    }
}

/// Splits at a separator that stands in no bracket and no quotes; parts are trimmed.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut quote) = (0_usize, 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '<' | '(') => depth += 1,
            (None, ']' | '>' | ')') => depth = depth.saturating_sub(1),
            (None, c) if c == separator && depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts
}

/// Whether a text spells null.
pub(super) fn is_none(text: &str) -> bool {
    matches!(text.trim(), "null" | "None" | "none" | "NoneType" | "~" | "")
}

/// The type of a text in a format; `None` where the format is not checked.
pub(super) fn format(word: &str) -> Option<FieldType> {
    Some(match word {
        "uuid" | "uuid4" => FieldType::Uuid,
        "date-time" | "datetime" | "timestamp" => FieldType::DateTime,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "duration" => FieldType::Duration,
        "decimal" => FieldType::Decimal,
        "binary" | "byte" | "bytes" => FieldType::Bytes,
        _ => return None,
    })
}

/// A type that is one word, in lower case.
fn simple(word: &str) -> Option<FieldType> {
    let of_unknown = || Box::new(FieldType::Unknown(String::new()));
    match word {
        // What travels as text in JSON and has no exact form is text.
        "str" | "string" | "text" | "path" | "uri" | "url" | "email" => Some(FieldType::Text),
        "int" | "integer" | "long" => Some(FieldType::Int),
        "float" | "number" | "double" => Some(FieldType::Float),
        "decimal" => Some(FieldType::Decimal),
        "bool" | "boolean" => Some(FieldType::Bool),
        "uuid" | "uuid4" => Some(FieldType::Uuid),
        "datetime" | "date-time" | "timestamp" => Some(FieldType::DateTime),
        "date" => Some(FieldType::Date),
        "time" => Some(FieldType::Time),
        "timedelta" | "duration" => Some(FieldType::Duration),
        "bytes" | "binary" => Some(FieldType::Bytes),
        "list" | "array" | "tuple" | "sequence" => Some(FieldType::List(of_unknown())),
        "set" | "frozenset" => {
            let limits = Limits { unique_items: true, ..Limits::default() };
            Some(FieldType::Limited(Box::new(FieldType::List(of_unknown())), limits))
        }
        "dict" | "object" | "map" | "mapping" | "json" => Some(FieldType::Map(of_unknown())),
        "null" | "none" => Some(FieldType::Optional(of_unknown())),
        _ => None,
    }
}
