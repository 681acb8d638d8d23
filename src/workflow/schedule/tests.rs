//! Tests of the ready queue.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::super::plan::{FIRST_RESOURCE, PLAIN};
use super::super::{FnComponent, Output, Plan, ResultKind, RunWhen, Step};
use super::{Done, Schedule, Strategy, may_run};

fn step(name: &str, after: &[&str]) -> Step {
    Step::new(name, FnComponent::new("noop", "1", |_| Ok(Output::none()))).after(after.to_vec())
}

fn done(result: ResultKind, passed: bool) -> Done {
    Done { passed, ..Done::without_output(result) }
}

#[test]
fn strategies_have_names() {
    for strategy in Strategy::ALL {
        assert_eq!(Strategy::by_name(strategy.as_str()), Some(strategy));
    }
    assert_eq!(Strategy::by_name("fastest"), None);
}

#[test]
fn the_longest_chain_goes_first_then_the_order_of_the_plan() {
    let plan = Plan::new(vec![
        step("x", &[]),
        step("y", &[]),
        step("a", &[]),
        step("b", &["a"]),
        step("free", &[]).using("model"),
    ])
    .unwrap();
    let mut schedule = Schedule::new(&plan, Strategy::ReadyQueue);
    for name in ["y", "free", "x", "a"] {
        schedule.push(&plan, plan.find(name).unwrap(), false);
    }
    let mut order = Vec::new();
    while let Some(slot) = schedule.best(|_| true) {
        order.push(plan.step_name(schedule.pop(slot).unwrap()));
    }
    assert_eq!(order, ["a", "x", "y", "free"]);
}

#[test]
fn a_closed_slot_does_not_hold_up_the_others() {
    let plan = Plan::new(vec![step("busy", &[]).using("model"), step("free", &[])]).unwrap();
    let mut schedule = Schedule::new(&plan, Strategy::ReadyQueue);
    (0..2).for_each(|index| schedule.push(&plan, index, false));
    assert_eq!(schedule.best(|slot| slot == PLAIN), Some(PLAIN));
    assert_eq!(schedule.best(|slot| slot == FIRST_RESOURCE), Some(FIRST_RESOURCE));
    assert_eq!(schedule.best(|_| false), None);
    assert!(schedule.wants(FIRST_RESOURCE));
    schedule.clear();
    assert!(!schedule.wants(FIRST_RESOURCE));
}

#[test]
fn a_chain_that_has_begun_goes_on_before_another_begins() {
    let steps = [("a1", ""), ("b1", ""), ("a2", "a1"), ("b2", "b1"), ("end", "b2")];
    let steps = steps.map(|(name, after)| {
        step(name, after.split_terminator(',').collect::<Vec<_>>().as_slice())
    });
    let plan = Plan::new(steps.to_vec()).unwrap();
    for (strategy, expected) in [
        (Strategy::DependencyChains, ["a1", "a2", "b1", "b2", "end"]),
        (Strategy::ReadyQueue, ["b1", "a1", "b2", "a2", "end"]),
        (Strategy::FullParallel, ["a1", "b1", "a2", "b2", "end"]),
    ] {
        let (mut schedule, mut released) = (Schedule::new(&plan, strategy), vec![0, 1]);
        let mut order = Vec::new();
        loop {
            released.drain(..).for_each(|index| schedule.push(&plan, index, false));
            let Some(slot) = schedule.best(|_| true) else { break };
            let index = schedule.pop(slot).unwrap();
            order.push(plan.step_name(index));
            schedule.finish(&plan, index, &mut released);
        }
        assert_eq!(order, expected, "{strategy}");
    }
}

#[test]
fn a_stage_opens_when_the_one_before_is_over() {
    let plan = Plan::new(vec![step("a", &[]), step("b", &[]), step("c", &["a"])]).unwrap();
    let mut schedule = Schedule::new(&plan, Strategy::StagedParallel);
    let mut released = Vec::new();
    schedule.finish(&plan, 0, &mut released);
    assert_eq!(released, [2]);
    schedule.push(&plan, 2, false);
    assert_eq!(schedule.best(|_| true), None, "`b` of stage 0 has not ended");
    schedule.finish(&plan, 1, &mut released);
    assert_eq!(schedule.best(|_| true).and_then(|slot| schedule.pop(slot)), Some(2));
}

#[test]
fn dependencies_decide_whether_a_step_may_run() {
    let (fine, skipped) = (done(ResultKind::Success, true), done(ResultKind::Skip, false));
    let barred = Done { barred: true, ..Done::without_output(ResultKind::Skip) };
    let (degraded, broken) = (done(ResultKind::Error, true), done(ResultKind::Timeout, false));
    let rejected = done(ResultKind::Failure, false);
    let check = |run_when, ends: &[(&'static str, &Done)]| {
        let answer = may_run(run_when, ends.iter().copied());
        answer.err().map(|bar| (bar.reason, bar.by_failure))
    };
    let no = |reason: &str, by_failure| Some((reason.to_owned(), by_failure));
    let mixed = [("a", &fine), ("b", &skipped)];
    assert_eq!(check(RunWhen::AllSuccess, &mixed), no("dependency `b` was skipped", false));
    assert_eq!(check(RunWhen::AnySuccess, &mixed), None);
    assert_eq!(check(RunWhen::NoneFailed, &mixed), None);
    assert_eq!(check(RunWhen::AllDone, &mixed), None);
    let good = [("a", &fine), ("c", &degraded)];
    assert_eq!(check(RunWhen::AllSuccess, &good), None);
    assert_eq!(check(RunWhen::NoneFailed, &good), None);
    let none = [("b", &skipped)];
    assert_eq!(check(RunWhen::AnySuccess, &none), no("no dependency succeeded", false));
    assert_eq!(check(RunWhen::NoneFailed, &none), None);

    let after = [("b", &skipped), ("d", &barred)];
    let why = no("dependency `d` was skipped after a failure", true);
    assert_eq!(check(RunWhen::AllSuccess, &after), why);
    assert_eq!(check(RunWhen::NoneFailed, &after), why);
    assert_eq!(check(RunWhen::AnySuccess, &after), no("no dependency succeeded", true));
    assert_eq!(check(RunWhen::AllDone, &after), None);
    for (end, text) in [(&broken, "timeout"), (&rejected, "failure")] {
        let why = no(&format!("dependency `e` ended as {text}"), true);
        assert_eq!(check(RunWhen::NoneFailed, &[("a", &fine), ("e", end)]), why);
        assert_eq!(check(RunWhen::AllSuccess, &[("b", &skipped), ("e", end)]), why);
    }
    for run_when in
        [RunWhen::AllSuccess, RunWhen::AnySuccess, RunWhen::NoneFailed, RunWhen::AllDone]
    {
        assert_eq!(check(run_when, &[]), None, "nothing to wait for");
    }
}
