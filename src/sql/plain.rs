//! Results in plain types: what a function returns as a view or a dictionary leaves as text or
//! bytes, so that no reader of a result needs to know more types than the tables have.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;

/// The schema with plain types.
pub(super) fn schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match plain(field.data_type()) {
        Some(kind) => Arc::new(Field::clone(field).with_data_type(kind)),
        None => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// The batch in the plain schema of its result.
pub(super) fn batch(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(|column| match plain(column.data_type()) {
        Some(kind) => cast(column, &kind),
        None => Ok(Arc::clone(column)),
    });
    let columns = columns.collect::<arrow::error::Result<Vec<_>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

fn plain(kind: &DataType) -> Option<DataType> {
    match kind {
        DataType::Utf8View | DataType::LargeUtf8 => Some(DataType::Utf8),
        DataType::BinaryView | DataType::LargeBinary => Some(DataType::Binary),
        DataType::Dictionary(_, value) => {
            Some(plain(value).unwrap_or_else(|| value.as_ref().clone()))
        }
        _ => None,
    }
}
