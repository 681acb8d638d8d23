//! Runs that are stopped: by a wish, by their deadline, by a sink that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::event::MetricRow;

/// A step that ends early, with its work done, when asked to stop.
fn polite(name: &str) -> Step {
    let work = AsyncFn(|ctx: StepContext| async move {
        ctx.cancel().cancelled().await;
        tokio::time::sleep(ms(100)).await;
        Ok(Output::none())
    });
    Step::new(name, work)
}

/// A step that never ends, and says when it is dropped.
fn stubborn(name: &str, dropped: &Arc<AtomicBool>) -> Step {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let dropped = Arc::clone(dropped);
    let work = AsyncFn(move |_| {
        let flag = Flag(Arc::clone(&dropped));
        async move {
            std::future::pending::<()>().await;
            drop(flag);
            Ok(Output::none())
        }
    });
    Step::new(name, work)
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_reaches_every_step() {
    let bench = Bench::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let steps = vec![
        sleeper("done", 10),
        polite("polite"),
        stubborn("stubborn", &dropped),
        fails_until("backing off", 99, ErrorClass::Transient).with_retry(Retry {
            backoff: Backoff { initial: ms(3_600_000_000), ..Backoff::default() },
            ..attempts(9)
        }),
        noop("pending").after(["polite"]),
    ];
    let plan = Arc::new(Plan::new(steps).unwrap());
    let cancel = Cancel::new();
    let run = Run { timeout: None, ..Run::new("run", "test") };
    let stopper = async {
        tokio::time::sleep(ms(50)).await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(bench.engine.execute(&plan, run, &cancel), stopper);
    let outcome = outcome.unwrap();

    assert_eq!(outcome.result, ResultKind::Cancellation);
    assert_eq!(outcome.error_type.as_deref(), Some("cancelled"));
    assert_eq!(outcome.duration_ns, 1_050 * MS, "50 ms and a second of grace");
    assert!(dropped.load(Ordering::SeqCst));
    let results: Vec<_> =
        outcome.steps.iter().map(|step| (&*step.name, step.result.as_str())).collect();
    let expected = [
        ("done", "success"),
        ("polite", "success"),
        ("stubborn", "cancellation"),
        ("backing off", "cancellation"),
        ("pending", "cancellation"),
    ];
    assert_eq!(results, expected);
    let rows = bench.step_rows();
    let again: Vec<_> = rows.iter().filter(|row| &*row.step_name == "backing off").collect();
    assert_eq!((again.len(), again[1].attempt, &*again[1].result), (2, 2, "cancellation"));
    let reason = again[1].attributes.as_deref();
    assert_eq!(reason, Some(r#"{"reason":"the run was cancelled"}"#));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_before_it_begins_starts_nothing() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let never = step("never", |_| panic!("was started"));
    let plan = Arc::new(Plan::new(vec![never]).unwrap());
    let outcome = bench.engine.execute(&plan, Run::new("run", "test"), &cancel).await.unwrap();
    assert_eq!(outcome.result, ResultKind::Cancellation);
    assert_eq!(bench.story(), ["never#1=cancellation"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_between_computing_steps_is_heard() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    let wish = cancel.clone();
    let steps = vec![
        step("a", move |_| {
            wish.cancel();
            Ok(Output::none())
        }),
        noop("b").after(["a"]),
    ];
    let plan = Arc::new(Plan::new(steps).unwrap());
    let outcome = bench.engine.execute(&plan, Run::new("run", "test"), &cancel).await.unwrap();
    assert_eq!(outcome.result, ResultKind::Cancellation);
    assert_eq!(bench.story(), ["a#1=success", "b#1=cancellation"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_after_the_last_step_changes_nothing() {
    let bench = Bench::new();
    let cancel = Cancel::new();
    let wish = cancel.clone();
    let only = step("only", move |_| {
        wish.cancel();
        Ok(Output::none())
    });
    let plan = Arc::new(Plan::new(vec![only]).unwrap());
    let outcome = bench.engine.execute(&plan, Run::new("run", "test"), &cancel).await.unwrap();
    assert_eq!(outcome.result, ResultKind::Success);
}

#[tokio::test(start_paused = true)]
async fn a_run_in_its_grace_takes_no_place_from_others() {
    let bench = Bench::with(Limits::new(2), usize::MAX);
    let dropped = Arc::new(AtomicBool::new(false));
    let stopped = Plan::new(vec![stubborn("stubborn", &dropped), noop("queues")]).unwrap();
    let (stopped, cancel) = (Arc::new(stopped), Cancel::new());
    let (_, _, other, ()) = tokio::join!(
        biased;
        bench.run_as(vec![sleeper("a", 100)], Run::new("first", "test")),
        bench.engine.execute(&stopped, Run::new("stopped", "test"), &cancel),
        bench.run_as(vec![sleeper("b", 100)], Run::new("other", "test")),
        async {
            tokio::time::sleep(ms(50)).await;
            cancel.cancel();
        }
    );
    // `queues` was first in line for the place of `a`
    assert_eq!(other.duration_ns, 200 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_run_has_a_deadline() {
    let bench = Bench::new();
    let run = Run { timeout: Some(ms(100)), grace: ms(0), ..Run::new("run", "test") };
    let steps = vec![sleeper("slow", 500), noop("next").after(["slow"])];
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(outcome.result, ResultKind::Timeout);
    assert_eq!(outcome.error_type.as_deref(), Some("deadline"));
    assert!((100 * MS..=102 * MS).contains(&outcome.duration_ns), "{}", outcome.duration_ns);
    assert_eq!(outcome.step("next").unwrap().result, ResultKind::Cancellation);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_in_the_middle_ends_the_run() {
    let bench = Bench::with(Limits::new(8), 1);
    let steps = vec![
        step("talker", |ctx| {
            ctx.emit(MetricRow::default())?;
            ctx.emit(MetricRow::default()).map(|()| Output::none())
        }),
        polite("polite"),
        noop("next").after(["polite"]),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_type.as_deref(), Some("sink"));
    assert_eq!(outcome.sink_error.as_ref().unwrap().to_string(), "the disk is full");
    assert_eq!(outcome.step("next").unwrap().result, ResultKind::Cancellation);
    assert_eq!(bench.rows().len(), 1, "a sink that has failed is not asked again");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_fails_at_the_end_makes_the_run_an_error() {
    let bench = Bench::with(Limits::new(8), 1);
    let outcome = bench.run(vec![noop("a"), noop("b")]).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(outcome.error_message.as_deref(), Some("the disk is full"));
    assert_eq!(outcome.step("b").unwrap().result, ResultKind::Success);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_left_behind_has_no_say() {
    let bench = Bench::new();
    let (sender, receiver) = tokio::sync::oneshot::channel::<StepContext>();
    let sender = Mutex::new(Some(sender));
    let keeper = step("keeper", move |ctx| {
        let sender = sender.lock().unwrap().take().unwrap();
        sender.send(ctx.clone()).unwrap();
        Ok(Output::none())
    });
    bench.run(vec![keeper]).await;
    let error = receiver.await.unwrap().emit(MetricRow::default()).unwrap_err();
    assert_eq!(error.class, ErrorClass::Cancelled);
    assert_eq!(bench.story(), ["keeper#1=success"]);
    assert_eq!(bench.rows().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_run_drops_its_tasks() {
    let bench = Bench::new();
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    #[derive(Debug)]
    struct Holder(Mutex<Option<tokio::sync::oneshot::Sender<()>>>);
    impl Component for Holder {
        fn name(&self) -> &str {
            "holder"
        }
        fn version(&self) -> &str {
            "1"
        }
        fn lane(&self) -> Lane {
            Lane::Task
        }
        fn run(&self, _: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
            let sender = self.0.lock().unwrap().take();
            Box::pin(async move {
                std::future::pending::<()>().await;
                drop(sender);
                Ok(Output::none())
            })
        }
    }
    let holder = Holder(Mutex::new(Some(sender)));
    let run = bench.run(vec![Step::new("task", holder)]);
    assert!(tokio::time::timeout(ms(10), run).await.is_err());
    assert!(receiver.await.is_err(), "the task was stopped and its sender dropped");
}
