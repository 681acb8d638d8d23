//! The rows of a COPY statement to one file. What may be written was judged before.

use futures::StreamExt;

use super::part::Part;
use super::{ExportedFile, FileFormat, target};
use crate::error::Result;
use crate::sql::{CopyTo, FileKind, QueryStream};

/// Writes rows to a file: under a temporary name, synced, read back and then renamed, over a file
/// of that name if there is one.
pub async fn copy(mut rows: QueryStream, to: &CopyTo) -> Result<ExportedFile> {
    let format = match to.kind {
        FileKind::Parquet => FileFormat::Parquet,
        FileKind::Csv => FileFormat::Csv,
        FileKind::Ndjson => FileFormat::Ndjson,
    };
    let mut part = Part::at(to.path.clone(), format, &rows.schema())?;
    while let Some(batch) = rows.next().await {
        part.write(&batch?)?;
    }
    let written = part.finish()?;
    to.path.parent().map_or(Ok(()), target::sync)?;
    Ok(written)
}
