//! Sketches of days and months give the answers that those of hours give, and are read where they
//! can be.

use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::event::{Event, RunRow, StepRow, Text, TimeUs};
use genstore::sql::Session;
use genstore::store::{Compaction, Store, StoreOptions};
use proptest::prelude::*;

use super::fixture::{ask, session};

/// 2026-08-27T00:00:00Z.
const START_US: i64 = 1_787_788_800_000_000;
const HOUR_US: i64 = 3_600_000_000;
/// Said of scans that read roll-ups.
const NOTE: &str = "files=1, days and months in place of hours";
/// True of all sketches; no sketch of a day tells which of its hours it is true of.
const OFF: &str = "count > 0";

/// Two attempts of an hour.
fn steps(hour: i64) -> Vec<Event> {
    let step = |index: i64| StepRow {
        run_id: Text::from(format!("run-{hour:05}")),
        step_id: Text::from(format!("{index}")),
        pipeline_name: "nightly".into(),
        step_name: Text::from(if index == 0 { "generate" } else { "lint" }),
        node_type: (hour % 3 > 0).then(|| "COMPUTE".into()),
        result: Text::from(if hour % 5 == 0 { "error" } else { "success" }),
        start_time: TimeUs(START_US + hour * HOUR_US),
        duration_ns: (hour * 7_919 + index * 104_729) % 10_007 * 1_000,
        ..StepRow::default()
    };
    let run = RunRow { run_id: step(0).run_id, ..RunRow::default() };
    vec![step(0).into(), step(1).into(), run.into()]
}

/// Forty days in a file with a roll-up, two in one without, one in the journal.
fn store_in(folder: &Path) -> Store {
    let compaction = Compaction { enabled: false, ..Compaction::default() };
    let options = StoreOptions { flush_age_ms: 3_600_000, compaction, ..StoreOptions::default() };
    let store = Store::open_at(folder, options, ManualClock::at(0), Arc::new(SystemIds)).unwrap();
    for days in [0..40, 40..42, 42..43] {
        let hours = days.start * 24..days.end * 24;
        store.commit_blocking(hours.flat_map(steps).collect()).unwrap();
        if days.end < 43 {
            store.flush().unwrap();
        }
    }
    store
}

fn asked(hour: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(START_US + hour * HOUR_US).unwrap();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The answer, which is the same as without roll-ups.
async fn same(session: &Session, columns: &str, filter: &str, rest: &str) -> Vec<String> {
    let sql = |filter: &str| format!("SELECT {columns} FROM step_latency WHERE {filter} {rest}");
    let rolled = ask(session, &sql(filter)).await;
    let exact = ask(session, &sql(&format!("({filter}) AND {OFF}"))).await;
    assert_eq!(rolled, exact, "{}", sql(filter));
    rolled
}

#[tokio::test]
async fn questions_that_add_up_read_roll_ups_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&store_in(folder.path()).snapshot().unwrap());
    let is_rolled =
        async |sql: &str| ask(&session, &format!("EXPLAIN {sql}")).await.join("\n").contains(NOTE);
    let sums = "sum(count), sum(sum_ns), min(min_ns), max(max_ns), \
                hdr_quantile(hdr_merge(histogram), 0.95)";
    for sql in [
        format!("SELECT {sums} FROM step_latency"),
        format!("SELECT step_name, {sums} FROM step_latency s WHERE hour < now() GROUP BY 1"),
        "SELECT DISTINCT step_name FROM step_latency".to_owned(),
        "SELECT count(DISTINCT step_name) FROM step_latency".to_owned(),
        format!("SELECT date_trunc('week', hour) w, {sums} FROM step_latency GROUP BY 1"),
        "SELECT step_name, sum(n), hdr_merge(histogram) FROM latency WHERE hour >= \
         ago('90d') GROUP BY 1"
            .to_owned(),
        "SELECT sum(failed) FROM latency".to_owned(),
        "SELECT * FROM regressions".to_owned(),
        "SELECT sum(n) FROM (SELECT count AS n, step_name FROM step_latency) WHERE step_name = 'a'"
            .to_owned(),
        "SELECT sum(count) FILTER (WHERE hour >= '2026-09-03' AND result = 'error') FROM \
         step_latency"
            .to_owned(),
    ] {
        assert!(is_rolled(&sql).await, "{sql}");
    }
    for sql in [
        format!("SELECT hour, {sums} FROM step_latency GROUP BY 1"),
        format!("SELECT date_trunc('hour', hour), {sums} FROM step_latency GROUP BY 1"),
        "SELECT count(*) FROM step_latency".to_owned(),
        "SELECT max(hour) FROM step_latency".to_owned(),
        "SELECT max(count) FROM step_latency".to_owned(),
        "SELECT sum(DISTINCT count) FROM step_latency".to_owned(),
        "SELECT sum(count + 1) FROM step_latency".to_owned(),
        "SELECT sum(n) FROM (SELECT count AS n FROM step_latency GROUP BY 1)".to_owned(),
        "SELECT count(*) FROM (SELECT hour FROM step_latency GROUP BY 1)".to_owned(),
        "SELECT sum(n), sum(c) FROM (SELECT count(*) AS n, sum(count) AS c FROM step_latency GROUP \
         BY ROLLUP (step_name))"
            .to_owned(),
        "SELECT sum(count) FROM step_latency WHERE count > 1".to_owned(),
        "SELECT sum(count) FROM step_latency WHERE extract(hour FROM hour) = 3".to_owned(),
        "SELECT sum(count) FROM (SELECT count FROM step_latency LIMIT 9)".to_owned(),
        "SELECT * FROM step_latency".to_owned(),
        "SELECT * FROM latency".to_owned(),
        "SELECT avg(p95_ms) FROM latency".to_owned(),
        "SELECT sum(CASE WHEN count > 1 THEN count END) FROM step_latency".to_owned(),
        "SELECT min(CASE WHEN step_name = 'a' THEN min_ns ELSE 0 END) FROM step_latency".to_owned(),
        "SELECT sum(duration_ns) FROM steps".to_owned(),
    ] {
        assert!(!is_rolled(&sql).await, "{sql}");
    }
    let total = same(&session, "sum(count), hdr_count(hdr_merge(histogram))", "true", "").await;
    assert_eq!(total, ["2064|2064"]);
    let by_day = "GROUP BY 1 ORDER BY 1";
    for unit in ["day", "week", "month", "year"] {
        let columns = format!("date_trunc('{unit}', hour) AS t, {sums}");
        assert!(!same(&session, &columns, "true", by_day).await.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_times_are_told_apart(
        bounds in prop::collection::vec((-30..1_100_i64, any::<bool>(), 0..6_usize), 1..4),
    ) {
        // one store for all
        static STORE: std::sync::OnceLock<(tempfile::TempDir, Session)> =
            std::sync::OnceLock::new();
        let (_, session) = STORE.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let session = session(&store_in(folder.path()).snapshot().unwrap());
            (folder, session)
        });
        let conditions: Vec<String> = bounds.iter().map(|(hour, whole, operator)| {
            let hour = if *whole { hour.div_euclid(24) * 24 } else { *hour };
            let operator = ["<", "<=", ">", ">=", "=", "<>"][*operator];
            format!("hour {operator} '{}'", asked(hour))
        }).collect();
        let sums = "sum(count), sum(sum_ns), min(min_ns), hdr_quantile(hdr_merge(histogram), 0.9)";
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let rest = "GROUP BY step_name, result ORDER BY step_name, result";
            let columns = format!("step_name, result, {sums}");
            same(session, &columns, &conditions.join(" AND "), rest).await;
            same(session, &columns, &conditions.join(" OR "), rest).await;
            let filters = conditions.iter().enumerate();
            let filters =
                filters.map(|(at, it)| format!("sum(count) FILTER (WHERE {it}) AS n{at}"));
            same(session, &filters.collect::<Vec<_>>().join(", "), "true", "").await;
        });
    }
}
