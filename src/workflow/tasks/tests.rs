//! Tests of the components for trying things out, and the bench on which all of them are tried:
//! each is one step of a run of the engine.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, json};

use super::super::*;
use super::*;
use crate::clock::SystemClock;
use crate::error::Result;
use crate::event::{Event, EventSink, Row, StepRow};

/// Keeps the rows of attempts.
#[derive(Debug, Default)]
struct Memory(Mutex<Vec<StepRow>>);

impl EventSink for Memory {
    fn emit(&self, event: Event) -> Result<()> {
        if let Event::Row(Row::Steps(row)) = event {
            self.0.lock().unwrap().push(row);
        }
        Ok(())
    }
}

/// A component with its inputs.
#[derive(Debug)]
struct Bound(Arc<dyn Task>, Map<String, Json>);

impl Component for Bound {
    fn name(&self) -> &str {
        &self.0.about().name
    }

    fn version(&self) -> &str {
        &self.0.about().version
    }

    fn lane(&self) -> Lane {
        self.0.lane()
    }

    fn run(&self, ctx: StepContext) -> futures::future::BoxFuture<'_, Result<Output, StepError>> {
        self.0.call(self.1.clone(), ctx)
    }
}

/// How one step went.
pub(super) struct Tried {
    outcome: Outcome,
    pub(super) rows: Vec<StepRow>,
}

impl Tried {
    /// What it handed on.
    pub(super) fn value(&self) -> Json {
        let error = self.rows.last().and_then(|row| row.error_message.as_deref());
        assert_eq!(self.outcome.result, ResultKind::Success, "{error:?}");
        self.output().unwrap()
    }

    pub(super) fn output(&self) -> Option<Json> {
        self.outcome.output::<Json>("step").unwrap().map(|it| (*it).clone())
    }

    /// Result, class and words of its last attempt.
    pub(super) fn end(&self) -> (&str, &str, &str) {
        let row = self.rows.last().unwrap();
        let (class, message) = (row.error_type.as_deref(), row.error_message.as_deref());
        (&row.result, class.unwrap_or_default(), message.unwrap_or_default())
    }

    pub(super) fn results(&self) -> Vec<&str> {
        self.rows.iter().map(|row| &*row.result).collect()
    }
}

/// A component of the library as a step named `step`, with its defaults filled in.
pub(super) fn step(library: &Library, name: &str, inputs: Json) -> Step {
    let task = library.get(name).unwrap();
    let Json::Object(mut inputs) = inputs else { panic!("inputs are a mapping") };
    for input in &task.about().inputs {
        if let Some(default) = &input.default {
            inputs.entry(&input.name).or_insert_with(|| default.clone());
        }
    }
    Step::new("step", Bound(Arc::clone(task), inputs))
}

pub(super) async fn run(step: Step, cancel: &Cancel) -> Tried {
    let (memory, clock) = (Arc::new(Memory::default()), Arc::new(SystemClock::new()));
    let sink = Arc::clone(&memory) as Arc<dyn EventSink>;
    let engine = Engine { clock, sink, limits: Limits::new(4) };
    let plan = Arc::new(Plan::new(vec![step]).unwrap());
    let outcome = engine.execute(&plan, Run::new("run", "test"), cancel).await.unwrap();
    let rows = std::mem::take(&mut *memory.0.lock().unwrap());
    Tried { outcome, rows }
}

async fn call(name: &str, inputs: Json) -> Tried {
    run(step(&builtin(BTreeMap::new()), name, inputs), &Cancel::new()).await
}

fn attempts(attempts_max: u32) -> Retry {
    Retry { attempts_max, ..Retry::default() }
}

#[test]
fn all_are_listed_with_what_they_take() {
    let listed = builtin(BTreeMap::new()).listed();
    let names: Vec<_> = listed.iter().map(|it| (&*it.name, it.pure)).collect();
    let expected =
        [("command", false), ("fail", false), ("noop", false), ("sleep", false), ("value", true)];
    assert_eq!(names, expected);
    assert_eq!(listed[2].inputs, "any other");
    assert_eq!(listed[3].inputs, "for: duration");
    for it in &listed {
        assert!(!it.description.is_empty() && !it.output.is_empty(), "{}", it.name);
    }
}

#[test]
fn every_default_is_one_that_the_input_takes() {
    for task in builtin(BTreeMap::new()).iter() {
        for input in &task.about().inputs {
            assert!(!input.description.is_empty(), "{}", input.name);
            let problem = input.default.as_ref().and_then(|it| input.problem(it));
            assert_eq!(problem, None, "{} of {}", input.name, task.about().name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn noop_gives_null_whatever_it_is_given() {
    assert_eq!(call("noop", json!({})).await.value(), Json::Null);
    assert_eq!(call("noop", json!({ "anything": [1, 2] })).await.value(), Json::Null);
}

#[tokio::test(start_paused = true)]
async fn value_gives_what_it_is_given() {
    let value = json!({ "name": "node", "parts": [1, null, 2.5] });
    assert_eq!(call("value", json!({ "value": value })).await.value(), value);
    let missing = call("value", json!({})).await;
    assert_eq!(missing.end(), ("error", "invalid", "an input of `value`: `value` is not given"));
}

#[tokio::test(start_paused = true)]
async fn sleep_takes_its_time() {
    let start = tokio::time::Instant::now();
    assert_eq!(call("sleep", json!({ "for": "90s" })).await.value(), Json::Null);
    assert_eq!(start.elapsed(), Duration::from_secs(90));
    assert_eq!(call("sleep", json!({ "for": 0 })).await.value(), Json::Null);
    let wrong = call("sleep", json!({ "for": "soon" })).await;
    let message = "an input of `sleep`: `for` is \"soon\", not a time span such as `250ms` or `2s`";
    assert_eq!(wrong.end(), ("error", "invalid", message));
}

#[tokio::test(start_paused = true)]
async fn sleep_ends_at_once_when_the_run_is_cancelled() {
    let (start, cancel) = (tokio::time::Instant::now(), Cancel::new());
    let library = builtin(BTreeMap::new());
    let wish = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let sleep = run(step(&library, "sleep", json!({ "for": "90s" })), &cancel);
    let (tried, ()) = tokio::join!(sleep, wish);
    assert_eq!(start.elapsed(), Duration::from_secs(5), "without the grace of the run");
    assert_eq!(tried.end(), ("cancellation", "cancelled", "woken by the wish to stop"));
}

#[tokio::test(start_paused = true)]
async fn fail_has_every_class() {
    let message = "failed as it was told";
    for class in ["transient", "permanent", "rate_limited", "invalid_output"] {
        let tried = call("fail", json!({ "class": class })).await;
        assert_eq!(tried.end(), ("error", class, message));
    }
    assert_eq!(call("fail", json!({})).await.end(), ("error", "permanent", message));
    let timeout = call("fail", json!({ "class": "timeout", "message": "late" })).await;
    assert_eq!(timeout.end(), ("timeout", "timeout", "late"));
    let named = call("fail", json!({ "error_type": "disk" })).await;
    assert_eq!(named.end(), ("error", "disk", message));
    let panic = call("fail", json!({ "class": "panic", "message": "boom" })).await;
    assert_eq!(panic.end(), ("error", "panic", "the component panicked: boom"));
    let verdict = call("fail", json!({ "class": "verdict", "message": "no", "value": 7 })).await;
    assert_eq!(verdict.end(), ("failure", "rejected", "no"));
    assert_eq!(verdict.output(), Some(json!(7)));
    let unknown = call("fail", json!({ "class": "panick" })).await;
    assert!(unknown.end().2.contains("did you mean `panic`?"), "{:?}", unknown.end());
}

#[tokio::test(start_paused = true)]
async fn fail_fails_until_an_attempt() {
    let library = builtin(BTreeMap::new());
    let inputs = json!({ "class": "transient", "until_attempt": 3, "value": "at last" });
    let flaky = step(&library, "fail", inputs).with_retry(attempts(5));
    let tried = run(flaky, &Cancel::new()).await;
    assert_eq!(tried.results(), ["error", "error", "success"]);
    assert_eq!(tried.value(), "at last");
    let zeroth = call("fail", json!({ "until_attempt": 0 })).await;
    let message = "an input of `fail`: `until_attempt` is 0; attempts count from 1";
    assert_eq!(zeroth.end(), ("error", "invalid", message));
}

#[tokio::test(start_paused = true)]
async fn fail_asks_for_patience() {
    let start = tokio::time::Instant::now();
    let inputs = json!({ "class": "rate_limited", "retry_after": "30s", "until_attempt": 2 });
    let library = builtin(BTreeMap::new());
    let tried = run(step(&library, "fail", inputs).with_retry(attempts(2)), &Cancel::new()).await;
    assert_eq!(tried.results(), ["error", "success"]);
    assert_eq!(start.elapsed(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn fail_hangs_until_it_is_dropped() {
    let start = tokio::time::Instant::now();
    let hang = step(&builtin(BTreeMap::new()), "fail", json!({ "class": "hang" }));
    let policy = Policy { timeout: Some(Duration::from_secs(7)), ..Policy::default() };
    let tried = run(hang.with_policy(policy), &Cancel::new()).await;
    assert_eq!(tried.results(), ["timeout"]);
    assert_eq!(start.elapsed(), Duration::from_secs(7));
}
