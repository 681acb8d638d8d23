//! The tables of `event` as Arrow schemas, and rows as record batches. Holds no column list of its
//! own: the columns are data in `event`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder,
    RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::error::{Error, Result};
use crate::event::{Cell, Column, ColumnType, Row, Table};

/// The Arrow type of a column: what Delta and every Parquet reader understand.
pub fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Int => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::Binary => DataType::Binary,
    }
}

/// The Arrow schema of a table. A field's metadata holds `otel.name` where there is one.
pub fn arrow_schema(table: Table) -> SchemaRef {
    Arc::new(Schema::new(table.columns().iter().map(field).collect::<Vec<_>>()))
}

fn field(column: &Column) -> Field {
    let field = Field::new(column.name, data_type(column.kind), column.nullable);
    match column.otel_name {
        Some(name) => {
            field.with_metadata(HashMap::from([("otel.name".to_owned(), name.to_owned())]))
        }
        None => field,
    }
}

/// Rows of one table on their way to a record batch.
#[derive(Debug)]
pub struct BatchBuilder {
    table: Table,
    columns: Vec<ColumnBuilder>,
    rows: usize,
}

/// Cells of one column on their way to an array.
#[derive(Debug)]
pub struct ColumnBuilder(Builder);

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Binary(BinaryBuilder),
}

impl BatchBuilder {
    /// No rows yet.
    pub fn new(table: Table) -> Self {
        let columns = table.columns().iter().map(|it| ColumnBuilder::new(it.kind)).collect();
        Self { table, columns, rows: 0 }
    }

    /// Adds a row, which must be of this builder's table.
    pub fn push(&mut self, row: &Row) -> Result<()> {
        if row.table() != self.table {
            return Err(Error::internal(format!(
                "a row of {} was added to {}",
                row.table().name(),
                self.table.name()
            )));
        }
        row.visit(|index, cell| {
            if let Some(column) = self.columns.get_mut(index) {
                column.append(cell);
            }
        });
        self.rows += 1;
        Ok(())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as one batch; the builder is empty afterwards.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(arrow_schema(self.table), columns).map_err(|source| {
            Error::internal(format!("cannot build a batch of {}", self.table.name()))
                .with_source(source)
        })
    }
}

/// The rows of one table as one batch.
pub fn to_batch<'a>(table: Table, rows: impl IntoIterator<Item = &'a Row>) -> Result<RecordBatch> {
    let mut builder = BatchBuilder::new(table);
    for row in rows {
        builder.push(row)?;
    }
    builder.finish()
}

impl ColumnBuilder {
    /// No cells yet.
    pub fn new(kind: ColumnType) -> Self {
        Self(match kind {
            ColumnType::Text => Builder::Text(StringBuilder::new()),
            ColumnType::Int => Builder::Int(Int64Builder::new()),
            ColumnType::Float => Builder::Float(Float64Builder::new()),
            ColumnType::Bool => Builder::Bool(BooleanBuilder::new()),
            ColumnType::Time => {
                Builder::Time(TimestampMicrosecondBuilder::new().with_data_type(data_type(kind)))
            }
            ColumnType::Binary => Builder::Binary(BinaryBuilder::new()),
        })
    }

    /// Appends a cell. One of another type cannot come from `Row::visit`; it counts as NULL.
    pub fn append(&mut self, cell: Cell<'_>) {
        match (&mut self.0, cell) {
            (Builder::Text(builder), Cell::Text(value)) => builder.append_value(value),
            (Builder::Int(builder), Cell::Int(value)) => builder.append_value(value),
            (Builder::Float(builder), Cell::Float(value)) => builder.append_value(value),
            (Builder::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Builder::Time(builder), Cell::Time(value)) => builder.append_value(value),
            (Builder::Binary(builder), Cell::Binary(value)) => builder.append_value(value),
            (Builder::Text(builder), _) => builder.append_null(),
            (Builder::Int(builder), _) => builder.append_null(),
            (Builder::Float(builder), _) => builder.append_null(),
            (Builder::Bool(builder), _) => builder.append_null(),
            (Builder::Time(builder), _) => builder.append_null(),
            (Builder::Binary(builder), _) => builder.append_null(),
        }
    }

    /// The cells as an array; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match &mut self.0 {
            Builder::Text(builder) => ArrayBuilder::finish(builder),
            Builder::Int(builder) => ArrayBuilder::finish(builder),
            Builder::Float(builder) => ArrayBuilder::finish(builder),
            Builder::Bool(builder) => ArrayBuilder::finish(builder),
            Builder::Time(builder) => ArrayBuilder::finish(builder),
            Builder::Binary(builder) => ArrayBuilder::finish(builder),
        }
    }
}
