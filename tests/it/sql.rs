//! SQL over snapshots: the same answer wherever the rows are, read-only, and errors that help.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

mod canned;
mod ended;
mod errors;
#[cfg(unix)]
mod files;
pub(crate) mod fixture;
mod functions;
mod limits;
mod live;
mod logic;
mod peers;
mod pruning;
mod rollup;
mod verdicts;
mod views;

use std::error::Error as _;

use fixture::{PLACES, Place, RUNS, STEPS, ask, lines, refuse, rows, session, snapshot};
use futures::StreamExt;
use genstore::error::ErrorKind;
use genstore::event::{Row, RunRow, Table};
use genstore::sql::{ParamValue, Params, Session, SessionSettings};
use genstore::store::schema::to_batch;
use genstore::store::snapshot::{Snapshot, TableSnapshot};

/// Statements whose rows are fully ordered, so that their answers can be compared.
const QUESTIONS: &[&str] = &[
    "SELECT count(*) FROM runs",
    "SELECT count(quality_score), min(start_time), max(start_time), min(run_id), max(run_id) \
     FROM runs",
    "SELECT min(duration_ns), max(duration_ns), min(quality_score), max(quality_score) FROM runs",
    "SELECT count(*) FROM runs WHERE result = 'failure'",
    "SELECT count(*), min(duration_ns), max(duration_ns) FROM steps WHERE step_name = 'render'",
    "SELECT min(start_time), max(nullif(duration_ns, 0)) FROM steps WHERE step_name <> 'x'",
    "SELECT max(start_time), min(nullif(duration_ns, 1)) FROM steps WHERE step_name <> 'x'",
    "SELECT count(*) FROM (SELECT * FROM steps LIMIT 7)",
    "SELECT count(*) FROM (SELECT * FROM steps LIMIT 450)",
    "SELECT count(*) FROM (SELECT * FROM steps LIMIT 100000)",
    "SELECT count(*) FROM (SELECT * FROM steps LIMIT 7 OFFSET 478)",
    "SELECT run_id FROM runs ORDER BY start_time DESC LIMIT 5",
    "SELECT run_id FROM runs ORDER BY start_time LIMIT 5 OFFSET 38",
    "SELECT run_id, step_name FROM steps ORDER BY duration_ns DESC, run_id LIMIT 9",
    "SELECT * FROM runs WHERE run_id = 'run-0050'",
    "SELECT run_id FROM runs WHERE start_time >= '2026-11-05' ORDER BY run_id",
    "SELECT step_name, count(*), sum(duration_ns), p50(duration_ns), p99(duration_ns) FROM steps \
     GROUP BY step_name ORDER BY 1",
    "SELECT r.result, count(*) FROM runs r JOIN steps s ON s.run_id = r.run_id GROUP BY 1 ORDER \
     BY 1",
    "SELECT run_id FROM runs WHERE run_id NOT IN (SELECT run_id FROM issues) ORDER BY 1",
    "SELECT contract_digest, uri FROM contracts ORDER BY 1",
    "SELECT count(*) FROM contracts",
    "SELECT uri FROM contracts WHERE name = 'node_3'",
    "SELECT run_id, avg(duration_ns) OVER (ORDER BY start_time ROWS 3 PRECEDING) FROM runs ORDER \
     BY 1",
    "SELECT date_trunc('day', start_time) d, count(*) FROM runs GROUP BY 1 ORDER BY 1",
    "SELECT hdr_count(hdr_merge(histogram)), hdr_quantile(hdr_merge(histogram), 0.5) FROM \
     step_latency",
];

#[tokio::test]
async fn the_answer_does_not_depend_on_where_the_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    let sessions = PLACES.map(|it| session(&snapshot(&rows, it, folder.path())));
    for sql in QUESTIONS {
        let expected = ask(&sessions[0], sql).await;
        assert!(!expected.is_empty(), "{sql}");
        for (session, place) in sessions.iter().zip(PLACES).skip(1) {
            assert_eq!(ask(session, sql).await, expected, "{place:?}: {sql}");
        }
    }
}

#[tokio::test]
async fn counts_and_bounds_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    for place in PLACES {
        let session = session(&snapshot(&rows, place, folder.path()));
        let steps = RUNS * STEPS.len() as i64;
        assert_eq!(ask(&session, "SELECT count(*) FROM steps").await, [steps.to_string()]);
        let failures = (0..RUNS).filter(|it| it % 7 == 0).count().to_string();
        let sql = "SELECT count(*) FROM runs WHERE result = 'failure'";
        assert_eq!(ask(&session, sql).await, [failures]);
        assert_eq!(
            ask(&session, "SELECT min(run_id), max(run_id), count(quality_score) FROM runs").await,
            [format!("run-0000|run-0119|{}", (0..RUNS).filter(|it| it % 11 != 0).count())]
        );
        assert_eq!(
            ask(&session, "SELECT uri FROM contracts WHERE name = 'node_3'").await,
            ["first.yaml"]
        );
    }
}

#[tokio::test]
async fn nan_does_not_hide_from_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let run = |id: &str, score| {
        Row::Runs(RunRow { run_id: id.into(), quality_score: Some(score), ..RunRow::default() })
    };
    let rows = [run("a", 1.0), run("b", f64::NAN), run("c", 2.0)];
    for place in PLACES {
        let session = session(&snapshot(&rows, place, folder.path()));
        let answer = ask(&session, "SELECT min(quality_score), max(quality_score) FROM runs").await;
        assert_eq!(answer, ["1.0|NaN"], "{place:?}");
    }
}

#[tokio::test]
async fn bounds_answer_without_reading_rows() {
    let folder = tempfile::tempdir().unwrap();
    for place in PLACES {
        let session = session(&snapshot(&rows(), place, folder.path()));
        let sql = "EXPLAIN SELECT count(*), max(start_time) FROM runs";
        let plan = ask(&session, sql).await.join("\n");
        assert!(plan.contains("PlaceholderRowExec"), "{place:?}: {plan}");
    }
}

#[tokio::test]
async fn filters_reach_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&snapshot(&rows(), Place::Mixed, folder.path()));
    let sql = "EXPLAIN ANALYZE SELECT run_id FROM runs WHERE run_id = 'run-0119'";
    let plan = ask(&session, sql).await.join("\n");
    assert!(plan.contains("pruning_predicate"), "{plan}");
    assert!(plan.contains("hot rows="), "{plan}");
    // The last run is hot: no file can hold it, and bounds of the files say so.
    assert!(plan.contains("bytes_scanned=0"), "{plan}");
}

#[tokio::test]
async fn every_table_is_there_when_empty() {
    let session = fixture::nothing();
    for table in Table::ALL {
        let sql = format!("SELECT count(*) FROM {}", table.name());
        assert_eq!(ask(&session, &sql).await, ["0"]);
        let sql = format!("SELECT * FROM {}", table.name());
        let output = session.query(&sql, &Params::new()).await.unwrap();
        let names: Vec<_> = output.schema.fields().iter().map(|it| it.name().as_str()).collect();
        let expected: Vec<_> = table.columns().iter().map(|it| it.name).collect();
        assert_eq!(names, expected);
    }
    let summary = session.canned("batch_summary", &[("batch_id", "x")]).await.unwrap();
    assert_eq!(lines(&summary), ["0|0|0|0|0|0|0|0|||||0|0|0"]);
}

#[tokio::test]
async fn a_session_shows_its_moment() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(&snapshot(&rows()[..40], Place::Hot, folder.path()));
    let before = ask(&first, "SELECT count(*) FROM steps").await;
    let second = first.with_snapshot(&snapshot(&rows(), Place::Cold, folder.path())).unwrap();
    assert_eq!(ask(&second, "SELECT count(*) FROM steps").await, [(RUNS * 4).to_string()]);
    assert_eq!(ask(&first, "SELECT count(*) FROM steps").await, before);
}

#[tokio::test]
async fn introspection_works() {
    let session = fixture::nothing();
    let tables = ask(&session, "SHOW TABLES").await.join("\n");
    for table in Table::ALL {
        assert!(tables.contains(table.name()), "{tables}");
    }
    let columns = ask(&session, "DESCRIBE scores").await;
    assert_eq!(columns[0], "run_id|Utf8|NO");
    let sql = "SELECT column_name FROM information_schema.columns \
               WHERE table_name = 'batches' ORDER BY ordinal_position LIMIT 2";
    assert_eq!(ask(&session, sql).await, ["batch_id", "name"]);
    assert!(!ask(&session, "EXPLAIN SELECT 1").await.is_empty());
    assert!(!ask(&session, "SHOW FUNCTIONS").await.is_empty());
}

#[tokio::test]
async fn results_hold_plain_types() {
    let session = fixture::nothing();
    let sql = "SELECT arrow_cast('a', 'Utf8View') v, \
               arrow_cast('b', 'Dictionary(Int32, Utf8)') d, substr('abc', 2) s";
    let output = session.query(sql, &Params::new()).await.unwrap();
    for field in output.schema.fields() {
        assert_eq!(field.data_type(), &arrow::datatypes::DataType::Utf8);
    }
    assert_eq!(output.batches[0].schema(), output.schema);
    assert_eq!(lines(&output), ["a|b|bc"]);
}

#[tokio::test]
async fn parameters_are_values() {
    let session = fixture::nothing();
    let params = Params::from([
        ("t".to_owned(), ParamValue::Text("'; DROP TABLE runs; --".to_owned())),
        ("i".to_owned(), ParamValue::Int(i64::MIN)),
        ("f".to_owned(), ParamValue::Float(-0.25)),
        ("b".to_owned(), ParamValue::Bool(true)),
        ("n".to_owned(), ParamValue::Null),
        ("u".to_owned(), ParamValue::Time(1_500_000)),
        ("a".to_owned(), ParamValue::Ago("7d".to_owned())),
    ]);
    let sql = "SELECT $t, $i, $f, $b, $n IS NULL, $u, $a < now(), $a > now() - interval '8 days'";
    let output = session.query(sql, &params).await.unwrap();
    let expected = "'; DROP TABLE runs; \
     --|-9223372036854775808|-0.25|true|true|1970-01-01T00:00:01.500Z|\
         true|true";
    assert_eq!(lines(&output), [expected]);
    let error = session.query("SELECT $tt", &params).await.unwrap_err();
    assert_eq!(error.message(), "the query's parameter $tt has no value");
    let error = session.query("SELECT 1", &params).await.unwrap_err();
    assert_eq!(error.message(), "the query has no parameter $a");
}

#[tokio::test]
async fn a_stream_can_be_dropped() {
    let session = fixture::nothing();
    let sql =
        "SELECT a.value, b.value FROM generate_series(1, 100000) a, generate_series(1, 100000) b";
    let mut stream = session.query_stream(sql, &Params::new()).await.unwrap();
    let batch = stream.next().await.unwrap().unwrap();
    assert!(batch.num_rows() > 0);
    drop(stream);
    assert_eq!(ask(&session, "SELECT 1").await, ["1"]);
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = snapshot(&rows(), Place::Cold, folder.path());
    std::fs::remove_file(folder.path().join("runs 1.parquet")).unwrap();
    let session = session(&snapshot);
    let error = refuse(&session, "SELECT count(*) FROM runs").await;
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    assert!(error.message().contains("runs 1.parquet"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_parquet_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshot = snapshot(&rows(), Place::Cold, folder.path());
    let path = folder.path().join("runs 0.parquet");
    let size = path.metadata().unwrap().len();
    std::fs::write(&path, vec![7_u8; usize::try_from(size).unwrap()]).unwrap();
    let error = refuse(&session(&snapshot), "SELECT * FROM runs").await;
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    // The other tables are not affected, and neither is a snapshot without the file.
    snapshot.tables.insert(Table::Runs, TableSnapshot::default());
    assert_eq!(ask(&session(&snapshot), "SELECT count(*) FROM runs").await, ["0"]);
}

#[tokio::test]
async fn memory_and_results_are_bounded() {
    let clock = || std::sync::Arc::new(genstore::clock::SystemClock::new());
    let small = SessionSettings { memory_bytes_max: 1 << 20, ..SessionSettings::default() };
    let session = Session::new(&Snapshot::default(), small, clock()).unwrap();
    let sql = "SELECT p50(sqrt(value)) FROM generate_series(1, 300000)";
    let error = refuse(&session, sql).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("memory"), "{error}");
    let small = SessionSettings { result_bytes_max: 10_000, ..SessionSettings::default() };
    let session = Session::new(&Snapshot::default(), small, clock()).unwrap();
    let error = refuse(&session, "SELECT * FROM generate_series(1, 100000)").await;
    assert!(error.message().contains("larger than 10000 bytes"), "{error}");
    let many = SessionSettings { threads: 1_025, ..SessionSettings::default() };
    assert!(Session::new(&Snapshot::default(), many, clock()).is_err());
}

/// The engine takes what a function needs unasked, and the process ends where there is no more.
#[tokio::test]
async fn long_texts_and_lists_are_asked_of_the_memory() {
    let clock = std::sync::Arc::new(genstore::clock::SystemClock::new());
    let small = SessionSettings { memory_bytes_max: 64 << 20, ..SessionSettings::default() };
    let session = Session::new(&Snapshot::default(), small, clock).unwrap();
    for sql in [
        "SELECT repeat('x', 2000000000)",
        "SELECT length(repeat(repeat('x', 100000), 100000))",
        "SELECT lpad('x', 2000000000, 'y')",
        "SELECT replace(repeat('x', 100000), 'x', repeat('y', 100000))",
        "SELECT regexp_replace(repeat('x', 100000), '.', repeat('y', 100000), 'g')",
        "SELECT sum(length(concat(value, repeat('y', 10000000)))) FROM generate_series(1, 8192)",
        "SELECT max(length(repeat(value::text, 2000000000))) FROM generate_series(1, 8192)",
        "SELECT concat_ws(repeat('y', 100000000), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)",
        "SELECT array_to_string(range(0, 1000000), repeat('x', 100000))",
        "SELECT cardinality(array_repeat(1, 2000000000))",
        "SELECT cardinality(range(-1000000000, 1000000000))",
        "SELECT cardinality(generate_series(2000000000))",
        "SELECT cardinality(array_repeat(array_repeat(1, 100000), 100000))",
        "SELECT cardinality(array_repeat(named_struct('a', repeat('x', 10000)), 100000))",
        "SELECT repeat('x', 1000000), value FROM generate_series(1, 8192)",
        "SELECT string_agg(value::text, repeat('x', 1000000)) FROM generate_series(1, 8192)",
    ] {
        let error = refuse(&session, sql).await;
        assert_eq!(error.kind(), ErrorKind::Failed, "{sql}: {error}");
        let told = "the query needs more memory than it may have: a text or a list that a function \
                    makes does not fit";
        assert_eq!(error.message(), told, "{sql}");
    }
    for (sql, answer) in [
        ("SELECT length(repeat('x', 10000000))", "10000000"),
        ("SELECT concat('a', NULL, 1), repeat('ab', -1), lpad('x', 3, 'y')", "a1||yyx"),
        // a bound that is far above what comes
        (
            "SELECT sum(length(replace(value::text, '0', repeat('y', 1000000)))) \
          FROM generate_series(1, 2000) WHERE value % 10 > 0 AND value < 10",
            "9",
        ),
        (
            "SELECT max(length(replace(value::text, 'a', repeat('y', 9000000)))) \
          FROM generate_series(1, 2000)",
            "4",
        ),
        ("SELECT cardinality(range(1000000000000, 1000000000010))", "10"),
        ("SELECT cardinality(range(0, 1000000000000, 100000000000))", "10"),
    ] {
        assert_eq!(ask(&session, sql).await, [answer], "{sql}");
    }
}

/// The table that a hash join builds cannot spill; sorts can.
#[tokio::test]
async fn a_join_that_does_not_fit_is_done_by_sorting() {
    let settings =
        SessionSettings { memory_bytes_max: 6 << 20, threads: 1, ..SessionSettings::default() };
    let clock = std::sync::Arc::new(genstore::clock::SystemClock::new());
    let session = Session::new(&Snapshot::default(), settings, clock).unwrap();
    let sql = "SELECT count(*), sum(length(a.t)) FROM \
               (SELECT value, repeat('x', 400) AS t FROM generate_series(1, 20000)) a \
               JOIN generate_series(1, 20000) b ON a.value = b.value";
    assert_eq!(ask(&session, sql).await, ["20000|8000000"]);
}

#[tokio::test]
async fn hot_rows_of_one_batch_per_row_are_one_table() {
    let mut shown = TableSnapshot::default();
    for row in rows().iter().filter(|it| it.table() == Table::Runs) {
        shown.hot.push(to_batch(Table::Runs, [row]).unwrap());
    }
    let mut snapshot = Snapshot::default();
    snapshot.tables.insert(Table::Runs, shown);
    let session = session(&snapshot);
    let error = session.query("SELEC 1", &Params::new()).await.unwrap_err();
    assert!(error.source().is_some());
    assert_eq!(
        ask(&session, "SELECT count(*), count(DISTINCT run_id) FROM runs").await,
        ["120|120"]
    );
}

#[tokio::test]
async fn from_without_select_asks_for_every_column() {
    let session = fixture::nothing();
    let two = "FROM (VALUES (1, 'x')) AS t(a, b)";
    assert_eq!(ask(&session, two).await, ["1|x"]);
    assert_eq!(ask(&session, &format!("SELECT b FROM ({two})")).await, ["x"]);
}
