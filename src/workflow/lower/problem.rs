//! What is wrong with a definition, and where. Decides nothing.

use std::fmt;

/// Something that keeps a definition from being a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place in the definition, as a JSON pointer such as `/steps/2/with/value`.
    pub path: String,
    /// What is wrong, naming the thing.
    pub message: String,
    /// The next step, if there is an obvious one.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }

    /// Adds the next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the name that was probably meant, if one is near.
    #[must_use]
    pub fn with_nearest(self, near: Option<&str>) -> Self {
        match near {
            Some(near) => self.with_hint(format!("Did you mean `{near}`?")),
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
