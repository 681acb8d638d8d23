//! What is on disk afterwards: types, parts, digests, the Delta log, and what is never touched.

use std::fs;

use genstore::event::{Event, MetricRow, Row, RunRow, ScoreRow, Table, Text, TimeUs};
use genstore::export::{
    FileFormat, MANIFEST, PROFILES, Request, What, export, profile, to_the_end,
};
use genstore::store::schema::{arrow_schema, to_batch};
use genstore::store::snapshot::{Snapshot, TableSnapshot};

use super::fixture::{checked, counts, files, read, request, run, session, values};
use crate::import::fixture::{events, fill};
use crate::store::rows::{NOW_US, open, quiet, run_id};

const ROWS: i64 = 1_000;

/// Scores with everything that a text format must quote.
fn scores() -> Snapshot {
    let rows: Vec<Row> = (0..ROWS)
        .map(|it| {
            Row::from(ScoreRow {
                run_id: Text::from(format!("run-{it}")),
                name: Text::from("a \"b\",\r\nc"),
                value: (it % 3 != 0).then_some(it as f64),
                ..ScoreRow::default()
            })
        })
        .collect();
    let mut snapshot = Snapshot::default();
    let hot = vec![to_batch(Table::Scores, &rows).unwrap()];
    snapshot.tables.insert(Table::Scores, TableSnapshot { hot, ..TableSnapshot::default() });
    snapshot
}

fn small(to: &std::path::Path) -> Request {
    let what = What::Tables(vec![Table::Scores, Table::Runs]);
    Request { what, rows_per_file: 300, ..request("nowhere".as_ref(), to) }
}

fn export_scores(request: &Request) -> genstore::error::Result<genstore::export::Exported> {
    export(&session(&scores()), request, &mut to_the_end)
}

#[test]
fn parquet_parts_hold_every_row_in_the_declared_types() {
    let folder = tempfile::tempdir().unwrap();
    let exported = export_scores(&small(folder.path())).unwrap();
    let manifest = checked(folder.path());
    assert_eq!(exported.manifest, manifest);
    let expected = [
        "_manifest.json",
        "runs/_delta_log/00000000000000000000.json",
        "runs/part-0.parquet", // a table without rows is there all the same
        "scores/_delta_log/00000000000000000000.json",
        "scores/part-0.parquet",
        "scores/part-1.parquet",
        "scores/part-2.parquet",
        "scores/part-3.parquet",
    ];
    assert_eq!(files(folder.path()), expected);
    let schema = arrow_schema(Table::Scores);
    let mut ids = 0..ROWS;
    for part in 0..4 {
        for batch in read(&folder.path().join(format!("scores/part-{part}.parquet"))) {
            for (read, declared) in batch.schema().fields().iter().zip(schema.fields()) {
                assert_eq!(read.name(), declared.name());
                assert_eq!(read.data_type(), declared.data_type());
            }
            let found = arrow::array::AsArray::as_string::<i32>(batch.column(0)).clone();
            for id in found.iter().flatten() {
                assert_eq!(id, format!("run-{}", ids.next().unwrap()), "in their order");
            }
        }
    }
    assert_eq!(ids.next(), None);
    assert_eq!(counts(&manifest), [("scores", 1_000)].into());
    assert_eq!(exported.written[0].files, 4);
}

#[test]
fn text_formats_hold_every_row_and_the_manifest_their_digests() {
    for name in ["csv", "ndjson", "arrow"] {
        let folder = tempfile::tempdir().unwrap();
        let request = Request { profile: profile(name).unwrap(), ..small(folder.path()) };
        export_scores(&request).unwrap();
        let manifest = checked(folder.path());
        assert_eq!((manifest.format.as_str(), manifest.profile.as_str()), (name, name));
        let table = &manifest.tables[0];
        assert_eq!((table.name.as_str(), table.rows, table.delta_version), ("scores", 1_000, None));
        assert_eq!(table.columns[0].otel_name.as_deref(), Some("cicd.pipeline.run.id"));
        if name == "csv" {
            let text = fs::read_to_string(folder.path().join("scores/part-3.csv")).unwrap();
            assert!(text.starts_with("run_id,name,value,"), "a header in every file: {text}");
            assert_eq!(text.matches("run_id,").count(), 1, "once");
        }
    }
}

#[test]
fn every_profile_exports_every_table() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    fill(&store, &events(20, 11));
    for profile in &PROFILES {
        for by_day in [false, true] {
            let to = place.path().join(format!("{profile}-{by_day}"));
            let request = Request { profile, by_day, ..request(&store, &to) };
            run(&store, &request).unwrap();
            let manifest = checked(&to);
            let rows = counts(&manifest);
            assert_eq!((rows.len(), rows["steps"], rows["artifacts"]), (12, 60, 20), "{profile}");
            let is_delta = manifest.tables.iter().all(|it| it.delta_version == Some(0));
            assert_eq!(is_delta, profile.format == FileFormat::Parquet);
            let latency = &manifest.tables.last().unwrap();
            let bytes = latency.columns.iter().any(|it| it.name == "histogram");
            assert_eq!(bytes, latency.left_out.is_empty());
        }
    }
}

#[test]
fn values_that_no_tool_reads_are_null_and_counted() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let writer = open(&store, quiet()).unwrap();
    let metric = |value| {
        let (name, time) = ("load".into(), TimeUs(NOW_US));
        Event::from(MetricRow { name, value, time, ..MetricRow::default() })
    };
    let values = [1.0, f64::NAN, f64::INFINITY].map(metric);
    let run = RunRow { run_id: run_id(1), cost_usd: Some(1e10), ..RunRow::default() };
    writer.commit_blocking([values.to_vec(), vec![run.into()]].concat()).unwrap();
    writer.close().unwrap();
    let to = place.path().join("powerbi");
    let request = Request { profile: profile("powerbi").unwrap(), ..request(&store, &to) };
    let exported = super::fixture::run(&store, &request).unwrap();
    let table = |name: &str| exported.manifest.tables.iter().find(|it| it.name == name).unwrap();
    assert_eq!(table("metrics").nulled, [("value".to_owned(), 2)].into());
    assert_eq!(table("runs").nulled, [("cost_usd".to_owned(), 1)].into());
    let kinds = |name: &str| table("runs").columns.iter().find(|it| it.name == name).cloned();
    assert_eq!(kinds("cost_usd").unwrap().kind, "decimal(18,9)");
    assert_eq!(kinds("duration_ms").unwrap().kind, "double");
    assert_eq!(kinds("duration_ns"), None);
    let written = exported.written.iter().find(|it| it.name == "metrics").unwrap();
    assert_eq!((written.rows, written.nulled), (3, 2));
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = export_scores(&small(folder.path())).unwrap_err();
    assert_eq!(error.kind().exit_code(), 2);
    assert!(error.hint().unwrap().contains("--force"), "{error}");
    assert_eq!(files(folder.path()), ["thesis.txt"]);
    let file = folder.path().join("thesis.txt");
    assert!(export_scores(&small(&file)).unwrap_err().message().contains("is a file"));
    let empty = tempfile::tempdir().unwrap();
    export_scores(&small(empty.path())).unwrap();
    let error = export_scores(&small(empty.path())).unwrap_err();
    assert!(error.message().ends_with("holds an export already"), "{error}");
    assert!(error.hint().unwrap().contains("--force"), "{error}");
}

#[test]
fn force_replaces_an_earlier_export_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path();
    export_scores(&small(to)).unwrap();
    fs::write(to.join("scores/notes.parquet"), "mine").unwrap();
    fs::write(to.join("scores/.part-0.parquet.tmp-1"), "left by an old build").unwrap();
    fs::write(to.join("thesis.txt"), "years of work").unwrap();
    let fewer = Request { force: true, rows_per_file: 600, ..small(to) };
    export_scores(&fewer).unwrap();
    let mine = ["scores/notes.parquet", "thesis.txt"];
    let ours = |to| files(to).into_iter().filter(|it| !mine.contains(&it.as_str()));
    assert!(mine.iter().all(|it| to.join(it).exists()));
    let parts = |to| -> Vec<String> { ours(to).filter(|it| it.contains("scores/part")).collect() };
    assert_eq!(parts(to), ["scores/part-0.parquet", "scores/part-1.parquet"]);
    // another profile, and fewer tables: what was there of the others goes, too
    let what = What::Tables(vec![Table::Scores]);
    let csv = Request { profile: profile("csv").unwrap(), what, ..fewer };
    export_scores(&csv).unwrap();
    let all: Vec<String> = ours(to).collect();
    assert_eq!(all, [MANIFEST, "scores/part-0.csv", "scores/part-1.csv"]);
    mine.iter().for_each(|it| fs::remove_file(to.join(it)).unwrap());
    checked(to);
}

#[test]
fn a_file_of_many_row_groups_keeps_the_order_of_its_rows() {
    let place = tempfile::tempdir().unwrap();
    let store = place.path().join("store");
    let writer = open(&store, quiet()).unwrap();
    let run = |it: i64| Event::from(RunRow { run_id: run_id(it), ..RunRow::default() });
    writer.commit_blocking((0..300_000).map(run).collect()).unwrap();
    writer.close().unwrap();
    let to = place.path().join("to");
    let what = What::Tables(vec![Table::Runs]);
    super::fixture::run(&store, &Request { what, threads: 3, ..request(&store, &to) }).unwrap();
    let ids = values(&to, Table::Runs, "run_id");
    assert_eq!((ids.len(), ids.values().max()), (300_000, Some(&1)));
    let mut last = String::new();
    for batch in read(&to.join("runs/part-0.parquet")) {
        for id in arrow::array::AsArray::as_string::<i32>(batch.column(0)).iter().flatten() {
            assert!(last.as_str() < id);
            last = id.to_owned();
        }
    }
}
