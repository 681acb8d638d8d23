//! Tests of the checks and the order of a plan.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::{FnComponent, Output, Step};
use super::{Plan, STEPS_MAX};
use crate::error::ErrorKind;
use crate::event::Estimates;

fn step(name: &str, after: &[&str]) -> Step {
    Step::new(name, FnComponent::new("noop", "1", |_| Ok(Output::none()))).after(after.to_vec())
}

fn refusal(steps: Vec<Step>) -> String {
    let error = Plan::new(steps).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    match error.hint() {
        Some(hint) => format!("{error} | {hint}"),
        None => error.to_string(),
    }
}

#[derive(Debug)]
struct Known(HashMap<&'static str, i64>);

impl Estimates for Known {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        self.0.get(step_name).copied()
    }
}

#[test]
fn unknown_names_come_with_the_nearest() {
    let message = refusal(vec![step("parse", &[]), step("lint", &["prase"])]);
    assert_eq!(message, "step `lint` depends on `prase`, no known step | Did you mean `parse`?");
}

#[test]
fn every_problem_is_found() {
    let steps = [step("a", &["x"]), step("a", &[]), step("", &[]), step("b,c", &["y"])];
    let problems = Plan::problems(&steps);
    let places: Vec<usize> = problems.iter().map(|problem| problem.step).collect();
    assert_eq!(places, [0, 1, 2, 3, 3]);
    assert!(refusal(steps.to_vec()).contains("(and 4 more)"));
}

#[test]
fn cycles_are_named_as_a_path() {
    let steps = vec![step("z", &["a"]), step("a", &["b"]), step("b", &["c"]), step("c", &["a"])];
    let message = refusal(steps);
    assert!(message.starts_with("steps wait for each other: `a` → `b` → `c` → `a`"), "{message}");
    let own = refusal(vec![step("a", &["a"])]);
    assert!(own.starts_with("steps wait for each other: `a` → `a`"), "{own}");
}

#[test]
fn a_long_cycle_is_shortened() {
    let names: Vec<String> = (0..500).map(|n| format!("s{n}")).collect();
    let steps = (0..500).map(|n| step(&names[n], &[&names[(n + 1) % 500]])).collect();
    let message = refusal(steps);
    assert!(message.contains("(488 more) → `s0`"), "{message}");
}

#[test]
fn a_plan_has_steps_but_not_too_many() {
    assert_eq!(refusal(vec![]), "a plan needs at least one step");
    let steps = vec![step("a", &[]); STEPS_MAX + 1];
    assert!(refusal(steps).starts_with("100001 steps are more than a plan may have"));
}

#[test]
fn order_and_stages_follow_dependencies_then_the_text() {
    let plan = Plan::new(vec![
        step("report", &["score", "parse"]),
        step("score", &["check", "lint"]),
        step("lint", &["parse"]),
        step("check", &["parse", "parse"]),
        step("parse", &[]),
    ])
    .unwrap();
    let names: Vec<&str> = plan.steps().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["parse", "lint", "check", "score", "report"]);
    let stages: Vec<usize> = (0..5).map(|index| plan.stage(index)).collect();
    assert_eq!(stages, [0, 1, 1, 2, 3]);
    assert_eq!(plan.stages(), 4);
    assert_eq!(plan.dependents(0), [1, 2, 4]);
    assert_eq!(plan.dependencies(4), [0, 3]);
    assert_eq!(plan.dependencies(2), [0], "a name given twice counts once");
    assert_eq!((plan.find("score"), plan.find("nothing")), (Some(3), None));
}

#[test]
fn urgency_is_the_longest_chain_from_a_step_on() {
    let steps =
        || vec![step("a", &[]), step("b", &["a"]), step("c", &["a"]), step("d", &["b", "c"])];
    let remaining = |plan: &Plan| (0..4).map(|at| plan.remaining(at)).collect::<Vec<_>>();
    let by_hops = Plan::new(steps()).unwrap();
    assert_eq!(remaining(&by_hops), [3, 2, 2, 1]);

    let known = Known([("a", 10), ("b", 500), ("d", 30)].into());
    let by_time = Plan::new(steps()).unwrap().with_estimates(&known);
    // nobody knows `c`: it counts as the mean, 180
    assert_eq!(remaining(&by_time), [540, 530, 210, 30]);

    let wrong = Known([("a", -5), ("b", i64::MAX), ("c", 1), ("d", i64::MAX)].into());
    let bounded = Plan::new(steps()).unwrap().with_estimates(&wrong);
    assert_eq!(remaining(&bounded), [i64::MAX; 4], "sums saturate");
}

proptest! {
    #[test]
    fn a_plan_exists_exactly_for_graphs_without_cycles(
        edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..24),
    ) {
        let steps = (0..12).map(|n| {
            let after = edges.iter().filter(|edge| edge.0 == n).map(|edge| format!("s{}", edge.1));
            step(&format!("s{n}"), &[]).after(after)
        });
        // reference: take away steps without dependencies until nothing changes
        let mut left: Vec<usize> = (0..12).collect();
        while let Some(at) = left.iter().position(|&n| {
            !edges.iter().any(|edge| edge.0 == n && left.contains(&edge.1))
        }) {
            left.remove(at);
        }
        match Plan::new(steps.collect()) {
            Ok(plan) => {
                prop_assert!(left.is_empty());
                for index in 0..12 {
                    for &dependency in plan.dependencies(index) {
                        prop_assert!(dependency < index);
                        prop_assert!(plan.stage(dependency) < plan.stage(index));
                        prop_assert!(plan.dependents(dependency).contains(&index));
                    }
                }
            }
            Err(error) => {
                prop_assert!(!left.is_empty(), "{}", error);
                let text = error.to_string();
                let path: Vec<usize> = text
                    .split('`')
                    .filter_map(|part| part.strip_prefix('s')?.parse().ok())
                    .collect();
                prop_assert!(path.len() >= 2 && path.first() == path.last(), "{}", text);
                for pair in path.windows(2) {
                    let &[from, to] = pair else { unreachable!() };
                    prop_assert!(edges.contains(&(from, to)), "{}", text);
                }
            }
        }
    }
}
