//! The data files of a check: each is there, has its size and digest, and holds the columns, the
//! number of rows and the run ids that its log says. Every page is decoded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Schema;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use super::rows::Rows;
use super::{Look, Remedy};
use crate::error::{Error, ErrorKind, IoContext, Result};
use crate::event::Table;
use crate::store::delta::{Add, data_file};
use crate::store::files::{FileSource, Input};
use crate::store::schema::data_type;
use crate::store::snapshot::{DataFile, Snapshot};
use crate::store::tables::Tables;

const REWRITE: (Remedy, &str) = (
    Remedy::Drop,
    "the file is written anew if a journal still has its rows; else it can only be given up",
);
const FOREIGN_RULE: &str = "data.schema";
const FOREIGN: (Remedy, &str) = (Remedy::Person, "another tool wrote it; nothing is changed");

/// A fault of a file: the rule, and what is wrong.
type Fault = (&'static str, Error);

/// Looks at the files of a snapshot, `runs` first, and shows all rows to `rows`.
pub(super) fn look(look: &mut Look<'_>, snapshot: &Snapshot, rows: &mut Rows) -> Result<()> {
    let total = snapshot.tables.values().map(|it| it.files.len()).sum();
    let mut done = 0;
    for table in Tables::reading_order() {
        let Some(it) = snapshot.tables.get(&table) else { continue };
        if it.damage.is_some() {
            rows.unread(table); // the finding is that of its log
        }
        for file in it.files.iter() {
            look.tell("files", done, total);
            done += 1;
            look.report.looked.data_files += 1;
            look.report.looked.data_bytes += file.size_bytes;
            match read(&snapshot.source, table, file, rows) {
                Ok(()) => look.report.looked.rows += file.rows.unwrap_or(0),
                Err(_) if !is_listed(look, table, file)? => {} // replaced since the snapshot
                Err((rule, error)) => {
                    rows.unread(table);
                    let remedy = if rule == FOREIGN_RULE { FOREIGN } else { REWRITE };
                    look.report.error(rule, &file.path, &error, remedy);
                }
            }
        }
        for batch in &it.hot {
            look.report.looked.rows += batch.num_rows() as u64;
            rows.see(table, batch);
        }
    }
    look.tell("files", total, total);
    Ok(())
}

fn is_listed(look: &Look<'_>, table: Table, file: &DataFile) -> Result<bool> {
    let mut log = look.tables.log(table)?;
    Ok(log.refresh().is_err() || log.files().iter().any(|it| it.path == file.path))
}

/// Whether a data file is not what its log says. One that another tool wrote, with columns of its
/// own, is none; nor is one that the system does not let us read now.
pub(in crate::store) fn is_damaged(source: &FileSource, table: Table, file: &DataFile) -> bool {
    match digest(source, file).and_then(|()| decode(source, table, file, &mut |_| ())) {
        Ok(()) => false,
        Err((rule, error)) => rule != FOREIGN_RULE && error.kind() == ErrorKind::Damaged,
    }
}

/// Whether the file that an `add` names is what it says.
pub(in crate::store) fn is_as_added(source: &FileSource, folder: &Path, add: &Add) -> bool {
    let file = data_file(folder, add);
    file.digest.is_some() && digest(source, &file).is_ok()
}

/// Whether a file is, byte for byte, what was written, as far as its log knows.
///
/// # Errors
/// `Damaged` if it is not, `Failed` if it cannot be read now.
pub(in crate::store) fn verify(source: &FileSource, file: &DataFile) -> Result<()> {
    digest(source, file).map_err(|(_, error)| in_file(file, error))
}

/// The bytes of a file that is, byte for byte, what was written, as far as its log knows.
pub(in crate::store) fn read_verified(source: &FileSource, file: &DataFile) -> Result<Bytes> {
    let Some(bytes) = source.files().read(&file.path)? else {
        return Err(in_file(file, Error::damaged("it is missing")));
    };
    let (read, written) = (bytes.len() as u64, file.size_bytes);
    if read != written {
        let text = format!("it has {read} bytes, and had {written} when written");
        return Err(in_file(file, Error::damaged(text)));
    }
    let found = blake3::hash(&bytes).to_hex();
    is_expected(file, &found).map_err(|error| in_file(file, error))?;
    Ok(Bytes::from(bytes))
}

fn in_file(file: &DataFile, error: Error) -> Error {
    let kind = error.kind();
    Error::new(kind, format!("cannot read {}", file.path.display())).with_source(error)
}

fn is_expected(file: &DataFile, found: &str) -> Result<()> {
    let Some(expected) = file.digest.as_deref().filter(|it| *it != found) else { return Ok(()) };
    let text = format!("its digest is {found}, and was {expected} when it was written");
    Err(Error::damaged(text))
}

fn read(source: &FileSource, table: Table, file: &DataFile, rows: &mut Rows) -> Result<(), Fault> {
    digest(source, file)?;
    decode(source, table, file, &mut |batch| rows.see(table, batch))
}

/// Reads all bytes, also of a file whose digest nobody knows: a decoder would take a failure of the
/// disk for a damaged page.
fn digest(source: &FileSource, file: &DataFile) -> Result<(), Fault> {
    file.check_present(source).map_err(|error| ("data.present", error))?;
    let hash = || -> Result<String> {
        let input = open(source, file)?;
        let reader = input.get_read(0).map_err(|it| unreadable(file, it))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader).context("read", &file.path)?;
        Ok(hasher.finalize().to_hex().to_string())
    };
    let found = hash().map_err(|error| ("data.present", error))?;
    is_expected(file, &found).map_err(|error| ("data.digest", error))
}

fn open(source: &FileSource, file: &DataFile) -> Result<Input> {
    Arc::clone(source.files()).open(&file.path, file.size_bytes)
}

fn unreadable(file: &DataFile, source: ParquetError) -> Error {
    Error::failed(format!("cannot read {}", file.path.display())).with_source(source)
}

fn decode(
    source: &FileSource,
    table: Table,
    file: &DataFile,
    see: &mut dyn FnMut(&RecordBatch),
) -> Result<(), Fault> {
    // a decoder may panic on bytes whose digest nobody knows
    let decoded = catch_unwind(AssertUnwindSafe(|| pages(source, table, file, see)));
    decoded.unwrap_or_else(|_| Err(("data.pages", Error::damaged("its pages cannot be decoded"))))
}

fn pages(
    source: &FileSource,
    table: Table,
    file: &DataFile,
    see: &mut dyn FnMut(&RecordBatch),
) -> Result<(), Fault> {
    let failed = |source: ParquetError| {
        ("data.pages", Error::damaged("it is no whole Parquet file").with_source(source))
    };
    let input = open(source, file).map_err(|error| ("data.present", error))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader =
        ParquetRecordBatchReaderBuilder::try_new_with_options(input, options).map_err(failed)?;
    columns(table, reader.schema()).map_err(|error| (FOREIGN_RULE, error))?;
    let footer = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mut count = 0;
    for batch in reader.build().map_err(failed)? {
        let batch = batch.map_err(|source| failed(source.into()))?;
        count += batch.num_rows() as u64;
        bounds(file, &batch).map_err(|error| ("data.bounds", error))?;
        see(&batch);
    }
    let said = file.rows.unwrap_or(count);
    if (footer, count) != (said, said) {
        let text =
            format!("it holds {count} rows, its footer says {footer}, and its commit says {said}");
        return Err(("data.rows", Error::damaged(text)));
    }
    Ok(())
}

/// Columns that we know must have our types; columns that are not there read NULL.
fn columns(table: Table, schema: &Schema) -> Result<()> {
    for column in table.columns() {
        match schema.field_with_name(column.name) {
            Ok(field) if field.data_type() == &data_type(column.kind) => {}
            Err(_) if column.nullable => {}
            Ok(field) => {
                let (name, found) = (column.name, field.data_type());
                let expected = data_type(column.kind);
                let text = format!("its column {name} is of type {found}, not {expected}");
                return Err(Error::damaged(text));
            }
            Err(_) => return Err(Error::damaged(format!("it has no column {}", column.name))),
        }
    }
    Ok(())
}

fn bounds(file: &DataFile, batch: &RecordBatch) -> Result<()> {
    let Some((min, max)) = &file.run_ids else { return Ok(()) };
    let Some(ids) = batch.column_by_name("run_id").and_then(|it| it.as_string_opt::<i32>()) else {
        return Ok(());
    };
    match ids.iter().flatten().find(|id| *id < min.as_str() || *id > max.as_str()) {
        Some(id) => {
            let text = format!("it holds the run {id}, and its commit says {min} to {max}");
            Err(Error::damaged(text))
        }
        None => Ok(()),
    }
}
