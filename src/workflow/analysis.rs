//! What a plan amounts to before it runs: its shape, its critical path, how long it must take at
//! least, and how long each strategy will take. Pure: no IO, no clock; it starts nothing.
//!
//! Times are expectations: every step is taken to run, once, and to work beside others without
//! slowing them.
#![allow(clippy::indexing_slicing, reason = "one entry per step and per resource of one plan")]

mod bound;
mod capacity;
mod order;
mod original;
mod play;
mod predict;

use std::time::Duration;

pub use capacity::Capacity;
pub use predict::Prediction;

use super::plan::{FIRST_RESOURCE, Plan};
use super::schedule::{Strategy, chains};
use crate::error::Result;
use crate::event::Estimates;

/// A plan with what is expected of its steps. Indices are those of the plan.
#[derive(Debug)]
pub struct Analysis<'p> {
    plan: &'p Plan,
    steps: Vec<Expected>,
    places: Places,
    critical_path: Vec<usize>,
}

/// What is expected of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// How long it works.
    pub duration_ns: i64,
    /// Whether somebody knows that; else it is a stand-in.
    pub is_known: bool,
    /// When it can start at the earliest: the longest chain of work before it.
    pub start_ns: i64,
    /// From its start to the end of the longest chain that begins with it.
    pub remaining_ns: i64,
    /// How much later than at the earliest it can end without making the critical path longer.
    pub slack_ns: i64,
    /// Whether it lies on [`Analysis::critical_path`].
    pub on_critical_path: bool,
}

/// The capacity as this plan sees it.
#[derive(Debug)]
struct Places {
    run: usize,
    all: usize,
    /// Per resource of the plan.
    resources: Vec<usize>,
}

impl<'p> Analysis<'p> {
    /// Looks at a plan. A step whose duration nobody knows counts as the mean of the known ones, as
    /// in [`Plan::with_estimates`]; when none is known, each counts as `fallback`.
    ///
    /// # Errors
    /// Invalid when a step uses a resource for which `capacity` has no limit.
    pub fn new(
        plan: &'p Plan,
        estimates: &dyn Estimates,
        fallback: Duration,
        capacity: &Capacity,
    ) -> Result<Self> {
        let resources = plan.resources().iter().map(|name| capacity.of_resource(name));
        let places = Places {
            run: capacity.run_max,
            all: capacity.all_max,
            resources: resources.collect::<Result<_>>()?,
        };
        let mut steps = expected(plan, estimates, fallback);
        let critical_path = critical_path(plan, &steps);
        let critical_path_ns = longest(&steps);
        for step in &mut steps {
            let through_ns = step.start_ns.saturating_add(step.remaining_ns);
            step.slack_ns = critical_path_ns - through_ns;
        }
        for &step in &critical_path {
            steps[step].on_critical_path = true;
        }
        Ok(Self { plan, steps, places, critical_path })
    }

    /// The plan.
    pub fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// What is expected of each step, in the order of the plan.
    pub fn steps(&self) -> &[Expected] {
        &self.steps
    }

    /// The steps of each stage: those whose longest chain of steps before them is as long.
    pub fn stages(&self) -> Vec<Vec<usize>> {
        let mut stages = vec![Vec::new(); self.plan.stages()];
        (0..self.plan.len()).for_each(|step| stages[self.plan.stage(step)].push(step));
        stages
    }

    /// The number of steps of the widest stage.
    pub fn width(&self) -> usize {
        self.stages().iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Steps that wait for nothing and that nothing waits for.
    pub fn independent(&self) -> Vec<usize> {
        (0..self.plan.len()).filter(|&step| original::is_independent(self.plan, step)).collect()
    }

    /// The steps parted into chains as [`Strategy::DependencyChains`] takes them.
    pub fn chains(&self) -> Vec<Vec<usize>> {
        let mut parted: Vec<Vec<usize>> = Vec::new();
        for (step, chain) in chains(self.plan).into_iter().enumerate() {
            let chain = usize::try_from(chain).unwrap_or_default();
            parted.resize_with(parted.len().max(chain), Vec::new);
            // chains count from 1
            if let Some(steps) = chain.checked_sub(1).and_then(|at| parted.get_mut(at)) {
                steps.push(step);
            }
        }
        parted
    }

    /// The chain of dependent steps with the most work, from its first step to its last; of equal
    /// ones the one whose steps come first in the plan.
    pub fn critical_path(&self) -> &[usize] {
        &self.critical_path
    }

    /// Work along the critical path: the run's time with places without end.
    pub fn critical_path_ns(&self) -> i64 {
        longest(&self.steps)
    }

    /// Work of all steps: the run's time with one place.
    pub fn work_ns(&self) -> i64 {
        bound::narrow(self.steps.iter().map(|step| i128::from(step.duration_ns)).sum())
    }

    /// What the run takes at least, seen from afar: the critical path, or all work spread evenly
    /// over the places.
    pub fn lb1_ns(&self) -> i64 {
        let places = self.places.of_run(self.plan);
        self.critical_path_ns().max(bound::spread(i128::from(self.work_ns()), places))
    }

    /// What the run takes at least within its places and the limits of its resources, whatever the
    /// order: never less than [`Analysis::lb1_ns`], and most often within a few per cent of the
    /// best order there is. [`Strategy::FullParallel`] disregards the places of the run and may
    /// be faster.
    pub fn lb2_ns(&self) -> i64 {
        let places = self.places.of_run(self.plan);
        let of_slot = |slot: Option<usize>| {
            let nodes = self.plan.nodes().iter().zip(&self.steps);
            let steps = nodes.filter(|(node, _)| slot.is_none_or(|it| node.slot == it));
            steps.map(|(_, step)| *step).collect::<Vec<_>>()
        };
        let of_resources = self.places.resources.iter().enumerate();
        let of_resources = of_resources
            .map(|(at, &limit)| {
                let steps = of_slot(Some(FIRST_RESOURCE + at));
                bound::between_heads_and_tails(&steps, places.min(limit))
            })
            .max();
        let of_run = bound::between_heads_and_tails(&of_slot(None), places);
        of_run.max(of_resources.unwrap_or(0)).max(self.lb1_ns())
    }

    /// What the run will take with a strategy, by letting the engine's own queue take the steps.
    pub fn predict(&self, strategy: Strategy) -> Prediction {
        predict::predict(self, strategy)
    }

    /// The strategy that the original system would choose, for comparison only: one step at a time
    /// when no two could work side by side; everything at once when at least 70 % of the steps are
    /// independent; chain by chain when at least 70 % are independent or in a chain that neither
    /// forks nor joins; else stage by stage.
    pub fn original_strategy(&self) -> Strategy {
        original::strategy(self.plan, self.width())
    }
}

impl Places {
    /// How many steps of the run may work at a time; more than it has are of no use.
    fn of_run(&self, plan: &Plan) -> usize {
        self.run.min(self.all).min(plan.len())
    }
}

/// Durations, and with them the longest chains before and after each step.
fn expected(plan: &Plan, estimates: &dyn Estimates, fallback: Duration) -> Vec<Expected> {
    let known: Vec<Option<i64>> = plan
        .nodes()
        .iter()
        .map(|node| estimates.estimate_ns(&node.name).map(|ns| ns.max(0)))
        .collect();
    let count = known.iter().flatten().count();
    let sum: i128 = known.iter().flatten().map(|&ns| i128::from(ns)).sum();
    let stand_in = match i128::try_from(count) {
        Ok(count) if count > 0 => bound::narrow(sum / count),
        _ => i64::try_from(fallback.as_nanos()).unwrap_or(i64::MAX),
    };
    let mut steps: Vec<Expected> = known
        .into_iter()
        .map(|known| Expected {
            duration_ns: known.unwrap_or(stand_in),
            is_known: known.is_some(),
            start_ns: 0,
            remaining_ns: 0,
            slack_ns: 0,
            on_critical_path: false,
        })
        .collect();
    for at in 0..steps.len() {
        let ends = plan.dependencies(at).iter().map(|&before| {
            let before = &steps[before];
            before.start_ns.saturating_add(before.duration_ns)
        });
        steps[at].start_ns = ends.max().unwrap_or(0);
    }
    for at in (0..steps.len()).rev() {
        let after = plan.dependents(at).iter().map(|&after| steps[after].remaining_ns).max();
        steps[at].remaining_ns = steps[at].duration_ns.saturating_add(after.unwrap_or(0));
    }
    steps
}

fn longest(steps: &[Expected]) -> i64 {
    steps.iter().map(|step| step.remaining_ns).max().unwrap_or(0)
}

fn critical_path(plan: &Plan, steps: &[Expected]) -> Vec<usize> {
    let first_longest = |from: &mut dyn Iterator<Item = usize>| {
        from.reduce(
            |best, at| {
                if steps[at].remaining_ns > steps[best].remaining_ns { at } else { best }
            },
        )
    };
    let mut path = Vec::new();
    let mut next = first_longest(&mut (0..steps.len()));
    while let Some(at) = next {
        path.push(at);
        next = first_longest(&mut plan.dependents(at).iter().copied());
    }
    path
}
