//! Columns of Arrow in the types of a table, exactly: a value that would lose something is refused,
//! with its row. Which types fit which is decided here and nowhere else.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Decimal128Array, Float64Array, Int64Array,
    PrimitiveArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};

use super::refusal::Refusal;
use super::text::{MICROS_HINT, time_us};
use crate::event::{Column, ColumnType};
use crate::store::schema::data_type;

/// Whole numbers up to this size are floats without a loss.
const FLOAT_WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
/// Decimal numbers of so many digits come back from the nearest float.
const FLOAT_DIGITS: u8 = 15;
const TYPE_HINT: &str = "Convert the column when you write the file.";
const NULL_HINT: &str = "The column needs a value in every row.";

/// Why a column is not taken.
#[derive(Debug, PartialEq)]
pub(super) enum CastError {
    /// Its type does not fit.
    Type(Refusal),
    /// The value in this row, from 0, does not fit.
    Value(usize, Refusal),
}

/// Whether a column of this type can fit at all.
pub(super) fn fits(found: &DataType, column: &Column) -> bool {
    use DataType as D;
    let is_text = matches!(found, D::Utf8 | D::LargeUtf8 | D::Utf8View);
    let is_whole = found.is_integer();
    let is_decimal = matches!(found, D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..));
    let is_duration = matches!(found, D::Duration(_)) && column.name.ends_with("_ns");
    if *found == D::Null {
        return true;
    }
    match column.kind {
        ColumnType::Text => is_text,
        ColumnType::Int => is_whole || found.is_floating() || is_decimal || is_duration,
        ColumnType::Float => is_whole || found.is_floating() || is_decimal,
        ColumnType::Bool => *found == D::Boolean,
        ColumnType::Time => is_text || matches!(found, D::Timestamp(..)),
        ColumnType::Binary => {
            matches!(found, D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_))
        }
    }
}

/// A column's type that does not fit, in words.
pub(super) fn unfit(found: &DataType, column: &Column) -> Refusal {
    let wanted = match column.kind {
        ColumnType::Text => "texts",
        ColumnType::Int => "whole numbers",
        ColumnType::Float => "numbers",
        ColumnType::Bool => "booleans",
        ColumnType::Time => "timestamps",
        ColumnType::Binary => "bytes",
    };
    Refusal::new(format!("the type {found} does not fit: {wanted} are wanted"), TYPE_HINT)
}

/// An array in the type of a column of a table.
pub(super) fn column(array: &ArrayRef, column: &Column) -> Result<ArrayRef, CastError> {
    if !fits(array.data_type(), column) {
        return Err(CastError::Type(unfit(array.data_type(), column)));
    }
    let nulls = array.logical_nulls();
    if !column.nullable
        && let Some(row) = nulls.and_then(|it| (0..it.len()).find(|row| it.is_null(*row)))
    {
        return Err(CastError::Value(row, Refusal::new("the value is missing", NULL_HINT)));
    }
    if *array.data_type() == DataType::Null {
        return Ok(new_null_array(&data_type(column.kind), array.len()));
    }
    match column.kind {
        ColumnType::Int => ints(array),
        ColumnType::Float => floats(array),
        ColumnType::Time => times(array),
        ColumnType::Text | ColumnType::Binary | ColumnType::Bool => {
            plain(array, &data_type(column.kind))
        }
    }
}

/// A cast that cannot lose anything.
fn plain(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, CastError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    cast(array, to).map_err(|error| CastError::Type(Refusal::new(error.to_string(), TYPE_HINT)))
}

/// Each value by `convert`, which refuses what would lose something.
fn each<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &ArrayRef,
    convert: impl Fn(F::Native) -> Result<T::Native, Refusal>,
) -> Result<PrimitiveArray<T>, CastError> {
    let from = array.as_primitive::<F>();
    let mut values = Vec::with_capacity(from.len());
    for row in 0..from.len() {
        values.push(if from.is_null(row) {
            T::Native::default()
        } else {
            convert(from.value(row)).map_err(|it| CastError::Value(row, it))?
        });
    }
    Ok(PrimitiveArray::new(values.into(), from.nulls().cloned()))
}

fn too_large(value: impl std::fmt::Display) -> Refusal {
    let hint = "Whole numbers go from -9223372036854775808 to 9223372036854775807.";
    Refusal::new(format!("{value} is too large"), hint)
}

fn fraction(value: impl std::fmt::Display) -> Refusal {
    let hint = "Round it when you write the file.";
    Refusal::new(format!("{value} is no whole number"), hint)
}

fn ints(array: &ArrayRef) -> Result<ArrayRef, CastError> {
    let whole = |value: f64| {
        if value.fract() != 0.0 || !value.is_finite() {
            Err(fraction(value))
        } else if value.abs() > FLOAT_WHOLE_MAX {
            let what = format!("{value} is beyond the whole numbers that a float keeps");
            Err(Refusal::new(what, "Write it as a whole number."))
        } else {
            Ok(value as i64)
        }
    };
    let times =
        |factor: i64| move |value: i64| value.checked_mul(factor).ok_or_else(|| too_large(value));
    let ints: Int64Array = match array.data_type() {
        DataType::UInt64 => {
            each::<UInt64Type, _>(array, |it| i64::try_from(it).map_err(|_| too_large(it)))?
        }
        DataType::Float16 => each::<Float16Type, _>(array, |it| whole(it.to_f64()))?,
        DataType::Float32 => each::<Float32Type, _>(array, |it| whole(it.into()))?,
        DataType::Float64 => each::<Float64Type, _>(array, whole)?,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => {
            let decimals = decimals(array)?;
            let scale = u32::try_from(decimals.scale()).unwrap_or(0);
            let ten = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
            let array: ArrayRef = Arc::new(decimals.clone());
            each::<Decimal128Type, _>(&array, |it| match (it % ten, i64::try_from(it / ten)) {
                (0, Ok(value)) => Ok(value),
                (0, Err(_)) => Err(too_large(it / ten)),
                _ => Err(fraction(it as f64 / ten as f64)),
            })?
        }
        DataType::Duration(TimeUnit::Second) => {
            each::<DurationSecondType, _>(array, times(1_000_000_000))?
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            each::<DurationMillisecondType, _>(array, times(1_000_000))?
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            each::<DurationMicrosecondType, _>(array, times(1_000))?
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            each::<DurationNanosecondType, _>(array, times(1))?
        }
        _ => return plain(array, &DataType::Int64),
    };
    Ok(Arc::new(ints))
}

fn floats(array: &ArrayRef) -> Result<ArrayRef, CastError> {
    let exact = |value: i128| {
        let float = value as f64;
        let is_exact = float as i128 == value;
        let hint = "Write it as a float.";
        let lost = || Refusal::new(format!("{value} has more digits than a float keeps"), hint);
        if is_exact { Ok(float) } else { Err(lost()) }
    };
    let floats: Float64Array = match array.data_type() {
        DataType::Int64 => each::<Int64Type, _>(array, |it| exact(it.into()))?,
        DataType::UInt64 => each::<UInt64Type, _>(array, |it| exact(it.into()))?,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => {
            let decimals = decimals(array)?;
            let scale = i32::from(decimals.scale());
            let digits = 10_i128.pow(FLOAT_DIGITS.into());
            let hint = "Write it as a float.";
            let array: ArrayRef = Arc::new(decimals.clone());
            each::<Decimal128Type, _>(&array, |it| {
                // both are exact, so that the quotient is the nearest float
                if it.abs() < digits && (0..=22).contains(&scale) {
                    Ok(it as f64 / 10_f64.powi(scale))
                } else {
                    let what = format!("the decimal has more than {FLOAT_DIGITS} digits");
                    Err(Refusal::new(what, hint))
                }
            })?
        }
        _ => return plain(array, &DataType::Float64),
    };
    Ok(Arc::new(floats))
}

fn decimals(array: &ArrayRef) -> Result<Decimal128Array, CastError> {
    let to = match array.data_type() {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        other => other.clone(),
    };
    Ok(plain(array, &to)?.as_primitive::<Decimal128Type>().clone())
}

/// Times in microseconds. One without a zone counts as UTC, which is what tools mean by it.
fn times(array: &ArrayRef) -> Result<ArrayRef, CastError> {
    let longer = |factor: i64| {
        move |value: i64| {
            let hint = "Times go from the year -290308 to 294247.";
            value
                .checked_mul(factor)
                .ok_or_else(|| Refusal::new(format!("the time {value} is too far away"), hint))
        }
    };
    let times: TimestampMicrosecondArray = match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            each::<TimestampSecondType, _>(array, longer(1_000_000))?
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            each::<TimestampMillisecondType, _>(array, longer(1_000))?
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().clone()
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            each::<TimestampNanosecondType, _>(array, |it| match it.rem_euclid(1_000) {
                0 => Ok(it.div_euclid(1_000)),
                ns => {
                    let what = format!("the time is finer than a microsecond, by {ns} ns");
                    Err(Refusal::new(what, MICROS_HINT))
                }
            })?
        }
        _ => {
            let texts = plain(array, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>();
            let mut values = Vec::with_capacity(texts.len());
            for row in 0..texts.len() {
                let value = if texts.is_null(row) { Ok(0) } else { time_us(texts.value(row)) };
                values.push(value.map_err(|it| CastError::Value(row, it))?);
            }
            TimestampMicrosecondArray::new(values.into(), texts.nulls().cloned())
        }
    };
    Ok(Arc::new(times.with_data_type(data_type(ColumnType::Time))))
}

#[cfg(test)]
mod tests;
