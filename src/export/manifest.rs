//! `_manifest.json`: what an export holds, so that a reader can check it without asking us.

use serde::Serialize;

use super::Options;
use crate::clock::rfc3339;
use crate::event::{ColumnType, Table};

/// Name of the manifest in the target folder.
pub const MANIFEST: &str = "_manifest.json";

/// An export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Version of this form.
    pub manifest_version: u32,
    /// What wrote it.
    pub tool_version: &'static str,
    /// When, RFC 3339 in UTC.
    pub created: String,
    /// The moment whose rows these are, RFC 3339 in UTC; there only if it is not the present one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// parquet, csv or ndjson.
    pub format: &'static str,
    /// The tables in the order of the request.
    pub tables: Vec<ExportedTable>,
}

/// A table of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedTable {
    /// Name, and folder.
    pub name: &'static str,
    /// Rows in all files.
    pub rows: u64,
    /// The columns in order.
    pub columns: Vec<ExportedColumn>,
    /// The files in order; at least one, which may hold no row.
    pub files: Vec<ExportedFile>,
}

/// A column of an exported table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportedColumn {
    /// Name.
    pub name: &'static str,
    /// text, bigint, double, boolean, timestamp (µs, UTC) or binary.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Its OpenTelemetry or SARIF name, where there is one.
    pub otel_name: Option<&'static str>,
}

/// A file of an exported table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

impl Manifest {
    /// An export without tables yet.
    pub(super) fn new(options: &Options) -> Self {
        Self {
            manifest_version: 1,
            tool_version: env!("CARGO_PKG_VERSION"),
            created: rfc3339(options.now_us),
            as_of: options.as_of_us.map(rfc3339),
            format: options.format.as_str(),
            tables: Vec::new(),
        }
    }
}

impl ExportedTable {
    /// What is known of `table` once its files are written.
    pub(super) fn new(table: Table, files: Vec<ExportedFile>) -> Self {
        let columns = table.columns().iter();
        Self {
            name: table.name(),
            rows: files.iter().map(|it| it.rows).sum(),
            columns: columns
                .map(|it| ExportedColumn {
                    name: it.name,
                    kind: kind(it.kind),
                    nullable: it.nullable,
                    otel_name: it.otel_name,
                })
                .collect(),
            files,
        }
    }
}

fn kind(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Int => "bigint",
        ColumnType::Float => "double",
        ColumnType::Bool => "boolean",
        ColumnType::Time => "timestamp (µs, UTC)",
        ColumnType::Binary => "binary",
    }
}
