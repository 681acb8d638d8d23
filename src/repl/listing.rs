//! What there is to ask, as rows: tables, columns and canned queries.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::error::{Error, Result, nearest};
use crate::event::{Column, ColumnType, Table};
use crate::export::ExportedFile;
use crate::sql::{CannedQuery, OutputColumn, Queries, function_docs, table_functions, views};
use crate::store::snapshot::Snapshot;

/// One row per table and view: `table`, `rows`, `one_row_is`. A table that is damaged has no number
/// of rows, and neither has a view, which answers a question.
pub fn tables(snapshot: &Snapshot) -> Result<RecordBatch> {
    let rows = Table::ALL.iter().map(|it| {
        let readable = snapshot.tables.get(it).filter(|it| it.damage.is_none());
        readable.map(|it| i64::try_from(it.rows()).unwrap_or(i64::MAX))
    });
    let rows = rows.chain(views().iter().map(|_| None));
    let names = Table::ALL.iter().map(|it| it.name().to_owned());
    let docs = Table::ALL.iter().map(|it| it.doc().trim().to_owned());
    batch(vec![
        ("table", texts(names.chain(views().iter().map(|it| it.name.clone())))),
        ("rows", Arc::new(Int64Array::from_iter(rows))),
        ("one_row_is", texts(docs.chain(views().iter().map(|it| it.question.clone())))),
    ])
}

/// Names of the tables and the views.
pub(super) fn table_names() -> impl Iterator<Item = &'static str> {
    let views = views().iter().map(|it| it.name.as_str());
    Table::ALL.iter().map(|it| it.name()).chain(views)
}

/// Columns of the table, view or table function of this name.
pub(super) fn columns_of(name: &str) -> Option<Vec<&'static str>> {
    if let Some(table) = Table::by_name(name) {
        return Some(table.columns().iter().map(|it| it.name).collect());
    }
    let question = views().iter().chain(table_functions()).find(|it| it.name == name)?;
    Some(question.columns.iter().map(|it| it.name.as_str()).collect())
}

/// One row per function that genstore adds: `function`, `gives`, `example`.
pub fn functions() -> Result<RecordBatch> {
    let scalar = function_docs().iter();
    let table = table_functions().iter();
    let call = |it: &CannedQuery| {
        let names: Vec<&str> = it.params.iter().map(|it| it.name.as_str()).collect();
        format!("FROM {}({})", it.name, names.join(", "))
    };
    let example = |it: &CannedQuery| {
        let given: Vec<String> = it.params.iter().map(|it| format!("'{}'", it.doc)).collect();
        format!("SELECT * FROM {}({})", it.name, given.join(", "))
    };
    let calls = table.clone().map(call).chain(scalar.clone().map(|it| it.call.to_owned()));
    let docs = table.clone().map(|it| it.question.clone());
    let docs = docs.chain(scalar.clone().map(|it| it.doc.to_owned()));
    let examples = table.map(example).chain(scalar.map(|it| format!("SELECT {}", it.example)));
    batch(vec![("function", texts(calls)), ("gives", texts(docs)), ("example", texts(examples))])
}

/// One row per column of the table, view or table function `table`: `column`, `type`, `meaning`; of
/// all tables and views, with `table` first.
pub fn columns(table: Option<&str>) -> Result<RecordBatch> {
    let mut all = Vec::new();
    for it in Table::ALL {
        let own = it.columns().iter().map(|column| OutputColumn {
            name: column.name.to_owned(),
            kind: sql_type(column),
            doc: column.doc.trim().to_owned(),
        });
        all.extend(own.map(|column| (it.name(), column)));
    }
    let questions = views().iter().chain(table_functions().iter().filter(|_| table.is_some()));
    for it in questions {
        all.extend(it.columns.iter().map(|column| (it.name.as_str(), column.clone())));
    }
    if let Some(name) = table {
        all.retain(|it| it.0 == name);
        if all.is_empty() {
            let names = table_names().chain(table_functions().iter().map(|it| it.name.as_str()));
            return Err(no_table(name, &names.collect::<Vec<_>>()));
        }
    }
    let mut columns = vec![
        ("column", texts(all.iter().map(|it| it.1.name.clone()))),
        ("type", texts(all.iter().map(|it| it.1.kind.clone()))),
        ("meaning", texts(all.iter().map(|it| it.1.doc.clone()))),
    ];
    if table.is_none() {
        columns.insert(0, ("table", texts(all.iter().map(|it| it.0.to_owned()))));
    }
    batch(columns)
}

/// One row per canned query: `query`, `question`, `parameters`.
pub fn queries(queries: &Queries) -> Result<RecordBatch> {
    let all = queries.all();
    batch(vec![
        ("query", texts(all.iter().map(|it| it.name.to_string()))),
        ("question", texts(all.iter().map(|it| it.question.to_string()))),
        ("parameters", texts(all.iter().map(parameters))),
    ])
}

/// One row: `file`, `rows`, `bytes` of what a COPY wrote.
pub(super) fn copied(path: &Path, file: &ExportedFile) -> Result<RecordBatch> {
    let int = |value: u64| -> ArrayRef {
        Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)]))
    };
    batch(vec![
        ("file", texts([path.display().to_string()].into_iter())),
        ("rows", int(file.rows)),
        ("bytes", int(file.size_bytes)),
    ])
}

fn parameters(query: &CannedQuery) -> String {
    let params = query.params.iter();
    let texts: Vec<String> = params
        .map(|it| match &it.default {
            Some(default) => format!("{}={default}", it.name),
            None if it.required => format!("{}=… (required)", it.name),
            None => format!("{}=…", it.name),
        })
        .collect();
    texts.join(" ")
}

/// The table of a name; an error of kind `Usage` with the nearest when there is none.
pub fn table_by_name(name: &str) -> Result<Table> {
    Table::by_name(name)
        .ok_or_else(|| no_table(name, &Table::ALL.iter().map(|it| it.name()).collect::<Vec<_>>()))
}

fn no_table(name: &str, names: &[&str]) -> Error {
    let hint = nearest(name, names.iter().copied()).map_or_else(
        || format!("The tables are {}.", names.join(", ")),
        |it| format!("Did you mean {it}?"),
    );
    Error::usage(format!("there is no table {name:?}")).with_hint(hint)
}

fn sql_type(column: &Column) -> String {
    let name = match column.kind {
        ColumnType::Text => "text",
        ColumnType::Int => "bigint",
        ColumnType::Float => "double",
        ColumnType::Bool => "boolean",
        ColumnType::Time => "timestamp",
        ColumnType::Binary => "binary",
    };
    if column.nullable { name.to_owned() } else { format!("{name} not null") }
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from(values.collect::<Vec<_>>()))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter(columns)
        .map_err(|source| Error::internal("cannot build a listing").with_source(source))
}
