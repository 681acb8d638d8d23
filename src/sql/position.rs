//! Where in a query text an error is, as data. Draws one plain caret line; colour and layout are
//! the business of whoever prints.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;

/// A region of a query text. Lines and columns count from 1, columns in characters; the end is
/// exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
    /// Byte offset of the first character.
    pub start_byte: usize,
    /// Byte offset after the last character.
    pub end_byte: usize,
}

/// The place in the query text that an error of this room is about, if it is known.
pub fn position(error: &Error) -> Option<Position> {
    let source = error.source()?;
    source.downcast_ref::<Located>().map(|it| it.position)
}

/// The cause of an error with a place: prints the line and a caret below the place.
#[derive(Debug)]
pub(super) struct Located {
    position: Position,
    drawn: String,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.drawn)
    }
}

impl StdError for Located {}

impl Located {
    /// What stands at the place.
    pub(super) fn text<'a>(&self, sql: &'a str) -> &'a str {
        sql.get(self.position.start_byte..self.position.end_byte).unwrap_or_default()
    }

    /// The place from line and column to line and column in `sql`; `None` when it is outside of it.
    pub(super) fn new(sql: &str, start: (u64, u64), end: Option<(u64, u64)>) -> Option<Self> {
        let start_byte = offset(sql, start)?;
        let word = || word_end(sql, start_byte);
        let end_byte =
            end.and_then(|it| offset(sql, it)).filter(|it| *it > start_byte).unwrap_or_else(word);
        let (line, column) = line_column(sql, start_byte);
        let (end_line, end_column) = line_column(sql, end_byte);
        let position = Position { line, column, end_line, end_column, start_byte, end_byte };
        let text = sql.lines().nth(line - 1).unwrap_or_default();
        let width = if end_line == line { end_column - column } else { 1 };
        let margin: String =
            text.chars().take(column - 1).map(|it| if it == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(width.max(1));
        let drawn = format!("line {line}, column {column}\n  {text}\n  {margin}{carets}");
        Some(Self { position, drawn })
    }
}

/// Byte offset of a line and column that count from 1, columns in characters.
pub(super) fn offset(sql: &str, (line, column): (u64, u64)) -> Option<usize> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let start = match line {
        0 => 0,
        n => sql.match_indices('\n').nth(n - 1)?.0 + 1,
    };
    let rest = sql.get(start..)?;
    let in_line = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).nth(column)?;
    Some(start + in_line)
}

fn line_column(sql: &str, byte: usize) -> (usize, usize) {
    let before = sql.get(..byte).unwrap_or(sql);
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// The end of the word, or of the one character, that begins at `start`.
fn word_end(sql: &str, start: usize) -> usize {
    let rest = sql.get(start..).unwrap_or_default();
    let word: usize =
        rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').map(char::len_utf8).sum();
    start + if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
}
