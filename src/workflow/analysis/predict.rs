//! A run as it will be, played with the engine's own queue on a clock of its own: steps end when
//! their expected time is over. Knows no failures, no retries and no other runs.
#![allow(clippy::indexing_slicing, reason = "one entry per step and per slot of one plan")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Analysis;
use crate::workflow::schedule::{Schedule, Strategy};

/// What a run will take with a strategy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The strategy.
    pub strategy: Strategy,
    /// From the start of the run to its end.
    pub makespan_ns: i64,
    /// The most steps that work at a time.
    pub working_max: usize,
    /// The part of the time of all places in which they stand empty. Places that the plan has no
    /// step for do not count; those that a strategy leaves unused do.
    pub idle_share: f64,
    /// How many times faster than one step at a time; 1 for a run that takes no time.
    pub speedup: f64,
}

pub(super) fn predict(analysis: &Analysis<'_>, strategy: Strategy) -> Prediction {
    let mut play = Play::new(analysis, strategy);
    while play.start_ready() {
        play.end_next();
    }
    let (makespan_ns, working_max) = (play.now_ns, play.working_max);
    let places = analysis.places.of_run(analysis.plan).max(working_max);
    let (work, makespan) = (analysis.work_ns() as f64, makespan_ns as f64);
    let (idle_share, speedup) = if makespan_ns == 0 {
        (0.0, 1.0)
    } else {
        ((1.0 - work / (makespan * places as f64)).max(0.0), work / makespan)
    };
    Prediction { strategy, makespan_ns, working_max, idle_share, speedup }
}

/// A run while it is played.
struct Play<'a> {
    analysis: &'a Analysis<'a>,
    schedule: Schedule,
    places: usize,
    /// Free places per resource; the first is slot 1.
    free: Vec<usize>,
    /// Working steps by their ends.
    working: BinaryHeap<Reverse<(i64, usize)>>,
    working_max: usize,
    released: Vec<usize>,
    now_ns: i64,
}

impl<'a> Play<'a> {
    fn new(analysis: &'a Analysis<'a>, strategy: Strategy) -> Self {
        let (plan, places) = (analysis.plan, &analysis.places);
        let mut play = Self {
            analysis,
            schedule: Schedule::new(plan, strategy),
            places: strategy.concurrency_max(places.run).min(places.all),
            free: places.resources.clone(),
            working: BinaryHeap::new(),
            working_max: 0,
            released: (0..plan.len()).filter(|&at| plan.dependencies(at).is_empty()).collect(),
            now_ns: 0,
        };
        play.queue_released();
        play
    }

    /// Starts what has a place; whether a step works now.
    fn start_ready(&mut self) -> bool {
        while self.working.len() < self.places {
            let free = &self.free;
            let Some(slot) = self.schedule.best(|slot| slot == 0 || free[slot - 1] > 0) else {
                break;
            };
            let Some(step) = self.schedule.pop(slot) else { break };
            let duration_ns = self.analysis.steps[step].duration_ns;
            if duration_ns == 0 {
                // as in the engine, it ends before the next one starts
                self.working_max = self.working_max.max(self.working.len() + 1);
                self.end(step);
                continue;
            }
            if let Some(resource) = slot.checked_sub(1) {
                self.free[resource] -= 1;
            }
            self.working.push(Reverse((self.now_ns.saturating_add(duration_ns), step)));
            self.working_max = self.working_max.max(self.working.len());
        }
        !self.working.is_empty()
    }

    /// Lets time pass until a step ends, and ends all that end then.
    fn end_next(&mut self) {
        let Some(&Reverse((now_ns, _))) = self.working.peek() else { return };
        self.now_ns = now_ns;
        while let Some(&Reverse((end_ns, step))) = self.working.peek()
            && end_ns == now_ns
        {
            self.working.pop();
            if let Some(resource) = self.analysis.plan.nodes()[step].slot.checked_sub(1) {
                self.free[resource] += 1;
            }
            self.end(step);
        }
    }

    fn end(&mut self, step: usize) {
        self.schedule.finish(self.analysis.plan, step, &mut self.released);
        self.queue_released();
    }

    fn queue_released(&mut self) {
        for step in self.released.drain(..) {
            self.schedule.push(self.analysis.plan, step);
        }
    }
}

/// As nanoseconds, at most what fits.
pub(super) fn narrow(ns: i128) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}
