//! Deadlines of a step: for one wait, and for everything together.

use std::sync::Arc;

use super::*;

fn queue_timeout(step: Step, timeout_ms: u64) -> Step {
    let policy = Policy { queue_timeout: Some(ms(timeout_ms)), ..step.policy.clone() };
    step.with_policy(policy)
}

fn total_timeout(step: Step, timeout_ms: u64) -> Step {
    let policy = Policy { total_timeout: Some(ms(timeout_ms)), ..step.policy.clone() };
    step.with_policy(policy)
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_a_place_only_so_long() {
    for strategy in [Strategy::ReadyQueue, Strategy::StagedParallel] {
        let bench = Bench::with(Limits::new(2).with_resource("model", 1), usize::MAX);
        let steps = vec![
            sleeper("a", 100).using("model"),
            queue_timeout(sleeper("b", 100).using("model"), 50).with_retry(attempts(9)),
            queue_timeout(sleeper("c", 100), 50),
            noop("after b").after(["b"]),
            queue_timeout(sleeper("d", 10).using("model"), 100).after(["a", "c"]),
        ];
        let run = Run { strategy, ..Run::new("run", "test") };
        let outcome = bench.run_as(steps, run).await;
        let results: Vec<_> = outcome.steps.iter().map(|step| step.result.as_str()).collect();
        assert_eq!(results, ["success", "timeout", "success", "skip", "success"], "{strategy}");
        let rows = bench.step_rows();
        let late: Vec<_> = rows.iter().filter(|row| &*row.step_name == "b").collect();
        assert_eq!(late.len(), 1, "a wait that was too long is not repeated");
        assert_eq!((late[0].attempt, late[0].duration_ns), (1, 0));
        assert_eq!(late[0].queue_ns / MS, 50);
        assert_eq!(late[0].error_type.as_deref(), Some("queue_deadline"));
        let message = late[0].error_message.as_deref();
        assert_eq!(message, Some("no place became free within 50ms"));
        assert_eq!(facts(late[0])["reason"], "queue_deadline");
        assert_eq!(outcome.step("b").unwrap().attempts, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_wait_that_was_too_long_is_what_the_step_wants() {
    let bench = Bench::with(Limits::new(3).with_resource("model", 1), usize::MAX);
    let spare = FnComponent::new("spare", "1", |_| Ok(Output::new("spare")));
    let late = |name: &str| queue_timeout(sleeper(name, 100).using("model"), 50);
    let steps = vec![
        sleeper("a", 100).using("model"),
        late("b").or_else(OnFailure::Fallback(Arc::new(spare))),
        late("c").or_else(OnFailure::Degrade),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert_eq!(outcome.duration_ns, 100 * MS);
    assert_eq!(outcome.output::<&str>("b").unwrap().as_deref(), Some(&"spare"));
    let mut story = bench.story();
    story.sort();
    assert_eq!(story, ["a#1=success", "b#1=timeout", "b#2=success", "c#1=timeout"]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_waits_no_longer() {
    let bench = Bench::with(Limits::new(1), usize::MAX);
    let spare = FnComponent::new("spare", "1", |_| Ok(Output::none()));
    let late = queue_timeout(sleeper("b", 100), 30).or_else(OnFailure::Fallback(Arc::new(spare)));
    let outcome = bench.run(vec![sleeper("a", 100), late]).await;
    assert_eq!(outcome.step("b").unwrap().result, ResultKind::Timeout);
    assert_eq!(bench.story(), ["a#1=success", "b#1=timeout", "b#2=timeout"]);
    assert_eq!(bench.step_rows()[2].start_time.0 - outcome.start_time.0, 60_000);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_starts_in_time_is_not_hurried() {
    let bench = Bench::with(Limits::new(1), usize::MAX);
    let steps = vec![sleeper("a", 40), queue_timeout(sleeper("b", 100), 50), sleeper("c", 10)];
    let outcome = bench.run(steps).await;
    assert_eq!((outcome.result, outcome.duration_ns), (ResultKind::Success, 150 * MS));
}

#[tokio::test(start_paused = true)]
async fn all_attempts_and_waits_end_by_the_total_deadline() {
    let bench = Bench::new();
    let work = AsyncFn(|ctx: StepContext| async move {
        let left_ns = ctx.deadline_ns().unwrap() - ctx.clock().monotonic_ns();
        tokio::time::sleep(ms(60)).await;
        Err(StepError::transient("flaky", format!("{} ms left", left_ns / MS)))
    });
    let backoff = Backoff { initial: ms(0), max: ms(0), multiplier: 1.0 };
    let retry = Retry { attempts_max: 9, backoff, ..Retry::default() };
    let step = total_timeout(Step::new("a", work).with_retry(retry), 150);
    let outcome = bench.run(vec![step]).await;
    assert_eq!(outcome.result, ResultKind::Timeout);
    assert_eq!(outcome.error_type.as_deref(), Some("total_deadline"));
    let message = "step `a`: attempts and waits took longer than 150ms";
    assert_eq!(outcome.error_message.as_deref(), Some(message));
    assert_eq!(bench.story(), ["a#1=error", "a#2=error", "a#3=timeout"]);
    let rows = bench.step_rows();
    assert_eq!(rows[0].error_message.as_deref(), Some("150 ms left"));
    assert!((150 * MS..=152 * MS).contains(&outcome.duration_ns), "{}", outcome.duration_ns);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_total_deadline_is_not_begun() {
    let bench = Bench::new();
    let class = ErrorClass::RateLimited { retry_after: Some(ms(500)) };
    let step = total_timeout(fails_until("a", 2, class).with_retry(attempts(5)), 500);
    let outcome = bench.run(vec![step]).await;
    assert_eq!((outcome.result, outcome.duration_ns), (ResultKind::Error, 0));
    assert_eq!(bench.story(), ["a#1=error"]);
    assert_eq!(facts(&bench.step_rows()[0])["reason"], "past_deadline");
}

#[tokio::test(start_paused = true)]
async fn the_total_deadline_ends_a_wait_for_a_place() {
    let bench = Bench::with(Limits::new(1), usize::MAX);
    let spare = FnComponent::new("spare", "1", |ctx: &StepContext| {
        assert_eq!(ctx.deadline_ns(), Some(ctx.clock().monotonic_ns() + 300_000 * MS));
        Ok(Output::none())
    });
    let late = total_timeout(sleeper("b", 10), 50).or_else(OnFailure::Fallback(Arc::new(spare)));
    let outcome = bench.run(vec![sleeper("a", 100), queue_timeout(late, 500)]).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert_eq!(bench.story(), ["a#1=success", "b#1=timeout", "b#2=success"]);
    assert_eq!(bench.step_rows()[1].error_type.as_deref(), Some("total_deadline"));
}
