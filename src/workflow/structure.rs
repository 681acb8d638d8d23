//! The components that a composition itself needs: the question before a branch, the parameters of
//! a called workflow, the point where branches meet again, and what has become of the state.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::bound::{Handed, Seen, gathered};
use super::component::{Component, Output};
use super::context::StepContext;
use super::failure::StepError;
use super::library::{About, Input, Kind, Task};

const VERSION: &str = "1";

/// The input of [`Structural::question`].
pub(super) const QUESTION: &str = "if";

/// The input of [`Structural::given`].
pub(super) const GIVEN: &str = "output";

/// A component that makes its output of its inputs alone.
#[derive(Debug)]
pub(super) struct Structural {
    about: About,
    output: fn(Map<String, Json>) -> Json,
}

impl Structural {
    /// Asks the question of a conditional, once: gives true or false for an answer of any type.
    pub(super) fn question() -> Self {
        let inputs = vec![Input::required(QUESTION, Kind::Any, "what decides")];
        Self::new("condition", inputs, |it| it.get(QUESTION).is_some_and(is_true).into())
    }

    /// Gives the parameters of a called workflow, checked and with their defaults.
    pub(super) fn parameters(inputs: Vec<Input>) -> Self {
        Self::new("parameters", inputs, Json::Object)
    }

    /// Gives what it is given: the output of a workflow that says what it gives.
    pub(super) fn given() -> Self {
        let inputs = vec![Input::required(GIVEN, Kind::Any, "what is given")];
        Self::new("output", inputs, |mut it| it.shift_remove(GIVEN).unwrap_or_default())
    }

    fn new(name: &str, inputs: Vec<Input>, output: fn(Map<String, Json>) -> Json) -> Self {
        let (name, version) = (name.to_owned(), VERSION.to_owned());
        Self { about: About { name, version, inputs, pure: true, ..About::default() }, output }
    }
}

impl Task for Structural {
    fn about(&self) -> &About {
        &self.about
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move { Ok(Output::new((self.output)(inputs))) })
    }
}

/// Whether a value holds as a condition, as Jinja has it.
fn is_true(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(it) => *it,
        Json::Number(it) => it.as_f64() != Some(0.0),
        Json::String(it) => !it.is_empty(),
        Json::Array(it) => !it.is_empty(),
        Json::Object(it) => !it.is_empty(),
    }
}

/// Where branches meet: gives what they have given.
#[derive(Debug)]
pub(super) struct Join {
    /// Names, and names in the plan.
    pub(super) from: Vec<(String, String)>,
    /// Whether only one of them has something to give.
    pub(super) one: bool,
}

impl Component for Join {
    fn name(&self) -> &str {
        "join"
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let mut output = gathered(ctx.view(), &self.from);
            if let (true, Json::Object(outputs)) = (self.one && self.from.len() > 1, &output)
                && outputs.len() == 1
            {
                output = outputs.values().next().cloned().unwrap_or_default();
            }
            Ok(Output::new(Handed { output, updates: Vec::new() }))
        })
    }
}

/// What has become of the state when all steps have ended; finds conflicts that no step has seen.
#[derive(Debug)]
pub(super) struct Collect {
    pub(super) seen: Arc<Vec<Seen>>,
}

impl Component for Collect {
    fn name(&self) -> &str {
        "state"
    }

    fn version(&self) -> &str {
        VERSION
    }

    fn run(&self, ctx: StepContext) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let (mut values, mut updates) = (Map::new(), Vec::new());
            for seen in self.seen.iter() {
                values.insert(seen.declared.name.clone(), seen.value(ctx.view())?);
                updates.extend(seen.net(ctx.view())?);
            }
            let output = Output::new(Handed { output: Json::Object(values.clone()), updates });
            Ok(output.with_attribute("state", values))
        })
    }
}
