//! Regions of a source text: as byte offsets while facts are collected, as lines and columns only
//! for those that end in a finding.

use crate::finding::Span;

/// A region as byte offsets, end exclusive; always on character boundaries of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Place {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Place {
    /// The region of a tree node.
    pub(super) fn of(node: tree_sitter::Node<'_>) -> Self {
        Self { start: offset(node.start_byte()), end: offset(node.end_byte()) }
    }

    /// Whether the other region lies inside.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The facts of a kind that begin inside of a region; facts are in the order of the text, so that a
/// question about a part of a long file does not take time for all of it.
pub fn inside<T>(facts: &[T], region: Place, place: impl Fn(&T) -> Place) -> &[T] {
    let start = facts.partition_point(|it| place(it).start < region.start);
    let rest = facts.get(start..).unwrap_or_default();
    let end = rest.partition_point(|it| place(it).start < region.end);
    rest.get(..end).unwrap_or_default()
}

/// A byte offset; texts are bounded well below 4 GB ([`super::SIZE_BYTES_MAX`]).
pub(super) fn offset(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub(super) struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Finds the lines; `\n` ends one.
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| offset(at + 1))).collect();
        Self { starts }
    }

    /// Line and column of a byte, both from 1, the column in characters.
    fn position(&self, text: &str, byte: u32) -> (u32, u32) {
        let line = self.line(byte);
        let start = self.starts.get((line as usize).saturating_sub(1)).copied().unwrap_or(0);
        let before = text.get(start as usize..byte as usize).unwrap_or("");
        (line, offset(before.chars().count()) + 1)
    }

    /// Line of a byte, from 1.
    pub(super) fn line(&self, byte: u32) -> u32 {
        offset(self.starts.partition_point(|start| *start <= byte)).max(1)
    }

    /// The place of a line, from 1, without its end.
    pub(super) fn line_place(&self, text: &str, line: u32) -> Place {
        let start = self.starts.get((line as usize).saturating_sub(1)).copied().unwrap_or(0);
        let rest = text.get(start as usize..).unwrap_or("");
        let length = rest.lines().next().map_or(0, str::len);
        Place { start, end: start + offset(length) }
    }

    /// The span of a region.
    pub(super) fn span(&self, text: &str, place: Place) -> Span {
        let (start_line, start_column) = self.position(text, place.start);
        let (end_line, end_column) = self.position(text, place.end);
        Span {
            start_line,
            start_column,
            end_line,
            end_column,
            start_byte: place.start as usize,
            end_byte: place.end as usize,
        }
    }
}
