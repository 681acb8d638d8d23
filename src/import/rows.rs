//! Rows on their way from text to a record batch of their table, within a bound of bytes.

use arrow::array::RecordBatch;

use super::refusal::Refusal;
use super::{Batch, Limits};
use crate::error::Result;
use crate::event::{Cell, Column, ColumnType, Table};
use crate::store::schema::{ColumnBuilder, arrow_schema};

const NULL_HINT: &str = "The column needs a value in every row.";

/// Complete rows of a table.
#[derive(Debug)]
pub(super) struct Rows {
    table: Table,
    columns: Vec<ColumnBuilder>,
    len: usize,
    /// Rows that were handed on.
    handed_on: u64,
    /// Bytes of text, and eight for each other value.
    size_bytes: usize,
    limits: Limits,
}

impl Rows {
    pub(super) fn new(table: Table, limits: Limits) -> Self {
        let columns = table.columns().iter().map(|it| ColumnBuilder::new(it.kind)).collect();
        Self { table, columns, len: 0, handed_on: 0, size_bytes: 0, limits }
    }

    /// The number in the file, from 1, of the row that is next to be complete.
    pub(super) fn number(&self) -> u64 {
        self.handed_on + self.len as u64 + 1
    }

    /// Whether the rows should be handed on before more are added.
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.limits.batch_rows || self.size_bytes >= self.limits.batch_bytes
    }

    /// Adds the next value of a column. Every column must get one before [`Rows::end_row`].
    pub(super) fn append(&mut self, index: usize, cell: Cell<'_>) -> Result<(), Refusal> {
        let column = self.table.columns().get(index);
        let (Some(column), Some(builder)) = (column, self.columns.get_mut(index)) else {
            return Ok(());
        };
        let size_bytes = match cell {
            Cell::Text(text) => text.len(),
            Cell::Binary(bytes) => bytes.len(),
            _ => 8,
        };
        check_size(size_bytes, &self.limits)?;
        self.size_bytes += size_bytes;
        builder.append(match cell {
            Cell::Null => absent(column)?,
            cell => cell,
        });
        Ok(())
    }

    /// The row is complete.
    pub(super) fn end_row(&mut self) {
        self.len += 1;
    }

    /// Hands on the rows, if there are any; there are none afterwards.
    pub(super) fn take(&mut self) -> Result<Option<Batch>> {
        if self.len == 0 {
            return Ok(None);
        }
        let first_row = self.handed_on + 1;
        self.handed_on += self.len as u64;
        (self.len, self.size_bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let rows = RecordBatch::try_new(arrow_schema(self.table), columns).map_err(|source| {
            let message = format!("cannot build a batch of {}", self.table.name());
            crate::error::Error::internal(message).with_source(source)
        })?;
        Ok(Some(Batch { rows, first_row }))
    }
}

/// What stands in a column for no value.
fn absent(column: &Column) -> Result<Cell<'static>, Refusal> {
    if column.nullable {
        Ok(Cell::Null)
    } else {
        Err(Refusal::new("the value is missing", NULL_HINT))
    }
}

/// What an empty field without quotes means. In a column that must have a text it is the empty one:
/// nothing else can be meant.
pub(super) fn empty_field(column: &Column) -> Cell<'static> {
    match column.kind {
        ColumnType::Text if !column.nullable => Cell::Text(""),
        _ => Cell::Null,
    }
}

/// Refuses a value that is longer than the limit.
pub(super) fn check_size(size_bytes: usize, limits: &Limits) -> Result<(), Refusal> {
    if size_bytes > limits.value_bytes_max {
        let what =
            format!("the value has {size_bytes} bytes, more than {}", limits.value_bytes_max);
        return Err(Refusal::new(what, "Shorten the value; a store is no place for it."));
    }
    Ok(())
}
