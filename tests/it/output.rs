//! Rows and findings as text: every format, at a terminal and behind a pipe.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int64Type, SchemaRef};
use genstore::finding::{Finding, Level, Span};
use genstore::output::{Format, Look, RowWriter, diagnostic};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
        .unwrap()
}

/// One column of every type that a store or a query gives, with a NULL in each.
fn sample() -> RecordBatch {
    let times = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_123_456), None]);
    let lists =
        ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    batch(vec![
        ("text", Arc::new(StringArray::from(vec![Some("a|\"b\",\n<i>\x1b[2J"), None]))),
        ("n", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("x", Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), None]))),
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"foo"[..]), None]))),
        ("list", Arc::new(lists)),
    ])
}

fn write(format: Format, look: Look, batches: &[RecordBatch]) -> String {
    let mut out = Vec::new();
    let schema: SchemaRef = batches.first().unwrap().schema();
    let mut writer = RowWriter::new(&mut out, format, look, &schema).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn piped(format: Format, batches: &[RecordBatch]) -> String {
    write(format, Look::default(), batches)
}

#[test]
fn table_escapes_rounds_and_marks_null() {
    let text = piped(Format::Table, &[sample()]);
    let cells = |line: usize| -> Vec<String> {
        let line = text.lines().nth(line).unwrap();
        line.trim_matches('│').split('│').map(|it| it.trim().to_owned()).collect()
    };
    assert_eq!(cells(1), ["text", "n", "x", "yes", "time", "bytes", "list"]);
    let first = [
        r#"a|"b",\n<i>\u{1b}[2J"#,
        "9223372036854775807",
        "0.3",
        "true",
        "2023-11-14T22:13:20.123456Z",
        "<3 bytes>",
        "[1,null]",
    ];
    assert_eq!(cells(3), first);
    assert_eq!(cells(4), ["NULL"; 7]);
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn every_line_of_a_table_is_equally_wide() {
    let rows = batch(vec![("漢字", Arc::new(StringArray::from(vec!["漢", "abc", ""])))]);
    let text = piped(Format::Table, &[rows]);
    assert_eq!(text.lines().nth(1), Some("│ 漢字 │"));
    assert_eq!(text.lines().nth(3), Some("│ 漢   │"));
}

#[test]
fn a_terminal_gets_a_fitted_table_and_a_footer_a_pipe_neither() {
    let long = "x".repeat(300);
    let rows = batch(vec![
        ("id", Arc::new(StringArray::from(vec![format!("start{long}end")]))),
        ("n", Arc::new(Int64Array::from(vec![12_345_678]))),
    ]);
    let look = Look { width: Some(60), color: false };
    let fitted = write(Format::Table, look, std::slice::from_ref(&rows));
    assert!(fitted.lines().all(|line| line.chars().count() <= 60), "{fitted}");
    assert!(["start", "…", "end"].iter().all(|it| fitted.contains(it)), "{fitted}");
    assert!(fitted.contains("12345678"), "{fitted}");
    assert!(fitted.ends_with("1 row\n"), "{fitted}");
    let whole = piped(Format::Table, &[rows]);
    assert!(whole.contains(&long) && !whole.contains("row"), "{whole}");
}

#[test]
fn a_wide_result_loses_columns_on_a_terminal_and_says_so() {
    let one: ArrayRef = Arc::new(StringArray::from(vec!["twenty characters ..."]));
    let names: Vec<String> = (0..30).map(|it| format!("column_{it}")).collect();
    let rows = batch(names.iter().map(|it| (it.as_str(), Arc::clone(&one))).collect());
    let look = Look { width: Some(80), color: false };
    let text = write(Format::Table, look, &[rows.clone(), rows.clone()]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("of 30 columns shown"), "{text}");
    // A lone row has room for all of its columns.
    let text = write(Format::Table, look, std::slice::from_ref(&rows));
    assert_eq!(text.lines().count(), 31, "{text}");
    assert_eq!(text.lines().next(), Some("column_0  │ twenty characters ..."));
    assert!(text.ends_with("\n1 row\n"), "{text}");
    assert_eq!(piped(Format::Table, &[rows]).lines().count(), 5);
}

#[test]
fn a_long_table_is_streamed_after_the_measured_rows() {
    let rows = batch(vec![("n", Arc::new(Int64Array::from_iter_values(0..8_000)))]);
    let text = piped(Format::Table, &[rows.clone(), rows.clone(), rows]);
    assert_eq!(text.lines().count(), 24_000 + 4);
}

#[test]
fn json_is_one_array_and_keeps_types() {
    let text = piped(Format::Json, &[sample()]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!([
        {
            "text": "a|\"b\",\n<i>\u{1b}[2J", "n": i64::MAX, "x": 0.1 + 0.2, "yes": true,
            "time": "2023-11-14T22:13:20.123456Z", "bytes": "Zm9v", "list": [1, null]
        },
        {
            "text": null, "n": null, "x": null, "yes": null, "time": null, "bytes": null,
            "list": null
        }
    ]);
    assert_eq!(value, expected);
    let empty = sample().slice(0, 0);
    assert_eq!(piped(Format::Json, &[empty]), "[]\n");
}

#[test]
fn ndjson_is_one_object_per_line() {
    let text = piped(Format::Ndjson, &[sample(), sample()]);
    assert_eq!(text.lines().count(), 4);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value.as_object().map(serde_json::Map::len), Some(7));
    }
}

#[test]
fn json_keys_are_unique() {
    let one: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let rows = batch(vec![("n", Arc::clone(&one)), ("n", one)]);
    assert_eq!(piped(Format::Ndjson, &[rows]), "{\"n\":1,\"n_2\":1}\n");
}

#[test]
fn csv_tells_null_from_empty_and_quotes() {
    let rows = batch(vec![
        ("a,b", Arc::new(StringArray::from(vec![Some("say \"x\"\ny"), Some(""), None]))),
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
    ]);
    let text = piped(Format::Csv, &[rows]);
    assert_eq!(text, "\"a,b\",n\n\"say \"\"x\"\"\ny\",1\n\"\",\n,3\n");
}

#[test]
fn markdown_cannot_be_broken_by_a_text() {
    let text = piped(Format::Markdown, &[sample()]);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("| text | n | x | yes | time | bytes | list |"));
    assert_eq!(lines.next(), Some("|---|---:|---:|---|---|---|---|"));
    let row = lines.next().unwrap();
    assert!(
        row.starts_with(r#"| a\|"b",\n&lt;i>\u{1b}[2J | 9223372036854775807 | 0.3 |"#),
        "{row}"
    );
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn explain_is_printed_as_lines() {
    let rows = batch(vec![
        ("plan_type", Arc::new(StringArray::from(vec!["logical_plan"]))),
        ("plan", Arc::new(StringArray::from(vec!["Projection: a\n  TableScan: runs"]))),
    ]);
    assert_eq!(piped(Format::Table, &[rows]), "logical_plan\nProjection: a\n  TableScan: runs\n\n");
}

/// A pipe whose reader leaves after some bytes.
struct Pipe {
    left: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.left = self.left.saturating_sub(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for format in Format::ALL {
        let rows = sample();
        let pipe = Pipe { left: 40 };
        let mut writer = RowWriter::new(pipe, format, Look::default(), &rows.schema()).unwrap();
        for _ in 0..3 {
            writer.write(&rows).unwrap();
        }
        if format != Format::Table {
            assert!(writer.reader_gone(), "{format}");
        }
        assert_eq!(writer.finish().unwrap(), 6, "{format}");
    }
}

#[test]
fn a_format_with_a_typo_gets_its_neighbour() {
    assert_eq!("JSON".parse::<Format>().unwrap(), Format::Json);
    assert_eq!("jsonl".parse::<Format>().unwrap(), Format::Ndjson);
    let error = "tabel".parse::<Format>().unwrap_err();
    assert_eq!(error.hint(), Some("Did you mean table?"));
    assert_eq!(error.kind().exit_code(), 2);
}

const NAEM: &str = "a: 1\n\tnaem: x\n";

/// A finding at a place of a text, or outside of it.
fn finding_in(text: &str, line: u32, columns: (u32, u32)) -> Finding {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let line_start: usize = before.map(str::len).sum();
    let start_byte = line_start + columns.0.saturating_sub(1) as usize;
    let span = Span {
        start_byte,
        start_line: line,
        start_column: columns.0,
        end_line: line,
        end_column: columns.1,
        ..Span::default()
    };
    Finding::new("contract.unknown-key", Level::Warning, "unknown key `naem`")
        .in_file("orders/contract.yaml")
        .at(span)
        .with_help("did you mean `name`?")
}

#[test]
fn a_finding_is_drawn_under_its_place() {
    let text = diagnostic::render(&finding_in(NAEM, 2, (2, 6)), Some(NAEM), false);
    let lines = [
        "warning[contract.unknown-key]: unknown key `naem`",
        "  --> orders/contract.yaml:2:2",
        "   |",
        " 2 |     naem: x",
        "   |     ^^^^",
        "   = help: did you mean `name`?",
        "",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn a_place_outside_the_text_is_survived() {
    for (line, columns) in [(0, (0, 0)), (9, (1, 2)), (1, (90, 95)), (1, (5, 2))] {
        let text = diagnostic::render(&finding_in("a: 1", line, columns), Some("a: 1"), true);
        assert!(text.contains("unknown key"), "{text}");
    }
    let long = format!("{}naem: {}", " ".repeat(5_000), "x".repeat(5_000));
    let text = diagnostic::render(&finding_in(&long, 1, (5_001, 5_005)), Some(&long), false);
    let lines: Vec<&str> = text.lines().collect();
    let caret = lines.get(4).and_then(|it| it.find('^')).unwrap();
    let source = lines.get(3).unwrap();
    let before: String = lines.get(4).unwrap().chars().take_while(|it| *it != '^').collect();
    let at: String = source.chars().skip(before.chars().count()).take(4).collect();
    assert_eq!(at, "naem", "{caret} {text}");
    assert!(source.chars().count() < 160);
}

#[test]
fn a_finding_as_ndjson() {
    let mut out = Vec::new();
    diagnostic::write_ndjson(&mut out, &finding_in(NAEM, 2, (2, 6))).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["line"], 2);
    assert_eq!(value["level"], "warning");
    assert_eq!(value["rule_id"], "contract.unknown-key");
}
