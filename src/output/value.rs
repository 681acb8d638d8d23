//! One cell of a record batch, whatever its Arrow type, and the ways to write it down. Decides
//! nothing about layout.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::clock::rfc3339;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// Microseconds since 1970, UTC.
    Time(i64),
    Text(Cow<'a, str>),
    Binary(&'a [u8]),
    /// A list, a struct or a map.
    Nested(serde_json::Value),
}

impl<'a> Value<'a> {
    /// The cell of `array` in `row`, which must be less than its length. A type without a form of
    /// its own here gets Arrow's text.
    pub(super) fn of(array: &'a dyn Array, row: usize) -> Self {
        if array.is_null(row) {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool(array.as_boolean().value(row)),
            DataType::Int8 => Self::Int(primitive::<Int8Type>(array, row).into()),
            DataType::Int16 => Self::Int(primitive::<Int16Type>(array, row).into()),
            DataType::Int32 => Self::Int(primitive::<Int32Type>(array, row).into()),
            DataType::Int64 => Self::Int(primitive::<Int64Type>(array, row)),
            DataType::UInt8 => Self::UInt(primitive::<UInt8Type>(array, row).into()),
            DataType::UInt16 => Self::UInt(primitive::<UInt16Type>(array, row).into()),
            DataType::UInt32 => Self::UInt(primitive::<UInt32Type>(array, row).into()),
            DataType::UInt64 => Self::UInt(primitive::<UInt64Type>(array, row)),
            DataType::Float32 => Self::Float(primitive::<Float32Type>(array, row).into()),
            DataType::Float64 => Self::Float(primitive::<Float64Type>(array, row)),
            DataType::Decimal128(_, scale) => {
                let unscaled = primitive::<Decimal128Type>(array, row);
                Self::Float(unscaled as f64 / 10_f64.powi(i32::from(*scale)))
            }
            DataType::Timestamp(unit, _) => Self::Time(time_us(array, *unit, row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row).into()),
            DataType::LargeUtf8 => Self::Text(array.as_string::<i64>().value(row).into()),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row).into()),
            DataType::Binary => Self::Binary(array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => Self::Binary(array.as_binary::<i64>().value(row)),
            DataType::BinaryView => Self::Binary(array.as_binary_view().value(row)),
            DataType::List(_) => items(array.as_list::<i32>().value(row)),
            DataType::LargeList(_) => items(array.as_list::<i64>().value(row)),
            DataType::FixedSizeList(..) => items(array.as_fixed_size_list().value(row)),
            DataType::Struct(fields) => {
                let pairs = fields.iter().zip(array.as_struct().columns());
                let entries = pairs.map(|(field, it)| (field.name().clone(), to_json(it, row)));
                Self::Nested(serde_json::Value::Object(entries.collect()))
            }
            _ => Self::Text(display(array, row).into()),
        }
    }

    /// Whether the cell holds nothing.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The cell without any loss, for CSV; empty for NULL.
    pub(super) fn exact_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "".into(),
            Self::Bool(value) => if *value { "true" } else { "false" }.into(),
            Self::Int(value) => value.to_string().into(),
            Self::UInt(value) => value.to_string().into(),
            Self::Float(value) => value.to_string().into(),
            Self::Time(us) => rfc3339(*us).into(),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Binary(bytes) => STANDARD.encode(bytes).into(),
            Self::Nested(json) => json.to_string().into(),
        }
    }

    /// The cell as people like it: rounded floats, times without empty fractions, the size of
    /// bytes instead of the bytes. `NULL` for nothing, and `"NULL"` for that very text.
    pub(super) fn short_text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "NULL".into(),
            Self::Float(value) => short_float(*value).into(),
            Self::Time(us) => rfc3339(*us).replace(".000000Z", "Z").into(),
            Self::Binary(bytes) => format!("<{} bytes>", bytes.len()).into(),
            Self::Text(text) if text == "NULL" => "\"NULL\"".into(),
            other => other.exact_text(),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::UInt(value) => serializer.serialize_u64(*value),
            // JSON has no NaN and no infinity: serde_json writes null for them.
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Nested(json) => json.serialize(serializer),
            other => serializer.serialize_str(&other.exact_text()),
        }
    }
}

/// Every cell of a column as its exact text; NULL stays NULL.
pub fn texts(array: &dyn Array) -> StringArray {
    let cells = (0..array.len()).map(|row| Value::of(array, row));
    cells.map(|cell| (!cell.is_null()).then(|| cell.exact_text().into_owned())).collect()
}

/// Whether values of this type are aligned right.
pub(super) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// Whether a value of this type still says something when its middle is left out: a number or a
/// time does not.
pub(super) fn can_cut(data_type: &DataType) -> bool {
    !data_type.is_numeric() && !data_type.is_temporal()
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn time_us(array: &dyn Array, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => primitive::<TimestampSecondType>(array, row).saturating_mul(1_000_000),
        TimeUnit::Millisecond => {
            primitive::<TimestampMillisecondType>(array, row).saturating_mul(1_000)
        }
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, row),
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, row).div_euclid(1_000),
    }
}

fn display(array: &dyn Array, row: usize) -> String {
    array_value_to_string(array, row).unwrap_or_else(|error| error.to_string())
}

fn items(items: ArrayRef) -> Value<'static> {
    Value::Nested((0..items.len()).map(|row| to_json(items.as_ref(), row)).collect())
}

fn to_json(array: &dyn Array, row: usize) -> serde_json::Value {
    serde_json::to_value(Value::of(array, row)).unwrap_or(serde_json::Value::Null)
}

/// Six decimals, or six significant digits below 1, without trailing zeros; an exponent where
/// that would say nothing.
fn short_float(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || value == 0.0 {
        return value.to_string();
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:e}");
    }
    let decimals = if size < 1.0 { 5 - size.log10().floor() as i32 } else { 6 };
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or(6));
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_without_noise() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (189.9991, "189.9991"),
            (1.0, "1"),
            (0.0, "0"),
            (-2.5, "-2.5"),
            (1_234_567.25, "1234567.25"),
            (0.000123456789, "0.000123457"),
            (1e300, "1e300"),
            (2.0 / 3.0, "0.666667"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(short_float(value), text, "{value}");
        }
    }
}
