//! SARIF: what a reader of the format relies on, and names that are no URIs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Reported, RuleText, uri_reference, write};
use crate::finding::{Finding, Level, Span};
use serde_json::{Value, json};

const RULES: [RuleText<'_>; 2] = [
    RuleText {
        id: "contract.one",
        level: Level::Error,
        summary: "one",
        why: "because",
        fix: "do so",
    },
    RuleText { id: "contract.two", level: Level::Note, summary: "two", why: "", fix: "" },
];

fn log<'a>(findings: impl IntoIterator<Item = Reported<'a>>) -> Value {
    let mut out = Vec::new();
    write(&mut out, &RULES, findings).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn rules_and_findings_are_tied_by_index() {
    let span =
        Span { start_line: 3, start_column: 2, end_line: 3, end_column: 6, ..Span::default() };
    let finding = Finding::new("contract.two", Level::Warning, "wrong")
        .in_file("a b/contract.yaml")
        .at(span)
        .with_help("mend it");
    let log = log([Reported::from(&finding)]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = &run["tool"]["driver"]["rules"];
    assert_eq!(rules[0]["fullDescription"]["text"], "because");
    assert_eq!(rules[1].get("help"), None);
    let expected = json!({
        "ruleId": "contract.two",
        "ruleIndex": 1,
        "level": "warning",
        "message": { "text": "wrong\nhelp: mend it" },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "a%20b/contract.yaml" },
            "region": { "startLine": 3, "startColumn": 2, "endLine": 3, "endColumn": 6 },
        }}],
    });
    assert_eq!(run["results"][0], expected);
}

#[test]
fn a_finding_without_place_or_rule_is_still_there() {
    let finding = Finding::new("contract.other", Level::Error, "no place");
    let log = log([Reported { finding: &finding, suppressed: Some("as agreed") }]);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result.get("locations"), None);
    assert_eq!(result.get("ruleIndex"), None);
    let suppression = json!([{ "kind": "inSource", "justification": "as agreed" }]);
    assert_eq!(result["suppressions"], suppression);
}

#[test]
fn nothing_found_is_an_empty_list_not_a_missing_one() {
    assert_eq!(log([])["runs"][0]["results"], json!([]));
}

#[test]
fn paths_become_uri_references() {
    assert_eq!(uri_reference("a/ü#1.yaml"), "a/%C3%BC%231.yaml");
    assert_eq!(uri_reference("a:b.yaml"), "./a:b.yaml");
    if cfg!(unix) {
        assert_eq!(uri_reference("/a/b.yaml"), "file:///a/b.yaml");
    }
}
