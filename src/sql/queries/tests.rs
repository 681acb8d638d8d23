//! Headers, parameters and the completeness of the list.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use super::{ParamType, ParamValue, TEXTS, all, find, header};

#[test]
fn every_file_is_listed_and_every_header_parses() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|ext| ext == "sql"))
        .map(|it| it.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: BTreeSet<String> = TEXTS.iter().map(|it| it.0.to_owned()).collect();
    assert_eq!(files, listed);
    for (name, text) in TEXTS {
        header::parse(name, text).unwrap();
    }
    assert_eq!(all().len(), TEXTS.len());
    for query in all() {
        assert!(query.question.ends_with('?'), "{}", query.name);
        for param in &query.params {
            assert!(query.sql.contains(&format!("${}", param.name)), "{}", query.name);
        }
    }
}

#[test]
fn unknown_names_give_the_nearest() {
    assert_eq!(find("latncy").unwrap_err().hint(), Some("did you mean latency?"));
    let error = find("latency").unwrap().bind(&[("sinc", "7d")]).unwrap_err();
    assert_eq!(error.message(), "query latency has no parameter sinc");
    assert_eq!(error.hint(), Some("did you mean since?"));
}

#[test]
fn values_are_typed() {
    let query = find("latency").unwrap();
    let bound = query.bind(&[("since", "7d")]).unwrap();
    assert_eq!(bound.get("since"), Some(&ParamValue::Ago("7d".to_owned())));
    assert_eq!(bound.get("pipeline"), Some(&ParamValue::Null));
    let bound = query.bind(&[("since", "1970-01-02")]).unwrap();
    assert_eq!(bound.get("since"), Some(&ParamValue::Time(86_400_000_000)));
    let error = query.bind(&[("since", "yesterday")]).unwrap_err();
    assert!(error.message().contains("takes a time"), "{error}");
    let twice = query.bind(&[("since", "7d"), ("since", "7d")]).unwrap_err();
    assert!(twice.message().contains("given twice"), "{twice}");
    let trend = find("latency_trend").unwrap();
    let error = trend.bind(&[("bucket", "dya")]).unwrap_err();
    assert_eq!(error.hint(), Some("did you mean day?"));
}

#[test]
fn a_wrong_header_names_its_line() {
    let error = header::parse("x", "-- name: x\n-- parm: y\n").unwrap_err();
    assert!(error.message().contains("line 2"), "{error}");
    assert!(header::parse("x", "-- name: y\n").is_err());
    assert!(header::parse("x", "-- name: x\nselect 1").is_err());
    let text = "-- name: x\n-- question: why?\n-- param: n int | rows\nselect $n";
    let query = header::parse("x", text).unwrap();
    let param = query.params.first().unwrap();
    assert!(param.required && param.kind == ParamType::Int);
}
