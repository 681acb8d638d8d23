//! Places of the event parser (characters) as places of findings (characters and bytes). Reads
//! the text only, once.

use crate::finding::Span;
use saphyr_parser::Marker;

/// Characters between two known byte offsets.
const STRIDE: usize = 64;

/// Finds byte offsets in one text.
#[derive(Debug)]
pub(super) struct Positions<'a> {
    text: &'a str,
    /// Byte offset of every [`STRIDE`]th character; empty for ASCII, where both are the same.
    offsets: Vec<usize>,
    /// Byte offset of every line's start, when the parser's own lines are not the text's.
    lines: Option<Vec<usize>>,
}

impl<'a> Positions<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(offset, _)| offset).collect()
        };
        Self { text, offsets, lines: None }
    }

    /// From now on lines and columns come from byte offsets, not from the parser.
    pub(super) fn use_own_lines(&mut self) {
        if self.lines.is_none() {
            let starts = self.text.match_indices('\n').map(|(at, _)| at + 1);
            self.lines = Some(std::iter::once(0).chain(starts).collect());
        }
    }

    /// Line and column of a byte offset, from the text itself.
    fn line_column(&self, lines: &[usize], byte: usize) -> (u32, u32) {
        let line = lines.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or_default();
        let before = self.text.get(start..byte).unwrap_or_default();
        (number(line), number(before.chars().count() + 1))
    }

    /// The text.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Byte offset of a character.
    fn byte(&self, char_index: usize) -> usize {
        if self.offsets.is_empty() {
            return char_index.min(self.text.len());
        }
        let Some(start) = self.offsets.get(char_index / STRIDE).copied() else {
            return self.text.len();
        };
        let rest = self.text.get(start..).unwrap_or_default();
        rest.char_indices().nth(char_index % STRIDE).map_or(self.text.len(), |(at, _)| start + at)
    }

    /// The place of one character.
    pub(super) fn point(&self, at: Marker) -> Span {
        let mut span = self.span(saphyr_parser::Span::empty(at));
        let next = self.text.get(span.start_byte..).and_then(|rest| rest.chars().next());
        if let Some(next) = next.filter(|next| *next != '\n') {
            span.end_column += 1;
            span.end_byte += next.len_utf8();
        }
        span
    }

    /// The place of a region, without blank space at its end: the parser ends a block where the
    /// next thing begins.
    pub(super) fn span(&self, region: saphyr_parser::Span) -> Span {
        let mut span = Span {
            start_line: number(region.start.line()),
            start_column: number(region.start.col() + 1),
            end_line: number(region.end.line()),
            end_column: number(region.end.col() + 1),
            start_byte: self.byte(region.start.index()),
            end_byte: self.byte(region.end.index()),
        };
        if let Some(lines) = &self.lines {
            (span.start_line, span.start_column) = self.line_column(lines, span.start_byte);
            (span.end_line, span.end_column) = self.line_column(lines, span.end_byte);
        }
        let whole = self.text.get(span.start_byte..span.end_byte).unwrap_or_default();
        let kept = whole.trim_end();
        if kept.len() < whole.len() {
            let tail = whole.get(kept.len()..).unwrap_or_default();
            span.end_byte = span.start_byte + kept.len();
            span.end_line -= number(tail.matches('\n').count()).min(span.end_line);
            let line = self.text.get(..span.end_byte).unwrap_or_default();
            let line = line.rsplit('\n').next().unwrap_or_default();
            span.end_column = number(line.chars().count() + 1);
        }
        span
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
