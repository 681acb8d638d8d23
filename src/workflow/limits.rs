//! How many steps may work at a time: over all runs that share a [`Limits`], and per named
//! resource. Knows nothing of steps; `execution` asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result, nearest};

/// Places for working steps. Clones share their places, and cost nothing.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Doors>);

#[derive(Debug, Clone)]
struct Doors {
    places: Arc<Semaphore>,
    resources: BTreeMap<String, Arc<Semaphore>>,
}

impl Limits {
    /// Lets `steps_max` steps work at a time; 0 counts as 1.
    pub fn new(steps_max: usize) -> Self {
        let resources = BTreeMap::new();
        Self(Arc::new(Doors { places: semaphore(steps_max), resources }))
    }

    /// Adds a named limit: of the steps that use `resource`, `steps_max` work at a time.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>, steps_max: usize) -> Self {
        let doors = Arc::make_mut(&mut self.0);
        doors.resources.insert(resource.into(), semaphore(steps_max));
        self
    }

    pub(super) fn gate(&self) -> Gate {
        Gate::new(&self.0.places)
    }

    pub(super) fn resource_gate(&self, resource: &str) -> Result<Gate> {
        self.0.resources.get(resource).map(Gate::new).ok_or_else(|| {
            let names = self.0.resources.keys().map(String::as_str);
            let error = Error::invalid(format!("no limit is set for the resource `{resource}`"));
            match nearest(resource, names) {
                Some(name) => error.with_hint(format!("Did you mean `{name}`?")),
                None => error.with_hint("Add it to the limits, or remove it from the step."),
            }
        })
    }
}

fn semaphore(places: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS)))
}

/// One run's door to one semaphore. At most one claim of a run waits at a time, so that runs which
/// share the places take turns, while within the run the most urgent step goes first.
#[derive(Debug)]
pub(super) struct Gate {
    semaphore: Arc<Semaphore>,
    spare: Option<OwnedSemaphorePermit>,
    claimed: bool,
}

impl Gate {
    fn new(semaphore: &Arc<Semaphore>) -> Self {
        Self { semaphore: Arc::clone(semaphore), spare: None, claimed: false }
    }

    /// Makes sure of one place without waiting.
    pub(super) fn secure(&mut self) -> bool {
        if self.spare.is_none() {
            self.spare = Arc::clone(&self.semaphore).try_acquire_owned().ok();
        }
        self.spare.is_some()
    }

    pub(super) fn is_secured(&self) -> bool {
        self.spare.is_some()
    }

    /// Takes the secured place.
    pub(super) fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        self.spare.take()
    }

    /// Gives a secured place back.
    pub(super) fn give_back(&mut self) {
        self.spare = None;
    }

    /// The semaphore to wait for, unless a claim is waiting already.
    pub(super) fn claim(&mut self) -> Option<Arc<Semaphore>> {
        (!std::mem::replace(&mut self.claimed, true)).then(|| Arc::clone(&self.semaphore))
    }

    /// A claim has been answered.
    pub(super) fn answer(&mut self, permit: OwnedSemaphorePermit) {
        self.claimed = false;
        self.spare = Some(permit);
    }
}
