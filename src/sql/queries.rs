//! The canned queries: one text per number, used by the shell, the command line and reports alike.
//!
//! A query is a file of `queries/`, compiled in: a header of comments, then plain SQL. The header
//! names the query, the question it answers, its parameters and the chart that shows it best:
//!
//! ```sql
//! -- name: latency
//! -- question: How long does each step take?
//! -- param: since time = NULL | only runs started since then
//! -- chart: bar step_name p95_ms
//! ```

use std::sync::LazyLock;

use super::params::{ParamValue, Params};
use crate::error::{Error, Result, nearest};

mod header;

/// Every file of `queries/`, in the order in which they are listed.
const TEXTS: &[(&str, &str)] = &[
    ("latency", include_str!("../../queries/latency.sql")),
    ("latency_trend", include_str!("../../queries/latency_trend.sql")),
    ("bottlenecks", include_str!("../../queries/bottlenecks.sql")),
    ("quality_trend", include_str!("../../queries/quality_trend.sql")),
    ("scores", include_str!("../../queries/scores.sql")),
    ("top_rules", include_str!("../../queries/top_rules.sql")),
    ("failures", include_str!("../../queries/failures.sql")),
    ("slowest_runs", include_str!("../../queries/slowest_runs.sql")),
    ("runs", include_str!("../../queries/runs.sql")),
    ("contracts", include_str!("../../queries/contracts.sql")),
    ("batches", include_str!("../../queries/batches.sql")),
    ("batch_summary", include_str!("../../queries/batch_summary.sql")),
];

/// One canned query.
#[derive(Debug, Clone, PartialEq)]
pub struct CannedQuery {
    /// Its name, which is also its file's.
    pub name: &'static str,
    /// The question it answers, a sentence.
    pub question: String,
    /// Its parameters, in the order of the header.
    pub params: Vec<Param>,
    /// How a report draws it; `None` for a table.
    pub chart: Option<Chart>,
    /// The whole file: plain SQL with `$parameters`.
    pub sql: String,
}

/// A parameter of a canned query.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name, without the `$`.
    pub name: String,
    /// What it takes.
    pub kind: ParamType,
    /// Its value when the user gives none, as the user would write it; `None` is NULL, which
    /// leaves the parameter out of consideration.
    pub default: Option<String>,
    /// Whether the user must give it.
    pub required: bool,
    /// What it does, a phrase.
    pub doc: String,
}

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamType {
    /// Any text.
    Text,
    /// A whole number, not negative: all are counts.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A moment: `2026-11-22`, `2026-11-22T17:00:00Z`, or `7d` for seven days ago.
    Time,
    /// One of these words.
    Choice(Vec<String>),
}

/// How a report draws a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// `bar` or `line`.
    pub kind: String,
    /// The column along the axis.
    pub x: String,
    /// The columns drawn.
    pub y: Vec<String>,
}

static ALL: LazyLock<Vec<CannedQuery>> = LazyLock::new(|| {
    // A header that does not parse is a mistake of this repository: a test finds it.
    TEXTS.iter().filter_map(|(name, text)| header::parse(name, text).ok()).collect()
});

/// Every canned query.
pub fn all() -> &'static [CannedQuery] {
    &ALL
}

/// The canned query of a name; kind `Usage` with the nearest name when there is none.
pub fn find(name: &str) -> Result<&'static CannedQuery> {
    if let Some(query) = ALL.iter().find(|it| it.name == name) {
        return Ok(query);
    }
    let error = Error::usage(format!("there is no query {name}"));
    Err(match nearest(name, ALL.iter().map(|it| it.name)) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => {
            let names: Vec<_> = ALL.iter().map(|it| it.name).collect();
            error.with_hint(format!("queries are {}", names.join(", ")))
        }
    })
}

impl CannedQuery {
    /// Values for all parameters: those given, as typed by a user, and the defaults of the others.
    pub fn bind(&self, args: &[(&str, &str)]) -> Result<Params> {
        let mut params = Params::new();
        for (name, text) in args {
            let Some(param) = self.params.iter().find(|it| it.name == *name) else {
                return Err(self.unknown(name));
            };
            if params.insert(param.name.clone(), param.value(self.name, text)?).is_some() {
                return Err(Error::usage(format!("parameter {name} is given twice")));
            }
        }
        for param in &self.params {
            if params.contains_key(&param.name) {
                continue;
            }
            if param.required {
                let message = format!("query {} needs its parameter {}", self.name, param.name);
                let hint = format!("{}=…: {}", param.name, param.doc);
                return Err(Error::usage(message).with_hint(hint));
            }
            let value = match &param.default {
                Some(text) => param.value(self.name, text)?,
                None => ParamValue::Null,
            };
            params.insert(param.name.clone(), value);
        }
        Ok(params)
    }

    fn unknown(&self, name: &str) -> Error {
        let error = Error::usage(format!("query {} has no parameter {name}", self.name));
        match nearest(name, self.params.iter().map(|it| it.name.as_str())) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None if self.params.is_empty() => error.with_hint("it takes none"),
            None => {
                let names: Vec<_> = self.params.iter().map(|it| it.name.as_str()).collect();
                error.with_hint(format!("its parameters are {}", names.join(", ")))
            }
        }
    }
}

impl Param {
    /// The typed value of a text; kind `Usage` when it is none of this type.
    fn value(&self, query: &str, text: &str) -> Result<ParamValue> {
        let value = match &self.kind {
            ParamType::Text => Some(ParamValue::Text(text.to_owned())),
            ParamType::Int => text.parse().ok().filter(|it| *it >= 0).map(ParamValue::Int),
            ParamType::Float => {
                text.parse().ok().filter(|it: &f64| it.is_finite()).map(ParamValue::Float)
            }
            ParamType::Bool => text.parse().ok().map(ParamValue::Bool),
            ParamType::Time => moment(text),
            ParamType::Choice(words) => {
                words.iter().find(|it| *it == text).map(|it| ParamValue::Text(it.clone()))
            }
        };
        value.ok_or_else(|| {
            let (name, expected) = (&self.name, self.kind.describe());
            let error = Error::usage(format!(
                "parameter {name} of query {query} takes {expected}, not {text:?}"
            ));
            match &self.kind {
                ParamType::Choice(words) => match nearest(text, words.iter().map(String::as_str)) {
                    Some(near) => error.with_hint(format!("did you mean {near}?")),
                    None => error,
                },
                _ => error,
            }
        })
    }
}

impl ParamType {
    /// What a user may type, in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Int => "a whole number from 0".to_owned(),
            Self::Float => "a number".to_owned(),
            Self::Bool => "true or false".to_owned(),
            Self::Time => {
                "a time (2026-11-22, 2026-11-22T17:00:00Z, or an age such as 7d)".to_owned()
            }
            Self::Choice(words) => words.join(" or "),
        }
    }
}

fn moment(text: &str) -> Option<ParamValue> {
    if crate::clock::duration_us(text).is_some() {
        return Some(ParamValue::Ago(text.to_owned()));
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).map(|it| it.timestamp_micros());
    let date = || {
        let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros())
    };
    time.ok().or_else(date).map(ParamValue::Time)
}

#[cfg(test)]
mod tests;
