//! Summed sketches against the sketch of all steps at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::event::{StepLatencyRow, StepRow, Text, TimeUs};
use crate::store::compact::merge::{Batches, Source, merge};
use crate::store::latency::Sketches;
use crate::store::schema::to_batch;

fn step(name: u8, hour: i64, duration_ns: i64) -> StepRow {
    StepRow {
        step_name: Text::from(format!("step {name}")),
        node_type: (name > 1).then(|| Text::from("COMPUTE")),
        start_time: TimeUs(hour * 3_600_000_000),
        duration_ns,
        ..StepRow::default()
    }
}

fn sketched(steps: &[StepRow]) -> Vec<Row> {
    let mut sketches = Sketches::default();
    steps.iter().for_each(|it| sketches.add(it));
    sketches.rows()
}

/// The rows of sources, merged and summed.
fn summed(sources: &[Vec<Row>]) -> Result<Vec<Row>, Failure> {
    let table = Table::StepLatency;
    let source = |rows: &Vec<Row>| {
        let batches: Vec<_> = rows.chunks(2).map(|it| to_batch(table, it)).collect();
        let open = Box::new(move || Ok(Box::new(batches.into_iter()) as Batches<'_>));
        Source { first_run: None, open }
    };
    let mut summing = Summing::new();
    let mut batches = Vec::new();
    merge(table, sources.iter().map(source).collect(), &mut |pieces| {
        for piece in &pieces {
            batches.extend(summing.add(piece)?);
        }
        Ok(())
    })?;
    batches.push(summing.finish()?);
    let mut found = Vec::new();
    for batch in &batches {
        rows(table, batch, |_| true, |row| found.push(row)).unwrap();
    }
    Ok(found)
}

proptest! {
    #[test]
    fn sums_of_sketches_are_the_sketch_of_all_steps(
        parts in prop::collection::vec(
            prop::collection::vec((0..4_u8, 0..3_i64, 0..90_000_000_000_i64), 0..30), 0..6,
        ),
    ) {
        let parts: Vec<Vec<StepRow>> = parts
            .into_iter()
            .map(|it| it.into_iter().map(|(name, hour, ns)| step(name, hour, ns)).collect())
            .collect();
        let sketches: Vec<Vec<Row>> = parts.iter().map(|it| sketched(it)).collect();
        let found = summed(&sketches).unwrap();
        let expected = sketched(&parts.concat());
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            let (Row::StepLatency(found), Row::StepLatency(expected)) = (found, expected) else {
                panic!("no sketches");
            };
            prop_assert_eq!(&found.histogram, &expected.histogram);
            let empty = |it: &StepLatencyRow| StepLatencyRow { histogram: vec![], ..it.clone() };
            prop_assert_eq!(empty(found), empty(expected));
        }
    }
}

#[test]
fn a_histogram_that_nobody_can_read_is_laid_to_its_source() {
    let good = sketched(&[step(1, 0, 5), step(2, 0, 5)]);
    let mut bad = good.clone();
    let Row::StepLatency(row) = &mut bad[1] else { panic!("no sketch") };
    row.histogram.truncate(20);
    let failure = summed(&[good.clone(), good, bad]).unwrap_err();
    assert_eq!(failure.source, Some(2));
    assert!(failure.error.message().contains("histogram"), "{}", failure.error);
}
