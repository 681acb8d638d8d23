//! Parquet of any writer: strings as views, so that a value is copied once, within a bound of
//! bytes, and never into an array that cannot hold it.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{ByteViewType, DataType, Field, Fields, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::cast::{self, CastError};
use super::columns::matched;
use super::refusal::Place;
use super::rows::check_size;
use super::{Batch, Limits, ReadOptions, Reader};
use crate::error::{Error, IoContext, Result};
use crate::event::Table;
use crate::journal::disk::open_file;
use crate::store::schema::{arrow_schema, data_type};

/// Reads a Parquet file.
pub(super) struct ParquetReader {
    path: PathBuf,
    table: Table,
    limits: Limits,
    batches: ParquetRecordBatchReader,
    /// For each column of the table, the column of the batches.
    sources: Vec<Option<usize>>,
    /// What is left of a batch that was read.
    rest: Option<RecordBatch>,
    rows_done: u64,
    rows_total: u64,
    size_bytes: u64,
}

impl ParquetReader {
    pub(super) fn open(path: &Path, table: Table, options: &ReadOptions) -> Result<Self> {
        guarded(path, || Self::open_unguarded(path, table, options))
    }

    fn open_unguarded(path: &Path, table: Table, options: &ReadOptions) -> Result<Self> {
        let file = open_file(path).context("read", path)?;
        let size_bytes = file.metadata().context("read", path)?.len();
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|it| unreadable(path, it))?;
        let fields: Vec<_> = metadata.schema().fields().iter().map(as_view).collect();
        let schema = Schema::new(Fields::from(fields));
        let names: Vec<&str> = schema.fields().iter().map(|it| it.name().as_str()).collect();
        let targets = matched(path, table, &names, options.ignore_unknown)?;
        for (field, target) in schema.fields().iter().zip(&targets) {
            let column = target.and_then(|it| table.columns().get(it));
            if let Some(column) = column.filter(|it| !cast::fits(field.data_type(), it)) {
                let refusal = cast::unfit(field.data_type(), column);
                let (path, name) = (path.display(), column.name);
                let message = format!("{path}: column {name}: {}", refusal.what);
                return Err(Error::invalid(message).with_hint(refusal.hint));
            }
        }
        let taken: Vec<usize> =
            (0..targets.len()).filter(|it| targets.get(*it).is_some_and(Option::is_some)).collect();
        let sources = (0..table.columns().len())
            .map(|index| taken.iter().position(|it| targets.get(*it) == Some(&Some(index))));
        let sources = sources.collect();
        let batches = batches(path, file, metadata.metadata(), schema, &taken, options)?;
        let rows = metadata.metadata().file_metadata().num_rows();
        Ok(Self {
            path: path.to_owned(),
            table,
            limits: options.limits,
            batches,
            sources,
            rest: None,
            rows_done: 0,
            rows_total: u64::try_from(rows).unwrap_or(0),
            size_bytes,
        })
    }

    /// The next rows as they are in the file, so many that they stay below the bound, or one.
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.batches.next() {
                Some(read) => read.map_err(|it| unreadable(&self.path, it))?,
                None => return Ok(None),
            },
        };
        let mut rows = batch.num_rows();
        while rows > 1 && size_bytes(&batch.slice(0, rows)) > self.limits.batch_bytes {
            rows /= 2;
        }
        let rest = batch.num_rows() - rows;
        self.rest = (rest > 0).then(|| batch.slice(rows, rest));
        Ok(Some(batch.slice(0, rows)))
    }

    /// Rows in the types of the table.
    fn cast(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.sources.len());
        for (column, source) in self.table.columns().iter().zip(&self.sources) {
            let Some(array) = source.and_then(|it| batch.columns().get(it)) else {
                columns.push(new_null_array(&data_type(column.kind), batch.num_rows()));
                continue;
            };
            let place = |row: usize| Place {
                path: &self.path,
                row: self.rows_done + row as u64 + 1,
                line: None,
                column: Some(column.name),
            };
            for (row, size_bytes) in lengths(array).into_iter().flatten().enumerate() {
                check_size(size_bytes, &self.limits).map_err(|it| it.at(place(row)))?;
            }
            columns.push(cast::column(array, column).map_err(|error| match error {
                CastError::Value(row, refusal) => refusal.at(place(row)),
                CastError::Type(refusal) => refusal.at(place(0)),
            })?);
        }
        RecordBatch::try_new(arrow_schema(self.table), columns).map_err(|source| {
            let message = format!("cannot build a batch of {}", self.table.name());
            Error::internal(message).with_source(source)
        })
    }
}

impl Reader for ParquetReader {
    fn next(&mut self) -> Result<Option<Batch>> {
        let path = self.path.clone();
        guarded(&path, || {
            let Some(read) = self.read()? else { return Ok(None) };
            let (rows, first_row) = (self.cast(&read)?, self.rows_done + 1);
            self.rows_done += read.num_rows() as u64;
            Ok(Some(Batch { rows, first_row }))
        })
    }

    fn position(&self) -> u64 {
        let share = self.rows_done as f64 / self.rows_total.max(1) as f64;
        (share * self.size_bytes as f64) as u64
    }
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetReader").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The reader of the columns that are taken. So few rows at a time that they take about the bound
/// if all are alike: a page is held as long as one of its values is.
fn batches(
    path: &Path,
    file: File,
    metadata: &Arc<ParquetMetaData>,
    schema: Schema,
    taken: &[usize],
    options: &ReadOptions,
) -> Result<ParquetRecordBatchReader> {
    let limits = options.limits;
    let largest = metadata.row_groups().iter().map(|group| {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0).max(1);
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(u64::MAX);
        bytes.div_ceil(rows).max(1)
    });
    let row_bytes = usize::try_from(largest.max().unwrap_or(1)).unwrap_or(usize::MAX);
    let batch_rows = (limits.batch_bytes / row_bytes).clamp(1, limits.batch_rows);
    let mask =
        ProjectionMask::roots(metadata.file_metadata().schema_descr(), taken.iter().copied());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(metadata), options)
        .map(|it| ParquetRecordBatchReaderBuilder::new_with_metadata(file, it))
        .and_then(|it| it.with_projection(mask).with_batch_size(batch_rows).build())
        .map_err(|it| unreadable(path, it))
}

/// A column of text or bytes as views.
fn as_view(field: &Arc<Field>) -> Arc<Field> {
    let data_type = match field.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    let view = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(view))
}

/// Bytes that the values of a batch take, each counted as often as it is there.
fn size_bytes(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter();
    columns.map(|it| lengths(it).map_or(8 * it.len(), Iterator::sum)).sum()
}

/// The lengths of views. The low half of a view is its length.
fn lengths(array: &ArrayRef) -> Option<Box<dyn Iterator<Item = usize> + '_>> {
    fn of<T: ByteViewType>(array: &ArrayRef) -> impl Iterator<Item = usize> + '_ {
        array.as_byte_view::<T>().lengths().map(|it| it as usize)
    }
    match array.data_type() {
        DataType::Utf8View => Some(Box::new(of::<arrow::datatypes::StringViewType>(array))),
        DataType::BinaryView => Some(Box::new(of::<arrow::datatypes::BinaryViewType>(array))),
        _ => None,
    }
}

/// Some damaged bytes make a decoder panic instead of refusing them.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(unreadable(path, ParquetError::General("its content cannot be decoded".to_owned())))
    })
}

fn unreadable(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::invalid(format!("cannot read {} as Parquet", path.display()))
        .with_source(source)
        .with_hint("Copy the file again from where it came, or name its --format.")
}

#[cfg(test)]
mod tests;
