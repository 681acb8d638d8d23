//! `value` hands on what it is given: a constant, or an expression under a name.

use futures::future::{BoxFuture, ready};
use serde_json::{Map, Value as Json};

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::{About, Task};
use super::{Input, Inputs, Kind, about};

#[derive(Debug)]
pub(super) struct Value(About);

impl Value {
    pub(super) fn new() -> Self {
        let inputs = vec![Input::required("value", Kind::Any, "what to hand on")];
        let about = about("value", "Hands on the value that it is given.", inputs, "the value");
        Self(About { pure: true, ..about })
    }
}

impl Task for Value {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        let value = Inputs::check(inputs, &self.0).map(|mut it| it.any("value"));
        Box::pin(ready(value.map(|it| Output::new(it.unwrap_or_default()))))
    }
}
