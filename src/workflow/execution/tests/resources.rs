//! Resources: how often they are used, and when they are left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use super::*;

fn limit(places: usize) -> ResourceLimit {
    places.into()
}

fn breaker(failures_max: u32, cooldown_ms: u64) -> Option<CircuitBreaker> {
    Some(CircuitBreaker { failures_max, cooldown: ms(cooldown_ms) })
}

/// When the attempts of steps of a name began, in milliseconds since the run did.
fn starts_ms(bench: &Bench, outcome: &Outcome, name: &str) -> Vec<i64> {
    let rows = bench.step_rows().into_iter().filter(|row| row.step_name.starts_with(name));
    rows.map(|row| (row.start_time.0 - outcome.start_time.0) / 1_000).collect()
}

#[tokio::test(start_paused = true)]
async fn a_rate_holds_over_all_runs() {
    let rate = Some(Rate { count: 10, per: ms(1_000), burst: 2 });
    let limits = Limits::new(9).with_resource("model", ResourceLimit { rate, ..limit(9) });
    let bench = Bench::with(limits, usize::MAX);
    let asks = || (0..3).map(|n| sleeper(&format!("ask{n}"), 1).using("model")).collect();
    let (one, two, free) = tokio::join!(
        bench.run_as(asks(), Run::new("one", "test")),
        bench.run_as(asks(), Run::new("two", "test")),
        bench.run_as(vec![sleeper("free", 1)], Run::new("free", "test")),
    );
    let mut starts = starts_ms(&bench, &one, "ask");
    starts.sort_unstable();
    assert_eq!(starts, [0, 0, 100, 200, 300, 400]);
    assert_eq!((two.result, free.duration_ns), (ResultKind::Success, MS));
    assert_eq!(one.queue_ns + two.queue_ns, 1_000 * MS, "waiting for the rate is queueing");
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_patience_holds_back_all_who_use_the_resource() {
    let bench = Bench::with(Limits::new(9).with_resource("model", 1), usize::MAX);
    let class = ErrorClass::RateLimited { retry_after: Some(ms(5_000)) };
    let steps = vec![
        fails_until("first", 2, class).with_retry(attempts(2)).using("model"),
        noop("second").using("model"),
        noop("other"),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(starts_ms(&bench, &outcome, "first"), [0, 5_000]);
    assert_eq!(starts_ms(&bench, &outcome, "second"), [5_000]);
    assert_eq!(starts_ms(&bench, &outcome, "other"), [0]);
    let queued = outcome.step("second").unwrap().queue_ns;
    assert_eq!(queued, 5_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_held_back_longer_than_the_one_who_was_told_would_wait() {
    let bench = Bench::with(Limits::new(9).with_resource("model", 1), usize::MAX);
    let class = ErrorClass::RateLimited { retry_after: Some(ms(3_600_000)) };
    let steps = vec![fails_until("first", 2, class).using("model"), noop("second").using("model")];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.step("first").unwrap().result, ResultKind::Error);
    assert_eq!(starts_ms(&bench, &outcome, "second"), [300_000]);
}

/// Fails while the time is before `until_ms`, each time after a millisecond.
fn down_until(name: &str, until_ms: i64, calls: &Arc<AtomicU32>) -> Step {
    let (calls, from_ns) = (Arc::clone(calls), Arc::new(AtomicI64::new(-1)));
    let work = AsyncFn(move |ctx: StepContext| {
        calls.fetch_add(1, Ordering::SeqCst);
        let from_ns = Arc::clone(&from_ns);
        async move {
            let now_ns = ctx.clock().monotonic_ns();
            let _ = from_ns.compare_exchange(-1, now_ns, Ordering::SeqCst, Ordering::SeqCst);
            tokio::time::sleep(ms(1)).await;
            if now_ns < until_ms * MS {
                return Err(StepError::transient("down", "no answer"));
            }
            Ok(Output::new("answer"))
        }
    });
    Step::new(name, work).using("model")
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_keeps_failing_is_left_alone() {
    let limits = Limits::new(9)
        .with_resource("model", ResourceLimit { breaker: breaker(2, 1_000), ..limit(1) });
    let (bench, calls) = (Bench::with(limits, usize::MAX), Arc::new(AtomicU32::new(0)));
    let spare = || FnComponent::new("spare", "1", |_| Ok(Output::new("spare")));
    let ask = |name: &str| down_until(name, i64::MAX / MS, &calls);
    let steps = vec![
        ask("a"),
        ask("b"),
        ask("c"),
        ask("d").or_else(OnFailure::Degrade),
        ask("e").or_else(OnFailure::Fallback(Arc::new(spare()))),
        noop("after c").after(["c"]),
    ];
    // in the order of the plan
    let run = Run { strategy: Strategy::FullParallel, ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2, "then nobody asks any more");
    assert_eq!(outcome.duration_ns, 2 * MS);
    assert_eq!(outcome.output::<&str>("e").unwrap().as_deref(), Some(&"spare"));
    let results: Vec<_> =
        outcome.steps.iter().map(|step| (&*step.name, step.result.as_str())).collect();
    let expected = [
        ("a", "error"),
        ("b", "error"),
        ("c", "error"),
        ("d", "error"),
        ("e", "success"),
        ("after c", "skip"),
    ];
    assert_eq!(results, expected);
    let rows = bench.step_rows();
    let refused = rows.iter().find(|row| &*row.step_name == "c").unwrap();
    assert_eq!(refused.error_type.as_deref(), Some("circuit_open"));
    let message = refused.error_message.as_deref();
    assert_eq!(
        message,
        Some("`model` has failed again and again and is left alone for another 1s")
    );
    assert_eq!((refused.attempt, refused.duration_ns, refused.queue_ns), (1, 0, 2 * MS));
    assert_eq!(facts(refused)["reason"], "circuit_open");
    assert!(outcome.step("d").unwrap().degraded);
}

#[tokio::test(start_paused = true)]
async fn steps_that_may_retry_wait_for_the_trial() {
    let limits = Limits::new(9)
        .with_resource("model", ResourceLimit { breaker: breaker(2, 1_000), ..limit(9) });
    let (bench, calls) = (Bench::with(limits, usize::MAX), Arc::new(AtomicU32::new(0)));
    let backoff = Backoff { initial: ms(0), max: ms(0), multiplier: 1.0 };
    let retry = Retry { attempts_max: 3, backoff, ..Retry::default() };
    let steps =
        (0..6).map(|n| down_until(&format!("s{n}"), 500, &calls).with_retry(retry)).collect();
    // two at a time: the second pair finds the circuit open
    let run = Run { concurrency_max: 2, ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.result, ResultKind::Success);
    let starts = starts_ms(&bench, &outcome, "s");
    assert_eq!(starts.iter().filter(|at| **at == 0).count(), 2);
    // at 1 ms both have failed and the circuit opens: the second knows, all others are told
    assert_eq!(starts.iter().filter(|at| **at == 1).count(), 5);
    assert_eq!(starts.iter().filter(|at| **at == 1_001).count(), 1, "the trial: {starts:?}");
    assert_eq!(starts.iter().filter(|at| **at == 1_002).count(), 2, "{starts:?}");
    assert_eq!(calls.load(Ordering::SeqCst), 2 + 6);
    let rows = bench.step_rows();
    let told: Vec<_> =
        rows.iter().map(facts).filter(|facts| facts["reason"] == "circuit_open").collect();
    assert_eq!(told.len(), 6, "the five, and the one that opened it");
    assert!(told.iter().all(|facts| facts["wait_ms"] == 1_000), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_fails_shuts_again_for_all() {
    let limits = Limits::new(9)
        .with_resource("model", ResourceLimit { breaker: breaker(1, 1_000), ..limit(9) });
    let (bench, calls) = (Bench::with(limits, usize::MAX), Arc::new(AtomicU32::new(0)));
    let backoff = Backoff { initial: ms(0), max: ms(0), multiplier: 1.0 };
    let retry = Retry { attempts_max: 4, backoff, ..Retry::default() };
    let asks = |n: u32| vec![down_until(&format!("s{n}"), 1_500, &calls).with_retry(retry)];
    let (one, two) = tokio::join!(bench.run_as(asks(1), Run::new("one", "test")), async {
        tokio::time::sleep(ms(500)).await;
        bench.run_as(asks(2), Run::new("two", "test")).await
    },);
    assert_eq!((one.result, two.result), (ResultKind::Success, ResultKind::Success));
    // one asks at 0; the trial at 1,001 fails, the one at 2,002 does not, and lets the other go
    assert_eq!(calls.load(Ordering::SeqCst), 4);
    let types: Vec<_> = bench.step_rows().iter().map(|row| row.error_type.clone()).collect();
    let open = types.iter().flatten().filter(|it| &***it == "circuit_open").count();
    assert_eq!(open, 2, "two is told at 500, and who waits for the trial: {types:?}");
}

#[tokio::test(start_paused = true)]
async fn a_trial_that_is_dropped_lets_another_try() {
    let limits = Limits::new(9)
        .with_resource("model", ResourceLimit { breaker: breaker(1, 100), ..limit(9) });
    let (bench, calls) = (Bench::with(limits, usize::MAX), Arc::new(AtomicU32::new(0)));
    bench.run(vec![down_until("down", i64::MAX / MS, &calls)]).await;
    tokio::time::sleep(ms(100)).await;
    let trial = bench.run(vec![sleeper("trial", 60_000).using("model")]);
    let next = async {
        tokio::time::sleep(ms(10)).await;
        bench.run_as(vec![noop("next").using("model")], Run::new("next", "test")).await
    };
    let (dropped, next) = tokio::join!(tokio::time::timeout(ms(50), trial), next);
    assert!(dropped.is_err());
    assert_eq!((next.result, next.queue_ns), (ResultKind::Success, 40 * MS));
}
