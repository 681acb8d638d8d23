//! What an exported file holds, by its bytes as the disk gave them back. Trusts nothing that the
//! writer knows.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use arrow::ipc::reader::FileReader as IpcReader;
use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit as ParquetTimeUnit, Type as PhysicalType};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::FileFormat;
use crate::error::{Error, Result};

/// The rows that a file of these columns holds.
///
/// # Errors
/// What is wrong with it, for whoever knows its name.
pub(super) fn rows(bytes: &Bytes, format: FileFormat, schema: &Schema) -> Result<u64> {
    match format {
        FileFormat::Parquet => parquet_rows(bytes, schema),
        FileFormat::Csv => Ok(records(bytes, true).saturating_sub(1)),
        FileFormat::Ndjson => Ok(records(bytes, false)),
        FileFormat::Arrow => {
            let reader = IpcReader::try_new(std::io::Cursor::new(bytes), None).map_err(damaged)?;
            let mut rows = 0;
            for batch in reader {
                rows += batch.map_err(damaged)?.num_rows() as u64;
            }
            Ok(rows)
        }
    }
}

fn parquet_rows(bytes: &Bytes, schema: &Schema) -> Result<u64> {
    let reader = SerializedFileReader::new(bytes.clone()).map_err(damaged)?;
    let metadata = reader.metadata().file_metadata();
    let columns = metadata.schema_descr().columns();
    if columns.len() != schema.fields().len() {
        return Err(Error::damaged("it has another number of columns"));
    }
    for (column, field) in columns.iter().zip(schema.fields()) {
        let (physical, logical) = (column.physical_type(), column.logical_type_ref());
        if column.name() != field.name() || !fits(field.data_type(), physical, logical) {
            let name = field.name();
            return Err(Error::damaged(format!("its column {name} reads back otherwise")));
        }
    }
    Ok(u64::try_from(metadata.num_rows()).unwrap_or(0))
}

/// Whether a column of a footer is what every tool reads as this type.
fn fits(kind: &DataType, physical: PhysicalType, logical: Option<&LogicalType>) -> bool {
    match kind {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            let is_utc = matches!(
                logical,
                Some(LogicalType::Timestamp(it))
                    if it.is_adjusted_to_u_t_c && matches!(it.unit, ParquetTimeUnit::MICROS)
            );
            physical == PhysicalType::INT64 && is_utc
        }
        DataType::Int64 => physical == PhysicalType::INT64 && logical.is_none(),
        DataType::Float64 => physical == PhysicalType::DOUBLE,
        DataType::Boolean => physical == PhysicalType::BOOLEAN,
        DataType::Utf8 => matches!(logical, Some(LogicalType::String)),
        DataType::Binary => physical == PhysicalType::BYTE_ARRAY && logical.is_none(),
        DataType::Date32 => matches!(logical, Some(LogicalType::Date)),
        DataType::Decimal128(..) => matches!(logical, Some(LogicalType::Decimal(_))),
        _ => false,
    }
}

/// Counts lines; with `quotes`, a line break inside `"…"` does not count.
fn records(bytes: &[u8], quotes: bool) -> u64 {
    if !quotes {
        return memchr::memchr_iter(b'\n', bytes).count() as u64;
    }
    let (mut lines, mut quoted) = (0, false);
    for at in memchr::memchr2_iter(b'"', b'\n', bytes) {
        match bytes.get(at) {
            Some(b'"') => quoted = !quoted,
            _ => lines += u64::from(!quoted),
        }
    }
    lines
}

fn damaged(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::damaged("it cannot be read").with_source(source)
}
