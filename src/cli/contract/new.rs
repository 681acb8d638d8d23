//! `genstore contract new`: a first contract from the words of a task, without a model. Needs no
//! store.

use std::io::Read;

use clap::ValueEnum;

use super::Context;
use super::made::{Delivery, deliver, refused};
use crate::contract::NodeType;
use crate::contract::draft::{Wish, draft};
use crate::contract::write::Form;
use crate::error::{Error, Result};

/// Draft a contract from a task in words; deterministic, and for a person to look over
///
/// Names and types are read out of the words: what comes "from", "of", "for" or "by" goes in, what
/// it "returns", "gives" or makes "as" something comes out; `quoted` names are taken as they are.
/// An id is a uuid, a date a datetime, a count an int, a rate a float, "whether" a bool.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// What the node does, in a sentence; - reads it from stdin
    task: String,
    /// Kind of the node [default: proposed from the words]
    #[arg(long = "type", value_enum, ignore_case = true, value_name = "KIND")]
    node_type: Option<Kind>,
    /// Name of the node [default: made of the verb and what it is done to]
    #[arg(long)]
    name: Option<String>,
    /// Form of the contract; no document has both
    #[arg(long, value_enum, default_value_t)]
    form: FormArg,
    #[command(flatten)]
    delivery: Delivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A pure function of its input
    Compute,
    /// Talks to the world
    Effect,
    /// Folds events into a state
    Reducer,
    /// Coordinates other nodes
    Orchestrator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum FormArg {
    /// Of today's upstream: EFFECT_GENERIC
    #[default]
    Current,
    /// Of the original system: EFFECT
    V2,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<u8> {
    let wish = Wish {
        node_type: args.node_type.map(|it| match it {
            Kind::Compute => NodeType::Compute,
            Kind::Effect => NodeType::Effect,
            Kind::Reducer => NodeType::Reducer,
            Kind::Orchestrator => NodeType::Orchestrator,
        }),
        name: args.name.as_deref(),
        form: match args.form {
            FormArg::Current => Form::Current,
            FormArg::V2 => Form::Original,
        },
    };
    let task = if args.task == "-" { from_stdin()? } else { args.task.clone() };
    match draft(&task, &wish) {
        Ok(made) => deliver(&made, &args.delivery),
        Err(finding) => {
            refused(&finding, None, context);
            Err(Error::invalid("no contract can be made of the task"))
        }
    }
}

/// Most bytes of a task: more than anybody says of one node.
const TASK_BYTES_MAX: u64 = 4 << 20;

fn from_stdin() -> Result<String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(TASK_BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|source| Error::failed("cannot read the task").with_source(source))?;
    String::from_utf8(bytes).map_err(|_| Error::invalid("the task is not UTF-8"))
}
