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

use serde_json::{Map, Value as Json};

use super::failure::StepError;
use super::library::{About, Input, Kind, Library, duration};

mod command;
mod fail;
mod noop;
mod sleep;
mod value;

pub use command::end_programs;

/// All of them. `variables` are the environment variables that programs may be handed.
pub fn builtin(variables: BTreeMap<OsString, OsString>) -> Library {
    Library::new()
        .with(command::Command::new(variables))
        .with(fail::Fail::new())
        .with(noop::Noop::new())
        .with(sleep::Sleep::new())
        .with(value::Value::new())
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

/// The inputs of one call, each looked at before it is used: a component may also be called by
/// someone who has not checked them.
#[derive(Debug)]
struct Inputs(Map<String, Json>);

impl Inputs {
    /// An error for the first input that is missing or wrong.
    fn check(inputs: Map<String, Json>, about: &About) -> Result<Self, StepError> {
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

    fn any(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    fn duration(&mut self, name: &str) -> Option<std::time::Duration> {
        duration(&self.0.remove(name)?)
    }
}

/// An input that is wrong, whatever the attempt.
fn invalid(component: &str, problem: &str) -> StepError {
    StepError::permanent("invalid", format!("an input of `{component}`: {problem}"))
}

#[cfg(test)]
mod tests;
