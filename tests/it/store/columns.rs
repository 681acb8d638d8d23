//! Tables of an older and of a newer build, made by hand: columns that are missing, columns that
//! are unknown here, and columns that forbid to write.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use genstore::error::ErrorKind;
use genstore::event::Table;
use genstore::store::{Store, StoreOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::rows::{NOW_US, open, quiet, run_id, whole_run};
use crate::program::Python;
use crate::sql::fixture::{ask, session};

fn commit(path: &Path, table: &str, version: u64) -> PathBuf {
    path.join("tables").join(table).join(format!("_delta_log/{version:020}.json"))
}

/// Changes the actions of a commit, as if its writer had written others.
fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let mut action: Value = serde_json::from_str(line).unwrap();
        if let Some(info) = action.get_mut("commitInfo") {
            info.as_object_mut().unwrap().remove("genstoreCrc32c");
        }
        change(&mut action);
        format!("{action}\n")
    });
    fs::write(path, lines.collect::<String>()).unwrap();
}

/// Changes the columns of a table's first commit.
fn edit_columns(path: &Path, table: &str, change: impl Fn(&mut Vec<Value>)) {
    edit(&commit(path, table, 0), |action| {
        let Some(metadata) = action.get_mut("metaData") else { return };
        let text = metadata["schemaString"].as_str().unwrap();
        let mut schema: Value = serde_json::from_str(text).unwrap();
        change(schema["fields"].as_array_mut().unwrap());
        metadata["schemaString"] = Value::from(schema.to_string());
    });
}

/// Rewrites the data file of a commit with other columns.
fn edit_file(path: &Path, table: &str, version: u64, change: impl Fn(RecordBatch) -> RecordBatch) {
    edit(&commit(path, table, version), |action| {
        let Some(add) = action.get_mut("add") else { return };
        let data = path.join("tables").join(table).join(add["path"].as_str().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&data).unwrap()).unwrap();
        let batches: Vec<_> = reader.build().unwrap().map(|it| change(it.unwrap())).collect();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batches[0].schema(), None).unwrap();
        batches.iter().for_each(|it| writer.write(it).unwrap());
        writer.close().unwrap();
        fs::write(&data, &bytes).unwrap();
        add["size"] = Value::from(bytes.len());
        add.as_object_mut().unwrap().remove("tags");
    });
}

fn flushed(path: &Path, numbers: std::ops::Range<i64>) {
    let options = StoreOptions { checkpoint_commits: 2, ..quiet() };
    let store = open(path, options).unwrap();
    for number in numbers {
        store.commit_blocking(whole_run(number)).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
}

async fn query(path: &Path, sql: &str) -> Vec<String> {
    let store = Store::open_read_only(path).unwrap();
    ask(&session(&store.snapshot().unwrap()), sql).await
}

/// Rows, and rows in which a column is NULL, as Python's deltalake counts them.
fn check_with_python(path: &Path, table: &str, column: &str, expected: &str) {
    let Some(python) = Python::new() else { return };
    let script = "import sys, deltalake\n\
                  it = deltalake.DeltaTable(sys.argv[1]).to_pyarrow_table()\n\
                  print(it.num_rows, it.column(sys.argv[2]).null_count)";
    let folder = path.join("tables").join(table);
    let said = python.run(script, [folder.as_os_str(), OsStr::new(column)], &[]).unwrap();
    assert_eq!(said.trim(), expected);
}

#[tokio::test]
async fn a_table_of_an_older_build_gets_its_missing_columns_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    flushed(path, 0..1);
    edit_columns(path, "runs", |it| {
        it.retain(|it| it["name"] != "batch_id" && it["name"] != "quality_score");
    });
    edit_file(path, "runs", 1, |batch| {
        let kept: Vec<_> = (0..batch.num_columns())
            .filter(|it| {
                let name = batch.schema().field(*it).name().clone();
                name != "batch_id" && name != "quality_score"
            })
            .collect();
        batch.project(&kept).unwrap()
    });
    let sql = "SELECT batch_id IS NULL, quality_score, result FROM runs ORDER BY run_id";
    assert_eq!(query(path, sql).await, ["true||success"], "before a writer came");
    std::thread::scope(|scope| {
        for number in [1, 2] {
            scope.spawn(move || {
                let options = StoreOptions { writers_max: 2, ..quiet() };
                let store = open(path, options).unwrap();
                store.commit_blocking(whole_run(number)).unwrap();
                store.close().unwrap();
            });
        }
    });
    let third = fs::read_to_string(commit(path, "runs", 4)).unwrap();
    assert!(third.contains("\"add\""), "columns were added once, then two runs: {third}");
    assert!(!commit(path, "runs", 5).exists());
    assert!(!commit(path, "steps", 4).exists(), "other tables stay as they are");
    assert_eq!(query(path, sql).await, ["true||success", "true|87.5|success", "true|87.5|success"]);
    assert_eq!(query(path, "SELECT count(*) FROM runs WHERE quality_score > 80").await, ["2"]);
    assert_eq!(query(path, "SELECT count(quality_score), count(*) FROM runs").await, ["2|3"]);
    check_with_python(path, "runs", "quality_score", "3 1");
    flushed(path, 3..6); // and a checkpoint says the same
    check_with_python(path, "runs", "quality_score", "6 1");
    assert_eq!(query(path, "SELECT count(quality_score), count(*) FROM runs").await, ["5|6"]);
}

#[tokio::test]
async fn an_older_build_reads_and_appends_where_it_does_not_know_a_nullable_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    flushed(path, 0..1);
    edit_columns(path, "steps", |it| {
        let new = json!({"name": "future", "type": "long", "nullable": true, "metadata": {}});
        it.insert(3, new);
    });
    edit(&commit(path, "steps", 0), |action| {
        if let Some(metadata) = action.get_mut("metaData") {
            metadata["configuration"]["genstore.schema_version"] = Value::from("2");
        }
    });
    edit_file(path, "steps", 1, |batch| {
        let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
        fields.insert(3, Arc::new(Field::new("future", DataType::Int64, true)));
        let mut columns = batch.columns().to_vec();
        columns.insert(3, Arc::new(Int64Array::from(vec![7; batch.num_rows()])));
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    });
    let sql = "SELECT count(*), count(DISTINCT step_name), min(duration_ns) FROM steps";
    assert_eq!(query(path, sql).await, ["5|5|1000"]);
    flushed(path, 1..4);
    assert_eq!(query(path, sql).await, ["20|5|1000"]);
    let first = fs::read_to_string(commit(path, "steps", 0)).unwrap();
    assert!(first.contains("future"));
    for version in 1..=4 {
        let commit = fs::read_to_string(commit(path, "steps", version)).unwrap();
        assert!(!commit.contains("metaData"), "the newer build's columns stay: {commit}");
    }
    check_with_python(path, "steps", "future", "20 15");
}

#[tokio::test]
async fn what_this_build_must_not_write_is_refused_and_read() {
    type Change = fn(&mut Vec<Value>);
    let cases: [(Change, &str); 3] = [
        (|it| it.retain(|it| it["name"] != "step_name"), "step_name is gone"),
        (
            |it| {
                let new = json!({"name": "x", "type": "long", "nullable": false, "metadata": {}});
                it.push(new);
            },
            "x must not be NULL",
        ),
        (
            |it| {
                let seed = it.iter_mut().find(|it| it["name"] == "attempt").unwrap();
                seed["type"] = Value::from("string");
            },
            "attempt is \"string\"",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    flushed(path, 0..1);
    let whole = fs::read(commit(path, "steps", 0)).unwrap();
    for (change, expected) in cases {
        edit_columns(path, "steps", change);
        let error = open(path, quiet()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains(expected), "{error}");
        assert!(error.message().contains("steps"), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(query(path, "SELECT count(*) FROM runs").await, ["1"]);
        assert_eq!(query(path, "SELECT count(*) FROM steps").await, ["5"]);
        fs::write(commit(path, "steps", 0), &whole).unwrap();
    }
    flushed(path, 1..2);
    assert_eq!(query(path, "SELECT count(*) FROM steps").await, ["10"]);
}

#[tokio::test]
async fn a_data_file_whose_rows_nobody_counted_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    flushed(path, 0..1); // no checkpoint says it either
    edit(&commit(path, "runs", 1), |action| {
        let Some(add) = action.get_mut("add") else { return };
        add.as_object_mut().unwrap().remove("stats");
    });
    let snapshot = Store::open_read_only(path).unwrap().snapshot().unwrap();
    assert_eq!(snapshot.tables[&Table::Runs].files[0].rows, None);
    let counted = query(path, "SELECT count(run_id) FROM runs").await;
    assert_eq!(counted, query(path, "SELECT 1").await);
    let store = open(path, quiet()).unwrap();
    store.catch_up_index(&mut |_| ControlFlow::Continue(())).unwrap();
    assert!(store.run(&run_id(0)).unwrap().is_some());
    let report = genstore::store::check::check(path, NOW_US, &mut |_| ()).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}

#[test]
fn a_column_of_names_in_a_type_that_is_not_ours_skips_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    flushed(path, 0..1); // no checkpoint says its size
    edit_file(path, "runs", 1, |batch| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let column = match field.name().as_str() {
                "contract_name" => arrow::compute::cast(column, &DataType::Binary).unwrap(),
                _ => Arc::clone(column),
            };
            (field.name().clone(), column, true)
        });
        RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
    });
    let store = Store::open_read_only(path).unwrap();
    store.catch_up_index(&mut |_| ControlFlow::Continue(())).unwrap();
    let snapshot = store.snapshot().unwrap();
    let index = snapshot.index.as_ref().unwrap();
    let file = &snapshot.tables[&Table::Runs].files[0];
    assert!(index.may_hold_contract(Table::Runs, file, "of no run"));
}
