//! Headers, parameters and the completeness of the list.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use super::{ParamType, ParamValue, Queries, TEXTS, header};

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
        header::parse(name, text, None).unwrap();
    }
    assert_eq!(Queries::builtin().all().len(), TEXTS.len());
    for query in Queries::builtin().all() {
        assert!(query.question.ends_with('?'), "{}", query.name);
        for param in &query.params {
            assert!(query.sql.contains(&format!("${}", param.name)), "{}", query.name);
        }
    }
}

#[test]
fn unknown_names_give_the_nearest() {
    assert_eq!(
        Queries::builtin().find("latncy").unwrap_err().hint(),
        Some("did you mean latency?")
    );
    let error = Queries::builtin().find("latency").unwrap().bind(&[("sinc", "7d")]).unwrap_err();
    assert_eq!(error.message(), "query latency has no parameter sinc");
    assert_eq!(error.hint(), Some("did you mean since?"));
}

#[test]
fn values_are_typed() {
    let query = Queries::builtin().find("latency").unwrap();
    let bound = query.bind(&[("since", "7d")]).unwrap();
    assert_eq!(bound.get("since"), Some(&ParamValue::Ago("7d".to_owned())));
    assert_eq!(bound.get("pipeline"), Some(&ParamValue::Null));
    let bound = query.bind(&[("since", "1970-01-02")]).unwrap();
    assert_eq!(bound.get("since"), Some(&ParamValue::Time(86_400_000_000)));
    let error = query.bind(&[("since", "yesterday")]).unwrap_err();
    assert!(error.message().contains("takes a time"), "{error}");
    let twice = query.bind(&[("since", "7d"), ("since", "7d")]).unwrap_err();
    assert!(twice.message().contains("given twice"), "{twice}");
    let trend = Queries::builtin().find("latency_trend").unwrap();
    let error = trend.bind(&[("bucket", "dya")]).unwrap_err();
    assert_eq!(error.hint(), Some("did you mean day?"));
}

#[test]
fn a_wrong_header_names_its_line() {
    let error = header::parse("x", "-- name: x\n-- parm: y\n", None).unwrap_err();
    assert!(error.message().contains("line 2"), "{error}");
    assert!(header::parse("x", "-- name: y\n", None).is_err());
    assert!(header::parse("x", "-- name: x\nselect 1", None).is_err());
    let text = "-- name: x\n-- question: why?\n-- param: n int | rows\nselect $n";
    let query = header::parse("x", text, None).unwrap();
    let param = query.params.first().unwrap();
    assert!(param.required && param.kind == ParamType::Int);
}

#[test]
fn a_folder_adds_queries_and_tells_what_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write("mine.sql", "\u{feff}-- name: mine\n-- question: What is mine?\n\nSELECT 1");
    write("runs.sql", "-- name: runs\n-- question: Which runs do I want to see?\nSELECT 2");
    write("bare.sql", "SELECT 3");
    write("other.sql", "-- name: another\n-- question: Why?\nSELECT 4");
    write("notes.txt", "no query");
    let mut queries = Queries::builtin().clone();
    let before = queries.all().len();
    queries.add_folder(folder.path()).unwrap();
    assert_eq!(queries.all().len(), before + 1);
    let mine = queries.find("mine").unwrap();
    assert!(mine.uri.as_ref().unwrap().ends_with("mine.sql"));
    assert_eq!(queries.find("runs").unwrap().question, "Which runs do I want to see?");
    assert_eq!(queries.broken().count(), 2);
    let error = queries.find("bare").unwrap_err();
    assert!(error.message().ends_with("bare.sql lacks its name or question"), "{error}");
    assert_eq!(error.hint(), Some("write `-- name: bare` at its beginning"));
    let error = queries.find("other").unwrap_err();
    assert!(error.message().contains("other.sql, line 1: the name is not"), "{error}");
    assert!(queries.add_folder(&folder.path().join("none")).is_err());
}
