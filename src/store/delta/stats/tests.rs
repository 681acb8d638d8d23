//! Bounds hold for every row, whatever the precision they are written in.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::event::{MetricRow, Row, RunRow, Text, TimeUs};
use crate::store::schema::to_batch;

fn of(table: Table, rows: &[Row]) -> Value {
    serde_json::from_str(&stats(table, rows)).unwrap()
}

fn stats(table: Table, rows: &[Row]) -> String {
    let mut stats = StatsBuilder::new(table);
    for part in rows.chunks(2) {
        stats.add(&to_batch(table, part).unwrap());
    }
    stats.finish()
}

#[test]
fn minima_are_rounded_down_and_maxima_up() {
    let run = |id: &str, us: i64| {
        Row::Runs(RunRow { run_id: Text::from(id), start_time: TimeUs(us), ..RunRow::default() })
    };
    let stats = of(Table::Runs, &[run("b", 1_999), run("a", 2_001), run("c", -1)]);
    assert_eq!(stats["numRecords"], 3);
    assert_eq!(stats["minValues"]["run_id"], "a");
    assert_eq!(stats["maxValues"]["run_id"], "c");
    assert_eq!(stats["minValues"]["start_time"], "1969-12-31T23:59:59.999Z");
    assert_eq!(stats["maxValues"]["start_time"], "1970-01-01T00:00:00.003Z");
    assert_eq!(stats["nullCount"]["batch_id"], 3);
    assert!(stats["minValues"].get("batch_id").is_none());
}

#[test]
fn long_text_has_no_bounds_and_nulls_are_counted() {
    let metric = |id: Option<&str>| {
        Row::Metrics(MetricRow { run_id: id.map(Text::from), ..MetricRow::default() })
    };
    let long = "x".repeat(65);
    let stats = of(Table::Metrics, &[metric(Some(&long)), metric(None), metric(Some("a"))]);
    assert!(stats["maxValues"].get("run_id").is_none());
    assert_eq!(stats["nullCount"]["run_id"], 1);
}

#[test]
fn what_is_written_is_read_and_what_is_not_known_prunes_nothing() {
    let metric = |id: Option<&str>| {
        Row::Metrics(MetricRow { run_id: id.map(Text::from), ..MetricRow::default() })
    };
    let read = |rows: &[Row]| FileStats::parse(&stats(Table::Metrics, rows));
    let known = read(&[metric(Some("b")), metric(None), metric(Some("a"))]);
    assert_eq!(known.run_ids(), Some((Text::from("a"), Text::from("b"))));
    assert_eq!((known.rows(), known.times_us()), (Some(3), Some((0, 0))));
    assert_eq!(read(&[metric(None)]).run_ids(), None);
    assert_eq!(read(&[metric(Some(&"x".repeat(65))), metric(Some("a"))]).run_ids(), None);
    let half = FileStats::parse(r#"{"numRecords":1,"minValues":{"run_id":"a","other":{"x":1}}}"#);
    assert_eq!((half.rows(), half.run_ids()), (Some(1), None));
    let run = RunRow { start_time: TimeUs(1_999), ..RunRow::default() };
    let known = FileStats::parse(&stats(Table::Runs, &[Row::Runs(run)]));
    assert_eq!(known.times_us(), Some((1_000, 2_000)));
    assert_eq!(FileStats::parse("no JSON").rows(), None);
}
