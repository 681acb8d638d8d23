//! Records of CSV: what RFC 4180 allows, what `output` writes, and what is refused where.
#![allow(clippy::unwrap_used, reason = "tests")]

use arrow::array::{Array, AsArray, RecordBatch};

use super::*;

const HEADER: &str = "run_id,name,value,annotator_kind,time,label";

fn read_with(text: impl AsRef<[u8]>, options: ReadOptions) -> Result<Vec<RecordBatch>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    std::fs::write(&path, text).unwrap();
    let mut reader = CsvReader::open(&path, Table::Scores, &options)?;
    let mut batches = Vec::new();
    while let Some(batch) = reader.next()? {
        batches.push(batch.rows);
    }
    Ok(batches)
}

fn read(text: impl AsRef<[u8]>) -> Result<Vec<RecordBatch>> {
    read_with(text, ReadOptions::default())
}

/// The message without the folder.
fn message(text: impl AsRef<[u8]>) -> String {
    let error = read(text).unwrap_err();
    assert!(error.hint().is_some(), "{error}");
    let message = error.message();
    message[message.find("scores.csv").unwrap()..].to_owned()
}

fn names(text: &str) -> Vec<String> {
    let rows = read(text).unwrap();
    let names = rows.iter().flat_map(|it| it.column_by_name("name").unwrap().as_string::<i32>());
    names.map(|it| it.unwrap().to_owned()).collect()
}

#[test]
fn quotes_commas_and_line_breaks() {
    let text = format!(
        "\u{feff}{HEADER}\r\nr,\"a \"\"b\"\", c\r\nd\",,CODE,1970-01-01T00:00:00Z,\n\n\
         r,plain,1.5,CODE,1970-01-01T00:00:00Z,\"\""
    );
    assert_eq!(names(&text), ["a \"b\", c\r\nd", "plain"]);
    let rows = read(&text).unwrap();
    let label = rows.first().unwrap().column_by_name("label").unwrap().as_string::<i32>().clone();
    assert!(label.is_null(0), "an empty field is NULL");
    assert_eq!(label.value(1), "", "a quoted one is the empty text");
    let value = rows.first().unwrap().column_by_name("value").unwrap();
    assert!(value.is_null(0) && value.is_valid(1));
}

#[test]
fn a_text_that_must_be_there_and_is_empty_is_the_empty_text() {
    assert_eq!(names(&format!("{HEADER}\nr,,,CODE,1970-01-01T00:00:00Z,\n")), [""]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let row = "r,n,1,CODE,1970-01-01T00:00:00Z,";
    let cases = [
        (String::new(), "scores.csv is empty: it has not even a header"),
        (
            format!("{HEADER}\n{row}\nr,n,1\n"),
            "scores.csv: row 2 (line 3): there are 3 values, and the header names 6 columns",
        ),
        (
            format!("{HEADER}\n{row}\n\"r\n\n\",n,x,CODE,1970-01-01T00:00:00Z,\n"),
            "scores.csv: row 2 (line 3), column value: \"x\" is no number",
        ),
        (
            format!("{HEADER}\nr,n,1,CODE,,\n"),
            "scores.csv: row 1 (line 2), column time: the value is missing",
        ),
        (
            format!("{HEADER}\nr,n \"m\",1,CODE,1970-01-01T00:00:00Z,\n"),
            "scores.csv: row 1 (line 2): value 2 has a quote inside",
        ),
        (
            format!("{HEADER}\nr,\"n\"m,1,CODE,1970-01-01T00:00:00Z,\n"),
            "scores.csv: row 1 (line 2): value 2 goes on after its closing quote",
        ),
        (
            format!("{HEADER}\n{row}\nr,\"n,1\n{row}\n"),
            "scores.csv: row 2 (line 3): a quote is open until the end of the file",
        ),
        (HEADER.replace(',', ";"), "scores.csv: the header has one column only"),
        (HEADER.replace("value", "valeu"), "scores.csv has a column valeu, and scores has none"),
        (HEADER.replace("label", "name"), "scores.csv has two columns name"),
        (
            HEADER.replace("time,", ""),
            "scores.csv has no column time, which every row of scores must have",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(&text), expected, "{text}");
    }
    let mut bytes = format!("{HEADER}\n{row}\nr,n").into_bytes();
    bytes.extend(b"\xff,1,CODE,1970-01-01T00:00:00Z,\n");
    assert_eq!(message(&bytes), "scores.csv: row 2 (line 3): byte 4 of the row is not UTF-8");
    assert_eq!(message(b"\xff\xfea\0b\0"), "scores.csv is UTF-16 and not UTF-8");
}

#[test]
fn unknown_columns_are_left_out_if_asked() {
    let text = format!("{HEADER},more\nr,n,1,CODE,1970-01-01T00:00:00Z,,x\n");
    let error = read(&text).unwrap_err();
    assert!(error.hint().unwrap().contains("--ignore-unknown"), "{error}");
    let options = ReadOptions { ignore_unknown: true, ..ReadOptions::default() };
    assert_eq!(read_with(&text, options).unwrap().first().unwrap().num_rows(), 1);
    let error = read(HEADER.replace("value", "valeu")).unwrap_err();
    let hint = "Did you mean value? `--ignore-unknown` leaves such columns out.";
    assert_eq!(error.hint(), Some(hint));
}

#[test]
fn long_rows_and_values_are_refused_and_batches_are_bounded() {
    let limits =
        Limits { batch_rows: 3, value_bytes_max: 20, line_bytes_max: 64, ..Limits::default() };
    let options = ReadOptions { limits, ..ReadOptions::default() };
    let row = "r,n,1,CODE,1970-01-01T00:00:00Z,\n";
    let text = format!("{HEADER}\n{}", row.repeat(7));
    let sizes: Vec<usize> =
        read_with(text, options).unwrap().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [3, 3, 1]);
    let long = format!("{HEADER}\n{row}r,{},1,CODE,1970-01-01T00:00:00Z,\n", "n".repeat(21));
    let error = read_with(long, options).unwrap_err().to_string();
    assert!(
        error.ends_with("row 2 (line 3), column name: the value has 21 bytes, more than 20"),
        "{error}"
    );
    let longer = format!("{HEADER}\nr,\"{}\n", "n\n".repeat(1_000));
    let error = read_with(longer, options).unwrap_err().to_string();
    assert!(error.ends_with("row 1 (line 2): the row has more than 64 bytes"), "{error}");
}
