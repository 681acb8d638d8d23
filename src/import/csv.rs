//! CSV by RFC 4180 with a header. Its own reader, because none at hand tells an empty field, which
//! is NULL, from `""`, which is the empty text: `output` writes both.

use std::ops::Range;
use std::path::Path;

use super::columns::matched;
use super::lines::Lines;
use super::refusal::{Place, Refusal};
use super::rows::{Rows, check_size, empty_field};
use super::text;
use super::{Batch, Limits, ReadOptions, Reader};
use crate::error::{Error, Result};
use crate::event::{Cell, Table};

const QUOTE_HINT: &str = "Put the whole value in quotes, and write a quote in it twice.";

/// Reads a CSV file.
#[derive(Debug)]
pub(super) struct CsvReader {
    lines: Lines,
    table: Table,
    limits: Limits,
    /// The header's names.
    names: Vec<String>,
    /// The table's column of each of the header's.
    targets: Vec<Option<usize>>,
    /// Columns of the table that the file lacks.
    lacking: Vec<usize>,
    record: Record,
    rows: Rows,
    bytes: Vec<u8>,
}

impl CsvReader {
    pub(super) fn open(path: &Path, table: Table, options: &ReadOptions) -> Result<Self> {
        let limits = options.limits;
        let mut lines = Lines::open(path, limits.line_bytes_max)?;
        let mut record = Record::default();
        if !record.read(&mut lines, 0)? {
            let message = format!("{} is empty: it has not even a header", path.display());
            return Err(Error::invalid(message).with_hint("Write the names of the columns first."));
        }
        let names: Vec<String> = record.fields().map(|(name, _)| name.to_owned()).collect();
        if let [only] = names.as_slice()
            && only.contains([';', '\t', '|'])
        {
            let message = format!("{}: the header has one column only", path.display());
            return Err(Error::invalid(message).with_hint("Separate the columns by commas."));
        }
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let targets = matched(path, table, &known, options.ignore_unknown)?;
        let lacking = (0..table.columns().len()).filter(|it| !targets.contains(&Some(*it)));
        let (lacking, rows) = (lacking.collect(), Rows::new(table, limits));
        let bytes = Vec::new();
        Ok(Self { lines, table, limits, names, targets, lacking, record, rows, bytes })
    }

    /// Adds the record to the rows.
    fn add(&mut self) -> Result<()> {
        let place = Place {
            path: self.lines.path(),
            row: self.rows.number(),
            line: Some(self.record.first_line),
            column: None,
        };
        if self.record.ends.len() != self.names.len() {
            let (found, named) = (self.record.ends.len(), self.names.len());
            let what = format!("there are {found} values, and the header names {named} columns");
            return Err(place.error(&what).with_hint("A comma in a value needs quotes around it."));
        }
        let fields = self.record.fields().zip(&self.targets).zip(&self.names);
        for (((field, is_quoted), target), name) in fields {
            let Some(index) = *target else { continue };
            let Some(column) = self.table.columns().get(index) else { continue };
            let place = Place { column: Some(name), ..place };
            check_size(field.len(), &self.limits).map_err(|it| it.at(place))?;
            let cell = if field.is_empty() && !is_quoted {
                Ok(empty_field(column))
            } else {
                text::cell(column.kind, field, &mut self.bytes)
            };
            cell.and_then(|it| self.rows.append(index, it)).map_err(|it| it.at(place))?;
        }
        for index in &self.lacking {
            self.rows.append(*index, Cell::Null).map_err(|it| it.at(place))?;
        }
        self.rows.end_row();
        Ok(())
    }
}

impl Reader for CsvReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        while !self.rows.is_full() && self.record.read(&mut self.lines, self.rows.number())? {
            self.add()?;
        }
        self.rows.take()
    }

    fn position(&self) -> u64 {
        self.lines.position()
    }
}

/// One record: a line, or more when quoted values have line breaks.
#[derive(Debug, Default)]
struct Record {
    raw: Vec<u8>,
    first_line: u64,
    /// The values without quotes, one after the other.
    text: String,
    /// Where each value ends in `text`, and whether it was quoted.
    ends: Vec<(usize, bool)>,
}

impl Record {
    /// Reads the next record that is not an empty line; `false` at the end of the file.
    fn read(&mut self, lines: &mut Lines, row: u64) -> Result<bool> {
        loop {
            self.raw.clear();
            self.first_line = lines.line() + 1;
            let mut start = 0;
            let mut is_open = false;
            loop {
                if !lines.append(&mut self.raw, row, self.first_line)? {
                    if !is_open {
                        return Ok(false);
                    }
                    let what = "a quote is open until the end of the file";
                    return Err(self.place(lines, row).error(what).with_hint(QUOTE_HINT));
                }
                let line = self.raw.get(start..).unwrap_or_default();
                let quotes = line.iter().filter(|it| **it == b'"').count();
                is_open ^= quotes % 2 == 1;
                start = self.raw.len();
                if !is_open {
                    break;
                }
            }
            let end = self.raw.strip_suffix(b"\n").unwrap_or(&self.raw);
            let end = end.strip_suffix(b"\r").unwrap_or(end).len();
            self.raw.truncate(end);
            if end > 0 {
                break;
            }
        }
        let raw = lines.text(&self.raw, row, self.first_line)?;
        let split = split(raw, &mut self.text, &mut self.ends);
        split.map_err(|it| it.at(self.place(lines, row)))?;
        Ok(true)
    }

    fn place<'a>(&self, lines: &'a Lines, row: u64) -> Place<'a> {
        Place { path: lines.path(), row, line: Some(self.first_line), column: None }
    }

    /// The values, and whether each was quoted.
    fn fields(&self) -> impl Iterator<Item = (&str, bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|it| it.0));
        starts.zip(&self.ends).map(|(start, (end, is_quoted))| {
            let range: Range<usize> = start..*end;
            (self.text.get(range).unwrap_or_default(), *is_quoted)
        })
    }
}

/// Splits a record into its values.
fn split(raw: &str, text: &mut String, ends: &mut Vec<(usize, bool)>) -> Result<(), Refusal> {
    text.clear();
    ends.clear();
    let mut rest = raw;
    loop {
        let after = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted, text)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if field.contains('"') {
                    let what = format!("value {} has a quote inside", ends.len() + 1);
                    return Err(Refusal::new(what, QUOTE_HINT));
                }
                text.push_str(field);
                after
            }
        };
        ends.push((text.len(), rest.starts_with('"')));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(()),
            None => {
                let what = format!("value {} goes on after its closing quote", ends.len());
                return Err(Refusal::new(what, QUOTE_HINT));
            }
        }
    }
}

/// Appends what stands before the closing quote, and returns what stands after it.
fn unquote<'a>(quoted: &'a str, text: &mut String) -> Result<&'a str, Refusal> {
    let mut rest = quoted;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err(Refusal::new("a quote is not closed", QUOTE_HINT));
        };
        text.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                text.push('"');
                rest = next;
            }
            None => return Ok(after),
        }
    }
}

#[cfg(test)]
mod tests;
