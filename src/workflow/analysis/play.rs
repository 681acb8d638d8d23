//! A run as it will be, played on a clock of its own: steps take the places that are free and end
//! when their expected time is over. Which step is next is for a queue to say.
#![allow(clippy::indexing_slicing, reason = "one entry per step and per resource of one plan")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Analysis;
use crate::workflow::plan::FIRST_RESOURCE;

/// Says which step is next.
pub(super) trait Queue {
    /// Takes the next step of all whose slot is open; slots are those of the plan.
    fn take(&mut self, open: impl FnMut(usize) -> bool) -> Option<usize>;

    /// A step has ended.
    fn end(&mut self, step: usize);
}

/// How a run was played.
pub(super) struct Played {
    pub(super) makespan_ns: i64,
    /// The most steps that worked at a time.
    pub(super) working_max: usize,
    /// When each step ended.
    pub(super) ends: Vec<i64>,
}

/// Plays a run with so many places to its end.
pub(super) fn play(analysis: &Analysis<'_>, places: usize, queue: impl Queue) -> Played {
    let mut play = Play {
        analysis,
        queue,
        places,
        free: analysis.places.resources.clone(),
        working: BinaryHeap::new(),
        played: Played { makespan_ns: 0, working_max: 0, ends: vec![0; analysis.steps.len()] },
    };
    while play.start_ready() {
        play.end_next();
    }
    play.played
}

struct Play<'a, Q> {
    analysis: &'a Analysis<'a>,
    queue: Q,
    places: usize,
    /// Free places per resource.
    free: Vec<usize>,
    /// Working steps by their ends.
    working: BinaryHeap<Reverse<(i64, usize)>>,
    /// Its makespan is the time so far.
    played: Played,
}

impl<Q: Queue> Play<'_, Q> {
    /// Starts what has a place; whether a step works now.
    fn start_ready(&mut self) -> bool {
        while self.working.len() < self.places {
            let free = &self.free;
            let taken =
                self.queue.take(|slot| slot < FIRST_RESOURCE || free[slot - FIRST_RESOURCE] > 0);
            let Some(step) = taken else { break };
            let now = self.working.len() + 1;
            self.played.working_max = self.played.working_max.max(now);
            let duration_ns = self.analysis.steps[step].duration_ns;
            let end_ns = self.played.makespan_ns.saturating_add(duration_ns);
            self.played.ends[step] = end_ns;
            if duration_ns == 0 {
                // as in the engine, it ends before the next one starts
                self.queue.end(step);
                continue;
            }
            if let Some(resource) = self.resource(step) {
                self.free[resource] -= 1;
            }
            self.working.push(Reverse((end_ns, step)));
        }
        !self.working.is_empty()
    }

    /// Lets time pass until a step ends, and ends all that end then.
    fn end_next(&mut self) {
        let Some(&Reverse((now_ns, _))) = self.working.peek() else { return };
        self.played.makespan_ns = now_ns;
        while let Some(&Reverse((end_ns, step))) = self.working.peek()
            && end_ns == now_ns
        {
            self.working.pop();
            if let Some(resource) = self.resource(step) {
                self.free[resource] += 1;
            }
            self.queue.end(step);
        }
    }

    fn resource(&self, step: usize) -> Option<usize> {
        self.analysis.plan.nodes()[step].slot.checked_sub(FIRST_RESOURCE)
    }
}
