//! Events of one YAML document to nodes: anchors, merge keys, tags and duplicate keys. Follows
//! includes through its session only.

use super::{DEPTH_MAX, NODES_MAX, Positions, Session};
use crate::contract::document::{Node, Value};
use crate::contract::notes::shown;
use crate::finding::{Finding, Level, Span};
use saphyr_parser::{Event, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;

/// The document is refused; the finding is made.
pub(super) struct Refused;

/// Builds the tree of one file.
pub(super) struct Builder<'a> {
    uri: &'a str,
    folder: &'a str,
    positions: &'a Positions<'a>,
    open: Vec<Frame>,
    /// Anchored nodes with the number of nodes in each.
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    documents: usize,
}

/// A collection whose end has not come.
struct Frame {
    anchor: usize,
    span: Span,
    /// Nodes made when it began.
    nodes_before: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { pairs: Vec<(Node, Node)>, key: Option<Node> },
}

impl<'a> Builder<'a> {
    pub(super) fn new(uri: &'a str, folder: &'a str, positions: &'a Positions<'a>) -> Self {
        Self {
            uri,
            folder,
            positions,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            documents: 0,
        }
    }

    /// The root, if there was one.
    pub(super) fn finish(self) -> Option<Node> {
        self.root
    }

    /// Notes the start of a document; false for a second one.
    pub(super) fn start_document(&mut self, session: &mut Session<'_>, span: Span) -> bool {
        self.documents += 1;
        if self.documents > 1 {
            let message = "a second document begins here; a file is one document";
            let finding = Finding::new("contract.multi-document", Level::Error, message)
                .in_file(self.uri)
                .at(span)
                .with_help("put each document in a file of its own");
            session.notes.push(finding);
        }
        self.documents == 1
    }

    /// Takes one event.
    pub(super) fn event(
        &mut self,
        session: &mut Session<'_>,
        event: Event<'_>,
        span: Span,
    ) -> Result<(), Refused> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                self.count(session, 1, span)?;
                let (node, count) = self.scalar(session, text, quoted, tag.as_deref(), span);
                self.value(session, node, anchor, count, span)
            }
            Event::Alias(anchor) => {
                let Some((node, count)) = self.anchors.get(&anchor).cloned() else {
                    let message = "this alias stands inside the node it names";
                    session.error("contract.yaml", self.uri, span, message);
                    return Err(Refused);
                };
                self.count(session, count, span)?;
                self.value(session, node, 0, count, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(session, anchor, tag.as_deref(), span, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let content = Content::Mapping { pairs: Vec::new(), key: None };
                self.open(session, anchor, tag.as_deref(), span, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(session, span),
            _ => Ok(()),
        }
    }

    fn count(&self, session: &mut Session<'_>, count: usize, span: Span) -> Result<(), Refused> {
        if session.take_nodes(count) {
            return Ok(());
        }
        let message = format!("the document has more than {NODES_MAX} values, aliases expanded");
        session.error("contract.too-large", self.uri, span, &message);
        Err(Refused)
    }

    fn scalar(
        &self,
        session: &mut Session<'_>,
        text: Cow<'_, str>,
        mut quoted: bool,
        tag: Option<&Tag>,
        span: Span,
    ) -> (Node, usize) {
        if let Some(tag) = tag {
            if is_include(tag) {
                let before = session.nodes;
                let at = self.with_tag(span);
                let node = session.include(&text, self.uri, self.folder, at);
                let null = || Node { span: at, value: scalar(String::new(), false) };
                return (node.unwrap_or_else(null), session.nodes - before + 1);
            }
            match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
                (true, "str") => quoted = true,
                (true, "int" | "float" | "bool" | "null" | "timestamp") => quoted = false,
                _ if tag.handle.is_empty() && tag.suffix == "!" => quoted = true,
                _ => self.unknown_tag(session, tag, span),
            }
        }
        (Node { span, value: scalar(text.into_owned(), quoted) }, 1)
    }

    fn unknown_tag(&self, session: &mut Session<'_>, tag: &Tag, span: Span) {
        let name = format!("{}{}", tag.handle, tag.suffix);
        let message = format!("the tag {} is not known; its value is taken as it is", shown(&name));
        let finding = Finding::new("contract.unknown-tag", Level::Warning, message)
            .in_file(self.uri)
            .at(self.with_tag(span))
            .with_help("the only tag is `!include <file>`, in contracts");
        session.notes.push(finding);
    }

    /// The span of a tagged scalar from the `!` on, where the tag stands on the same line.
    fn with_tag(&self, span: Span) -> Span {
        let before = self.positions.text().get(..span.start_byte).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let Some(at) = line.rfind('!') else { return span };
        let tag = line.get(at..).unwrap_or_default();
        let chars = u32::try_from(tag.chars().count()).unwrap_or_default();
        Span {
            start_column: span.start_column.saturating_sub(chars),
            start_byte: span.start_byte - tag.len(),
            ..span
        }
    }

    fn open(
        &mut self,
        session: &mut Session<'_>,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
        content: Content,
    ) -> Result<(), Refused> {
        self.count(session, 1, span)?;
        if let Some(tag) = tag {
            if is_include(tag) {
                let at = self.with_tag(span);
                session.note_include(at);
                let message = "cannot include this: the tag takes the path of one file";
                session.error("contract.include", self.uri, at, message);
            } else if !(tag.is_yaml_core_schema() && matches!(&*tag.suffix, "map" | "seq")) {
                self.unknown_tag(session, tag, span);
            }
        }
        if self.open.len() >= DEPTH_MAX {
            let message = format!("values are nested more than {DEPTH_MAX} levels deep");
            session.error("contract.too-large", self.uri, span, &message);
            return Err(Refused);
        }
        self.open.push(Frame { anchor, span, nodes_before: session.nodes - 1, content });
        Ok(())
    }

    fn close(&mut self, session: &mut Session<'_>, end: Span) -> Result<(), Refused> {
        let Some(frame) = self.open.pop() else { return Ok(()) };
        let mut span = frame.span;
        let first = self.positions.text().as_bytes().get(span.start_byte);
        if matches!(first, Some(b'{' | b'[')) {
            extend(&mut span, end);
        }
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { pairs, .. } => {
                let pairs = self.without_duplicates(session, pairs);
                Value::Mapping(merged(pairs))
            }
        };
        let count = session.nodes - frame.nodes_before;
        self.value(session, Node { span, value }, frame.anchor, count, span)
    }

    /// Hands a finished node to what it belongs to; `span` is where it stands, which for an alias
    /// is not where its value does.
    fn value(
        &mut self,
        session: &mut Session<'_>,
        node: Node,
        anchor: usize,
        count: usize,
        span: Span,
    ) -> Result<(), Refused> {
        if anchor > 0 {
            self.count(session, count, span)?;
            self.anchors.insert(anchor, (node.clone(), count));
        }
        let Some(frame) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        extend(&mut frame.span, span);
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { pairs, key } => match key.take() {
                None => *key = Some(node),
                Some(name) => pairs.push((name, node)),
            },
        }
        Ok(())
    }

    /// Of pairs with the same scalar key only the last, with a finding for each other.
    fn without_duplicates(
        &self,
        session: &mut Session<'_>,
        pairs: Vec<(Node, Node)>,
    ) -> Vec<(Node, Node)> {
        let mut keys: Vec<(&str, usize)> =
            pairs.iter().enumerate().filter_map(|(at, (key, _))| Some((key.text()?, at))).collect();
        keys.sort_unstable();
        let mut superseded = Vec::new();
        for (earlier, later) in keys.iter().zip(keys.iter().skip(1)) {
            if earlier.0 == later.0 {
                superseded.push((earlier.1, later.1));
            }
        }
        if superseded.is_empty() {
            return pairs;
        }
        for (earlier, later) in &superseded {
            if let (Some((first, _)), Some((second, _))) = (pairs.get(*earlier), pairs.get(*later))
            {
                session.notes.push(self.duplicate(first, second));
            }
        }
        let gone: std::collections::HashSet<usize> =
            superseded.into_iter().map(|(earlier, _)| earlier).collect();
        let kept = pairs.into_iter().enumerate().filter(|(at, _)| !gone.contains(at));
        kept.map(|(_, pair)| pair).collect()
    }

    fn duplicate(&self, first: &Node, second: &Node) -> Finding {
        let message = format!(
            "the key {} stands here and before that on line {} (column {}); the last one counts",
            shown(first.text().unwrap_or_default()),
            first.span.start_line,
            first.span.start_column,
        );
        Finding::new("contract.duplicate-key", Level::Warning, message)
            .in_file(self.uri)
            .at(second.span)
            .with_help("merge the two, or remove one")
    }
}

fn scalar(text: String, quoted: bool) -> Value {
    Value::Scalar { text, quoted }
}

fn is_include(tag: &Tag) -> bool {
    tag.handle == "!" && tag.suffix == "include"
}

fn extend(span: &mut Span, end: Span) {
    if end.end_byte > span.end_byte {
        span.end_line = end.end_line;
        span.end_column = end.end_column;
        span.end_byte = end.end_byte;
    }
}

/// Pairs with merge keys (`<<`) carried out, as upstream's loader does: a key of the mapping itself
/// wins over a merged one.
fn merged(pairs: Vec<(Node, Node)>) -> Vec<(Node, Node)> {
    let is_merge =
        |key: &Node| matches!(&key.value, Value::Scalar { text, quoted: false } if text == "<<");
    if !pairs.iter().any(|(key, _)| is_merge(key)) {
        return pairs;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(key, value)| is_merge(key) && is_mergeable(value));
    let mut known: std::collections::HashSet<String> =
        own.iter().filter_map(|(key, _)| key.text().map(str::to_owned)).collect();
    for (_, value) in merges {
        let sources = match value.value {
            Value::Sequence(items) => items,
            _ => vec![value],
        };
        for source in sources {
            let Value::Mapping(entries) = source.value else { continue };
            for (key, value) in entries {
                if key.text().is_none_or(|text| known.insert(text.to_owned())) {
                    own.push((key, value));
                }
            }
        }
    }
    own
}

fn is_mergeable(value: &Node) -> bool {
    value.is_mapping() || (value.is_sequence() && value.items().iter().all(Node::is_mapping))
}
