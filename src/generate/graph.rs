//! The workflow of an orchestrator, repaired as little as needed: step names are unique,
//! dependencies exist, there is no cycle, and the steps stand in the order of their dependencies.
//! Every repair is a finding.

use std::collections::BTreeSet;

use super::machine::label;
use super::repair;
use crate::contract::model::{Workflow, WorkflowStep};
use crate::finding::Finding;
use crate::template::python_text::clean;

const RULE: &str = "correctness.repaired-workflow";

/// Most steps that upstream runs (`MAX_WORKFLOW_STEPS`).
const STEPS_MAX: usize = 1000;

/// A workflow that upstream takes.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub(super) name: String,
    pub(super) description: String,
    /// sequential, parallel or batch.
    pub(super) mode: &'static str,
    pub(super) steps: Vec<GraphStep>,
}

/// A step.
#[derive(Debug, Clone)]
pub(super) struct GraphStep {
    pub(super) name: String,
    /// Upstream's `step_type`.
    pub(super) kind: &'static str,
    pub(super) description: String,
    pub(super) depends_on: Vec<String>,
}

impl Graph {
    /// The contract's workflow, repaired.
    pub(super) fn new(workflow: &Workflow, what: &str, findings: &mut Vec<Finding>) -> Self {
        let mut steps: Vec<GraphStep> = Vec::new();
        for step in &workflow.steps {
            let name = label(&step.name);
            if name.is_empty() || steps.iter().any(|it| it.name == name) {
                let message = format!("a second step is called `{name}`; the first counts");
                findings.push(repair(RULE, message));
            } else if steps.len() == STEPS_MAX {
                let message = format!("only the first {STEPS_MAX} steps are generated");
                findings.push(repair(RULE, message));
                break;
            } else {
                steps.push(graph_step(step, name));
            }
        }
        drop_unknown(&mut steps, findings);
        let name = label(&workflow.name);
        let name = if name.is_empty() { what.to_owned() } else { name };
        let description = workflow.description.as_deref().map_or(String::new(), clean);
        let description =
            if description.is_empty() { format!("Workflow {name}.") } else { description };
        let mode = mode(workflow.execution_mode.as_deref(), findings);
        Self { name, description, mode, steps: in_order(steps, findings) }
    }

    /// The workflow of an orchestrator whose contract declares none: one step of its own name.
    pub(super) fn absent(what: &str) -> Self {
        Self {
            name: what.to_owned(),
            description: "The contract declares no workflow: one step stands in for it.".into(),
            mode: "sequential",
            steps: vec![GraphStep {
                name: what.to_owned(),
                kind: "custom",
                description: String::new(),
                depends_on: Vec::new(),
            }],
        }
    }
}

fn graph_step(step: &WorkflowStep, name: String) -> GraphStep {
    let kind = step.node_type.as_deref().unwrap_or_default().to_lowercase();
    let kinds = ["compute", "effect", "reducer", "orchestrator", "parallel"];
    let mut depends_on: Vec<String> = Vec::new();
    for it in step.depends_on.iter().map(|it| label(it)) {
        if !depends_on.contains(&it) {
            depends_on.push(it);
        }
    }
    GraphStep {
        kind: kinds.into_iter().find(|it| kind.starts_with(it)).unwrap_or("custom"),
        description: step.description.as_deref().map_or(String::new(), clean),
        name,
        depends_on,
    }
}

fn mode(text: Option<&str>, findings: &mut Vec<Finding>) -> &'static str {
    let Some(text) = text else { return "sequential" };
    let modes = ["sequential", "parallel", "batch"];
    let lower = text.trim().to_lowercase();
    modes.into_iter().find(|mode| *mode == lower).unwrap_or_else(|| {
        let mode = label(text);
        let message = format!("execution mode `{mode}` is none that runs; `sequential` is used");
        findings.push(repair(RULE, message));
        "sequential"
    })
}

fn drop_unknown(steps: &mut [GraphStep], findings: &mut Vec<Finding>) {
    let names: BTreeSet<String> = steps.iter().map(|step| step.name.clone()).collect();
    for step in steps {
        let name = &step.name;
        step.depends_on.retain(|it| {
            let known = it != name && names.contains(it);
            if !known {
                let reason = if it == name { "itself" } else { "no step of the workflow" };
                let message = format!("step `{name}` depends on `{it}`, {reason}; it is left out");
                findings.push(repair(RULE, message));
            }
            known
        });
    }
}

/// The steps so that each comes after what it depends on; where a cycle stops this, the first step
/// of what is left starts without the others. Each round places a step, so it ends.
fn in_order(mut left: Vec<GraphStep>, findings: &mut Vec<Finding>) -> Vec<GraphStep> {
    let mut placed: BTreeSet<String> = BTreeSet::new();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let ready = |step: &GraphStep| step.depends_on.iter().all(|it| placed.contains(it));
        let at = left.iter().position(ready).unwrap_or(0);
        let mut step = left.remove(at);
        let name = step.name.clone();
        step.depends_on.retain(|it| {
            let before = placed.contains(it);
            if !before {
                let message = format!("step `{name}` and `{it}` wait for each other; it starts");
                findings.push(repair(RULE, message));
            }
            before
        });
        placed.insert(name);
        ordered.push(step);
    }
    ordered
}

#[cfg(test)]
mod tests;
