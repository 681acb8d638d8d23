//! Random graphs with random faults against a plain model of the rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;

/// How a step behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Work,
    WorkOnSecondAttempt,
    Break,
    BreakButDegrade,
    BreakButFallBack,
    Reject,
    Panic,
    Hang,
    NotWanted,
}

#[derive(Debug, Clone)]
struct Drawn {
    act: Act,
    duration_ms: u64,
    after: Vec<usize>,
    run_when: RunWhen,
    scarce: bool,
}

fn act() -> impl Strategy2<Value = Act> {
    prop_oneof![
        8 => Just(Act::Work),
        1 => Just(Act::WorkOnSecondAttempt),
        1 => Just(Act::Break),
        1 => Just(Act::BreakButDegrade),
        1 => Just(Act::BreakButFallBack),
        1 => Just(Act::Reject),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
        1 => Just(Act::NotWanted),
    ]
}

use proptest::strategy::Strategy as Strategy2;

fn graph(acts: impl Strategy2<Value = Act>) -> impl Strategy2<Value = Vec<Drawn>> {
    let run_when = prop_oneof![
        4 => Just(RunWhen::AllSuccess),
        1 => Just(RunWhen::AnySuccess),
        1 => Just(RunWhen::NoneFailed),
        1 => Just(RunWhen::AllDone),
    ];
    let after = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    let step = (acts, 0_u64..30, after, run_when, any::<bool>());
    prop::collection::vec(step, 1..40).prop_map(|steps| {
        let drawn = steps.into_iter().enumerate();
        drawn
            .map(|(at, (act, duration_ms, after, run_when, scarce))| {
                let mut after: Vec<usize> =
                    after.iter().filter(|_| at > 0).map(|it| it.index(at.max(1))).collect();
                after.sort_unstable();
                after.dedup();
                Drawn { act, duration_ms, after, run_when, scarce }
            })
            .collect()
    })
}

/// Counts of working steps, to see that limits hold.
#[derive(Debug, Default)]
struct Counts {
    working: AtomicUsize,
    most: AtomicUsize,
    scarce: AtomicUsize,
    scarce_most: AtomicUsize,
}

/// Counts down when dropped, so that hanging steps count until they are given up.
struct Working(Arc<Counts>, bool);

impl Working {
    fn begin(counts: &Arc<Counts>, scarce: bool) -> Self {
        let working = counts.working.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(working, Ordering::SeqCst);
        if scarce {
            let working = counts.scarce.fetch_add(1, Ordering::SeqCst) + 1;
            counts.scarce_most.fetch_max(working, Ordering::SeqCst);
        }
        Self(Arc::clone(counts), scarce)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::SeqCst);
        if self.1 {
            self.0.scarce.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn steps(drawn: &[Drawn], counts: &Arc<Counts>) -> Vec<Step> {
    let of_one = |(at, drawn): (usize, &Drawn)| {
        let (act, duration_ms, scarce) = (drawn.act, drawn.duration_ms, drawn.scarce);
        let counts = Arc::clone(counts);
        let work = AsyncFn(move |ctx: StepContext| {
            let working = Working::begin(&counts, scarce);
            async move {
                if duration_ms > 0 {
                    tokio::time::sleep(ms(duration_ms)).await;
                }
                let answer = match act {
                    Act::WorkOnSecondAttempt if ctx.attempt() == 1 => {
                        Err(StepError::transient("flaky", "not yet"))
                    }
                    Act::Break | Act::BreakButDegrade | Act::BreakButFallBack => {
                        Err(StepError::permanent("broken", "for good"))
                    }
                    Act::Reject => Ok(Output::none().failing("no")),
                    Act::Panic => std::panic::panic_any("drawn"),
                    Act::Hang => std::future::pending().await,
                    _ => Ok(Output::none()),
                };
                drop(working);
                answer
            }
        });
        let mut step = Step::new(format!("s{at}"), work)
            .after(drawn.after.iter().map(|before| format!("s{before}")))
            .when(drawn.run_when);
        step.policy.timeout = Some(ms(200));
        step.policy.retry = Retry { attempts_max: 2, ..Retry::default() };
        if act == Act::Hang {
            step.policy.retry.attempts_max = 1;
        }
        match act {
            Act::BreakButDegrade => step = step.or_else(OnFailure::Degrade),
            Act::BreakButFallBack => {
                let spare = FnComponent::new("spare", "1", |_| Ok(Output::none()));
                step = step.or_else(OnFailure::Fallback(Arc::new(spare)));
            }
            Act::NotWanted => step = step.only_if(Condition::new("never", |_| Ok(false))),
            _ => {}
        }
        if scarce { step.using("scarce") } else { step }
    };
    drawn.iter().enumerate().map(of_one).collect()
}

/// How a step must end.
#[derive(Debug, Clone, Copy)]
struct End {
    result: ResultKind,
    /// Whether steps that need it may run.
    passed: bool,
    /// Whether it failed, or was skipped because something before it did.
    failed: bool,
    rows: usize,
}

/// The rules, told again.
fn model(drawn: &[Drawn]) -> Vec<End> {
    let mut ends: Vec<End> = Vec::new();
    for step in drawn {
        let before: Vec<End> = step.after.iter().map(|&at| ends[at]).collect();
        let wanted = match step.run_when {
            RunWhen::AllDone => true,
            RunWhen::NoneFailed => !before.iter().any(|end| end.failed),
            RunWhen::AllSuccess => before.iter().all(|end| end.passed),
            RunWhen::AnySuccess => before.is_empty() || before.iter().any(|end| end.passed),
        };
        let (result, passed, rows) = match step.act {
            _ if !wanted => (ResultKind::Skip, false, 1),
            Act::NotWanted => (ResultKind::Skip, false, 1),
            Act::Work => (ResultKind::Success, true, 1),
            Act::WorkOnSecondAttempt => (ResultKind::Success, true, 2),
            Act::Break | Act::Panic => (ResultKind::Error, false, 1),
            Act::BreakButDegrade => (ResultKind::Error, true, 1),
            Act::BreakButFallBack => (ResultKind::Success, true, 2),
            Act::Reject => (ResultKind::Failure, false, 1),
            Act::Hang => (ResultKind::Timeout, false, 1),
        };
        let failed = match result {
            ResultKind::Skip => !wanted && before.iter().any(|end| end.failed),
            _ => !passed,
        };
        ends.push(End { result, passed, failed, rows });
    }
    ends
}

fn run_drawn(
    drawn: &[Drawn],
    concurrency_max: usize,
    strategy: super::Strategy,
) -> (Outcome, Vec<StepRow>, Arc<Counts>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let counts = Arc::new(Counts::default());
        let limits = Limits::new(1_000).with_resource("scarce", 2);
        let bench = Bench::with(limits, usize::MAX);
        let run = Run { concurrency_max, strategy, seed: 7, ..Run::new("run", "test") };
        let outcome = bench.run_as(steps(drawn, &counts), run).await;
        (outcome, bench.step_rows(), counts)
    })
}

/// Panics are drawn on purpose: their messages would fill the terminal.
pub(super) fn quiet_panics() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&"drawn") {
                loud(info);
            }
        }));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_faults_end_as_the_rules_say(
        drawn in graph(act()),
        concurrency_max in 1_usize..6,
        strategy in prop::sample::select(super::Strategy::ALL.to_vec()),
    ) {
        quiet_panics();
        let (outcome, rows, counts) = run_drawn(&drawn, concurrency_max, strategy);
        let expected = model(&drawn);

        // results as the rules say
        for (at, end) in expected.iter().enumerate() {
            let name = format!("s{at}");
            prop_assert_eq!(outcome.step(&name).unwrap().result, end.result, "{}", &name);
            let seen: Vec<i64> = rows
                .iter()
                .filter(|row| *row.step_name == *name)
                .map(|row| row.attempt)
                .collect();
            prop_assert_eq!(seen, (1..=i64::try_from(end.rows).unwrap()).collect::<Vec<_>>());
            if end.result == ResultKind::Skip && drawn[at].act != Act::NotWanted {
                let row = rows.iter().find(|row| *row.step_name == *name).unwrap();
                let by_failure = row.attributes.as_deref().unwrap().contains("\"failure\"");
                prop_assert_eq!(by_failure, end.failed, "{}", &name);
            }
        }
        let broken = expected.iter().any(|end| {
            !end.passed && matches!(end.result, ResultKind::Error | ResultKind::Timeout)
        });
        let rejected = expected.iter().any(|end| end.result == ResultKind::Failure);
        let skipped = expected.iter().all(|end| end.result == ResultKind::Skip);
        match outcome.result {
            ResultKind::Error | ResultKind::Timeout => prop_assert!(broken),
            ResultKind::Failure => prop_assert!(rejected && !broken),
            ResultKind::Skip => prop_assert!(skipped),
            ResultKind::Success => prop_assert!(!broken && !rejected && !skipped),
            ResultKind::Cancellation => prop_assert!(false, "nobody cancelled"),
        }

        // limits hold
        if strategy != super::Strategy::FullParallel {
            prop_assert!(counts.most.load(Ordering::SeqCst) <= concurrency_max);
        }
        prop_assert!(counts.scarce_most.load(Ordering::SeqCst) <= 2);

        // rows are complete, in order, and after those they depend on
        for (at, row) in rows.iter().enumerate() {
            prop_assert_eq!(&*row.step_id, &format!("{:016x}", at + 1));
            prop_assert!(row.queue_ns >= 0 && row.wait_ns >= 0 && row.duration_ns >= 0);
            for before in row.depends_on.split(',').filter(|name| !name.is_empty()) {
                let last = rows.iter().rposition(|row| &*row.step_name == before).unwrap();
                prop_assert!(last < at, "{} before {}", before, row.step_name);
                let end = rows[last].start_time.0 + rows[last].duration_ns / 1_000;
                prop_assert!(end <= row.start_time.0);
            }
        }
        let work: i64 = rows.iter().map(|row| row.duration_ns).sum();
        prop_assert_eq!(outcome.work_ns, work);
        prop_assert!(outcome.critical_path_ns <= work);
    }

    #[test]
    fn the_makespan_is_within_grahams_bound(
        mut drawn in graph(Just(Act::Work)),
        concurrency_max in 1_usize..6,
    ) {
        drawn.iter_mut().for_each(|step| step.scarce = false);
        let (outcome, ..) = run_drawn(&drawn, concurrency_max, super::Strategy::ReadyQueue);
        let c = i64::try_from(concurrency_max).unwrap();
        // R. Graham 1966: any schedule that leaves no place empty while a step is ready
        let bound = outcome.work_ns / c + outcome.critical_path_ns * (c - 1) / c;
        prop_assert!(outcome.duration_ns <= bound + 1, "{} > {}", outcome.duration_ns, bound);
        let floor = outcome.critical_path_ns.max(outcome.work_ns / c);
        prop_assert!(outcome.duration_ns >= floor);

        let (alone, ..) = run_drawn(&drawn, concurrency_max, super::Strategy::Sequential);
        prop_assert_eq!(alone.duration_ns, alone.work_ns);
    }

    #[test]
    fn the_same_run_gives_the_same_rows(drawn in graph(act()), concurrency_max in 1_usize..6) {
        quiet_panics();
        let (_, first, _) = run_drawn(&drawn, concurrency_max, super::Strategy::ReadyQueue);
        let (_, second, _) = run_drawn(&drawn, concurrency_max, super::Strategy::ReadyQueue);
        prop_assert_eq!(first, second);
    }
}
