//! Questions to a node.

use super::*;
use serde_json::json;

fn scalar(text: &str, quoted: bool) -> Node {
    Node { span: Span::default(), value: Value::Scalar { text: text.to_owned(), quoted } }
}

#[test]
fn plain_scalars_mean_what_pyyaml_takes_them_for() {
    for (text, want) in [
        ("", json!(null)),
        ("~", json!(null)),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("12", json!(12)),
        ("-3", json!(-3)),
        ("+4", json!(4)),
        ("1.5", json!(1.5)),
        ("1e3", json!(1000.0)),
        ("1.0.0", json!("1.0.0")),
        ("2026-01-31", json!("2026-01-31")),
        ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
        ("1e999", json!("1e999")),
        (".inf", json!(".inf")),
        ("-", json!("-")),
        ("nano", json!("nano")),
    ] {
        assert_eq!(scalar(text, false).to_json(), want, "{text:?}");
        assert_eq!(scalar(text, true).to_json(), json!(text), "quoted {text:?}");
    }
}

#[test]
fn a_string_is_told_from_what_only_looks_like_one() {
    assert_eq!(scalar("12", false).as_string(), None);
    assert_eq!(scalar("12", true).as_string(), Some("12"));
    assert_eq!(scalar("twelve", false).as_string(), Some("twelve"));
    assert_eq!(scalar("12", false).as_str(), Some("12"));
    assert_eq!(scalar("", false).as_str(), None);
    assert_eq!(scalar("", true).as_str(), Some(""));
}
