//! `sleep` waits: work that takes time and nothing else.

use serde_json::Value as Json;

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::Task;
use super::{FnTask, Input, Inputs, Kind, about};

pub(super) fn sleep() -> impl Task {
    let inputs = vec![Input::required("for", Kind::Duration, "how long")];
    let description = "Waits for a while; ends at once when the run is cancelled.";
    let about = about("sleep", description, inputs, "null");
    FnTask::new(about, |mut inputs: Inputs, ctx: StepContext| async move {
        let time = inputs.duration("for").unwrap_or_default();
        tokio::select! {
            biased;
            () = tokio::time::sleep(time) => Ok(Output::new(Json::Null)),
            () = ctx.cancel().cancelled() => {
                Err(StepError::cancelled("woken by the wish to stop"))
            }
        }
    })
}
