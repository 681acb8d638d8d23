//! YAML that reads back as what was written.

use serde_json::json;

use super::*;

#[test]
fn a_document_is_block_style_with_versions_in_flow() {
    let value = json!({
        "name": "node_x_compute",
        "version": {"major": 1, "minor": 0, "patch": 0},
        "states": [{"name": "a", "tags": []}, {"name": "b: c", "deep": {"x": 1.5}}],
        "list": ["yes", "plain text", "# no"],
        "none": null,
    });
    let expected = "---\nname: node_x_compute\nversion: {major: 1, minor: 0, patch: 0}\nstates:\n  \
                    - name: a\n    tags: []\n  - name: \"b: c\"\n    deep:\n      x: 1.5\nlist:\n  \
                    - \"yes\"\n  - plain text\n  - \"# no\"\nnone: null\n";
    assert_eq!(document(&value), expected);
}

#[test]
fn hostile_text_is_quoted() {
    for text in ["", "1.0", "- x", "a: b", "x #y", "null", "ü", "a\"b\\", "\u{85}\u{2028}", "*a"] {
        let out = scalar(text);
        assert!(out.starts_with('"') && out.ends_with('"'), "{out}");
        assert_eq!(serde_json::from_str::<String>(&out).ok().as_deref(), Some(text));
    }
}
