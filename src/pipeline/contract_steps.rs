//! The first steps of `node_generation`: parse, lint, complexity.

use std::path::PathBuf;
use std::sync::Arc;

use crate::contract::{self, Complexity, Contract, Includes};
use crate::error::{Error, Result};
use crate::event::Text;
use crate::finding::{Finding, Level};
use crate::workflow::{Output, StepContext, StepError};

use super::rows::{self, About};
use super::source::{ContractFolder, read_contract};

/// What a run is started with.
#[derive(Debug, Clone)]
pub struct Task {
    /// The contract's file.
    pub path: PathBuf,
    /// Of runs that wait for a place, one of higher priority goes first.
    pub priority: i32,
}

impl Task {
    /// The run of a contract that is no more urgent than any other.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), priority: 0 }
    }

    /// The path as it stands in tables and messages.
    pub fn uri(&self) -> String {
        self.path.display().to_string()
    }
}

/// A contract that was read and understood.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) contract: Option<Arc<Contract>>,
    pub(super) findings: Vec<Finding>,
    pub(super) digest: Text,
    pub(super) uri: String,
    pub(super) path: PathBuf,
    body: String,
}

impl Read {
    pub(super) fn about(&self) -> About {
        About {
            contract_name: self.contract.as_ref().map(|it| it.name.as_str().into()),
            contract_digest: Some(self.digest.clone()),
        }
    }

    /// The contract, for steps that only run when there is one.
    pub(super) fn contract(&self) -> Result<&Arc<Contract>, StepError> {
        self.contract
            .as_ref()
            .ok_or_else(|| StepError::internal(format!("{} is no contract", self.uri)))
    }
}

impl Includes for ContractFolder {
    fn read(&self, path: &str) -> Result<String> {
        let limit = contract::include::INCLUDE_SIZE_BYTES_MAX as u64;
        let bytes = Self::read_file(self, path, limit)?;
        String::from_utf8(bytes)
            .map_err(|source| Error::invalid(format!("{path} is not UTF-8")).with_source(source))
    }
}

/// Reads and parses. Findings are written by `lint`, so that one step owns all that is said about
/// the contract; a file that cannot be read is an error, one that is no contract a failure.
pub(super) fn parse(ctx: &StepContext) -> Result<Output, StepError> {
    let task = ctx.input::<Task>()?;
    let uri = task.uri();
    let bytes = read_contract(&task.path).map_err(|error| {
        let error = StepError::from(error);
        StepError::permanent("unreadable", error.message)
    })?;
    let parsed = contract::parse_bytes(&bytes, &uri, &ContractFolder::of(&task.path));
    let digest = Text::from(parsed.digest);
    if let Some(contract) = &parsed.contract {
        ctx.set_node_type(contract.node_type.as_str());
    }
    let read = Read {
        contract: parsed.contract.map(Arc::new),
        findings: parsed.findings,
        digest: digest.clone(),
        uri,
        path: task.path.clone(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    Ok(Output::new(read).with_input_digest(digest))
}

/// Says all that is wrong with the contract. An error-level finding ends the run as a failure.
pub(super) fn lint(ctx: &StepContext) -> Result<Output, StepError> {
    let read = ctx.output::<Read>("parse")?;
    let mut findings = read.findings.clone();
    if let Some(contract) = &read.contract {
        findings.extend(contract::lint(contract, &read.uri));
    }
    let about = read.about();
    for finding in &findings {
        ctx.emit(rows::issue(finding, "contract", &about, ctx.clock().as_ref()))?;
    }
    let first = findings.iter().find(|it| it.level == Level::Error).map(describe);
    let output = Output::new(findings);
    Ok(match first {
        Some(first) => output.failing(first),
        None => output,
    })
}

/// Rates the contract and records its content.
pub(super) fn complexity(ctx: &StepContext) -> Result<Output, StepError> {
    let read = ctx.output::<Read>("parse")?;
    let contract = read.contract()?;
    let complexity: Complexity = contract::complexity(contract);
    let clock = ctx.clock().as_ref();
    ctx.emit(rows::contract(contract, &complexity, &read.digest, &read.uri, &read.body, clock))?;
    Ok(Output::new(complexity))
}

/// A finding in one line: place, message, rule.
pub(super) fn describe(finding: &Finding) -> String {
    let mut text = String::new();
    if let Some(uri) = &finding.uri {
        text.push_str(uri);
        text.push(':');
    }
    if let Some(span) = finding.span {
        text.push_str(&format!("{}:{}:", span.start_line, span.start_column));
    }
    if !text.is_empty() {
        text.push(' ');
    }
    format!("{text}{} [{}]", finding.message, finding.rule_id)
}
