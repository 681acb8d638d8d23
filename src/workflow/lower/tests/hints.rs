//! What is said of a name or a bound that is wrong: what it is, and what would be right.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn told(all: Json) -> Vec<String> {
    problems(steps(all))
}

#[test]
fn a_step_inside_of_a_list_may_need_one_outside_and_not_the_other_way_round() {
    let all = json!([
        {"graph": [
            {"for_each": {"name": "each", "in": [1], "do": [
                {"name": "inner", "use": "echo", "needs": ["first"], "with": {"value": 1}},
            ]}},
            {"name": "first", "use": "echo"},
        ]},
    ]);
    let (_, _, rows) = run(steps(all), json!({}));
    assert_eq!(rows, ["first=success", "each=success", "each/inner=success"]);
    let wrong = json!([
        {"for_each": {"name": "each", "in": [1], "do": [
            {"parallel": [{"name": "inner", "use": "echo"}]},
        ]}},
        {"name": "a", "use": "echo", "needs": ["inner"]},
        {"name": "b", "use": "echo", "with": {"value": "{{ steps.inner.output }}"}},
        {"name": "c", "use": "echo", "needs": ["inne"]},
    ]);
    let where_it_is = "(It is inside of the list `each`; what that gave for all items is \
                       `steps.each.output`.)";
    let expected = [
        format!("/steps/1/needs: step `a` needs `inner`, no step here {where_it_is}"),
        format!("/steps/2/with/value: there is no step `inner` here {where_it_is}"),
        "/steps/3/needs: step `c` needs `inne`, no step here".to_owned(),
    ];
    assert_eq!(told(wrong), expected);
}

#[test]
fn of_a_step_that_has_ended_three_things_are_known() {
    let read = |field: &str| {
        json!([
            {"name": "a", "use": "echo"},
            {"name": "b", "use": "echo", "with": {"value": format!("{{{{ steps.a.{field} }}}}")}},
        ])
    };
    for field in ["output", "output.more", "result", "degraded"] {
        assert_eq!(told(read(field)), [""; 0], "{field}");
    }
    let at = "/steps/1/with/value: `steps.a` has no";
    assert_eq!(told(read("out")), [format!("{at} `out` (What it gave is `steps.a.output`.)")]);
    let near = format!("{at} `ouptut` (Did you mean `output`?)");
    assert_eq!(told(read("ouptut")), [near]);
}

#[test]
fn lists_are_inside_each_other_as_far_as_the_engine_goes() {
    let nested = |depth: usize| {
        (0..depth).fold(
            json!({"name": "leaf", "use": "echo"}),
            |inner, at| json!({"for_each": {"name": format!("e{at}"), "in": [1], "do": [inner]}}),
        )
    };
    let (outcome, _, _) = run(steps(json!([nested(16)])), json!({}));
    assert_eq!(outcome.result, ResultKind::Success);
    let found = told(json!([nested(17)]));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found.iter().all(|it| it.ends_with("more than 16 lists are inside each other")));
}

#[test]
fn a_time_that_is_too_long_is_not_taken_for_no_time() {
    let step = |timeout: Json| json!([{"name": "a", "use": "echo", "timeout": timeout}]);
    assert_eq!(told(step(json!("36000d"))), [""; 0]);
    for long in [json!("400000d"), json!("99999999999999999999h"), json!(1e300), json!(1e10)] {
        let hint = "(Leave it out: then no time is too long.)";
        let expected = format!("/steps/0/timeout: {long} is longer than a century {hint}");
        assert_eq!(told(step(long)), [expected]);
    }
    for nothing in [json!(0), json!("0ms")] {
        let expected = "/steps/0/timeout: `timeout` is 0: nothing could ever end in time";
        assert_eq!(told(step(nothing)), [expected]);
    }
    for wrong in [json!("soon"), json!("-1s"), json!(-1), json!("5 parsecs")] {
        let hint = "(Write `250ms`, `2s` or `5m`.)";
        let expected = format!("/steps/0/timeout: {wrong} is no time span {hint}");
        assert_eq!(told(step(wrong)), [expected]);
    }
}

#[test]
fn a_branch_whose_question_has_failed_is_skipped_for_that_reason() {
    let all = json!([
        {"name": "a", "use": "echo", "with": {"value": {}}},
        {"conditional": {"name": "choice", "if": "steps.a.output.none > 1", "then": [
            {"name": "b", "use": "echo"},
            {"name": "c", "use": "echo", "when": "all_done"},
        ]}},
    ]);
    let (outcome, _, _) = run(steps(all), json!({}));
    let message = outcome.error_message.as_deref().unwrap();
    assert!(message.starts_with("step `choice.if`: input `if`: `steps.a.output.none"), "{message}");
    let last = outcome.steps.iter().find(|it| &*it.name == "c").unwrap();
    let reason = "`choice.if`, which decides on it, ended as error";
    assert_eq!((last.result, last.error_message.as_deref()), (ResultKind::Skip, Some(reason)));
}
