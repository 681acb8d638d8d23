//! What expressions mean, what they read, and what becomes of wrong ones.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

fn values() -> Values {
    let values = json!({
        "steps": {"fetch": {"output": {"items": [1, 2, 3], "name": "ann"}, "result": "success"}},
        "params": {"count": 2, "ratio": 0.5},
        "item": null,
    });
    Values::new(values.as_object().unwrap())
}

fn value(template: Json) -> Result<Json, String> {
    Template::parse(&template).map_err(|it| it.join("; "))?.value(&values())
}

#[test]
fn a_text_that_is_one_expression_keeps_the_type() {
    let cases = [
        (json!("{{ params.count }}"), json!(2)),
        (json!("{{params.ratio * 4}}"), json!(2.0)),
        (json!("{{ steps.fetch.output.items }}"), json!([1, 2, 3])),
        (json!("{{ steps.fetch.output.items | length > params.count }}"), json!(true)),
        (json!("{{ {'a': {'b': 1}} }}"), json!({"a": {"b": 1}})),
        (json!("{{ {'a': {'b': 1}}}}"), json!({"a": {"b": 1}})),
        (json!("{{ item }}"), json!(null)),
        (json!("{{ range(3) | list }}"), json!([0, 1, 2])),
        (json!("n={{ params.count }}, {{ steps.fetch.output.name }}!"), json!("n=2, ann!")),
        (json!("{{ steps.fetch.output.items }}."), json!("[1,2,3].")),
        (json!({"a": ["{{ params.count }}", 1], "b": "x"}), json!({"a": [2, 1], "b": "x"})),
        (json!("} no { braces"), json!("} no { braces")),
        (json!(""), json!("")),
        (json!(12), json!(12)),
    ];
    for (template, expected) in cases {
        assert_eq!(value(template.clone()), Ok(expected), "{template}");
    }
}

#[test]
fn what_it_reads_is_known_before_it_is_evaluated() {
    let text = "steps.fetch.output.items[0] + params.count if item else range(2)";
    let expression = Expression::parse(text).unwrap();
    let reads: Vec<_> = expression.reads().collect();
    assert_eq!(reads, ["item", "params.count", "steps.fetch.output.items"]);
    let template = Template::parse(&json!({"a": "{{ x.y }} {{ z }}", "b": ["{{ q }}"]})).unwrap();
    let all: Vec<_> = template.expressions().iter().map(|it| it.text()).collect();
    assert_eq!(all, ["x.y", "z", "q"]);
}

#[test]
fn wrong_ones_say_what_is_wrong() {
    let cases = [
        ("{{ params. }}", "params."),
        ("{{ 1e308 * 10 }}", "`1e308 * 10` gives a number without end"),
        ("{{ [{'a': [none, -1e308 * 10]}] }}", "gives a number without end"),
        ("{{ params.count", "no closing braces"),
        ("{{ nothing }}", "`nothing`"),
        ("{{ params.none }}", "`params.none`"),
        ("{{ params.none.at.all }}", "`params.none` is undefined"),
        ("{{ params.count / 'a' }}", "params.count / 'a'"),
        ("{{ params | nofilter }}", "nofilter"),
        ("{{ range(1000) | map('string') | list | join(range(99000) | list | string) }}", "`range"),
    ];
    for (text, expected) in cases {
        let error = value(json!(text)).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(Expression::parse(&"1+".repeat(20_000)).unwrap_err().contains("longer"));
}

#[test]
fn an_evaluation_that_goes_on_for_long_is_ended() {
    for text in [
        "range(90000) | select('in', range(90000)) | list | length",
        "'x' * 1000000000",
        "range(90000) | map('string') | join(range(90000) | join) | length",
    ] {
        let error = Expression::parse(text).unwrap().value(&values()).unwrap_err();
        assert!(error.contains("it takes more than 1000000 steps"), "{error}");
    }
}

#[test]
fn conditions_hold_as_jinja_has_it() {
    let cases = [("params.count == 2", true), ("''", false), ("steps.fetch.output.items", true)];
    for (text, expected) in cases {
        let holds = Expression::parse(text).unwrap().holds(&values());
        assert_eq!(holds, Ok(expected), "{text}");
    }
}
