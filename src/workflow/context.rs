//! What a working step sees: the outputs of its dependencies, the run's input, time, the wish to
//! stop, and a mouth for rows. A step never sees the state of another run, nor steps that it did
//! not declare.

use std::any::Any;
use std::sync::Arc;

use super::cancel::Cancel;
use super::failure::StepError;
use super::inside::Composite;
use super::outcome::ResultKind;
use super::shared::{Done, Shared};
use crate::clock::Clock;
use crate::event::{Row, Text};

/// The finished dependencies of one step, and the run's input.
#[derive(Debug, Clone)]
pub struct View {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
}

impl View {
    /// Name of the step that looks.
    pub fn step_name(&self) -> &str {
        self.shared.plan.step_name(self.index)
    }

    /// The value that the run was started with. An internal error if there is none or it is no `T`.
    pub fn input<T: Any + Send + Sync>(&self) -> Result<Arc<T>, StepError> {
        let name = std::any::type_name::<T>();
        let Some(value) = &self.shared.input else {
            let step = self.step_name();
            let message = format!("step `{step}` wants a {name} as input, but the run has none");
            return Err(StepError::internal(message));
        };
        Arc::clone(value).downcast::<T>().map_err(|_| {
            let step = self.step_name();
            StepError::internal(format!("step `{step}` wants a {name}, but the input is none"))
        })
    }

    /// The output of a dependency. An internal error if there is none or it is no `T`.
    pub fn output<T: Any + Send + Sync>(&self, dependency: &str) -> Result<Arc<T>, StepError> {
        self.output_if(dependency)?.ok_or_else(|| {
            let step = self.step_name();
            let message =
                format!("step `{step}` needs an output of `{dependency}`, which has none");
            StepError::internal(message)
        })
    }

    /// The output of a dependency, `None` if it has none: it was skipped, failed or degraded. An
    /// internal error if the step does not declare the dependency, or the output is no `T`.
    pub fn output_if<T: Any + Send + Sync>(
        &self,
        dependency: &str,
    ) -> Result<Option<Arc<T>>, StepError> {
        let done = self.dependency(dependency)?;
        let Some(output) = &done.output else { return Ok(None) };
        output.value::<T>().map_err(|found| {
            let (step, wanted) = (self.step_name(), std::any::type_name::<T>());
            let message =
                format!("step `{step}` wants a {wanted} of `{dependency}`, which gave a {found}");
            StepError::internal(message)
        })
    }

    /// How a dependency ended.
    pub fn result_of(&self, dependency: &str) -> Result<ResultKind, StepError> {
        Ok(self.dependency(dependency)?.result)
    }

    fn dependency(&self, name: &str) -> Result<&Done, StepError> {
        let plan = &self.shared.plan;
        plan.find(name)
            .filter(|&index| {
                // its own output a step has only when it is taken back
                index == self.index || plan.dependencies(self.index).contains(&index)
            })
            .and_then(|index| self.shared.done(index))
            .ok_or_else(|| {
                let step = self.step_name();
                let message = format!("step `{step}` reads `{name}` but does not depend on it");
                StepError::internal(message)
            })
    }
}

/// What one attempt of one step works with.
#[derive(Debug, Clone)]
pub struct StepContext {
    pub(super) view: View,
    pub(super) step_id: Text,
    pub(super) attempt: u32,
    pub(super) deadline_ns: Option<i64>,
    /// Where inner plans run, if the component may run any.
    pub(super) composite: Option<Arc<Composite>>,
    /// The wish to stop of an undo.
    pub(super) undo: Option<Cancel>,
}

impl StepContext {
    /// The finished dependencies.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// See [`View::input`].
    pub fn input<T: Any + Send + Sync>(&self) -> Result<Arc<T>, StepError> {
        self.view.input()
    }

    /// See [`View::output`].
    pub fn output<T: Any + Send + Sync>(&self, dependency: &str) -> Result<Arc<T>, StepError> {
        self.view.output(dependency)
    }

    /// See [`View::output_if`].
    pub fn output_if<T: Any + Send + Sync>(
        &self,
        dependency: &str,
    ) -> Result<Option<Arc<T>>, StepError> {
        self.view.output_if(dependency)
    }

    /// Name of the step.
    pub fn step_name(&self) -> &str {
        self.view.step_name()
    }

    /// The run.
    pub fn run_id(&self) -> &Text {
        &self.view.shared.root.run.run_id
    }

    /// This attempt: its ordinal in the run, as 16 hex digits.
    pub fn step_id(&self) -> &Text {
        &self.step_id
    }

    /// Attempt of the step, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Seed of everything random in the run.
    pub fn seed(&self) -> u64 {
        self.view.shared.root.run.seed
    }

    /// Where time comes from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.view.shared.root.clock
    }

    /// The wish to stop. Work that lasts should look at it.
    pub fn cancel(&self) -> &Cancel {
        self.undo.as_ref().unwrap_or(&self.view.shared.cancel)
    }

    /// When the attempt is given up, by [`Clock::monotonic_ns`].
    pub fn deadline_ns(&self) -> Option<i64> {
        self.deadline_ns
    }

    /// Says what node type the run turned out to be about, for the rows of all its steps. The
    /// first to say it is right.
    pub fn set_node_type(&self, node_type: impl Into<Text>) {
        self.view.shared.root.node_type.get_or_init(|| node_type.into());
    }

    /// Emits a row. Its run and step ids are set to this run and attempt. An error means that the
    /// run is ending: the step should return it.
    pub fn emit(&self, row: impl Into<Row>) -> Result<(), StepError> {
        let mut row = row.into();
        self.sign(&mut row)?;
        if self.view.shared.root.emit(row) {
            return Ok(());
        }
        Err(StepError::cancelled("the run takes no more rows"))
    }

    fn sign(&self, row: &mut Row) -> Result<(), StepError> {
        let (run_id, step_id) = (self.run_id().clone(), self.step_id.clone());
        match row {
            Row::Issues(row) => (row.run_id, row.step_id) = (run_id, Some(step_id)),
            Row::Scores(row) => row.run_id = run_id,
            Row::Metrics(row) => (row.run_id, row.step_id) = (Some(run_id), Some(step_id)),
            Row::Artifacts(row) => (row.run_id, row.step_id) = (run_id, Some(step_id)),
            Row::LlmCalls(row) => (row.run_id, row.step_id) = (run_id, Some(step_id)),
            Row::Contracts(_) => {}
            Row::Runs(_)
            | Row::Steps(_)
            | Row::Batches(_)
            | Row::Baselines(_)
            | Row::Alerts(_)
            | Row::StepLatency(_) => {
                let (step, table) = (self.step_name(), row.table().name());
                return Err(StepError::internal(format!("step `{step}` may not write {table}")));
            }
        }
        Ok(())
    }
}
