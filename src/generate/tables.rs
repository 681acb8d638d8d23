//! What a contract says beyond models and behaviour (actions, operations, dependencies,
//! capabilities, a machine or a workflow that the node knows but is not driven by), as tables of
//! the handler: for those who read the code, and for inference, which reads nothing else. Decides
//! nothing.

use super::behaviour::{constant, machine_tables, row, step_table, table, text};
use super::template_backend::Plan;
use crate::contract::NodeType;
use crate::contract::model::{Contract, IoOperation};
use crate::template::python_text::{Expr, clean};

/// The tables, each with a line that says what its columns are; empty where there is nothing to
/// tell.
pub(super) fn tables(contract: &Contract, plan: &Plan) -> String {
    let mut all = Vec::new();
    let mut add = |about: &str, head: &str, rows: Vec<Expr>| {
        if !rows.is_empty() {
            all.push(format!("# {about}\n{}", table(head, rows)));
        }
    };
    let said = |it: Option<&str>| Expr::text(it.unwrap_or_default());
    let word = |it: Option<&str>| text(&clean(it.unwrap_or_default()));
    let actions = contract.actions.iter();
    let actions =
        actions.map(|it| row(vec![word(Some(&it.name)), said(it.description.as_deref())]));
    add(
        "name and meaning of each action",
        "ACTIONS: tuple[tuple[str, str], ...]",
        actions.collect(),
    );
    let operations = operations(contract, &plan.names.what);
    add(
        "name and meaning of each operation, whether it may be done twice, whether it happens\n\
         # wholly or not at all, and the fields that it takes and gives",
        "OPERATIONS: tuple[tuple[str, str, bool, bool, list[str], list[str]], ...]",
        operations.iter().map(operation).collect(),
    );
    let dependencies = contract.dependencies.iter().map(|it| {
        row(vec![
            word(Some(&it.name)),
            word(it.kind.as_deref()),
            word(it.module.as_deref()),
            word(it.class_name.as_deref()),
            flag(it.required),
        ])
    });
    add(
        "name and kind of what the node depends on, its module and class, and whether the node\n\
         # cannot do without",
        "DEPENDENCIES: tuple[tuple[str, str, str, str, bool], ...]",
        dependencies.collect(),
    );
    let capabilities = contract.capabilities.iter().map(|it| word(Some(it)));
    add("what the node can do", "CAPABILITIES: tuple[str, ...]", capabilities.collect());
    all.extend(own_words(plan));
    all.join("\n\n")
}

/// Machine and workflow of a node that is not driven by them.
fn own_words(plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(machine) = plan.machine.as_ref().filter(|_| plan.node_type != NodeType::Reducer) {
        let [states, terminal, error, transitions] = machine_tables(machine);
        all.push(constant("MACHINE_NAME", &machine.name));
        all.push(constant("MACHINE_DESCRIPTION", &machine.description));
        all.push(constant("INITIAL_STATE", &machine.initial));
        all.push(format!("# name, type and meaning of each state\n{states}"));
        all.extend([terminal, error]);
        let about = "# name, source, target and trigger of each transition; `*` is any source";
        all.push(format!("{about}\n{transitions}"));
    }
    if let Some(graph) = plan.graph.as_ref().filter(|_| plan.node_type != NodeType::Orchestrator) {
        all.push(constant("WORKFLOW_NAME", &graph.name));
        all.push(constant("WORKFLOW_DESCRIPTION", &graph.description));
        all.push(constant("EXECUTION_MODE", graph.mode));
        let about = "# name, type and meaning of each step, and the steps before it";
        all.push(format!("{about}\n{}", step_table(graph)));
    }
    all
}

/// The operations of a contract; an EFFECT that declares none has one of its own name, since
/// upstream's model asks for one.
pub(super) fn operations(contract: &Contract, what: &str) -> Vec<IoOperation> {
    let named = |it: &IoOperation| {
        let name = clean(&it.name);
        let list = |all: &[String]| -> Vec<String> {
            all.iter().map(|it| clean(it)).filter(|it| !it.is_empty()).collect()
        };
        IoOperation {
            name: if name.is_empty() { what.to_owned() } else { name },
            description: it.description.as_deref().map(clean).filter(|it| !it.is_empty()),
            input_fields: list(&it.input_fields),
            output_fields: list(&it.output_fields),
            ..it.clone()
        }
    };
    if contract.io_operations.is_empty() && contract.node_type == NodeType::Effect {
        return vec![IoOperation {
            name: what.to_owned(),
            description: None,
            input_fields: Vec::new(),
            output_fields: Vec::new(),
            idempotent: false,
            atomic: true,
            span: None,
        }];
    }
    contract.io_operations.iter().map(named).collect()
}

fn operation(it: &IoOperation) -> Expr {
    let list = |all: &[String]| Expr::group("[", all.iter().map(|it| text(it)).collect(), "]");
    row(vec![
        text(&it.name),
        Expr::text(it.description.as_deref().unwrap_or_default()),
        flag(it.idempotent),
        flag(it.atomic),
        list(&it.input_fields),
        list(&it.output_fields),
    ])
}

fn flag(of: bool) -> Expr {
    Expr::atom(if of { "True" } else { "False" })
}
