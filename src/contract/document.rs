//! A YAML document as a tree in which every node knows its place.

use crate::finding::Span;

/// A node of the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// The value of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar: its text, and whether it was written in quotes or as a block (then it is a string
    /// whatever it looks like).
    Scalar {
        /// The text.
        text: String,
        /// Whether the style says that it is a string.
        quoted: bool,
    },
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping in the order of the document. Of duplicate keys the last counts, as upstream's
    /// loader has it; all are kept.
    Mapping(Vec<(Node, Node)>),
}
