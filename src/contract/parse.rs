//! A contract's text to its normal form: tolerant of every form that occurs in reality, with a
//! finding for each rewrite and each fault. Does no IO and never panics.

use super::document::{Node, Value};
use super::include::{Includes, NoIncludes};
use super::model::sections::Sections;
use super::model::{Contract, Definition, Model, NodeType};
use super::notes::Notes;
use super::yaml;
use crate::finding::{Finding, Level, Span};
use std::collections::HashSet;

mod behaviour;
mod composed;
mod fields;
mod identity;
mod keys;
mod limits;
mod machine;
mod mixins;
mod models;
mod rules;
mod sections;
mod spelled;
mod topics;
mod types;
mod workflow;

pub(super) use composed::union_of;
pub(super) use rules::RULES;

/// Most bytes of a contract (upstream's limit).
pub const CONTRACT_SIZE_BYTES_MAX: usize = 50 << 20;

/// What a text turned out to be.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The contract in normal form; `None` where the text is none, with an error finding that says
    /// why. A contract can be there beside error findings: then something in it was refused.
    pub contract: Option<Contract>,
    /// The document where it is YAML but no contract.
    unread: Option<Node>,
    /// Places of the `!include` tags in the file itself.
    pub(super) include_tags: Vec<Span>,
    /// Faults (`error`, `warning`) and rewrites to the normal form (`note`, `contract.rewrite-*`),
    /// in the order of the document.
    pub findings: Vec<Finding>,
    /// blake3 in hex of the document's bytes, followed for each `!include` in the order of reading
    /// by the length of its path (8 bytes, little endian), its path, the length of its text and its
    /// text. Without includes it is the digest of the file.
    pub digest: String,
}

impl Parsed {
    /// The document, whether or not it is a contract; `None` where the text is not YAML.
    pub fn document(&self) -> Option<&Node> {
        self.contract.as_ref().map(|it| &it.document).or(self.unread.as_ref())
    }

    /// Whether a finding is an error.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|it| it.level == Level::Error)
    }

    fn refused(bytes: &[u8], finding: Finding) -> Self {
        let digest = blake3::hash(bytes).to_hex().to_string();
        let findings = vec![finding];
        Self { contract: None, unread: None, include_tags: Vec::new(), findings, digest }
    }
}

/// Parses the bytes of the file `uri`, which may be anything at all.
pub fn parse_bytes(bytes: &[u8], uri: &str, includes: &dyn Includes) -> Parsed {
    let encoding = |message: String| {
        let finding = Finding::new("contract.encoding", Level::Error, message).in_file(uri);
        finding.with_help("a contract is a YAML text in UTF-8")
    };
    if bytes.len() > CONTRACT_SIZE_BYTES_MAX {
        return Parsed::refused(bytes, too_large(uri, bytes.len()));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text, uri, includes),
        Err(error) => {
            let at = error.valid_up_to();
            let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
            let finding = encoding(format!("the file is not UTF-8: byte {at} begins no character"));
            Parsed::refused(bytes, finding.at(end_of(&before)))
        }
    }
}

/// Parses the text of the file `uri`; included files come from `includes`.
pub fn parse(text: &str, uri: &str, includes: &dyn Includes) -> Parsed {
    if text.len() > CONTRACT_SIZE_BYTES_MAX {
        return Parsed::refused(text.as_bytes(), too_large(uri, text.len()));
    }
    if let Some(at) = text.find('\0') {
        let message = "the file is binary: it has a NUL character";
        let finding = Finding::new("contract.encoding", Level::Error, message)
            .in_file(uri)
            .at(end_of(text.get(..at).unwrap_or_default()))
            .with_help("a contract is a YAML text in UTF-8");
        return Parsed::refused(text.as_bytes(), finding);
    }
    let tree = yaml::read(text, uri, includes);
    let mut notes = tree.notes;
    let (contract, unread) = match tree.root.map(|root| contract(root, &mut notes)) {
        Some(Ok(contract)) => (Some(contract), None),
        Some(Err(document)) => (None, Some(document)),
        None => (None, None),
    };
    let (include_tags, digest) = (tree.include_tags, tree.digest);
    Parsed { contract, unread, include_tags, findings: notes.finish(), digest }
}

fn too_large(uri: &str, size_bytes: usize) -> Finding {
    let message = format!(
        "the file has {size_bytes} bytes; a contract has at most {CONTRACT_SIZE_BYTES_MAX}"
    );
    Finding::new("contract.too-large", Level::Error, message).in_file(uri)
}

/// Reads a YAML text that is no contract: its tree, if it can be read, and what was found. No file
/// is included.
pub fn document(text: &str, uri: &str) -> (Option<Node>, Vec<Finding>) {
    if text.len() > CONTRACT_SIZE_BYTES_MAX {
        return (None, vec![too_large(uri, text.len())]);
    }
    let tree = yaml::read(text, uri, &NoIncludes);
    (tree.root, tree.notes.finish())
}

/// The place after a text.
fn end_of(before: &str) -> Span {
    let line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
    let last = before.rsplit('\n').next().unwrap_or_default();
    let column = u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX);
    Span {
        start_line: line,
        start_column: column,
        end_line: line,
        end_column: column,
        start_byte: before.len(),
        end_byte: before.len(),
    }
}

/// The normal form of a document, or the document itself when it is no node contract.
fn contract(document: Node, notes: &mut Notes) -> Result<Contract, Node> {
    if !identity::is_contract(&document, notes) {
        return Err(document);
    }
    keys::check(&document, notes);
    let name = identity::name(&document, notes);
    let node_type = identity::node_type(&document, notes);
    let (Some(name), Some(node_type)) = (name, node_type) else { return Err(document) };
    match with_annotations(&document) {
        Some(whole) => {
            let mut found = read(whole, name, node_type, notes);
            found.document = document;
            Ok(found)
        }
        None => Ok(read(document, name, node_type, notes)),
    }
}

/// Parts of a contract that a generated one has under `annotations`, since upstream's typed models
/// have no place for them.
const ANNOTATED: [&str; 11] = [
    "inputs",
    "outputs",
    "definitions",
    "actions",
    "dependencies",
    "error_codes",
    "capabilities",
    "io_operations",
    "state_machine",
    "workflow",
    "mixins",
];

/// The document with what stands under `annotations` at the top, where nothing stands there; `None`
/// where there is no such thing.
fn with_annotations(document: &Node) -> Option<Node> {
    let annotations = document.get("annotations")?;
    let missing = |key: &&Node| {
        key.text().is_some_and(|it| ANNOTATED.contains(&it) && document.get(it).is_none())
    };
    let found: Vec<_> =
        annotations.pairs().iter().filter(|(key, _)| missing(&key)).cloned().collect();
    if found.is_empty() {
        return None;
    }
    let pairs = document.pairs().iter().cloned().chain(found).collect();
    Some(Node { span: document.span, value: Value::Mapping(pairs) })
}

/// What has types in a contract.
struct Typed {
    definitions: Vec<Definition>,
    input: Model,
    output: Model,
    sections: Sections,
}

/// Reads what has types; a second time where an object declared in place got the name of a type
/// that is missing.
fn typed(document: &Node, notes: &mut Notes) -> Typed {
    let before = notes.len();
    let mut reserved = HashSet::new();
    loop {
        let mut types = types::Types::new(document, reserved);
        let definitions = models::definitions(document, &mut types, notes);
        let input = models::model(document, &models::INPUT, &definitions, &mut types, notes);
        let output = models::model(document, &models::OUTPUT, &definitions, &mut types, notes);
        let sections = sections::sections(document, &mut types, notes);
        let Some(mistakable) = types.mistakable() else {
            return Typed { definitions: types.with_inline(definitions), input, output, sections };
        };
        notes.truncate(before);
        reserved = mistakable;
    }
}

/// Reads a document that is a contract.
fn read(document: Node, name: String, node_type: NodeType, notes: &mut Notes) -> Contract {
    let typed = typed(&document, notes);
    let topics = topics::topics(&document, notes);
    Contract {
        node_type,
        version: identity::version(&document, notes),
        node_version: identity::node_version(&document, notes),
        description: identity::description(&document, notes),
        input: typed.input,
        output: typed.output,
        definitions: typed.definitions,
        actions: behaviour::actions(&document, notes),
        io_operations: behaviour::io_operations(&document, notes),
        dependencies: behaviour::dependencies(&document, notes),
        error_codes: behaviour::error_codes(&document, notes),
        state_machine: machine::state_machine(&document, &name, notes),
        workflow: workflow::workflow(&document, &name, notes),
        subscribe_topics: topics.subscribe,
        publish_topics: topics.publish,
        capabilities: behaviour::capabilities(&document),
        sections: typed.sections,
        fingerprint: document.get("fingerprint").and_then(Node::as_str).map(str::to_owned),
        name,
        document,
    }
}

#[cfg(test)]
mod tests;
