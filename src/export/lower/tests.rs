//! Types, values and names as each profile has them; conversions checked by hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, DurationMicrosecondArray, Float64Array,
    Int32Array, Int64Array, ListArray, StringViewArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::array::{RecordBatch, Time64MicrosecondArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};

use super::{Lowered, Lowering, word};
use crate::error::Result;
use crate::event::Table;
use crate::export::profile::{PROFILES, profile};
use crate::store::schema::arrow_schema;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, it)| (n, it, true)))
        .unwrap()
}

fn lower(batch: &RecordBatch, name: &str) -> Result<Lowered> {
    Lowering::new(&batch.schema(), profile(name).unwrap(), false)?.lower(batch, None)
}

fn types(schema: &Schema) -> Vec<(String, String)> {
    let fields = schema.fields().iter();
    fields.map(|it| (it.name().clone(), word(it.data_type()))).collect()
}

/// No profile writes a type that the tools of USERS.md stumble over.
#[test]
fn every_table_in_every_profile_has_plain_types() {
    for profile in &PROFILES {
        for table in Table::ALL {
            let schema = arrow_schema(*table);
            let lowering = Lowering::new(&schema, profile, true).unwrap();
            for (name, kind) in types(lowering.schema()) {
                let known = ["text", "bigint", "double", "boolean", "binary", "date"];
                let is_plain = known.contains(&kind.as_str())
                    || kind == "timestamp (µs, UTC)"
                    || kind == "decimal(18,9)";
                assert!(is_plain, "{profile}: {}.{name} is {kind}", table.name());
            }
        }
    }
}

#[test]
fn an_exact_profile_changes_nothing() {
    for profile in PROFILES.iter().filter(|it| it.is_exact()) {
        for table in Table::ALL {
            let schema = arrow_schema(*table);
            let lowering = Lowering::new(&schema, profile, false).unwrap();
            for (now, before) in lowering.schema().fields().iter().zip(schema.fields()) {
                assert_eq!((now.name(), now.data_type()), (before.name(), before.data_type()));
            }
            assert!(lowering.left_out().is_empty());
        }
    }
}

#[test]
fn durations_and_costs_are_as_the_tool_wants_them() {
    let ns: ArrayRef = Arc::new(Int64Array::from(vec![Some(1_500_000), None]));
    let usd: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1), Some(1e12)]));
    let batch = batch(vec![("duration_ns", ns), ("cost_usd", usd)]);
    let names = |profile: &str| {
        let lowered = lower(&batch, profile).unwrap();
        types(&lowered.rows.schema()).into_iter().map(|(n, k)| format!("{n} {k}")).collect()
    };
    let parquet: Vec<String> = names("parquet");
    assert_eq!(parquet, ["duration_ns bigint", "cost_usd double"]);
    let spark: Vec<String> = names("spark");
    assert_eq!(spark, ["duration_ns bigint", "duration_ms double", "cost_usd decimal(18,9)"]);
    let powerbi = lower(&batch, "powerbi").unwrap();
    assert_eq!(powerbi.nulled, [0, 1], "a cost that has too many digits");
    let ms = powerbi.rows.column(0).as_primitive::<Float64Type>();
    assert_eq!(ms.iter().collect::<Vec<_>>(), [Some(1.5), None]);
    let usd = powerbi.rows.column(1).as_primitive::<Decimal128Type>();
    assert_eq!(usd.iter().collect::<Vec<_>>(), [Some(100_000_000), None]);
}

#[test]
fn what_is_no_number_is_null_and_counted() {
    let floats = vec![Some(1.0), Some(f64::NAN), None, Some(f64::INFINITY)];
    let batch = batch(vec![("value", Arc::new(Float64Array::from(floats)))]);
    let kept = lower(&batch, "parquet").unwrap();
    assert_eq!((kept.nulled[0], kept.rows.column(0).null_count()), (0, 1));
    for name in ["powerbi", "tableau", "spark", "grafana", "csv", "ndjson"] {
        let finite = lower(&batch, name).unwrap();
        assert_eq!((finite.nulled[0], finite.rows.column(0).null_count()), (2, 3), "{name}");
    }
}

#[test]
fn types_of_a_query_are_lowered() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
    let dictionary: DictionaryArray<Int32Type> = ["a"].into_iter().collect();
    let batch = batch(vec![
        ("Count(*)", Arc::new(UInt64Array::from(vec![7]))),
        ("small", Arc::new(Int32Array::from(vec![-1]))),
        ("view", Arc::new(StringViewArray::from(vec!["é"]))),
        ("dictionary", Arc::new(dictionary)),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![1_999]))),
        ("took", Arc::new(DurationMicrosecondArray::from(vec![2_500]))),
        ("of day", Arc::new(Time64MicrosecondArray::from(vec![1_000_000]))),
        ("list", Arc::new(list)),
        ("bytes", Arc::new(BinaryArray::from(vec![b"x".as_ref()]))),
    ]);
    let lowered = lower(&batch, "grafana").unwrap().rows;
    let expected = [
        ("count", "bigint"),
        ("small", "bigint"),
        ("view", "text"),
        ("dictionary", "text"),
        ("time", "timestamp (µs, UTC)"),
        ("took_ms", "double"),
        ("of_day", "text"),
        ("list", "text"),
    ];
    let expected = expected.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(types(&lowered.schema()), expected);
    assert_eq!(lowered.column(0).as_primitive::<Int64Type>().value(0), 7);
    assert_eq!(lowered.column(4).as_primitive::<TimestampMicrosecondType>().value(0), 1);
    assert_eq!(lowered.column(5).as_primitive::<Float64Type>().value(0), 2.5);
    assert_eq!(lowered.column(6).as_string::<i32>().value(0), "00:00:01");
    assert_eq!(lowered.column(7).as_string::<i32>().value(0), "[1,null]");
    let arrow = lower(&batch, "arrow").unwrap().rows;
    assert!(matches!(arrow.column(7).data_type(), DataType::List(_)));
}

#[test]
fn a_number_that_does_not_fit_is_told() {
    let batch = batch(vec![("big", Arc::new(UInt64Array::from(vec![u64::MAX])))]);
    let error = lower(&batch, "parquet").unwrap_err();
    assert!(error.message().starts_with("column big has a value"), "{error}");
    assert!(error.hint().unwrap().contains("CAST"));
}

#[test]
fn the_day_is_a_column_of_its_own() {
    let batch = batch(vec![("dt", Arc::new(Int64Array::from(vec![1])))]);
    let error = Lowering::new(&batch.schema(), profile("tableau").unwrap(), true).unwrap_err();
    assert!(error.message().contains("a column dt is there already"), "{error}");
}
