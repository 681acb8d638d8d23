//! What goes on inside one attempt of a composite step: the runs of inner plans, what they sum up
//! to, and which of them made the longest chain. Starts nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::undo::Undo;
use crate::event::Text;

/// Where an inner plan runs.
pub(super) struct Inner {
    pub(super) inside: Arc<Inside>,
    /// The run of the same attempt that it comes after on the longest chain.
    pub(super) before: Option<usize>,
    /// How many steps are around the plan.
    pub(super) depth: usize,
}

/// One attempt of a composite step, with what would have to be taken back of it. What is inside
/// knows only the first, so that the two do not keep each other alive.
pub(super) struct Composite {
    pub(super) inside: Arc<Inside>,
    undos: Mutex<Vec<Undo>>,
}

impl fmt::Debug for Composite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composite").field("inside", &self.inside).finish_non_exhaustive()
    }
}

impl Composite {
    pub(super) fn new(step_id: Text, deadline_ns: Option<i64>) -> Self {
        let inside = Arc::new(Inside { step_id, deadline_ns, state: Mutex::default() });
        Self { inside, undos: Mutex::default() }
    }

    pub(super) fn add_undos(&self, undos: Vec<Undo>) {
        self.undos.lock().unwrap_or_else(PoisonError::into_inner).extend(undos);
    }

    pub(super) fn take_undos(&self) -> Vec<Undo> {
        std::mem::take(&mut *self.undos.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What goes on in one attempt of a composite step.
#[derive(Debug)]
pub(super) struct Inside {
    pub(super) step_id: Text,
    /// When the attempt is given up by the step's own policy.
    pub(super) deadline_ns: Option<i64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    begun: u32,
    /// Inner runs in the order of their ends.
    runs: Vec<Ended>,
    /// The run that ends the longest chain, the first of equal ones.
    longest: Option<usize>,
    sums: Sums,
    closed: bool,
}

/// An inner run that has ended, and the longest chain of runs, one after the other, that it ends.
#[derive(Debug)]
struct Ended {
    before: Option<usize>,
    chain_ns: i64,
    critical: bool,
}

/// What inner runs amount to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// At work, over all steps that have none inside.
    pub(super) work_ns: i64,
    /// Waiting for a free place.
    pub(super) queue_ns: i64,
    /// Work along the longest chain.
    pub(super) critical_path_ns: i64,
    pub(super) degraded: bool,
}

impl Inside {
    /// An inner run begins: how many have begun before, and which one it comes after. `None` when
    /// the attempt has ended.
    pub(super) fn begin(&self) -> Option<(u32, Option<usize>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        let number = state.begun;
        state.begun = number.saturating_add(1);
        Some((number, state.longest))
    }

    /// An inner run has ended; its number.
    pub(super) fn end(&self, before: Option<usize>, sums: Sums) -> usize {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let until_ns = before.and_then(|at| state.runs.get(at)).map_or(0, |run| run.chain_ns);
        let chain_ns = until_ns + sums.critical_path_ns;
        let longest_ns = state.longest.and_then(|at| state.runs.get(at)).map(|run| run.chain_ns);
        if longest_ns.is_none_or(|longest_ns| chain_ns > longest_ns) {
            state.longest = Some(state.runs.len());
        }
        state.runs.push(Ended { before, chain_ns, critical: false });
        state.sums.work_ns += sums.work_ns;
        state.sums.queue_ns += sums.queue_ns;
        state.sums.critical_path_ns = state.sums.critical_path_ns.max(chain_ns);
        state.sums.degraded |= sums.degraded;
        state.runs.len() - 1
    }

    /// The attempt has ended: nothing more begins.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
    }

    pub(super) fn sums(&self) -> Sums {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sums
    }

    /// The step is on the critical path, and so are its runs on the longest chain.
    pub(super) fn mark_longest_chain(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = state.longest;
        while let Some(run) = next.and_then(|at| state.runs.get_mut(at)) {
            run.critical = true;
            next = run.before;
        }
    }

    pub(super) fn is_marked(&self, number: usize) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.runs.get(number).is_some_and(|run| run.critical)
    }
}
