//! How many steps may work at a time over all runs that share a [`Limits`], and what they may use
//! of each named resource. Knows nothing of steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bucket::Rate;
use super::circuit::CircuitBreaker;
use super::door::Door;
use super::gate::{Gate, ResourceGate};
use super::line::Line;
use crate::error::{Error, Result, nearest};

/// What steps may use of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceLimit {
    /// Steps that work with it at a time; 0 counts as 1.
    pub places: usize,
    /// How often a step may start.
    pub rate: Option<Rate>,
    /// When it is left alone because it keeps failing. A step that comes to it then fails at once
    /// as `circuit_open`, which uses up an attempt. If it has more, it waits until the resource is
    /// tried again, unless that is longer than [`Retry::retry_after_max`](super::Retry) or its
    /// deadlines let it; else its [`OnFailure`](super::OnFailure) applies.
    pub breaker: Option<CircuitBreaker>,
}

impl From<usize> for ResourceLimit {
    fn from(places: usize) -> Self {
        Self { places, rate: None, breaker: None }
    }
}

/// Places for working steps, and doors to resources. Clones share them, and cost nothing; runs that
/// share them must go by one clock.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Doors>);

#[derive(Debug, Clone)]
struct Doors {
    places_max: usize,
    places: Arc<Line>,
    resources: BTreeMap<String, Arc<Door>>,
}

impl Limits {
    /// Lets `steps_max` steps work at a time; 0 counts as 1.
    pub fn new(steps_max: usize) -> Self {
        let resources = BTreeMap::new();
        let places = Arc::new(Line::new(steps_max));
        Self(Arc::new(Doors { places_max: steps_max.max(1), places, resources }))
    }

    /// Adds a resource, in the place of one of the same name. A number limits how many of the steps
    /// that use it work at a time.
    #[must_use]
    pub fn with_resource(
        mut self,
        resource: impl Into<String>,
        limit: impl Into<ResourceLimit>,
    ) -> Self {
        let name = resource.into();
        let door = Arc::new(Door::new(name.clone(), &limit.into()));
        Arc::make_mut(&mut self.0).resources.insert(name, door);
        self
    }

    /// The same, of which so many steps may work at a time: those of one run, or of a part of it,
    /// with all plans inside of them.
    pub(super) fn within(&self, steps_max: usize) -> Self {
        if steps_max >= self.0.places_max {
            return self.clone();
        }
        let places = Arc::new(Line::inside(steps_max, &self.0.places));
        let resources = self.0.resources.clone();
        Self(Arc::new(Doors { places_max: steps_max.max(1), places, resources }))
    }

    pub(super) fn gate(&self) -> Gate {
        Gate::new(&self.0.places)
    }

    pub(super) fn resource_gate(&self, resource: &str) -> Result<ResourceGate> {
        self.0.resources.get(resource).map(ResourceGate::new).ok_or_else(|| {
            let names = self.0.resources.keys().map(String::as_str);
            let error = Error::invalid(format!("no limit is set for the resource `{resource}`"));
            match nearest(resource, names) {
                Some(name) => error.with_hint(format!("Did you mean `{name}`?")),
                None => error.with_hint("Add it to the limits, or remove it from the step."),
            }
        })
    }
}
