//! What the engine says about a query, in this project's words: one sentence that names the thing,
//! the place where it is known, and the nearest name that exists. Changes no query.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use arrow::error::ArrowError;
use datafusion::common::diagnostic::Diagnostic;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::parser::ParserError;

use super::files::is_path;
use super::position::Located;
use super::views::{table_functions, views};
use crate::error::{Error, ErrorKind, nearest};
use crate::event::Table;
use crate::store::snapshot::CHECK_HINT;

/// Keywords worth a "did you mean".
const KEYWORDS: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "HAVING", "LIMIT", "OFFSET", "JOIN", "LEFT",
    "RIGHT", "INNER", "OUTER", "ON", "USING", "UNION", "WITH", "DISTINCT", "BETWEEN", "LIKE",
    "EXPLAIN", "ANALYZE", "DESCRIBE", "SHOW", "TABLES", "VALUES", "CASE", "WHEN", "THEN", "ELSE",
    "END",
];

/// What the engine puts before its messages.
const PREFIXES: &[&str] = &[
    "Error during planning: ",
    "Execution error: ",
    "Arrow error: ",
    "Schema error: ",
    "Optimizer rule ",
    "This feature is not implemented: ",
];

/// A message of the engine is cut here: some hold a whole plan.
const MESSAGE_CHARS_MAX: usize = 400;

/// The names a query may use.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) functions: Vec<String>,
}

impl Vocabulary {
    pub(super) fn of(context: &SessionContext) -> Self {
        let state = context.state();
        let mut names = BTreeSet::new();
        names.extend(state.scalar_functions().keys().cloned());
        names.extend(state.aggregate_functions().keys().cloned());
        names.extend(state.window_functions().keys().cloned());
        names.extend(state.table_functions().keys().cloned());
        names.extend(table_functions().iter().map(|it| it.name.clone()));
        Self { functions: names.into_iter().collect() }
    }
}

/// The engine's error as an [`Error`].
pub(super) fn diagnose(error: &DataFusionError, sql: &str, names: &Vocabulary) -> Error {
    let (root, diagnostic) = unwrapped(error);
    let located = place(diagnostic, &root.to_string(), sql);
    let quoted = located.as_ref().is_some_and(|it| it.text(sql).ends_with('"'));
    let told = match root {
        DataFusionError::SchemaError(error, _) => schema(error, quoted),
        _ => explain(root, names),
    };
    match located {
        Some(located) => told.with_source(located),
        None => told,
    }
}

/// The innermost of the engine's errors, and the first diagnostic on the way to it.
fn unwrapped(error: &DataFusionError) -> (&DataFusionError, Option<&Diagnostic>) {
    let mut inner = error;
    let mut found: Option<&Diagnostic> = None;
    loop {
        inner = match inner {
            DataFusionError::Diagnostic(diagnostic, source) => {
                found = found.or(Some(diagnostic));
                source
            }
            DataFusionError::Context(_, source) => source,
            DataFusionError::Shared(source) => source,
            DataFusionError::Collection(errors) => match errors.first() {
                Some(first) => first,
                None => return (inner, found),
            },
            DataFusionError::ArrowError(source, _) => match source.as_ref() {
                ArrowError::ExternalError(source) => match source.downcast_ref() {
                    Some(source) => source,
                    None => return (inner, found),
                },
                _ => return (inner, found),
            },
            DataFusionError::External(source) => match source.downcast_ref() {
                Some(source) => source,
                None => return (inner, found),
            },
            _ => return (inner, found),
        }
    }
}

fn place(diagnostic: Option<&Diagnostic>, message: &str, sql: &str) -> Option<Located> {
    if let Some(span) = diagnostic.and_then(|it| it.span) {
        let end = (span.end.line, span.end.column);
        return Located::new(sql, (span.start.line, span.start.column), Some(end));
    }
    let (line, rest) = message.rsplit_once("Line: ")?.1.split_once(", Column: ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Located::new(sql, (line.parse().ok()?, digits.parse().ok()?), None)
}

fn explain(error: &DataFusionError, names: &Vocabulary) -> Error {
    if let Some(told) = told(error) {
        return copied(told);
    }
    match error {
        DataFusionError::SQL(error, _) => syntax(error),
        DataFusionError::SchemaError(error, _) => schema(error, false),
        DataFusionError::Plan(message) => plan(message, names),
        DataFusionError::External(source) => Error::failed(first_line(&source.to_string())),
        DataFusionError::NotImplemented(message) => {
            // What follows a brace is a dump of the syntax tree.
            let message = first_line(message);
            let said = message.split(" {").next().unwrap_or(&message);
            Error::invalid(format!("not supported: {said}"))
        }
        DataFusionError::Configuration(message) => Error::invalid(first_line(message)),
        DataFusionError::ResourcesExhausted(message) => exhausted(message),
        DataFusionError::Internal(message) => internal(message),
        DataFusionError::Execution(message) => Error::failed(first_line(message)),
        DataFusionError::ArrowError(error, _) if matches!(**error, ArrowError::ParquetError(_)) => {
            let message = first_line(&error.to_string());
            Error::damaged(format!("cannot read a file of the tables: {message}"))
                .with_hint(CHECK_HINT)
        }
        DataFusionError::ArrowError(error, _) => Error::failed(arrow_message(error)),
        DataFusionError::ParquetError(_) | DataFusionError::ObjectStore(_) => {
            let message = first_line(&error.message());
            Error::damaged(format!("cannot read a file of the tables: {message}"))
                .with_hint(CHECK_HINT)
        }
        other => Error::failed(first_line(&other.message())),
    }
}

/// What the store, or the folder of spill files, said, if that is the cause.
pub(super) fn told(error: &DataFusionError) -> Option<&Error> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |it: &&(dyn StdError + 'static)| (*it).source()).find_map(
        |it| {
            // an error of input and output passes its cause over
            let inner = it.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            it.downcast_ref().or_else(|| inner?.downcast_ref())
        },
    )
}

fn copied(error: &Error) -> Error {
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{}: {}", error.message(), first_line(&source.to_string())),
        None => error.message().to_owned(),
    };
    let copy = Error::new(error.kind(), message);
    match error.hint() {
        Some(hint) => copy.with_hint(hint),
        None if error.kind() == ErrorKind::Damaged => copy.with_hint(CHECK_HINT),
        None => copy,
    }
}

fn syntax(error: &ParserError) -> Error {
    let text = match error {
        ParserError::TokenizerError(it) | ParserError::ParserError(it) => it.as_str(),
        ParserError::RecursionLimitExceeded => {
            return Error::invalid("the statement is nested too deeply")
                .with_hint("split it with WITH … AS (…)");
        }
    };
    let text = text.split(" at Line: ").next().unwrap_or(text).trim();
    let found = text.rsplit_once("found: ").map_or("", |it| it.1).trim();
    let message = text.replacen("Expected: ", "expected ", 1);
    let message = Error::invalid(format!("syntax error: {message}"));
    match nearest(found, KEYWORDS.iter().copied()) {
        Some(near) if !near.eq_ignore_ascii_case(found) => {
            message.with_hint(format!("did you mean {near}?"))
        }
        _ => message,
    }
}

/// `quoted`: the name stands in double quotes, as a text would in other languages.
fn schema(error: &SchemaError, quoted: bool) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut tables: Vec<String> =
                valid_fields.iter().filter_map(|it| it.relation.as_ref()).map(short).collect();
            tables.dedup();
            if let Some(table) = field.relation.as_ref().map(short)
                && !tables.is_empty()
                && !tables.contains(&table)
            {
                return no_relation(&table, &tables);
            }
            let place = if tables.is_empty() {
                String::new()
            } else {
                format!(" in {}", tables.join(", "))
            };
            let error = Error::invalid(format!("there is no column {}{place}", field.name));
            let candidates = valid_fields.iter().map(|it| it.name.as_str());
            if let Some(near) = nearest(&field.name, candidates) {
                return error.with_hint(format!("did you mean {near}?"));
            }
            match elsewhere(&field.name) {
                Some(table) => error.with_hint(format!("{table} has a column of that name")),
                None if quoted || valid_fields.is_empty() => {
                    let example = if quoted { &field.name } else { "like this" };
                    error.with_hint(format!("text is written in single quotes: '{example}'"))
                }
                None => {
                    let all: Vec<_> = valid_fields.iter().map(|it| it.name.as_str()).collect();
                    error.with_hint(format!("columns are {}", all.join(", ")))
                }
            }
        }
        SchemaError::AmbiguousReference { field } => {
            Error::invalid(format!("column {} is in more than one table", field.name))
                .with_hint("write the table's name before it: table.column")
        }
        other => Error::invalid(first_line(&other.to_string())),
    }
}

fn short(table: &datafusion::common::TableReference) -> String {
    table.table().to_owned()
}

fn no_relation(name: &str, tables: &[String]) -> Error {
    let error = Error::invalid(format!("there is no table {name} in this query"));
    match nearest(name, tables.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error.with_hint(format!("its tables are {}", tables.join(", "))),
    }
}

fn elsewhere(column: &str) -> Option<&'static str> {
    let has = |table: &&Table| table.columns().iter().any(|it| it.name == column);
    Table::ALL.iter().find(has).map(|it| it.name())
}

fn plan(message: &str, names: &Vocabulary) -> Error {
    let quoted = |prefix: &str, suffix: &str| {
        let rest = message.strip_prefix(prefix)?;
        Some(rest.split_once(suffix)?.0.to_owned())
    };
    if let Some(table) = quoted("table '", "' not found") {
        let file = table.trim_start_matches("genstore.main.").trim_matches('"');
        if is_path(file) || file.contains(':') {
            return Error::invalid(format!("there is no table '{file}'")).with_hint(
                "SQL reads the tables of the store; files with --files, or in the shell",
            );
        }
        let name = table.rsplit('.').next().unwrap_or(&table).trim_matches('"').to_owned();
        let error = Error::invalid(format!("there is no table {name}"));
        let views = views().iter().map(|it| it.name.as_str());
        let all: Vec<&str> = Table::ALL.iter().map(|it| it.name()).chain(views).collect();
        return match nearest(&name, all.iter().copied()) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error.with_hint(format!("tables are {}", all.join(", "))),
        };
    }
    let function = quoted("Invalid function '", "'")
        .or_else(|| quoted("table function '", "' not found"))
        .or_else(|| quoted("There is no table function named '", "'"));
    if let Some(name) = function {
        let error = Error::invalid(format!("there is no function {name}"));
        return match nearest(&name, names.functions.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error.with_hint("SHOW FUNCTIONS lists them"),
        };
    }
    if message.starts_with("Projections require unique expression names") {
        return Error::invalid("two columns of the result have the same name")
            .with_hint("give one of them another: … AS name");
    }
    // A function that refuses its arguments says why inside of what the engine says.
    let reason = message.split_once("coercion failed with: ").map_or(message, |it| it.1);
    let reason = reason.split_once("While expanding wildcard, ").map_or(reason, |it| it.1);
    let reason = reason.split(", currently only ").next().unwrap_or(reason);
    let message = reason.split(" No function matches").next().unwrap_or(reason);
    let message = message.split(" You might need to add").next().unwrap_or(message);
    let (message, hint) = match message.split_once('\n') {
        Some((message, hint)) => (message, Some(hint.trim())),
        None => (message, None),
    };
    let error = Error::invalid(first_line(message));
    match hint {
        Some(hint) if !hint.is_empty() => error.with_hint(first_line(hint)),
        _ => error,
    }
}

/// Who asks for memory, by how the engine calls it: what it is to a user, and what takes less.
const CONSUMERS: &[(&str, &str, &str)] = &[
    ("Join", "the smaller side of a join", "join fewer rows or columns"),
    ("SMJ", "the rows of one key of a join", "join fewer rows or columns"),
    ("Aggregate", "an aggregate", "group by fewer values, or gather less of each"),
    ("Window", "a window function, which keeps all rows,", "give it fewer rows or columns"),
    ("Recursive", "WITH RECURSIVE", "end the recursion earlier"),
    ("Sort", "a sort", "sort fewer columns, or add a LIMIT"),
    ("TopK", "a sort with a LIMIT", "ask for fewer columns or rows"),
    ("LongValues", "a text or a list that a function makes", "make shorter ones"),
    ("Repartition", "an exchange between threads", "ask for fewer columns"),
];

fn exhausted(message: &str) -> Error {
    let needs_more = "the query needs more memory than it may have";
    // "… for Name[3] with …": a message tells first who asked, then who holds how much
    let asks = message.rsplit(" for ").find_map(|it| {
        let name = it.split([' ', '[', '(']).next()?;
        CONSUMERS.iter().find(|(part, ..)| name.contains(part))
    });
    match asks {
        Some((_, what, less)) => Error::failed(format!("{needs_more}: {what} does not fit"))
            .with_hint(format!("filter earlier, {less}, or raise sql.memory_bytes_max")),
        None => {
            let what = first_line(message);
            let what = what.split(" with top memory consumers").next().unwrap_or(&what);
            Error::failed(format!("{needs_more}: {what}"))
                .with_hint("filter earlier, ask for fewer columns, or raise sql.memory_bytes_max")
        }
    }
}

fn internal(message: &str) -> Error {
    let message = message.split("This issue was likely caused").next().unwrap_or(message);
    Error::internal(format!(
        "the SQL engine failed: {}",
        first_line(message.trim_end_matches(".\n"))
    ))
}

fn arrow_message(error: &ArrowError) -> String {
    match error {
        ArrowError::DivideByZero => "division by zero".to_owned(),
        ArrowError::CastError(it)
        | ArrowError::ComputeError(it)
        | ArrowError::ParseError(it)
        | ArrowError::InvalidArgumentError(it)
        | ArrowError::ArithmeticOverflow(it) => first_line(it),
        other => first_line(&other.to_string()),
    }
}

/// The first line, without the engine's prefixes.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut line = line.trim();
    while let Some(rest) = PREFIXES.iter().find_map(|it| line.strip_prefix(it)) {
        line = rest;
    }
    let line = line.trim_end_matches('.');
    let short: String = line.chars().take(MESSAGE_CHARS_MAX).collect();
    lowered(&if short.len() < line.len() { short + "…" } else { short })
}

/// A sentence that goes on after a colon begins in lower case, unless its first word is a name.
fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
