//! Limits: of a run, of all runs, of a resource; and turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::clock::ManualClock;

/// Counts how many work at a time, and the most that ever did.
#[derive(Debug, Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Gauge {
    fn step(self: &Arc<Self>, name: String, duration_ms: u64) -> Step {
        let gauge = Arc::clone(self);
        let work = AsyncFn(move |_| {
            let gauge = Arc::clone(&gauge);
            async move {
                let now = gauge.now.fetch_add(1, Ordering::SeqCst) + 1;
                gauge.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(ms(duration_ms)).await;
                gauge.now.fetch_sub(1, Ordering::SeqCst);
                Ok(Output::none())
            }
        });
        Step::new(name, work)
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

fn steps(gauge: &Arc<Gauge>, count: usize) -> Vec<Step> {
    (0..count).map(|n| gauge.step(format!("s{n}"), 10)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_keeps_its_own_limit() {
    for (strategy, most, duration_ms) in [
        (Strategy::ReadyQueue, 3, 40),
        (Strategy::StagedParallel, 3, 40),
        (Strategy::Sequential, 1, 100),
        (Strategy::FullParallel, 10, 10),
        (Strategy::DependencyChains, 3, 40),
    ] {
        let (bench, gauge) = (Bench::new(), Arc::new(Gauge::default()));
        let run = Run { concurrency_max: 3, strategy, ..Run::new("run", "test") };
        let outcome = bench.run_as(steps(&gauge, 10), run).await;
        assert_eq!((gauge.most(), outcome.duration_ns), (most, duration_ms * MS), "{strategy}");
        assert_eq!(outcome.strategy, strategy);
    }
}

#[tokio::test(start_paused = true)]
async fn a_barrier_costs_what_the_ready_queue_saves() {
    let duration = async |strategy| {
        let steps = vec![
            sleeper("a", 10),
            sleeper("b", 50),
            sleeper("a2", 50).after(["a"]),
            sleeper("b2", 10).after(["b"]),
        ];
        let run = Run { strategy, ..Run::new("run", "test") };
        Bench::new().run_as(steps, run).await.duration_ns / MS
    };
    assert_eq!(duration(Strategy::ReadyQueue).await, 60);
    assert_eq!(duration(Strategy::StagedParallel).await, 100);
}

#[tokio::test(start_paused = true)]
async fn runs_share_places_and_take_turns() {
    let (bench, gauge) = (Bench::with(Limits::new(2), usize::MAX), Arc::new(Gauge::default()));
    let first = bench.run_as(steps(&gauge, 6), Run::new("first", "test"));
    let second = bench.run_as(steps(&gauge, 6), Run::new("second", "test"));
    let (first, second) = tokio::join!(first, second);
    assert_eq!(gauge.most(), 2);
    assert_eq!((first.result, second.result), (ResultKind::Success, ResultKind::Success));
    let ends = [first.duration_ns / MS, second.duration_ns / MS];
    assert_eq!(ends.iter().max(), Some(&60), "no place is left empty: {ends:?}");
    assert!(ends.iter().all(|end| *end >= 50), "none waits for the other's end: {ends:?}");
}

#[tokio::test(start_paused = true)]
async fn a_more_urgent_run_goes_first() {
    for resource in [false, true] {
        let limits = Limits::new(if resource { 9 } else { 1 }).with_resource("model", 1);
        let (bench, gauge) = (Bench::with(limits, usize::MAX), Arc::new(Gauge::default()));
        let run = |name: &str, priority| {
            let steps = steps(&gauge, 4).into_iter();
            let steps = steps.map(|step| if resource { step.using("model") } else { step });
            bench.run_as(steps.collect(), Run { priority, ..Run::new(name, "test") })
        };
        let late = async {
            tokio::time::sleep(ms(15)).await;
            run("urgent", 1).await
        };
        let (slow, patient, urgent) = tokio::join!(run("slow", 0), run("patient", -1), late);
        assert_eq!(gauge.most(), 1);
        assert_eq!(urgent.duration_ns, 45 * MS, "it waits only for what works already");
        assert_eq!(slow.duration_ns, 80 * MS);
        assert_eq!(patient.duration_ns, 120 * MS);
    }
}

#[tokio::test(start_paused = true)]
async fn a_resource_is_shared_and_holds_up_nobody_else() {
    let limits = Limits::new(4).with_resource("model", 1);
    let (bench, model) = (Bench::with(limits, usize::MAX), Arc::new(Gauge::default()));
    let asks = |_| {
        let asks = (0..3).map(|n| model.step(format!("ask{n}"), 10).using("model"));
        asks.chain([sleeper("think", 10)]).collect::<Vec<_>>()
    };
    let (one, two) = tokio::join!(
        bench.run_as(asks(1), Run::new("one", "test")),
        bench.run_as(asks(2), Run::new("two", "test")),
    );
    assert_eq!(model.most(), 1);
    assert_eq!(one.duration_ns.max(two.duration_ns), 60 * MS);
    for outcome in [one, two] {
        assert_eq!(outcome.result, ResultKind::Success);
        assert_eq!(outcome.step("think").unwrap().queue_ns, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn scarce_places_and_scarce_resources_end_all_the_same() {
    let limits = Limits::new(1).with_resource("model", 1).with_resource("disk", 1);
    let (bench, gauge) = (Bench::with(limits, usize::MAX), Arc::new(Gauge::default()));
    let runs = (0..5).map(|n| {
        let steps = (0..6).map(|m| {
            let step = gauge.step(format!("s{m}"), 10);
            match (m + n) % 3 {
                0 => step,
                1 => step.using("model"),
                _ => step.using("disk"),
            }
        });
        bench.run_as(steps.collect(), Run::new(format!("run {n}"), "test"))
    });
    let outcomes = futures::future::join_all(runs).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == ResultKind::Success));
    assert_eq!(gauge.most(), 1);
    let last = outcomes.iter().map(|outcome| outcome.duration_ns).max();
    assert_eq!(last, Some(300 * MS), "the one place is never left empty");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_resource_is_refused_before_anything_runs() {
    let bench = Bench::with(Limits::new(1).with_resource("model", 1), usize::MAX);
    let plan = Arc::new(Plan::new(vec![noop("a").using("modell")]).unwrap());
    let refused = bench.engine.execute(&plan, Run::new("run", "test"), &Cancel::new()).await;
    let error = refused.unwrap_err();
    assert_eq!(error.to_string(), "no limit is set for the resource `modell`");
    assert_eq!(error.hint(), Some("Did you mean `model`?"));
    assert!(bench.rows().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_computing_run_lets_others_have_their_turn() {
    let clock = ManualClock::at(0);
    let mut bench = Bench::new();
    bench.engine.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let ended = Arc::new(AtomicUsize::new(0));
    let steps = (0..10).map(|n| {
        let (clock, ended) = (Arc::clone(&clock), Arc::clone(&ended));
        step(&format!("s{n}"), move |_| {
            clock.advance_ns(MS);
            ended.fetch_add(1, Ordering::SeqCst);
            Ok(Output::none())
        })
    });
    let seen = async { ended.load(Ordering::SeqCst) };
    let (outcome, seen) = tokio::join!(biased; bench.run(steps.collect()), seen);
    assert_eq!(outcome.work_ns, 10 * MS);
    assert_eq!(seen, 2, "after more than a millisecond the other future is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_one_run_compute_side_by_side() {
    // each waits, computing, for the other: in one thread this would never end
    let both = Arc::new(std::sync::Barrier::new(2));
    let meet = |name: &str| {
        let both = Arc::clone(&both);
        let work = move |_: &StepContext| {
            both.wait();
            Ok(Output::none())
        };
        Step::new(name, FnComponent::new("meet", "1", work).on(Lane::Task))
    };
    // a worker must be free for the second task: the run itself is awaited in the main thread
    let outcome = Bench::new().run(vec![meet("one"), meet("two")]).await;
    assert_eq!(outcome.result, ResultKind::Success);
}
