//! An error as text: message, causes, hint; for an error in a query, the query with a caret under
//! the place. Decides nothing about exit codes.

use crate::error::Error;
use crate::finding::{Finding, Level, Span};
use crate::sql::position;

use super::diagnostic;
use super::text::escape;

/// Where a statement stands in what the user wrote.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Name of the text, such as a file; nothing for a line typed or given as an argument.
    pub uri: Option<&'a str>,
    /// All of it.
    pub text: &'a str,
    /// Byte offset of the statement in it.
    pub start_byte: usize,
}

/// The error as lines, the last one ended.
pub fn render(error: &Error, color: bool) -> String {
    let (red, cyan, reset) =
        if color { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
    let mut text = format!("{red}error{reset}: {}\n", lines(error.message()));
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!("  {cyan}cause{reset}: {}\n", lines(&source.to_string())));
        cause = source.source();
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("  {cyan}hint{reset}: {}\n", lines(hint)));
    }
    text
}

/// The same for an error of the statement at `place`: drawn under its place where that is known.
pub fn render_at(error: &Error, place: Place<'_>, color: bool) -> String {
    let Some(span) = span(error, place) else { return render(error, color) };
    let mut finding = Finding::new("", Level::Error, error.message()).at(span);
    finding.uri = Some(place.uri.unwrap_or("query").to_owned());
    finding.help = error.hint().map(str::to_owned);
    let text = diagnostic::render(&finding, Some(place.text), color);
    text.trim_end_matches('\n').to_owned() + "\n"
}

/// The place of the error, counted from the start of the text instead of the statement's.
fn span(error: &Error, place: Place<'_>) -> Option<Span> {
    let found = position(error)?;
    let before = place.text.get(..place.start_byte)?;
    let lines = before.matches('\n').count();
    let columns = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let moved = |line: usize, column: usize| -> Option<(u32, u32)> {
        let column = if line == 1 { column + columns } else { column };
        Some((u32::try_from(line + lines).ok()?, u32::try_from(column).ok()?))
    };
    let (start_line, start_column) = moved(found.line, found.column)?;
    let (end_line, end_column) = moved(found.end_line, found.end_column)?;
    Some(Span {
        start_line,
        start_column,
        end_line,
        end_column,
        start_byte: place.start_byte + found.start_byte,
        end_byte: place.start_byte + found.end_byte,
    })
}

/// A message may have several lines; nothing else in it may drive the terminal.
fn lines(text: &str) -> String {
    text.lines().map(|it| escape(it).into_owned()).collect::<Vec<_>>().join("\n  ")
}
