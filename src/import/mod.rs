//! Files to rows: Parquet, NDJSON and CSV of any tool into the tables of a store, exactly or not at
//! all. The inverse of `export`.
//!
//! ```text
//! file ─► reader: batches in the table's types ─► store::load: checks, order, data files
//!                                                      └► one commit per table, `runs` last
//! ```
//!
//! Columns are matched by name. A value is taken as it is or refused with its file, row and column;
//! nothing is rounded, cut or guessed. Nothing is visible before everything has been read and
//! checked, and a file that the store has taken before is left out.

mod cast;
mod columns;
mod csv;
mod lines;
mod ndjson;
mod parquet;
mod refusal;
mod rows;
mod run;
mod settings;
mod sources;
mod text;

use std::path::Path;

use arrow::array::RecordBatch;

use crate::error::{Error, Result};
use crate::event::Table;
use crate::export::FileFormat;

pub use run::{ImportedTable, Observer, Progress, Report, Request, Target, import, import_on};
pub use settings::ImportSettings;

/// The formats that are read.
pub const FORMATS: [FileFormat; 3] = [FileFormat::Parquet, FileFormat::Csv, FileFormat::Ndjson];

/// The way to an export that comes back.
const EXACT_HINT: &str = "Export with --for parquet, csv or ndjson.";

/// Bounds of what is held in memory of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows that are read at a time.
    pub batch_rows: usize,
    /// Bytes of values that are read at a time; one row may have more.
    pub batch_bytes: usize,
    /// The longest value.
    pub value_bytes_max: usize,
    /// The longest line of NDJSON, or record of CSV.
    pub line_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_rows: 8 * 1024,
            batch_bytes: 8 << 20,
            value_bytes_max: 64 << 20,
            line_bytes_max: 128 << 20,
        }
    }
}

/// How a file is read.
#[derive(Debug, Clone, Copy, Default)]
struct ReadOptions {
    ignore_unknown: bool,
    limits: Limits,
}

/// Rows of one file, in the schema of their table.
#[derive(Debug)]
struct Batch {
    rows: RecordBatch,
    /// Number of the first row in the file, from 1.
    first_row: u64,
}

/// A file that is read from its start to its end.
trait Reader: std::fmt::Debug {
    /// The next rows, at least one; `None` at the end.
    fn next(&mut self) -> Result<Option<Batch>>;
    /// About how many bytes of the file are behind.
    fn position(&self) -> u64;
}

/// Opens a file.
fn open(
    path: &Path,
    format: FileFormat,
    table: Table,
    options: &ReadOptions,
) -> Result<Box<dyn Reader>> {
    Ok(match format {
        FileFormat::Parquet => Box::new(parquet::ParquetReader::open(path, table, options)?),
        FileFormat::Csv => Box::new(csv::CsvReader::open(path, table, options)?),
        FileFormat::Ndjson => Box::new(ndjson::NdjsonReader::open(path, table, options)?),
        FileFormat::Arrow => {
            let message = format!("{} is an Arrow file, which is not imported", path.display());
            return Err(Error::usage(message).with_hint(EXACT_HINT));
        }
    })
}
