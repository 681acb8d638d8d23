//! Exports: what is on disk afterwards, and what is never touched.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::fs::{self, File};
use std::path::Path;

use genstore::clock::ManualClock;
use genstore::event::{Row, ScoreRow, Table, Text};
use genstore::export::{FileFormat, MANIFEST, Manifest, Options, export};
use genstore::sql::{Session, SessionSettings};
use genstore::store::schema::to_batch;
use genstore::store::snapshot::{Snapshot, TableSnapshot};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const ROWS: i64 = 1_000;

/// Scores with everything that a text format must quote.
fn session() -> Session {
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
    let settings = SessionSettings { threads: 1, ..SessionSettings::default() };
    Session::new(&snapshot, settings, ManualClock::at(0)).unwrap()
}

fn options(to: &Path) -> Options {
    Options {
        to: to.to_path_buf(),
        tables: vec![Table::Scores, Table::Runs],
        format: FileFormat::Parquet,
        force: false,
        rows_per_file: 300,
        now_us: 0,
        as_of_us: None,
    }
}

fn run(options: &Options) -> genstore::error::Result<Manifest> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(export(&session(), options))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn parquet_parts_hold_every_row_in_the_declared_types() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = run(&options(folder.path())).unwrap();
    assert_eq!(names(folder.path()), [MANIFEST, "runs", "scores"]);
    let parts = ["part-0.parquet", "part-1.parquet", "part-2.parquet", "part-3.parquet"];
    assert_eq!(names(&folder.path().join("scores")), parts);
    let schema = genstore::store::schema::arrow_schema(Table::Scores);
    let mut rows = 0;
    for part in parts {
        let file = File::open(folder.path().join("scores").join(part)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        for (read, declared) in reader.schema().fields().iter().zip(schema.fields()) {
            assert_eq!(read.name(), declared.name());
            assert_eq!(read.data_type(), declared.data_type());
        }
        rows += reader.build().unwrap().map(|it| it.unwrap().num_rows() as i64).sum::<i64>();
    }
    assert_eq!(rows, ROWS);
    assert_eq!(manifest.tables.first().unwrap().rows, 1_000);
    // A table without rows is there all the same.
    assert_eq!(names(&folder.path().join("runs")), ["part-0.parquet"]);
}

#[test]
fn text_formats_hold_every_row_and_the_manifest_their_digests() {
    for format in [FileFormat::Csv, FileFormat::Ndjson] {
        let folder = tempfile::tempdir().unwrap();
        run(&Options { format, ..options(folder.path()) }).unwrap();
        let text = fs::read_to_string(folder.path().join(MANIFEST)).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(manifest["format"], format.as_str());
        let table = &manifest["tables"][0];
        assert_eq!(table["name"], "scores");
        assert_eq!(table["columns"][0]["otel_name"], "cicd.pipeline.run.id");
        let files = table["files"].as_array().unwrap();
        assert_eq!(files.iter().map(|it| it["rows"].as_i64().unwrap()).sum::<i64>(), ROWS);
        for file in files {
            let bytes = fs::read(folder.path().join(file["path"].as_str().unwrap())).unwrap();
            assert_eq!(file["size_bytes"], bytes.len());
            assert_eq!(file["blake3"], blake3::hash(&bytes).to_hex().as_str());
        }
    }
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = run(&options(folder.path())).unwrap_err();
    assert_eq!(error.kind().exit_code(), 2);
    assert!(error.hint().unwrap().contains("--force"), "{error}");
    assert_eq!(names(folder.path()), ["thesis.txt"]);
    let file = folder.path().join("thesis.txt");
    assert!(run(&options(&file)).unwrap_err().message().contains("is a file"));
}

#[test]
fn force_replaces_an_earlier_export_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    run(&options(folder.path())).unwrap();
    let scores = folder.path().join("scores");
    fs::write(scores.join("notes.parquet"), "mine").unwrap();
    fs::write(scores.join(".part-0.parquet.tmp-1"), "left by a crash").unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let fewer = Options { force: true, rows_per_file: 600, ..options(folder.path()) };
    run(&fewer).unwrap();
    assert_eq!(names(&scores), ["notes.parquet", "part-0.parquet", "part-1.parquet"]);
    assert_eq!(names(folder.path()), [MANIFEST, "runs", "scores", "thesis.txt"]);
    run(&Options { format: FileFormat::Csv, ..fewer }).unwrap();
    assert_eq!(names(&scores), ["notes.parquet", "part-0.csv", "part-1.csv"]);
}
