//! A workflow that was checked: what a run of it can be given, how it is run, and what it gives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::analysis::{Analysis, Capacity};
use super::bound::{Scope, complete};
use super::bucket::Rate;
use super::cancel::Cancel;
use super::circuit::CircuitBreaker;
use super::composition::Definition;
use super::engine::{Engine, Run};
use super::library::{Input, Library};
use super::limits::{Limits, ResourceLimit};
use super::lower::{Others, Problem, lower};
use super::outcome::Outcome;
use super::plan::Plan;
use super::schedule::Strategy;
use crate::error::{Error, Result, nearest};
use crate::event::Estimates;

/// How long a step is expected to take when nobody knows of any.
const FALLBACK: Duration = Duration::from_millis(1);

/// A definition that was checked, and made into a plan; serves any number of runs.
#[derive(Debug)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in words.
    pub description: String,
    /// What a run can be given.
    pub parameters: Vec<Input>,
    /// The steps.
    pub plan: Arc<Plan>,
    /// How many steps of a run may work at a time.
    pub concurrency: Option<usize>,
    /// Longest time of a run.
    pub timeout: Option<Duration>,
    /// What steps may use of each resource.
    pub(super) limits: BTreeMap<String, Limit>,
    /// Digest of everything that decides what it does.
    pub digest: String,
    /// What a run is expected to take, where that was asked: see [`Self::expecting`].
    pub(super) expected: Option<i64>,
    /// Whether a step is declared pure, so that outputs of earlier runs are worth looking for.
    pub has_pure: bool,
    /// How long steps are expected to take, as their author says.
    pub(super) declared: BTreeMap<String, i64>,
    /// The steps that give what the workflow gives, with the names under which they give it.
    pub(super) exits: Vec<(String, String)>,
}

/// What steps may use of a resource; without places, as much as they may of anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) places: Option<usize>,
    pub(super) rate: Option<Rate>,
    pub(super) breaker: Option<CircuitBreaker>,
}

/// How long steps are expected to take: as was measured, else as their author says.
#[derive(Debug)]
pub struct WorkflowEstimates<'w, E> {
    measured: E,
    declared: &'w BTreeMap<String, i64>,
}

impl<E: Estimates> Estimates for WorkflowEstimates<'_, E> {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        let declared = || self.declared.get(step_name).copied();
        self.measured.estimate_ns(step_name).or_else(declared)
    }
}

impl Workflow {
    /// What is known of the durations of its steps, with what was measured.
    pub fn estimates<E: Estimates>(&self, measured: E) -> WorkflowEstimates<'_, E> {
        WorkflowEstimates { measured, declared: &self.declared }
    }

    /// Checks a definition and makes a plan of it. `uri` is its place; `others` finds the workflows
    /// that it calls.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn lower(
        definition: &Definition,
        uri: &str,
        library: &Library,
        others: Others<'_>,
    ) -> Result<Self, Vec<Problem>> {
        lower(definition, uri, library, others)
    }

    /// Sets how urgent each step is by what was measured and declared of durations, for runs of
    /// which `jobs` steps may work at a time; see [`Plan::looking_ahead`]. A plan that others hold,
    /// too, stays as it is.
    ///
    /// # Errors
    /// As [`Plan::looking_ahead`].
    pub fn expecting(mut self, measured: impl Estimates, jobs: usize) -> Result<Self> {
        let capacity = self.capacity(jobs);
        let declared = std::mem::take(&mut self.declared);
        let estimates = WorkflowEstimates { measured, declared: &declared };
        self.plan = match Arc::try_unwrap(self.plan) {
            Ok(plan) => Arc::new(plan.looking_ahead(&estimates, FALLBACK, &capacity)?),
            Err(shared) => shared,
        };
        let analysis = Analysis::new(&self.plan, &estimates, FALLBACK, &capacity)?;
        let is_known = analysis.steps().iter().any(|it| it.is_known);
        let predicted = || analysis.predict(Strategy::ReadyQueue).makespan_ns;
        self.expected = is_known.then(predicted);
        self.declared = declared;
        Ok(self)
    }

    /// What a run is expected to take in nanoseconds, after [`Self::expecting`]; `None` when
    /// nothing is known of any step.
    pub fn expected_ns(&self) -> Option<i64> {
        self.expected
    }

    /// The limits of runs that share `places`, of which there are `jobs`.
    pub fn limits(&self, places: &Limits, jobs: usize) -> Limits {
        self.limits.iter().fold(places.clone(), |limits, (name, limit)| {
            let Limit { places, rate, breaker } = *limit;
            let places = places.unwrap_or(jobs);
            limits.with_resource(name, ResourceLimit { places, rate, breaker })
        })
    }

    /// The same as numbers.
    pub fn capacity(&self, jobs: usize) -> Capacity {
        let capacity = Capacity::new(self.concurrency.unwrap_or(jobs)).within(jobs);
        self.limits.iter().fold(capacity, |capacity, (name, limit)| {
            capacity.with_resource(name, limit.places.unwrap_or(jobs))
        })
    }

    /// Checks what a run is given, and adds defaults.
    ///
    /// # Errors
    /// Usage: a parameter that is unknown, missing or of another kind.
    pub fn given(&self, mut given: Map<String, Json>) -> Result<Map<String, Json>> {
        let names = || self.parameters.iter().map(|it| it.name.as_str());
        for name in given.keys() {
            if names().any(|it| it == name) {
                continue;
            }
            let error = Error::usage(format!("{} has no parameter `{name}`", self.name));
            return Err(match nearest(name, names()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None if self.parameters.is_empty() => error.with_hint("It has none at all."),
                None => error.with_hint(format!("It has {}.", listed(names()))),
            });
        }
        complete(&self.parameters, &mut given).map_err(|what| {
            let hint = "--set NAME=VALUE gives it, with lists and mappings as JSON; `genstore \
                        pipeline show` lists all.";
            Error::usage(format!("parameter {what}")).with_hint(hint)
        })?;
        Ok(given)
    }

    /// Runs it. The run's input, places and longest time are set by the workflow, where it says
    /// something of them.
    ///
    /// # Errors
    /// As [`Self::given`] and [`Engine::execute`].
    pub async fn execute(
        &self,
        engine: &Engine,
        mut run: Run,
        given: Map<String, Json>,
        cancel: &Cancel,
    ) -> Result<Outcome> {
        let params = Arc::new(Json::Object(self.given(given)?));
        run.input = Some(Arc::new(Scope { params, ..Scope::default() }));
        run.concurrency_max = self.concurrency.unwrap_or(run.concurrency_max);
        run.timeout = self.timeout.or(run.timeout);
        engine.execute(&self.plan, run, cancel).await
    }

    /// What a run of it gave: the output of its last step, or of several by their names.
    ///
    /// # Errors
    /// Internal, when the outcome is that of another workflow.
    pub fn output(&self, outcome: &Outcome) -> Result<Json> {
        outcome.given(&self.exits)
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
}
