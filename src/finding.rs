//! What a check has to say about a document: a rule, a level, a message and a place.
//!
//! Contract lint and the six validators speak this one language; it becomes a row of the `issues`
//! table and a line of a diagnostic. Nothing here decides anything.

use std::fmt;

/// How bad a finding is, by the names of SARIF 2.1.0 (`level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing; nothing to repair.
    Note,
    /// Probably wrong; the run succeeds.
    Warning,
    /// Wrong; the run fails.
    Error,
}

impl Level {
    /// The SARIF name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A region of a text file. Lines and columns count from 1, columns in characters; the end is
/// exclusive in its column, as in SARIF. `bytes` is the same region as byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// First line.
    pub start_line: u32,
    /// First column.
    pub start_column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
    /// Byte offset of the first character.
    pub start_byte: usize,
    /// Byte offset after the last character.
    pub end_byte: usize,
}

/// One finding of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `<validator>.<rule>`, for example `security.exec` or `contract.duplicate-key`; stable.
    pub rule_id: &'static str,
    /// How bad it is.
    pub level: Level,
    /// One sentence that names the thing.
    pub message: String,
    /// The file, relative to the package or as the user named it; `None` when the finding is about
    /// the whole package.
    pub uri: Option<String>,
    /// The place in the file; `None` for the whole file.
    pub span: Option<Span>,
    /// The next step, if there is an obvious one.
    pub help: Option<String>,
    /// A change of the text that mends it and changes nothing else.
    pub fix: Option<Fix>,
    /// What the text itself says for leaving it as it is; then it does not count.
    pub suppression: Option<String>,
}

/// A change of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What goes; empty where something is only put in.
    pub span: Span,
    /// What comes in its place.
    pub replacement: String,
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (span, new) = (&self.span, self.replacement.trim());
        let Span { start_line, start_column, end_line, end_column, .. } = span;
        match (span.start_byte == span.end_byte, new) {
            (true, new) => write!(f, "insert `{new}` at {start_line}:{start_column}"),
            (false, "") => {
                write!(f, "remove {start_line}:{start_column} to {end_line}:{end_column}")
            }
            (false, new) => write!(
                f,
                "replace {start_line}:{start_column} to {end_line}:{end_column} by `{new}`"
            ),
        }
    }
}

impl Finding {
    /// A finding without a place.
    pub fn new(rule_id: &'static str, level: Level, message: impl Into<String>) -> Self {
        Self {
            rule_id,
            level,
            message: message.into(),
            uri: None,
            span: None,
            help: None,
            fix: None,
            suppression: None,
        }
    }

    /// Says which file it is about.
    #[must_use]
    pub fn in_file(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// Says where in the file.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says which change mends it.
    #[must_use]
    pub fn with_fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// Whether the text itself says that it may stay.
    pub fn is_suppressed(&self) -> bool {
        self.suppression.is_some()
    }
}
