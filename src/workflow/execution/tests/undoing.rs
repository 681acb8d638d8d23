//! Effects that are taken back when a run fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::nested::{around, composite};
use super::*;

type Told = Arc<Mutex<Vec<String>>>;

/// Something that tells what it takes back, after so many milliseconds.
fn undo(told: &Told, duration_ms: u64) -> impl Component + use<> {
    let told = Arc::clone(told);
    AsyncFn(move |ctx: StepContext| {
        let told = Arc::clone(&told);
        async move {
            assert!(!ctx.cancel().is_cancelled(), "the end of the run is not that of its undoing");
            tokio::time::sleep(ms(duration_ms)).await;
            let name = ctx.step_name().to_owned();
            let output = ctx.output::<u64>(&name)?;
            told.lock().unwrap().push(format!("{name} {output}"));
            Ok(Output::none())
        }
    })
}

fn told(told: &Told) -> Vec<String> {
    told.lock().unwrap().clone()
}

fn broken(name: &str) -> Step {
    fails_until(name, 99, ErrorClass::Permanent)
}

#[tokio::test(start_paused = true)]
async fn the_last_to_end_is_taken_back_first() {
    let (bench, list) = (Bench::new(), Told::default());
    let steps = vec![
        sleeper("slow", 30).undone_by(undo(&list, 5)),
        sleeper("quick", 10).undone_by(undo(&list, 5)),
        noop("nothing to take back"),
        broken("never worked").undone_by(undo(&list, 5)),
        broken("end").after(["slow"]),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!(outcome.result, ResultKind::Error);
    assert_eq!(told(&list), ["slow 30", "quick 10"]);
    assert_eq!((outcome.duration_ns, outcome.work_ns), (40 * MS, 40 * MS));
    let rows = bench.step_rows();
    let undone: Vec<_> = rows.iter().rev().take(2).rev().collect();
    let seen: Vec<_> = undone
        .iter()
        .map(|row| (&*row.step_name, &*row.component, &*row.result, row.duration_ns / MS))
        .collect();
    let expected = [("slow.undo", "async", "success", 5), ("quick.undo", "async", "success", 5)];
    assert_eq!(seen, expected);
    let reason = undone[0].attributes.as_deref();
    assert_eq!(reason, Some(r#"{"reason":"the run ended as error"}"#));
    assert!(rows.windows(2).all(|pair| pair[0].step_id < pair[1].step_id));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_back_of_a_run_that_succeeds() {
    let (bench, list) = (Bench::new(), Told::default());
    let steps = vec![
        sleeper("a", 1).undone_by(undo(&list, 5)),
        broken("b").or_else(OnFailure::Degrade).undone_by(undo(&list, 5)),
    ];
    assert_eq!(bench.run(steps).await.result, ResultKind::Success);
    assert!(told(&list).is_empty());
}

#[tokio::test(start_paused = true)]
async fn verdicts_deadlines_and_wishes_take_back_too() {
    let (bench, list) = (Bench::new(), Told::default());
    let first = || sleeper("a", 1).undone_by(undo(&list, 5));
    let no = step("no", |_| Ok(Output::none().failing("no"))).after(["a"]);
    assert_eq!(bench.run(vec![first(), no]).await.result, ResultKind::Failure);
    assert_eq!(told(&list).len(), 1);

    let run = Run { timeout: Some(ms(10)), ..Run::new("run", "test") };
    let outcome = bench.run_as(vec![first(), sleeper("slow", 60_000)], run).await;
    assert_eq!(outcome.result, ResultKind::Timeout);
    assert_eq!(told(&list).len(), 2);

    let plan = Arc::new(Plan::new(vec![first(), sleeper("slow", 60_000)]).unwrap());
    let cancel = Cancel::new();
    let wish = async {
        tokio::time::sleep(ms(10)).await;
        cancel.cancel();
    };
    let run = bench.engine.execute(&plan, Run::new("run", "test"), &cancel);
    let (outcome, ()) = tokio::join!(run, wish);
    assert_eq!(outcome.unwrap().result, ResultKind::Cancellation);
    assert_eq!(told(&list).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_is_named_and_stops_no_other() {
    let (bench, list) = (Bench::new(), Told::default());
    let fails = FnComponent::new("fails", "1", |_| Err(StepError::transient("io", "no way back")));
    let panics = FnComponent::new("panics", "1", |_| panic!("oh"));
    let hangs = AsyncFn(|_| std::future::pending());
    let mut hanging = sleeper("d", 4).undone_by(hangs);
    hanging.policy.timeout = Some(ms(50));
    let steps = vec![
        sleeper("a", 1).undone_by(undo(&list, 5)),
        sleeper("b", 2).undone_by(fails).with_retry(attempts(9)),
        sleeper("c", 3).undone_by(panics),
        hanging,
        broken("end").after(["a", "b", "c", "d"]),
    ];
    let outcome = bench.run(steps).await;
    assert_eq!(told(&list), ["a 1"]);
    let message = "step `end`: attempt 1; could not undo `d`: no answer within 50ms; could not undo \
                   `c`: the component panicked: oh; could not undo `b`: no way back";
    assert_eq!(outcome.error_message.as_deref(), Some(message));
    let rows = bench.step_rows();
    let results: Vec<_> = rows.iter().skip(5).map(|row| &*row.result).collect();
    assert_eq!(results, ["timeout", "error", "error", "success"]);
    assert_eq!(rows[6].error_type.as_deref(), Some("panic"));
}

#[tokio::test(start_paused = true)]
async fn all_undoing_together_has_a_grace() {
    let (bench, list) = (Bench::new(), Told::default());
    let mut steps: Vec<_> =
        (1..=4).map(|n| sleeper(&format!("s{n}"), n).undone_by(undo(&list, 40))).collect();
    steps.push(broken("end").after(["s1", "s2", "s3", "s4"]));
    let run = Run { undo_grace: ms(100), ..Run::new("run", "test") };
    let outcome = bench.run_as(steps, run).await;
    assert_eq!(told(&list), ["s4 4", "s3 3"]);
    assert!((104 * MS..=105 * MS).contains(&outcome.duration_ns), "{}", outcome.duration_ns);
    let rows = bench.step_rows();
    let seen: Vec<_> =
        rows.iter().skip(5).map(|row| (&*row.step_name, row.error_type.as_deref())).collect();
    let late = Some("undo_deadline");
    let expected = [("s4.undo", None), ("s3.undo", None), ("s2.undo", late), ("s1.undo", late)];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn a_plan_inside_is_taken_back_before_its_step_is_tried_again() {
    let (bench, list) = (Bench::new(), Told::default());
    let counted = Arc::new(AtomicUsize::new(0));
    let inside = || {
        let (list, counted) = (Arc::clone(&list), Arc::clone(&counted));
        let flaky = step("flaky", move |_| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Err(StepError::transient("flaky", "not yet")),
            _ => Ok(Output::none()),
        });
        vec![sleeper("a", 1).undone_by(undo(&list, 5)), flaky.after(["a"])]
    };
    let backoff = Backoff { initial: ms(0), max: ms(0), multiplier: 1.0 };
    let retry = Retry { attempts_max: 2, backoff, ..Retry::default() };
    let outcome = bench.run(vec![around("in", inside).with_retry(retry)]).await;
    assert_eq!(outcome.result, ResultKind::Success);
    let story = [
        "in#1=error",
        "in/a#1=success",
        "in/flaky#1=error",
        "in/a.undo#1=success",
        "in#2=success",
        "in/a#1=success",
        "in/flaky#1=success",
    ];
    assert_eq!(bench.story(), story);
    let rows = bench.step_rows();
    assert_eq!(rows[3].parent_step_id.as_deref(), Some(&*rows[0].step_id));
}

#[tokio::test(start_paused = true)]
async fn what_was_done_inside_is_taken_back_with_everything_else() {
    let (bench, list) = (Bench::new(), Told::default());
    let inside = || vec![sleeper("b", 2).undone_by(undo(&list, 5))];
    let steps = vec![
        sleeper("a", 1).undone_by(undo(&list, 5)),
        around("in", inside).after(["a"]),
        sleeper("c", 3).after(["in"]).undone_by(undo(&list, 5)),
        broken("end").after(["c"]),
    ];
    assert_eq!(bench.run(steps).await.result, ResultKind::Error);
    assert_eq!(told(&list), ["c 3", "b 2", "a 1"]);
}

#[tokio::test(start_paused = true)]
async fn plans_of_a_step_that_fails_itself_are_taken_back() {
    let (bench, list) = (Bench::new(), Told::default());
    let plan = Arc::new(Plan::new(vec![sleeper("b", 2).undone_by(undo(&list, 5))]).unwrap());
    let fails = composite("in", move |ctx| {
        let plan = Arc::clone(&plan);
        async move {
            ctx.nested(&plan, Nested::default()).await?;
            Err(StepError::permanent("late", "after all"))
        }
    });
    let outcome = bench.run(vec![fails.or_else(OnFailure::Degrade), sleeper("x", 1)]).await;
    assert_eq!((outcome.result, outcome.degraded), (ResultKind::Success, true));
    assert_eq!(told(&list), ["b 2"], "the run succeeded, but not the step");
    assert_eq!(outcome.duration_ns, 7 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_takes_back_what_was_done_at_every_depth() {
    let (bench, list) = (Bench::new(), Told::default());
    let inside = || {
        let inmost = || vec![sleeper("c", 3).undone_by(undo(&list, 5)), sleeper("slow", 60_000)];
        vec![sleeper("b", 2).undone_by(undo(&list, 5)), around("in", inmost)]
    };
    let steps = vec![sleeper("a", 1).undone_by(undo(&list, 5)), around("in", inside)];
    let plan = Arc::new(Plan::new(steps).unwrap());
    let cancel = Cancel::new();
    let wish = async {
        tokio::time::sleep(ms(10)).await;
        cancel.cancel();
    };
    let run = bench.engine.execute(&plan, Run::new("run", "test"), &cancel);
    let (outcome, ()) = tokio::join!(run, wish);
    assert_eq!(outcome.unwrap().result, ResultKind::Cancellation);
    let mut undone = told(&list);
    undone.sort();
    assert_eq!(undone, ["a 1", "b 2", "c 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_too_long_takes_back_what_was_done_inside() {
    let (bench, list) = (Bench::new(), Told::default());
    let inside = || vec![sleeper("b", 2).undone_by(undo(&list, 5)), sleeper("slow", 60_000)];
    let mut outer = around("in", inside).or_else(OnFailure::Degrade);
    outer.policy.timeout = Some(ms(10));
    let outcome = bench.run(vec![outer]).await;
    assert_eq!(outcome.step("in").unwrap().result, ResultKind::Timeout);
    assert_eq!(told(&list), ["b 2"]);
    assert_eq!(outcome.duration_ns / MS, 15);
}
