//! A table's columns as the `schemaString` of Delta: made from the same data as everything else.

use serde_json::{Map, Value, json};

use crate::event::{Column, ColumnType, Table};

/// The schema of a table in Delta's JSON form. A field's metadata holds its `comment` and, where
/// there is one, `otel.name`.
pub(super) fn schema_string(table: Table) -> String {
    let fields: Vec<Value> = table.columns().iter().map(field).collect();
    json!({ "type": "struct", "fields": fields }).to_string()
}

fn field(column: &Column) -> Value {
    let mut metadata = Map::new();
    metadata.insert("comment".to_owned(), Value::from(column.doc));
    if let Some(name) = column.otel_name {
        metadata.insert("otel.name".to_owned(), Value::from(name));
    }
    json!({
        "name": column.name,
        "type": type_name(column.kind),
        "nullable": column.nullable,
        "metadata": metadata,
    })
}

fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "string",
        ColumnType::Int => "long",
        ColumnType::Float => "double",
        ColumnType::Bool => "boolean",
        ColumnType::Time => "timestamp",
        ColumnType::Binary => "binary",
    }
}
