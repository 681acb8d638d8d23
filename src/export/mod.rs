//! Rows to files that any tool reads: one folder per table, and a manifest that says what is there.
//!
//! ```text
//! <target>/runs/part-0.parquet
//! <target>/steps/part-0.parquet …
//! <target>/_manifest.json        written last: where it is, the export is complete
//! ```
//!
//! Every file is written to a temporary name, synced, renamed, and then read back and compared.
//! Never deletes a file that is not named like one of its own.

mod copy;
mod manifest;
mod part;
mod target;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use futures::StreamExt;

use crate::error::{Error, Result, nearest};
use crate::event::Table;
use crate::sql::{Params, Session};

pub use copy::copy;
pub use manifest::{ExportedFile, ExportedTable, MANIFEST, Manifest};
use part::Part;
use target::Target;

/// Rows of one file, unless told otherwise.
pub const ROWS_PER_FILE: u64 = 4_000_000;

/// How rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileFormat {
    /// Parquet, zstd.
    #[default]
    Parquet,
    /// RFC 4180 with a header line in every file.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

impl FileFormat {
    /// All formats, the default first.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Ndjson];

    /// The name on the command line, which is also the extension of the files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FileFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|it| it.as_str() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(&name, names).map_or_else(
                || format!("The formats are {}.", names.join(", ")),
                |it| format!("Did you mean {it}?"),
            );
            Error::usage(format!("there is no export format {text:?}")).with_hint(hint)
        })
    }
}

/// What to export, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder; made if it is not there.
    pub to: PathBuf,
    /// The tables.
    pub tables: Vec<Table>,
    /// How rows are stored.
    pub format: FileFormat,
    /// Write into a folder that is not empty: replaces the files of an earlier export of the same
    /// tables and leaves all others alone.
    pub force: bool,
    /// Rows after which a new file is begun; at least 1.
    pub rows_per_file: u64,
    /// The time that the manifest gives, in microseconds since 1970.
    pub now_us: i64,
    /// The moment that the session shows, if it is not the present one.
    pub as_of_us: Option<i64>,
}

/// Exports what `session` shows. Memory is bounded by a row group of one table at a time.
///
/// A target that is a file, or not empty without `force`, is an error of kind `Usage`; a file that
/// reads back otherwise than it was written, `Damaged`.
pub async fn export(session: &Session, options: &Options) -> Result<Manifest> {
    let target = Target::open(&options.to, options.force)?;
    let mut manifest = Manifest::new(options);
    for table in &options.tables {
        manifest.tables.push(export_table(session, &target, *table, options).await?);
    }
    target.finish(&manifest)?;
    Ok(manifest)
}

async fn export_table(
    session: &Session,
    target: &Target,
    table: Table,
    options: &Options,
) -> Result<ExportedTable> {
    let folder = target.table_folder(table)?;
    let sql = format!("SELECT * FROM {}", table.name());
    let mut stream = session.query_stream(&sql, &Params::new()).await?;
    let schema = stream.schema();
    let mut files: Vec<ExportedFile> = Vec::new();
    let mut part = Part::create(&folder, 0, options.format, &schema)?;
    while let Some(batch) = stream.next().await {
        let mut rest = batch?;
        while rest.num_rows() > 0 {
            let room = options.rows_per_file.max(1).saturating_sub(part.rows());
            let taken = usize::try_from(room).unwrap_or(usize::MAX).min(rest.num_rows());
            part.write(&rest.slice(0, taken))?;
            rest = rest.slice(taken, rest.num_rows() - taken);
            if rest.num_rows() > 0 {
                files.push(part.finish()?);
                part = Part::create(&folder, files.len(), options.format, &schema)?;
            }
        }
    }
    files.push(part.finish()?);
    target.clear_stale(table, &files)?;
    Ok(ExportedTable::new(table, files))
}
