//! The lines of a text file, within a bound, with their numbers. Knows neither CSV nor JSON.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::refusal::Place;
use crate::error::{Error, IoContext, Result};
use crate::journal::disk::open_file;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";
const UTF8_HINT: &str = "Save it as UTF-8.";

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines {
    path: PathBuf,
    input: BufReader<File>,
    line_bytes_max: usize,
    /// Lines read.
    line: u64,
    /// Bytes read.
    position: u64,
}

impl Lines {
    /// Opens a file. A byte order mark of UTF-8 is skipped; another one is an error.
    pub(super) fn open(path: &Path, line_bytes_max: usize) -> Result<Self> {
        let file = open_file(path).context("read", path)?;
        let mut input = BufReader::with_capacity(1 << 20, file);
        let start = input.fill_buf().context("read", path)?;
        if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
            let message = format!("{} is UTF-16 and not UTF-8", path.display());
            return Err(Error::invalid(message).with_hint(UTF8_HINT));
        }
        let skipped = if start.starts_with(UTF8_BOM) { UTF8_BOM.len() } else { 0 };
        input.consume(skipped);
        let (line, position) = (0, skipped as u64);
        Ok(Self { path: path.to_owned(), input, line_bytes_max, line, position })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Bytes of the file that were read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Appends the next line with its end to `text`; `false` at the end of the file. `row` is the
    /// row that the line belongs to, and `first_line` the line that it began in.
    pub(super) fn append(&mut self, text: &mut Vec<u8>, row: u64, first_line: u64) -> Result<bool> {
        let room = self.line_bytes_max.saturating_sub(text.len()) as u64 + 1;
        let read = self.input.by_ref().take(room).read_until(b'\n', text);
        let read = read.context("read", &self.path)? as u64;
        if read == 0 {
            return Ok(false);
        }
        (self.line, self.position) = (self.line + 1, self.position + read);
        if read == room && text.last() != Some(&b'\n') {
            let place = Place { path: &self.path, row, line: Some(first_line), column: None };
            let what = format!("the row has more than {} bytes", self.line_bytes_max);
            return Err(place.error(&what).with_hint(
                "If a quote is open, close it; else split the file, or import it as Parquet.",
            ));
        }
        Ok(true)
    }

    /// The bytes of a row as text.
    pub(super) fn text<'t>(&self, bytes: &'t [u8], row: u64, first_line: u64) -> Result<&'t str> {
        std::str::from_utf8(bytes).map_err(|error| {
            let place = Place { path: &self.path, row, line: Some(first_line), column: None };
            let what = format!("byte {} of the row is not UTF-8", error.valid_up_to() + 1);
            place.error(&what).with_hint(UTF8_HINT)
        })
    }
}
