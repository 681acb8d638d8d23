//! Runs that pause and go on.

use std::sync::Arc;

use super::nested::around;
use super::*;

/// Runs the steps and pauses them from `from_ms` until `until_ms`.
async fn paused(bench: &Bench, steps: Vec<Step>, run: Run, from_ms: u64, until_ms: u64) -> Outcome {
    let plan = Arc::new(Plan::new(steps).unwrap());
    let cancel = Cancel::new();
    let other = cancel.clone();
    let wishes = tokio::spawn(async move {
        if from_ms > 0 {
            tokio::time::sleep(ms(from_ms)).await;
        }
        other.pause();
        assert!(other.is_paused());
        tokio::time::sleep(ms(until_ms - from_ms)).await;
        other.resume();
    });
    tokio::task::yield_now().await;
    let outcome = bench.engine.execute(&plan, run, &cancel).await.unwrap();
    wishes.abort();
    outcome
}

fn ends_ms(bench: &Bench, outcome: &Outcome) -> Vec<(String, i64)> {
    let end_ms =
        |row: &StepRow| (row.start_time.0 - outcome.start_time.0) / 1_000 + row.duration_ns / MS;
    bench.step_rows().iter().map(|row| (row.step_name.to_string(), end_ms(row))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pause_starts_nothing_and_stops_nothing() {
    let bench = Bench::new();
    let flaky = fails_until("flaky", 2, ErrorClass::RateLimited { retry_after: Some(ms(20)) });
    let backoff = Backoff { initial: ms(0), max: ms(0), multiplier: 1.0 };
    let steps = vec![
        sleeper("a", 30),
        sleeper("b", 10).after(["a"]),
        flaky.with_retry(Retry { attempts_max: 2, backoff, ..Retry::default() }),
        around("in", || vec![sleeper("x", 30), sleeper("y", 10).after(["x"])]),
    ];
    let outcome = paused(&bench, steps, Run::new("run", "test"), 10, 100).await;
    assert_eq!(outcome.result, ResultKind::Success);
    let mut ends = ends_ms(&bench, &outcome);
    ends.sort();
    let expected = [
        ("a", 30),
        ("b", 110),
        ("flaky", 0),
        ("flaky", 100),
        ("in", 110),
        ("in/x", 30),
        ("in/y", 110),
    ];
    assert_eq!(ends, expected.map(|(name, end_ms)| (name.to_owned(), end_ms)));
}

#[tokio::test(start_paused = true)]
async fn a_run_may_begin_with_a_pause() {
    let bench = Bench::new();
    let outcome = paused(&bench, vec![noop("a")], Run::new("run", "test"), 0, 50).await;
    assert_eq!((outcome.result, outcome.duration_ns), (ResultKind::Success, 50 * MS));
    assert_eq!(outcome.queue_ns, 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_pauses_keeps_no_place_from_others() {
    let bench = Bench::with(Limits::new(1).with_resource("model", 1), usize::MAX);
    let steps =
        vec![sleeper("a", 10).using("model"), sleeper("b", 10).using("model"), sleeper("c", 10)];
    let other = async {
        tokio::time::sleep(ms(5)).await;
        bench.run_as(vec![sleeper("o", 20).using("model")], Run::new("other", "test")).await
    };
    let (outcome, other) =
        tokio::join!(paused(&bench, steps, Run::new("run", "test"), 6, 100), other);
    assert_eq!(other.duration_ns, 25 * MS);
    assert_eq!(outcome.duration_ns, 120 * MS);
}

#[tokio::test(start_paused = true)]
async fn deadlines_and_wishes_to_stop_hold_in_a_pause() {
    let bench = Bench::new();
    let run = Run { timeout: Some(ms(40)), ..Run::new("run", "test") };
    let steps = vec![sleeper("a", 20), noop("b").after(["a"])];
    let outcome = paused(&bench, steps, run, 10, 1_000).await;
    assert_eq!((outcome.result, outcome.duration_ns), (ResultKind::Timeout, 40 * MS));

    let cancel = Cancel::new();
    cancel.pause();
    let plan = Arc::new(Plan::new(vec![noop("a")]).unwrap());
    let wish = async {
        tokio::time::sleep(ms(5)).await;
        cancel.cancel();
    };
    let run = bench.engine.execute(&plan, Run::new("run", "test"), &cancel);
    let (outcome, ()) = tokio::join!(run, wish);
    assert_eq!(outcome.unwrap().result, ResultKind::Cancellation);
}

#[tokio::test(start_paused = true)]
async fn several_pauses_follow_each_other() {
    let bench = Bench::new();
    let plan = Arc::new(
        Plan::new(vec![sleeper("a", 10), sleeper("b", 10).after(["a"]), noop("c").after(["b"])])
            .unwrap(),
    );
    let cancel = Cancel::new();
    let wishes = async {
        for _ in 0..2 {
            cancel.pause();
            tokio::time::sleep(ms(50)).await;
            cancel.resume();
            tokio::time::sleep(ms(5)).await;
        }
    };
    let run = bench.engine.execute(&plan, Run::new("run", "test"), &cancel);
    let ((), outcome) = tokio::join!(biased; wishes, run);
    // `a` from 50 to 60, in the second pause; `b` from 105
    assert_eq!(outcome.unwrap().duration_ns, 115 * MS);
}
