//! `noop` does nothing: a place holder, a meeting point, a measure of the engine itself.

use futures::future::{BoxFuture, ready};
use serde_json::{Map, Value as Json};

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::{About, Task};
use super::about;

#[derive(Debug)]
pub(super) struct Noop(About);

impl Noop {
    pub(super) fn new() -> Self {
        let about = about("noop", "Does nothing, whatever it is given.", Vec::new(), "null");
        // not pure, though it could be: looking up a recorded output is more work than this
        Self(About { open: true, ..about })
    }
}

impl Task for Noop {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        _: Map<String, Json>,
        _: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(ready(Ok(Output::new(Json::Null))))
    }
}
