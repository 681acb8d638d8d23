//! `_manifest.json`: what an export holds, so that a reader can check it without asking us, and so
//! that the next export can go on where this one ended.

use std::collections::BTreeMap;

use arrow::datatypes::Field;
use serde::{Deserialize, Serialize};

use super::lower::{Lowering, word};

/// Name of the manifest in the target folder.
pub const MANIFEST: &str = "_manifest.json";

/// The version of its form.
pub(super) const MANIFEST_VERSION: u32 = 1;

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub manifest_version: u32,
    /// What wrote it.
    pub tool_version: String,
    /// The export that wrote it last, a UUID.
    #[serde(default)]
    pub export_id: String,
    /// When, RFC 3339 in UTC.
    pub created: String,
    /// The moment whose rows these are, RFC 3339 in UTC; there only if it is not the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// The earliest time of its rows, RFC 3339 in UTC; there only if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// For whom it was made.
    #[serde(default)]
    pub profile: String,
    /// parquet, csv, ndjson or arrow.
    pub format: String,
    /// `day`, if its files lie in a folder for each day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<String>,
    /// The id of the store.
    #[serde(default)]
    pub store_id: String,
    /// The tables, or the result of a query, in the order of the request.
    pub tables: Vec<ExportedTable>,
    /// What the next incremental export leaves out; there only if it was made to be continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// A table of an export.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExportedTable {
    /// Name, and folder.
    pub name: String,
    /// The query whose result it is, if it is no table of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Rows in all files.
    pub rows: u64,
    /// The columns in order; the day of a partition is one where it is in the files.
    pub columns: Vec<ExportedColumn>,
    /// Columns that this profile leaves out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// By column, how many values became NULL: NaN, infinity, or costs with too many digits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nulled: BTreeMap<String, u64>,
    /// The version of the Delta table that the folder is; there for Parquet only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_version: Option<u64>,
    /// The files in order; at least one when first exported, which may hold no row.
    pub files: Vec<ExportedFile>,
}

/// A column of an exported table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedColumn {
    /// Name.
    pub name: String,
    /// text, bigint, double, boolean, timestamp (µs, UTC), binary, date or decimal(18,9).
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its OpenTelemetry or SARIF name, where there is one.
    pub otel_name: Option<String>,
}

/// A file of an exported table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// Path relative to the target folder.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub size_bytes: u64,
    /// BLAKE3 digest of its bytes, in hex.
    pub blake3: String,
}

/// What an export that can be continued has exported.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Files with the keys of runs, and of rows that belong to no run.
    pub files: Vec<ExportedFile>,
    /// By table, how many rows in the store belonged to runs that were exported.
    pub rows: BTreeMap<String, u64>,
}

impl ExportedTable {
    /// A table without rows yet.
    pub(super) fn new(name: &str, query: Option<&str>, lowering: &Lowering) -> Self {
        let column = |field: &std::sync::Arc<Field>| ExportedColumn {
            name: field.name().clone(),
            kind: word(field.data_type()),
            nullable: field.is_nullable(),
            otel_name: field.metadata().get("otel.name").cloned(),
        };
        Self {
            name: name.to_owned(),
            query: query.map(str::to_owned),
            columns: lowering.schema().fields().iter().map(column).collect(),
            left_out: lowering.left_out().to_vec(),
            ..Self::default()
        }
    }

    /// The number of the next file.
    pub(super) fn next_part(&self) -> u64 {
        let numbers = self.files.iter().filter_map(|it| super::target::part_number(&it.path));
        numbers.max().map_or(0, |it| it + 1)
    }
}
