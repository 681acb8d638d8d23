//! SQL over a store that is being written: the same rows before and after each flush.

use std::sync::Arc;

use genstore::clock::{SeededIds, SystemClock};
use genstore::event::{Event, Row};
use genstore::sql::{Session, SessionSettings};
use genstore::store::{Store, StoreOptions};

use super::fixture::{RUNS, STEPS, ask, rows};

const STEPS_SQL: &str = "SELECT step_name, count(*), sum(duration_ns), p50(duration_ns) FROM steps \
                         GROUP BY 1 ORDER BY 1";

#[tokio::test]
async fn a_store_gives_the_same_answers_hot_flushed_and_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store with space");
    let clock = Arc::new(SystemClock::new());
    let ids = Arc::new(SeededIds::new(1));
    let store =
        Store::open_at(&path, StoreOptions::default(), Arc::clone(&clock) as _, ids).unwrap();
    // The store writes its own sketches.
    let rows: Vec<Row> =
        rows().into_iter().filter(|it| !matches!(it, Row::StepLatency(_))).collect();
    let half = rows.len() / 2;
    let events = |rows: &[Row]| rows.iter().cloned().map(Event::Row).collect::<Vec<_>>();
    store.commit(events(&rows[..half])).await.unwrap();
    let settings = SessionSettings { threads: 2, ..SessionSettings::default() };
    let first = Session::new(&store.snapshot().unwrap(), settings, clock).unwrap();
    store.flush().unwrap();
    store.commit(events(&rows[half..])).await.unwrap();

    let mixed = first.with_snapshot(&store.snapshot().unwrap()).unwrap();
    let expected = ask(&mixed, STEPS_SQL).await;
    let total = (RUNS * STEPS.len() as i64).to_string();
    assert_eq!(ask(&mixed, "SELECT count(*) FROM steps").await, [total.as_str()]);
    assert_eq!(ask(&mixed, "SELECT count(*) FROM runs").await, [RUNS.to_string()]);
    let sketches = "SELECT sum(count), sum(hdr_count(histogram)) FROM step_latency";
    assert_eq!(ask(&mixed, sketches).await, [format!("{total}|{total}")]);
    // Sketches hold µs, three digits: the median agrees with the exact one to a thousandth.
    let sql = "SELECT max(abs(s.sketch - e.exact) / e.exact) < 0.002 FROM \
               (SELECT step_name, hdr_quantile(hdr_merge(histogram), 0.5) * 1000 AS sketch \
                FROM step_latency GROUP BY 1) s \
               JOIN (SELECT step_name, p50(duration_ns) AS exact FROM steps GROUP BY 1) e \
               ON s.step_name = e.step_name";
    assert_eq!(ask(&mixed, sql).await, ["true"]);

    store.flush().unwrap();
    let flushed = first.with_snapshot(&store.snapshot().unwrap()).unwrap();
    assert_eq!(ask(&flushed, STEPS_SQL).await, expected);
    assert_eq!(ask(&mixed, STEPS_SQL).await, expected, "an old session keeps its moment");
    drop(store);
    let reopened = Store::open_read_only(&path).unwrap();
    let reopened = first.with_snapshot(&reopened.snapshot().unwrap()).unwrap();
    assert_eq!(ask(&reopened, STEPS_SQL).await, expected);
}
