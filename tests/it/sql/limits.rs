//! Queries that ask for too much: what can spill does, everything else ends with a clean error that
//! names who asked and what to do.

use std::sync::Arc;
use std::time::Duration;

use genstore::clock::SystemClock;
use genstore::error::ErrorKind;
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::snapshot::Snapshot;

use super::fixture::{ask, nothing, refuse};

fn bounded(settings: SessionSettings) -> Session {
    let settings = SessionSettings { threads: 2, ..settings };
    Session::new(&Snapshot::default(), settings, Arc::new(SystemClock::new())).unwrap()
}

/// A session with so many MiB of memory.
fn small(mib: usize) -> Session {
    bounded(SessionSettings { memory_bytes_max: mib << 20, ..SessionSettings::default() })
}

/// Some 8 MiB: `k` comes many times, `t` is long.
const LONG: &str = "(SELECT value AS v, value % 997 AS k, repeat('x', 200) || value AS t \
                    FROM generate_series(1, 40000))";

/// Joins: see `a_join_that_does_not_fit_is_done_by_sorting`.
#[tokio::test]
async fn what_can_spill_spills_and_says_the_same() {
    let large = nothing();
    for (what, sql) in [
        ("sort", format!("SELECT v, t FROM {LONG} ORDER BY k, v DESC")),
        (
            "aggregate",
            format!(
                "SELECT count(*), sum(n), sum(s), max(m) FROM \
                 (SELECT t, count(*) AS n, sum(v) AS s, max(t) AS m FROM {LONG} GROUP BY t)"
            ),
        ),
        ("distinct", format!("SELECT count(*) FROM (SELECT DISTINCT t, k FROM {LONG})")),
    ] {
        let small = small(8);
        let expected = ask(&large, &sql).await;
        assert_eq!(ask(&small, &sql).await, expected, "{what}");
        if what == "sort" {
            let plan = ask(&small, &format!("EXPLAIN ANALYZE {sql}")).await.join("\n");
            let spilled = plan.split("spill_count=").skip(1).any(|it| !it.starts_with('0'));
            assert!(spilled, "{what}: {plan}");
        }
    }
}

#[tokio::test]
async fn what_cannot_spill_names_itself_and_the_next_step() {
    let session = small(4);
    for (what, sql) in [
        ("a window function", format!("SELECT count(*) OVER (), t FROM {LONG}")),
        ("an aggregate", format!("SELECT string_agg(t, ',') FROM {LONG}")),
        ("an aggregate", "SELECT p50(sqrt(value)) FROM generate_series(1, 900000)".to_owned()),
        (
            "WITH RECURSIVE",
            "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL \
             SELECT r.x FROM r, (VALUES (1), (2)) AS t(y)) SELECT count(*) FROM r"
                .to_owned(),
        ),
    ] {
        let error = refuse(&session, &sql).await;
        assert_eq!(error.kind(), ErrorKind::Failed, "{sql}: {error}");
        assert!(error.message().starts_with("the query needs more memory"), "{sql}: {error}");
        assert!(error.message().contains(what), "{sql}: {error}");
        assert!(error.hint().unwrap().contains("sql.memory_bytes_max"), "{sql}");
    }
    // a refusal costs nothing that stays
    assert_eq!(ask(&session, "SELECT 1").await, ["1"]);
}

/// 100 GB and more.
const HUGE: &str = "SELECT value, repeat('x', 100) || value AS t \
                    FROM generate_series(1, 1000000000) ORDER BY value % 1009, t";

#[tokio::test]
async fn a_full_disk_is_an_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let session = bounded(SessionSettings {
        memory_bytes_max: 8 << 20,
        spill_bytes_max: 6 << 20,
        spill_dir: Some(folder.path().join("spill")),
        ..SessionSettings::default()
    });
    let error = refuse(&session, HUGE).await;
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    assert_eq!(error.message(), "the query needs more than 6 MiB on the disk beside its memory");
    assert!(error.hint().unwrap().contains("sql.spill_bytes_max"));
    // what it took is given back: this one fits, and spills
    let sql = format!("SELECT v FROM {LONG} WHERE v < 20000 ORDER BY k, t");
    let rows = ask(&session, &sql).await;
    assert_eq!((rows.len(), rows.last().map(String::as_str)), (19_999, Some("9969")));
    let left = std::fs::read_dir(folder.path().join("spill")).unwrap().count();
    assert_eq!(left, 0, "spill files have no name");
}

#[tokio::test]
async fn a_folder_that_takes_no_files_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let session = bounded(SessionSettings {
        memory_bytes_max: 4 << 20,
        spill_dir: Some(folder.path().join("file")),
        ..SessionSettings::default()
    });
    let error = refuse(&session, HUGE).await;
    assert!(error.message().contains("file"), "{error}");
    assert!(error.hint().unwrap().contains("sql.spill_dir"), "{error}");
}

/// Queries that never end, or not in a lifetime.
const ENDLESS: &[&str] = &[
    "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x FROM r) SELECT x FROM r WHERE x > 1",
    "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT -x FROM r), s AS \
     (SELECT a.x FROM r a JOIN generate_series(1, 2) b ON a.x = b.value) SELECT sum(x) FROM s",
    "SELECT sum(a.value * b.value) FROM generate_series(1, 10000000) a, \
     generate_series(1, 10000000) b",
    "SELECT max(a.value) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b, \
     generate_series(1, 1000000) c WHERE a.value + b.value < c.value - 3000000",
    "SELECT count(*) FROM generate_series(1, 100000000000)",
    "SELECT max(s) FROM (SELECT sum(value) OVER (ORDER BY value ROWS 3 PRECEDING) AS s \
     FROM generate_series(1, 100000000000))",
];

#[tokio::test]
async fn what_does_not_end_is_ended_by_time() {
    for sql in ENDLESS {
        let session = bounded(SessionSettings { query_ms_max: 100, ..SessionSettings::default() });
        let bound = Duration::from_secs(30);
        let error = tokio::time::timeout(bound, refuse(&session, sql)).await;
        let error = error.unwrap_or_else(|_| panic!("it goes on: {sql}"));
        assert_eq!(error.message(), "the query has taken longer than 100ms", "{sql}");
        assert!(error.hint().unwrap().contains("--timeout"));
        // it has let go of its threads
        let next = tokio::time::timeout(bound, session.query("SELECT 1", &Params::new())).await;
        assert!(next.is_ok_and(|it| it.is_ok()), "{sql}");
    }
}

#[tokio::test]
async fn what_has_too_many_rows_is_ended_by_rows() {
    let session = bounded(SessionSettings { rows_max: 20_000, ..SessionSettings::default() });
    for sql in [
        "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x FROM r) SELECT x FROM r",
        "SELECT a.value FROM generate_series(1, 100000) a, generate_series(1, 100000) b",
    ] {
        let error = refuse(&session, sql).await;
        assert_eq!(error.message(), "the result has more than 20000 rows", "{sql}");
        assert!(error.hint().unwrap().contains("--max-rows"));
    }
    assert_eq!(ask(&session, "SELECT * FROM generate_series(1, 20000)").await.len(), 20_000);
}

/// Calls that would make values which no memory holds.
#[tokio::test]
async fn values_that_no_memory_holds_are_refused() {
    let session = small(64);
    for sql in ["SELECT repeat('x', 100000000000)", "SELECT lpad('x', 100000000000)"] {
        let error = refuse(&session, sql).await;
        assert!(matches!(error.kind(), ErrorKind::Failed | ErrorKind::Invalid), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn wrong_types_and_unknown_functions_name_what_was_meant() {
    let session = nothing();
    for (sql, message, hint) in [
        ("SELECT p95s(duration_ns) FROM steps", "there is no function p95s", "p95"),
        ("SELECT date_trnc('day', start_time) FROM runs", "there is no function", "date_trunc"),
        ("SELECT * FROM generate_seres(1, 2)", "there is no function", "generate_series"),
    ] {
        let error = refuse(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
        assert!(error.message().contains(message), "{sql}: {error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{sql}: {:?}", error.hint());
    }
}
