//! How often `hdr_verdict` is wrong, and how often it sees what is there.

use genstore::event::{Row, StepLatencyRow, Table, Text, TimeUs};
use genstore::sql::Session;
use genstore::store::schema::to_batch;
use genstore::store::snapshot::{Snapshot, TableSnapshot};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2Serializer};

use super::fixture::{ask, session};
use crate::dice::Dice;

/// Durations as they are: lognormal, the median at 10 ms, `factor` times as long.
fn sample(dice: &mut Dice, n: usize, factor: f64) -> Vec<u8> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, 10_000_000, 3).unwrap();
    let mut part = || (dice.below(1 << 32) as f64 + 0.5) / (1_u64 << 32) as f64;
    for _ in 0..n {
        // Box and Muller
        let normal = (-2.0 * part().ln()).sqrt() * (std::f64::consts::TAU * part()).cos();
        histogram.record((10_000.0 * factor * (0.5 * normal).exp()) as u64).unwrap();
    }
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&histogram, &mut bytes).unwrap();
    bytes
}

/// Pairs of samples of `n` values, the second `factor` times as long.
fn pairs(count: usize, n: usize, factor: f64) -> Session {
    let mut dice = Dice::new(7);
    let mut rows = Vec::new();
    for pair in 0..count {
        for (side, factor) in [("before", 1.0), ("after", factor)] {
            rows.push(Row::StepLatency(StepLatencyRow {
                hour: TimeUs(0),
                pipeline_name: Text::from(side),
                step_name: Text::from(format!("{pair}")),
                result: "success".into(),
                histogram: sample(&mut dice, n, factor),
                ..StepLatencyRow::default()
            }));
        }
    }
    let mut snapshot = Snapshot::default();
    let hot = vec![to_batch(Table::StepLatency, &rows).unwrap()];
    snapshot.tables.insert(Table::StepLatency, TableSnapshot { hot, ..TableSnapshot::default() });
    session(&snapshot)
}

/// In how many of `count` comparisons the second sample is said to be higher, and lower.
async fn told(count: usize, n: usize, factor: f64, q: f64) -> (usize, usize) {
    let sql = format!(
        "SELECT count(CASE WHEN verdict = 'higher' THEN 1 END), count(CASE WHEN verdict = 'lower' \
         THEN 1 END), count(*) FROM (SELECT hdr_verdict(b.histogram, a.histogram, {q}) AS verdict \
         FROM step_latency b JOIN step_latency a USING (step_name) WHERE b.pipeline_name = \
         'before' AND a.pipeline_name = 'after')"
    );
    let answer = ask(&pairs(count, n, factor), &sql).await;
    let numbers: Vec<usize> = answer[0].split('|').map(|it| it.parse().unwrap()).collect();
    assert_eq!(numbers[2], count);
    (numbers[0], numbers[1])
}

#[tokio::test]
async fn equals_are_told_apart_in_one_of_a_thousand() {
    for (n, q) in [(10, 0.5), (100, 0.5), (100, 0.95), (500, 0.99)] {
        let (higher, lower) = told(1_000, n, 1.0, q).await;
        assert!(higher + lower <= 4, "{n} at {q}: {higher} and {lower}");
    }
}

#[tokio::test]
async fn what_is_slower_is_seen_with_enough_values() {
    // a fifth more: hardly with 50 values, mostly with 500, always with 2,000
    assert!(told(200, 50, 1.2, 0.5).await.0 < 60);
    assert!(told(200, 500, 1.2, 0.5).await.0 > 140);
    assert_eq!(told(100, 2_000, 1.2, 0.5).await, (100, 0));
    assert_eq!(told(100, 2_000, 1.0 / 1.2, 0.5).await, (0, 100));
    assert!(told(100, 2_000, 1.5, 0.99).await.0 > 80);
}
