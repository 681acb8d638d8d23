//! The findings of one document while it is read: bounded in number, sorted at the end. Decides
//! nothing about levels.

use crate::finding::{Finding, Level, Span};

/// Most findings kept of one document; a document with more is broken beyond listing.
const FINDINGS_MAX: usize = 500;

/// Collects findings about one file and those it includes.
#[derive(Debug)]
pub(super) struct Notes {
    uri: String,
    findings: Vec<Finding>,
    dropped: usize,
}

impl Notes {
    /// A collector for the file `uri`.
    pub(super) fn new(uri: &str) -> Self {
        Self { uri: uri.to_owned(), findings: Vec::new(), dropped: 0 }
    }

    /// How many findings there are.
    pub(super) fn len(&self) -> usize {
        self.findings.len()
    }

    /// Forgets all but the first `len` findings.
    pub(super) fn truncate(&mut self, len: usize) {
        self.findings.truncate(len);
    }

    /// Adds a finding; where it names no file it is about the document itself.
    pub(super) fn push(&mut self, mut finding: Finding) {
        if self.findings.len() >= FINDINGS_MAX {
            self.dropped += 1;
            return;
        }
        finding.uri.get_or_insert_with(|| self.uri.clone());
        self.findings.push(finding);
    }

    /// Adds a note.
    pub(super) fn note(&mut self, rule_id: &'static str, span: Span, message: impl Into<String>) {
        self.push(Finding::new(rule_id, Level::Note, message).at(span));
    }

    /// Adds a warning.
    pub(super) fn warning(
        &mut self,
        rule_id: &'static str,
        span: Span,
        message: impl Into<String>,
    ) {
        self.push(Finding::new(rule_id, Level::Warning, message).at(span));
    }

    /// Adds an error.
    pub(super) fn error(&mut self, rule_id: &'static str, span: Span, message: impl Into<String>) {
        self.push(Finding::new(rule_id, Level::Error, message).at(span));
    }

    /// The findings in the order of the document, those of included files last.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        if self.dropped > 0 {
            let message = format!("{} more findings are not listed", self.dropped);
            self.findings.push(
                Finding::new("contract.too-many-findings", Level::Warning, message)
                    .in_file(self.uri.clone()),
            );
        }
        let uri = self.uri;
        self.findings.sort_by_key(|it| {
            let start = it.span.map_or((u32::MAX, u32::MAX), |at| (at.start_line, at.start_column));
            (it.uri.as_deref() != Some(&uri), start)
        });
        self.findings
    }
}

/// A text of the user in a message: in back-quotes, shortened, without control characters.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let text = text.trim();
    let is_long = text.chars().nth(CHARS_MAX).is_some();
    let kept = if is_long { CHARS_MAX - 1 } else { CHARS_MAX };
    let mut shown = String::with_capacity(text.len().min(CHARS_MAX) + 2);
    shown.push('`');
    shown.extend(text.chars().take(kept).map(|c| if c.is_control() { ' ' } else { c }));
    if is_long {
        shown.push('…');
    }
    shown.push('`');
    shown
}
