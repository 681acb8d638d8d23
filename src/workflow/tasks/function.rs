//! A component whose work is a function of its inputs, and the inputs as it gets them.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use serde_json::{Map, Value as Json};

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::{About, Task, duration};
use super::invalid;

/// A component that calls a function.
pub(in crate::workflow) struct FnTask<F> {
    about: About,
    work: F,
}

impl<F> fmt::Debug for FnTask<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnTask").field("about", &self.about).finish_non_exhaustive()
    }
}

impl<F> FnTask<F> {
    /// A component that calls `work` with inputs that were looked at.
    pub(super) fn new(about: About, work: F) -> Self {
        Self { about, work }
    }
}

/// A component that makes its output of its inputs alone, at once.
pub(in crate::workflow) fn computed(
    about: About,
    output: impl Fn(Inputs) -> Json + Send + Sync + 'static,
) -> impl Task {
    FnTask::new(about, move |inputs, _| ready(Ok(Output::new(output(inputs)))))
}

impl<F, W> Task for FnTask<F>
where
    F: Fn(Inputs, StepContext) -> W + Send + Sync,
    W: Future<Output = Result<Output, StepError>> + Send + 'static,
{
    fn about(&self) -> &About {
        &self.about
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        ctx: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        match Inputs::check(inputs, &self.about) {
            Ok(inputs) => Box::pin((self.work)(inputs, ctx)),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}

/// The inputs of one call, each looked at before it is used: a component may also be called by
/// someone who has not checked them.
#[derive(Debug)]
pub(in crate::workflow) struct Inputs(pub(in crate::workflow) Map<String, Json>);

impl Inputs {
    /// An error for the first input that is missing or wrong.
    pub(super) fn check(inputs: Map<String, Json>, about: &About) -> Result<Self, StepError> {
        for input in &about.inputs {
            let problem = match inputs.get(&input.name) {
                Some(value) => input.problem(value),
                None if input.required || input.default.is_some() => {
                    Some(format!("`{}` is not given", input.name))
                }
                None => None,
            };
            if let Some(problem) = problem {
                return Err(invalid(&about.name, &problem));
            }
        }
        Ok(Self(inputs))
    }

    pub(in crate::workflow) fn any(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn duration(&mut self, name: &str) -> Option<Duration> {
        duration(&self.0.remove(name)?)
    }
}
