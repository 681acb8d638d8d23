//! Cases: the operations or events of which a handler has a method each, and how a request says
//! which of them is meant.

use std::collections::BTreeSet;

use crate::contract::Contract;
use crate::contract::model::IoOperation;
use crate::template::python_text::clean;
use crate::template::{Variant, names};

/// Methods that a handler has anyway, or that pydantic and Python need.
const METHODS: [&str; 7] =
    ["handle", "receive", "workflow", "steps", "state_machine", "next_state", "is_complete"];

/// An operation or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    /// Its name, as a request has it.
    pub(super) name: String,
    /// The handler's method.
    pub(super) method: String,
    /// What it means; empty where the contract does not say.
    pub(super) description: String,
}

/// The cases of a contract's handler in a variant; none where it has a single function.
pub(super) fn cases(contract: &Contract, variant: Variant) -> Vec<Case> {
    let mut methods: BTreeSet<String> = METHODS.iter().map(|it| (*it).to_owned()).collect();
    let mut cases: Vec<Case> = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |name: String, prefix: &str, description: String| {
        if !name.is_empty() && known.insert(name.clone()) {
            let stem = format!("{prefix}{}", names::stem(&name));
            let method = names::field(&stem, &mut methods);
            cases.push(Case { name, method, description });
        }
    };
    match variant {
        Variant::IoOperations => {
            for operation in &contract.io_operations {
                add(clean(&operation.name), "", description(operation));
            }
        }
        Variant::EventDriven => {
            for topic in &contract.subscribe_topics {
                let text = format!("Something came in on {}.", clean(topic));
                add(event(topic), "on_", text);
            }
        }
        Variant::Plain | Variant::Fsm | Variant::Workflow => {}
    }
    cases
}

fn description(operation: &IoOperation) -> String {
    operation.description.as_deref().map_or(String::new(), clean)
}

/// The event of a topic: `article-changed` of `onex.evt.shop.article-changed.v1`.
fn event(topic: &str) -> String {
    let parts: Vec<&str> = topic.split('.').collect();
    let version = |part: &&&str| {
        part.strip_prefix('v').is_some_and(|it| it.chars().all(|it| it.is_ascii_digit()))
    };
    let named = match parts.split_last() {
        Some((last, before)) if version(&last) => before.last(),
        Some((last, _)) => Some(last),
        None => None,
    };
    let name = clean(named.copied().unwrap_or(topic)).replace('-', "_");
    // of a topic such as `.v1` nothing is left, and yet something came in
    if name.is_empty() { "event".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
