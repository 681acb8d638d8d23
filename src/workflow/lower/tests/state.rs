//! Shared values: who sees what, who may set it, and which values conflict.

use super::*;

#[test]
fn steps_see_what_those_before_them_have_set_and_nothing_else() {
    let it = json!({
        "name": "test",
        "state": {
            "total": {"merge": "sum", "initial": 0},
            "last": {},
            "names": {"merge": "append"},
        },
        "steps": [
            {"parallel": [
                {"name": "a", "use": "echo", "with": {"value": 1},
                 "set": {"total": "{{ output }}", "names": "a"}},
                {"name": "b", "use": "echo", "with": {"value": "{{ state.total }}"},
                 "set": {"total": 5, "names": "b"}},
            ]},
            {"name": "c", "use": "echo", "with": {"value": "{{ state.total }}"},
             "set": {"last": "c", "total": 1}},
            {"for_each": {"name": "each", "in": [1, 2, 3], "do": [
                {"name": "d", "use": "echo", "with": {"value": "{{ state.total }}"},
                 "set": {"total": "{{ item }}"}},
                {"name": "e", "use": "echo", "with": {"value": "{{ state.total }}"}},
            ]}},
            {"name": "f", "use": "echo",
             "with": {"value": ["{{ steps.b.output }}", "{{ steps.c.output }}",
                                "{{ steps.each.output }}", "{{ state }}"]}},
        ],
    });
    let mut it = it;
    it["steps"][3]["with"]["value"][3] = json!("{{ [state.total, state.names, state.last] }}");
    let (outcome, output, _) = run(it, json!({}));
    assert_eq!(outcome.result, ResultKind::Success, "{:?}", outcome.error_message);
    // b does not see a; each item sees itself and what was before the list
    assert_eq!(output, json!([0, 6, [8, 9, 10], [13, ["a", "b"], "c"]]));
}

#[test]
fn two_steps_beside_each_other_that_set_a_value_differently_are_told() {
    let it = json!({
        "name": "test",
        "state": {"x": {}},
        "steps": [{"parallel": [
            {"name": "a", "use": "echo", "set": {"x": 1}},
            {"name": "b", "use": "echo", "set": {"x": 2}},
        ]}],
    });
    let (outcome, _, _) = run(it.clone(), json!({}));
    assert_eq!(outcome.result, ResultKind::Error);
    let message = outcome.error_message.unwrap();
    assert!(message.contains("`a` and `b` set `x` to different values"), "{message}");
    let mut ordered = it;
    ordered["steps"][0] = json!({"sequential": ordered["steps"][0]["parallel"]});
    assert_eq!(run(ordered, json!({})).0.result, ResultKind::Success);
    let items = json!({
        "name": "test",
        "state": {"x": {}},
        "steps": [{"for_each": {"name": "each", "in": [1, 2], "do": [
            {"name": "a", "use": "echo", "set": {"x": "{{ item }}"}},
        ]}}],
    });
    let message = run(items, json!({})).0.error_message.unwrap();
    assert!(message.contains("`each/a[0]` and `each/a[1]` set `x`"), "{message}");
}

#[test]
fn values_are_read_and_set_only_where_their_scope_allows() {
    let set = |scope: &str, inner: Json| {
        json!({
            "name": "test",
            "state": {"x": {"scope": scope, "initial": 1}},
            "steps": [
                {"name": "own", "use": "echo", "with": {"value": "{{ state.x }}"}},
                {"scope": {"steps": [inner]}},
            ],
        })
    };
    let reads = json!({"name": "in", "use": "echo", "with": {"value": "{{ state.x }}"}});
    let sets = json!({"name": "in", "use": "echo", "set": {"x": 2}});
    for (scope, inner, expected) in [
        ("global", &reads, ""),
        ("global", &sets, "step `in` may not set `x`: it is global"),
        ("local", &reads, "`state.x` is local to another block"),
        ("local", &sets, "`state.x` is local to another block"),
        ("inherited", &reads, ""),
        ("inherited", &sets, "step `in` may not set `x`: only steps of the block"),
        ("shared", &reads, ""),
        ("shared", &sets, ""),
    ] {
        let found = problems(set(scope, inner.clone())).join("; ");
        assert_eq!(found.is_empty(), expected.is_empty(), "{scope} {inner}: {found}");
        assert!(found.contains(expected), "{scope} {inner}: {found}");
    }
}

#[test]
fn a_fallback_sets_what_its_step_would_have_set() {
    let it = json!({
        "name": "test",
        "state": {"s": {"initial": "unset"}},
        "steps": [
            {"name": "x", "use": "echo", "with": {"fail": true}, "set": {"s": "{{ output }}"},
             "on_failure": {"fallback": {"use": "echo", "with": {"value": 42}}}},
            {"name": "y", "use": "echo", "with": {"value": "{{ state.s }}"}},
        ],
    });
    assert_eq!(run(it, json!({})).1, json!(42));
}

#[test]
fn items_conflict_only_in_keys_that_they_set() {
    let it = json!({
        "name": "test",
        "state": {"u": {"merge": "union"}},
        "steps": [
            {"name": "first", "use": "echo", "set": {"u": {"k": 1}}},
            {"for_each": {"name": "e", "in": [{"k": 2}, {"j": 3}], "do": [
                {"name": "x", "use": "echo", "set": {"u": "{{ item }}"}},
            ]}},
            {"name": "last", "use": "echo", "with": {"value": "{{ state.u }}"}},
        ],
    });
    let (outcome, output, _) = run(it, json!({}));
    assert_eq!(output, json!({"k": 2, "j": 3}), "{:?}", outcome.error_message);
}
