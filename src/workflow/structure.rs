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

/// Asks the question of a conditional, once: gives true or false.
#[derive(Debug)]
pub(super) struct Question(About);

impl Question {
    /// The input that holds the answer, of whatever type.
    pub(super) const INPUT: &str = "value";

    pub(super) fn new() -> Self {
        let input = Input::required(Self::INPUT, Kind::Any, "what decides");
        Self(About { inputs: vec![input], ..about("condition") })
    }
}

impl Task for Question {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        let holds = inputs.get(Self::INPUT).is_some_and(is_true);
        Box::pin(async move { Ok(Output::new(Json::Bool(holds))) })
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

/// Gives the parameters of a called workflow, checked and with their defaults.
#[derive(Debug)]
pub(super) struct Parameters(About);

impl Parameters {
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        Self(About { inputs, ..about("parameters") })
    }
}

impl Task for Parameters {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move { Ok(Output::new(Json::Object(inputs))) })
    }
}

/// Gives what it is given: the output of a workflow that says what it gives.
#[derive(Debug)]
pub(super) struct Given(About);

impl Given {
    pub(super) fn new() -> Self {
        let input = Input::required(Question::INPUT, Kind::Any, "what is given");
        Self(About { inputs: vec![input], ..about("output") })
    }
}

impl Task for Given {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        mut inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        let value = inputs.shift_remove(Question::INPUT).unwrap_or_default();
        Box::pin(async move { Ok(Output::new(value)) })
    }
}

fn about(name: &str) -> About {
    About { name: name.to_owned(), version: VERSION.to_owned(), pure: true, ..About::default() }
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
