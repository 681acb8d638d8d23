//! The rows of a COPY statement to one file, encoded as an export encodes them. What may be
//! written was judged before; the file is in memory until it is whole.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;

use super::encode::{Encoder, FileBytes};
use super::lower::Lowering;
use super::{ExportedFile, FileFormat, profile, verify};
use crate::error::{Error, IoContext, Result};
use crate::sql::{CopyTo, FileKind, QueryStream};

/// Longest file.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Writes rows to a file: under a temporary name, synced, read back and then renamed, over a file
/// of that name if there is one.
///
/// # Errors
/// `Invalid` for columns that no file can have, and for more than 1 GiB; `Failed` when the disk
/// refuses; `Damaged` for a file that reads back otherwise. Nothing of it is left then.
pub async fn copy(mut rows: QueryStream, to: &CopyTo) -> Result<ExportedFile> {
    let (profile, format) = match to.kind {
        FileKind::Parquet => (profile("parquet")?, FileFormat::Parquet),
        FileKind::Csv => (profile("csv")?, FileFormat::Csv),
        FileKind::Ndjson => (profile("ndjson")?, FileFormat::Ndjson),
    };
    let lowering = Lowering::new(&rows.schema(), profile, false)?;
    let encoder = Encoder::new(lowering.schema(), profile, 1)?;
    let mut file = encoder.file()?;
    let (mut gathered, mut gathered_rows, mut written) = (Vec::new(), 0, 0_u64);
    while let Some(batch) = rows.next().await {
        let lowered = lowering.lower(&batch?, None)?.rows;
        gathered_rows += lowered.num_rows();
        written += lowered.num_rows() as u64;
        gathered.push(lowered);
        if gathered_rows >= profile.group_rows {
            append(&mut file, encoder.group(std::mem::take(&mut gathered))?)?;
            gathered_rows = 0;
        }
    }
    if gathered_rows > 0 {
        append(&mut file, encoder.group(gathered)?)?;
    }
    let bytes = Bytes::from(file.finish()?);
    let temporary = Temporary::write(&to.path, &bytes)?;
    let back = Bytes::from(fs::read(&temporary.0).context("read back", &temporary.0)?);
    let damaged = |what: &str| Error::damaged(format!("{}: {what}", to.path.display()));
    if back != bytes || verify::rows(&back, format, lowering.schema())? != written {
        return Err(damaged("the file reads back otherwise than it was written"));
    }
    fs::rename(&temporary.0, &to.path).context("rename to", &to.path)?;
    if let Some(folder) = to.path.parent() {
        File::open(folder).and_then(|it| it.sync_all()).context("sync the folder", folder)?;
    }
    Ok(ExportedFile {
        path: to.path.display().to_string(),
        rows: written,
        size_bytes: bytes.len() as u64,
        blake3: blake3::hash(&bytes).to_hex().to_string(),
    })
}

fn append(file: &mut FileBytes, group: super::encode::Group) -> Result<()> {
    file.append(group)?;
    if file.size_bytes() > FILE_BYTES_MAX {
        let max = FILE_BYTES_MAX >> 30;
        return Err(Error::invalid(format!("the file would be longer than {max} GiB"))
            .with_hint("`genstore export --query` writes as many files as it takes"));
    }
    Ok(())
}

/// A file that is not whole yet. After a rename there is nothing left to remove.
struct Temporary(PathBuf);

impl Temporary {
    fn write(path: &Path, bytes: &[u8]) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let hidden = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
        let mut file = File::create(&hidden).context("create", &hidden)?;
        let temporary = Self(hidden);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.context("write", &temporary.0)?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}
