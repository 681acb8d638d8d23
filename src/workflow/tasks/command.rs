//! `command` runs any program, so that a team can bring its own generator or validator. It knows no
//! shell and hands on no variable that is not allowed.
//!
//! The program leads a process group of its own, which ends with the step, however that ends:
//! - When the program has ended by itself, whoever it left behind and still holds its pipes may
//!   write on for the grace; then the group is killed.
//! - On its timeout, the wish to stop, or too much output, the group gets SIGTERM; when the program
//!   has ended or the grace is over, SIGKILL.
//! - When the future is dropped, by the step's own timeout for example, SIGKILL at once.
//!
//! Out of reach is what has left the group (`setsid`), and the group of a process that is killed
//! itself. A terminal's Ctrl-C does not reach the group: [`end_programs`] does.
//!
//! The runtime needs IO and real time: on a paused clock every timeout is over before the program
//! has begun.

use std::collections::BTreeMap;
use std::ffi::OsString;

use futures::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::super::component::{Lane, Output};
use super::super::context::StepContext;
use super::super::failure::StepError;
use super::super::library::{About, Task};
use super::{Input, Inputs, Kind, about};

#[cfg(unix)]
mod answer;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod group;
#[cfg(unix)]
mod order;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod streams;

/// Kills every program that this process runs as a step, with its group. For whoever leaves in a
/// hurry: a process that exits drops nothing, and its programs would go on without it.
pub fn end_programs() {
    #[cfg(unix)]
    group::end_all();
}

/// Variables that are handed on when nothing else is said.
const ENV_ALLOW: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];

/// What stdout can be read as.
const FORMS: [&str; 4] = ["text", "json", "lines", "none"];

const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Command {
    about: About,
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no program to hand them to"))]
    variables: BTreeMap<OsString, OsString>,
}

impl Command {
    pub(super) fn new(variables: BTreeMap<OsString, OsString>) -> Self {
        let about = about(
            "command",
            "Runs a program, without a shell, and ends with everything that it started.",
            inputs(),
            "stdout, read as `output` says; with `read`, a mapping of `output` and `files`",
        );
        Self { about, variables }
    }
}

fn inputs() -> Vec<Input> {
    let codes = |name, meaning| Input::optional(name, Kind::List, meaning);
    vec![
        Input::required(
            "argv",
            Kind::List,
            "texts: the program, by PATH or as a path from `cwd`, and its arguments",
        ),
        Input::optional(
            "stdin",
            Kind::Any,
            "what it reads: a text as it is, anything else as JSON; else nothing",
        ),
        Input::optional("output", Kind::Text, "what its stdout is read as")
            .or("text")
            .one_of(&FORMS),
        Input::optional("cwd", Kind::Text, "the folder where it works"),
        Input::optional("env", Kind::Mapping, "variables to add, each a text").or(json!({})),
        Input::optional("env_allow", Kind::List, "names of variables that are handed on")
            .or(json!(ENV_ALLOW)),
        Input::optional(
            "files",
            Kind::Mapping,
            "contents by file name, written to a folder that is removed afterwards: it is the \
             `cwd` if no other is given, and its path is in GENSTORE_FILES",
        )
        .or(json!({})),
        Input::optional("read", Kind::List, "names of files of that folder to hand on as texts")
            .or(json!([])),
        Input::optional("timeout", Kind::Duration, "when it is asked to end"),
        Input::optional(
            "grace",
            Kind::Duration,
            "from then until it is killed; also what its children have to close its pipes",
        )
        .or("500ms"),
        Input::optional(
            "output_bytes_max",
            Kind::Integer,
            "most bytes of stdout, and of the files of `read` together",
        )
        .or(OUTPUT_BYTES_MAX),
        codes("ok_codes", "exit codes of a program that did its work").or(json!([0])),
        codes("reject_codes", "exit codes by which it says no: a verdict, no error").or(json!([])),
        codes("retry_codes", "exit codes after which another attempt may help").or(json!([75])),
    ]
}

impl Task for Command {
    fn about(&self) -> &About {
        &self.about
    }

    /// Starting a program and reading what it wrote takes its time.
    fn lane(&self) -> Lane {
        Lane::Task
    }

    fn call(
        &self,
        inputs: Map<String, Json>,
        ctx: StepContext,
    ) -> BoxFuture<'_, Result<Output, StepError>> {
        Box::pin(async move {
            let inputs = Inputs::check(inputs, &self.about)?;
            self.run(inputs, &ctx).await
        })
    }
}

#[cfg(unix)]
impl Command {
    async fn run(&self, inputs: Inputs, ctx: &StepContext) -> Result<Output, StepError> {
        let mut order = order::Order::new(inputs, &self.variables)?;
        let folder = folder::Folder::for_order(&mut order, &self.variables)?;
        let path = program::find(&order)?;
        let ended = process::run(&mut order, &path, ctx.cancel()).await?;
        answer::answer(&order, ended, folder.as_ref())
    }
}

#[cfg(not(unix))]
impl Command {
    async fn run(&self, _: Inputs, _: &StepContext) -> Result<Output, StepError> {
        Err(StepError::permanent("unsupported", "`command` runs on Unix systems only"))
    }
}

#[cfg(all(test, unix))]
mod tests;
