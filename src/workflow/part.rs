//! A called workflow with a longest time or places of its own: a plan inside of the step that calls
//! it, made and checked once. The longest time is that of the step.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Map;

use super::bound::{Handed, Reader, Scope};
use super::component::{Component, Lane, Output};
use super::context::StepContext;
use super::failure::{ErrorClass, StepError};
use super::nested::Nested;
use super::outcome::{Outcome, ResultKind};
use super::plan::Plan;

/// Does what a called workflow says.
#[derive(Debug)]
pub(super) struct Part {
    /// The name of the workflow.
    pub(super) workflow: String,
    pub(super) plan: Arc<Plan>,
    /// The steps whose outputs are what it gives, by name.
    pub(super) exits: Vec<(String, String)>,
    /// Its parameters.
    pub(super) reader: Arc<Reader>,
    /// Steps that may work at a time.
    pub(super) concurrency: Option<usize>,
}

impl Component for Part {
    fn name(&self) -> &str {
        "workflow"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn lane(&self) -> Lane {
        Lane::Nested
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let mut values = self.reader.values(ctx.view())?;
            let params = values.shift_remove("params").unwrap_or_default();
            let numbers = ctx.input::<Scope>()?.numbers.clone();
            let scope = Scope { params: Arc::new(params), numbers, ..Scope::default() };
            let nested = Nested {
                input: Some(Arc::new(scope)),
                attributes: Map::new(),
                concurrency_max: self.concurrency,
            };
            let outcome = ctx.nested(&self.plan, nested).await?;
            if let Some(error) = outcome.error() {
                return Err(self.of(error, &ctx));
            }
            let output = Output::new(self.handed(&outcome)?);
            Ok(match outcome.result {
                ResultKind::Failure => {
                    output.failing(outcome.error_message.as_deref().unwrap_or_default())
                }
                _ => output,
            })
        })
    }
}

impl Part {
    fn handed(&self, outcome: &Outcome) -> Result<Handed, StepError> {
        let output = outcome.given(&self.exits)?;
        Ok(Handed { output, updates: Vec::new() })
    }

    /// Why it has failed: by itself, or because its time was over.
    fn of(&self, error: &StepError, ctx: &StepContext) -> StepError {
        let is_over = ctx.deadline_ns().is_some_and(|it| ctx.clock().monotonic_ns() >= it);
        if error.class != ErrorClass::Timeout || !is_over {
            return error.clone();
        }
        let message = format!("the workflow `{}` took longer than its `timeout`", self.workflow);
        StepError::new(ErrorClass::Timeout, "timeout", message)
    }
}
