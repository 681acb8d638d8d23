//! Targets that cannot be, and two exports into one.

use std::fs::{self, File};

use genstore::export::Request;

use super::fixture::{checked, continued, files, request, run};
use crate::import::fixture::{events, fill};
use crate::program::Place;

fn program() -> Place {
    let place = Place::new();
    fill(&place.store(), &events(3, 4));
    place
}

/// What the program says to a wrong call, on stderr, with its code.
fn refused(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let output = place.run(&[&["export"], args].concat());
    assert!(output.stdout.is_empty(), "{args:?}");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn wrong_calls_name_the_thing_and_the_next_step() {
    let place = program();
    fs::write(place.root.path().join("file"), "mine").unwrap();
    let cases: [(&[&str], &[&str]); 12] = [
        (&["--to", "x", "rnus"], &["rnus", "runs"]),
        (&["--to", "x", "--for", "tablau"], &["tablau", "tableau"]),
        (&["--to", "x", "--since", "yesterday"], &["yesterday is no time", "30d"]),
        (&["--to", "x", "--since", "2999-01-01"], &["is in the future"]),
        (&["--to", "x", "--partition-by", "week"], &["week", "day"]),
        (&["--to", "file"], &["file is a file"]),
        (&["--to", ""], &["--to is empty"]),
        (&["--to", "store/exports"], &["lies inside the store", "outside"]),
        (&["--to", "s4://bucket/x"], &["s4://", "s3://, gs://"]),
        (&["--to", "x", "runs", "--query", "SELECT 1"], &["--query"]),
        (&["--to", "x", "--name", "y"], &["--query"]),
        (&["--to", "x", "--query", "SELECT 1 AS a", "--name", "A b"], &["A b is no name"]),
    ];
    for (args, expected) in cases {
        let (code, said) = refused(&place, args);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        for text in expected {
            assert!(said.contains(text), "{args:?}: {said}");
        }
    }
    let (code, said) = refused(&place, &["--to", "x", "--query", "SELECT qualty_score FROM runs"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("qualty_score") && said.contains("quality_score"), "{said}");
    assert!(!place.root.path().join("x").exists(), "nothing was made");
    assert!(!place.store().join("exports").exists());
}

#[test]
fn a_path_that_leads_into_the_store_by_a_link_is_seen() {
    let place = program();
    std::os::unix::fs::symlink(place.store(), place.root.path().join("link")).unwrap();
    let (code, said) = refused(&place, &["--to", "link/tables/new"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("lies inside the store"), "{said}");
}

#[test]
fn help_says_whom_each_profile_is_for() {
    let place = program();
    let output = place.run(&["export", "--help"]);
    let said = String::from_utf8(output.stdout).unwrap();
    for profile in &genstore::export::PROFILES {
        let first = profile.whom.split_whitespace().next().unwrap();
        assert!(said.contains(profile.name) && said.contains(first), "{profile}: {said}");
    }
}

/// The lock is that of the system: it ends with its holder, however that ends.
#[test]
fn two_exports_at_once_do_not_mix() {
    let place = program();
    let (store, to) = (place.store(), place.root.path().join("to"));
    run(&store, &continued(&store, &to)).unwrap();
    let unfinished = to.join("_unfinished.json");
    let id = "01990000-0000-7000-8000-000000000001";
    let text =
        format!(r#"{{"export_id": "{id}", "replaces": false, "tables": [], "first_position": 1}}"#);
    fs::write(&unfinished, text).unwrap();
    let other = File::open(&unfinished).unwrap();
    other.lock().unwrap();
    for force in [false, true] {
        let error = run(&store, &Request { force, ..continued(&store, &to) }).unwrap_err();
        assert!(error.message().starts_with("another export writes to"), "{error}");
        assert!(error.hint().is_some());
    }
    drop(other);
    run(&store, &continued(&store, &to)).unwrap();
    checked(&to);
}

#[test]
fn a_manifest_of_others_or_of_a_newer_build_is_left_alone() {
    let place = program();
    let (store, to) = (place.store(), place.root.path().join("to"));
    fs::create_dir(&to).unwrap();
    for (text, expected) in [
        ("{\"jobs\": []}", "is no manifest of an export"),
        (
            r#"{"manifest_version": 9, "tool_version": "9", "created": "", "format": "",
                "tables": []}"#,
            "has version 9 of its form",
        ),
    ] {
        fs::write(to.join("_manifest.json"), text).unwrap();
        for force in [false, true] {
            let asked = Request { force, ..request(&store, &to) };
            let error = run(&store, &asked).unwrap_err();
            assert!(error.message().contains(expected), "{error}");
        }
        assert_eq!(files(&to), ["_manifest.json"]);
        assert_eq!(fs::read_to_string(to.join("_manifest.json")).unwrap(), text);
    }
}
