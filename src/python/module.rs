//! What is known of one Python file.

use super::place::{LineIndex, Place};
use crate::finding::Span;

/// A place at which the text is not Python 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong, without the place.
    pub message: String,
}

/// One parsed file.
#[derive(Debug)]
pub struct Module {
    pub(super) text: String,
    pub(super) lines: LineIndex,
    /// Syntax errors in the order of the text; when there are any, the other facts are a guess.
    pub problems: Vec<Problem>,
}

impl Module {
    /// Whether the file parses.
    pub fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    /// The whole text.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// The text of a place.
    pub fn text(&self, place: Place) -> &str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or("")
    }

    /// Line and columns of a place.
    pub fn span(&self, place: Place) -> Span {
        self.lines.span(&self.text, place)
    }

    /// Line of a place, from 1.
    pub fn line(&self, place: Place) -> u32 {
        self.lines.line(place.start)
    }
}
