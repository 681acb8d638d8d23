//! `sleep` waits: work that takes time and nothing else.

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::{About, Task};
use super::{Input, Inputs, Kind, about};

#[derive(Debug)]
pub(super) struct Sleep(About);

impl Sleep {
    pub(super) fn new() -> Self {
        let inputs = vec![Input::required("for", Kind::Duration, "how long")];
        let description = "Waits for a while; ends at once when the run is cancelled.";
        Self(about("sleep", description, inputs, "null"))
    }
}

impl Task for Sleep {
    fn about(&self) -> &About {
        &self.0
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        ctx: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let time = Inputs::check(inputs, &self.0)?.duration("for").unwrap_or_default();
            tokio::select! {
                biased;
                () = tokio::time::sleep(time) => Ok(Output::new(Json::Null)),
                () = ctx.cancel().cancelled() => {
                    Err(StepError::cancelled("woken by the wish to stop"))
                }
            }
        })
    }
}
