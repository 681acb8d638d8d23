//! `fail` fails as it is told, so that every way back from a failure can be tried out: retries,
//! back-off, timeouts, fallbacks, degraded mode, steps that run all the same.

use std::borrow::Cow;
use std::panic::resume_unwind;

use futures::future::pending;
use serde_json::Value as Json;

use super::super::component::Output;
use super::super::context::StepContext;
use super::super::failure::{ErrorClass, StepError};
use super::super::library::Task;
use super::{FnTask, Input, Inputs, Kind, about, invalid};

/// Ways to fail: the classes of errors, and three that have no class.
const CLASSES: [&str; 8] = [
    "transient",
    "permanent",
    "rate_limited",
    "timeout",
    "invalid_output",
    "panic",
    "verdict",
    "hang",
];

pub(super) fn fail() -> impl Task {
    let description = "Fails as it is told: at every attempt, or up to one.";
    let output = "its input `value`, once it does not fail";
    FnTask::new(about("fail", description, inputs(), output), work)
}

fn inputs() -> Vec<Input> {
    vec![
        Input::optional(
            "class",
            Kind::Text,
            "how: with an error of a class; by a `panic`; by a `verdict` that says no; or by a \
             `hang`, which never answers and hears no wish to stop",
        )
        .or("permanent")
        .one_of(&CLASSES),
        Input::optional("message", Kind::Text, "what it says").or("failed as it was told"),
        Input::optional("error_type", Kind::Text, "for grouping; else the class"),
        Input::optional("retry_after", Kind::Duration, "the wait that `rate_limited` asks for"),
        Input::optional(
            "until_attempt",
            Kind::Integer,
            "the first attempt that does not fail; else all do",
        ),
        Input::optional("value", Kind::Any, "what it hands on").or(Json::Null),
    ]
}

async fn work(mut inputs: Inputs, ctx: StepContext) -> Result<Output, StepError> {
    let value = inputs.any("value").unwrap_or_default();
    if let Some(first) = inputs.any("until_attempt") {
        if first.as_u64().is_none_or(|it| it == 0) {
            let problem = format!("`until_attempt` is {first}; attempts count from 1");
            return Err(invalid("fail", &problem));
        }
        if first.as_u64().is_some_and(|it| u64::from(ctx.attempt()) >= it) {
            return Ok(Output::new(value));
        }
    }
    let how = inputs.text("class").unwrap_or_default();
    let message = inputs.text("message").unwrap_or_default();
    let class = match how.as_str() {
        "transient" => ErrorClass::Transient,
        "rate_limited" => ErrorClass::RateLimited { retry_after: inputs.duration("retry_after") },
        "timeout" => ErrorClass::Timeout,
        "invalid_output" => ErrorClass::InvalidOutput,
        "verdict" => return Ok(Output::new(value).failing(message)),
        "hang" => pending().await,
        // without the hook, which would write to stderr about a thing that was ordered
        "panic" => resume_unwind(Box::new(message)),
        _ => ErrorClass::Permanent,
    };
    let error_type = inputs.text("error_type").unwrap_or(how);
    Err(StepError::new(class, Cow::Owned(error_type), message))
}
