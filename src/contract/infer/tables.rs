//! What a node's files say in tables: state machine, workflow, operations, actions, dependencies,
//! capabilities.

use super::files::Sources;
use crate::contract::expression::Expression;
use crate::contract::model::{
    Action, Dependency, IoOperation, State, StateMachine, Transition, Workflow, WorkflowStep,
};

/// The rows of a table at the top of a file.
fn rows(sources: &Sources, name: &str) -> Vec<Vec<Expression>> {
    let table = sources.constant(name);
    let items = table.as_ref().map_or(&[][..], Expression::items);
    items.iter().map(|it| it.items().to_vec()).collect()
}

/// The entries of a list of dicts under a key, as rows of the values under `columns`.
fn records(sources: &Sources, key: &str, columns: &[&str]) -> Vec<Vec<Expression>> {
    let list = sources.entry(key);
    let items = list.as_ref().map_or(&[][..], Expression::items);
    let value = |entry: &Expression, column: &str| match entry {
        Expression::Dictionary(pairs) => {
            let found = pairs.iter().find(|(key, _)| key.text() == Some(column));
            found.map_or(Expression::Other, |(_, value)| value.clone())
        }
        _ => Expression::Other,
    };
    items.iter().map(|it| columns.iter().map(|column| value(it, column)).collect()).collect()
}

/// The text in a column; `None` where it is empty.
fn cell(row: &[Expression], at: usize) -> Option<String> {
    row.get(at)?.text().map(str::to_owned).filter(|it| !it.is_empty())
}

/// A text that stands in a constant or under a key.
fn word(sources: &Sources, constant: &str, key: &str) -> Option<String> {
    let own = |it: Expression| it.text().map(str::to_owned).filter(|it| !it.is_empty());
    sources.constant(constant).and_then(own).or_else(|| sources.entry(key).and_then(own))
}

/// `STATES` and `TRANSITIONS`, or the same as lists of dicts, with what stands beside them.
pub(super) fn state_machine(sources: &Sources, name: &str) -> Option<StateMachine> {
    let (mut states, mut transitions) = (rows(sources, "STATES"), rows(sources, "TRANSITIONS"));
    if states.is_empty() {
        states = records(sources, "states", &["state_name", "state_type", "description"]);
        let columns = ["transition_name", "from_state", "to_state", "trigger"];
        transitions = records(sources, "transitions", &columns);
    }
    let listed = |constant: &str, key: &str| {
        let own = sources.constant(constant).map(|it| it.texts());
        own.or_else(|| sources.entry(key).map(|it| it.texts())).unwrap_or_default()
    };
    let terminal = listed("TERMINAL_STATES", "terminal_states");
    let error = listed("ERROR_STATES", "error_states");
    let state = |row: &Vec<Expression>| {
        let name = cell(row, 0)?;
        let kind = cell(row, 1).unwrap_or_default();
        Some(State {
            description: cell(row, 2),
            terminal: kind == "terminal" || terminal.contains(&name),
            error: kind == "error" || error.contains(&name),
            span: None,
            name,
        })
    };
    let transition = |row: &Vec<Expression>| {
        Some(Transition {
            name: cell(row, 0),
            from: cell(row, 1)?,
            to: cell(row, 2)?,
            trigger: cell(row, 3)?,
            conditional: false,
            description: None,
            span: None,
        })
    };
    let states: Vec<State> = states.iter().filter_map(state).collect();
    let first = states.first()?.name.clone();
    Some(StateMachine {
        name: word(sources, "MACHINE_NAME", "state_machine_name")
            .unwrap_or_else(|| name.to_owned()),
        description: word(sources, "MACHINE_DESCRIPTION", ""),
        initial_state: word(sources, "INITIAL_STATE", "initial_state").unwrap_or(first),
        states,
        transitions: transitions.iter().filter_map(transition).collect(),
        span: None,
    })
}

/// `STEPS`, with what stands beside it.
pub(super) fn workflow(sources: &Sources, name: &str) -> Option<Workflow> {
    let step = |row: &Vec<Expression>| {
        Some(WorkflowStep {
            name: cell(row, 0)?,
            node_type: cell(row, 1),
            description: if row.len() > 3 { cell(row, 2) } else { None },
            depends_on: row.last().filter(|_| row.len() > 2)?.texts(),
            span: None,
        })
    };
    let steps: Vec<WorkflowStep> = rows(sources, "STEPS").iter().filter_map(step).collect();
    if steps.is_empty() {
        return None;
    }
    Some(Workflow {
        name: word(sources, "WORKFLOW_NAME", "workflow_name").unwrap_or_else(|| name.to_owned()),
        description: word(sources, "WORKFLOW_DESCRIPTION", ""),
        execution_mode: word(sources, "EXECUTION_MODE", "execution_mode"),
        steps,
        span: None,
    })
}

/// `OPERATIONS`.
pub(super) fn operations(sources: &Sources) -> Vec<IoOperation> {
    let flag = |row: &[Expression], at: usize| row.get(at) == Some(&Expression::Flag(true));
    let texts = |row: &[Expression], at: usize| row.get(at).map_or(Vec::new(), Expression::texts);
    let operation = |row: &Vec<Expression>| {
        Some(IoOperation {
            name: cell(row, 0)?,
            description: cell(row, 1),
            idempotent: flag(row, 2),
            atomic: flag(row, 3),
            input_fields: texts(row, 4),
            output_fields: texts(row, 5),
            span: None,
        })
    };
    rows(sources, "OPERATIONS").iter().filter_map(operation).collect()
}

/// `ACTIONS`.
pub(super) fn actions(sources: &Sources) -> Vec<Action> {
    let action = |row: &Vec<Expression>| {
        Some(Action { name: cell(row, 0)?, description: cell(row, 1), span: None })
    };
    rows(sources, "ACTIONS").iter().filter_map(action).collect()
}

/// `DEPENDENCIES`; `None` where there is no such table.
pub(super) fn dependencies(sources: &Sources) -> Option<Vec<Dependency>> {
    sources.constant("DEPENDENCIES")?;
    let dependency = |row: &Vec<Expression>| {
        Some(Dependency {
            name: cell(row, 0)?,
            kind: cell(row, 1),
            module: cell(row, 2),
            class_name: cell(row, 3),
            required: row.get(4) != Some(&Expression::Flag(false)),
            span: None,
        })
    };
    Some(rows(sources, "DEPENDENCIES").iter().filter_map(dependency).collect())
}

/// `CAPABILITIES`.
pub(super) fn capabilities(sources: &Sources) -> Vec<String> {
    sources.constant("CAPABILITIES").map(|it| it.texts()).unwrap_or_default()
}
