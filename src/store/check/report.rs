//! What a check has found, as data: how much was looked at, and one finding per thing that is not
//! as it should be. Prints nothing.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// No answer is wrong, but something is not as it should be.
    Warning,
    /// Rows cannot be read, are lost, doubled, or not what was written.
    Error,
}

impl Severity {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Nothing needs to be done.
    None,
    /// A repair does it, and gives up nothing.
    Repair,
    /// A repair does it if it may give up what cannot be read.
    Drop,
    /// Only a person can decide.
    Person,
}

impl Remedy {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Repair => "repair",
            Self::Drop => "drop",
            Self::Person => "person",
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name of what was looked at and is wrong: `journal.frame`, `log.commit`,
    /// `data.digest`, `rows.orphan` and so on.
    pub rule: &'static str,
    /// The file, or the folder of the table.
    pub path: PathBuf,
    /// What is wrong, with the place in the file where it is known.
    pub message: String,
    /// What can be done.
    pub remedy: Remedy,
    /// The same in words.
    pub advice: String,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// Journal files.
    pub journal_files: u64,
    /// Events in their frames.
    pub journal_events: u64,
    /// Commits of all logs.
    pub commits: u64,
    /// Checkpoints of all logs.
    pub checkpoints: u64,
    /// Data files that the logs name.
    pub data_files: u64,
    /// Bytes of these.
    pub data_bytes: u64,
    /// Rows in them, all of which were decoded, and hot rows.
    pub rows: u64,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How much was looked at.
    pub looked: Looked,
    /// What is not as it should be, in the order in which it was met.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|it| it.severity == severity).count()
    }

    /// Whether no finding is an error.
    pub fn is_sound(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        path: &Path,
        message: impl Into<String>,
        (remedy, advice): (Remedy, &str),
    ) {
        self.findings.push(Finding {
            severity,
            rule,
            path: path.to_owned(),
            message: message.into(),
            remedy,
            advice: advice.to_owned(),
        });
    }

    pub(super) fn error(
        &mut self,
        rule: &'static str,
        path: &Path,
        error: &Error,
        remedy: (Remedy, &str),
    ) {
        self.add(Severity::Error, rule, path, error.in_one_line(), remedy);
    }
}
