//! How many steps may work at a time, as numbers; [`Limits`](super::super::Limits) holds the places
//! themselves. Gives no place to anyone.

use std::collections::BTreeMap;

use crate::error::{Error, Result, nearest};

/// How many steps may work at a time.
#[derive(Debug, Clone)]
pub struct Capacity {
    pub(super) run_max: usize,
    pub(super) all_max: usize,
    resources: BTreeMap<String, usize>,
}

impl Capacity {
    /// Lets `run_max` steps of the run work at a time; 0 counts as 1.
    pub fn new(run_max: usize) -> Self {
        Self { run_max: run_max.max(1), all_max: usize::MAX, resources: BTreeMap::new() }
    }

    /// Sets the limit shared by all runs, which holds for every strategy; 0 counts as 1.
    #[must_use]
    pub fn within(mut self, all_max: usize) -> Self {
        self.all_max = all_max.max(1);
        self
    }

    /// Adds a named limit: of the steps that use `resource`, `steps_max` work at a time; 0 counts
    /// as 1.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>, steps_max: usize) -> Self {
        self.resources.insert(resource.into(), steps_max.max(1));
        self
    }

    pub(super) fn of_resource(&self, name: &str) -> Result<usize> {
        self.resources.get(name).copied().ok_or_else(|| {
            let error = Error::invalid(format!("no limit is known for the resource `{name}`"));
            match nearest(name, self.resources.keys().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint("Add it to the limits, or remove it from the step."),
            }
        })
    }
}
