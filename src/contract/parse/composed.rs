//! Types that are made of others: one of several, all of several, one of certain values.

use super::types::{Types, optional};
use crate::contract::document::{Node, Value};
use crate::contract::model::FieldType;
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level};
use serde_json::Value as Json;

/// Most schemas that one `allOf` may be made of.
const PARTS_MAX: usize = 64;

/// One of several types: null among them makes it optional, a type inside of another is one.
pub(in super::super) fn union_of(all: Vec<FieldType>) -> FieldType {
    let mut members: Vec<FieldType> = Vec::new();
    let mut null = false;
    let mut waiting = all;
    waiting.reverse();
    while let Some(one) = waiting.pop() {
        match one {
            FieldType::Optional(inner) => {
                null = true;
                waiting.push(*inner);
            }
            FieldType::Union(inner) => waiting.extend(inner.into_iter().rev()),
            one if members.contains(&one) => {}
            one => members.push(one),
        }
    }
    let found = match members.len() {
        0 => FieldType::Unknown(String::new()),
        1 => members.remove(0),
        _ => match members.iter().find(|it| matches!(it, FieldType::Unknown(_))) {
            Some(unknown) => unknown.clone(),
            None => merged(members),
        },
    };
    if null { optional(found) } else { found }
}

/// A union in which values that are listed stand in one place.
fn merged(members: Vec<FieldType>) -> FieldType {
    let mut texts = Vec::new();
    let mut values = Vec::new();
    let mut others = Vec::new();
    for it in members {
        match it {
            FieldType::Enum(all) => texts.extend(all),
            FieldType::Literal(all) => values.extend(all),
            other => others.push(other),
        }
    }
    if !values.is_empty() {
        values.extend(texts.drain(..).map(Json::from));
        others.push(FieldType::Literal(values));
    } else if !texts.is_empty() {
        others.push(FieldType::Enum(texts));
    }
    if others.len() == 1 { others.remove(0) } else { FieldType::Union(others) }
}

/// `enum: [a, b]`; null among them makes it optional. `None` where the values are of no kind that a
/// type can list.
pub(super) fn enumeration(
    values: &Node,
    declared: Option<&Node>,
    notes: &mut Notes,
) -> Option<FieldType> {
    let keys: Vec<&Node> = values.pairs().iter().map(|(key, _)| key).collect();
    let items = if keys.is_empty() { values.items().iter().collect() } else { keys };
    let named: Vec<&Node> = items.iter().copied().filter(|item| !item.is_null()).collect();
    if named.is_empty() {
        return None;
    }
    let word = declared.and_then(Node::text).unwrap_or_default();
    let texts = || -> Option<FieldType> {
        let all = named.iter().map(|item| item.text().or_else(|| item.first_text(&NAMES)));
        let mut found: Vec<String> = Vec::new();
        for text in all {
            let text = text?.to_owned();
            if !found.contains(&text) {
                found.push(text);
            }
        }
        Some(FieldType::Enum(found))
    };
    let found = match word {
        "string" | "str" | "text" => texts()?,
        _ => literal(&named, notes)?,
    };
    let found = if named.len() < items.len() { optional(found) } else { found };
    // Values of a list are those of its items.
    let is_list = ["array", "list", "List", "set"].contains(&word) || word.starts_with("list[");
    Some(if is_list { FieldType::List(Box::new(found)) } else { found })
}

const NAMES: [&str; 2] = ["value", "name"];

/// One of these values as YAML has them. `yes` and `off` are meant as texts.
pub(super) fn literal(values: &[&Node], notes: &mut Notes) -> Option<FieldType> {
    let mut found: Vec<Json> = Vec::new();
    for it in values {
        let value = match it.to_json() {
            Json::Bool(_) if !it.text().is_some_and(says_so) => Json::from(it.text()?),
            Json::Object(_) => Json::from(it.first_text(&NAMES)?),
            value => value,
        };
        let listed = value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
        if !listed {
            let text = shown(&value.to_string());
            let message = format!("{text} is no value that a type can list");
            let finding = Finding::new("contract.constraint", Level::Warning, message);
            let help = "list texts, whole numbers or booleans, or give bounds";
            notes.push(finding.at(it.span).with_help(help));
            return None;
        }
        if !found.contains(&value) {
            found.push(value);
        }
    }
    let texts: Option<Vec<String>> =
        found.iter().map(|it| it.as_str().map(str::to_owned)).collect();
    Some(texts.map_or(FieldType::Literal(found), FieldType::Enum))
}

fn says_so(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// What `allOf` comes to.
pub(super) enum Merged<'n> {
    /// One reference and words around it.
    Reference(&'n Node),
    /// One schema with the keys of all.
    Schema(Node),
}

/// All of several schemas: one with the keys of all, fields together, the tighter of two bounds.
pub(super) fn all_of<'n>(node: &'n Node, types: &Types<'_>, notes: &mut Notes) -> Merged<'n> {
    const WORDS: [&str; 8] =
        ["allOf", "description", "required", "default", "nullable", "title", "examples", "name"];
    let parts = node.get("allOf").map_or(&[][..], Node::items);
    let alone = node.entries().all(|(key, _)| WORDS.contains(&key));
    if let [one] = parts
        && let Some(reference) = one.get("$ref")
        && alone
    {
        return Merged::Reference(reference);
    }
    let mut pairs: Vec<(Node, Node)> =
        node.pairs().iter().filter(|(key, _)| key.text() != Some("allOf")).cloned().collect();
    let mut waiting: Vec<&Node> = parts.iter().rev().collect();
    let mut seen = 0;
    while let Some(part) = waiting.pop() {
        seen += 1;
        if seen > PARTS_MAX {
            let message = format!("an `allOf` is made of at most {PARTS_MAX} schemas");
            notes.warning("contract.constraint", part.span, message);
            break;
        }
        let reference = part.first(&["$ref", "reference", "ref"]).and_then(Node::text);
        if let Some(text) = reference {
            let last = text.rsplit(['/', '#', '.']).next().unwrap_or_default();
            match types.named.get(last) {
                Some(definition) => waiting.push(definition),
                None => {
                    let message = format!("the reference {} names no definition", shown(text));
                    notes.warning("contract.reference", part.span, message);
                }
            }
        }
        waiting.extend(part.get("allOf").map_or(&[][..], Node::items).iter().rev());
        for (key, value) in part.pairs() {
            let known = ["$ref", "reference", "ref", "allOf"];
            if !key.text().is_some_and(|it| known.contains(&it)) {
                merge(&mut pairs, key, value, notes);
            }
        }
    }
    Merged::Schema(Node { span: node.span, value: Value::Mapping(pairs) })
}

/// Puts one more key into a schema.
fn merge(pairs: &mut Vec<(Node, Node)>, key: &Node, value: &Node, notes: &mut Notes) {
    let Some((_, own)) = pairs.iter_mut().find(|(it, _)| it.text() == key.text()) else {
        pairs.push((key.clone(), value.clone()));
        return;
    };
    let name = key.text().unwrap_or_default();
    let lower = name.contains("inimum") || name.starts_with("min");
    let upper = name.contains("aximum") || name.starts_with("max");
    let same = own.to_json() == value.to_json();
    match (&mut own.value, &value.value) {
        (Value::Mapping(fields), Value::Mapping(more)) => {
            let new = |it: &&(Node, Node)| fields.iter().all(|(key, _)| key.text() != it.0.text());
            let more: Vec<_> = more.iter().filter(new).cloned().collect();
            fields.extend(more);
        }
        (Value::Sequence(names), Value::Sequence(more)) if name == "required" => {
            names.extend(more.iter().cloned());
        }
        _ if lower || upper => {
            if let (Some(a), Some(b)) = (own.as_f64(), value.as_f64())
                && ((lower && b > a) || (upper && b < a))
            {
                *own = value.clone();
            }
        }
        // what only describes may differ
        _ if ["description", "title", "examples", "default"].contains(&name) => {}
        // `required: true` of a field beside the names that its parts require
        (_, Value::Sequence(_)) if name == "required" => *own = value.clone(),
        _ if same => {}
        _ => {
            let message = format!("parts of an `allOf` differ in `{name}`; the first one counts");
            let finding = Finding::new("contract.constraint", Level::Warning, message);
            notes.push(finding.at(key.span).with_help("say it in one of them"));
        }
    }
}

/// What a contract says of a type that is not known, or that has one inside.
pub(super) fn unknown(of: &FieldType) -> Option<&str> {
    match of {
        FieldType::Unknown(raw) => Some(raw),
        FieldType::List(it)
        | FieldType::Map(it)
        | FieldType::Optional(it)
        | FieldType::Limited(it, _) => unknown(it),
        FieldType::Union(all) => all.iter().find_map(unknown),
        _ => None,
    }
}
