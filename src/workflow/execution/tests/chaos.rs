//! Random graphs, plans inside of plans, random faults, policies, limits, pauses and wishes to
//! stop: whatever happens, what must always hold holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;
use proptest::strategy::Strategy as Draw;

use super::nested::composite;
use super::random::quiet_panics;
use super::*;

/// How a step behaves.
#[derive(Debug, Clone)]
enum Act {
    Work,
    FailTimes(u32, Fault),
    Reject,
    Panic,
    Hang,
    NotWanted,
    Inside(Vec<Drawn>),
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Transient,
    Permanent,
    RateLimited,
    InvalidOutput,
}

#[derive(Debug, Clone)]
struct Drawn {
    act: Act,
    duration_ms: u64,
    after: Vec<prop::sample::Index>,
    run_when: RunWhen,
    on_failure: u8,
    attempts_max: u32,
    timeouts_ms: [Option<u64>; 3],
    /// 0: none; 1: `narrow`, limited in places; 2: `fragile`, with a rate and a breaker.
    resource: u8,
    undo: bool,
}

fn leaf() -> impl Draw<Value = Act> {
    let fault = prop::sample::select(vec![
        Fault::Transient,
        Fault::Permanent,
        Fault::RateLimited,
        Fault::InvalidOutput,
    ]);
    prop_oneof![
        8 => Just(Act::Work),
        3 => (1_u32..4, fault).prop_map(|(times, fault)| Act::FailTimes(times, fault)),
        1 => Just(Act::Reject),
        1 => Just(Act::Panic),
        1 => Just(Act::Hang),
        1 => Just(Act::NotWanted),
    ]
}

fn step_of(act: impl Draw<Value = Act>) -> impl Draw<Value = Drawn> {
    let run_when = prop::sample::select(vec![
        RunWhen::AllSuccess,
        RunWhen::AllSuccess,
        RunWhen::NoneFailed,
        RunWhen::AnySuccess,
        RunWhen::AllDone,
    ]);
    let timeout = || prop::option::weighted(0.15, 5_u64..120);
    (
        (act, 0_u64..20, prop::collection::vec(any::<prop::sample::Index>(), 0..3), run_when),
        (0_u8..3, 1_u32..4, [timeout(), timeout(), timeout()], 0_u8..3, any::<bool>()),
    )
        .prop_map(
            |((act, duration_ms, after, run_when), (on_failure, attempts_max, t, r, undo))| {
                let timeouts_ms = t;
                let resource = if matches!(act, Act::Inside(_)) { 0 } else { r };
                Drawn {
                    act,
                    duration_ms,
                    after,
                    run_when,
                    on_failure,
                    attempts_max,
                    timeouts_ms,
                    resource,
                    undo,
                }
            },
        )
}

fn graph() -> impl Draw<Value = Vec<Drawn>> {
    let inmost = prop::collection::vec(step_of(leaf()), 1..4).prop_map(Act::Inside);
    let middle = prop_oneof![4 => leaf(), 1 => inmost];
    let inside = prop::collection::vec(step_of(middle), 1..5).prop_map(Act::Inside);
    prop::collection::vec(step_of(prop_oneof![4 => leaf(), 1 => inside]), 1..12)
}

/// What was seen from inside the components.
#[derive(Debug, Default)]
struct Seen {
    working: [AtomicI64; 3],
    most: [AtomicI64; 3],
    called: Mutex<Vec<String>>,
    undone: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
}

/// Counts down when dropped.
struct Working(Arc<Seen>, Vec<usize>);

impl Working {
    fn begin(seen: &Arc<Seen>, resource: u8) -> Self {
        let mut counted = vec![0];
        counted.extend((resource > 0).then_some(usize::from(resource)));
        for &at in &counted {
            let now = seen.working[at].fetch_add(1, Ordering::SeqCst) + 1;
            seen.most[at].fetch_max(now, Ordering::SeqCst);
        }
        Self(Arc::clone(seen), counted)
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        for &at in &self.1 {
            self.0.working[at].fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn steps(drawn: &[Drawn], seen: &Arc<Seen>) -> Vec<Step> {
    drawn.iter().enumerate().map(|(at, it)| one(at, it, seen)).collect()
}

fn one(at: usize, drawn: &Drawn, seen: &Arc<Seen>) -> Step {
    let mut names: Vec<_> = drawn
        .after
        .iter()
        .filter(|_| at > 0)
        .map(|it| format!("s{}", it.index(at.max(1))))
        .collect();
    names.sort();
    names.dedup();
    let step = work(at, drawn, &names, seen);
    let mut step = step.after(names).when(drawn.run_when);
    let backoff = Backoff { initial: ms(8), max: ms(20), multiplier: 2.0 };
    let [timeout, queue, total] = drawn.timeouts_ms.map(|it| it.map(ms));
    let spare_seen = Arc::clone(seen);
    let spare = FnComponent::new("spare", "1", move |ctx: &StepContext| {
        spare_seen.called.lock().unwrap().push(ctx.step_id().to_string());
        Ok(Output::new(ctx.step_id().to_string()))
    });
    step.policy = Policy {
        timeout: timeout.or(Some(ms(200))),
        queue_timeout: queue,
        total_timeout: total,
        retry: Retry { attempts_max: drawn.attempts_max, backoff, ..Retry::default() },
        on_failure: match drawn.on_failure {
            0 => OnFailure::Fail,
            1 => OnFailure::Degrade,
            _ => OnFailure::Fallback(Arc::new(spare)),
        },
    };
    if matches!(drawn.act, Act::NotWanted) {
        step = step.only_if(Condition::new("never", |_| Ok(false)));
    }
    if drawn.undo && !matches!(drawn.act, Act::Inside(_)) {
        let seen = Arc::clone(seen);
        step = step.undone_by(FnComponent::new("undo", "1", move |ctx: &StepContext| {
            let id = ctx.output::<String>(ctx.step_name())?;
            seen.undone.lock().unwrap().push(id.to_string());
            Ok(Output::none())
        }));
    }
    match drawn.resource {
        1 => step.using("narrow"),
        2 => step.using("fragile"),
        _ => step,
    }
}

fn work(at: usize, drawn: &Drawn, names: &[String], seen: &Arc<Seen>) -> Step {
    let (name, act) = (format!("s{at}"), drawn.act.clone());
    let (duration_ms, resource, seen) = (drawn.duration_ms, drawn.resource, Arc::clone(seen));
    let names = names.to_vec();
    let begin = move |ctx: &StepContext, seen: &Arc<Seen>| {
        seen.called.lock().unwrap().push(ctx.step_id().to_string());
        for name in &names {
            if ctx.view().result_of(name).is_err() {
                let wrong = format!("{} before {name}", ctx.step_name());
                seen.wrong.lock().unwrap().push(wrong);
            }
        }
    };
    if let Act::Inside(inside) = act {
        let plan = Arc::new(Plan::new(steps(&inside, &seen)).unwrap());
        return composite(&name, move |ctx| {
            begin(&ctx, &seen);
            let plan = Arc::clone(&plan);
            async move {
                let [first, second] = [(); 2].map(|()| ctx.nested(&plan, Nested::default()));
                let (first, second) = futures::join!(first, second);
                for outcome in [first?, second?] {
                    if let Some(error) = outcome.error() {
                        return Err(error.clone());
                    }
                    if outcome.result == ResultKind::Failure {
                        return Ok(Output::none().failing("inside"));
                    }
                }
                Ok(Output::none())
            }
        });
    }
    Step::new(
        name,
        AsyncFn(move |ctx: StepContext| {
            begin(&ctx, &seen);
            let (working, act) = (Working::begin(&seen, resource), act.clone());
            async move {
                if duration_ms > 0 {
                    tokio::time::sleep(ms(duration_ms)).await;
                }
                let answer = behave(&act, &ctx).await;
                drop(working);
                answer
            }
        }),
    )
}

async fn behave(act: &Act, ctx: &StepContext) -> Result<Output, StepError> {
    match act {
        Act::FailTimes(times, fault) if ctx.attempt() <= *times => Err(match fault {
            Fault::Transient => StepError::transient("flaky", "not yet"),
            Fault::Permanent => StepError::permanent("broken", "for good"),
            Fault::RateLimited => {
                let class = ErrorClass::RateLimited { retry_after: Some(ms(30)) };
                StepError::new(class, "busy", "later")
            }
            Fault::InvalidOutput => StepError::new(ErrorClass::InvalidOutput, "form", "no JSON"),
        }),
        Act::Reject => Ok(Output::none().failing("no")),
        Act::Panic => std::panic::panic_any("drawn"),
        Act::Hang => std::future::pending().await,
        _ => Ok(Output::new(ctx.step_id().to_string())),
    }
}

/// What happens from outside, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Wishes {
    pause_at: Option<u64>,
    cancel_at: Option<u64>,
    timeout: Option<u64>,
}

fn run_drawn(
    drawn: &[Drawn],
    (places, narrow, concurrency_max): (usize, usize, usize),
    wishes: Wishes,
    strategy: super::Strategy,
) -> (Outcome, Vec<StepRow>, Arc<Seen>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let seen = Arc::new(Seen::default());
        let fragile = ResourceLimit {
            places: 3,
            rate: Some(Rate { count: 1, per: ms(2), burst: 2 }),
            breaker: Some(CircuitBreaker { failures_max: 2, cooldown: ms(25) }),
        };
        let limits =
            Limits::new(places).with_resource("narrow", narrow).with_resource("fragile", fragile);
        let bench = Bench::with(limits, usize::MAX);
        let plan = Arc::new(Plan::new(steps(drawn, &seen)).unwrap());
        let cancel = Cancel::new();
        let run = Run {
            concurrency_max,
            strategy,
            seed: 7,
            grace: ms(10),
            timeout: wishes.timeout.map(ms),
            ..Run::new("run", "test")
        };
        let other = cancel.clone();
        let from_outside = tokio::spawn(async move {
            if let Some(at) = wishes.pause_at {
                tokio::time::sleep(ms(at)).await;
                other.pause();
                tokio::time::sleep(ms(15)).await;
                other.resume();
            }
            if let Some(at) = wishes.cancel_at {
                tokio::time::sleep(ms(at)).await;
                other.cancel();
            }
        });
        let run = bench.engine.execute(&plan, run, &cancel);
        let outcome = tokio::time::timeout(ms(3_600_000), run).await;
        from_outside.abort();
        // by then nobody is held back any more
        tokio::time::sleep(ms(100)).await;
        let outcome = outcome.expect("it ends").unwrap();
        let free = bench.run_as(vec![noop("after").using("narrow")], Run::new("after", "test"));
        assert_eq!(free.await.queue_ns, 0, "every place came back");
        let rows = bench.step_rows().into_iter().filter(|row| &*row.run_id == "run").collect();
        (outcome, rows, seen)
    })
}

/// Rows whose component was not called, so far as a row tells.
fn untried(row: &StepRow) -> bool {
    row.duration_ns == 0
        && match &*row.result {
            "skip" => true,
            "cancellation" => row.error_type.is_none(),
            _ => matches!(
                row.error_type.as_deref(),
                Some("circuit_open" | "queue_deadline" | "total_deadline" | "condition")
            ),
        }
}

fn check_rows(outcome: &Outcome, rows: &[StepRow], seen: &Seen) -> Result<(), TestCaseError> {
    for (at, row) in rows.iter().enumerate() {
        prop_assert_eq!(&*row.step_id, &format!("{:016x}", at + 1), "none is lost, in order");
        prop_assert!(row.queue_ns >= 0 && row.wait_ns >= 0 && row.duration_ns >= 0);
    }
    // called once per attempt, and every call has its row
    let called = seen.called.lock().unwrap().clone();
    let ids: BTreeSet<_> = called.iter().cloned().collect();
    prop_assert_eq!(ids.len(), called.len(), "an attempt is one call");
    for row in rows.iter().filter(|row| !row.step_name.ends_with(".undo")) {
        let called = ids.contains(&*row.step_id);
        prop_assert!(called || untried(row), "{:?} was not called", row);
    }
    prop_assert!(ids.iter().all(|id| rows.iter().any(|row| *row.step_id == **id)));

    // attempts are counted; the copies of an inner plan cannot be told apart by their rows
    let mut attempts: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    let own = rows.iter().filter(|row| row.parent_step_id.is_none());
    own.for_each(|row| attempts.entry(&*row.step_name).or_default().push(row.attempt));
    for (name, attempts) in attempts {
        let counted: Vec<_> = (1..=attempts.len()).map(|it| i64::try_from(it).unwrap()).collect();
        prop_assert_eq!(attempts, counted, "{}", name);
    }
    // nothing is counted twice
    let around: BTreeSet<_> = rows.iter().filter_map(|row| row.parent_step_id.clone()).collect();
    let own = rows.iter().filter(|row| !row.step_name.ends_with(".undo"));
    let leaves = own.clone().filter(|row| {
        !around.contains(&row.step_id) && (&*row.component != "composite" || row.duration_ns == 0)
    });
    prop_assert_eq!(outcome.work_ns, leaves.map(|row| row.duration_ns).sum::<i64>());
    prop_assert_eq!(outcome.queue_ns, own.map(|row| row.queue_ns).sum::<i64>());
    prop_assert!(outcome.critical_path_ns <= outcome.duration_ns);
    Ok(())
}

/// What was done and not taken back, and what was taken back twice, is none.
fn check_undos(
    drawn: &[Drawn],
    outcome: &Outcome,
    rows: &[StepRow],
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let undone = seen.undone.lock().unwrap().clone();
    let once: BTreeSet<_> = undone.iter().cloned().collect();
    prop_assert_eq!(once.len(), undone.len(), "each once");
    let good = |row: &&StepRow| &*row.result == "success" && &*row.component != "composite";
    let by_id: BTreeMap<_, _> = rows.iter().map(|row| (row.step_id.to_string(), row)).collect();
    prop_assert!(once.iter().all(|id| by_id.get(id).is_some_and(good)));
    let happy = matches!(outcome.result, ResultKind::Success | ResultKind::Skip);
    let undoable = |row: &&StepRow| undoable(drawn, &row.step_name);
    for row in rows.iter().filter(good).filter(undoable) {
        let mut failed = !happy;
        let mut above = row.parent_step_id.as_ref();
        while let Some(around) = above.and_then(|id| by_id.get(&**id)) {
            failed |= &*around.result != "success" && &*around.result != "failure";
            above = around.parent_step_id.as_ref();
        }
        if failed {
            prop_assert!(once.contains(&*row.step_id), "{} is not taken back", row.step_name);
        }
    }
    Ok(())
}

fn undoable(drawn: &[Drawn], name: &str) -> bool {
    let (first, rest) = name.split_once('/').map_or((name, None), |(a, b)| (a, Some(b)));
    let at = first.strip_prefix('s').and_then(|it| it.parse::<usize>().ok());
    match (at.and_then(|at| drawn.get(at)), rest) {
        (Some(Drawn { act: Act::Inside(inside), .. }), Some(rest)) => undoable(inside, rest),
        (Some(Drawn { act: Act::Inside(_), .. }), None) | (None, _) => false,
        (Some(drawn), _) => drawn.undo,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn whatever_happens_what_must_hold_holds(
        drawn in graph(),
        places in (1_usize..5, 1_usize..3, 1_usize..5),
        pause_at in prop::option::weighted(0.2, 0_u64..60),
        cancel_at in prop::option::weighted(0.25, 0_u64..120),
        timeout in prop::option::weighted(0.2, 1_u64..200),
        strategy in prop::sample::select(super::Strategy::ALL.to_vec()),
    ) {
        quiet_panics();
        let wishes = Wishes { pause_at, cancel_at, timeout };
        let (outcome, rows, seen) = run_drawn(&drawn, places, wishes, strategy);

        prop_assert!(seen.wrong.lock().unwrap().is_empty(), "{:?}", seen.wrong);
        let most = [0, 1, 2].map(|at| seen.most[at].load(Ordering::SeqCst));
        let limit = |limit: usize| i64::try_from(limit).unwrap();
        prop_assert!(most[0] <= limit(places.0), "{:?}", most);
        prop_assert!(most[1] <= limit(places.1) && most[2] <= 3, "{:?}", most);
        if strategy == super::Strategy::Sequential {
            // of two plans inside of a step each does one thing at a time
            prop_assert!(most[0] <= 4, "{:?}", most);
        }
        prop_assert!(seen.working.iter().all(|it| it.load(Ordering::SeqCst) == 0));
        check_rows(&outcome, &rows, &seen)?;
        check_undos(&drawn, &outcome, &rows, &seen)?;

        match outcome.result {
            ResultKind::Cancellation => prop_assert!(cancel_at.is_some()),
            ResultKind::Timeout if outcome.error_type.as_deref() == Some("deadline") => {
                prop_assert!(timeout.is_some());
            }
            ResultKind::Success | ResultKind::Skip => {
                let failed = |step: &StepSummary| {
                    !step.degraded && !matches!(step.result, ResultKind::Success | ResultKind::Skip)
                };
                prop_assert!(!outcome.steps.iter().any(failed));
            }
            _ => prop_assert!(outcome.steps.iter().any(|step| step.result == outcome.result)),
        }
    }
}
