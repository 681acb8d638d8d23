//! One run's doors: to the places of all runs, and to a resource. Knows nothing of steps;
//! `execution` asks.

use std::sync::Arc;

use tokio::sync::watch;

use super::door::{Answer, Door, Pass};
use super::line::{Line, Place};

/// One run's way to places. At most one claim of a run waits at a time, so that runs which
/// share the places take turns, while within the run the most urgent step goes first.
#[derive(Debug)]
pub(super) struct Gate {
    line: Arc<Line>,
    spare: Option<Place>,
    claimed: bool,
}

impl Gate {
    pub(super) fn new(line: &Arc<Line>) -> Self {
        Self { line: Arc::clone(line), spare: None, claimed: false }
    }

    /// Makes sure of one place without waiting.
    pub(super) fn secure(&mut self) -> bool {
        if self.spare.is_none() {
            self.spare = self.line.try_take();
        }
        self.spare.is_some()
    }

    /// Takes the secured place.
    pub(super) fn take(&mut self) -> Option<Place> {
        self.spare.take()
    }

    /// Gives a secured place back.
    pub(super) fn give_back(&mut self) {
        self.spare = None;
    }

    /// The line to wait in, unless a claim is waiting already.
    pub(super) fn claim(&mut self) -> Option<Arc<Line>> {
        (!std::mem::replace(&mut self.claimed, true)).then(|| Arc::clone(&self.line))
    }

    /// A claim has been answered.
    pub(super) fn answer(&mut self, permit: Place) {
        self.claimed = false;
        self.spare = Some(permit);
    }
}

/// One run's way to one resource.
#[derive(Debug)]
pub(super) struct ResourceGate {
    pub(super) door: Arc<Door>,
    pub(super) places: Gate,
    changes: Option<watch::Receiver<()>>,
    watched: bool,
    /// When somebody looks again.
    look_ns: Option<i64>,
}

impl ResourceGate {
    pub(super) fn new(door: &Arc<Door>) -> Self {
        Self {
            places: Gate::new(&door.places),
            changes: door.changes(),
            door: Arc::clone(door),
            watched: false,
            look_ns: None,
        }
    }

    /// Makes sure of one place without waiting, if a step may go through now.
    pub(super) fn secure(&mut self, now_ns: i64) -> bool {
        self.door.ask(now_ns) == Answer::Yes && self.places.secure()
    }

    /// Goes through with the secured place.
    pub(super) fn enter(&mut self, now_ns: i64) -> Option<Pass> {
        match self.door.enter(self.places.take()?, now_ns) {
            Ok(pass) => Some(pass),
            Err(permit) => {
                self.places.spare = Some(permit);
                None
            }
        }
    }

    /// What tells of the next change, unless somebody watches already.
    pub(super) fn watch(&mut self) -> Option<watch::Receiver<()>> {
        let changes = self.changes.as_ref().filter(|_| !self.watched)?.clone();
        self.watched = true;
        Some(changes)
    }

    /// A change has been seen.
    pub(super) fn seen(&mut self) {
        self.watched = false;
        if let Some(changes) = &mut self.changes {
            changes.mark_unchanged();
        }
    }

    /// Whether somebody has to be asked to look at this time.
    pub(super) fn look_at(&mut self, look_ns: i64) -> bool {
        let early = self.look_ns.is_some_and(|at_ns| at_ns <= look_ns);
        if !early {
            self.look_ns = Some(look_ns);
        }
        !early
    }

    /// Somebody has looked.
    pub(super) fn looked(&mut self) {
        self.look_ns = None;
    }
}
