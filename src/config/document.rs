//! The text of a `genstore.toml` to values with their places, and what is wrong with it:
//! everything, not the first mistake. Opens no file.

use std::ops::Range;
use std::path::{Component, Path};

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Key, Reach};
use super::value;
use crate::error::nearest;
use crate::finding::{Finding, Level, Span};

/// Whose file it is. Later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The file in the folder of the store.
    Store,
    /// The one in the user's folder of configuration.
    User,
    /// The one in the working directory.
    WorkingDirectory,
}

impl Layer {
    /// What it is called in a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Store => "the file of the store",
            Self::User => "your own file",
            Self::WorkingDirectory => "the file in the working directory",
        }
    }
}

/// A value that a file gives to a setting.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    /// Place of the key.
    pub(super) span: Span,
}

/// What some editors put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The values of a text, and what is wrong with it in the order of its lines.
pub(super) fn read(text: &str, layer: Layer) -> (Vec<Entry>, Vec<Finding>) {
    let skipped = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let mut reading = Reading { text, skipped, layer, entries: Vec::new(), findings: Vec::new() };
    match DeTable::parse(text.get(skipped..).unwrap_or_default()) {
        Ok(table) => reading.section("", table.get_ref()),
        Err(error) => {
            let message = format!("this is no TOML: {}", error.message());
            let span = reading.span(error.span().unwrap_or_default());
            reading.findings.push(Finding::new("setting.syntax", Level::Error, message).at(span));
        }
    }
    let Reading { mut entries, mut findings, .. } = reading;
    entries.sort_by_key(|it| it.span.start_byte);
    findings.sort_by_key(|it| it.span.map(|it| it.start_byte));
    (entries, findings)
}

/// The place of a region of a text.
pub(super) fn span(text: &str, bytes: Range<usize>) -> Span {
    let (start_line, start_column) = place(text, bytes.start);
    let (end_line, end_column) = place(text, bytes.end);
    let (start_byte, end_byte) = (bytes.start, bytes.end);
    Span { start_line, start_column, end_line, end_column, start_byte, end_byte }
}

/// Line and column of a byte, in characters from 1. A byte order mark is none of them.
fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = text.get(..byte).unwrap_or(text).trim_start_matches(BYTE_ORDER_MARK);
    let last = before.rsplit('\n').next().unwrap_or_default();
    let number = |it: usize| u32::try_from(it + 1).unwrap_or(u32::MAX);
    (number(before.matches('\n').count()), number(last.chars().count()))
}

struct Reading<'t> {
    text: &'t str,
    /// Bytes before what was parsed.
    skipped: usize,
    layer: Layer,
    entries: Vec<Entry>,
    findings: Vec<Finding>,
}

impl Reading<'_> {
    fn span(&self, bytes: Range<usize>) -> Span {
        span(self.text, bytes.start + self.skipped..bytes.end + self.skipped)
    }

    fn complain(&mut self, rule: &'static str, bytes: Range<usize>, message: String, help: String) {
        let finding = Finding::new(rule, Level::Error, message).at(self.span(bytes));
        self.findings.push(if help.is_empty() { finding } else { finding.with_help(help) });
    }

    /// Takes everything of a section; the file itself is the section without a name.
    fn section(&mut self, name: &str, table: &DeTable<'_>) {
        for (key, given) in table {
            let whole = match name {
                "" => key.get_ref().to_string(),
                name => format!("{name}.{}", key.get_ref()),
            };
            if key.get_ref().contains('.') {
                let message = format!("there is no setting {:?}", key.get_ref());
                let help = "What stands in quotes is one name: take them away.".to_owned();
                self.complain("setting.unknown", key.span(), message, help);
                continue;
            }
            let within = format!("{whole}.");
            let is_section =
                keys::sections().iter().any(|it| format!("{it}.").starts_with(&within));
            match (keys::find(&whole), given.get_ref()) {
                (Some(found), value) => self.value(found, value, key.span(), given.span()),
                (None, DeValue::Table(table)) if is_section => self.section(&whole, table),
                (None, _) if is_section => {
                    let message = format!("{whole} is a section, not a setting");
                    let help = match whole.as_str() {
                        "store" => keys::hint_for("store.path"),
                        _ => format!("Write [{whole}], and its settings below."),
                    };
                    self.complain("setting.type", key.span(), message, help);
                }
                (None, DeValue::Table(inner)) if name.is_empty() => {
                    self.unknown_section(&whole, inner, key.span());
                }
                (None, _) => {
                    let message = format!("there is no setting {whole}");
                    self.complain("setting.unknown", key.span(), message, keys::hint_for(&whole));
                }
            }
        }
    }

    fn unknown_section(&mut self, name: &str, inner: &DeTable<'_>, bytes: Range<usize>) {
        let near = nearest(name, keys::sections());
        let first = inner.keys().next().map(|it| format!("{name}.{}", it.get_ref()));
        let help = match (near, first) {
            (Some(near), _) => format!("Did you mean [{near}]?"),
            (None, Some(first)) => keys::hint_for(&first),
            (None, None) => format!("The sections are {}.", keys::sections().join(", ")),
        };
        self.complain("setting.unknown", bytes, format!("there is no section [{name}]"), help);
    }

    fn value(
        &mut self,
        key: &'static Key,
        given: &DeValue<'_>,
        key_bytes: Range<usize>,
        bytes: Range<usize>,
    ) {
        let checked = value::of_document(key, given).and_then(|it| value::check(key, it));
        let value = match checked {
            Ok(value) => value,
            Err(message) => return self.complain("setting.type", bytes, message, String::new()),
        };
        let Some(message) = self.refusal(key, &value) else {
            let span = self.span(key_bytes);
            return self.entries.push(Entry { key, value, span });
        };
        let bytes = if key.reach == Reach::Inside { bytes } else { key_bytes };
        let stores = if key.reach == Reach::Store { "in the store's file, " } else { "" };
        let help = format!(
            "It may have come with a repository. Set it {stores}in your own file (`genstore config \
             init user`) or by {}.",
            key.variable()
        );
        self.complain("setting.reach", bytes, message, help);
    }

    /// Why this file may not say that.
    fn refusal(&self, key: &Key, value: &Value) -> Option<String> {
        let whose = self.layer.describe();
        match (key.reach, self.layer) {
            (_, Layer::User) | (Reach::Anybody, _) | (Reach::Store, Layer::Store) => None,
            (Reach::Inside, _) if stays_inside(value) => None,
            (Reach::Inside, _) => Some(format!(
                "{} leads out of the working directory, which {whose} may not do",
                key.name
            )),
            (Reach::Store | Reach::Person, _) => Some(format!("{whose} may not set {}", key.name)),
        }
    }
}

/// Whether a path is one below the working directory, as far as its text says.
fn stays_inside(value: &Value) -> bool {
    let is_below = |it| matches!(it, Component::Normal(_) | Component::CurDir);
    value.as_str().is_some_and(|it| Path::new(it).components().all(is_below))
}

#[cfg(test)]
mod tests;
