//! Files as pandas, Polars, DuckDB and pyarrow write them. Wants `GENSTORE_PYTHON`, an interpreter
//! that has these; skips without it.
#![allow(clippy::print_stderr, reason = "says when it is skipped")]

use genstore::event::Table;

use super::fixture::*;
use crate::program::Python;
use crate::store::rows::columns;

const SCRIPT: &str = include_str!("foreign.py");
const FILES: [&str; 13] = [
    "pandas.parquet",
    "pandasns.parquet",
    "polars.parquet",
    "snappy.parquet",
    "gzip.parquet",
    "brotli.parquet",
    "lz4.parquet",
    "uncompressed.parquet",
    "duckdb.parquet",
    "arrow.parquet",
    "duckdb.csv",
    "pandas.csv",
    "pandas.jsonl",
];

#[test]
fn files_of_python_are_taken_exactly_or_refused() {
    let Some(python) = Python::new() else { return };
    let place = tempfile::tempdir().unwrap();
    python.run(SCRIPT, [place.path()], &[]).unwrap();
    let store = place.path().join("store");
    for (n, name) in (1..).zip(FILES) {
        let report = run(&store, &files(Table::Runs, &[&place.path().join(name)]));
        let report = report.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(of(&report, Table::Runs).rows, 500, "{name}");
        assert_eq!(counts(&store)[&Table::Runs], 500 * n, "{name}");
    }
    let names = ["run_id", "start_time", "end_time", "duration_ns", "seed", "quality_score"];
    for [run_id, start, end, duration, seed, score] in
        columns(&snapshot(&store), Table::Runs, names)
    {
        let (tool, number) = run_id.split_once('-').unwrap();
        let number: i64 = number.parse().unwrap();
        let fraction =
            if ["polars", "snappy", "gzip", "brotli", "lz4", "uncompressed"].contains(&tool) {
                "678"
            } else {
                "678901"
            };
        assert_eq!(start, format!("2026-01-02T03:04:05.{fraction}Z"), "{run_id}");
        assert_eq!(end, "2026-01-02T03:04:05.678901Z", "{run_id}");
        let factor = if tool == "arrow" { 1_000 } else { 1 };
        assert_eq!(duration, (number * factor).to_string(), "{run_id}");
        let is_null = number % 3 == 0;
        assert_eq!(seed, if is_null { "∅".to_owned() } else { number.to_string() }, "{run_id}");
        if !is_null && tool != "duckdb" {
            let close = score.parse::<f64>().unwrap() - number as f64 / 7.0;
            assert!(close.abs() < 1e-9, "{run_id}: {score}");
        }
    }
    let wrong = [
        (
            "wrong_ns.parquet",
            "row 100, column start_time: the time is finer than a microsecond, by 1 ns",
        ),
        ("wrong_half.parquet", "row 2, column seed: 1.5 is no whole number"),
    ];
    for (name, expected) in wrong {
        let (message, _) =
            refused(&store, &files(Table::Runs, &[&place.path().join(name)]), place.path());
        assert_eq!(message, format!("{name}: {expected}"));
    }
    let name = "wrong_text.parquet";
    let (message, _) =
        refused(&store, &files(Table::Runs, &[&place.path().join(name)]), place.path());
    let expected = "column duration_ns: the type Utf8View does not fit: whole numbers are wanted";
    assert_eq!(message, format!("{name}: {expected}"));
}
