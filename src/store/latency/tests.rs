//! Sketches against the durations that they were made of.
#![allow(clippy::unwrap_used, reason = "tests")]

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use super::*;

fn sketch<'a>(steps: impl IntoIterator<Item = &'a StepRow>) -> Vec<Row> {
    let mut sketches = Sketches::default();
    steps.into_iter().for_each(|step| sketches.add(step));
    sketches.rows()
}

fn step(name: &str, start_us: i64, duration_ns: i64) -> StepRow {
    StepRow {
        step_name: Text::from(name),
        result: Text::from("success"),
        start_time: TimeUs(start_us),
        duration_ns,
        ..StepRow::default()
    }
}

fn latency(row: &Row) -> &StepLatencyRow {
    match row {
        Row::StepLatency(row) => row,
        _ => panic!("no sketch"),
    }
}

#[test]
fn a_sketch_has_the_moments_and_the_quantiles_of_its_steps() {
    let steps: Vec<_> = (1..=10_000).map(|i| step("a", 5, i * 1_000)).collect();
    let rows = sketch(&steps);
    let row = latency(rows.first().unwrap());
    assert_eq!((row.count, row.min_ns, row.max_ns), (10_000, 1_000, 10_000_000));
    assert_eq!(row.sum_ns, 10_000 * 10_001 / 2 * 1_000);
    let histogram: Histogram<u64> =
        Deserializer::new().deserialize(&mut row.histogram.as_slice()).unwrap();
    for quantile in [0.5, 0.95, 0.99, 0.999] {
        let exact = quantile * 10_000.0;
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let found = histogram.value_at_quantile(quantile) as f64;
        assert!((found - exact).abs() <= exact * 0.001 + 1.0, "{quantile}: {found}");
    }
}

#[test]
fn groups_are_hours_steps_and_results() {
    let mut failed = step("a", 0, 1);
    failed.result = Text::from("error");
    let hour_us = 3_600_000_000;
    let steps = [
        step("b", 0, 1),
        step("a", hour_us - 1, -4),
        step("a", hour_us, 1),
        failed,
        step("b", 9, 3),
    ];
    let rows = sketch(&steps);
    let keys: Vec<_> = rows
        .iter()
        .map(latency)
        .map(|it| (it.hour.0, it.step_name.to_string(), it.result.to_string(), it.count, it.sum_ns))
        .collect();
    let key = |hour, step: &str, result: &str, count, sum| {
        (hour, step.to_owned(), result.to_owned(), count, sum)
    };
    assert_eq!(
        keys,
        [
            key(0, "a", "error", 1, 1),
            key(0, "a", "success", 1, 0),
            key(hour_us, "a", "success", 1, 1),
            key(0, "b", "success", 2, 4),
        ]
    );
    let before_1970 = sketch(&[step("a", -1, 1)]);
    assert_eq!(latency(before_1970.first().unwrap()).hour.0, -hour_us);
}

#[test]
fn steps_of_a_batch_make_the_rows_that_single_steps_make() {
    let steps: Vec<StepRow> = (0..5_000)
        .map(|i| step(if i % 3 == 0 { "a" } else { "b" }, i * 2_000_000_000, i * 7_000))
        .chain((0..2_000).map(|i| step("many", 1, i * 1_000)))
        .collect();
    let rows: Vec<Row> = steps.iter().cloned().map(Row::from).collect();
    let mut sketches = Sketches::default();
    sketches
        .add_batch(&crate::store::schema::to_batch(crate::event::Table::Steps, &rows).unwrap())
        .unwrap();
    assert_eq!(sketches.rows(), sketch(&steps));
    assert!(sketches.size_bytes() > 2_000 * size_of::<u64>());
}
