//! One JSON object per line. The objects are flat, so a small scanner is enough; it hands numbers
//! on as they are written, because a float must come back to the last bit and a whole number may
//! not pass through one. Texts with escapes go through `serde_json`.

use std::borrow::Cow;
use std::path::Path;

use super::columns::{index_of, unknown};
use super::lines::Lines;
use super::refusal::{Place, Refusal, shown};
use super::rows::Rows;
use super::text;
use super::{Batch, ReadOptions, Reader};
use crate::error::Result;
use crate::event::{Cell, Column, ColumnType, Table};

const OBJECT_HINT: &str = "Write one flat object per line, like {\"name\": \"value\"}.";
const ARRAY_HINT: &str = "Write each object on a line of its own, without brackets and commas.";
const TYPE_HINT: &str = "`genstore schema` shows the types; text is in quotes, numbers are not.";

/// Reads an NDJSON file.
#[derive(Debug)]
pub(super) struct NdjsonReader {
    lines: Lines,
    table: Table,
    ignore_unknown: bool,
    rows: Rows,
    raw: Vec<u8>,
    bytes: Vec<u8>,
    /// Per column of the table, whether the row has it.
    seen: Vec<bool>,
    /// Of the object before, the column of each key: most objects have the same keys.
    guesses: Vec<Option<usize>>,
}

impl NdjsonReader {
    pub(super) fn open(path: &Path, table: Table, options: &ReadOptions) -> Result<Self> {
        let lines = Lines::open(path, options.limits.line_bytes_max)?;
        let rows = Rows::new(table, options.limits);
        let (raw, bytes, guesses) = (Vec::new(), Vec::new(), Vec::new());
        let (ignore_unknown, seen) = (options.ignore_unknown, vec![false; table.columns().len()]);
        Ok(Self { lines, table, ignore_unknown, rows, raw, bytes, seen, guesses })
    }

    /// Reads the next line that holds something; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool> {
        loop {
            self.raw.clear();
            let line = self.lines.line() + 1;
            if !self.lines.append(&mut self.raw, self.rows.number(), line)? {
                return Ok(false);
            }
            if !self.raw.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Adds the line to the rows.
    fn add(&mut self) -> Result<()> {
        let (row, line) = (self.rows.number(), self.lines.line());
        let place = Place { path: self.lines.path(), row, line: Some(line), column: None };
        let raw = self.lines.text(&self.raw, row, line)?;
        let mut scanner = Scanner { rest: raw.trim_ascii() };
        self.seen.fill(false);
        let begun = scanner.begin().map_err(|it| it.at(place))?;
        let mut more = begun;
        let mut nth = 0;
        while more {
            let (key, value) = scanner.entry().map_err(|it| it.at(place))?;
            let known = |it: &usize| self.table.columns().get(*it).is_some_and(|it| it.name == key);
            let guess = self.guesses.get(nth).copied().flatten().filter(known);
            let index = guess.or_else(|| index_of(self.table, &key));
            self.guesses.resize(self.guesses.len().max(nth + 1), None);
            if let Some(guess) = self.guesses.get_mut(nth) {
                *guess = index;
            }
            nth += 1;
            match index.and_then(|it| Some((it, self.table.columns().get(it)?))) {
                Some((index, column)) => {
                    let place = Place { column: Some(&key), ..place };
                    if let Some(seen) = self.seen.get_mut(index)
                        && std::mem::replace(seen, true)
                    {
                        let what = "the key is there twice";
                        return Err(place.error(what).with_hint("Leave one of them out."));
                    }
                    let cell = cell(column, &value, &mut self.bytes);
                    cell.and_then(|it| self.rows.append(index, it)).map_err(|it| it.at(place))?;
                }
                None if self.ignore_unknown => {}
                None => {
                    let at = format!("{}: row {row} (line {line})", self.lines.path().display());
                    return Err(unknown(&at, self.table, &key));
                }
            }
            more = scanner.is_more().map_err(|it| it.at(place))?;
        }
        for (index, (seen, column)) in self.seen.iter().zip(self.table.columns()).enumerate() {
            if !seen {
                let place = Place { column: Some(column.name), ..place };
                self.rows.append(index, Cell::Null).map_err(|it| it.at(place))?;
            }
        }
        self.rows.end_row();
        Ok(())
    }
}

impl Reader for NdjsonReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        while !self.rows.is_full() && self.read_line()? {
            self.add()?;
        }
        self.rows.take()
    }

    fn position(&self) -> u64 {
        self.lines.position()
    }
}

/// The cell that a value means in a column.
fn cell<'a>(
    column: &Column,
    value: &'a Value<'_>,
    bytes: &'a mut Vec<u8>,
) -> Result<Cell<'a>, Refusal> {
    match (value, column.kind) {
        (Value::Null, _) => Ok(Cell::Null),
        (Value::Bool(it), ColumnType::Bool) => Ok(Cell::Bool(*it)),
        (Value::Number(it), ColumnType::Int | ColumnType::Float)
        | (Value::Text(it), ColumnType::Text | ColumnType::Time | ColumnType::Binary) => {
            text::cell(column.kind, it, bytes)
        }
        (value, kind) => {
            let wanted = match kind {
                ColumnType::Text => "a text",
                ColumnType::Int => "a whole number",
                ColumnType::Float => "a number",
                ColumnType::Bool => "true or false",
                ColumnType::Time => "a time as text",
                ColumnType::Binary => "bytes as base64 text",
            };
            Err(Refusal::new(format!("{value} is not {wanted}"), TYPE_HINT))
        }
    }
}

/// A value of a flat object; numbers as they are written.
#[derive(Debug, PartialEq)]
enum Value<'a> {
    Null,
    Bool(bool),
    Number(Cow<'a, str>),
    Text(Cow<'a, str>),
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(it) => write!(f, "{it}"),
            Self::Number(it) => write!(f, "the number {}", shown(it).trim_matches('"')),
            Self::Text(it) => write!(f, "the text {}", shown(it)),
        }
    }
}

/// Takes an object apart from its start.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The opening brace; whether an entry follows.
    fn begin(&mut self) -> Result<bool, Refusal> {
        if !self.take("{") {
            let hint = if self.rest.starts_with('[') { ARRAY_HINT } else { OBJECT_HINT };
            let what = format!("the line is no JSON object: {}", shown(self.rest));
            return Err(Refusal::new(what, hint));
        }
        self.skip_blanks();
        if self.rest.starts_with('}') {
            return self.is_more();
        }
        Ok(true)
    }

    /// A key and its value.
    fn entry(&mut self) -> Result<(Cow<'a, str>, Value<'a>), Refusal> {
        self.skip_blanks();
        let key = self.text()?;
        self.skip_blanks();
        if !self.take(":") {
            return Err(self.broken("a colon"));
        }
        self.skip_blanks();
        let value = self.value(&key)?;
        Ok((key, value))
    }

    /// What follows an entry: a comma, or the end of the object and of the line.
    fn is_more(&mut self) -> Result<bool, Refusal> {
        self.skip_blanks();
        if self.take(",") {
            return Ok(true);
        }
        if !self.take("}") {
            return Err(self.broken("a comma or a closing brace"));
        }
        self.skip_blanks();
        if self.rest.is_empty() { Ok(false) } else { Err(self.broken("the end of the line")) }
    }

    fn value(&mut self, key: &str) -> Result<Value<'a>, Refusal> {
        if self.rest.starts_with('"') {
            return Ok(Value::Text(self.text()?));
        }
        if self.rest.starts_with(['{', '[']) {
            let what = format!("{} holds a list or an object", shown(key));
            return Err(Refusal::new(what, OBJECT_HINT));
        }
        let ends = |it: char| matches!(it, ',' | '}' | ']' | ':' | '"') || it.is_ascii_whitespace();
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ if is_number(word) => Value::Number(Cow::Borrowed(word)),
            _ => return Err(self.broken("a value")),
        };
        self.rest = rest;
        Ok(value)
    }

    fn text(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let Some(inside) = self.rest.strip_prefix('"') else { return Err(self.broken("a quote")) };
        let mut is_escaped = false;
        let mut has_escapes = false;
        for (at, byte) in inside.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => (is_escaped, has_escapes) = (true, true),
                0..0x20 => return Err(self.broken("no bare control character in a text")),
                b'"' => {
                    let (text, rest) = inside.split_at_checked(at).unwrap_or((inside, ""));
                    let quoted = self.rest.get(..at + 2).unwrap_or_default();
                    let text = if has_escapes {
                        let read: Result<String, _> = serde_json::from_str(quoted);
                        Cow::Owned(read.map_err(|_| self.broken("valid escapes in a text"))?)
                    } else {
                        Cow::Borrowed(text)
                    };
                    self.rest = rest.strip_prefix('"').unwrap_or(rest);
                    return Ok(text);
                }
                _ => {}
            }
        }
        Err(self.broken("a closing quote"))
    }

    fn broken(&self, wanted: &str) -> Refusal {
        let found =
            if self.rest.is_empty() { "the line ends".to_owned() } else { shown(self.rest) };
        Refusal::new(
            format!("the line is broken JSON: {wanted} is missing at {found}"),
            OBJECT_HINT,
        )
    }
}

/// Whether a word is a number by the grammar of JSON.
fn is_number(word: &str) -> bool {
    let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let is_whole = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    is_whole && digits(fraction) && digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
}

#[cfg(test)]
mod tests;
