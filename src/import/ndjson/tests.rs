//! Lines of JSON: what is read, and what is refused where.
#![allow(clippy::unwrap_used, reason = "tests")]

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use proptest::prelude::*;

use super::*;

const RUN: &str = "\"run_id\":\"r\",\"artifact_digest\":\"\",\"kind\":\"k\",\"language\":\"l\"";

fn read(table: Table, text: impl AsRef<[u8]>) -> Result<Vec<RecordBatch>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.ndjson");
    std::fs::write(&path, text).unwrap();
    let mut reader = NdjsonReader::open(&path, table, &ReadOptions::default())?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        batches.push(batch.rows);
    }
    Ok(batches)
}

fn artifact(rest: &str) -> String {
    format!("{{{RUN}{rest}}}\n")
}

/// The message without the folder.
fn message(text: &str) -> String {
    let error = read(Table::Artifacts, text).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    let message = error.message();
    message[message.find("rows.ndjson").unwrap()..].to_owned()
}

#[test]
fn values_are_taken_as_they_are() {
    let text = artifact(
        ",\"filename\":\"a\\u00e9\\\"\\n\",\"lines\":-0,\"size_bytes\":9223372036854775807",
    ) + "\n  \r\n"
        + &artifact(" , \"filename\" : \"\" , \"lines\": 12.0 ,\"size_bytes\":1,\"content\":null ");
    let rows = read(Table::Artifacts, &text).unwrap();
    let rows = rows.first().unwrap();
    let text = |name| rows.column_by_name(name).unwrap().as_string::<i32>();
    let int = |name| rows.column_by_name(name).unwrap().as_primitive::<Int64Type>();
    assert_eq!((text("filename").value(0), text("filename").value(1)), ("aé\"\n", ""));
    assert_eq!((int("lines").value(0), int("lines").value(1)), (0, 12));
    assert_eq!(int("size_bytes").value(0), i64::MAX);
    assert_eq!(text("content").null_count(), 2);
    assert!(read(Table::Artifacts, "").unwrap().is_empty(), "an export of no rows");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = artifact(",\"filename\":\"f\",\"lines\":1,\"size_bytes\":1");
    let cases = [
        ("[1]", "rows.ndjson: row 1 (line 1): the line is no JSON object: \"[1]\""),
        ("\n\"x\"", "rows.ndjson: row 1 (line 2): the line is no JSON object: \"\\\"x\\\"\""),
        (
            "{",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: a quote is missing at the line ends",
        ),
        (
            "{\"run_id\" 1}",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: a colon is missing at \"1}\"",
        ),
        (
            "{\"run_id\": tru}",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: a value is missing at \"tru}\"",
        ),
        (
            "{\"run_id\": 01}",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: a value is missing at \"01}\"",
        ),
        (
            "{\"run_id\": \"r\"} x",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: the end of the line is missing at \"x\"",
        ),
        (
            "{\"run_id\": \"\\x\"}",
            "rows.ndjson: row 1 (line 1): the line is broken JSON: valid escapes in a text is missing at \"\\\"\\\\x\\\"}\"",
        ),
        (
            "{\"run_id\": \"r\", \"run_id\": \"s\"}",
            "rows.ndjson: row 1 (line 1), column run_id: the key is there twice",
        ),
        (
            "{\"run_id\": 7}",
            "rows.ndjson: row 1 (line 1), column run_id: the number 7 is not a text",
        ),
        (
            "{\"lines\": \"7\"}",
            "rows.ndjson: row 1 (line 1), column lines: the text \"7\" is not a whole number",
        ),
        (
            "{\"lines\": 7.5}",
            "rows.ndjson: row 1 (line 1), column lines: \"7.5\" has a fraction, which would be lost",
        ),
        (
            "{\"lines\": true}",
            "rows.ndjson: row 1 (line 1), column lines: true is not a whole number",
        ),
        ("{\"lines\": null}", "rows.ndjson: row 1 (line 1), column lines: the value is missing"),
        ("{\"kind\": [\"a\"]}", "rows.ndjson: row 1 (line 1): \"kind\" holds a list or an object"),
        (
            "{\"lnies\": 1}",
            "rows.ndjson: row 1 (line 1) has a column lnies, and artifacts has none",
        ),
        (
            "{\"run_id\": \"r\"}",
            "rows.ndjson: row 1 (line 1), column filename: the value is missing",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text}");
    }
    let second = format!("{good}{{\"run_id\": 7}}\n");
    let expected = "rows.ndjson: row 2 (line 2), column run_id: the number 7 is not a text";
    assert_eq!(message(&second), expected);
}

proptest! {
    /// The scanner and serde_json take and refuse the same flat objects.
    #[test]
    fn any_value_comes_back(name in any::<String>(), value in any::<f64>(), other in any::<i64>()) {
        let line = serde_json::json!({
            "name": name, "value": value, "unit": other.to_string(), "time": "1970-01-01T00:00:00Z",
        });
        prop_assume!(value.is_finite());
        let rows = read(Table::Metrics, line.to_string()).unwrap();
        let rows = rows.first().unwrap();
        let names = rows.column_by_name("name").unwrap().as_string::<i32>();
        prop_assert_eq!(names.value(0), name);
        let values = rows.column_by_name("value").unwrap().as_primitive::<Float64Type>();
        prop_assert_eq!(values.value(0).to_bits(), value.to_bits());
    }

    #[test]
    fn any_line_is_rows_or_an_error(line in "[\\[\\]{}:,\" a-z0-9\\\\.e-]{0,40}") {
        drop(read(Table::Metrics, line));
    }
}
