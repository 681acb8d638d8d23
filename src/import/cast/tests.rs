//! Arrow columns of other tools in our types: what is exact, and what is refused in which row.
#![allow(clippy::unwrap_used, reason = "tests")]

use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Decimal128Array, DurationMicrosecondArray,
    Float32Array, Int8Array, Int32Array, LargeStringArray, NullArray, StringArray, StringViewArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array,
    UInt64Array,
};

use super::*;
use crate::event::Table;

fn column_of(table: Table, name: &str) -> &'static Column {
    table.columns().iter().find(|it| it.name == name).unwrap()
}

fn ints(array: impl Array + 'static) -> Result<Vec<Option<i64>>, CastError> {
    let cast = column(&(Arc::new(array) as ArrayRef), column_of(Table::Runs, "seed"))?;
    Ok(cast.as_primitive::<Int64Type>().iter().collect())
}

fn floats(array: impl Array + 'static) -> Result<Vec<Option<f64>>, CastError> {
    let cast = column(&(Arc::new(array) as ArrayRef), column_of(Table::Runs, "cost_usd"))?;
    Ok(cast.as_primitive::<Float64Type>().iter().collect())
}

fn times(array: impl Array + 'static) -> Result<Vec<Option<i64>>, CastError> {
    let column = column_of(Table::Runs, "start_time");
    let cast = super::column(&(Arc::new(array) as ArrayRef), column)?;
    assert_eq!(*cast.data_type(), data_type(ColumnType::Time));
    Ok(cast.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

fn value<T: std::fmt::Debug>(result: Result<T, CastError>) -> (usize, String) {
    match result.unwrap_err() {
        CastError::Value(row, refusal) => (row, refusal.what),
        CastError::Type(refusal) => panic!("{refusal:?}"),
    }
}

fn type_of<T: std::fmt::Debug>(result: Result<T, CastError>) -> String {
    match result.unwrap_err() {
        CastError::Type(refusal) => refusal.what,
        CastError::Value(row, refusal) => panic!("{row}: {refusal:?}"),
    }
}

#[test]
fn whole_numbers() {
    assert_eq!(ints(Int8Array::from(vec![Some(-5), None])), Ok(vec![Some(-5), None]));
    assert_eq!(ints(UInt32Array::from(vec![u32::MAX])), Ok(vec![Some(4_294_967_295)]));
    assert_eq!(ints(Float64Array::from(vec![Some(3.0), None])), Ok(vec![Some(3), None]));
    assert_eq!(ints(NullArray::new(2)), Ok(vec![None, None]));
    let decimal = |values: Vec<i128>, scale| {
        Decimal128Array::from(values).with_precision_and_scale(20, scale).unwrap()
    };
    assert_eq!(ints(decimal(vec![1_200], 2)), Ok(vec![Some(12)]));
    let large = (1, "18446744073709551615 is too large".to_owned());
    assert_eq!(value(ints(UInt64Array::from(vec![1, u64::MAX]))), large);
    assert_eq!(value(ints(Float64Array::from(vec![1.5]))), (0, "1.5 is no whole number".into()));
    let nan = Float64Array::from(vec![1.0, f64::NAN]);
    assert_eq!(value(ints(nan)), (1, "NaN is no whole number".into()));
    assert_eq!(
        value(ints(Float64Array::from(vec![1e17]))).1,
        "100000000000000000 is beyond the whole numbers that a float keeps"
    );
    assert_eq!(value(ints(decimal(vec![1_250], 2))), (0, "12.5 is no whole number".into()));
    let what = "the type Utf8 does not fit: whole numbers are wanted";
    assert_eq!(type_of(ints(StringArray::from(vec!["1"]))), what);
    let durations = DurationMicrosecondArray::from(vec![1]);
    assert!(matches!(ints(durations.clone()), Err(CastError::Type(_))), "seed is no duration");
    let durations: ArrayRef = Arc::new(durations);
    let cast = column(&durations, column_of(Table::Runs, "duration_ns")).unwrap();
    assert_eq!(cast.as_primitive::<Int64Type>().value(0), 1_000);
}

#[test]
fn floats_from_whole_numbers_and_decimals() {
    assert_eq!(floats(Float32Array::from(vec![0.5])), Ok(vec![Some(0.5)]));
    assert_eq!(floats(Int32Array::from(vec![7])), Ok(vec![Some(7.0)]));
    let lost = "9007199254740993 has more digits than a float keeps";
    assert_eq!(value(floats(Int64Array::from(vec![9_007_199_254_740_993]))).1, lost);
    let decimal = Decimal128Array::from(vec![Some(1_899_991), None]);
    let decimal = decimal.with_precision_and_scale(18, 4).unwrap();
    assert_eq!(floats(decimal), Ok(vec![Some(189.999_1), None]));
    let long = Decimal128Array::from(vec![1_234_567_890_123_456]);
    let long = long.with_precision_and_scale(18, 4).unwrap();
    assert_eq!(value(floats(long)).1, "the decimal has more than 15 digits");
    let what = "the type Boolean does not fit: numbers are wanted";
    assert_eq!(type_of(floats(BooleanArray::from(vec![true]))), what);
}

#[test]
fn times_of_any_unit_and_zone() {
    let zone = TimestampMillisecondArray::from(vec![1]).with_timezone("Europe/Berlin");
    assert_eq!(times(zone), Ok(vec![Some(1_000)]));
    assert_eq!(times(TimestampSecondArray::from(vec![-1])), Ok(vec![Some(-1_000_000)]));
    assert_eq!(times(TimestampNanosecondArray::from(vec![-1_000])), Ok(vec![Some(-1)]));
    let fine = TimestampNanosecondArray::from(vec![0, 1_001]);
    assert_eq!(value(times(fine)), (1, "the time is finer than a microsecond, by 1 ns".into()));
    let far = TimestampSecondArray::from(vec![i64::MAX]);
    assert_eq!(value(times(far)).1, "the time 9223372036854775807 is too far away");
    assert_eq!(
        times(StringViewArray::from(vec!["1970-01-01T00:00:01Z"])),
        Ok(vec![Some(1_000_000)])
    );
    let none = TimestampSecondArray::from(vec![Some(1), None]);
    assert_eq!(value(times(none)), (1, "the value is missing".into()));
    let what = "the type Date32 does not fit: timestamps are wanted";
    assert_eq!(type_of(times(Date32Array::from(vec![1]))), what);
}

#[test]
fn texts_and_bytes_of_any_layout() {
    let name = column_of(Table::Scores, "name");
    for array in [
        Arc::new(StringArray::from(vec!["é"])) as ArrayRef,
        Arc::new(LargeStringArray::from(vec!["é"])),
        Arc::new(StringViewArray::from(vec!["é"])),
    ] {
        assert_eq!(column(&array, name).unwrap().as_string::<i32>().value(0), "é");
    }
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"abc"[..]]));
    let what = "the type Binary does not fit: texts are wanted";
    assert_eq!(type_of(column(&bytes, name)), what);
    let histogram = column_of(Table::StepLatency, "histogram");
    assert_eq!(column(&bytes, histogram).unwrap().as_binary::<i32>().value(0), b"abc");
}
