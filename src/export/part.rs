//! One file of an export: written under a temporary name, synced, read back, renamed.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{ExportedFile, FileFormat};
use crate::error::{Error, IoContext, Result};
use crate::output::{Format, Look, RowWriter};

/// Rows of a Parquet row group: the size that reads fastest, DESIGN section 6.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// A file that is being written. Dropped before [`Part::finish`], it takes its temporary file with
/// it.
pub(super) struct Part {
    format: FileFormat,
    encoder: Option<Encoder>,
    temporary: PathBuf,
    path: PathBuf,
    rows: u64,
}

enum Encoder {
    Parquet(Box<ArrowWriter<HashedFile>>),
    Text(Box<RowWriter<HashedFile>>),
}

impl Part {
    /// File number `n` of the table whose folder this is.
    pub(super) fn create(
        folder: &Path,
        n: usize,
        format: FileFormat,
        schema: &SchemaRef,
    ) -> Result<Self> {
        Self::at(folder.join(format!("part-{n}.{format}")), format, schema)
    }

    /// A file of this name.
    pub(super) fn at(path: PathBuf, format: FileFormat, schema: &SchemaRef) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
        let file = HashedFile::create(&temporary)?;
        let text = |file, format| -> Result<Encoder> {
            Ok(Encoder::Text(Box::new(RowWriter::new(file, format, Look::default(), schema)?)))
        };
        let encoder = match format {
            FileFormat::Csv => text(file, Format::Csv)?,
            FileFormat::Ndjson => text(file, Format::Ndjson)?,
            FileFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
                    .set_created_by(concat!("genstore ", env!("CARGO_PKG_VERSION")).to_owned())
                    .build();
                let schema = SchemaRef::clone(schema);
                let writer = ArrowWriter::try_new(file, schema, Some(properties));
                Encoder::Parquet(Box::new(writer.map_err(|it| cannot_write(&temporary, it))?))
            }
        };
        Ok(Self { format, encoder: Some(encoder), temporary, path, rows: 0 })
    }

    /// Rows written so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        match &mut self.encoder {
            Some(Encoder::Parquet(writer)) => {
                writer.write(batch).map_err(|it| cannot_write(&self.temporary, it))
            }
            Some(Encoder::Text(writer)) => writer.write(batch),
            None => Err(Error::internal("an exported file was written after its end")),
        }
    }

    /// Syncs the file, reads it back, and gives it its name.
    pub(super) fn finish(mut self) -> Result<ExportedFile> {
        let file = match self.encoder.take() {
            Some(Encoder::Parquet(writer)) => {
                writer.into_inner().map_err(|it| cannot_write(&self.temporary, it))?
            }
            Some(Encoder::Text(writer)) => writer.into_inner()?,
            None => return Err(Error::internal("an exported file was ended twice")),
        };
        let (blake3, size_bytes) = file.sync(&self.temporary)?;
        self.verify(&blake3)?;
        fs::rename(&self.temporary, &self.path).context("rename to", &self.path)?;
        let name = |path: &Path| path.file_name().map(|it| it.to_string_lossy().into_owned());
        let folder = self.path.parent().and_then(name).unwrap_or_default();
        let path = format!("{folder}/{}", name(&self.path).unwrap_or_default());
        Ok(ExportedFile { path, rows: self.rows, size_bytes, blake3 })
    }

    /// Compares what the disk holds with what was written.
    fn verify(&self, blake3: &str) -> Result<()> {
        let path = &self.temporary;
        let open = || File::open(path).context("read back", path);
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(open()?).context("read back", path)?;
        if hasher.finalize().to_hex().as_str() != blake3 {
            return Err(Error::damaged(format!("{} reads back otherwise", path.display())));
        }
        let rows = match self.format {
            FileFormat::Parquet => {
                let reader = SerializedFileReader::new(open()?).map_err(|source| {
                    Error::damaged(format!("{} does not read back", path.display()))
                        .with_source(source)
                })?;
                u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0)
            }
            FileFormat::Csv => records(open()?, true).context("read back", path)?.saturating_sub(1),
            FileFormat::Ndjson => records(open()?, false).context("read back", path)?,
        };
        if rows != self.rows {
            let (path, written) = (path.display(), self.rows);
            return Err(Error::damaged(format!(
                "{path} holds {rows} rows, but {written} were written"
            )));
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; a file that stays is named as temporary.
        drop(fs::remove_file(&self.temporary));
    }
}

fn cannot_write(path: &Path, source: parquet::errors::ParquetError) -> Error {
    Error::failed(format!("cannot write {}", path.display())).with_source(source)
}

/// Counts lines; with `quotes`, a line break inside `"…"` does not count.
fn records(file: File, quotes: bool) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut bytes = [0; 64 * 1024];
    let (mut lines, mut quoted) = (0, false);
    loop {
        let n = reader.read(&mut bytes)?;
        if n == 0 {
            return Ok(lines);
        }
        for byte in bytes.iter().take(n) {
            match byte {
                b'"' if quotes => quoted = !quoted,
                b'\n' if !quoted => lines += 1,
                _ => {}
            }
        }
    }
}

/// A file that knows the digest and the number of the bytes that went through it.
struct HashedFile {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
    size_bytes: u64,
}

impl HashedFile {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).context("create", path)?;
        let file = BufWriter::with_capacity(1 << 20, file);
        Ok(Self { file, hasher: blake3::Hasher::new(), size_bytes: 0 })
    }

    fn sync(mut self, path: &Path) -> Result<(String, u64)> {
        self.file.flush().context("write", path)?;
        self.file.get_ref().sync_all().context("sync", path)?;
        Ok((self.hasher.finalize().to_hex().to_string(), self.size_bytes))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..n).unwrap_or(bytes));
        self.size_bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
