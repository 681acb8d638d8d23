//! Which step is next: counts open dependencies, keeps ready steps by urgency, and applies the
//! strategy. Pure: no IO, no clock, no randomness.
#![allow(clippy::indexing_slicing, reason = "one entry per step and per slot of one plan")]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fmt;

use super::outcome::ResultKind;
use super::plan::{FIRST_RESOURCE, Plan};
use super::shared::Done;
use super::step::RunWhen;

/// In which order, and how many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Every ready step as soon as there is a place, the longest remaining chain first unless the
    /// plan has looked ahead; no barrier.
    #[default]
    ReadyQueue,
    /// One step at a time, in the order of the plan.
    Sequential,
    /// Stage by stage: a stage begins when all steps of the stages before it have ended. The
    /// barrier costs time; for comparison.
    StagedParallel,
    /// Every ready step at once, in the order of the plan, without the run's own limit; the limits
    /// shared with other runs hold.
    FullParallel,
    /// Chain by chain: a chain of dependent steps that has begun goes on before another begins.
    DependencyChains,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 5] = [
        Self::ReadyQueue,
        Self::Sequential,
        Self::StagedParallel,
        Self::FullParallel,
        Self::DependencyChains,
    ];

    /// The name in the `runs` table and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadyQueue => "ready_queue",
            Self::Sequential => "sequential",
            Self::StagedParallel => "staged_parallel",
            Self::FullParallel => "full_parallel",
            Self::DependencyChains => "dependency_chains",
        }
    }

    /// The strategy with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == name)
    }

    /// How many steps of the run may work at a time when the run asks for `wanted`.
    pub(super) fn concurrency_max(self, wanted: usize) -> usize {
        match self {
            Self::Sequential => 1,
            Self::FullParallel => usize::MAX,
            Self::ReadyQueue | Self::StagedParallel | Self::DependencyChains => wanted.max(1),
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A ready step: the greatest is next, the earlier one in the plan among equals.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    urgency: i64,
    index: Reverse<usize>,
}

/// The state of one run's queue.
#[derive(Debug)]
pub(super) struct Schedule {
    strategy: Strategy,
    /// Per step, dependencies that have not ended.
    waiting: Vec<usize>,
    /// Ready steps per slot.
    slots: Vec<BinaryHeap<Ready>>,
    barrier: Option<Barrier>,
    /// Per step the number of its chain, for [`Strategy::DependencyChains`].
    chains: Option<Vec<i64>>,
}

/// The closed stages of [`Strategy::StagedParallel`].
#[derive(Debug)]
struct Barrier {
    open: usize,
    /// Per stage, steps that have not ended.
    unfinished: Vec<usize>,
    /// Per stage, ready steps that wait for it to open.
    held: Vec<Vec<usize>>,
}

impl Schedule {
    pub(super) fn new(plan: &Plan, strategy: Strategy) -> Self {
        let barrier = (strategy == Strategy::StagedParallel).then(|| {
            let mut unfinished = vec![0; plan.stages()];
            plan.nodes().iter().for_each(|node| unfinished[node.stage] += 1);
            Barrier { open: 0, unfinished, held: vec![Vec::new(); plan.stages()] }
        });
        Self {
            strategy,
            waiting: plan.nodes().iter().map(|node| node.dependencies.len()).collect(),
            slots: (0..FIRST_RESOURCE + plan.resources().len())
                .map(|_| BinaryHeap::new())
                .collect(),
            barrier,
            chains: (strategy == Strategy::DependencyChains).then(|| chains(plan)),
        }
    }

    /// Lets a step queue for its place, the fallback of a step for its own. It may be pushed again
    /// after it was popped.
    pub(super) fn push(&mut self, plan: &Plan, index: usize, by_fallback: bool) {
        let node = &plan.nodes()[index];
        if let Some(barrier) = &mut self.barrier
            && node.stage > barrier.open
        {
            barrier.held[node.stage].push(index);
            return;
        }
        let urgency = match (self.strategy, &self.chains) {
            (Strategy::ReadyQueue, _) => node.urgency,
            (_, Some(chains)) => -chains[index],
            (_, None) => 0,
        };
        self.slots[node.slot(by_fallback)].push(Ready { urgency, index: Reverse(index) });
    }

    /// The slot of the most urgent step among the slots for which `open` says yes; `open` is asked
    /// once per slot that has a step.
    pub(super) fn best(&self, mut open: impl FnMut(usize) -> bool) -> Option<usize> {
        let heads = self.slots.iter().enumerate();
        heads
            .filter_map(|(slot, heap)| heap.peek().map(|head| (head, slot)))
            .filter(|(_, slot)| open(*slot))
            .max_by(|a, b| a.0.cmp(b.0))
            .map(|(_, slot)| slot)
    }

    /// Takes the most urgent step of a slot.
    pub(super) fn pop(&mut self, slot: usize) -> Option<usize> {
        self.slots[slot].pop().map(|ready| ready.index.0)
    }

    /// Whether a step queues for the slot.
    pub(super) fn wants(&self, slot: usize) -> bool {
        !self.slots[slot].is_empty()
    }

    /// Takes note that a step has ended: appends the steps that have nothing more to wait for, and
    /// opens the next stage when this one is over.
    pub(super) fn finish(&mut self, plan: &Plan, index: usize, released: &mut Vec<usize>) {
        for &dependent in &plan.nodes()[index].dependents {
            self.waiting[dependent] -= 1;
            if self.waiting[dependent] == 0 {
                released.push(dependent);
            }
        }
        let Some(barrier) = &mut self.barrier else { return };
        barrier.unfinished[plan.nodes()[index].stage] -= 1;
        let mut opened = Vec::new();
        while barrier.unfinished.get(barrier.open) == Some(&0) {
            barrier.open += 1;
            if let Some(held) = barrier.held.get_mut(barrier.open) {
                opened.append(held);
            }
        }
        opened.into_iter().for_each(|step| self.push(plan, step, false));
    }

    /// Takes steps out of the queue.
    pub(super) fn remove(&mut self, steps: &HashSet<usize>) {
        self.slots.iter_mut().for_each(|slot| slot.retain(|it| !steps.contains(&it.index.0)));
        if let Some(barrier) = &mut self.barrier {
            barrier.held.iter_mut().for_each(|held| held.retain(|it| !steps.contains(it)));
        }
    }

    /// Lets no more step queue.
    pub(super) fn clear(&mut self) {
        self.slots.iter_mut().for_each(BinaryHeap::clear);
        self.barrier = None;
    }
}

/// Parts the steps into chains, numbered from 1: each begins with the first step that is in none
/// and goes on with the first dependent that is in none.
pub(super) fn chains(plan: &Plan) -> Vec<i64> {
    let mut chains = vec![None; plan.len()];
    let mut number = 0;
    for start in 0..plan.len() {
        let mut next = chains[start].is_none().then_some(start);
        number += i64::from(next.is_some());
        while let Some(at) = next {
            chains[at] = Some(number);
            next = plan.dependents(at).iter().copied().find(|&it| chains[it].is_none());
        }
    }
    chains.into_iter().flatten().collect()
}

/// Why a step does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) reason: String,
    /// Whether it goes back to a failure; else to a condition.
    pub(super) by_failure: bool,
}

/// Whether a step may run, given how its dependencies ended; if not, why not.
pub(super) fn may_run<'d>(
    run_when: RunWhen,
    dependencies: impl Iterator<Item = (&'d str, &'d Done)> + Clone,
) -> Result<(), Bar> {
    let find = |wanted: fn(&Done) -> bool| dependencies.clone().find(|(_, done)| wanted(done));
    // a failure says more than a condition
    let failed = || find(Done::failed);
    let missing = match run_when {
        RunWhen::AllDone => None,
        RunWhen::NoneFailed => failed(),
        RunWhen::AllSuccess => find(|done| !done.passed).and_then(|it| failed().or(Some(it))),
        RunWhen::AnySuccess if find(|done| done.passed).is_some() => None,
        RunWhen::AnySuccess => failed().or_else(|| dependencies.clone().next()),
    };
    let Some((name, done)) = missing else { return Ok(()) };
    let reason = match (run_when, done.result) {
        (RunWhen::AnySuccess, _) => "no dependency succeeded".to_owned(),
        (_, ResultKind::Skip) if done.barred => {
            format!("dependency `{name}` was skipped after a failure")
        }
        (_, ResultKind::Skip) => format!("dependency `{name}` was skipped"),
        (_, result) => format!("dependency `{name}` ended as {result}"),
    };
    Err(Bar { reason, by_failure: done.failed() })
}

#[cfg(test)]
mod tests;
