//! Types inside of a query, and outside. Text is scanned as views: groups and comparisons of short
//! text take half the time then. Results are in plain types: what is a view or a dictionary leaves
//! as text or bytes, so that no reader of a result needs to know more types than the tables have.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::event::Table;
use crate::store::schema::arrow_schema;

/// The schema in which a table is scanned.
pub(super) fn scanned(table: Table) -> SchemaRef {
    let schema = arrow_schema(table);
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Arc::new(Field::clone(field).with_data_type(DataType::Utf8View)),
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// A plan that describes a table tells the types of its results.
pub(super) fn described(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::DescribeTable(mut described) => {
            described.schema = schema(&described.schema);
            LogicalPlan::DescribeTable(described)
        }
        plan => plan,
    }
}

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
