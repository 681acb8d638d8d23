//! Work that computes for long, in real time: a computing thread does not go by a paused clock.

use std::sync::Arc;
use std::sync::mpsc;

use super::*;

/// A step that computes until it is told to end.
fn computing(name: &str) -> (Step, mpsc::Sender<()>) {
    let (end, ended) = mpsc::channel::<()>();
    let ended = Mutex::new(ended);
    let work = FnComponent::new("compute", "1", move |_: &StepContext| {
        let told = ended.lock().unwrap().recv();
        told.map(|()| Output::new(7_u8)).map_err(|_| StepError::permanent("gone", "nobody left"))
    });
    (Step::new(name, work.on(Lane::Compute)), end)
}

fn timeout(step: Step, timeout_ms: u64) -> Step {
    let policy = Policy { timeout: Some(ms(timeout_ms)), ..step.policy.clone() };
    step.with_policy(policy)
}

#[tokio::test]
async fn computing_does_not_hold_up_the_runtime() {
    let bench = Bench::new();
    let (one, end) = computing("one");
    let other = step("other", move |_| {
        end.send(()).unwrap();
        Ok(Output::none())
    });
    // in one thread: had the first not a thread of its own, the other would never run
    let outcome = bench.run(vec![one, other]).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(outcome.output::<u8>("one").unwrap().as_deref(), Some(&7));
}

#[tokio::test]
async fn places_bound_how_much_is_computed() {
    let limits = Limits::new(9).with_resource("cpu", 2);
    let (bench, gauge) = (Bench::with(limits, usize::MAX), Arc::new(Mutex::new((0, 0))));
    let steps = (0..6).map(|n| {
        let gauge = Arc::clone(&gauge);
        let work = FnComponent::new("compute", "1", move |_: &StepContext| {
            let working = |by: i32| {
                let mut gauge = gauge.lock().unwrap();
                gauge.0 += by;
                gauge.1 = gauge.0.max(gauge.1);
            };
            working(1);
            std::thread::yield_now();
            working(-1);
            Ok(Output::none())
        });
        Step::new(format!("s{n}"), work.on(Lane::Compute)).using("cpu")
    });
    let outcome = bench.run(steps.collect()).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert!(gauge.lock().unwrap().1 <= 2);
}

#[tokio::test]
async fn a_panic_is_an_error_of_the_step() {
    let work = FnComponent::new("compute", "1", |_| panic!("divided by zero"));
    let outcome = Bench::new().run(vec![Step::new("one", work.on(Lane::Compute))]).await;
    assert_eq!(outcome.error_type.as_deref(), Some("panic"));
    let message = "step `one`: the component panicked: divided by zero";
    assert_eq!(outcome.error_message.as_deref(), Some(message));
}

#[tokio::test]
async fn work_left_behind_keeps_its_places_until_it_ends() {
    let limits = Limits::new(1).with_resource("cpu", 1);
    let bench = Bench::with(limits, usize::MAX);
    let (endless, end) = computing("endless");
    let outcome = bench.run(vec![timeout(endless.using("cpu"), 5)]).await;
    assert_eq!(outcome.result, ResultKind::Timeout);

    let waiting = |name: &str, step: Step| {
        let policy = Policy { queue_timeout: Some(ms(5)), ..Policy::default() };
        bench.run_as(vec![step.with_policy(policy)], Run::new(name, "test"))
    };
    for step in [noop("place"), noop("cpu").using("cpu")] {
        let outcome = waiting("waits in vain", step).await;
        assert_eq!(outcome.error_type.as_deref(), Some("queue_deadline"));
    }
    let after = bench.run_as(vec![noop("cpu").using("cpu")], Run::new("after", "test"));
    let release = async { end.send(()).unwrap() };
    let (after, ()) = tokio::join!(biased; after, release);
    assert_eq!(after.result, ResultKind::Success);
}

#[tokio::test]
async fn a_cancelled_run_leaves_computing_work_behind() {
    let bench = Bench::new();
    let (endless, end) = computing("endless");
    let plan = Arc::new(Plan::new(vec![endless]).unwrap());
    let run = Run { grace: ms(5), ..Run::new("run", "test") };
    let cancel = Cancel::new();
    let wish = async {
        tokio::task::yield_now().await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(bench.engine.execute(&plan, run, &cancel), wish);
    assert_eq!(outcome.unwrap().result, ResultKind::Cancellation);
    assert_eq!(bench.story(), ["endless#1=cancellation"]);
    drop(end);
}
