//! Failing, hanging and panicking components: retries, timeouts, fallbacks, degraded mode.

use std::sync::Arc;

use super::super::super::policy::random;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_retried_after_full_jitter() {
    let bench = Bench::new();
    let step = fails_until("fetch", 3, ErrorClass::Transient).with_retry(attempts(5));
    let outcome = bench.run_as(vec![step], Run { seed: 42, ..Run::new("run", "test") }).await;

    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(outcome.output::<u32>("fetch").unwrap().as_deref(), Some(&3));
    assert_eq!(bench.story(), ["fetch#1=error", "fetch#2=error", "fetch#3=success"]);
    let rows = bench.step_rows();
    let decided = facts(&rows[0]);
    assert_eq!((&decided["decision"], &decided["reason"]), (&"retry".into(), &"transient".into()));
    assert_eq!(decided["wait_ms"].as_i64().map(|ms| ms * MS), Some(rows[1].wait_ns));
    assert_eq!(rows[0].error_type.as_deref(), Some("flaky"));
    assert_eq!(rows[0].wait_ns, 0);
    for (attempt, row) in [(1, &rows[1]), (2, &rows[2])] {
        let planned = attempts(5).backoff.wait(attempt, random(42, 0, attempt));
        let waited = row.wait_ns - i64::try_from(planned.as_nanos()).unwrap();
        assert!((0..=MS).contains(&waited), "tokio rounds up to a millisecond: {waited}");
    }
    let summary = outcome.step("fetch").unwrap();
    assert_eq!((summary.attempts, summary.duration_ns), (3, 0));
    assert_eq!(outcome.duration_ns, summary.wait_ns);
}

#[tokio::test(start_paused = true)]
async fn retries_end_with_the_last_error() {
    let bench = Bench::new();
    let step = fails_until("fetch", 99, ErrorClass::InvalidOutput).with_retry(attempts(2));
    let outcome = bench.run(vec![step]).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_type.as_deref(), Some("flaky"));
    assert_eq!(outcome.error_message.as_deref(), Some("step `fetch`: attempt 2"));
    let decided = r#"{"decision":"fail","reason":"attempts_used_up"}"#;
    assert_eq!(bench.step_rows()[1].attributes.as_deref(), Some(decided));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_is_not_retried() {
    let bench = Bench::new();
    let step = fails_until("fetch", 2, ErrorClass::Permanent).with_retry(attempts(5));
    assert_eq!(bench.run(vec![step]).await.result, ResultKind::Error);
    assert_eq!(bench.story(), ["fetch#1=error"]);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for() {
    let bench = Bench::new();
    let class = ErrorClass::RateLimited { retry_after: Some(ms(30_000)) };
    let step = fails_until("ask", 2, class).with_retry(attempts(2));
    assert_eq!(bench.run(vec![step]).await.result, ResultKind::Success);
    assert_eq!(bench.step_rows()[1].wait_ns, 30_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_attempt_times_out_and_is_retried() {
    let bench = Bench::new();
    let hang = AsyncFn(|ctx: StepContext| async move {
        assert_eq!(ctx.deadline_ns(), Some(ctx.clock().monotonic_ns() + 5_000 * MS));
        if ctx.attempt() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(Output::none())
    });
    let policy = Policy { timeout: Some(ms(5_000)), retry: attempts(2), ..Policy::default() };
    let outcome = bench.run(vec![Step::new("hang", hang).with_policy(policy)]).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(bench.story(), ["hang#1=timeout", "hang#2=success"]);
    let first = bench.step_rows().remove(0);
    assert_eq!(first.duration_ns, 5_000 * MS);
    assert_eq!(first.error_message.as_deref(), Some("no answer within 5s"));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_that_ends_the_step_is_the_result_of_the_run() {
    let bench = Bench::new();
    let policy = Policy { timeout: Some(ms(20)), ..Policy::default() };
    let outcome = bench.run(vec![sleeper("slow", 50).with_policy(policy), noop("other")]).await;
    assert_eq!(outcome.result, ResultKind::Timeout);
    assert_eq!(outcome.error_type.as_deref(), Some("timeout"));
    assert_eq!(outcome.duration_ns, 20 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_backs_off_holds_no_place() {
    let bench = Bench::with(Limits::new(1), usize::MAX);
    let flaky = fails_until("flaky", 2, ErrorClass::Transient).with_retry(attempts(2));
    let outcome = bench.run(vec![flaky, sleeper("other", 1)]).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(bench.story(), ["flaky#1=error", "other#1=success", "flaky#2=success"]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_stands_in() {
    let bench = Bench::new();
    let spare = FnComponent::new("spare", "7", |ctx: &StepContext| {
        assert_eq!(ctx.attempt(), 3);
        Ok(Output::new("from the spare"))
    });
    let step = fails_until("main", 99, ErrorClass::Transient)
        .with_retry(attempts(2))
        .or_else(OnFailure::Fallback(Arc::new(spare)));
    let reader = super::step("reader", |ctx| {
        assert_eq!(*ctx.output::<&str>("main")?, "from the spare");
        Ok(Output::none())
    });
    let outcome = bench.run(vec![step, reader.after(["main"])]).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert!(outcome.step("main").unwrap().degraded);
    let rows = bench.step_rows();
    let seen: Vec<_> =
        rows.iter().map(|row| (&*row.component, &*row.component_version, row.degraded)).collect();
    let function = ("function", "1", false);
    assert_eq!(seen, [function, function, ("spare", "7", true), function]);
    let decided = r#"{"decision":"fallback","reason":"attempts_used_up"}"#;
    assert_eq!(rows[1].attributes.as_deref(), Some(decided));
}

#[tokio::test(start_paused = true)]
async fn a_failing_fallback_is_not_repeated() {
    let bench = Bench::new();
    let spare =
        FnComponent::new("spare", "1", |_| Err(StepError::transient("spare", "empty, too")));
    let step = fails_until("main", 99, ErrorClass::Permanent)
        .with_retry(attempts(5))
        .or_else(OnFailure::Fallback(Arc::new(spare)));
    let outcome = bench.run(vec![step]).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_message.as_deref(), Some("step `main`: empty, too"));
    assert_eq!(bench.story(), ["main#1=error", "main#2=error"]);
    let reasons =
        bench.step_rows().iter().map(|row| facts(row)["reason"].clone()).collect::<Vec<_>>();
    assert_eq!(reasons, ["permanent", "fallback_failed"]);
}

#[tokio::test(start_paused = true)]
async fn a_degraded_step_lets_the_run_go_on() {
    let bench = Bench::new();
    let enrich = fails_until("enrich", 99, ErrorClass::Permanent).or_else(OnFailure::Degrade);
    let reader = step("reader", |ctx| {
        assert!(ctx.output_if::<u32>("enrich")?.is_none());
        assert_eq!(ctx.view().result_of("enrich")?, ResultKind::Error);
        Ok(Output::none())
    });
    let outcome = bench.run(vec![enrich, reader.after(["enrich"])]).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert_eq!(bench.story(), ["enrich#1=error", "reader#1=success"]);
    assert!(bench.step_rows()[0].degraded);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_is_no_error() {
    let bench = Bench::new();
    let check = step("check", |_| Ok(Output::new(3_u32).failing("3 rules are broken")));
    let steps = vec![
        check.with_retry(attempts(5)).or_else(OnFailure::Degrade),
        step("score", |ctx| Ok(Output::new(100 - *ctx.output::<u32>("check")?)))
            .after(["check"])
            .when(RunWhen::AllDone),
        noop("publish").after(["check"]),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Failure, false));
    assert_eq!(outcome.error_type.as_deref(), Some("rejected"));
    assert_eq!(outcome.error_message.as_deref(), Some("step `check`: 3 rules are broken"));
    assert_eq!(outcome.output::<u32>("score").unwrap().as_deref(), Some(&97));
    assert_eq!(bench.story(), ["check#1=failure", "publish#1=skip", "score#1=success"]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_of_its_step_alone() {
    #[derive(Debug)]
    struct Eager;
    impl Component for Eager {
        fn name(&self) -> &str {
            "eager"
        }
        fn version(&self) -> &str {
            "1"
        }
        fn run(&self, _: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
            panic!("before there is a future")
        }
    }
    let late = AsyncFn(|_| async {
        tokio::time::sleep(ms(1)).await;
        panic!("after {} ms", 1)
    });
    let task = FnComponent::new("task", "1", |_| panic!("in a task")).on(Lane::Task);
    let bench = Bench::new();
    let outcome = bench
        .run(vec![
            step("inline", |_| panic!("at once")).with_retry(attempts(3)),
            Step::new("eager", Eager),
            Step::new("late", late),
            Step::new("task", task),
            sleeper("fine", 5),
        ])
        .await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_type.as_deref(), Some("panic"));
    let message = |name| outcome.step(name).unwrap().error_message.clone().unwrap().to_string();
    assert_eq!(message("inline"), "the component panicked: at once");
    assert_eq!(message("eager"), "the component panicked: before there is a future");
    assert_eq!(message("late"), "the component panicked: after 1 ms");
    assert_eq!(message("task"), "the component panicked: in a task");
    assert_eq!(outcome.step("fine").unwrap().result, ResultKind::Success);
    assert_eq!(outcome.step("inline").unwrap().attempts, 1, "a panic is not retried");
}
