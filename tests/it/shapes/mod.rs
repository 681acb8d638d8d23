//! Graphs of work on which the engine's order is measured, by tests and benches alike: the same
//! seed gives the same graph. Runs nothing itself but for `paused`.
#![allow(dead_code, unused_imports, reason = "tests and benches each use a part")]
#![allow(clippy::unwrap_used, reason = "a test or a bench stops on errors")]
#![allow(clippy::indexing_slicing, reason = "the same")]

mod kinds;
mod paused;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use genstore::event::Estimates;
use genstore::workflow::{Analysis, Capacity, Component, Limits, Plan, Step};

pub(crate) use kinds::*;
pub(crate) use paused::{Act, Sleeper, paused_engine, run_paused};

/// One piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) name: String,
    /// Pieces that it waits for, by their places.
    pub(crate) after: Vec<usize>,
    pub(crate) duration_ms: u64,
    pub(crate) resource: Option<&'static str>,
    pub(crate) act: Act,
}

/// A graph of work.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) work: Vec<Work>,
}

/// Work of a model: half of a run's places are places of the model.
pub(crate) const MODEL: &str = "model";

pub(crate) fn model_places(places: usize) -> usize {
    (places / 2).max(1)
}

impl Shape {
    fn new(name: &'static str) -> Self {
        Self { name, work: Vec::new() }
    }

    /// Adds a piece and says its place.
    fn add(&mut self, name: String, after: Vec<usize>, duration_ms: u64) -> usize {
        self.work.push(Work { name, after, duration_ms, resource: None, act: Act::Work });
        self.work.len() - 1
    }

    /// Adds a piece that needs the model.
    fn ask(&mut self, name: String, after: Vec<usize>, duration_ms: u64) -> usize {
        let at = self.add(name, after, duration_ms);
        self.work[at].resource = Some(MODEL);
        at
    }

    /// The pieces as steps, each with its component.
    pub(crate) fn steps(&self, component: impl Fn(&Work) -> Arc<dyn Component>) -> Vec<Step> {
        let of_one = |work: &Work| {
            let after = work.after.iter().map(|&before| self.work[before].name.as_str());
            let mut step = Step::shared(&work.name, component(work)).after(after);
            step.resource = work.resource.map(str::to_owned);
            step
        };
        self.work.iter().map(of_one).collect()
    }

    /// The pieces as steps that sleep.
    pub(crate) fn plan(&self) -> Plan {
        let steps = self.steps(|work| Arc::new(Sleeper::of(work)));
        let steps = steps.into_iter().zip(&self.work);
        let steps = steps.map(|(step, work)| step.with_policy(paused::policy(work)));
        Plan::new(steps.collect()).unwrap().with_estimates(&self.estimates())
    }

    /// The same, looked ahead for so many places.
    pub(crate) fn plan_for(&self, places: usize) -> Plan {
        self.plan_knowing(&self.estimates(), places)
    }

    /// The same by other estimates than the durations.
    pub(crate) fn plan_knowing(&self, known: &Known, places: usize) -> Plan {
        let capacity = Self::capacity(places, places);
        self.plan().looking_ahead(known, UNKNOWN, &capacity).unwrap()
    }

    /// How long each piece takes.
    pub(crate) fn estimates(&self) -> Known {
        let ns = |work: &Work| i64::try_from(work.duration_ms).unwrap() * 1_000_000;
        Known(self.work.iter().map(|work| (work.name.clone(), ns(work))).collect())
    }

    pub(crate) fn limits(places: usize, all_max: usize) -> Limits {
        Limits::new(all_max).with_resource(MODEL, model_places(places))
    }

    pub(crate) fn capacity(places: usize, all_max: usize) -> Capacity {
        Capacity::new(places).within(all_max).with_resource(MODEL, model_places(places))
    }
}

/// Stands in for the durations of an unknown plan; every piece of a shape is known.
const UNKNOWN: Duration = Duration::from_secs(1);

/// What is known of a plan of this shape when so many places are all there are.
pub(crate) fn analyse<'p>(plan: &'p Plan, known: &Known, places: usize) -> Analysis<'p> {
    let capacity = Shape::capacity(places, places);
    Analysis::new(plan, known, UNKNOWN, &capacity).unwrap()
}

/// Durations of steps by their names.
#[derive(Debug, Default)]
pub(crate) struct Known(pub(crate) HashMap<String, i64>);

impl Estimates for Known {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        self.0.get(step_name).copied()
    }
}
