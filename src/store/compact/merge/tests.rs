//! Merges against a sort of all rows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::event::{LlmCallRow, MetricRow, Row, Text, TimeUs};
use crate::store::order;
use crate::store::schema::to_batch;

/// A row that can be told from others by its `value`.
fn metric(run: Option<u8>, time: i64, value: usize) -> Row {
    Row::Metrics(MetricRow {
        run_id: run.map(|it| Text::from(format!("{it:03}"))),
        time: TimeUs(time),
        value: value as f64,
        ..MetricRow::default()
    })
}

fn call(run: u8, time: i64, value: usize) -> Row {
    Row::LlmCalls(LlmCallRow {
        run_id: Text::from(format!("{run:03}")),
        start_time: TimeUs(time),
        seed: Some(value as i64),
        ..LlmCallRow::default()
    })
}

/// The rows of sources, merged in batches of `batch_rows`.
fn merged(table: Table, sources: &[Vec<Row>], bounded: bool, batch_rows: usize) -> Vec<Row> {
    let first = |rows: &[Row]| {
        let ids = rows.iter().map(|row| match row {
            Row::LlmCalls(row) => row.run_id.clone(),
            _ => Text::default(),
        });
        ids.min()
    };
    let firsts: Vec<Option<Text>> = sources.iter().map(|it| first(it)).collect();
    let inputs = sources
        .iter()
        .zip(&firsts)
        .map(|(rows, first)| Source {
            first_run: first.as_deref().filter(|_| bounded),
            open: Box::new(move || {
                let batches = rows.chunks(batch_rows).map(move |it| to_batch(table, it));
                let none = std::iter::once(to_batch(table, []));
                Ok(Box::new(none.chain(batches)) as Batches<'_>)
            }),
        })
        .collect();
    let mut out = Vec::new();
    merge(table, inputs, &mut |pieces| {
        let batch = joined(table, &pieces)?;
        crate::store::data_file::rows(table, &batch, |_| true, |row| out.push(row)).unwrap();
        Ok(())
    })
    .unwrap();
    out
}

fn sorted(table: Table, rows: &[Row]) -> Vec<Row> {
    let mut all: Vec<&Row> = rows.iter().collect();
    order::sort(table, &mut all);
    all.into_iter().cloned().collect()
}

proptest! {
    #[test]
    fn a_merge_is_a_stable_sort_of_all_rows(
        sources in prop::collection::vec(
            prop::collection::vec((prop::option::of(0..20_u8), 0..5_i64), 0..60), 0..7,
        ),
        batch_rows in 1..30_usize, bounded: bool, calls: bool,
    ) {
        let table = if calls { Table::LlmCalls } else { Table::Metrics };
        let mut number = 0;
        let mut row = |(run, time): &(Option<u8>, i64)| {
            number += 1;
            if calls {
                call(run.unwrap_or(0), *time, number)
            } else {
                metric(*run, *time, number)
            }
        };
        let sources: Vec<Vec<Row>> = sources
            .iter()
            .map(|rows| sorted(table, &rows.iter().map(&mut row).collect::<Vec<_>>()))
            .collect();
        let all: Vec<Row> = sources.iter().flatten().cloned().collect();
        prop_assert_eq!(merged(table, &sources, bounded, batch_rows), sorted(table, &all));
    }

    #[test]
    fn sources_that_are_not_sorted_lose_and_double_no_row(
        sources in prop::collection::vec(
            prop::collection::vec((0..20_u8, 0..5_i64), 0..60), 0..7,
        ),
        batch_rows in 1..30_usize, bounded: bool,
    ) {
        let mut number = 0;
        let mut row = |(run, time): &(u8, i64)| {
            number += 1;
            call(*run, *time, number)
        };
        let sources: Vec<Vec<Row>> =
            sources.iter().map(|rows| rows.iter().map(&mut row).collect()).collect();
        let all: Vec<Row> = sources.iter().flatten().cloned().collect();
        let found = merged(Table::LlmCalls, &sources, bounded, batch_rows);
        let numbers = |rows: &[Row]| -> BTreeSet<String> {
            rows.iter().map(|it| format!("{it:?}")).collect()
        };
        prop_assert_eq!(found.len(), all.len());
        prop_assert_eq!(numbers(&found), numbers(&all));
    }
}

#[test]
fn of_sources_that_follow_each_other_one_is_open_at_a_time() {
    let (open, most) = (RefCell::new(0), RefCell::new(0));
    struct Closing<'a>(&'a RefCell<i32>);
    impl Drop for Closing<'_> {
        fn drop(&mut self) {
            *self.0.borrow_mut() -= 1;
        }
    }
    let ids: Vec<String> = (0..50).map(|it| format!("{it:03}")).collect();
    let source = |at: usize| Source {
        first_run: Some(&ids[at]),
        open: Box::new({
            let (open, most) = (&open, &most);
            move || {
                *open.borrow_mut() += 1;
                let now = *open.borrow();
                most.replace_with(|it| now.max(*it));
                let closing = Closing(open);
                let run = u8::try_from(at).unwrap();
                let batch = to_batch(Table::LlmCalls, &[call(run, 1, at), call(run, 2, at)]);
                Ok(Box::new(std::iter::once(batch).inspect(move |_| {
                    let _ = &closing;
                })) as Batches<'_>)
            }
        }),
    };
    let mut rows = 0;
    merge(Table::LlmCalls, (0..50).rev().map(source).collect(), &mut |pieces| {
        rows += joined(Table::LlmCalls, &pieces)?.num_rows();
        Ok(())
    })
    .unwrap();
    assert_eq!((rows, *open.borrow(), *most.borrow()), (100, 0, 1));
}

#[test]
fn a_source_that_fails_is_named() {
    let good = || Source { first_run: None, open: Box::new(|| Ok(Box::new(std::iter::empty()))) };
    let bad = Source { first_run: None, open: Box::new(|| Err(Error::damaged("torn"))) };
    let failed = merge(Table::Steps, vec![good(), good(), bad, good()], &mut |_| Ok(()));
    let failure = failed.unwrap_err();
    assert_eq!((failure.source, failure.error.message()), (Some(2), "torn"));
}
