//! Why a value or a file is not taken: what is wrong with it, where it stands, and the next step.
//! Every error of this room that names a row is made here.

use std::path::Path;

use crate::error::Error;
use crate::output::escape;

/// Characters of a value that an error shows.
const SHOWN_CHARS_MAX: usize = 60;

/// What is wrong with a value, and what to do about it. Where it stands is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) hint: &'static str,
}

impl Refusal {
    pub(super) fn new(what: impl Into<String>, hint: &'static str) -> Self {
        Self { what: what.into(), hint }
    }

    /// The refusal as the error of a place.
    pub(super) fn at(self, place: Place<'_>) -> Error {
        place.error(&self.what).with_hint(self.hint)
    }
}

/// Where in a file something stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    /// The row of data, from 1: a header is none.
    pub(super) row: u64,
    /// The line of the file, from 1, where there are lines.
    pub(super) line: Option<u64>,
    /// Name of the column.
    pub(super) column: Option<&'a str>,
}

impl Place<'_> {
    /// An error that begins with the place.
    pub(super) fn error(self, what: &str) -> Error {
        let mut place = format!("{}: row {}", self.path.display(), self.row);
        if let Some(line) = self.line {
            place.push_str(&format!(" (line {line})"));
        }
        if let Some(column) = self.column {
            place.push_str(&format!(", column {}", escape(column)));
        }
        Error::invalid(format!("{place}: {what}"))
    }
}

/// A value as an error shows it: in quotes, on one line, cut when it is long.
pub(super) fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(SHOWN_CHARS_MAX).collect();
    let rest = if chars.next().is_some() { "…" } else { "" };
    format!("{start:?}{rest}")
}
