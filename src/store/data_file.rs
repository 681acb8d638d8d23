//! Reads data files outside of SQL: some columns of a file, or whole rows of some runs. The inverse
//! of what `segment` writes, by the names of columns, as a foreign tool may have written the file.

use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, Scalar,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use arrow::compute::{CastOptions, and, cast, cast_with_options};
use arrow::datatypes::{
    DataType, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use super::files::{FileSource, Input};
use super::schema::{arrow_schema, data_type};
use super::snapshot::{CHECK_HINT, DataFile};
use crate::error::{Error, Result};
use crate::event::{Cell, Column, ColumnType, Row, Table};

const RUN_ID: &str = "run_id";
/// Files of fewer rows are read faster whole than page by page.
const ROWS_WORTH_PAGES: u64 = 64 * 1024;
/// Rows that are read at a time at most.
const BATCH_ROWS_MAX: usize = 8 * 1024;

type Builder = ParquetRecordBatchReaderBuilder<Input>;

/// Some columns of a file, in batches. A column that the file lacks is lacking in the batches.
pub(super) fn columns(
    source: &FileSource,
    file: &DataFile,
    names: &[&str],
) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    each_batch(source, file, names, |batch| batches.push(batch))?;
    Ok(batches)
}

/// The same one after the other, for files that may be larger than memory.
pub(super) fn each_batch(
    source: &FileSource,
    file: &DataFile,
    names: &[&str],
    mut take: impl FnMut(RecordBatch),
) -> Result<()> {
    guarded(file, || {
        let reader = open(source, file)?;
        let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
        let mut batches = reader.with_projection(mask).build().map_err(|it| damaged(file, it))?;
        batches.try_for_each(|it| it.map(&mut take)).map_err(|it| damaged(file, it))
    })
}

/// The rows of a file whose run id is between two, both included, in the order of the file.
pub(super) fn rows_of_runs(
    source: &FileSource,
    table: Table,
    file: &DataFile,
    bounds: (&str, &str),
    take: impl FnMut(Row),
) -> Result<()> {
    guarded(file, || read_rows(source, table, file, bounds, take))
}

fn read_rows(
    source: &FileSource,
    table: Table,
    file: &DataFile,
    (min, max): (&str, &str),
    mut take: impl FnMut(Row),
) -> Result<()> {
    let reader = open(source, file)?;
    let groups: Vec<usize> = reader
        .metadata()
        .row_groups()
        .iter()
        .enumerate()
        .filter(|(_, group)| may_hold(group, min, max))
        .map(|(index, _)| index)
        .collect();
    if groups.is_empty() {
        return Ok(());
    }
    let mask = ProjectionMask::columns(reader.parquet_schema(), [RUN_ID]);
    let (min, max) = (StringArray::from(vec![min]), StringArray::from(vec![max]));
    let within = ArrowPredicateFn::new(mask, move |batch: RecordBatch| {
        let Some(ids) = batch.columns().first() else {
            return Err(ArrowError::SchemaError("the file has no run ids".to_owned()));
        };
        and(&gt_eq(ids, &Scalar::new(&min))?, &lt_eq(ids, &Scalar::new(&max))?)
    });
    let batches = reader
        .with_row_groups(groups)
        .with_row_filter(RowFilter::new(vec![Box::new(within)]))
        .build()
        .map_err(|it| damaged(file, it))?;
    for batch in batches {
        let batch = batch.map_err(|it| damaged(file, it))?;
        rows(table, &batch, |_| true, &mut take).map_err(|it| damaged(file, it))?;
    }
    Ok(())
}

/// All rows of a file in the columns of its table, in its order, some at a time. A column that the
/// file lacks is NULL. Each error is `Damaged` and names the file, but where it cannot be read now.
#[derive(Debug)]
pub(super) struct Whole<'f> {
    file: &'f DataFile,
    table: Table,
    schema: SchemaRef,
    batches: ParquetRecordBatchReader,
    read: u64,
}

/// Reads an open file in batches that take about `batch_bytes` in memory.
pub(super) fn whole(
    input: Input,
    table: Table,
    file: &DataFile,
    batch_bytes: usize,
) -> Result<Whole<'_>> {
    guarded(file, || {
        let reader = builder(input, file)?;
        let groups = reader.metadata().row_groups().iter();
        // in memory, a value takes a few bytes more than the encoded one
        let row_bytes = |it: &RowGroupMetaData| {
            let bytes = it.total_byte_size() / it.num_rows().max(1);
            usize::try_from(bytes).unwrap_or(0) + 24 * it.num_columns()
        };
        let row_bytes = groups.map(row_bytes).max().unwrap_or(0).max(1);
        let rows = (batch_bytes / row_bytes).clamp(1, BATCH_ROWS_MAX);
        let batches = reader.with_batch_size(rows).build().map_err(|it| damaged(file, it))?;
        Ok(Whole { file, table, schema: arrow_schema(table), batches, read: 0 })
    })
}

impl Iterator for Whole<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let file = self.file;
        guarded(file, || self.read()).transpose()
    }
}

impl Whole<'_> {
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.batches.next() else {
            return match self.file.rows {
                Some(rows) if rows != self.read => {
                    let text = format!("it holds {} rows, and its commit says {rows}", self.read);
                    Err(damaged(self.file, text))
                }
                _ => Ok(None),
            };
        };
        let batch = batch.and_then(|it| self.fitted(&it)).map_err(|it| damaged(self.file, it))?;
        self.read += batch.num_rows() as u64;
        Ok(Some(batch))
    }

    fn fitted(&self, batch: &RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
        let exactly = CastOptions { safe: false, ..CastOptions::default() };
        let fitted = |column: &Column| match batch.column_by_name(column.name) {
            Some(values) => cast_with_options(values, &data_type(column.kind), &exactly),
            None => Ok(new_null_array(&data_type(column.kind), batch.num_rows())),
        };
        let columns = self.table.columns().iter().map(fitted);
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }
}

/// The rows of a batch of `table` whose run id is wanted, as structs.
pub(super) fn rows(
    table: Table,
    batch: &RecordBatch,
    wanted: impl Fn(&str) -> bool,
    mut take: impl FnMut(Row),
) -> std::result::Result<(), ArrowError> {
    let sources =
        table.columns().iter().map(|it| Source::of(batch, it)).collect::<Result<Vec<_>, _>>()?;
    let ids = table.columns().iter().position(|column| column.name == RUN_ID);
    let ids = ids.and_then(|index| sources.get(index));
    for row in 0..batch.num_rows() {
        if let Some(Cell::Text(id)) = ids.map(|ids| ids.cell(row))
            && !wanted(id)
        {
            continue;
        }
        let read = Row::of(table, |index| sources.get(index).map_or(Cell::Null, |it| it.cell(row)));
        take(read.ok_or_else(|| {
            ArrowError::SchemaError(format!("row {row} lacks a value that it must have"))
        })?);
    }
    Ok(())
}

/// The rows of a batch that has the columns of a table, as a query may give it.
///
/// # Errors
/// Internal, when a row does not fit the table.
pub fn rows_of(table: Table, batch: &RecordBatch) -> Result<Vec<Row>> {
    let mut found = Vec::with_capacity(batch.num_rows());
    rows(table, batch, |_| true, |row| found.push(row)).map_err(|source| {
        Error::internal(format!("rows do not fit {}", table.name())).with_source(source)
    })?;
    Ok(found)
}

/// The values of a text column of a batch; none where it is lacking.
pub(super) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}

/// The values of a column of times, in microseconds.
pub(super) fn times<'a>(
    batch: &'a RecordBatch,
    name: &str,
) -> Option<&'a TimestampMicrosecondArray> {
    batch.column_by_name(name)?.as_primitive_opt::<TimestampMicrosecondType>()
}

/// The values of a column of whole numbers.
pub(super) fn ints<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a Int64Array> {
    batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()
}

fn open(source: &FileSource, file: &DataFile) -> Result<Builder> {
    if !source.files().is_remote() {
        file.check_present(source)?; // elsewhere that would be a request of its own
    }
    builder(Arc::clone(source.files()).open(&file.path, file.size_bytes)?, file)
}

fn builder(input: Input, file: &DataFile) -> Result<Builder> {
    let pages = match file.rows {
        Some(0..ROWS_WORTH_PAGES) => PageIndexPolicy::Skip,
        _ => PageIndexPolicy::Optional,
    };
    // Without the Arrow schema in the footer, which says nothing that Parquet's own does not: the
    // decoder of a damaged one panics.
    let options =
        ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_page_index_policy(pages);
    Builder::try_new_with_options(input, options).map_err(|it| damaged(file, it))
}

/// Whether the statistics of a row group admit a run between two.
fn may_hold(group: &RowGroupMetaData, min: &str, max: &str) -> bool {
    let column = group.columns().iter().find(|it| it.column_path().string() == RUN_ID);
    match column.and_then(|it| it.statistics()) {
        Some(Statistics::ByteArray(known)) => {
            let (first, last) = (known.min_bytes_opt(), known.max_bytes_opt());
            first.is_none_or(|it| it <= max.as_bytes())
                && last.is_none_or(|it| it >= min.as_bytes())
        }
        _ => true,
    }
}

/// Some damaged bytes make a decoder panic instead of refusing them.
fn guarded<T>(file: &DataFile, read: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(damaged(file, "its content cannot be decoded")))
}

fn damaged(file: &DataFile, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::damaged(format!("cannot read {}", file.path.display()))
        .with_source(source)
        .with_hint(CHECK_HINT)
}

/// A column of a batch in the type that its table gives it.
enum Source {
    Missing,
    Text(StringArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
    Time(TimestampMicrosecondArray),
    Binary(BinaryArray),
}

impl Source {
    fn of(batch: &RecordBatch, column: &Column) -> std::result::Result<Self, ArrowError> {
        let Some(array) = batch.column_by_name(column.name) else { return Ok(Self::Missing) };
        let kind = match column.kind {
            // a time is the same in whatever zone it is shown
            ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
            kind => data_type(kind),
        };
        let array = cast(array, &kind)?;
        Ok(match column.kind {
            ColumnType::Text => Self::Text(array.as_string::<i32>().clone()),
            ColumnType::Int => Self::Int(array.as_primitive::<Int64Type>().clone()),
            ColumnType::Float => Self::Float(array.as_primitive::<Float64Type>().clone()),
            ColumnType::Bool => Self::Bool(array.as_boolean().clone()),
            ColumnType::Time => {
                Self::Time(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
            ColumnType::Binary => Self::Binary(array.as_binary::<i32>().clone()),
        })
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Text(it) if it.is_valid(row) => Cell::Text(it.value(row)),
            Self::Int(it) if it.is_valid(row) => Cell::Int(it.value(row)),
            Self::Float(it) if it.is_valid(row) => Cell::Float(it.value(row)),
            Self::Bool(it) if it.is_valid(row) => Cell::Bool(it.value(row)),
            Self::Time(it) if it.is_valid(row) => Cell::Time(it.value(row)),
            Self::Binary(it) if it.is_valid(row) => Cell::Binary(it.value(row)),
            _ => Cell::Null,
        }
    }
}
