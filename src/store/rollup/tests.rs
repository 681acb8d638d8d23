//! Roll-ups against the steps that their sketches are of.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::event::{StepLatencyRow, StepRow, Text, TimeUs};
use crate::store::latency::Sketches;
use crate::store::segment;

const HOUR_US: i64 = 3_600_000_000;

fn steps() -> Vec<StepRow> {
    // 100 days from 2026-01-20, an attempt each half hour
    let attempt = |i: i64| StepRow {
        step_name: Text::from(if i % 3 == 0 { "generate" } else { "lint" }),
        result: Text::from(if i % 7 == 0 { "error" } else { "success" }),
        start_time: TimeUs(1_768_867_200_000_000 + i * HOUR_US / 2),
        duration_ns: i * i % 977 * 1_000_003,
        ..StepRow::default()
    };
    (0..4_800).map(attempt).collect()
}

fn sketched(span: Span, steps: &[StepRow]) -> Vec<Row> {
    let mut sketches = Sketches::over(span);
    steps.iter().for_each(|it| sketches.add(it));
    sketches.rows()
}

fn file_of(rows: &[Row]) -> Vec<u8> {
    segment::encode(Table::StepLatency, &mut rows.iter().collect::<Vec<_>>()).unwrap().bytes
}

/// The rows of a Parquet file, with their spans where it has these.
fn read(bytes: Vec<u8>) -> Vec<(String, StepLatencyRow)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
    let mut found = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let spans = batch.column_by_name(SPAN).map(|it| {
            let spans = arrow::array::AsArray::as_string::<i32>(it);
            spans.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        });
        let mut spans = spans.unwrap_or_else(|| vec!["hour".to_owned(); batch.num_rows()]);
        rows(
            Table::StepLatency,
            &batch,
            |_| true,
            |row| {
                let Row::StepLatency(row) = row else { panic!("no sketch") };
                found.push((spans.remove(0), row));
            },
        )
        .unwrap();
    }
    found
}

fn rollup_in(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = Bytes::copy_from_slice(bytes);
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let place = RollupPlace::of(reader.metadata().file_metadata(), bytes.len() as u64)?;
    let start = usize::try_from(place.offset).unwrap();
    let end = start + usize::try_from(place.size_bytes).unwrap();
    Some(bytes.get(start..end).unwrap().to_vec())
}

#[test]
fn a_file_carries_its_sketches_of_days_and_months_unseen() {
    let steps = steps();
    let hours = sketched(Span::Hour, &steps);
    let file = file_of(&hours);
    let plain: Vec<Row> = read(file.clone()).into_iter().map(|(_, it)| it.into()).collect();
    assert_eq!(plain, hours, "a reader that knows nothing of the roll-up sees the hours");
    let found = read(rollup_in(&file).unwrap());
    for span in [Span::Day, Span::Month] {
        let found = found.iter().filter(|(name, _)| name == span.name());
        let found: Vec<Row> = found.map(|(_, it)| it.clone().into()).collect();
        assert_eq!(found, sketched(span, &steps), "{span:?}");
    }
}

#[test]
fn few_rows_and_rows_of_one_day_are_not_rolled_up() {
    let steps = steps();
    assert_eq!(rollup_in(&file_of(&sketched(Span::Hour, steps.get(..300).unwrap()))), None);
    let one_day = |i: i64| StepRow {
        step_name: Text::from(format!("step {i}")),
        start_time: TimeUs(i % 3 * HOUR_US),
        ..StepRow::default()
    };
    let one_day: Vec<StepRow> = (0..3_000).map(one_day).collect();
    assert_eq!(rollup_in(&file_of(&sketched(Span::Hour, &one_day))), None);
}

#[test]
fn a_place_beyond_its_file_is_none() {
    let file = file_of(&sketched(Span::Hour, &steps()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
    assert_eq!(RollupPlace::of(reader.metadata().file_metadata(), 100), None);
}
