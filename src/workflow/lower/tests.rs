//! Every kind of composition: what is wrong with a definition, and what a run of it gives.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod calls;
mod hints;
mod state;

use std::sync::Mutex;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::clock::ManualClock;
use crate::event::{Event, EventSink, Row, StepRow};
use crate::workflow::{
    About, Cancel, Engine, Limits, Outcome, Output, ResultKind, Run, StepContext, StepError, Task,
};

/// Gives its input `value`, or what feeds it; fails where `fail` is set.
#[derive(Debug)]
struct Echo(About);

impl Echo {
    fn new() -> Self {
        let inputs = vec![
            Input::optional("value", Kind::Any, ""),
            Input::optional("input", Kind::Any, ""),
            Input::optional("fail", Kind::Boolean, "").or(false),
            Input::optional("count", Kind::Integer, ""),
        ];
        let (name, version) = ("echo".to_owned(), "1".to_owned());
        Self(About { name, version, inputs, ..About::default() })
    }
}

impl Task for Echo {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        let failed = inputs.get("fail") == Some(&json!(true));
        let value = inputs.get("value").or(inputs.get("input")).cloned().unwrap_or_default();
        Box::pin(async move {
            if failed {
                return Err(StepError::permanent("echo", "it was asked to fail"));
            }
            Ok(Output::new(value))
        })
    }
}

fn library() -> Library {
    Library::new().with(Echo::new())
}

fn others(name: &str, _: &str) -> Result<Called> {
    let definition = match name {
        "doubled" => definition(json!({
            "name": "doubled",
            "parameters": [{"name": "n", "type": "integer"}, {"name": "by", "default": 2}],
            "steps": [{"name": "twice", "use": "echo", "with": {"value": "{{ params.n * params.by }}"}}],
        })),
        "endless" => definition(json!({
            "name": "endless",
            "steps": [{"workflow": {"name": "again", "use": "endless"}}],
        })),
        _ => return Err(Error::invalid(format!("there is no workflow `{name}`"))),
    };
    Ok(Called { uri: name.to_owned(), definition })
}

use crate::error::Error;

fn definition(json: Json) -> Definition {
    serde_json::from_value(json).unwrap()
}

fn steps(steps: Json) -> Json {
    json!({"name": "test", "steps": steps})
}

fn problems(json: Json) -> Vec<String> {
    let lowered = Workflow::lower(&definition(json), "test", &library(), &others);
    let shown = |it: &Problem| {
        let hint = it.hint.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        format!("{}: {}{hint}", it.path, it.message)
    };
    lowered.err().map(|all| all.iter().map(shown).collect()).unwrap_or_default()
}

#[derive(Debug, Default)]
struct Rows(Mutex<Vec<StepRow>>);

impl EventSink for Rows {
    fn emit(&self, event: Event) -> Result<()> {
        if let Event::Row(Row::Steps(row)) = event {
            self.0.lock().unwrap().push(row);
        }
        Ok(())
    }
}

/// Runs a definition: its outcome, what it gave, and `step=result` of its rows.
fn run(json: Json, given: Json) -> (Outcome, Json, Vec<String>) {
    run_with(json, given, &others)
}

/// The same, with other workflows to be called.
fn run_with(json: Json, given: Json, others: Others<'_>) -> (Outcome, Json, Vec<String>) {
    let lowered = Workflow::lower(&definition(json), "test", &library(), others);
    let workflow = lowered.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let sink = Arc::new(Rows::default());
    let engine = Engine {
        clock: ManualClock::at(0),
        sink: Arc::<Rows>::clone(&sink),
        limits: Limits::new(4),
    };
    let given = given.as_object().cloned().unwrap_or_default();
    let run = Run::new("run", "test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(workflow.execute(&engine, run, given, &Cancel::new())).unwrap();
    let output = workflow.output(&outcome).unwrap();
    let rows = sink.0.lock().unwrap();
    let rows = rows.iter().map(|it| format!("{}={}", it.step_name, it.result)).collect();
    (outcome, output, rows)
}

/// What a run of steps gives, which must succeed.
fn given(all: Json) -> Json {
    let (outcome, output, rows) = run(steps(all), json!({}));
    assert_eq!(outcome.result, ResultKind::Success, "{:?} {rows:?}", outcome.error_message);
    output
}

#[test]
fn steps_follow_each_other_and_read_what_was_given_before() {
    let all = json!([
        {"name": "a", "use": "echo", "with": {"value": [1, 2]}},
        {"name": "b", "use": "echo", "with": {"value": "{{ steps.a.output | length + 1 }}"}},
        {"name": "c", "use": "echo", "with": {"value": "{{ steps.a.result }} {{ steps.b.output }}"}},
    ]);
    assert_eq!(given(all), json!("success 3"));
}

#[test]
fn parallel_branches_are_joined_once_where_many_meet_many() {
    let step = |name: &str| json!({"name": name, "use": "echo", "with": {"value": name}});
    let names = ["a", "b", "c"];
    let more = ["d", "e", "f"];
    let all = json!([
        {"parallel": names.map(step)},
        {"parallel": more.map(step)},
    ]);
    let (_, output, rows) = run(steps(all), json!({}));
    assert_eq!(output, json!({"d": "d", "e": "e", "f": "f"}));
    assert_eq!(rows.len(), 7, "one join: {rows:?}");
}

#[test]
fn each_part_of_a_pipeline_is_fed_with_the_one_before() {
    let all = json!([{"pipeline": [
        {"name": "a", "use": "echo", "with": {"value": 20}},
        {"name": "b", "use": "echo", "with": {"value": "{{ input + 1 }}"}},
        {"parallel": [
            {"name": "c", "use": "echo"},
            {"name": "d", "use": "echo", "with": {"value": "{{ input * 2 }}"}},
        ]},
        {"name": "e", "use": "echo", "with": {"value": "{{ input.c }} {{ input.d }}"}},
    ]}]);
    assert_eq!(given(all), json!("21 42"));
}

#[test]
fn one_branch_of_a_conditional_is_taken_and_the_rest_goes_on() {
    let all = |n: i64| {
        json!([
            {"name": "n", "use": "echo", "with": {"value": n}},
            {"conditional": {
                "name": "size",
                "if": "steps.n.output > 10",
                "then": [
                    {"name": "large", "use": "echo", "with": {"value": "large"}},
                    {"name": "always", "use": "echo", "when": "all_done", "with": {"value": "x"}},
                ],
                "else": [{"conditional": {
                    "if": "steps.n.output < 0",
                    "then": [{"name": "negative", "use": "echo", "with": {"value": "negative"}}],
                }}],
            }},
            {"name": "end", "use": "echo", "with": {"value": "{{ steps.size.output }}"}},
        ])
    };
    assert_eq!(given(all(11)), json!("x"));
    assert_eq!(given(all(-1)), json!("negative"));
    let (outcome, output, rows) = run(steps(all(5)), json!({}));
    assert_eq!((outcome.result, output), (ResultKind::Success, json!(null)));
    for skipped in ["large=skip", "always=skip", "negative=skip"] {
        assert!(rows.contains(&skipped.to_owned()), "{skipped}: {rows:?}");
    }
}

#[test]
fn a_tree_feeds_its_children_and_a_graph_goes_by_what_is_needed() {
    let tree = json!([{"tree": {
        "root": {"name": "a", "use": "echo", "with": {"value": 1}},
        "children": [
            {"name": "b", "use": "echo", "with": {"value": "{{ input + 1 }}"}},
            {"tree": {
                "root": {"name": "c", "use": "echo", "with": {"value": "{{ input + 10 }}"}},
                "children": [{"name": "d", "use": "echo", "with": {"value": "{{ input * 2 }}"}}],
            }},
        ],
    }}]);
    assert_eq!(given(tree), json!({"b": 2, "d": 22}));
    let graph = json!([{"graph": [
        {"name": "last", "use": "echo", "needs": ["left"], "with": {"value": "{{ steps.right.output }}"}},
        {"name": "left", "use": "echo", "needs": ["first"]},
        {"name": "right", "use": "echo", "with": {"value": "{{ steps.first.output }}!"}},
        {"name": "first", "use": "echo", "with": {"value": "go"}},
    ]}]);
    assert_eq!(given(graph), json!("go!"));
}

#[test]
fn the_same_is_done_for_each_item_of_a_list_known_only_then() {
    let all = json!([
        {"name": "list", "use": "echo", "with": {"value": [3, 4]}},
        {"name": "base", "use": "echo", "with": {"value": 100}},
        {"for_each": {"name": "each", "in": "{{ steps.list.output }}", "as": "n", "do": [
            {"name": "sum", "use": "echo", "with": {"value": "{{ n + steps.base.output }}"}},
            {"for_each": {"name": "inner", "in": "{{ range(n - 2) | list }}", "as": "m", "do": [
                {"name": "deep", "use": "echo",
                 "with": {"value": "{{ [n, m, index, steps.sum.output, steps.base.output] }}"}},
            ]}},
        ]}},
    ]);
    assert_eq!(
        given(all),
        json!([[[3, 0, 0, 103, 100]], [[4, 0, 0, 104, 100], [4, 1, 1, 104, 100]]])
    );
    let all = |n: Json, more: Json| {
        let mut each = json!({"name": "each", "in": n, "do": [
            {"name": "one", "use": "echo", "with": {"value": "{{ item }}", "fail": "{{ item > 1 }}"}},
        ]});
        each.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        steps(json!([{"for_each": each}]))
    };
    let (outcome, output, _) = run(all(json!([1, 2, 1]), json!({"partial": true})), json!({}));
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert_eq!(output, json!([1, null, 1]));
    for (n, more, expected) in [
        (json!([1, 2, 1]), json!({}), "item 1: step `one`: it was asked to fail"),
        (json!("{{ 'text' }}"), json!({}), "`in` is a text, not a list"),
        (json!([1, 1]), json!({"items_max": 1}), "2 items, more than the 1"),
    ] {
        let (outcome, _, _) = run(all(n, more), json!({}));
        assert_eq!(outcome.result, ResultKind::Error);
        let message = outcome.error_message.unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_workflow_is_called_with_parameters_of_its_own() {
    let all = json!([
        {"name": "n", "use": "echo", "with": {"value": 4}},
        {"workflow": {"name": "first", "use": "doubled", "with": {"n": "{{ steps.n.output }}"}}},
        {"workflow": {"name": "second", "use": "doubled",
                      "with": {"n": "{{ steps.first.output }}", "by": 10}}},
    ]);
    let (_, output, rows) = run(steps(all), json!({}));
    assert_eq!(output, json!(80));
    assert!(rows.contains(&"first/twice=success".to_owned()), "{rows:?}");
    let inside = json!([{"for_each": {"name": "each", "in": [1, 2], "do": [
        {"workflow": {"name": "call", "use": "doubled", "with": {"n": "{{ item }}"}}},
    ]}}]);
    assert_eq!(given(inside), json!([2, 4]));
}

#[test]
fn parameters_are_checked_and_have_defaults() {
    let it = json!({
        "name": "test",
        "parameters": [
            {"name": "who", "type": "text"},
            {"name": "often", "type": "integer", "default": 2},
        ],
        "steps": [{"for_each": {"name": "each", "in": "{{ range(params.often) | list }}", "do": [
            {"name": "a", "use": "echo", "with": {"value": "{{ params.who }}{{ item }}"}},
        ]}}],
        "output": {"all": "{{ steps.each.output }}"},
    });
    let (_, output, _) = run(it.clone(), json!({"who": "ann"}));
    assert_eq!(output, json!({"all": ["ann0", "ann1"]}));
    let workflow = Workflow::lower(&definition(it), "test", &library(), &others).unwrap();
    for (given, expected) in [
        (json!({}), "parameter `who` is not given"),
        (json!({"who": 1}), "parameter `who` is 1, not a text"),
        (json!({"whom": "x"}), "test has no parameter `whom`"),
    ] {
        let error = workflow.given(given.as_object().unwrap().clone()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(error.hint().is_some());
    }
}

#[test]
fn every_fault_is_found_with_its_place() {
    let cases = [
        (json!({"name": "test"}), vec!["/steps: there are no steps"]),
        (
            steps(json!([
                {"name": "a", "use": "ecko"},
                {"name": "a", "use": "echo", "with": {"valu": 1, "count": "x"}},
                {"name": "2b", "use": "echo"},
                {"name": "c"},
            ])),
            vec![
                "/steps/1/name: two steps are called `a`",
                "/steps/2/name: `2b` is no name for a step",
                "/steps/0/use: there is no component `ecko` (Did you mean `echo`?)",
                "/steps/1/with/valu: component `echo` has no input `valu` (Did you mean `value`?)",
                "/steps/1/with/count: `count` is \"x\", not a whole number",
                "/steps/3: the step has no `use`",
            ],
        ),
        (
            steps(json!([
                {"name": "first", "use": "echo", "with": {"value": "{{ steps.frist.output }}"}},
                {"name": "b", "use": "echo", "if": "params.x", "with": {"value": "{{ inputs }}"}},
                {"name": "c", "use": "echo", "needs": ["none"], "with": {"value": "{{ 1 + }}"}},
                {"name": "d", "use": "echo", "with": {"value": "{{ first }}"}, "resource": "gpu"},
                {"name": "e", "use": "echo", "timeout": "fast", "retry": {"attempts": 0}},
            ])),
            vec![
                "/steps/0/with/value: there is no step `frist` here (Did you mean `first`?)",
                "/steps/1/with/value: `inputs` means nothing here (Did you mean `input`?)",
                "/steps/1/if: there is no parameter `x`",
                "/steps/2/with/value: `1 +`",
                "/steps/2/needs: step `c` needs `none`, no step here",
                "/steps/3/with/value: `first` means nothing here (Did you mean `steps.first.output`?)",
                "/steps/4/timeout: \"fast\" is no time span",
                "/steps/4/retry/attempts: `attempts` is 0",
                "/steps/3/resource: there is no resource `gpu`",
            ],
        ),
        (
            json!({
                "name": "test",
                "concurrency": 0,
                "resources": {"gpu": {"places": 0, "rate": "often", "cooldown": "x"}},
                "steps": [{"name": "a", "use": "echo", "resource": "gpu"}],
            }),
            vec![
                "/concurrency: `concurrency` is 0",
                "/resources/gpu/places: `gpu` has 0 places",
                "/resources/gpu/rate: `often` is no rate (Write `10/s`",
                "/resources/gpu/cooldown: \"x\" is no time span",
            ],
        ),
        (
            steps(json!([{"graph": [
                {"name": "a", "use": "echo", "needs": ["b"]},
                {"name": "b", "use": "echo", "needs": ["a"]},
            ]}])),
            vec!["/steps/0/graph/0: steps wait for each other: `a` → `b` → `a`"],
        ),
        (
            steps(json!([
                {"workflow": {"name": "x", "use": "endless"}},
                {"workflow": {"name": "y", "use": "doubled", "with": {"m": 1}}},
                {"workflow": {"name": "z", "use": "nothing"}},
            ])),
            vec![
                "/steps/0/workflow: in endless: workflows call each other without end: test → endless",
                "/steps/1/workflow/with/m: the workflow has no parameter `m`",
                "/steps/1/workflow: the workflow wants the parameter `n`",
                "/steps/2/workflow/use: there is no workflow `nothing`",
            ],
        ),
        (
            steps(json!([
                {"conditional": {"if": "", "then": []}},
                {"for_each": {"name": "each", "as": "state", "concurrency": 0}},
                {"name": "self", "use": "echo", "with": {"value": "{{ steps.self.output }}"}},
                {"name": "all", "use": "echo", "with": {"value": "{{ steps }} {{ state.x }}"}},
            ])),
            vec![
                "/steps/0/conditional: the conditional has no `if`",
                "/steps/0/conditional: the conditional has no `then`",
                "/steps/1/for_each: the for_each has no `in`",
                "/steps/1/for_each/as: `state` is no name for an item",
                "/steps/1/for_each/concurrency: `concurrency` is 0",
                "/steps/1/for_each: the for_each has no `do`",
                "/steps/2: step `self` reads itself",
                "/steps/3/with/value: `steps` is read as a whole",
                "/steps/3/with/value: there is no value `state.x`",
            ],
        ),
    ];
    for (definition, expected) in cases {
        let found = problems(definition);
        for it in &expected {
            assert!(found.iter().any(|found| found.starts_with(it)), "{it} in {found:#?}");
        }
        for it in &found {
            let known = expected.iter().any(|expected| it.starts_with(expected));
            assert!(known || it.contains("if: `"), "{it} was not expected");
        }
    }
}

#[test]
fn the_nearest_step_of_a_name_is_read_inside_of_lists() {
    let each =
        |name: &str, steps: Json| json!({"for_each": {"name": name, "in": [1], "do": steps}});
    let innermost =
        json!([{"name": "y", "use": "echo", "with": {"value": "{{ steps.a.output }}"}}]);
    let all = json!([
        {"name": "a", "use": "echo", "with": {"value": "outer"}},
        each("e1", json!([
            {"name": "x", "use": "echo", "with": {"value": "{{ steps.a.output }}"}},
            each("e2", json!([
                {"name": "a", "use": "echo", "with": {"value": "inner"}},
                each("e3", innermost),
            ])),
        ])),
    ]);
    assert_eq!(given(all), json!([[["inner"]]]));
}

#[test]
fn a_rule_of_a_step_sees_each_end_before_it() {
    let step = |name: &str| json!({"name": name, "use": "echo", "with": {"value": name}});
    let mut skipped = step("a");
    skipped["if"] = json!("false");
    let mut any = step("d");
    any["when"] = json!("any_success");
    let all = json!([
        {"parallel": [skipped, step("b"), step("c")]},
        {"parallel": [any, step("e"), step("f")]},
    ]);
    let (_, _, rows) = run(steps(all), json!({}));
    assert!(rows.contains(&"d=success".to_owned()), "{rows:?}");
    assert!(rows.contains(&"e=skip".to_owned()), "{rows:?}");
}

#[test]
fn each_branch_gives_one_thing_and_conditions_are_expressions() {
    let all = |condition: &str, then: Json| json!([{"conditional": {"name": "c", "if": condition, "then": then}}]);
    let b = json!({"name": "b", "use": "echo", "if": "false"});
    let a = json!({"name": "a", "use": "echo", "with": {"value": 1}});
    assert_eq!(given(all("{{ 1 > 0 }}", json!([{"parallel": [a, b]}]))), json!({"a": 1}));
    assert_eq!(given(all("1", json!([{"parallel": []}]))), json!(null));
    let found = problems(steps(all("{{ 1 }} > 3", json!([{"name": "a", "use": "echo"}]))));
    assert!(found.iter().any(|it| it.starts_with("/steps/0/conditional/if")), "{found:?}");
    for item in ["range", "none", "not", "params"] {
        let each =
            json!({"name": "e", "in": [1], "as": item, "do": [{"name": "a", "use": "echo"}]});
        let found = problems(steps(json!([{"for_each": each}])));
        assert!(found.iter().any(|it| it.contains("is no name for an item")), "{item}: {found:?}");
    }
    let nothing = problems(steps(json!([{"parallel": []}])));
    assert_eq!(nothing, ["/steps: nothing is done: there is no step"]);
}

#[test]
fn a_digest_says_what_called_workflows_say() {
    let all = json!([{"workflow": {"name": "x", "use": "doubled", "with": {"n": 1}}}]);
    let digest = |by: i64| {
        let others = |name: &str, from: &str| {
            let mut called = others(name, from)?;
            called.definition.parameters[1].default = Some(json!(by));
            Ok(called)
        };
        Workflow::lower(&definition(steps(all.clone())), "test", &library(), &others)
            .unwrap()
            .digest
    };
    assert_eq!(digest(2), digest(2));
    assert_ne!(digest(2), digest(3));
}
