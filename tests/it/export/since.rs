//! Exports of the time since a moment: a run that is in it has all that belongs to it.

use genstore::event::{AlertRow, BatchRow, Event, MetricRow, RunRow, StepRow, Table, TimeUs};
use genstore::export::Request;

use super::fixture::{checked, counts, request, run, values};
use crate::store::rows::{contract, open, quiet, run_id};

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn children_come_with_their_runs_and_other_rows_by_their_time() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let writer = open(&store, quiet()).unwrap();
    let mut events: Vec<Event> = vec![contract("old").into()];
    for (number, start) in [(1, 10), (2, 11), (3, 12)] {
        let (run_id, start_time) = (run_id(number), TimeUs(start * HOUR_US));
        // a clock that was set back: the step seems older than its run
        let step = StepRow { run_id: run_id.clone(), start_time: TimeUs(0), ..StepRow::default() };
        let name = "rss".into();
        let metric = MetricRow { run_id: Some(run_id.clone()), name, ..MetricRow::default() };
        let run = RunRow { run_id, start_time, ..RunRow::default() };
        let batch =
            BatchRow { batch_id: format!("b{number}").into(), start_time, ..BatchRow::default() };
        let alert = AlertRow { time: start_time, ..AlertRow::default() };
        let load = MetricRow { name: "load".into(), time: start_time, ..MetricRow::default() };
        events.extend([step.into(), metric.into(), run.into(), batch.into()]);
        events.extend([alert.into(), load.into()]);
    }
    // of a run that has not ended
    events.push(StepRow { run_id: run_id(4), ..StepRow::default() }.into());
    writer.commit_blocking(events).unwrap();
    writer.close().unwrap();
    let to = place.path().join("to");
    let since_us = Some(11 * HOUR_US + 1);
    run(&store, &Request { since_us, ..request(&store, &to) }).unwrap();
    let manifest = checked(&to);
    let expected = [
        ("runs", 1),
        ("steps", 1),
        ("metrics", 2),
        ("contracts", 1),
        ("batches", 1),
        ("alerts", 1),
    ];
    assert_eq!(counts(&manifest), expected.into());
    assert_eq!(values(&to, Table::Steps, "run_id"), [(run_id(3).to_string(), 1)].into());
    let metrics = values(&to, Table::Metrics, "name");
    assert_eq!(metrics, [("load".to_owned(), 1), ("rss".to_owned(), 1)].into());
    assert_eq!(manifest.since.as_deref(), Some("1970-01-01T11:00:00.000001Z"));
}

/// The hour in which the moment lies counts: its sketches cannot be divided.
#[test]
fn sketches_come_by_whole_hours() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let writer = open(&store, quiet()).unwrap();
    let sketch = |hour: i64| {
        let (run_id, start_time) = (run_id(hour), TimeUs(hour * HOUR_US));
        Event::from(StepRow { run_id, start_time, ..StepRow::default() })
    };
    writer.commit_blocking((9..13).map(sketch).collect()).unwrap();
    writer.close().unwrap();
    let to = place.path().join("to");
    run(&store, &Request { since_us: Some(11 * HOUR_US + 1), ..request(&store, &to) }).unwrap();
    assert_eq!(counts(&checked(&to)), [("step_latency", 2)].into());
}
