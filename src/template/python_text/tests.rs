//! Literals, docstrings and layout.

use super::*;

#[test]
fn a_literal_holds_any_text() {
    assert_eq!(literal("plain"), "\"plain\"");
    assert_eq!(literal("say \"hi\""), "'say \"hi\"'");
    assert_eq!(literal("\" and '"), "\"\\\" and '\"");
    assert_eq!(literal("a\\b\nc\0\u{202e}"), "\"a\\\\b\\nc\\x00\\u202e\"");
}

#[test]
fn a_docstring_cannot_be_ended_from_inside() {
    let text = docstring("ends \"\"\" here \\", 4);
    assert_eq!(text, "    \"\"\"ends ''' here \\\\.\"\"\"");
}

#[test]
fn a_long_docstring_is_wrapped() {
    let text = docstring(&"word ".repeat(60), 4);
    assert!(text.lines().all(|line| line.len() <= LINE_COLUMNS && line.starts_with("    ")));
    assert!(text.ends_with("\n    \"\"\""));
    let text = docstring(&format!("First sentence. {}", "word ".repeat(30)), 4);
    assert!(text.starts_with("    \"\"\"First sentence.\n\n    word "), "{text}");
}

#[test]
fn an_expression_breaks_only_when_it_must() {
    let call = |text: &str| Expr::group("f(", vec![Expr::atom("a"), Expr::text(text)], ")");
    assert_eq!(call("short").render(4), "f(a, \"short\")");
    let long = call(&"word ".repeat(30)).render(4);
    assert!(long.starts_with("f(\n        a,\n        (\n            \"word"), "{long}");
    assert!(long.lines().all(|line| line.len() <= LINE_COLUMNS));
    assert_eq!(Expr::group("(", vec![Expr::atom("a")], ")").render(0), "(a,)");
}

#[test]
fn a_long_import_gets_parentheses() {
    let name = "N".repeat(60);
    let text = lay("from .models.module_of_some_length import ", vec![name.clone()], "");
    assert_eq!(text, format!("from .models.module_of_some_length import (\n    {name},\n)"));
}

#[test]
fn the_value_of_a_key_stays_behind_it() {
    let name = format!("\"{}\"", "n".repeat(90));
    let text = lay("    \"workflow_name\": ", vec![name.clone()], ",");
    assert_eq!(text, format!("    \"workflow_name\": {name},"));
}

/// Whether the source is one statement without a syntax error.
fn is_one_statement(source: &str) -> bool {
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter_python::LANGUAGE.into();
    let parsed = parser
        .set_language(&language)
        .ok()
        .and_then(|()| parser.parse(format!("{source}\n"), None));
    parsed.is_some_and(|tree| {
        !tree.root_node().has_error() && tree.root_node().named_child_count() == 1
    })
}

proptest::proptest! {
    #[test]
    fn no_text_leaves_its_literal(text in "\\PC*|[\"'\\\\\n{}# a]*") {
        let call = Expr::group("f(", vec![Expr::text(&text).named("a")], ")").render(0);
        for source in [literal(&text), docstring(&text, 0), call] {
            proptest::prop_assert!(is_one_statement(&source), "{source}");
        }
    }
}
