//! Plans inside of steps: a step whose component works in [`Lane::Nested`](super::Lane::Nested) may
//! run whole plans, one after the other or side by side, as parts of its run. Holds no place.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde_json::{Map, Value as Json};

use super::cancel::Cancel;
use super::component::Value;
use super::context::StepContext;
use super::execution::Execution;
use super::failure::StepError;
use super::inside::{Composite, Inner};
use super::outcome::Outcome;
use super::plan::Plan;
use super::policy::random;
use super::shared::{Shared, nothing_done};
use super::summary::Stop;

/// Most steps that may be around a step.
pub const NESTING_MAX: usize = 16;

/// What an inner plan is started with.
#[derive(Clone, Default)]
pub struct Nested {
    /// What its steps get as their `input`; without one, that of the step around them.
    pub input: Option<Value>,
    /// Facts for the rows of its steps, such as which item of a list they are about.
    pub attributes: Map<String, Json>,
    /// Steps of this plan that may work at a time, those of plans inside included; without a
    /// number, as many as those around it may.
    pub concurrency_max: Option<usize>,
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nested")
            .field("attributes", &self.attributes)
            .field("concurrency_max", &self.concurrency_max)
            .finish_non_exhaustive()
    }
}

impl StepContext {
    /// Runs a plan inside of this attempt, to its end. It is part of the run: it shares its ids,
    /// seed, clock, sink, strategy, limits and wish to stop. The rows of its steps name this
    /// attempt as their parent; their names begin with the name of this step and a slash. It is
    /// stopped at the deadline of the attempt, and dropped with this future.
    ///
    /// # Errors
    /// When the plan could not begin: the component does not work in
    /// [`Lane::Nested`](super::Lane::Nested), or a resource has no limit, or there are
    /// [`NESTING_MAX`] steps around it. Whatever happens later is in the outcome;
    /// [`Outcome::error`] is what to hand on of it.
    pub async fn nested(&self, plan: &Arc<Plan>, nested: Nested) -> Result<Outcome, StepError> {
        let (shared, deadline_ns) = self.inner(plan, &nested)?;
        let concurrency_max = nested.concurrency_max.unwrap_or(shared.root.run.concurrency_max);
        let deadline = deadline_ns.map(|deadline_ns| (deadline_ns, Stop::StepDeadline));
        let cancel: &Cancel = &self.view.shared.cancel;
        let execution = Execution::new(shared, plan, concurrency_max, deadline, cancel)?;
        let composite = self.composite.as_ref().map(Arc::clone);
        let mut working = Working { execution: Some(execution), composite };
        poll_fn(|cx| working.poll(cx)).await;
        if let Some(execution) = &mut working.execution {
            execution.undo().await;
        }
        working.conclude().ok_or_else(|| StepError::internal("a plan has ended twice"))
    }

    /// What the steps of an inner plan share, and its deadline.
    fn inner(
        &self,
        plan: &Arc<Plan>,
        nested: &Nested,
    ) -> Result<(Arc<Shared>, Option<i64>), StepError> {
        let (outer, step) = (&self.view.shared, self.step_name());
        let Some(inside) = self.composite.as_ref().map(|composite| &composite.inside) else {
            let why = match self.undo {
                Some(_) => "to take it back, which must not need one",
                None => "but its lane is not `Lane::Nested`",
            };
            let message = format!("step `{step}` runs a plan inside, {why}");
            return Err(StepError::internal(message));
        };
        let depth = outer.depth() + 1;
        if depth > NESTING_MAX {
            let message = format!("step `{step}` runs a plan inside of {NESTING_MAX} others");
            return Err(StepError::permanent("nesting", message));
        }
        let Some((number, before)) = inside.begin() else {
            return Err(StepError::cancelled(format!("step `{step}` has ended")));
        };
        let limits = match nested.concurrency_max {
            Some(concurrency_max) => outer.limits.within(concurrency_max),
            None => outer.limits.clone(),
        };
        let shared = Shared {
            limits,
            root: Arc::clone(&outer.root),
            plan: Arc::clone(plan),
            input: nested.input.clone().or_else(|| outer.input.clone()),
            seed: random(outer.seed, self.view.index, number),
            cancel: Cancel::new(),
            done: nothing_done(plan),
            prefix: format!("{}{step}/", outer.prefix).into(),
            attributes: nested.attributes.clone(),
            inner: Some(Inner { inside: Arc::clone(inside), before, depth }),
        };
        Ok((Arc::new(shared), inside.deadline_ns))
    }
}

/// An inner plan at work. What it did is on record even if it is dropped.
struct Working<'p> {
    execution: Option<Execution<'p>>,
    composite: Option<Arc<Composite>>,
}

impl Working<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.execution.as_mut().map_or(Poll::Ready(()), |execution| execution.poll(cx))
    }

    fn conclude(&mut self) -> Option<Outcome> {
        let mut execution = self.execution.take()?;
        if let Some(composite) = &self.composite {
            composite.add_undos(execution.take_undos());
        }
        Some(execution.conclude())
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if let Some(execution) = &mut self.execution {
            execution.give_up();
            drop(self.conclude());
        }
    }
}
