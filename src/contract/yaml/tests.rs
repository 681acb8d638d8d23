//! Trees, places and the faults of YAML text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::contract::include::NoIncludes;
use crate::error::{Error, Result};

struct Folder(&'static [(&'static str, &'static str)]);

impl Includes for Folder {
    fn read(&self, path: &str) -> Result<String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| Error::invalid("no such file"))
    }
}

fn findings(text: &str, includes: &dyn Includes) -> (Option<Node>, Vec<Finding>) {
    let tree = read(text, "c.yaml", includes);
    (tree.root, tree.notes.finish())
}

fn rules(text: &str) -> Vec<&'static str> {
    findings(text, &NoIncludes).1.iter().map(|it| it.rule_id).collect()
}

/// Every scalar's bytes and columns, as the text between its places.
fn check_places(node: &Node, text: &str) {
    let of = |span: Span| text.get(span.start_byte..span.end_byte).unwrap();
    let column = |byte: usize| {
        u32::try_from(text[..byte].rsplit('\n').next().unwrap().chars().count() + 1).unwrap()
    };
    let line = |byte: usize| u32::try_from(text[..byte].matches('\n').count() + 1).unwrap();
    let span = node.span;
    assert_eq!(column(span.start_byte), span.start_column, "{node:?}");
    assert_eq!(column(span.end_byte), span.end_column, "{node:?}");
    assert_eq!(line(span.start_byte), span.start_line, "{node:?}");
    assert_eq!(line(span.end_byte), span.end_line, "{node:?}");
    match &node.value {
        Value::Scalar { text, quoted: false } => assert_eq!(of(span), text),
        Value::Scalar { text, quoted: true } => {
            // A block scalar stands where its content does.
            let first = text.split_whitespace().next().unwrap();
            assert!(of(span).trim_start_matches(['"', '\'']).starts_with(first), "{:?}", of(span));
        }
        Value::Sequence(items) => items.iter().for_each(|it| check_places(it, text)),
        Value::Mapping(pairs) => pairs.iter().for_each(|(key, value)| {
            check_places(key, text);
            check_places(value, text);
        }),
    }
}

#[test]
fn every_node_knows_its_lines_columns_and_bytes() {
    for text in [
        "a: 1\nb: [x, \"y\"]\nc: {d: e}\n",
        "# é\nä: ö  # ü\nliste:\n  - eins\n  - 'zwei'\nende: ß\n",
        "text: |\n  one\n  two\n\nnext: >-\n  folded\n  more\n\n\nlast: \"x\n  y\"\n",
        "a:\n  b:\n    c: d\n    e:\n      - f: g\n        h: i\n",
        "---\nk: v\nnull_one:\nnull_two: ~\n",
    ] {
        check_places(&findings(text, &NoIncludes).0.unwrap(), text);
    }
    let long = format!("ü: {}\nz: {}\n", "é".repeat(200), "x".repeat(100));
    check_places(&findings(&long, &NoIncludes).0.unwrap(), &long);
}

#[test]
fn a_bracket_too_far_left_is_read_as_upstream_reads_it() {
    let text = "a:\n  b: [\n    x,\n]\n  c: {\n y: é\n}\n  d: z\n";
    let (root, found) = findings(text, &NoIncludes);
    let root = root.unwrap();
    let want = serde_json::json!({"a": {"b": ["x"], "c": {"y": "é"}, "d": "z"}});
    assert_eq!(root.to_json(), want);
    check_places(&root, text);
    let lines: Vec<_> = found.iter().map(|it| (it.rule_id, it.span.unwrap().start_line)).collect();
    assert_eq!(lines, [("contract.indent", 4), ("contract.indent", 6), ("contract.indent", 7)]);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read() {
    let (root, found) = findings("a: 1\r\nb:\r\n  - x\r\n", &NoIncludes);
    assert_eq!(root.unwrap().to_json(), serde_json::json!({"a": 1, "b": ["x"]}));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_duplicate_key_names_both_places_and_the_last_counts() {
    let (root, found) = findings("a: 1\nb: 2\na: 3\n", &NoIncludes);
    assert_eq!(root.unwrap().to_json(), serde_json::json!({"b": 2, "a": 3}));
    let finding = found.first().unwrap();
    assert_eq!((finding.rule_id, finding.level), ("contract.duplicate-key", Level::Warning));
    assert_eq!(finding.span.unwrap().start_line, 3);
    assert!(finding.message.contains("line 1"), "{}", finding.message);
}

#[test]
fn faults_have_a_rule_each() {
    for (text, rule) in [
        ("", "contract.empty"),
        ("# only a comment\n", "contract.empty"),
        ("--- \n", "contract.empty"),
        ("a: 1\n---\nb: 2\n", "contract.multi-document"),
        ("a: [1, 2\nb: 3\n", "contract.yaml"),
        ("a: b: c\n", "contract.yaml"),
        ("a:\n\tb: 1\n", "contract.yaml"),
        ("a: *nowhere\n", "contract.yaml"),
        ("a: &x [*x]\n", "contract.yaml"),
        ("a: !secret x\n", "contract.unknown-tag"),
        ("a: !include [x]\n", "contract.include"),
        ("a: !include x.yaml\n", "contract.include"),
    ] {
        assert_eq!(rules(text), [rule], "{text:?}");
    }
}

#[test]
fn bombs_are_refused() {
    assert_eq!(rules(&"- ".repeat(10_000)), ["contract.too-large"]);
    assert_eq!(rules(&"[".repeat(10_000)).len(), 1);
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        laughs += &format!("a{level}: &a{level} [{before}]\n");
    }
    assert_eq!(rules(&laughs), ["contract.too-large"]);
}

#[test]
fn anchors_and_merge_keys_are_carried_out() {
    let text = "base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: *b\n";
    let (root, found) = findings(text, &NoIncludes);
    let json = root.unwrap().to_json();
    assert_eq!(json["one"], serde_json::json!({"y": 3, "x": 1}));
    assert_eq!(json["two"], serde_json::json!({"x": 1, "y": 2}));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_include_stands_where_its_tag_does_and_enters_the_digest() {
    let text = "a: 1\nb: !include sub/one.yaml\n";
    let files = Folder(&[("sub/one.yaml", "c: !include two.yaml\n"), ("sub/two.yaml", "[7]\n")]);
    let tree = read(text, "c.yaml", &files);
    let root = tree.root.unwrap();
    assert_eq!(root.to_json()["b"], serde_json::json!({"c": [7]}));
    let span = root.at(&["b", "c"]).unwrap().span;
    assert_eq!((span.start_line, span.start_column, span.end_column), (2, 4, 25));
    let other = Folder(&[("sub/one.yaml", "c: !include two.yaml\n"), ("sub/two.yaml", "[8]\n")]);
    assert_ne!(tree.digest, read(text, "c.yaml", &other).digest);
    assert_eq!(read("a: 1", "x", &NoIncludes).digest, blake3::hash(b"a: 1").to_hex().to_string());
}

#[test]
fn includes_are_refused_with_the_place_of_the_tag() {
    let files = Folder(&[
        ("self.yaml", "a: !include self.yaml\n"),
        ("a.yaml", "x: !include b.yaml\n"),
        ("b.yaml", "x: !include a.yaml\n"),
        ("empty.yaml", "# nothing\n"),
        ("bad.yaml", "a: [\n"),
    ]);
    for (path, word) in [
        ("/etc/passwd", "not relative"),
        ("../x.yaml", "`..`"),
        ("missing.yaml", "no such file"),
        ("c.yaml", "includes itself"),
    ] {
        let (root, found) = findings(&format!("k: !include {path}\n"), &files);
        let finding = found.first().unwrap();
        assert!(finding.message.contains(word), "{}", finding.message);
        assert_eq!(finding.span.unwrap().start_column, 4, "{path}");
        assert!(root.unwrap().get("k").unwrap().is_null());
    }
    for path in ["self.yaml", "a.yaml", "empty.yaml", "bad.yaml"] {
        let (_, found) = findings(&format!("k: !include {path}\n"), &files);
        assert!(found.iter().any(|it| it.rule_id == "contract.include"), "{path}: {found:?}");
        assert!(found.iter().all(|it| it.level == Level::Error), "{path}: {found:?}");
    }
}
