//! Findings as a compiler would print them: level, rule, message, the line with a caret under the
//! place, and the next step. Judges nothing.

use std::io::{self, Write};

use crate::finding::{Finding, Level, Span};

use super::text::{char_width, escape};

/// Characters of a source line that are shown at most.
const LINE_CHARS_MAX: usize = 140;

/// The finding as text of several lines, ending in an empty one. `source` is the text that the
/// span points into.
///
/// ```text
/// warning[contract.unknown-key]: unknown key `naem`
///   --> orders/contract.yaml:3:1
///    |
///  3 | naem: price
///    | ^^^^
///    = help: did you mean `name`?
/// ```
pub fn render(finding: &Finding, source: Option<&str>, color: bool) -> String {
    let paint = Paint { color };
    let level = match finding.level {
        Level::Error => paint.code("31;1", "error"),
        Level::Warning => paint.code("33;1", "warning"),
        Level::Note => paint.code("36;1", "note"),
    };
    let rule =
        if finding.rule_id.is_empty() { String::new() } else { format!("[{}]", finding.rule_id) };
    let mut text = format!("{level}{rule}: {}\n", escape(&finding.message));
    let span = finding.span;
    let line = span.and_then(|it| source.and_then(|source| source_line(source, it.start_byte)));
    let number = span.map(|it| it.start_line.to_string()).unwrap_or_default();
    let margin = " ".repeat(number.len());
    if let Some(uri) = &finding.uri {
        let place = span.map(|it| format!(":{}:{}", it.start_line, it.start_column));
        let arrow = paint.code("34;1", "-->");
        text.push_str(&format!("{margin} {arrow} {}{}\n", escape(uri), place.unwrap_or_default()));
    }
    let bar = paint.code("34;1", "|");
    if let (Some(span), Some((line, at))) = (span, line) {
        let (shown, before, carets) = mark(line, at, &span);
        let number = paint.code("34;1", &number);
        let carets = paint.code("31;1", &"^".repeat(carets));
        text.push_str(&format!("{margin}  {bar}\n {number} {bar} {shown}\n"));
        text.push_str(&format!("{margin}  {bar} {}{carets}\n", " ".repeat(before)));
    }
    if let Some(help) = &finding.help {
        let sign = paint.code("34;1", "=");
        text.push_str(&format!("{margin}  {sign} help: {}\n", escape(help)));
    }
    text.push('\n');
    text
}

/// Writes the finding as one JSON object and a line break: `uri`, `line`, `column`, `end_line`,
/// `end_column`, `level`, `rule_id`, `message`, `help`; null where nothing is known.
pub fn write_ndjson(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let object = serde_json::json!({
        "uri": finding.uri,
        "line": finding.span.map(|it| it.start_line),
        "column": finding.span.map(|it| it.start_column),
        "end_line": finding.span.map(|it| it.end_line),
        "end_column": finding.span.map(|it| it.end_column),
        "level": finding.level.as_str(),
        "rule_id": finding.rule_id,
        "message": finding.message,
        "help": finding.help,
    });
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

/// The line of a byte and the place of the byte in it; of a line that is much longer than what is
/// shown only the part around the byte.
fn source_line(source: &str, byte: usize) -> Option<(&str, usize)> {
    let (before, after) = source.split_at_checked(byte)?;
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    let margin = 2 * LINE_CHARS_MAX;
    let start = before.char_indices().rev().nth(margin - 1).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(margin).map_or(after.len(), |(at, _)| at);
    let line_start = byte - before.len();
    let line = source.get(line_start + start..byte + end)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let is_behind_all = line_start == source.len();
    (!is_behind_all).then_some((line, before.len() - start))
}

/// The line as it is shown, the terminal columns before the caret, and the number of carets. A
/// long line is shown around the place; a place of several lines is marked to the end of its first.
fn mark(line: &str, at: usize, span: &Span) -> (String, usize, usize) {
    let chars: Vec<char> = line.chars().collect();
    let start = line.get(..at).map_or(chars.len(), |it| it.chars().count());
    let end = if span.end_line > span.start_line {
        chars.len()
    } else {
        let length = span.end_column.saturating_sub(span.start_column) as usize;
        (start + length).min(chars.len())
    };
    let first = if chars.len() > LINE_CHARS_MAX {
        start.saturating_sub(LINE_CHARS_MAX / 3).min(chars.len() - LINE_CHARS_MAX)
    } else {
        0
    };
    let mut shown = String::from(if first > 0 { "…" } else { "" });
    let (mut before, mut carets) = (shown.chars().count(), 0);
    for (index, c) in chars.iter().enumerate().skip(first).take(LINE_CHARS_MAX) {
        let text = if *c == '\t' { "    ".into() } else { escape_char(*c) };
        let columns: usize = text.chars().map(char_width).sum();
        if index < start {
            before += columns;
        } else if index < end {
            carets += columns;
        }
        shown.push_str(&text);
    }
    if first + LINE_CHARS_MAX < chars.len() {
        shown.push('…');
    }
    (shown, before, carets.max(1))
}

fn escape_char(c: char) -> String {
    escape(c.encode_utf8(&mut [0; 4])).into_owned()
}

#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
