//! Workflows that are called: as templates with other settings, with bounds of their own, and with
//! resources that several declare.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Counts how many of its calls work at a time, at most.
#[derive(Debug)]
struct Crowd(About, Arc<(AtomicUsize, AtomicUsize)>);

impl Crowd {
    fn new() -> (Self, Arc<(AtomicUsize, AtomicUsize)>) {
        let (name, version) = ("crowd".to_owned(), "1".to_owned());
        let counts = Arc::default();
        (Self(About { name, version, ..About::default() }, Arc::clone(&counts)), counts)
    }
}

impl Task for Crowd {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        _: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let (now, most) = &*self.1;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(Output::new(Json::Null))
        })
    }
}

/// How many steps work at a time, at most, when 16 may.
fn at_a_time(definition_of: Json, called: &Json) -> usize {
    let (crowd, counts) = Crowd::new();
    let library = library().with(crowd);
    let others = |name: &str, _: &str| {
        Ok(Called { uri: name.to_owned(), definition: definition(called.clone()) })
    };
    let workflow = Workflow::lower(&definition(definition_of), "test", &library, &others).unwrap();
    let (clock, sink) = (ManualClock::at(0), Arc::new(Rows::default()));
    let engine = Engine { clock, sink, limits: Limits::new(16) };
    let run = Run { concurrency_max: 12, ..Run::new("run", "test") };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let cancel = Cancel::new();
    let ended = runtime.block_on(workflow.execute(&engine, run, Map::new(), &cancel)).unwrap();
    assert_eq!(ended.result, ResultKind::Success, "{:?}", ended.error_message);
    counts.1.load(Ordering::SeqCst)
}

#[test]
fn places_of_a_run_and_of_a_called_workflow_are_for_their_lists_too() {
    let list = |name: &str| {
        let items: Vec<i64> = (0..20).collect();
        json!({"for_each": {"name": name, "in": items, "do": [{"name": "one", "use": "crowd"}]}})
    };
    let both = json!({"parallel": [list("a"), list("b")]});
    let with = |concurrency: Json| json!({"name": "it", "concurrency": concurrency, "steps": [both.clone()]});
    for (concurrency, expected) in
        [(json!(1), 1), (json!(5), 5), (json!(null), 12), (json!(99), 16)]
    {
        assert_eq!(at_a_time(with(concurrency), &json!(null)), expected);
    }
    let calls = |concurrency: Json| {
        let call = |name: &str| json!({"workflow": {"name": name, "use": "it"}});
        json!({"name": "test", "concurrency": concurrency,
               "steps": [{"parallel": [call("x"), call("y")]}]})
    };
    for (outer, inner, expected) in
        [(json!(null), json!(3), 6), (json!(4), json!(3), 4), (json!(4), json!(null), 4)]
    {
        assert_eq!(at_a_time(calls(outer), &with(inner)), expected);
    }
}

#[test]
fn a_called_workflow_with_places_of_its_own_gives_what_any_other_gives() {
    let bounded = |name: &str, _: &str| {
        let mut called = others(name, "")?;
        called.definition.concurrency = Some(1);
        Ok(called)
    };
    let it = steps(json!([
        {"for_each": {"name": "each", "in": [1, 2], "do": [
            {"workflow": {"name": "call", "use": "doubled", "with": {"n": "{{ item }}", "by": 5}}},
        ]}},
        {"workflow": {"name": "last", "use": "doubled", "with": {"n": "{{ steps.each.output[1] }}"}}},
    ]));
    let (_, output, rows) = run_with(it.clone(), json!({}), &bounded);
    assert_eq!(output, json!(20));
    assert!(rows.contains(&"last/twice=success".to_owned()), "{rows:?}");
    let (_, output, _) = run_with(it, json!({}), &others);
    assert_eq!(output, json!(20));
}

#[test]
fn settings_of_a_called_workflow_can_be_changed_for_one_of_its_instances() {
    let all = |overrides: Json| {
        steps(json!([
            {"workflow": {"name": "plain", "use": "doubled", "with": {"n": 1}}},
            {"workflow": {"name": "other", "use": "doubled", "with": {"n": 1},
                          "override": overrides}},
        ]))
    };
    let output = |overrides: Json| {
        let (outcome, _, rows) = run(all(overrides), json!({}));
        assert!(rows.contains(&"plain/twice=success".to_owned()), "{rows:?}");
        outcome
            .output::<super::super::super::bound::Handed>("other")
            .unwrap()
            .unwrap()
            .output
            .clone()
    };
    assert_eq!(output(json!({})), json!(2));
    let with = json!({"twice": {"with": {"value": "{{ params.n * 10 }}"}, "timeout": "1s"}});
    assert_eq!(output(with), json!(10));
    let another = json!({"twice": {"use": "echo", "with": {"value": "x"}}});
    assert_eq!(output(another), json!("x"));
    for (overrides, expected) in [
        (json!({"twcie": {}}), "twcie: doubled has no step `twcie` (Did you mean `twice`?)"),
        (
            json!({"twice": {"use": "ecko"}}),
            "twice/use: there is no component `ecko` (Did you mean `echo`?)",
        ),
        (
            json!({"twice": {"with": {"count": "x"}}}),
            "twice/with/count: `count` is \"x\", not a whole number",
        ),
        (
            json!({"twice": {"with": {"value": "{{ params.m }}"}}}),
            "twice/with/value: there is no parameter `m`",
        ),
        (
            json!({"twice": {"timeout": "soon"}}),
            "twice/timeout: \"soon\" is no time span (Write `250ms`, `2s` or `5m`.)",
        ),
        (
            json!({"twice": {"name": "x"}}),
            "twice/name: `name` cannot be changed here (Of a step, anything but its name can.)",
        ),
        (json!({"twice": {"retry": 3}}), "twice: invalid type"),
    ] {
        let found = problems(all(overrides));
        let expected = format!("/steps/1/workflow/override/{expected}");
        assert!(found.len() == 1 && found.iter().all(|it| it.starts_with(&expected)), "{found:?}");
    }
}

#[test]
fn settings_reach_the_workflows_that_a_called_one_calls_and_the_steps_of_its_lists() {
    let called = |name: &str, _: &str| {
        let definition_of = match name {
            "middle" => json!({"name": "middle", "steps": [
                {"for_each": {"name": "each", "in": [1], "do": [
                    {"name": "one", "use": "echo", "with": {"value": "{{ item }}"}},
                ]}},
                {"workflow": {"name": "inner", "use": "doubled",
                              "with": {"n": "{{ steps.each.output[0] }}", "by": 7},
                              "override": {"twice": {"timeout": "1s", "estimate": "1s"}}}},
            ]}),
            _ => return others(name, ""),
        };
        Ok(Called { uri: name.to_owned(), definition: definition(definition_of) })
    };
    let all = |overrides: Json| {
        steps(json!([{"workflow": {"name": "it", "use": "middle", "override": overrides}}]))
    };
    let overrides = json!({
        "one": {"with": {"value": "{{ item + 1 }}"}},
        "inner": {"with": {"by": 100}, "override": {"twice": {"estimate": "5s"}}},
    });
    let (_, output, _) = run_with(all(overrides), json!({}), &called);
    assert_eq!(output, json!(200));
    for (overrides, expected) in [
        (json!({"each": {"with": {}}}), "/each: `each` is a for_each, no step"),
        (json!({"inner": {"retry": {}}}), "/inner/retry: `retry` cannot be changed here"),
        (
            json!({"inner": {"override": {"twice": {"estimate": "x"}}}}),
            "/inner/override/twice/estimate: \"x\" is no time span",
        ),
        (json!({"one": {"override": {}}}), "/one/override: `override` cannot be changed here"),
    ] {
        let all = definition(all(overrides));
        let found = Workflow::lower(&all, "test", &library(), &called).unwrap_err();
        let shown: Vec<_> = found.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
        assert_eq!(shown, [format!("/steps/0/workflow/override{expected}")]);
    }
}

#[test]
fn a_resource_that_two_declare_is_one_and_declared_alike() {
    let called = |resource: Json| {
        move |name: &str, _: &str| {
            let it = json!({"name": "it", "resources": {"model": resource}, "steps": [
                {"name": "a", "use": "echo", "resource": "model"},
            ]});
            Ok(Called { uri: name.to_owned(), definition: definition(it) })
        }
    };
    let all = definition(json!({"name": "test", "resources": {"model": {"places": 2}}, "steps": [
        {"workflow": {"name": "x", "use": "it.yaml"}},
        {"workflow": {"name": "y", "use": "it.yaml"}},
    ]}));
    let alike = Workflow::lower(&all, "test", &library(), &called(json!({"places": 2}))).unwrap();
    assert_eq!(alike.limits.get("model").and_then(|it| it.places), Some(2));
    let other = called(json!({"places": 3, "rate": "1/s"}));
    let found = Workflow::lower(&all, "test", &library(), &other).unwrap_err();
    let message = "in it.yaml: resource `model` is {\"places\":3,\"rate\":\"1/s\"} here, and \
                   {\"places\":2} in test, which runs with it";
    for (at, problem) in found.iter().enumerate() {
        assert_eq!(
            (problem.message.as_str(), problem.path.clone()),
            (message, format!("/steps/{at}/workflow"))
        );
    }
    assert_eq!(found.len(), 2);
    let wrong = Workflow::lower(&all, "test", &library(), &called(json!({"places": 0})));
    assert!(wrong.is_err());
}

#[test]
fn bounds_of_a_called_workflow_are_checked_as_those_of_any_other() {
    let called = |name: &str, _: &str| {
        let it = json!({"name": "it", "concurrency": 0, "timeout": "0s", "steps": [
            {"name": "a", "use": "echo"},
        ]});
        Ok(Called { uri: name.to_owned(), definition: definition(it) })
    };
    let all = definition(steps(json!([{"workflow": {"name": "x", "use": "it.yaml"}}])));
    let found = Workflow::lower(&all, "test", &library(), &called).unwrap_err();
    let shown: Vec<_> = found.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        shown,
        [
            "in it.yaml: `concurrency` is 0: nothing could ever work",
            "in it.yaml: `timeout` is 0: nothing could ever end in time",
        ]
    );
}
