//! YAML text to a [`Node`] tree in one pass over the event parser: bounded in depth, nodes and
//! includes, with a place for every node. Does no IO: included texts come from [`Includes`].

use super::document::{Node, Value};
use super::include::{self, INCLUDE_DEPTH_MAX, INCLUDE_SIZE_BYTES_MAX, Includes};
use super::notes::{Notes, shown};
use crate::finding::{Finding, Level, Span};
use builder::Builder;
use input::Rest;
use positions::Positions;
use saphyr_parser::{Event, Parser};

mod builder;
mod input;
mod positions;

/// Most levels of nesting.
pub(super) const DEPTH_MAX: usize = 128;

/// Most nodes of one document, aliases and includes expanded; the largest real contract has some
/// five thousand.
pub(super) const NODES_MAX: usize = 1_000_000;

/// Most `!include` tags followed in one document, nested ones counted.
const INCLUDES_MAX: usize = 256;

/// A document as read.
#[derive(Debug)]
pub(super) struct Tree {
    /// The root; `None` where there is none or it cannot be read, with an error finding.
    pub(super) root: Option<Node>,
    /// What was found, unsorted.
    pub(super) notes: Notes,
    /// Places of the `!include` tags in the file itself.
    pub(super) include_tags: Vec<Span>,
    /// See [`super::parse::Parsed::digest`].
    pub(super) digest: String,
}

/// Reads the text of the file `uri`.
pub(super) fn read(text: &str, uri: &str, includes: &dyn Includes) -> Tree {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    let own_name = uri.rsplit(['/', '\\']).next().unwrap_or(uri).to_owned();
    let mut session = Session {
        includes,
        notes: Notes::new(uri),
        nodes: 0,
        followed: 0,
        hasher,
        files: vec![own_name],
        include_tags: Vec::new(),
    };
    let root = session.document(text, uri, "");
    let digest = session.hasher.finalize().to_hex().to_string();
    Tree { root, notes: session.notes, include_tags: session.include_tags, digest }
}

/// Most lines joined to the one before them.
const JOINS_MAX: usize = 64;

/// What a document and the files it includes share.
struct Session<'a> {
    includes: &'a dyn Includes,
    notes: Notes,
    /// Nodes made so far.
    nodes: usize,
    /// Includes followed so far.
    followed: usize,
    hasher: blake3::Hasher,
    /// The files being read, outermost first, as paths relative to the contract's folder.
    files: Vec<String>,
    include_tags: Vec<Span>,
}

impl Session<'_> {
    /// Reads one file; `folder` is its folder relative to the contract's.
    ///
    /// YAML 1.2 wants the lines of a flow collection indented, upstream's loader does not care.
    /// Where only that is wrong, the line is joined to the one before it and the file read again.
    fn document(&mut self, text: &str, uri: &str, folder: &str) -> Option<Node> {
        let mut positions = Positions::new(text);
        let mut joined = text.to_owned();
        let mut lines = Vec::new();
        loop {
            let before = (self.nodes, self.followed, self.notes.len(), self.hasher.clone());
            self.include_tags.truncate(if self.files.len() == 1 { 0 } else { usize::MAX });
            let (at, info) = match self.attempt(&joined, &positions, uri, folder) {
                Ok(root) => {
                    for at in lines {
                        self.notes.push(loose_indent(at).in_file(uri));
                    }
                    return root;
                }
                Err(fault) => fault,
            };
            let better = if lines.len() < JOINS_MAX { join_line(&joined, at, &info) } else { None };
            let Some(better) = better else {
                self.notes.push(syntax_error(text, at, &info).in_file(uri));
                return None;
            };
            joined = better;
            positions.use_own_lines();
            lines.push(at);
            self.notes.truncate(before.2);
            (self.nodes, self.followed, self.hasher) = (before.0, before.1, before.3);
        }
    }

    /// Reads one file from a text with the same bytes as the one of `positions`, but for line ends.
    /// The error is a place and the parser's words.
    fn attempt(
        &mut self,
        text: &str,
        positions: &Positions<'_>,
        uri: &str,
        folder: &str,
    ) -> Result<Option<Node>, (Span, String)> {
        let mut builder = Builder::new(uri, folder, positions);
        for event in Parser::new(Rest::new(text)) {
            let (event, span) = event
                .map_err(|error| (positions.point(*error.marker()), error.info().to_owned()))?;
            let span = positions.span(span);
            match event {
                Event::DocumentStart(_) => {
                    if !builder.start_document(self, span) {
                        return Ok(None);
                    }
                }
                Event::StreamEnd => break,
                event => {
                    if builder.event(self, event, span).is_err() {
                        return Ok(None);
                    }
                }
            }
        }
        let root = builder.finish();
        if root.as_ref().is_none_or(Node::is_null) {
            self.error("contract.empty", uri, Span::default(), "the file has no content");
            return Ok(None);
        }
        Ok(root)
    }

    /// Counts nodes; says whether the bound is kept.
    fn take_nodes(&mut self, count: usize) -> bool {
        self.nodes = self.nodes.saturating_add(count);
        self.nodes <= NODES_MAX
    }

    fn error(&mut self, rule_id: &'static str, uri: &str, span: Span, message: &str) {
        let finding = Finding::new(rule_id, Level::Error, message).in_file(uri);
        self.notes.push(if span == Span::default() { finding } else { finding.at(span) });
    }

    /// The node that an `!include` stands for, placed where the tag is; `None` with a finding.
    fn include(&mut self, written: &str, uri: &str, folder: &str, tag: Span) -> Option<Node> {
        self.note_include(tag);
        match self.included(written, folder) {
            Ok(mut node) => {
                place(&mut node, tag);
                Some(node)
            }
            Err((message, hint)) => {
                let mut finding =
                    Finding::new("contract.include", Level::Error, message).in_file(uri).at(tag);
                finding.help = hint;
                self.notes.push(finding);
                None
            }
        }
    }

    /// Remembers an `!include` of the file itself.
    fn note_include(&mut self, tag: Span) {
        if self.files.len() == 1 {
            self.include_tags.push(tag);
        }
    }

    /// Reads an included file; the error is a message and a hint.
    fn included(&mut self, written: &str, folder: &str) -> Result<Node, (String, Option<String>)> {
        let path = include::resolve(folder, written)
            .map_err(|error| (error.message().to_owned(), error.hint().map(str::to_owned)))?;
        let refuse = |why: String| Err((format!("cannot include {}: {why}", shown(&path)), None));
        if self.files.contains(&path) {
            return refuse(format!("it includes itself ({} → {path})", self.files.join(" → ")));
        }
        if self.files.len() > INCLUDE_DEPTH_MAX {
            return refuse(format!("more than {INCLUDE_DEPTH_MAX} includes inside one another"));
        }
        self.followed += 1;
        if self.followed > INCLUDES_MAX {
            return refuse(format!("more than {INCLUDES_MAX} includes in one contract"));
        }
        let text = match self.includes.read(&path) {
            Ok(text) => text,
            Err(error) => return refuse(error.to_string()),
        };
        if text.len() > INCLUDE_SIZE_BYTES_MAX {
            return refuse(format!("it has more than {INCLUDE_SIZE_BYTES_MAX} bytes"));
        }
        self.hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes());
        self.hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        self.files.push(path.clone());
        let node = self.document(&text, &path, &folder);
        self.files.pop();
        node.map_or_else(|| refuse("it cannot be read as YAML".to_owned()), Ok)
    }
}

/// Gives a whole tree one place.
fn place(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::Scalar { .. } => {}
        Value::Sequence(items) => items.iter_mut().for_each(|item| place(item, span)),
        Value::Mapping(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            place(key, span);
            place(value, span);
        }),
    }
}

/// The text with the line of `at` joined to the one before it, when that can be the cure: the line
/// stands too far left in a flow collection, and no comment would swallow it. No byte moves.
fn join_line(text: &str, at: Span, info: &str) -> Option<String> {
    if !info.starts_with("invalid indentation") || info.contains("quoted") {
        return None;
    }
    let end = text.get(..at.start_byte)?.rfind('\n')?;
    let line = text.get(..end)?.rsplit('\n').next()?;
    if line.contains('#') {
        return None;
    }
    let mut joined = text.to_owned();
    joined.replace_range(end..=end, " ");
    Some(joined)
}

fn loose_indent(at: Span) -> Finding {
    let message = "this line of a list or map in brackets stands left of what it belongs to; YAML \
                   1.2 does not allow that";
    Finding::new("contract.indent", Level::Warning, message)
        .at(at)
        .with_help("indent the line, closing bracket included")
}

/// The finding for text that is not YAML, with the help that fits the usual causes.
fn syntax_error(text: &str, at: Span, info: &str) -> Finding {
    if info.starts_with("recursion limit") {
        let message = format!("values are nested more than {DEPTH_MAX} levels deep");
        return Finding::new("contract.too-large", Level::Error, message).at(at);
    }
    let finding =
        Finding::new("contract.yaml", Level::Error, format!("this is not YAML: {info}")).at(at);
    let line = text.lines().nth((at.start_line as usize).saturating_sub(1)).unwrap_or_default();
    let indent = line.get(..line.len() - line.trim_start().len()).unwrap_or_default();
    if indent.contains('\t') || info.contains("tab") {
        finding.with_help("YAML is indented with spaces; replace the tab")
    } else if info.contains("mapping values are not allowed") {
        finding.with_help("a value that contains `: ` must stand in quotes")
    } else if line.contains('{') || line.contains('[') {
        finding.with_help("close the bracket, or quote a text that contains brackets or braces")
    } else {
        finding.with_help("check indentation and quotes on this line and the one above")
    }
}

#[cfg(test)]
mod tests;
