//! A table's columns as the `schemaString` of Delta: made from the same data as everything else,
//! and compared with what another build has made. Older and newer builds write the same tables as
//! long as they differ in nullable columns only.

use serde::Deserialize;
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

#[derive(Deserialize)]
struct Found {
    fields: Vec<FoundField>,
}

#[derive(Deserialize)]
struct FoundField {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
    nullable: bool,
}

/// Compares the columns of a table's log with those of this build: the nullable columns that the
/// log does not have yet, or why this build must not write the table.
pub(super) fn fit(table: Table, schema_string: &str) -> Result<Vec<&'static Column>, String> {
    let found: Found = serde_json::from_str(schema_string)
        .map_err(|error| format!("its metaData has no columns ({error})"))?;
    let mut missing = Vec::new();
    for column in table.columns() {
        let (name, kind) = (column.name, type_name(column.kind));
        match found.fields.iter().find(|it| it.name == name) {
            None if column.nullable => missing.push(column),
            None => return Err(format!("its column {name} is gone")),
            Some(it) if it.kind != kind => {
                return Err(format!("its column {name} is {}, and here {kind}", it.kind));
            }
            Some(it) if !it.nullable && column.nullable => {
                return Err(format!("its column {name} must not be NULL, and here it may be"));
            }
            Some(_) => {}
        }
    }
    let is_known = |name: &str| table.columns().iter().any(|it| it.name == name);
    match found.fields.iter().find(|it| !it.nullable && !is_known(&it.name)) {
        Some(it) => Err(format!("its column {} must not be NULL and is unknown here", it.name)),
        None => Ok(missing),
    }
}

/// The columns of a table's log that this build does not know.
pub(super) fn unknown(table: Table, schema_string: &str) -> Vec<String> {
    let found: Found = match serde_json::from_str(schema_string) {
        Ok(found) => found,
        Err(_) => return Vec::new(), // `fit` refuses it
    };
    let names = found.fields.into_iter().map(|it| it.name);
    names.filter(|name| !table.columns().iter().any(|it| it.name == *name)).collect()
}

/// A schema with columns added at its end; what it says of the others stays as it is.
pub(super) fn widened(schema_string: &str, columns: &[&Column]) -> serde_json::Result<String> {
    let mut schema: Value = serde_json::from_str(schema_string)?;
    if let Some(fields) = schema.get_mut("fields").and_then(Value::as_array_mut) {
        fields.extend(columns.iter().map(|it| field(it)));
    }
    Ok(schema.to_string())
}

#[cfg(test)]
mod tests;
