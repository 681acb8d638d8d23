//! What there is to ask, as rows: tables, columns and canned queries.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::error::{Error, Result, nearest};
use crate::event::{Column, ColumnType, Table};
use crate::sql::{CannedQuery, canned_queries};
use crate::store::snapshot::Snapshot;

/// One row per table: `table`, `rows`, `one_row_is`; no number of rows where it is damaged.
pub fn tables(snapshot: &Snapshot) -> Result<RecordBatch> {
    let rows = Table::ALL.iter().map(|it| {
        let readable = snapshot.tables.get(it).filter(|it| it.damage.is_none());
        readable.map(|it| i64::try_from(it.rows()).unwrap_or(i64::MAX))
    });
    batch(vec![
        ("table", texts(Table::ALL.iter().map(|it| it.name().to_owned()))),
        ("rows", Arc::new(Int64Array::from_iter(rows))),
        ("one_row_is", texts(Table::ALL.iter().map(|it| it.doc().trim().to_owned()))),
    ])
}

/// One row per column of `table`: `column`, `type`, `meaning`; of all tables, with `table` first.
pub fn columns(table: Option<&str>) -> Result<RecordBatch> {
    let shown: Vec<Table> = match table {
        Some(name) => vec![table_by_name(name)?],
        None => Table::ALL.to_vec(),
    };
    let all = || shown.iter().flat_map(|it| it.columns().iter().map(move |column| (it, column)));
    let mut columns = vec![
        ("column", texts(all().map(|(_, it)| it.name.to_owned()))),
        ("type", texts(all().map(|(_, it)| sql_type(it)))),
        ("meaning", texts(all().map(|(_, it)| it.doc.trim().to_owned()))),
    ];
    if table.is_none() {
        columns.insert(0, ("table", texts(all().map(|(it, _)| it.name().to_owned()))));
    }
    batch(columns)
}

/// One row per canned query: `query`, `question`, `parameters`.
pub fn queries() -> Result<RecordBatch> {
    let all = canned_queries();
    batch(vec![
        ("query", texts(all.iter().map(|it| it.name.to_string()))),
        ("question", texts(all.iter().map(|it| it.question.to_string()))),
        ("parameters", texts(all.iter().map(parameters))),
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
    Table::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Table::ALL.iter().map(|it| it.name()).collect();
        let hint = nearest(name, names.iter().copied()).map_or_else(
            || format!("The tables are {}.", names.join(", ")),
            |it| format!("Did you mean {it}?"),
        );
        Error::usage(format!("there is no table {name:?}")).with_hint(hint)
    })
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
