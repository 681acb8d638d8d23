//! Plans inside of steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use serde_json::json;

use super::*;
use crate::event::MetricRow;

/// A component that runs plans: what it does is a function of the context.
struct Composite<F>(F);

impl<F> fmt::Debug for Composite<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Composite")
    }
}

impl<F, W> Component for Composite<F>
where
    F: Fn(StepContext) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Output, StepError>> + Send + 'static,
{
    fn name(&self) -> &str {
        "composite"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn lane(&self) -> Lane {
        Lane::Nested
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin((self.0)(ctx))
    }
}

pub(super) fn composite<F, W>(name: &str, function: F) -> Step
where
    F: Fn(StepContext) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Output, StepError>> + Send + 'static,
{
    Step::new(name, Composite(function))
}

/// A step that runs the steps that `inside` makes as a plan, and hands on its outcome's error.
pub(super) fn around(name: &str, inside: impl Fn() -> Vec<Step>) -> Step {
    around_with(name, Nested::default(), inside)
}

fn around_with(name: &str, nested: Nested, inside: impl Fn() -> Vec<Step>) -> Step {
    let plan = Arc::new(Plan::new(inside()).unwrap());
    composite(name, move |ctx| {
        let (plan, nested) = (Arc::clone(&plan), nested.clone());
        async move {
            let outcome = ctx.nested(&plan, nested).await?;
            outcome.error().map_or(Ok(Output::none()), |error| Err(error.clone()))
        }
    })
}

/// A step that runs a plan of one step per item, side by side.
fn each(name: &str, items: u64, step: impl Fn() -> Step) -> Step {
    let plan = Arc::new(Plan::new(vec![step()]).unwrap());
    composite(name, move |ctx| {
        let plan = Arc::clone(&plan);
        async move {
            let runs = (0..items).map(|item| {
                let attributes = json!({"item": item}).as_object().cloned().unwrap_or_default();
                let input = Some(Arc::new(item) as Value);
                ctx.nested(&plan, Nested { input, attributes, ..Nested::default() })
            });
            let mut sum = 0;
            for outcome in join_all(runs).await {
                sum += outcome?.output::<u64>("double")?.map_or(0, |it| *it);
            }
            Ok(Output::new(sum))
        }
    })
}

fn double() -> Step {
    step("double", |ctx| {
        ctx.emit(MetricRow::default())?;
        Ok(Output::new(*ctx.input::<u64>()? * 2))
    })
}

#[tokio::test(start_paused = true)]
async fn a_step_runs_a_plan_for_each_item() {
    let bench = Bench::new();
    let reader = step("sum", |ctx| Ok(Output::new(*ctx.output::<u64>("each")?)));
    let steps =
        vec![noop("first"), each("each", 3, double).after(["first"]), reader.after(["each"])];
    let run = Run { batch_id: Some("batch".into()), ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(outcome.output::<u64>("sum").unwrap().as_deref(), Some(&6));

    let rows = bench.step_rows();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| {
            let parent = row.parent_step_id.as_deref().unwrap_or_default();
            (&*row.step_id, &*row.step_name, parent, row.attributes.as_deref().unwrap_or_default())
        })
        .collect();
    let expected = [
        ("0000000000000001", "first", "", ""),
        ("0000000000000002", "each", "", ""),
        ("0000000000000003", "each/double", "0000000000000002", r#"{"item":0}"#),
        ("0000000000000004", "each/double", "0000000000000002", r#"{"item":1}"#),
        ("0000000000000005", "each/double", "0000000000000002", r#"{"item":2}"#),
        ("0000000000000006", "sum", "", ""),
    ];
    assert_eq!(seen, expected);
    assert!(rows.iter().all(|row| row.batch_id.as_deref() == Some("batch")));
    let metrics: Vec<_> = bench
        .rows()
        .into_iter()
        .filter_map(|row| if let Row::Metrics(row) = row { row.step_id } else { None })
        .collect();
    assert_eq!(metrics.len(), 3);
    assert_eq!(&*metrics[2], "0000000000000005");
}

#[tokio::test(start_paused = true)]
async fn one_place_is_enough_however_deep() {
    for strategy in Strategy::ALL {
        let limits = Limits::new(1).with_resource("model", 1);
        let (bench, most) = (Bench::with(limits, usize::MAX), Arc::new(AtomicUsize::new(0)));
        let gauge = Arc::clone(&most);
        let leaf = move |name: &str| {
            let gauge = Arc::clone(&gauge);
            let work = AsyncFn(move |_| {
                let gauge = Arc::clone(&gauge);
                async move {
                    assert_eq!(gauge.fetch_add(1, Ordering::SeqCst), 0, "one place");
                    tokio::time::sleep(ms(10)).await;
                    gauge.fetch_sub(1, Ordering::SeqCst);
                    Ok(Output::none())
                }
            });
            Step::new(name, work)
        };
        let inmost = || vec![leaf("a"), leaf("b").using("model"), leaf("c").after(["b"])];
        let middle = || vec![leaf("m").using("model"), around("in", inmost), around("in2", inmost)];
        let outer =
            || vec![around("mid", middle), leaf("o").using("model"), around("mid2", middle)];
        let steps = vec![around("out", outer), leaf("x").using("model"), around("out2", outer)];
        let run = Run { strategy, concurrency_max: 2, ..Run::new("run", "test") };
        let outcome = bench.run_as(steps, run).await;
        // of the leaves: 6 in each middle and its own; 2 of those in each outer and its own
        let leaves = 2 * (2 * (6 + 1) + 1) + 1;
        assert_eq!(outcome.result, ResultKind::Success, "{strategy}");
        assert_eq!(outcome.duration_ns, leaves * 10 * MS, "no place is left empty: {strategy}");
        assert_eq!(outcome.work_ns, leaves * 10 * MS, "nothing is counted twice: {strategy}");
        let rows = bench.step_rows();
        let ids: Vec<_> = rows.iter().map(|row| row.step_id.clone()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        assert!(rows.iter().any(|row| &*row.step_name == "out2/mid2/in2/c"));
        let queue: i64 = rows.iter().map(|row| row.queue_ns).sum();
        assert_eq!(outcome.queue_ns, queue);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sequential_run_does_one_thing_at_a_time_inside_too() {
    let bench = Bench::new();
    let inside = || vec![sleeper("a", 10), sleeper("b", 10)];
    let steps = vec![sleeper("x", 10), around("in", inside), sleeper("y", 10)];
    let run = Run { strategy: Strategy::Sequential, ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.duration_ns, 40 * MS);
    let story = ["x#1=success", "in#1=success", "in/a#1=success", "in/b#1=success", "y#1=success"];
    assert_eq!(bench.story(), story);
}

#[tokio::test(start_paused = true)]
async fn a_composite_step_holds_no_place_and_each_step_inside_one_of_its_run() {
    let bench = Bench::new();
    let inside = || vec![sleeper("a", 10)];
    let steps = vec![around("in", inside), around("in2", inside), sleeper("x", 10)];
    let run = Run { concurrency_max: 1, ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.duration_ns, 30 * MS);
    assert_eq!(outcome.step("in2").unwrap().queue_ns, 0);
}

#[tokio::test(start_paused = true)]
async fn a_composite_step_that_starts_opens_no_way_for_others() {
    let bench = Bench::with(Limits::new(9).with_resource("model", 1), usize::MAX);
    let steps = vec![
        sleeper("x", 10),
        sleeper("asks", 10).using("model"),
        around("in", || vec![sleeper("a", 5)]),
        around("in2", || vec![sleeper("a", 5)]).after(["in"]),
        noop("behind").after(["asks"]),
        noop("far behind").after(["behind"]),
        noop("behind x").after(["x"]),
        noop("far behind x").after(["behind x"]),
    ];
    let run = Run { concurrency_max: 1, ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    // `in` and `in2` may start although the run is full, but `asks`, more urgent, may not
    assert_eq!(outcome.duration_ns, 30 * MS);
    assert_eq!(outcome.step("asks").unwrap().queue_ns, 15 * MS, "it takes turns with `in`");
    assert_eq!(outcome.step("in2").unwrap().queue_ns, 0);
}

#[tokio::test(start_paused = true)]
async fn an_inner_plan_has_a_limit_of_its_own_within_that_of_its_run() {
    for (concurrency_max, duration_ms) in [(None, 20), (Some(1), 40), (Some(4), 20)] {
        let bench = Bench::new();
        let nested = Nested { concurrency_max, ..Nested::default() };
        let inside = || (0..4).map(|n| sleeper(&format!("s{n}"), 10)).collect();
        let run = Run { concurrency_max: 2, ..Run::new("run", "test") };
        let outcome = bench.run_as(vec![around_with("in", nested, inside)], run).await;
        assert_eq!(outcome.duration_ns, duration_ms * MS, "{concurrency_max:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_critical_path_goes_through_the_plans_inside() {
    let bench = Bench::new();
    let plans = [[10, 30], [20, 5], [40, 1]].map(|[long, short]| {
        let steps = vec![sleeper("long", long), sleeper("short", short)];
        Arc::new(Plan::new(steps).unwrap())
    });
    // the first two side by side, the third after both
    let work = composite("in", move |ctx| {
        let [a, b, c] = plans.each_ref().map(Arc::clone);
        async move {
            let runs = [&a, &b].map(|plan| ctx.nested(plan, Nested::default()));
            join_all(runs).await;
            ctx.nested(&c, Nested::default()).await?;
            Ok(Output::none())
        }
    });
    let steps = vec![work, sleeper("beside", 60), sleeper("end", 1).after(["in", "beside"])];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.duration_ns, 71 * MS);
    assert_eq!(outcome.critical_path_ns, 71 * MS);
    assert_eq!(outcome.work_ns, (10 + 30 + 20 + 5 + 40 + 1 + 60 + 1) * MS);
    let rows = bench.step_rows();
    let critical: Vec<_> = rows
        .iter()
        .filter(|row| row.on_critical_path)
        .map(|row| (&*row.step_name, row.duration_ns / MS))
        .collect();
    assert_eq!(critical, [("in", 70), ("in/short", 30), ("in/long", 40), ("end", 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_inner_failure_is_that_of_the_step_with_its_class() {
    let bench = Bench::new();
    let inside = || {
        vec![
            fails_until("flaky", 9, ErrorClass::Transient),
            noop("next").after(["flaky"]),
            noop("other"),
        ]
    };
    let steps = vec![around("in", inside).with_retry(attempts(2)), noop("end").after(["in"])];
    let outcome = bench.run(steps).await;
    assert_eq!((outcome.result, outcome.error_type.as_deref()), (ResultKind::Error, Some("flaky")));
    let message = "step `in`: step `flaky`: attempt 1";
    assert_eq!(outcome.error_message.as_deref(), Some(message));
    let once = ["in#{}=error", "in/flaky#1=error", "in/other#1=success", "in/next#1=skip"];
    let mut story: Vec<_> = [1, 2]
        .iter()
        .flat_map(|attempt| once.map(|it| it.replace("{}", &attempt.to_string())))
        .collect();
    story.push("end#1=skip".to_owned());
    let mut seen = bench.story();
    seen[1..4].sort();
    seen[5..8].sort();
    story[1..4].sort();
    story[5..8].sort();
    assert_eq!(seen, story);
}

#[tokio::test(start_paused = true)]
async fn inner_degradation_is_seen_outside() {
    let bench = Bench::new();
    let inside =
        || vec![fails_until("flaky", 9, ErrorClass::Permanent).or_else(OnFailure::Degrade)];
    let outcome = bench.run(vec![around("in", inside)]).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert!(bench.step_rows().iter().all(|row| row.degraded));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long_stops_what_is_inside() {
    let bench = Bench::new();
    let inside = || vec![sleeper("quick", 10), sleeper("slow", 500), noop("end").after(["slow"])];
    let mut outer = around("in", || vec![around("mid", inside)]);
    outer.policy.timeout = Some(ms(100));
    let outcome = bench.run(vec![outer]).await;
    assert_eq!(
        (outcome.result, outcome.error_type.as_deref()),
        (ResultKind::Timeout, Some("timeout"))
    );
    assert!((100 * MS..=102 * MS).contains(&outcome.duration_ns), "{}", outcome.duration_ns);
    let mut story = bench.story();
    story.sort();
    let expected = [
        "in#1=timeout",
        "in/mid#1=cancellation",
        "in/mid/end#1=cancellation",
        "in/mid/quick#1=success",
        "in/mid/slow#1=cancellation",
    ];
    assert_eq!(story, expected);
    assert_eq!(outcome.work_ns / MS, (10 * MS + outcome.duration_ns) / MS);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_stops_what_is_inside_and_loses_no_row() {
    let bench = Bench::new();
    let polite = || {
        Step::new(
            "polite",
            AsyncFn(|ctx: StepContext| async move {
                ctx.cancel().cancelled().await;
                tokio::time::sleep(ms(100)).await;
                Ok(Output::none())
            }),
        )
    };
    let inside = move || vec![polite(), sleeper("slow", 60_000), noop("end").after(["polite"])];
    let plan = Arc::new(Plan::new(vec![around("in", || vec![around("mid", inside)])]).unwrap());
    let cancel = Cancel::new();
    let (outcome, ()) =
        tokio::join!(bench.engine.execute(&plan, Run::new("run", "test"), &cancel), async {
            tokio::time::sleep(ms(50)).await;
            cancel.cancel();
        });
    let outcome = outcome.unwrap();
    assert_eq!(outcome.result, ResultKind::Cancellation);
    assert_eq!(outcome.duration_ns / MS, 1_050, "the grace is one for all");
    let mut story = bench.story();
    story.sort();
    let expected = [
        "in#1=cancellation",
        "in/mid#1=cancellation",
        "in/mid/end#1=cancellation",
        "in/mid/polite#1=success",
        "in/mid/slow#1=cancellation",
    ];
    assert_eq!(story, expected);
}

#[tokio::test(start_paused = true)]
async fn a_composite_that_gives_up_its_plan_leaves_its_rows() {
    let bench = Bench::new();
    let plan = Arc::new(Plan::new(vec![sleeper("slow", 500), noop("quick")]).unwrap());
    let impatient = composite("in", move |ctx| {
        let plan = Arc::clone(&plan);
        async move {
            let inner = ctx.nested(&plan, Nested::default());
            assert!(tokio::time::timeout(ms(5), inner).await.is_err());
            Ok(Output::none())
        }
    });
    let outcome = bench.run(vec![impatient]).await;
    assert_eq!(outcome.result, ResultKind::Success);
    assert_eq!(bench.story(), ["in#1=success", "in/slow#1=cancellation", "in/quick#1=success"]);
    let message = bench.step_rows()[1].error_message.clone().unwrap();
    assert_eq!(&*message, "the step around it was given up");
}

#[tokio::test(start_paused = true)]
async fn wrong_use_is_an_error_that_names_the_step() {
    let bench = Bench::with(Limits::new(2).with_resource("model", 1), usize::MAX);
    let plan = Arc::new(Plan::new(vec![noop("a")]).unwrap());
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let keeper = composite("keeper", move |ctx| {
        *keep.lock().unwrap() = Some(ctx);
        async { Ok(Output::none()) }
    });
    let (inline, unknown) = (Arc::clone(&plan), Plan::new(vec![noop("a").using("modell")]));
    let unknown = Arc::new(unknown.unwrap());
    let steps = vec![
        Step::new(
            "inline",
            AsyncFn(move |ctx: StepContext| {
                let plan = Arc::clone(&inline);
                async move { ctx.nested(&plan, Nested::default()).await.map(|_| Output::none()) }
            }),
        ),
        composite("unknown", move |ctx| {
            let plan = Arc::clone(&unknown);
            async move { ctx.nested(&plan, Nested::default()).await.map(|_| Output::none()) }
        }),
        keeper,
    ];
    let outcome = bench.run(steps).await;
    let message = |name| outcome.step(name).unwrap().error_message.clone().unwrap().to_string();
    assert_eq!(
        message("inline"),
        "step `inline` runs a plan inside, but its lane is not `Lane::Nested`"
    );
    let unset = "no limit is set for the resource `modell`; Did you mean `model`?";
    assert_eq!(message("unknown"), unset);
    let ctx = kept.lock().unwrap().take().unwrap();
    let late = ctx.nested(&plan, Nested::default()).await.unwrap_err();
    assert_eq!(late.to_string(), "step `keeper` has ended");

    let greedy =
        Arc::new(Plan::new(vec![around("in", || vec![noop("a")]).using("model")]).unwrap());
    let refused = bench.engine.execute(&greedy, Run::new("run", "test"), &Cancel::new()).await;
    let message = "step `in` runs a plan inside and can hold no place of `model`";
    assert_eq!(refused.unwrap_err().to_string(), message);
}

/// A step that runs itself inside.
#[derive(Debug)]
struct Endless;

impl Component for Endless {
    fn name(&self) -> &str {
        "endless"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn lane(&self) -> Lane {
        Lane::Nested
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let plan = Arc::new(Plan::new(vec![Step::new("in", Self)])?);
            let outcome = ctx.nested(&plan, Nested::default()).await?;
            outcome.error().map_or(Ok(Output::none()), |error| Err(error.clone()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_inside_of_itself_comes_to_an_end() {
    let bench = Bench::new();
    let outcome = bench.run(vec![Step::new("in", Endless)]).await;
    assert_eq!(outcome.error_type.as_deref(), Some("nesting"));
    assert_eq!(bench.step_rows().len(), NESTING_MAX + 1);
}

#[tokio::test(start_paused = true)]
async fn items_do_not_wait_in_step_with_each_other() {
    let bench = Bench::new();
    let flaky = || fails_until("double", 2, ErrorClass::Transient).with_retry(attempts(2));
    bench.run(vec![each("each", 20, flaky)]).await;
    let rows = bench.step_rows();
    let mut waits: Vec<_> = rows.iter().map(|row| row.wait_ns).filter(|wait| *wait > 0).collect();
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 15, "{waits:?}");
}
