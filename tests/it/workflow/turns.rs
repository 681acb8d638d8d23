//! Runs that share places: those that began earlier go first, as a batch has it, and
//! runs of a pipeline share the places of all.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{join, join_all};
use genstore::error::{Error, Result};
use genstore::pipeline::PipelineFile;
use genstore::workflow::{Cancel, Limits, Outcome, Plan, ResultKind, Run, Step, builtin};
use serde_json::Map;

use super::MS;
use crate::shapes::{Act, Sleeper, Work, paused_engine};

/// Ten milliseconds of work.
fn ten(name: &str) -> Step {
    let (after, resource, act) = (Vec::new(), None, Act::Work);
    let work = Work { name: name.to_owned(), after, duration_ms: 10, resource, act };
    Step::new(name, Sleeper::of(&work))
}

/// When each of the runs ends, in milliseconds: each a chain of three steps, of these priorities.
async fn ends_ms(places: usize, priorities: &[i32]) -> Vec<i64> {
    let steps = vec![ten("a"), ten("b").after(["a"]), ten("c").after(["b"])];
    let plan = Arc::new(Plan::new(steps).unwrap());
    let engine = paused_engine(Limits::new(places));
    let cancel = Cancel::new();
    let runs = priorities.iter().enumerate().map(|(n, priority)| {
        let run = Run { priority: *priority, ..Run::new(n.to_string(), "test") };
        engine.execute(&plan, run, &cancel)
    });
    let outcomes = join_all(runs).await;
    let end_ms = |it: Result<Outcome>| {
        let outcome = it.unwrap();
        assert_eq!(outcome.result, ResultKind::Success);
        outcome.duration_ns / MS
    };
    outcomes.into_iter().map(end_ms).collect()
}

#[tokio::test(start_paused = true)]
async fn runs_that_began_earlier_go_first_and_none_starves() {
    // as a batch numbers its runs
    assert_eq!(ends_ms(1, &[0, -1, -2, -3]).await, [30, 60, 90, 120]);
    assert_eq!(ends_ms(2, &[0, -1, -2, -3]).await, [30, 30, 60, 60]);
    // all of them would end late if they took turns
    let turns = ends_ms(1, &[0; 4]).await;
    assert!(turns.iter().all(|it| *it >= 90), "{turns:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_shares_the_places_of_all_and_has_its_own_resources() {
    let text = "
name: naps
resources: {bed: {places: 2}}
steps:
  - {name: nap, use: sleep, with: {for: 10ms}, resource: bed}
";
    let file = PipelineFile::parse(text, "naps.yaml");
    let none = |_: &str, _: &str| Err(Error::invalid("it calls none"));
    let workflow = file.lower(&builtin(BTreeMap::new()), &none).unwrap();
    let (shared, cancel) = (Limits::new(1), Cancel::new());
    let (other, pipeline) = (paused_engine(shared.clone()), workflow.limits(&shared, 1));
    let plan = Arc::new(Plan::new(vec![ten("a")]).unwrap());
    let nap = async {
        let engine = paused_engine(pipeline);
        workflow.execute(&engine, Run::new("naps", "naps"), Map::new(), &cancel).await
    };
    let run = other.execute(&plan, Run::new("other", "test"), &cancel);
    let (run, nap) = join(run, nap).await;
    let ends_ms = [run, nap].map(|it| it.unwrap().duration_ns / MS);
    assert_eq!(ends_ms, [10, 20], "one at a time");
}
