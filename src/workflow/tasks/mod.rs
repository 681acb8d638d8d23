//! The components that come with the engine: for trying things out, and for bringing any program as
//! a step. They know no contract and no store, and none of them reads the environment.
//!
//! | name | what it does | hands on |
//! |---|---|---|
//! | `noop` | nothing, whatever it is given | null |
//! | `value` | hands on its input `value` | the value |
//! | `sleep` | waits for the time `for` | null |
//! | `fail` | fails as `class` says, at every attempt or up to one | `value`, unless it fails |
//! | `command` | runs the program `argv`, without a shell | what the program wrote |

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde_json::Value as Json;

use super::failure::StepError;
use super::library::{About, Input, Kind, Library, Task};

mod command;
mod fail;
mod function;
mod sleep;

pub use command::end_programs;
use function::FnTask;
pub(super) use function::{Inputs, computed};

/// All of them. `variables` are the environment variables that programs may be handed.
pub fn builtin(variables: BTreeMap<OsString, OsString>) -> Library {
    Library::new()
        .with(command::Command::new(variables))
        .with(fail::fail())
        .with(noop())
        .with(sleep::sleep())
        .with(value())
}

/// Does nothing: a place holder, a meeting point, a measure of the engine itself.
fn noop() -> impl Task {
    let about = about("noop", "Does nothing, whatever it is given.", Vec::new(), "null");
    // not pure, though it could be: looking up a recorded output is more work than this
    computed(About { open: true, ..about }, |_| Json::Null)
}

/// Hands on what it is given: a constant, or an expression under a name.
fn value() -> impl Task {
    let inputs = vec![Input::required("value", Kind::Any, "what to hand on")];
    let about = about("value", "Hands on the value that it is given.", inputs, "the value");
    computed(About { pure: true, ..about }, |mut it| it.any("value").unwrap_or_default())
}

/// A component of version 1 that is not pure.
fn about(name: &str, description: &str, inputs: Vec<Input>, output: &str) -> About {
    About {
        name: name.to_owned(),
        version: "1".to_owned(),
        description: description.to_owned(),
        inputs,
        open: false,
        output: output.to_owned(),
        pure: false,
    }
}

/// An input that is wrong, whatever the attempt.
fn invalid(component: &str, problem: &str) -> StepError {
    StepError::permanent("invalid", format!("an input of `{component}`: {problem}"))
}

#[cfg(test)]
mod tests;
