//! What a run will take with each strategy: the engine's own queue, played. Knows no failures, no
//! retries and no other runs.

use super::Analysis;
use super::play::{Queue, play};
use crate::workflow::plan::Plan;
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
    let places = &analysis.places;
    let limit = strategy.concurrency_max(places.run).min(places.all);
    let played = play(analysis, limit, Scheduled::new(analysis.plan, strategy));
    let (makespan_ns, working_max) = (played.makespan_ns, played.working_max);
    let places = places.of_run(analysis.plan).max(working_max);
    let (work, makespan) = (analysis.work_ns() as f64, makespan_ns as f64);
    let (idle_share, speedup) = if makespan_ns == 0 {
        (0.0, 1.0)
    } else {
        ((1.0 - work / (makespan * places as f64)).max(0.0), work / makespan)
    };
    Prediction { strategy, makespan_ns, working_max, idle_share, speedup }
}

/// The queue of the engine.
struct Scheduled<'p> {
    plan: &'p Plan,
    schedule: Schedule,
    released: Vec<usize>,
}

impl<'p> Scheduled<'p> {
    fn new(plan: &'p Plan, strategy: Strategy) -> Self {
        let mut schedule = Schedule::new(plan, strategy);
        let roots = (0..plan.len()).filter(|&at| plan.dependencies(at).is_empty());
        roots.for_each(|step| schedule.push(plan, step, false));
        Self { plan, schedule, released: Vec::new() }
    }
}

impl Queue for Scheduled<'_> {
    fn take(&mut self, open: impl FnMut(usize) -> bool) -> Option<usize> {
        let slot = self.schedule.best(open)?;
        self.schedule.pop(slot)
    }

    fn end(&mut self, step: usize) {
        self.schedule.finish(self.plan, step, &mut self.released);
        for released in self.released.drain(..) {
            self.schedule.push(self.plan, released, false);
        }
    }
}
