//! From a node's Python to its contract: by syntax alone, never by importing or running anything.
//! What the code does not say is a finding, never an invention. Does no IO: files come from whoever
//! asks.

use serde_json::Map;

use crate::error::Result;
use crate::finding::{Finding, Level};

mod files;
mod models;
mod node;
mod rules;
mod surroundings;
mod tables;

use super::document::{Node, Value};
use super::include::NoIncludes;
use super::model::sections::Sections;
use super::model::{Contract, NodeType, Version};
use super::write::{self, Form};
use files::Sources;
use models::Models;
pub(super) use node::name as node_name;
pub(super) use rules::RULES;

/// The files of a package.
pub trait PackageFiles {
    /// The paths of its Python files, with `/` between their parts.
    fn paths(&self) -> Vec<String>;

    /// The content of one of them.
    ///
    /// # Errors
    /// When it cannot be read, or has more than `bytes_max` bytes.
    fn read(&self, path: &str, bytes_max: u64) -> Result<Vec<u8>>;
}

/// What an inference is told besides the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// The node's class, where there are several.
    pub class: Option<&'a str>,
    /// Name of the folder that the package lies in.
    pub folder: Option<&'a str>,
}

/// A contract that was made, not read.
#[derive(Debug, Clone)]
pub struct Made {
    /// The contract, in the form in which it is written.
    pub contract: Contract,
    /// Its text.
    pub text: String,
    /// What was decided, and what is not known.
    pub findings: Vec<Finding>,
}

/// The contract of the node in the file at `start`.
///
/// # Errors
/// The finding says why there is none: the file cannot be read, is no Python, or has no node.
pub fn infer(
    start: &str,
    files: &dyn PackageFiles,
    options: &Options<'_>,
) -> std::result::Result<Made, Box<Finding>> {
    let mut findings = Vec::new();
    let sources = Sources::load(start, files, options.folder, &mut findings)?;
    let class = node::class(&sources, options)?;
    let node_type = node::kind(&sources, class, &mut findings);
    let name = node::name(&class.class.name, node_type, options.folder);
    let mut models = Models::new(&sources);
    let [input, output] = node::sides(class, &mut models, &sources);
    let (definitions, told) = (models.definitions, models.findings);
    findings.extend(told);
    let described =
        class.docstring().or_else(|| class.source.docstring(class.source.module.docstring));
    let version = surroundings::version(&sources, "CONTRACT_VERSION");
    let dependencies = tables::dependencies(&sources);
    let contract = Contract {
        node_type,
        version: version.unwrap_or(FIRST),
        node_version: surroundings::version(&sources, "__version__"),
        description: described.unwrap_or_default(),
        input,
        output,
        definitions,
        actions: tables::actions(&sources),
        io_operations: tables::operations(&sources),
        dependencies: dependencies.unwrap_or_else(|| surroundings::imported(&sources)),
        error_codes: surroundings::error_codes(&sources),
        state_machine: tables::state_machine(&sources, &name),
        workflow: tables::workflow(&sources, &name),
        subscribe_topics: Vec::new(),
        publish_topics: Vec::new(),
        capabilities: tables::capabilities(&sources),
        fingerprint: None,
        sections: Sections { mixins: surroundings::mixins(class), ..Sections::default() },
        name,
        document: nothing(),
    };
    unknown(&contract, version.is_some(), start, &mut findings);
    let text = write::text(&contract, &Map::new(), Form::Current);
    Ok(Made { contract: reread(contract, &text), text, findings })
}

/// Says what the code does not.
fn unknown(contract: &Contract, versioned: bool, start: &str, findings: &mut Vec<Finding>) {
    let kind = contract.node_type;
    let open = [
        (
            contract.description.is_empty(),
            "contract.infer-description",
            "no docstring says what the node does",
            "give the class a docstring",
        ),
        (
            !versioned,
            "contract.infer-version",
            "no CONTRACT_VERSION says which version of the contract this is: 1.0.0",
            "correct `contract_version`",
        ),
        (
            kind != NodeType::Compute,
            "contract.infer-topics",
            "code does not say which topics the node listens to and publishes to",
            "declare them under `event_bus`",
        ),
        (
            kind == NodeType::Effect && contract.io_operations.is_empty(),
            "contract.infer-operations",
            "no table OPERATIONS says which operations the node carries out",
            "declare them under `io_operations`",
        ),
        (
            kind == NodeType::Reducer && contract.state_machine.is_none(),
            "contract.infer-behaviour",
            "no tables STATES and TRANSITIONS say what the state machine is",
            "declare it under `state_machine`",
        ),
        (
            kind == NodeType::Orchestrator && contract.workflow.is_none(),
            "contract.infer-behaviour",
            "no table STEPS says what the workflow is",
            "declare it under `workflow_coordination`",
        ),
    ];
    for (_, rule, what, help) in open.into_iter().filter(|it| it.0) {
        findings.push(note(rule, what).in_file(start).with_help(help));
    }
}

/// The version of what never had another.
pub(super) const FIRST: Version = Version { major: 1, minor: 0, patch: 0 };

/// The document of a contract that is not written yet.
pub(super) fn nothing() -> Node {
    Node { span: crate::finding::Span::default(), value: Value::Mapping(Vec::new()) }
}

/// The contract as a reader of its text has it, with places.
pub(super) fn reread(made: Contract, text: &str) -> Contract {
    super::parse(text, "contract.yaml", &NoIncludes).contract.unwrap_or(made)
}

fn note(rule_id: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(rule_id, Level::Note, message)
}

fn warning(rule_id: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(rule_id, Level::Warning, message)
}

fn error(rule_id: &'static str, message: impl Into<String>) -> Finding {
    Finding::new(rule_id, Level::Error, message)
}

#[cfg(test)]
mod tests;
