//! The choice of strategy of the system that this engine succeeds, told so that it can be compared.
//! Nothing here decides how a run is done.

use super::super::plan::Plan;
use super::super::schedule::Strategy;

/// The part of the steps, in per cent, that decides.
const PERCENT: usize = 70;

pub(super) fn is_independent(plan: &Plan, step: usize) -> bool {
    plan.dependencies(step).is_empty() && plan.dependents(step).is_empty()
}

pub(super) fn strategy(plan: &Plan, width: usize) -> Strategy {
    let decides = |steps: usize| steps * 100 >= plan.len() * PERCENT;
    let independent = (0..plan.len()).filter(|&step| is_independent(plan, step)).count();
    if width <= 1 {
        Strategy::Sequential
    } else if decides(independent) {
        Strategy::FullParallel
    } else if decides((0..plan.len()).filter_map(|step| plain_chain(plan, step)).sum()) {
        Strategy::DependencyChains
    } else {
        Strategy::StagedParallel
    }
}

/// Length of the chain that begins with a step, if the step begins one that neither forks nor
/// joins up to its end.
fn plain_chain(plan: &Plan, start: usize) -> Option<usize> {
    if !plan.dependencies(start).is_empty() {
        return None;
    }
    let (mut at, mut length) = (start, 1);
    loop {
        match plan.dependents(at) {
            [] => return Some(length),
            &[next] if plan.dependencies(next).len() == 1 => (at, length) = (next, length + 1),
            _ => return None,
        }
    }
}
