//! A better order of the steps than by longest remaining chain, where there is one: the run is
//! played forwards and backwards in turn, and the best order kept. Decides nothing while a run
//! lasts; how urgent a step is stays a number.
//!
//! The longest chain first is within a few per cent of the best for steps that only need a place.
//! It is not where many like chains go through a scarce resource: they advance in step, and the
//! steps that need no resource are left over for the end.
#![allow(clippy::indexing_slicing, reason = "one entry per step and per resource of one plan")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::play::{Played, Queue, play};
use super::{Analysis, Capacity};
use crate::error::Result;
use crate::event::Estimates;
use crate::workflow::plan::{FIRST_RESOURCE, Plan};
use crate::workflow::schedule::Strategy;

/// Most steps of a plan for which orders are tried, so that planning stays a matter of
/// milliseconds.
const STEPS_MAX: usize = 2_000;
/// Times that each first order is played backwards and forwards.
const ROUNDS: usize = 3;
/// A run this many thousandths above the lower bound is good as it is: an order made for exact
/// times would only be more easily upset by wrong ones.
const GOOD_ENOUGH: i128 = 10;

impl Plan {
    /// Sets how urgent each step is by [`Plan::with_estimates`], and then looks ahead: where the
    /// ready queue would stay more than one per cent above the lower bound, a better order is tried
    /// for, and kept if there is one. Plans of more than 2,000 steps are not looked into.
    ///
    /// # Errors
    /// Invalid when a step uses a resource for which `capacity` has no limit.
    pub fn looking_ahead(
        self,
        estimates: &dyn Estimates,
        fallback: Duration,
        capacity: &Capacity,
    ) -> Result<Self> {
        let plan = self.with_estimates(estimates);
        let better = better(&Analysis::new(&plan, estimates, fallback, capacity)?);
        Ok(match better {
            Some(urgency) => plan.with_urgency(&urgency),
            None => plan,
        })
    }
}

/// How urgent each step is in an order that is better than that of the ready queue, if one is
/// found.
///
/// After K. Li and R. Willis, "An iterative scheduling technique for resource-constrained project
/// scheduling", European Journal of Operational Research, 1992.
fn better(analysis: &Analysis<'_>) -> Option<Vec<i64>> {
    let (plan, goal_ns) = (analysis.plan, analysis.lb2_ns());
    let is_good = |ns: i64| i128::from(ns) * 1_000 <= i128::from(goal_ns) * (1_000 + GOOD_ENOUGH);
    let mut best_ns = analysis.predict(Strategy::ReadyQueue).makespan_ns;
    if plan.len() > STEPS_MAX || is_good(best_ns) {
        return None;
    }
    let by_chain = (0..plan.len()).map(|step| plan.remaining(step)).collect();
    let as_written = vec![0; plan.len()];
    let mut best = None;
    for mut urgency in [by_chain, as_written] {
        let mut forwards = played(analysis, Direction::Forwards, &urgency);
        for round in 0.. {
            if forwards.makespan_ns < best_ns {
                best_ns = forwards.makespan_ns;
                best = Some(urgency);
            }
            if round == ROUNDS || is_good(best_ns) {
                break;
            }
            // what ended last is next when time runs backwards; what ended last then starts first
            let backwards = played(analysis, Direction::Backwards, &forwards.ends);
            urgency = backwards.ends;
            forwards = played(analysis, Direction::Forwards, &urgency);
        }
    }
    best
}

fn played(analysis: &Analysis<'_>, direction: Direction, urgency: &[i64]) -> Played {
    let places = analysis.places.of_run(analysis.plan);
    play(analysis, places, Ranked::new(analysis.plan, direction, urgency))
}

/// Which way time runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    /// Steps wait for what depends on them.
    Backwards,
}

impl Direction {
    fn before(self, plan: &Plan, step: usize) -> &[usize] {
        match self {
            Self::Forwards => plan.dependencies(step),
            Self::Backwards => plan.dependents(step),
        }
    }

    fn after(self, plan: &Plan, step: usize) -> &[usize] {
        match self {
            Self::Forwards => plan.dependents(step),
            Self::Backwards => plan.dependencies(step),
        }
    }
}

/// A queue by given urgencies, the order of the plan among equals.
struct Ranked<'a> {
    plan: &'a Plan,
    direction: Direction,
    urgency: &'a [i64],
    waiting: Vec<usize>,
    slots: Vec<BinaryHeap<(i64, Reverse<usize>)>>,
}

impl<'a> Ranked<'a> {
    fn new(plan: &'a Plan, direction: Direction, urgency: &'a [i64]) -> Self {
        let waiting = (0..plan.len()).map(|step| direction.before(plan, step).len()).collect();
        let slots = vec![BinaryHeap::new(); FIRST_RESOURCE + plan.resources().len()];
        let mut ranked = Self { plan, direction, urgency, waiting, slots };
        let ready = (0..plan.len()).filter(|&step| direction.before(plan, step).is_empty());
        ready.for_each(|step| ranked.push(step));
        ranked
    }

    fn push(&mut self, step: usize) {
        let slot = self.plan.nodes()[step].slot;
        self.slots[slot].push((self.urgency[step], Reverse(step)));
    }
}

impl Queue for Ranked<'_> {
    fn take(&mut self, mut open: impl FnMut(usize) -> bool) -> Option<usize> {
        let heads = self.slots.iter().enumerate();
        let heads = heads.filter_map(|(slot, heap)| heap.peek().map(|&head| (head, slot)));
        let (_, slot) = heads.filter(|(_, slot)| open(*slot)).max()?;
        self.slots[slot].pop().map(|(_, Reverse(step))| step)
    }

    fn end(&mut self, step: usize) {
        for &after in self.direction.after(self.plan, step) {
            self.waiting[after] -= 1;
            if self.waiting[after] == 0 {
                self.push(after);
            }
        }
    }
}
