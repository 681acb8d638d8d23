//! How a step says that it could not do its work. Decides nothing: `policy` does.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// What a failed attempt means for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// May work the next time: retried.
    Transient,
    /// Will fail the same way again: not retried.
    Permanent,
    /// The other side asks for patience: retried, not before `retry_after`.
    RateLimited {
        /// How long the other side wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
    /// Took too long: retried.
    Timeout,
    /// Was asked to stop: not retried.
    Cancelled,
    /// Answered, but not in the agreed form: retried, since a model may answer better.
    InvalidOutput,
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    /// What it means for the next attempt.
    pub class: ErrorClass,
    /// Class of the error for grouping: few values, no names and no numbers in it.
    pub error_type: Cow<'static, str>,
    /// What happened, naming the thing and the place.
    pub message: String,
}

impl StepError {
    /// An error of a class.
    pub fn new(
        class: ErrorClass,
        error_type: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { class, error_type: error_type.into(), message: message.into() }
    }

    /// May work the next time.
    pub fn transient(error_type: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Transient, error_type, message)
    }

    /// Will fail the same way again.
    pub fn permanent(error_type: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Permanent, error_type, message)
    }

    /// A mistake of the pipeline itself: a wrong step name or type.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::permanent("internal", message)
    }

    /// Was asked to stop.
    pub fn cancelled(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Cancelled, "cancelled", message)
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Self::new(ErrorClass::Timeout, "timeout", format!("no answer within {limit:?}"))
    }

    pub(super) fn queued_too_long(limit: Duration) -> Self {
        let message = format!("no place became free within {limit:?}");
        Self::new(ErrorClass::Timeout, "queue_deadline", message)
    }

    pub(super) fn took_too_long(limit: Duration) -> Self {
        let message = format!("attempts and waits took longer than {limit:?}");
        Self::new(ErrorClass::Timeout, "total_deadline", message)
    }

    pub(super) fn circuit_open(resource: &str, failures: u32, left: Duration) -> Self {
        let times = if failures == 1 { "once" } else { "again and again" };
        let message =
            format!("`{resource}` has failed {times} and is left alone for another {left:?}");
        let class = ErrorClass::RateLimited { retry_after: Some(left) };
        Self::new(class, "circuit_open", message)
    }

    pub(super) fn no_time_to_undo() -> Self {
        Self::new(ErrorClass::Timeout, "undo_deadline", "the time to take effects back is over")
    }

    pub(super) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::permanent("panic", format!("the component panicked: {text}"))
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StepError {}

/// Keeps message, causes and hint; nothing of ours is worth a retry by itself.
impl From<Error> for StepError {
    fn from(error: Error) -> Self {
        let (class, error_type) = match error.kind() {
            ErrorKind::Interrupted => (ErrorClass::Cancelled, "cancelled"),
            ErrorKind::Usage => (ErrorClass::Permanent, "usage"),
            ErrorKind::Invalid => (ErrorClass::Permanent, "invalid"),
            ErrorKind::Failed => (ErrorClass::Permanent, "failed"),
            ErrorKind::Gate => (ErrorClass::Permanent, "gate"),
            ErrorKind::Unavailable => (ErrorClass::Permanent, "unavailable"),
            ErrorKind::Damaged => (ErrorClass::Permanent, "damaged"),
            ErrorKind::Internal => (ErrorClass::Permanent, "internal"),
        };
        let mut message = error.to_string();
        let mut cause = StdError::source(&error);
        while let Some(source) = cause {
            message.push_str(": ");
            message.push_str(&source.to_string());
            cause = source.source();
        }
        if let Some(hint) = error.hint() {
            message.push_str("; ");
            message.push_str(hint);
        }
        Self::new(class, error_type, message)
    }
}
