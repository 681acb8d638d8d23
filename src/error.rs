//! The one error type of the crate: a kind that says what the caller should do, a message that
//! names the thing and the place, and an optional hint with the next step.
//!
//! Rooms never print and never choose exit codes; `cli` renders an [`Error`] once, at the edge.

use std::error::Error as StdError;
use std::fmt;

/// `Result` with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller should do about an error. A new kind exists only if someone would act
/// differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line was wrong: correct the call.
    Usage,
    /// Something the user wrote (a contract, a query, a setting) is wrong: correct it.
    Invalid,
    /// The work was understood and failed: look at the cause.
    Failed,
    /// A gate or an alert says no: the numbers are the message.
    Gate,
    /// The store cannot be used: choose another path, wait for a lock, or upgrade.
    Unavailable,
    /// Bytes on disk are not what was written: nothing was changed; check the store.
    Damaged,
    /// The user interrupted the work.
    Interrupted,
    /// A mistake of genstore itself: please report it.
    Internal,
}

impl ErrorKind {
    /// The process exit code: 0 fine, 1 the work failed, 2 usage, 3 a gate says no, 4 the store
    /// cannot be opened, 130 interrupted.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Invalid | Self::Failed | Self::Internal => 1,
            Self::Usage => 2,
            Self::Gate => 3,
            Self::Unavailable | Self::Damaged => 4,
            Self::Interrupted => 130,
        }
    }
}

/// An error with what is needed to act on it. `Display` is the message alone; the cause is
/// `source()`, the next step is [`Error::hint`].
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose message names the thing and the place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// A wrong command line.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A mistake in something the user wrote.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Work that was understood and failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// A store that cannot be used as it is.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// Bytes on disk that are not what was written.
    pub fn damaged(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged, message)
    }

    /// A mistake of genstore itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Adds the next step, a whole sentence or a command.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller should do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message without cause and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Message and cause in one line, for where only text can be kept.
    pub fn in_one_line(&self) -> String {
        match &self.source {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }

    /// The same error for one more caller: kind, message and hint; the cause becomes text.
    #[must_use]
    pub fn again(&self) -> Self {
        let (kind, hint) = (self.kind, self.hint.clone());
        Self { kind, message: self.in_one_line(), hint, source: None }
    }

    /// The next step, if there is an obvious one.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Says which file an IO error is about.
pub trait IoContext<T> {
    /// Turns an IO error into an [`Error`] of kind `Failed` that reads
    /// `cannot <action> <path>`, with the cause as its source.
    fn context(self, action: &str, path: &std::path::Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn context(self, action: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(|source| {
            Error::failed(format!("cannot {action} {}", path.display())).with_source(source)
        })
    }
}

/// The candidate nearest to what was typed, when it is near enough to be meant.
///
/// Nearness is the normalised Damerau–Levenshtein similarity; 0.6 is the cut-off.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|it| (strsim::normalized_damerau_levenshtein(&typed, &it.to_lowercase()), it))
        .filter(|(similarity, _)| *similarity >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, it)| it)
}
