//! The result of a query under a name, in the same types and with the same care.

use std::path::Path;

use genstore::export::{Request, What, profile};

use super::fixture::{checked, files, read, request, run};
use crate::store::rows::{open, quiet, whole_run};

fn asked(place: &Path, sql: &str) -> Request {
    let what = What::Query { name: "answer".to_owned(), sql: sql.to_owned() };
    Request { what, ..request(&place.join("store"), &place.join("to")) }
}

fn prepared() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let writer = open(&place.path().join("store"), quiet()).unwrap();
    writer.commit_blocking((0..20).flat_map(whole_run).collect()).unwrap();
    writer.close().unwrap();
    place
}

#[test]
fn a_result_is_a_folder_under_its_name() {
    let place = prepared();
    let sql = "SELECT step_name, count(*), p95(duration_ns) AS p95_ns, max(start_time) AS time
               FROM steps GROUP BY 1";
    let asked = Request { profile: profile("spark").unwrap(), ..asked(place.path(), sql) };
    run(&place.path().join("store"), &asked).unwrap();
    let to = place.path().join("to");
    let manifest = checked(&to);
    let table = &manifest.tables[0];
    assert_eq!((table.name.as_str(), table.rows), ("answer", 5));
    assert_eq!(table.query.as_deref(), Some(sql));
    let columns: Vec<_> = table.columns.iter().map(|it| (&*it.name, &*it.kind)).collect();
    let expected = [
        ("step_name", "text"),
        ("count", "bigint"),
        ("p95_ns", "double"), // interpolated, so no whole nanoseconds
        ("time", "timestamp (µs, UTC)"),
    ];
    assert_eq!(columns, expected);
    assert_eq!(read(&to.join("answer/part-0.parquet"))[0].num_rows(), 5);
    assert!(to.join("answer/_delta_log/00000000000000000000.json").is_file());
}

#[test]
fn a_result_goes_to_days_by_its_only_time() {
    let place = prepared();
    let sql = "SELECT run_id, start_time FROM runs";
    run(&place.path().join("store"), &Request { by_day: true, ..asked(place.path(), sql) })
        .unwrap();
    let parts = files(&place.path().join("to"));
    assert!(parts.contains(&"answer/dt=2026-09-21/part-0.parquet".to_owned()), "{parts:?}");
    let place = prepared();
    let without = Request { by_day: true, ..asked(place.path(), "SELECT run_id FROM runs") };
    let error = run(&place.path().join("store"), &without).unwrap_err();
    assert!(error.message().contains("no column with a time"), "{error}");
    assert!(files(&place.path().join("to")).is_empty());
}

#[test]
fn what_cannot_be_a_table_is_told_before_anything_is_written() {
    let place = prepared();
    for (sql, expected) in [
        ("SELECT run_id, run_id FROM runs", "name"),
        ("SELECT 1 AS a, 2 AS \"A\"", "the columns a and A would both be named a"),
        ("SELECT 1 AS \"\"", "column 1 of the result has no name"),
        ("SELECT rnu_id FROM runs", "rnu_id"),
        ("SELECT * FROM rnus", "rnus"),
        ("DELETE FROM runs", ""),
        ("", "there is no statement"),
    ] {
        let error = run(&place.path().join("store"), &asked(place.path(), sql)).unwrap_err();
        assert!(error.message().contains(expected), "{sql}: {error}");
        assert!(files(&place.path().join("to")).is_empty(), "{sql}");
    }
    // one that fails when its rows come
    let sql = "SELECT 1 / (step_id::BIGINT - 3) AS x FROM steps";
    run(&place.path().join("store"), &asked(place.path(), sql)).unwrap_err();
    assert!(files(&place.path().join("to")).is_empty());
}

#[test]
fn what_goes_with_tables_only_is_refused() {
    let place = prepared();
    let asked = || asked(place.path(), "SELECT 1 AS a");
    let since = Request { since_us: Some(0), ..asked() };
    let incremental = Request { incremental: true, ..asked() };
    let what = What::Query { name: "../up".to_owned(), sql: "SELECT 1 AS a".to_owned() };
    for request in [since, incremental, Request { what, ..asked() }] {
        let error = run(&place.path().join("store"), &request).unwrap_err();
        assert_eq!(error.kind().exit_code(), 2, "{error}");
        assert!(error.hint().is_some());
    }
    assert!(files(&place.path().join("to")).is_empty());
}
