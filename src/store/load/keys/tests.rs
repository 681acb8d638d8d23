//! Keys against what is in the rows.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::event::{MetricRow, Row, RunRow, StepRow};
use crate::store::schema::to_batch;

fn steps(keys: &[(&str, &str)]) -> RecordBatch {
    let rows = keys.iter().map(|(run, step)| {
        Row::Steps(StepRow { run_id: (*run).into(), step_id: (*step).into(), ..StepRow::default() })
    });
    to_batch(Table::Steps, &rows.collect::<Vec<_>>()).unwrap()
}

fn keys_of(table: Table, batches: &[RecordBatch]) -> TableKeys {
    let mut keys = TableKeys::new(table, 1_000_000);
    batches.iter().for_each(|it| keys.add(it).unwrap());
    keys.close();
    keys
}

#[test]
fn the_second_of_two_equal_rows_is_found_with_the_first() {
    let batches = [steps(&[("a", "1"), ("a", "2"), ("b", "1")]), steps(&[("b", "2"), ("a", "2")])];
    assert!(keys_of(Table::Steps, &batches[..1]).twice().is_none());
    let conflict = keys_of(Table::Steps, &batches).twice().unwrap();
    let mut finder = Finder::new(conflict);
    assert_eq!(finder.find(&batches[0], |row| row), None);
    let found = finder.find(&batches[1], |row| row + 3).unwrap();
    let expected = Found { row: 1, what: "step 2 of run a".to_owned(), earlier: Some(1) };
    assert_eq!(found, expected);
}

#[test]
fn equal_hashes_of_other_rows_are_no_conflict() {
    let rows = steps(&[("a", "1"), ("b", "1")]);
    let hashes = HashSet::from([hash(["a", "1"]), hash(["b", "1"])]);
    let mut finder = Finder::new(Conflict::Twice(Table::Steps, hashes));
    assert_eq!(finder.find(&rows, |row| row), None);
}

#[test]
fn runs_are_kept_once_however_often_they_come() {
    let run = |n: u32| format!("{:04}", n % 1_000);
    let rows: Vec<Row> = (0..300_000)
        .map(|n| Row::Metrics(MetricRow { run_id: Some(run(n).into()), ..MetricRow::default() }))
        .collect();
    let batches: Vec<RecordBatch> =
        rows.chunks(10_000).map(|it| to_batch(Table::Metrics, it).unwrap()).collect();
    let mut keys = TableKeys::new(Table::Metrics, 1);
    for batch in &batches {
        keys.add(batch).unwrap();
        assert!(keys.runs.len() < 80_000);
    }
    keys.close();
    assert_eq!(keys.runs.len(), 1_000);
    assert_eq!(keys.run_ids, Some(("0000".to_owned(), "0999".to_owned())));
}

#[test]
fn more_keys_than_allowed_are_an_error() {
    let rows = [RunRow { run_id: "a".into(), ..RunRow::default() }, RunRow::default()];
    let rows: Vec<Row> = rows.into_iter().map(Row::from).collect();
    let mut keys = TableKeys::new(Table::Runs, 1);
    let error = keys.add(&to_batch(Table::Runs, &rows).unwrap()).unwrap_err();
    assert_eq!(error.message(), "there are more than 1 rows of runs to import at once");
}
