//! Graphs of steps: the declared workflow of an orchestrator, in the forms that occur.

use crate::contract::document::Node;
use crate::contract::model::{Workflow, WorkflowStep};
use crate::contract::notes::Notes;
use crate::finding::Span;
use std::collections::{HashMap, HashSet};

/// The workflow of a contract: `workflow_coordination.workflow_definition`, else another declared
/// graph of steps; `None` where no steps are declared.
pub(super) fn workflow(
    document: &Node,
    contract_name: &str,
    notes: &mut Notes,
) -> Option<Workflow> {
    let places = [
        &["workflow_coordination", "workflow_definition"][..],
        &["workflow_coordination"],
        &["workflow_definition"],
        &["workflow"],
    ];
    for path in places {
        let Some(node) = document.at(path) else { continue };
        let steps = steps_of(node, notes);
        if steps.is_empty() {
            continue;
        }
        if path != places[0] {
            let message = format!("`{}` is read as `{}`", path.join("."), places[0].join("."));
            notes.note("contract.rewrite-workflow", document.key_span(path), message);
        }
        return Some(definition(node, steps, contract_name));
    }
    if let Some(node) = document.get("workflows").filter(|node| node.is_mapping()) {
        return one_of(node, document.key_span(&["workflows"]), notes);
    }
    let steps = steps_of(document, notes);
    if steps.is_empty() {
        return None;
    }
    let span = document.key_span(&["nodes"]);
    let message = "`nodes` and `event_flow` are read as the workflow";
    notes.note("contract.rewrite-workflow", span, message);
    let mut found = definition(document, steps, contract_name);
    found.name = contract_name.to_owned();
    found.span = Some(span);
    Some(found)
}

/// The first of several workflows.
fn one_of(node: &Node, key: Span, notes: &mut Notes) -> Option<Workflow> {
    let mut workflows = node.entries().filter_map(|(name, entry)| {
        let steps = steps_of(entry, notes);
        (!steps.is_empty()).then(|| definition(entry, steps, name))
    });
    let found = workflows.next()?;
    let others = workflows.count();
    if others > 0 {
        let message = format!(
            "of {} workflows `{}` is read as the contract's; the others stay in the document",
            others + 1,
            found.name
        );
        notes.note("contract.rewrite-workflow", key, message);
    }
    Some(found)
}

fn text(node: &Node, keys: &[&str]) -> Option<String> {
    node.first_text(keys).map(|text| text.trim().to_owned())
}

fn definition(node: &Node, steps: Vec<WorkflowStep>, default_name: &str) -> Workflow {
    let about = node.get("workflow_metadata").unwrap_or(node);
    Workflow {
        name: text(about, &["workflow_name", "name"]).unwrap_or_else(|| default_name.to_owned()),
        description: text(about, &["description"]),
        execution_mode: text(about, &["execution_mode"]),
        steps,
        span: Some(node.span),
    }
}

const NAMES: [&str; 6] = ["node_id", "step_id", "id", "name", "step", "step_name"];
const SOURCES: [&str; 4] = ["source", "from", "from_node", "source_node"];
const TARGETS: [&str; 4] = ["target", "to", "to_node", "target_node"];

/// Steps of `execution_graph.nodes`, `nodes` or `steps`, with the edges declared beside them.
fn steps_of(node: &Node, notes: &mut Notes) -> Vec<WorkflowStep> {
    let graph = node.get("execution_graph").unwrap_or(node);
    let Some(list) = graph.first(&["nodes", "steps"]) else { return Vec::new() };
    let keyed = list.pairs().iter().map(|(key, entry)| (key.text(), key, entry));
    let listed = list.items().iter().map(|item| (None, item, item));
    let mut steps = Vec::new();
    for (key, place, entry) in keyed.chain(listed) {
        let name = key.or_else(|| entry.as_str()).or_else(|| entry.first_text(&NAMES));
        let Some(name) = name.or_else(|| entry.first_text(&["node_name", "component"])) else {
            let message = "this step of the workflow has no name; it is left out";
            notes.warning("contract.nameless", place.span, message);
            continue;
        };
        steps.push(WorkflowStep {
            name: name.trim().to_owned(),
            node_type: text(entry, &["target_node_type", "node_type", "type", "component"]),
            description: text(entry, &["description"]),
            depends_on: names(entry.first(&["depends_on", "dependencies", "after"])),
            span: Some(place.span),
        });
    }
    for key in ["edges", "event_flow"] {
        add_edges(graph.get(key), &mut steps);
    }
    for step in &mut steps {
        let mut known = HashSet::new();
        step.depends_on.retain(|name| known.insert(name.clone()));
    }
    steps
}

fn names(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    let one = node.as_str().into_iter();
    let several =
        node.items().iter().filter_map(|item| item.as_str().or_else(|| item.first_text(&NAMES)));
    one.chain(several).map(|name| name.trim().to_owned()).collect()
}

/// Edges between declared steps; others lead from or to the world and are not the graph's.
fn add_edges(edges: Option<&Node>, steps: &mut [WorkflowStep]) {
    let Some(edges) = edges else { return };
    let index: HashMap<String, usize> =
        steps.iter().enumerate().map(|(at, step)| (step.name.clone(), at)).collect();
    for edge in edges.items() {
        let (Some(source), Some(target)) = (edge.first_text(&SOURCES), edge.first_text(&TARGETS))
        else {
            continue;
        };
        let Some(step) = index.get(target).and_then(|at| steps.get_mut(*at)) else { continue };
        if index.contains_key(source) && source != target {
            step.depends_on.push(source.to_owned());
        }
    }
}
