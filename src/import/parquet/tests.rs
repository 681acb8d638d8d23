//! Parquet of other tools, damaged files, and values that are large together.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use arrow::array::DictionaryArray;
use arrow::array::{Int32Array, Int64Array, LargeStringArray, StringArray, TimestampSecondArray};
use arrow::datatypes::{Int32Type, Int64Type, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::*;

fn written(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(4 << 20).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn read_with(bytes: &[u8], limits: Limits) -> Result<Vec<RecordBatch>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contracts.parquet");
    std::fs::write(&path, bytes).unwrap();
    let options = ReadOptions { ignore_unknown: false, limits };
    let mut reader = ParquetReader::open(&path, Table::Contracts, &options)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        assert!(batch.rows.num_rows() > 0);
        batches.push(batch.rows);
    }
    Ok(batches)
}

/// Contracts as another tool would write them, in another order.
fn foreign(bodies: Vec<&str>) -> RecordBatch {
    let rows = bodies.len();
    let names: DictionaryArray<Int32Type> = vec!["same"; rows].into_iter().collect();
    let ints = || Arc::new(Int32Array::from(vec![1; rows])) as ArrayRef;
    let times = TimestampSecondArray::from(vec![5; rows]).with_timezone("America/New_York");
    RecordBatch::try_from_iter([
        ("first_seen_time", Arc::new(times) as ArrayRef),
        ("body", Arc::new(LargeStringArray::from(bodies))),
        ("name", Arc::new(names)),
        ("inputs", ints()),
        ("outputs", ints()),
        ("actions", ints()),
        ("error_codes", Arc::new(Int64Array::from(vec![2; rows]))),
        (
            "contract_digest",
            Arc::new(StringArray::from_iter_values((0..rows).map(|it| it.to_string()))),
        ),
    ])
    .unwrap()
}

#[test]
fn types_and_order_of_another_tool_are_ours_afterwards() {
    let rows = read_with(&written(&foreign(vec!["a", "b"])), Limits::default()).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].schema(), arrow_schema(Table::Contracts));
    assert_eq!(rows[0].column_by_name("body").unwrap().as_string::<i32>().value(1), "b");
    assert_eq!(rows[0].column_by_name("name").unwrap().as_string::<i32>().value(1), "same");
    assert_eq!(rows[0].column_by_name("inputs").unwrap().as_primitive::<Int64Type>().value(1), 1);
    let times = rows[0].column_by_name("first_seen_time").unwrap();
    assert!(matches!(times.data_type(), DataType::Timestamp(TimeUnit::Microsecond, Some(_))));
    assert!(rows[0].column_by_name("uri").unwrap().is_null(0), "a lacking column is NULL");
}

/// A megabyte that is there 2,100 times takes a megabyte in the file, and more than 2 GB as values.
#[test]
fn values_that_are_large_together_are_read_in_small_batches() {
    let body = "x".repeat(1 << 20);
    let file = foreign(vec!["y"; 2_100]);
    let keys = Int32Array::from(vec![0; 2_100]);
    let bodies = DictionaryArray::new(keys, Arc::new(StringArray::from(vec![body.as_str()])));
    let schema = file.schema();
    let columns = schema.fields().iter().zip(file.columns()).map(|(field, column)| {
        let is_body = field.name() == "body";
        let column =
            if is_body { Arc::new(bodies.clone()) as ArrayRef } else { Arc::clone(column) };
        (field.name().clone(), column)
    });
    let file = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    let bytes = written(&file);
    assert!(bytes.len() < 64 << 20);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contracts.parquet");
    std::fs::write(&path, &bytes).unwrap();
    let options = ReadOptions::default();
    let mut reader = ParquetReader::open(&path, Table::Contracts, &options).unwrap();
    let mut rows = 0;
    while let Some(batch) = reader.next().unwrap() {
        assert!(batch.rows.num_rows() <= 8);
        assert_eq!(batch.first_row, rows + 1);
        rows += batch.rows.num_rows() as u64;
    }
    assert_eq!(rows, 2_100);
    let limits = Limits { value_bytes_max: 1 << 19, ..Limits::default() };
    let error = read_with(&bytes, limits).unwrap_err().to_string();
    let expected = "row 1, column body: the value has 1048576 bytes, more than 524288";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn damaged_files_are_refused() {
    let bytes = written(&foreign(vec!["a", "b", "c"]));
    let wrong = |bytes: &[u8]| {
        let error = read_with(bytes, Limits::default()).unwrap_err();
        assert!(error.message().contains("contracts.parquet as Parquet"), "{error}");
        assert!(error.hint().is_some());
    };
    wrong(b"");
    wrong(b"run_id,name\n");
    for length in [1, 7, bytes.len() / 2, bytes.len() - 1] {
        wrong(&bytes[..length]);
    }
    // a flipped byte is refused or changes nothing but a value; it never ends the program
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        drop(read_with(&flipped, Limits::default()));
    }
}

#[test]
fn a_type_that_does_not_fit_is_told_before_a_row_is_read() {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let file = foreign(vec!["a"]);
    for (field, column) in file.schema().fields().iter().zip(file.columns()) {
        let wrong = Arc::new(StringArray::from(vec!["1"])) as ArrayRef;
        let is_inputs = field.name() == "inputs";
        columns.push((field.name().clone(), if is_inputs { wrong } else { Arc::clone(column) }));
    }
    let file = RecordBatch::try_from_iter(columns).unwrap();
    let error = read_with(&written(&file), Limits::default()).unwrap_err().to_string();
    let expected = "column inputs: the type Utf8View does not fit: whole numbers are wanted";
    assert!(error.ends_with(expected), "{error}");
}
