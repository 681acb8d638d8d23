//! What a table, a column and a cell are: the machinery behind `tables.rs`. Knows no Arrow, no
//! file and no SQL.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

/// Shared, immutable text: cloning a run id into ten rows costs ten counter increments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(from = "String")]
pub struct Text(Arc<str>);

impl Text {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Arc::from(text))
    }
}

/// What a column holds. Deliberately few: no unsigned integers, no nested types, nothing that a
/// reader of Parquet and Delta could misread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 64-bit signed integer; nanoseconds, bytes or a count by the column's name.
    Int,
    /// 64-bit float.
    Float,
    /// True or false.
    Bool,
    /// Microseconds since the Unix epoch, UTC.
    Time,
    /// Bytes.
    Binary,
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// `snake_case` name, units last.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// Whether a row may lack it.
    pub nullable: bool,
    /// The dotted OpenTelemetry or SARIF name, where there is one.
    pub otel_name: Option<&'static str>,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

/// One value of a row, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A [`ColumnType::Text`].
    Text(&'a str),
    /// A [`ColumnType::Int`].
    Int(i64),
    /// A [`ColumnType::Float`].
    Float(f64),
    /// A [`ColumnType::Bool`].
    Bool(bool),
    /// A [`ColumnType::Time`] in microseconds.
    Time(i64),
    /// A [`ColumnType::Binary`].
    Binary(&'a [u8]),
}

/// A time: microseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TimeUs(pub i64);

/// A Rust type that can stand in a column.
pub trait ColumnValue {
    /// The column's type.
    const KIND: ColumnType;
    /// Whether the column is nullable.
    const NULLABLE: bool = false;
    /// The value as a cell.
    fn cell(&self) -> Cell<'_>;
    /// The value of a cell; `None` for a cell of another type, and for one that may not be null.
    fn of(cell: Cell<'_>) -> Option<Self>
    where
        Self: Sized;
}

impl ColumnValue for Text {
    const KIND: ColumnType = ColumnType::Text;
    fn cell(&self) -> Cell<'_> {
        Cell::Text(self)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(value) = cell { Some(Self::from(value)) } else { None }
    }
}

impl ColumnValue for i64 {
    const KIND: ColumnType = ColumnType::Int;
    fn cell(&self) -> Cell<'_> {
        Cell::Int(*self)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Int(value) = cell { Some(value) } else { None }
    }
}

impl ColumnValue for f64 {
    const KIND: ColumnType = ColumnType::Float;
    fn cell(&self) -> Cell<'_> {
        Cell::Float(*self)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Float(value) = cell { Some(value) } else { None }
    }
}

impl ColumnValue for bool {
    const KIND: ColumnType = ColumnType::Bool;
    fn cell(&self) -> Cell<'_> {
        Cell::Bool(*self)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bool(value) = cell { Some(value) } else { None }
    }
}

impl ColumnValue for TimeUs {
    const KIND: ColumnType = ColumnType::Time;
    fn cell(&self) -> Cell<'_> {
        Cell::Time(self.0)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Time(value) = cell { Some(Self(value)) } else { None }
    }
}

impl ColumnValue for Vec<u8> {
    const KIND: ColumnType = ColumnType::Binary;
    fn cell(&self) -> Cell<'_> {
        Cell::Binary(self)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Binary(value) = cell { Some(value.to_vec()) } else { None }
    }
}

impl<T: ColumnValue> ColumnValue for Option<T> {
    const KIND: ColumnType = T::KIND;
    const NULLABLE: bool = true;
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
    fn of(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::of(cell).map(Some) }
    }
}

/// Declares the tables: for each a row struct, its columns as data, and one `Table` and one `Row`
/// enum over all of them. A column added later must be an `Option`: journals of older builds lack
/// it and read it as `None`.
macro_rules! tables {
    ($(
        $(#[doc = $table_doc:literal])+
        $table:literal $variant:ident $row:ident {
            $( $(#[doc = $doc:literal])+ $([$otel:literal])? $name:ident: $kind:ty, )+
        }
    )+) => {
        /// The tables of a store, in the order of the documentation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $( $(#[doc = $table_doc])+ $variant, )+ }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Table] = &[ $( Table::$variant, )+ ];

            /// The SQL name.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $table, )+ }
            }

            /// The table with this SQL name.
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $( $table => Some(Self::$variant), )+ _ => None }
            }

            /// What one row is.
            pub fn doc(self) -> &'static str {
                match self { $( Self::$variant => concat!($( $table_doc ),+).trim_ascii(), )+ }
            }

            /// The columns in their order on disk.
            pub fn columns(self) -> &'static [Column] {
                match self { $( Self::$variant => $row::COLUMNS, )+ }
            }
        }

        $(
            $(#[doc = $table_doc])+
            #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
            #[serde(default)]
            pub struct $row { $( $(#[doc = $doc])+ pub $name: $kind, )+ }

            impl $row {
                /// The columns in their order on disk.
                pub const COLUMNS: &'static [Column] = &[ $( Column {
                    name: stringify!($name),
                    kind: <$kind as ColumnValue>::KIND,
                    nullable: <$kind as ColumnValue>::NULLABLE,
                    otel_name: tables!(@otel $($otel)?),
                    doc: concat!($( $doc ),+).trim_ascii(),
                }, )+ ];

                /// Calls `visit` with each cell, in the order of [`Self::COLUMNS`].
                pub fn visit<'a>(&'a self, mut visit: impl FnMut(usize, Cell<'a>)) {
                    let mut index = 0;
                    $( visit(index, ColumnValue::cell(&self.$name)); index += 1; )+
                    debug_assert_eq!(index, Self::COLUMNS.len());
                }

                /// The row whose cells `cell` gives by their index in [`Self::COLUMNS`]; `None` if
                /// one does not fit its column.
                pub fn of<'a>(mut cell: impl FnMut(usize) -> Cell<'a>) -> Option<Self> {
                    let mut next = 0..;
                    Some(Self { $( $name: ColumnValue::of(cell(next.next()?))?, )+ })
                }
            }

            impl From<$row> for Row {
                fn from(row: $row) -> Self {
                    Self::$variant(row)
                }
            }
        )+

        /// A row of some table.
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "rows are rarely moved, never stored mixed")]
        pub enum Row { $( $(#[doc = $table_doc])+ $variant($row), )+ }

        impl Row {
            /// The table the row belongs to.
            pub fn table(&self) -> Table {
                match self { $( Self::$variant(_) => Table::$variant, )+ }
            }

            /// Calls `visit` with each cell, in the order of the table's columns.
            pub fn visit<'a>(&'a self, visit: impl FnMut(usize, Cell<'a>)) {
                match self { $( Self::$variant(row) => row.visit(visit), )+ }
            }

            /// The row of `table` whose cells `cell` gives by their index in the table's columns;
            /// `None` if one does not fit its column.
            pub fn of<'a>(table: Table, cell: impl FnMut(usize) -> Cell<'a>) -> Option<Self> {
                match table { $( Table::$variant => $row::of(cell).map(Self::$variant), )+ }
            }
        }
    };
    (@otel) => { None };
    (@otel $otel:literal) => { Some($otel) };
}

pub(super) use tables;
