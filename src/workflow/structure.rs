//! The components that a composition itself needs: the question before a branch, the parameters of
//! a called workflow, the point where branches meet again, and what has become of the state.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::bound::{Handed, gathered};
use super::component::{Component, Output};
use super::context::StepContext;
use super::failure::StepError;
use super::library::{About, Input, Kind, Task};
use super::seen::Seen;
use super::tasks::{Inputs, computed};

const VERSION: &str = "1";

/// The input of [`question`].
pub(super) const QUESTION: &str = "if";

/// The input of [`given`].
pub(super) const GIVEN: &str = "output";

/// Asks the question of a conditional, once: gives true or false for an answer of any type.
pub(super) fn question() -> Arc<dyn Task> {
    let inputs = vec![Input::required(QUESTION, Kind::Any, "what decides")];
    let is_so = |mut it: Inputs| it.any(QUESTION).is_some_and(|it| is_true(&it)).into();
    Arc::new(computed(about("condition", inputs), is_so))
}

/// Gives the parameters of a called workflow, checked and with their defaults.
pub(super) fn parameters(inputs: Vec<Input>) -> Arc<dyn Task> {
    Arc::new(computed(about("parameters", inputs), |it| Json::Object(it.0)))
}

/// Gives what it is given: the output of a workflow that says what it gives.
pub(super) fn given() -> Arc<dyn Task> {
    let inputs = vec![Input::required(GIVEN, Kind::Any, "what is given")];
    Arc::new(computed(about("output", inputs), |mut it| it.any(GIVEN).unwrap_or_default()))
}

fn about(name: &str, inputs: Vec<Input>) -> About {
    let (name, version) = (name.to_owned(), VERSION.to_owned());
    About { name, version, inputs, pure: true, ..About::default() }
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
