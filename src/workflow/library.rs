//! Components by name: what each wants and gives, known before anything runs, so that a pipeline
//! written as a file is checked whole. Runs nothing.
//!
//! A component of the library works on JSON: what it is given is a map of inputs, and what it hands
//! on is a [`serde_json::Value`]. A step of a composition binds it to expressions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::component::{Lane, Output};
use super::context::StepContext;
use super::failure::StepError;
use crate::clock::duration_us;
use crate::error::{Error, Result, nearest};

/// A component that works on JSON.
pub trait Task: fmt::Debug + Send + Sync {
    /// What is known of it.
    fn about(&self) -> &About;

    /// Where the work is done.
    fn lane(&self) -> Lane {
        Lane::Inline
    }

    /// Does the work once. `inputs` has a value of the right kind for every input that is required
    /// or has a default, and no name that [`About`] does not list, unless it is open. The output
    /// holds a [`Json`]. The future is dropped when the attempt times out or the run is cancelled
    /// and its grace is over: whatever it holds must end with it.
    fn call(
        &self,
        inputs: Map<String, Json>,
        ctx: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>>;
}

/// What is known of a component before it runs.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its name in pipelines and in the `steps` table.
    pub name: String,
    /// Changes whenever the same inputs may give another output.
    pub version: String,
    /// What it does, in a sentence.
    pub description: String,
    /// What it takes.
    pub inputs: Vec<Input>,
    /// Whether it takes inputs that are not listed, too.
    pub open: bool,
    /// What it hands on, in words.
    pub output: String,
    /// Whether the same inputs always give the same output and nothing else happens: then a
    /// recorded output may stand in.
    pub pure: bool,
}

impl About {
    /// Its line in a list of components.
    pub fn listed(&self) -> Listed {
        let mut inputs: Vec<String> = self.inputs.iter().map(Input::in_words).collect();
        if self.open {
            inputs.push("any other".to_owned());
        }
        Listed {
            name: self.name.clone(),
            version: self.version.clone(),
            pure: self.pure,
            inputs: inputs.join(", "),
            output: self.output.clone(),
            description: self.description.clone(),
        }
    }
}

/// A component as a row, for a person who looks for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether a recorded output may stand in.
    pub pure: bool,
    /// Its inputs in words: `argv: list, stdin?: any, output: text = text`.
    pub inputs: String,
    /// What it hands on.
    pub output: String,
    /// What it does.
    pub description: String,
}

/// One input of a component, or one parameter of a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What a value must be.
    pub kind: Kind,
    /// Whether it must be given. One that is not and has no default is left out.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<Json>,
    /// The only texts it may be, if there are only some.
    pub one_of: Vec<String>,
    /// What it means, in words.
    pub description: String,
}

impl Input {
    /// An input that must be given.
    pub fn required(name: &str, kind: Kind, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            required: true,
            default: None,
            one_of: Vec::new(),
            description: description.to_owned(),
        }
    }

    /// An input that may be left out.
    pub fn optional(name: &str, kind: Kind, description: &str) -> Self {
        Self { required: false, ..Self::required(name, kind, description) }
    }

    /// Sets what it is when it is not given.
    #[must_use]
    pub fn or(mut self, default: impl Into<Json>) -> Self {
        (self.required, self.default) = (false, Some(default.into()));
        self
    }

    /// Sets the only texts it may be.
    #[must_use]
    pub fn one_of(mut self, texts: &[&str]) -> Self {
        self.one_of = texts.iter().map(|it| (*it).to_owned()).collect();
        self
    }

    /// What is wrong with a value for it, as a sentence that names both; `None` if nothing is.
    pub fn problem(&self, value: &Json) -> Option<String> {
        let (name, found) = (&self.name, shown(value));
        if !self.kind.admits(value) {
            return Some(format!("`{name}` is {found}, not {}", self.kind.in_words()));
        }
        let text = value.as_str().filter(|_| !self.one_of.is_empty())?;
        if self.one_of.iter().any(|it| it == text) {
            return None;
        }
        let choices = format!("`{}`", self.one_of.join("`, `"));
        Some(match nearest(text, self.one_of.iter().map(String::as_str)) {
            Some(near) => {
                format!("`{name}` is {found}; did you mean `{near}`? It may be {choices}")
            }
            None => format!("`{name}` is {found}; it may be {choices}"),
        })
    }

    /// Name and kind, with `?` when it may be left out, and its default.
    fn in_words(&self) -> String {
        let Self { name, kind, required, default, .. } = self;
        match default {
            Some(Json::String(text)) => format!("{name}: {kind} = {text}"),
            Some(default) => format!("{name}: {kind} = {default}"),
            None if *required => format!("{name}: {kind}"),
            None => format!("{name}?: {kind}"),
        }
    }
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Anything.
    #[default]
    Any,
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// A mapping.
    Mapping,
    /// A time span as text, such as `250ms`, `2s`, `5m`; a bare number counts as seconds.
    Duration,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Any,
        Self::Text,
        Self::Integer,
        Self::Number,
        Self::Boolean,
        Self::List,
        Self::Mapping,
        Self::Duration,
    ];

    /// The name in pipeline files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Mapping => "mapping",
            Self::Duration => "duration",
        }
    }

    /// The kind with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether a value is of this kind.
    pub fn admits(self, value: &Json) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Mapping => value.is_object(),
            Self::Duration => duration(value).is_some(),
        }
    }

    /// What the kind is called in a message: `a text`, `a whole number`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::List => "a list",
            Self::Mapping => "a mapping",
            Self::Duration => "a time span such as `250ms` or `2s`",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Most characters of a value in a message.
const SHOWN_CHARS_MAX: usize = 60;

/// A value as a message shows it: as JSON, cut when it is long.
pub(super) fn shown(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// The longest time span: a century, as of texts.
const SPAN_MAX: Duration = Duration::from_secs(3_200_000_000);

/// A time span that a value stands for: a text such as `250ms`, or a number of seconds. `None` for
/// anything else, and for one that is negative or longer than a century.
pub fn duration(value: &Json) -> Option<Duration> {
    if let Some(seconds) = value.as_f64() {
        return Duration::try_from_secs_f64(seconds).ok().filter(|it| *it <= SPAN_MAX);
    }
    let us = duration_us(value.as_str()?.trim())?;
    u64::try_from(us).ok().map(Duration::from_micros)
}

/// Components by name. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Library {
    tasks: BTreeMap<String, Arc<dyn Task>>,
}

impl Library {
    /// A library without components.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component, in the place of one of the same name.
    #[must_use]
    pub fn with(mut self, task: impl Task + 'static) -> Self {
        self.tasks.insert(task.about().name.clone(), Arc::new(task));
        self
    }

    /// The component with this name.
    ///
    /// # Errors
    /// Invalid when there is none, with the nearest name.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Task>> {
        self.tasks.get(name).ok_or_else(|| {
            let error = Error::invalid(format!("there is no component `{name}`"));
            match nearest(name, self.tasks.keys().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint("`genstore pipeline components` lists them."),
            }
        })
    }

    /// Every component, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Task>> {
        self.tasks.values()
    }

    /// Every component as a row, by name.
    pub fn listed(&self) -> Vec<Listed> {
        self.iter().map(|task| task.about().listed()).collect()
    }
}

#[cfg(test)]
mod tests;
