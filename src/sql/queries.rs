//! The canned queries: one text per number, used by the shell, the command line and reports alike.
//!
//! A query is a file: a header of comments, then plain SQL. The header names the query, the
//! question it answers, its parameters and the chart that shows it best:
//!
//! ```sql
//! -- name: latency
//! -- question: How long does each step take?
//! -- param: since time = NULL | only runs started since then
//! -- chart: bar step_name p95_ms
//! ```
//!
//! Those of the project are in `queries/`, compiled in; a user keeps more in folders of his own.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::params::{ParamValue, Params};
use crate::error::{Error, IoContext, Result, nearest};

mod header;

/// Every file of `queries/`, in the order in which they are listed.
const TEXTS: &[(&str, &str)] = &[
    ("latency", include_str!("../../queries/latency.sql")),
    ("latency_trend", include_str!("../../queries/latency_trend.sql")),
    ("latency_hourly", include_str!("../../queries/latency_hourly.sql")),
    ("latency_heatmap", include_str!("../../queries/latency_heatmap.sql")),
    ("regressions", include_str!("../../queries/regressions.sql")),
    ("bottlenecks", include_str!("../../queries/bottlenecks.sql")),
    ("step_share", include_str!("../../queries/step_share.sql")),
    ("queueing", include_str!("../../queries/queueing.sql")),
    ("retries", include_str!("../../queries/retries.sql")),
    ("why", include_str!("../../queries/why.sql")),
    ("slowest_runs", include_str!("../../queries/slowest_runs.sql")),
    ("quality_trend", include_str!("../../queries/quality_trend.sql")),
    ("quality_daily", include_str!("../../queries/quality_daily.sql")),
    ("quality_change", include_str!("../../queries/quality_change.sql")),
    ("scores", include_str!("../../queries/scores.sql")),
    ("templates", include_str!("../../queries/templates.sql")),
    ("failures", include_str!("../../queries/failures.sql")),
    ("error_rate", include_str!("../../queries/error_rate.sql")),
    ("errors", include_str!("../../queries/errors.sql")),
    ("top_rules", include_str!("../../queries/top_rules.sql")),
    ("rule_trend", include_str!("../../queries/rule_trend.sql")),
    ("suppressions", include_str!("../../queries/suppressions.sql")),
    ("runs", include_str!("../../queries/runs.sql")),
    ("history", include_str!("../../queries/history.sql")),
    ("throughput", include_str!("../../queries/throughput.sql")),
    ("contracts", include_str!("../../queries/contracts.sql")),
    ("lineage", include_str!("../../queries/lineage.sql")),
    ("batches", include_str!("../../queries/batches.sql")),
    ("batch_summary", include_str!("../../queries/batch_summary.sql")),
    ("compare", include_str!("../../queries/compare.sql")),
    ("model_usage", include_str!("../../queries/model_usage.sql")),
    ("cost_per_success", include_str!("../../queries/cost_per_success.sql")),
];

/// Longest file of a query.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Most files of one folder.
const FILES_MAX: usize = 10_000;

/// One canned query.
#[derive(Debug, Clone, PartialEq)]
pub struct CannedQuery {
    /// Its name, which is also its file's.
    pub name: String,
    /// The question it answers, a sentence.
    pub question: String,
    /// Its parameters, in the order of the header.
    pub params: Vec<Param>,
    /// What the header says of the columns of the answer; views and table functions name all.
    pub columns: Vec<OutputColumn>,
    /// How a report draws it; `None` for a table.
    pub chart: Option<Chart>,
    /// The whole file: plain SQL with `$parameters`.
    pub sql: String,
    /// The file; `None` for those of the project.
    pub uri: Option<String>,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// text, bigint, double, boolean, timestamp or binary.
    pub kind: String,
    /// What it says, a phrase.
    pub doc: String,
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

static BUILTIN: LazyLock<Queries> = LazyLock::new(|| Queries {
    all: parsed(TEXTS), // a test finds a header that does not parse
    broken: Vec::new(),
});

/// The queries among `texts` whose headers are right.
pub(super) fn parsed(texts: &[(&str, &str)]) -> Vec<CannedQuery> {
    texts.iter().filter_map(|(name, text)| header::parse(name, text, None).ok()).collect()
}

/// The queries that can be asked by name.
#[derive(Debug, Clone, Default)]
pub struct Queries {
    all: Vec<CannedQuery>,
    /// Names of files that are no queries, and why.
    broken: Vec<(String, Arc<Error>)>,
}

impl Queries {
    /// Those of the project.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Adds the `.sql` files of a folder, in the order of their names; one with the name of a query
    /// that is there takes its place. A file that is no query is kept in mind: whoever asks for it
    /// is told why, and [`Self::broken`] lists it.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).context("list the queries of", folder)? {
            let path = entry.context("list the queries of", folder)?.path();
            if path.extension().is_some_and(|it| it == "sql") {
                paths.push(path);
            }
            if paths.len() > FILES_MAX {
                let (folder, max) = (folder.display(), FILES_MAX);
                return Err(Error::invalid(format!("{folder} holds more than {max} queries")));
            }
        }
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let uri = path.display().to_string();
            let read = text_of(&path).and_then(|text| header::parse(&name, &text, Some(&uri)));
            self.all.retain(|it| it.name != name);
            self.broken.retain(|it| it.0 != name);
            match read {
                Ok(query) => self.all.push(query),
                Err(error) => self.broken.push((name, Arc::new(error))),
            }
        }
        Ok(())
    }

    /// Every query.
    pub fn all(&self) -> &[CannedQuery] {
        &self.all
    }

    /// What is wrong with the files that are no queries.
    pub fn broken(&self) -> impl Iterator<Item = &Error> {
        self.broken.iter().map(|it| it.1.as_ref())
    }

    /// The query of a name.
    ///
    /// # Errors
    /// Kind `Usage` with the nearest name when there is none; what is wrong with its file.
    pub fn find(&self, name: &str) -> Result<&CannedQuery> {
        if let Some(query) = self.all.iter().find(|it| it.name == name) {
            return Ok(query);
        }
        if let Some((_, error)) = self.broken.iter().find(|it| it.0 == name) {
            return Err(error.again());
        }
        let error = Error::usage(format!("there is no query {name}"));
        if name.contains(char::is_whitespace) {
            return Err(error.with_hint("to run SQL, use `genstore sql`; a query has a name"));
        }
        Err(match nearest(name, self.all.iter().map(|it| it.name.as_str())) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => {
                let names: Vec<_> = self.all.iter().map(|it| it.name.as_str()).collect();
                error.with_hint(format!("queries are {}", names.join(", ")))
            }
        })
    }
}

fn text_of(path: &Path) -> Result<String> {
    let size_bytes = std::fs::metadata(path).context("read", path)?.len();
    if size_bytes > FILE_BYTES_MAX {
        let (path, max) = (path.display(), FILE_BYTES_MAX >> 20);
        return Err(Error::invalid(format!("{path} is longer than {max} MiB: no query is")));
    }
    let text = std::fs::read_to_string(path).context("read", path)?;
    // what some editors put before a text is no SQL
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

impl CannedQuery {
    /// Values for all parameters: those given, as typed by a user, and the defaults of the others.
    pub fn bind(&self, args: &[(&str, &str)]) -> Result<Params> {
        let mut params = Params::new();
        for (name, text) in args {
            let Some(param) = self.params.iter().find(|it| it.name == *name) else {
                return Err(self.unknown(name));
            };
            if params.insert(param.name.clone(), param.value(&self.name, text)?).is_some() {
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
                Some(text) => param.value(&self.name, text)?,
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
