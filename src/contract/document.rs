//! A YAML document as a tree in which every node knows its place. Data and questions only: the
//! tree is built by [`super::yaml`].
//!
//! Plain scalars mean what upstream's loader (PyYAML, YAML 1.1) takes them for, where that matters:
//! `yes`, `no`, `on` and `off` are booleans, `~` and nothing at all are null. Dates stay text.

use crate::finding::Span;
use serde_json::{Map, Number, Value as Json};

/// A node of the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// The value of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar: its text, and whether it was written in quotes or as a block (then it is a string
    /// whatever it looks like).
    Scalar {
        /// The text.
        text: String,
        /// Whether the style says that it is a string.
        quoted: bool,
    },
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping in the order of the document, each scalar key once: of duplicate keys the last
    /// counts, as upstream's loader has it, and a finding names both.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The value of `key` in a mapping. A null value is a value: see [`Node::is_null`].
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value of `key` in a mapping.
    pub fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        let Value::Mapping(entries) = &self.value else { return None };
        entries.iter().find(|(it, _)| it.text() == Some(key)).map(|(key, value)| (key, value))
    }

    /// The value below a path of keys, such as `["event_bus", "subscribe_topics"]`.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The place of the last key of a path, where that is there; else of the node itself.
    pub fn key_span(&self, path: &[&str]) -> Span {
        let found = path.split_last().and_then(|(last, before)| self.at(before)?.entry(last));
        found.map_or(self.span, |(key, _)| key.span)
    }

    /// The value of the first of `keys` that is there and not null.
    pub fn first(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().find_map(|key| self.get(key).filter(|it| !it.is_null()))
    }

    /// Text of the first of `keys` that holds a text that is not blank.
    pub fn first_text(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| {
            self.get(key).and_then(Self::as_str).filter(|text| !text.trim().is_empty())
        })
    }

    /// Entries of a mapping whose key is a scalar, in order; nothing for any other node.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.pairs().iter().filter_map(|(key, value)| Some((key.text()?, value)))
    }

    /// All pairs of a mapping, in order; empty for any other node.
    pub fn pairs(&self) -> &[(Self, Self)] {
        match &self.value {
            Value::Mapping(pairs) => pairs,
            _ => &[],
        }
    }

    /// Items of a sequence; empty for any other node.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Whether it is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(_))
    }

    /// Whether it is a sequence.
    pub fn is_sequence(&self) -> bool {
        matches!(self.value, Value::Sequence(_))
    }

    /// The text of a scalar as written, null included.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that is not null. A number is its text.
    pub fn as_str(&self) -> Option<&str> {
        if self.is_null() { None } else { self.text() }
    }

    /// The text of a scalar when it is a string: quoted, or neither null, boolean nor number.
    pub fn as_string(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, quoted: true } => Some(text),
            Value::Scalar { text, quoted: false } => {
                matches!(plain(text), Json::String(_)).then_some(text)
            }
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false } if is_null(text))
    }

    /// A plain boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Scalar { text, quoted: false } => as_bool(text),
            _ => None,
        }
    }

    /// A plain number without sign or fraction.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.value {
            Value::Scalar { text, quoted: false } => text.parse().ok(),
            _ => None,
        }
    }

    /// A plain finite number.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.value {
            Value::Scalar { text, quoted: false } => plain(text).as_f64(),
            _ => None,
        }
    }

    /// What it is, for messages: `a mapping`, `a list`, `nothing`, `a text` and so on.
    pub fn what(&self) -> &'static str {
        match &self.value {
            Value::Mapping(_) => "a mapping",
            Value::Sequence(_) => "a list",
            Value::Scalar { quoted: true, .. } => "a text",
            Value::Scalar { text, quoted: false } => match plain(text) {
                Json::Null => "nothing",
                Json::Bool(_) => "a boolean",
                Json::Number(_) => "a number",
                _ => "a text",
            },
        }
    }

    /// The node as JSON; keys become texts.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Scalar { text, quoted: true } => Json::String(text.clone()),
            Value::Scalar { text, quoted: false } => plain(text),
            Value::Sequence(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Mapping(pairs) => {
                let mut map = Map::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let key = match key.text() {
                        Some(text) => text.to_owned(),
                        None => key.to_json().to_string(),
                    };
                    map.insert(key, value.to_json());
                }
                Json::Object(map)
            }
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn as_bool(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// What a plain scalar stands for.
fn plain(text: &str) -> Json {
    if is_null(text) {
        return Json::Null;
    }
    if let Some(value) = as_bool(text) {
        return Json::Bool(value);
    }
    number(text).map_or_else(|| Json::String(text.to_owned()), Json::Number)
}

/// A decimal integer or float; hexadecimal, octal and sexagesimal numbers stay texts, and so do
/// infinities, for which JSON has no number.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !digits
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if let Ok(value) = unsigned.parse::<u64>() {
        return Some(value.into());
    }
    if let Ok(value) = unsigned.parse::<i64>() {
        return Some(value.into());
    }
    unsigned.parse::<f64>().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests;
