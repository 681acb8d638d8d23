//! Typed models as data: which keys a mapping has, of which kind, and whether others are refused.
//! Says where a document differs; knows no contract.
//!
//! A value is judged as upstream's models judge it: `"5"` and `5.0` are whole numbers, `"true"` is
//! a flag, but a number is no text.

use super::scalar::{self, Scalar};
use crate::contract::document::Node;
use crate::contract::notes::shown;
use crate::contract::spelling;
use crate::finding::Span;

/// The model of a mapping.
#[derive(Debug)]
pub(super) struct Shape {
    /// Whether keys that no row names are refused.
    pub(super) closed: bool,
    /// Its keys, in groups that models share.
    pub(super) parts: &'static [&'static [Row]],
    /// What the keys ask of one another; checked where they are themselves right.
    pub(super) relation: Option<fn(&Node, &mut Check<'_>)>,
}

/// Keys of one kind.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) keys: &'static [&'static str],
    pub(super) need: Need,
    pub(super) kind: Kind,
}

/// Whether a key may be left out or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must be there.
    Must,
    /// It may be left out.
    May,
    /// It may be left out, or null.
    Null,
    /// It may be left out, or anything empty: null, `{}`, `[]`, false, an empty text.
    Empty,
}

/// What a value must be.
#[derive(Debug)]
pub(super) enum Kind {
    /// Anything. Where a model of upstream stands behind it, the text says why it is left open.
    Open(&'static str),
    /// A text of at least and at most so many characters.
    Text(usize, usize),
    /// A text of which a test holds, and what that is.
    Word(fn(&str) -> bool, &'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number within bounds.
    Whole(f64, f64),
    /// A number within bounds.
    Number(f64, f64),
    Flag,
    /// A list of at least so many.
    List(&'static Kind, usize),
    /// A mapping of texts to values, of at least so many.
    Map(&'static Kind, usize),
    /// A mapping with a model of its own.
    Model(&'static Shape),
}

pub(super) const ANY: Kind = Kind::Open("");
pub(super) const TEXT: Kind = Kind::Text(0, usize::MAX);
pub(super) const FILLED: Kind = Kind::Text(1, usize::MAX);
pub(super) const TEXTS: Kind = Kind::List(&TEXT, 0);

/// A whole number from `least` on.
pub(super) const fn from(least: u32) -> Kind {
    Kind::Whole(least as f64, f64::INFINITY)
}

/// A whole number in a range.
pub(super) const fn within(least: u32, most: u32) -> Kind {
    Kind::Whole(least as f64, most as f64)
}

/// A row of keys that must be there.
pub(super) const fn must(kind: Kind, keys: &'static [&'static str]) -> Row {
    Row { keys, need: Need::Must, kind }
}

/// A row of keys that may be there.
pub(super) const fn may(kind: Kind, keys: &'static [&'static str]) -> Row {
    Row { keys, need: Need::May, kind }
}

/// A row of keys that may be there or null.
pub(super) const fn null(kind: Kind, keys: &'static [&'static str]) -> Row {
    Row { keys, need: Need::Null, kind }
}

impl Shape {
    /// A model that refuses other keys.
    pub(super) const fn closed(parts: &'static [&'static [Row]]) -> Self {
        Self { closed: true, parts, relation: None }
    }

    /// A model that passes over other keys.
    pub(super) const fn open(parts: &'static [&'static [Row]]) -> Self {
        Self { closed: false, parts, relation: None }
    }

    /// The same with a relation between its keys.
    pub(super) const fn with(mut self, relation: fn(&Node, &mut Check<'_>)) -> Self {
        self.relation = Some(relation);
        self
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.parts.iter().copied().flatten()
    }

    /// Keys of which this model, and those inside it, leave a part open, and why.
    pub(super) fn left_open(&self, found: &mut Vec<(String, &'static str)>) {
        for row in self.rows() {
            let mut kind = &row.kind;
            while let Kind::List(inner, _) | Kind::Map(inner, _) = kind {
                kind = inner;
            }
            match kind {
                Kind::Model(shape) => shape.left_open(found),
                Kind::Open(why) if !why.is_empty() => found.push((row.keys.join(", "), why)),
                _ => {}
            }
        }
    }

    fn row(&self, key: &str) -> Option<&'static Row> {
        self.rows().find(|row| row.keys.contains(&key))
    }
}

/// In what way a document differs from a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// A key that must be there is not.
    Missing,
    /// A key that the model does not know.
    Unknown,
    /// A value of another type.
    Type,
    /// A value of the right type that is not allowed.
    Value,
    /// Values that do not go together.
    Relation,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) fault: Fault,
    pub(super) span: Span,
    pub(super) message: String,
    pub(super) help: String,
}

/// Most differences listed of one document.
const DIFFERENCES_MAX: usize = 100;

/// Takes differences, and knows where in the document it is.
pub(super) struct Check<'a> {
    found: &'a mut Vec<Difference>,
    path: String,
}

impl<'a> Check<'a> {
    pub(super) fn new(found: &'a mut Vec<Difference>) -> Self {
        Self { found, path: String::new() }
    }

    /// The path of a key of the mapping at hand.
    fn path_of(&self, key: &str) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        shown(&format!("{}{dot}{key}", self.path))
    }

    /// Whether no more differences are wanted.
    pub(super) fn full(&self) -> bool {
        self.found.len() >= DIFFERENCES_MAX
    }

    /// Adds a difference; `{}` of the message is the path of `key`, or of the value at hand.
    pub(super) fn add(&mut self, fault: Fault, span: Span, key: &str, message: &str, help: &str) {
        if self.full() {
            return;
        }
        let path = if key.is_empty() { shown(&self.path) } else { self.path_of(key) };
        let message = message.replacen("{}", &path, 1);
        self.found.push(Difference { fault, span, message, help: help.to_owned() });
    }

    /// Values that do not go together.
    pub(super) fn relation(&mut self, span: Span, message: String, help: &str) {
        if !self.full() {
            let help = help.to_owned();
            self.found.push(Difference { fault: Fault::Relation, span, message, help });
        }
    }

    fn inside(&mut self, key: &str, check: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        if before > 0 && !key.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(key);
        check(self);
        self.path.truncate(before);
    }

    /// Checks a mapping; `place` is where a missing key is reported.
    pub(super) fn model(&mut self, shape: &Shape, node: &Node, place: Span) {
        let before = self.found.len();
        if !node.is_mapping() {
            let message = format!("{{}} must be a mapping, this is {}", node.what());
            self.add(Fault::Type, node.span, "", &message, "");
            return;
        }
        for (key_node, value) in node.pairs() {
            if self.full() {
                return;
            }
            let Some(row) = key_node.text().and_then(|key| shape.row(key)) else {
                if shape.closed {
                    self.unknown(shape, key_node);
                }
                continue;
            };
            let key = key_node.text().unwrap_or_default();
            if row.need.accepts_empty(value) {
                continue;
            }
            self.inside(key, |check| check.value(&row.kind, value, key_node.span));
        }
        for row in shape.rows().filter(|row| row.need == Need::Must) {
            for key in row.keys.iter().filter(|key| node.get(key).is_none()) {
                let help = format!("add `{key}`");
                self.add(Fault::Missing, place, key, "{} is missing", &help);
            }
        }
        if self.found.len() == before
            && let Some(relation) = shape.relation
        {
            relation(node, self);
        }
    }

    fn unknown(&mut self, shape: &Shape, key: &Node) {
        let name = key.text().unwrap_or("?");
        let near = spelling::near(name, shape.rows().flat_map(|row| row.keys.iter().copied()));
        let help = near.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
        self.add(Fault::Unknown, key.span, name, "the model does not know {}", &help);
    }

    /// Checks one value; `place` is that of its key.
    fn value(&mut self, kind: &Kind, node: &Node, place: Span) {
        match kind {
            Kind::Open(_) => {}
            Kind::Model(shape) => self.model(shape, node, place),
            Kind::List(item, least) if node.is_sequence() => {
                self.count(node, node.items().len(), *least);
                for (at, value) in node.items().iter().enumerate() {
                    if self.full() {
                        return;
                    }
                    self.inside(&format!("[{at}]"), |check| check.value(item, value, value.span));
                }
            }
            Kind::Map(item, least) if node.is_mapping() => {
                self.count(node, node.pairs().len(), *least);
                for (key, value) in node.pairs() {
                    let text = key.text().unwrap_or("?");
                    if !matches!(scalar::of(key), Some(Scalar::Text(_))) {
                        self.add(Fault::Type, key.span, text, "the key {} must be a text", "");
                    }
                    self.inside(text, |check| check.value(item, value, key.span));
                }
            }
            kind => {
                if let Err((fault, wanted)) = kind.fits(node) {
                    let what = match fault {
                        Fault::Type => node.what().to_owned(),
                        _ => shown(node.text().unwrap_or_default()),
                    };
                    let message = format!("{{}} must be {wanted}, this is {what}");
                    self.add(fault, node.span, "", &message, "");
                }
            }
        }
    }

    fn count(&mut self, node: &Node, count: usize, least: usize) {
        if count < least {
            let message = format!("{{}} has {count} entries, fewer than {least}");
            self.add(Fault::Value, node.span, "", &message, "");
        }
    }
}

impl Need {
    fn accepts_empty(self, node: &Node) -> bool {
        let null = matches!(scalar::of(node), Some(Scalar::Null));
        match self {
            Self::Must | Self::May => false,
            Self::Null => null,
            Self::Empty => {
                let nothing = matches!(
                    scalar::of(node),
                    Some(Scalar::Bool(false) | Scalar::Text("") | Scalar::Whole(0.0))
                );
                null || nothing || (scalar::of(node).is_none() && is_empty(node))
            }
        }
    }
}

fn is_empty(node: &Node) -> bool {
    node.items().is_empty() && node.pairs().is_empty()
}

impl Kind {
    /// Why a scalar does not fit, and what is wanted.
    fn fits(&self, node: &Node) -> Result<(), (Fault, String)> {
        let scalar = scalar::of(node);
        let test = |good: bool, fault: Fault, wanted: &str| {
            if good { Ok(()) } else { Err((fault, wanted.to_owned())) }
        };
        let text = match scalar {
            Some(Scalar::Text(text)) => Some(text),
            _ => None,
        };
        match self {
            Self::Text(least, most) => match text {
                None => test(false, Fault::Type, "a text"),
                Some(text) => {
                    let chars = text.trim().chars().count();
                    let wanted =
                        if chars < *least { "a text that is not empty" } else { "shorter" };
                    test((*least..=*most).contains(&chars), Fault::Value, wanted)
                }
            },
            Self::Word(good, wanted) => match text {
                None => test(false, Fault::Type, wanted),
                Some(text) => test(good(text), Fault::Value, wanted),
            },
            Self::OneOf(values) => {
                let wanted = format!("one of {}", values.join(", "));
                let fault = if text.is_some() { Fault::Value } else { Fault::Type };
                test(text.is_some_and(|text| values.contains(&text)), fault, &wanted)
            }
            Self::Flag => test(flag(scalar).is_some(), Fault::Type, "true or false"),
            Self::Whole(least, most) => match amount(scalar).filter(|it| it.fract() == 0.0) {
                None => test(false, Fault::Type, "a whole number"),
                Some(value) => {
                    let wanted = format!("a whole number{}", bounds(*least, *most));
                    test((*least..=*most).contains(&value), Fault::Value, &wanted)
                }
            },
            Self::Number(least, most) => match amount(scalar) {
                None => test(false, Fault::Type, "a number"),
                Some(value) => {
                    let wanted = format!("a number{}", bounds(*least, *most));
                    test((*least..=*most).contains(&value), Fault::Value, &wanted)
                }
            },
            Self::List(..) => test(false, Fault::Type, "a list"),
            Self::Map(..) | Self::Model(_) => test(false, Fault::Type, "a mapping"),
            Self::Open(_) => Ok(()),
        }
    }
}

fn bounds(least: f64, most: f64) -> String {
    match (least.is_finite(), most.is_finite()) {
        (true, true) => format!(" from {least} to {most}"),
        (true, false) => format!(" from {least} on"),
        (false, true) => format!(" up to {most}"),
        (false, false) => String::new(),
    }
}

/// The number a scalar can be taken for.
fn amount(scalar: Option<Scalar<'_>>) -> Option<f64> {
    match scalar? {
        Scalar::Whole(value) | Scalar::Float(value) => Some(value),
        Scalar::Bool(value) => Some(f64::from(u8::from(value))),
        Scalar::Text(text) => text.trim().parse().ok(),
        Scalar::Null | Scalar::Date(_) => None,
    }
}

/// The number a value can be taken for.
pub(super) fn number_of(node: &Node) -> Option<f64> {
    amount(scalar::of(node))
}

/// The flag a value can be taken for.
pub(super) fn flag_of(node: &Node) -> Option<bool> {
    flag(scalar::of(node))
}

/// What a scalar can be taken for, of true and false.
fn flag(scalar: Option<Scalar<'_>>) -> Option<bool> {
    match scalar? {
        Scalar::Bool(value) => Some(value),
        Scalar::Whole(value) | Scalar::Float(value) if value == 0.0 || value == 1.0 => {
            Some(value == 1.0)
        }
        Scalar::Text(text) => match text.to_lowercase().as_str() {
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
