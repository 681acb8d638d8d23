//! The files of `tests/slt` on a history of 120 runs, wherever its rows are: hot, in files, or
//! both. Each function has its cases there: NULL, nothing, one value, NaN, negative, far out, as a
//! window.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use futures::executor::block_on;
use genstore::error::Error;
use genstore::sql::{Params, Session, function_docs};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use super::fixture::{PLACES, ask, nothing, rows, session, snapshot};

/// A session as the test files see it.
#[derive(Debug)]
struct Asked(Session);

#[async_trait]
impl AsyncDB for Asked {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        let output = self.0.query(sql, &Params::new()).await?;
        let types = output.schema.fields().iter().map(|it| kind(it.data_type())).collect();
        Ok(DBOutput::Rows { types, rows: output.batches.iter().flat_map(cells).collect() })
    }

    async fn shutdown(&mut self) {}
}

fn kind(of: &DataType) -> DefaultColumnType {
    match of {
        DataType::Utf8 => DefaultColumnType::Text,
        it if it.is_integer() => DefaultColumnType::Integer,
        it if it.is_numeric() => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Any,
    }
}

fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    let cell = |column: &arrow::array::ArrayRef, row: usize| {
        if column.is_null(row) {
            return "NULL".to_owned();
        }
        match arrow::util::display::array_value_to_string(column, row).unwrap() {
            text if text.is_empty() => "(empty)".to_owned(),
            text => text,
        }
    };
    let row = |row: usize| batch.columns().iter().map(|it| cell(it, row)).collect();
    (0..batch.num_rows()).map(row).collect()
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_file_holds_wherever_the_rows_are() {
    let rows = rows();
    for place in PLACES {
        let folder = tempfile::tempdir().unwrap();
        let session = session(&snapshot(&rows, place, folder.path()));
        for file in files() {
            let mut runner = Runner::new(|| async { Ok(Asked(session.clone())) });
            if let Err(error) = runner.run_file(&file) {
                panic!("{place:?}: {}", error.display(false));
            }
        }
    }
}

/// A test file that asserts nothing would not be missed.
#[test]
fn a_wrong_answer_is_seen() {
    let mut runner = Runner::new(|| async { Ok(Asked(nothing())) });
    assert!(block_on(runner.run_script_async("query I\nSELECT 1\n----\n2\n")).is_err());
}

#[tokio::test]
async fn examples_of_functions_give_what_they_say() {
    let session = nothing();
    let names = session.function_names();
    for doc in function_docs() {
        let answer = ask(&session, &format!("SELECT {}", doc.example)).await;
        assert_eq!(answer, [doc.gives], "{}", doc.call);
        for call in doc.call.split("), ") {
            let name = call.split('(').next().unwrap().trim();
            assert!(names.iter().any(|it| it == name), "{name}");
        }
    }
}
