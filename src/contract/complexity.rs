//! How complex a contract is: by the original system's formula, and by its structure. Pure
//! arithmetic.

use serde::Serialize;
use std::collections::HashMap;

use super::model::{Contract, Workflow};

/// A score from 0 to 1 and the class it falls in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Complexity {
    /// 0.05 per declared input and output field, 0.03 per error code, 0.1 when the node has a
    /// command line, 0.1 when it declares capabilities; at most 1.
    pub score: f64,
    /// `simple` below 0.3, `moderate` below 0.5, `complex` below 0.7, else `highly_complex`.
    pub class: &'static str,
}

/// Keys that give a node a command line.
const CLI_KEYS: [&str; 3] = ["cli", "cli_interface", "tool_specification"];

/// The complexity of a contract.
///
/// The formula is the original system's, whose score picks the template.
pub fn complexity(contract: &Contract) -> Complexity {
    let fields = contract.input.fields.len().saturating_add(contract.output.fields.len());
    let cli = CLI_KEYS.iter().any(|key| contract.document.get(key).is_some_and(|it| !it.is_null()));
    let has = |condition: bool| if condition { 10 } else { 0 };
    // In hundredths, so that six fields are exactly 0.30 and not a little more.
    let hundredths = fields
        .saturating_mul(5)
        .saturating_add(contract.error_codes.len().saturating_mul(3))
        .saturating_add(has(cli))
        .saturating_add(has(!contract.capabilities.is_empty()))
        .min(100);
    let class = match hundredths {
        0..30 => "simple",
        30..50 => "moderate",
        50..70 => "complex",
        _ => "highly_complex",
    };
    let score = u32::try_from(hundredths).map_or(1.0, |it| f64::from(it) / 100.0);
    Complexity { score, class }
}

/// What a contract is made of, counted, and one number of it.
///
/// The original formula sees fields and codes only: a reducer of thirty transitions is simple to
/// it. This one counts what has to be understood.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Structure {
    /// Fields of both models and of all definitions.
    pub fields: usize,
    /// Actions and IO operations.
    pub operations: usize,
    /// States of the machine.
    pub states: usize,
    /// Transitions of the machine.
    pub transitions: usize,
    /// Steps of the workflow.
    pub steps: usize,
    /// Steps on its longest path.
    pub depth: usize,
    /// Dependencies.
    pub dependencies: usize,
    /// Topics and handlers.
    pub connections: usize,
    /// Error codes.
    pub error_codes: usize,
    /// One point each, two for a transition, a step and a level of depth.
    pub points: usize,
    /// `points / (points + 40)`: 0.5 at 40 points, 1 never.
    pub score: f64,
    /// The same in a line.
    pub explanation: String,
}

/// The structural complexity of a contract.
pub fn structure(contract: &Contract) -> Structure {
    let machine = contract.state_machine.as_ref();
    let workflow = contract.workflow.as_ref();
    let inner: usize = contract.definitions.iter().map(|it| it.fields.len()).sum();
    let routing = contract.sections.handler_routing.as_ref();
    let mut found = Structure {
        fields: contract.input.fields.len() + contract.output.fields.len() + inner,
        operations: contract.actions.len() + contract.io_operations.len(),
        states: machine.map_or(0, |it| it.states.len()),
        transitions: machine.map_or(0, |it| it.transitions.len()),
        steps: workflow.map_or(0, |it| it.steps.len()),
        depth: workflow.map_or(0, depth),
        dependencies: contract.dependencies.len(),
        connections: contract.subscribe_topics.len()
            + contract.publish_topics.len()
            + routing.map_or(0, |it| it.handlers.len()),
        error_codes: contract.error_codes.len(),
        points: 0,
        score: 0.0,
        explanation: String::new(),
    };
    let parts = [
        (found.fields, 1, "fields"),
        (found.operations, 1, "operations"),
        (found.states, 1, "states"),
        (found.transitions, 2, "transitions"),
        (found.steps, 2, "steps"),
        (found.depth, 2, "levels of depth"),
        (found.dependencies, 1, "dependencies"),
        (found.connections, 1, "topics and handlers"),
        (found.error_codes, 1, "error codes"),
    ];
    found.points = parts.iter().map(|(count, weight, _)| count * weight).sum();
    let points = f64::from(u32::try_from(found.points).unwrap_or(u32::MAX));
    found.score = (points / (points + 40.0) * 1000.0).round() / 1000.0;
    let named: Vec<String> = parts
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, weight, name)| match weight {
            1 => format!("{count} {name}"),
            weight => format!("{count} {name} × {weight}"),
        })
        .collect();
    found.explanation = format!("{} points: {}", found.points, named.join(" + "));
    found
}

/// Steps on the longest path; steps in a circle are on none.
fn depth(workflow: &Workflow) -> usize {
    let index: HashMap<&str, usize> =
        workflow.steps.iter().enumerate().map(|(at, step)| (step.name.as_str(), at)).collect();
    let mut waits = vec![0_usize; workflow.steps.len()];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); workflow.steps.len()];
    for (at, step) in workflow.steps.iter().enumerate() {
        for before in step.depends_on.iter().filter_map(|name| index.get(name.as_str())) {
            if let (Some(wait), Some(list)) = (waits.get_mut(at), after.get_mut(*before)) {
                *wait += 1;
                list.push(at);
            }
        }
    }
    let ready = waits.iter().enumerate().filter(|(_, wait)| **wait == 0);
    let mut level: Vec<usize> = ready.map(|(at, _)| at).collect();
    let mut depth = 0;
    while !level.is_empty() {
        depth += 1;
        let mut next = Vec::new();
        for to in level.iter().filter_map(|at| after.get(*at)).flatten() {
            if let Some(wait) = waits.get_mut(*to) {
                *wait -= 1;
                if *wait == 0 {
                    next.push(*to);
                }
            }
        }
        level = next;
    }
    depth
}

#[cfg(test)]
mod tests;
