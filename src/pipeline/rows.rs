//! Runs, findings, scores, contracts and files as rows. The ids of runs and steps in those of their
//! parts are signed by the engine.

use crate::clock::Clock;
use crate::contract::{Complexity, Contract};
use crate::event::{
    ArtifactRow, ContractRow, IssueRow, RunRow, RunStarted, ScoreRow, Text, TimeUs,
};
use crate::finding::{Finding, Level};
use crate::template::{FileKind, PackageFile};
use crate::validate::fingerprint;
use crate::workflow::Outcome;

/// What every row of a run says of its contract.
#[derive(Debug, Clone, Default)]
pub(super) struct About {
    pub(super) contract_name: Option<Text>,
    pub(super) contract_digest: Option<Text>,
}

/// How many findings there are of each level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Findings of level error.
    pub errors: usize,
    /// Findings of level warning.
    pub warnings: usize,
    /// Findings of level note.
    pub notes: usize,
}

impl Counts {
    /// Counts findings, but not those that the text itself suppresses.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings.into_iter().filter(|it| !it.is_suppressed()) {
            match finding.level {
                Level::Error => counts.errors += 1,
                Level::Warning => counts.warnings += 1,
                Level::Note => counts.notes += 1,
            }
        }
        counts
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.notes += other.notes;
    }
}

/// What the engine knows of a run that has ended: what it began with, and how it went.
pub(super) fn run(started: &RunStarted, outcome: &Outcome) -> RunRow {
    RunRow {
        run_id: started.run_id.clone(),
        batch_id: started.batch_id.clone(),
        pipeline_name: started.pipeline_name.clone(),
        tool_version: started.tool_version.clone(),
        node_type: outcome.node_type.clone(),
        result: outcome.result.as_str().into(),
        degraded: outcome.degraded,
        error_type: outcome.error_type.clone(),
        error_message: outcome.error_message.clone(),
        start_time: outcome.start_time,
        end_time: outcome.end_time,
        duration_ns: outcome.duration_ns,
        queue_ns: outcome.queue_ns,
        work_ns: outcome.work_ns,
        critical_path_ns: outcome.critical_path_ns,
        strategy: outcome.strategy.as_str().into(),
        attributes: started.attributes.clone(),
        ..RunRow::default()
    }
}

pub(super) fn issue(
    finding: &Finding,
    validator: &str,
    about: &About,
    clock: &dyn Clock,
) -> IssueRow {
    let place = |part: u32| (part > 0).then_some(i64::from(part));
    let span = finding.span;
    let fix = match (&finding.help, &finding.fix) {
        (help, Some(fix)) => Some(format!("{} ({fix})", help.as_deref().unwrap_or("Safe change."))),
        (help, None) => help.clone(),
    };
    IssueRow {
        contract_name: about.contract_name.clone(),
        contract_digest: about.contract_digest.clone(),
        validator_name: validator.into(),
        rule_id: finding.rule_id.into(),
        level: finding.level.as_str().into(),
        message: finding.message.as_str().into(),
        uri: finding.uri.as_deref().map(Text::from),
        start_line: span.and_then(|it| place(it.start_line)),
        start_column: span.and_then(|it| place(it.start_column)),
        end_line: span.and_then(|it| place(it.end_line)),
        end_column: span.and_then(|it| place(it.end_column)),
        fingerprint: fingerprint(finding).into(),
        suppressed: finding.is_suppressed(),
        suppression: finding.suppression.as_deref().map(Text::from),
        fix: fix.as_deref().map(Text::from),
        time: TimeUs(clock.now_us()),
        ..IssueRow::default()
    }
}

pub(super) fn score(name: &str, value: f64, explanation: &str, clock: &dyn Clock) -> ScoreRow {
    ScoreRow {
        name: name.into(),
        value: Some(value),
        explanation: Some(explanation.into()),
        annotator_kind: "CODE".into(),
        time: TimeUs(clock.now_us()),
        ..ScoreRow::default()
    }
}

pub(super) fn artifact(file: &PackageFile) -> ArtifactRow {
    ArtifactRow {
        filename: file.path.as_str().into(),
        kind: file.kind.as_str().into(),
        language: match file.kind {
            FileKind::Contract => "yaml",
            FileKind::Documentation => "markdown",
            _ => "python",
        }
        .into(),
        artifact_digest: blake3::hash(file.content.as_bytes()).to_hex().as_str().into(),
        size_bytes: integer(file.content.len()),
        lines: integer(file.content.lines().count()),
        content: Some(file.content.as_str().into()),
        ..ArtifactRow::default()
    }
}

pub(super) fn contract(
    contract: &Contract,
    complexity: &Complexity,
    digest: &Text,
    uri: &str,
    body: &str,
    clock: &dyn Clock,
) -> ContractRow {
    let operations = contract.actions.len() + contract.io_operations.len();
    ContractRow {
        contract_digest: digest.clone(),
        name: Some(contract.name.as_str().into()),
        version: Some(contract.version.to_string().into()),
        node_type: Some(contract.node_type.as_str().into()),
        description: Some(contract.description.as_str().into()),
        complexity_score: Some(complexity.score),
        complexity_class: Some(complexity.class.into()),
        inputs: integer(contract.input.fields.len()),
        outputs: integer(contract.output.fields.len()),
        actions: integer(operations),
        error_codes: integer(contract.error_codes.len()),
        uri: Some(uri.into()),
        body: body.into(),
        first_seen_time: TimeUs(clock.now_us()),
    }
}

/// A count as a column's integer.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
