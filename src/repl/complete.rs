//! What could stand at the cursor: tables, columns in scope, functions, keywords; between quotes
//! the names that the store has seen in that column; commands, queries, pipelines, parameters and
//! paths after a dot command. Pure but for listing the folder of a path and reading a pipeline.

use std::path::Path;

use super::command;
use super::listing::{columns_of, table_names};
use crate::event::Table;
use crate::output::Format;
use crate::pipeline::catalog;
use crate::sql::{Queries, table_functions};
use crate::store::NameKind;

/// Most candidates that are offered.
const CANDIDATES_MAX: usize = 200;
/// Most entries of a folder that are looked at.
const ENTRIES_MAX: usize = 5_000;

const KEYWORDS: [&str; 52] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CURRENT_TIMESTAMP",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FIRST",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "SHOW",
    "TABLES",
    "UNION",
    "USING",
    "WHERE",
    "WITH",
];

/// The candidates for the word before the cursor, and the byte of `line` at which that word
/// begins. `pending` is what was typed of the statement in earlier lines; `functions` are the
/// names of all functions; `names` gives those of a kind that begin with a prefix.
pub(super) fn complete(
    pending: &str,
    line: &str,
    cursor: usize,
    (functions, queries): (&[String], &Queries),
    names: &dyn Fn(NameKind, &str) -> Vec<String>,
) -> (usize, Vec<String>) {
    let before = line.get(..cursor).unwrap_or(line);
    let (start, mut candidates) = if pending.is_empty() && before.trim_start().starts_with('.') {
        dot_command(before, queries)
    } else if let Some(quoted) = Quoted::at_end(pending, before) {
        let names = quoted.column.map(|kind| names(kind, quoted.text)).unwrap_or_default();
        // a name with a quote in it would have to be written otherwise
        (quoted.start, names.into_iter().filter(|it| !it.contains('\'')).collect())
    } else {
        sql(&format!("{pending}{line}"), before, functions)
    };
    candidates.truncate(CANDIDATES_MAX);
    (start, candidates)
}

fn dot_command(before: &str, queries: &Queries) -> (usize, Vec<String>) {
    let start = before.rfind(char::is_whitespace).map_or(0, |it| it + 1);
    let word = before.get(start..).unwrap_or_default();
    let mut words = before.get(..start).unwrap_or_default().split_whitespace();
    let Some(name) = words.next() else {
        return (start, starting(word, command::names()));
    };
    let candidates = match (name, words.next()) {
        (".q" | ".query", None) => starting(word, queries.all().iter().map(|it| it.name.as_str())),
        (".q" | ".query", Some(query)) => {
            let query = queries.all().iter().find(|it| it.name == query);
            let params = query.iter().flat_map(|it| it.params.iter());
            starting(word, params.map(|it| format!("{}=", it.name)))
        }
        (".schema", None) => {
            let functions = table_functions().iter().map(|it| it.name.as_str());
            starting(word, table_names().chain(functions))
        }
        (".mode", None) => starting(word, Format::ALL.map(Format::as_str)),
        (".as_of", None) => starting(word, ["now"]),
        (".timer", None) => starting(word, ["on", "off"]),
        (".run" | ".replay", _) => paths(word),
        (".pipeline", None) => {
            let mut found = starting(word, catalog::builtin_names());
            found.extend(paths(word));
            found
        }
        (".pipeline", Some(name)) => {
            let parameters = catalog::parameters(name);
            starting(word, parameters.iter().map(|it| format!("{it}=")))
        }
        _ => Vec::new(),
    };
    (start, candidates)
}

fn sql(text: &str, before: &str, functions: &[String]) -> (usize, Vec<String>) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let word_start = |text: &str| {
        let tail = text.chars().rev().take_while(|it| is_name(*it));
        text.len() - tail.map(char::len_utf8).sum::<usize>()
    };
    let start = word_start(before);
    let word = before.get(start..).unwrap_or_default();
    let rest = before.get(..start).unwrap_or_default();
    let scope = Scope::of(text);
    if let Some(qualified) = rest.strip_suffix('.') {
        let alias = qualified.get(word_start(qualified)..).unwrap_or_default();
        return (start, starting(word, scope.columns(alias)));
    }
    let previous = rest.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let tables = table_names();
    if matches!(previous.as_str(), "from" | "join" | "describe" | "update" | "into") {
        return (start, starting(word, tables));
    }
    if word.is_empty() {
        return (start, Vec::new());
    }
    let mut candidates = starting(word, scope.all_columns());
    candidates.extend(starting(word, tables));
    candidates.extend(starting(word, functions.iter().map(|it| format!("{it}("))));
    let lower = word.chars().all(|it| !it.is_uppercase());
    let keywords = starting(&word.to_uppercase(), KEYWORDS);
    candidates.extend(keywords.into_iter().map(|it| if lower { it.to_lowercase() } else { it }));
    (start, candidates)
}

/// A text between quotes that has not ended.
struct Quoted<'a> {
    /// The byte of the line at which it begins.
    start: usize,
    text: &'a str,
    /// What it is compared with, if that is a column of names.
    column: Option<NameKind>,
}

impl<'a> Quoted<'a> {
    fn at_end(pending: &str, before: &'a str) -> Option<Self> {
        let quotes = pending.matches('\'').count() + before.matches('\'').count();
        let start = before.rfind('\'').filter(|_| quotes % 2 == 1)? + 1;
        let head = format!("{pending}{}", before.get(..start)?);
        let column = column_before(&head);
        Some(Self { start, text: before.get(start..)?, column })
    }
}

/// The column of names that stands before a text: in `a = '`, `a LIKE '`, `a IN ('x', '`.
fn column_before(text: &str) -> Option<NameKind> {
    // what stands between quotes is no column
    let bare = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let words = bare.rsplit(|c| !is_name(c)).filter(|it| !it.is_empty());
    let ends = ["and", "or", "on", "where", "select", "when", "then", "having"];
    let mut near = words.take_while(|it| !ends.contains(&it.to_lowercase().as_str()));
    near.find_map(|it| NameKind::of_column(&it.to_lowercase()))
}

/// What a statement names behind FROM and the like, and the aliases.
struct Scope {
    sources: Vec<Source>,
}

struct Source {
    name: String,
    columns: Vec<&'static str>,
    alias: Option<String>,
}

impl Scope {
    /// A rough reading of a statement that need not be finished: names after FROM, JOIN and commas.
    fn of(text: &str) -> Self {
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | ';');
        let words: Vec<&str> = text.split(separators).filter(|it| !it.is_empty()).collect();
        let mut sources = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let name = word.to_lowercase();
            let Some(columns) = columns_of(&name) else { continue };
            let mut next = words.iter().skip(index + 1).skip_while(|it| it.starts_with('\''));
            let alias = match next.next() {
                Some(it) if it.eq_ignore_ascii_case("as") => next.next(),
                other => other,
            };
            let alias = alias.filter(|it| {
                let keyword = KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(it));
                !keyword && it.chars().all(|c| c.is_alphanumeric() || c == '_')
            });
            sources.push(Source { name, columns, alias: alias.map(|it| (*it).to_owned()) });
        }
        Self { sources }
    }

    /// Columns of what has this name or alias.
    fn columns(&self, name: &str) -> Vec<&'static str> {
        let named = |it: &&Source| it.alias.as_deref() == Some(name) || it.name == name;
        self.sources.iter().find(named).map(|it| it.columns.clone()).unwrap_or_default()
    }

    /// Columns of all that is named; of every table as long as nothing is.
    fn all_columns(&self) -> Vec<&'static str> {
        let mut columns: Vec<_> = if self.sources.is_empty() {
            Table::ALL.iter().flat_map(|it| it.columns().iter().map(|it| it.name)).collect()
        } else {
            self.sources.iter().flat_map(|it| it.columns.iter().copied()).collect()
        };
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

fn starting<T: AsRef<str>>(word: &str, all: impl IntoIterator<Item = T>) -> Vec<String> {
    let word = word.to_lowercase();
    let all = all.into_iter().filter(|it| it.as_ref().to_lowercase().starts_with(&word));
    all.map(|it| it.as_ref().to_owned()).collect()
}

/// Entries of the folder that `word` names, folders with a slash at their end.
fn paths(word: &str) -> Vec<String> {
    let (folder, prefix) = match word.rfind('/') {
        Some(at) => word.split_at(at + 1),
        None => ("", word),
    };
    let listed = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let mut found: Vec<String> = Vec::new();
    for entry in entries.take(ENTRIES_MAX).flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && !prefix.starts_with('.');
        if name.starts_with(prefix) && !hidden {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            found.push(format!("{folder}{name}{slash}"));
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_end(pending: &str, line: &str) -> Vec<String> {
        let functions = ["p99".to_owned(), "power".to_owned()];
        complete(pending, line, line.len(), (&functions, Queries::builtin()), &names).1
    }

    fn names(kind: NameKind, prefix: &str) -> Vec<String> {
        let names = match kind {
            NameKind::Contract => ["node_order", "node_price", "node_o'clock"].as_slice(),
            NameKind::Step => &["parse", "render"],
            _ => &[],
        };
        starting(prefix, names)
    }

    #[test]
    fn names_between_quotes_are_those_of_the_column() {
        for (line, expected) in [
            ("SELECT * FROM runs WHERE contract_name = 'node_o", vec!["node_order"]),
            (
                "SELECT * FROM runs r WHERE r.contract_name LIKE 'node_",
                vec!["node_order", "node_price"],
            ),
            ("SELECT * FROM steps WHERE step_name IN ('parse', '", vec!["parse", "render"]),
            ("SELECT 'it''s' FROM steps WHERE Step_Name<>'r", vec!["render"]),
            ("SELECT * FROM steps WHERE step_name = 'parse' AND message = 'p", vec![]),
            ("SELECT '", vec![]),
        ] {
            assert_eq!(at_end("", line), expected, "{line}");
        }
        let line = "  AND contract_name = 'no";
        assert_eq!(at_end("SELECT * FROM runs WHERE result = 'x'\n", line).len(), 2);
        assert_eq!(complete("", line, line.len(), (&[], Queries::builtin()), &names).0, 23);
    }

    #[test]
    fn tables_after_from_and_join() {
        assert_eq!(at_end("", "SELECT * FROM ru"), ["runs", "rule_trend"]);
        assert!(at_end("SELECT * FROM runs\n", "JOIN ").contains(&"steps".to_owned()));
    }

    #[test]
    fn columns_of_what_the_statement_names_even_later() {
        let line = "SELECT qual FROM runs";
        assert_eq!(
            complete("", line, 11, (&[], Queries::builtin()), &names),
            (7, vec!["quality_score".to_owned(), "quality_daily".to_owned()])
        );
        assert_eq!(at_end("", "SELECT * FROM latency l WHERE l.p9"), ["p95_ms", "p99_ms"]);
        assert_eq!(at_end("", "SELECT * FROM why('0199') w WHERE w.tim"), ["timeline"]);
        assert!(!at_end("SELECT * FROM runs ", "WHERE step_n").contains(&"step_name".to_owned()));
        assert_eq!(at_end("", "SELECT * FROM steps s JOIN runs AS r ON s.step_n"), ["step_name"]);
        assert_eq!(
            at_end("", "SELECT * FROM steps s JOIN runs AS r ON r.quality"),
            ["quality_score"]
        );
    }

    #[test]
    fn functions_and_keywords_in_the_case_of_the_typist() {
        assert_eq!(at_end("", "SELECT p9"), ["p99("]);
        assert!(at_end("", "sel").contains(&"select".to_owned()));
        assert!(at_end("", "SEL").contains(&"SELECT".to_owned()));
    }

    #[test]
    fn dot_commands_and_their_arguments() {
        assert_eq!(at_end("", ".tab"), [".tables"]);
        assert_eq!(at_end("", ".schema bat"), ["batches"]);
        assert_eq!(at_end("", ".mode nd"), ["ndjson"]);
        assert!(at_end("", ".q lat").contains(&"latency".to_owned()));
        assert!(at_end("", ".q latency ").iter().all(|it| it.ends_with('=')));
        assert_eq!(at_end("", ".pipeline fan"), ["fan_out"]);
        assert_eq!(at_end("", ".pipeline sequence c"), ["count="]);
        assert_eq!(at_end("", ".pipeline nothing "), [""; 0]);
    }

    #[test]
    fn nothing_typed_is_survived() {
        for (line, cursor) in
            [("", 0), (" ", 1), ("x", 9), ("é", 1), (".", 1), ("a.", 2), ("'é", 2)]
        {
            complete("", line, cursor, (&[], Queries::builtin()), &names);
        }
    }
}
