//! What a package's README says: tables of its fields, operations, states, steps, error codes and
//! mixins. Words only; text of a contract can never leave its cell.

use serde::Serialize;

use super::case::Case;
use super::graph::GraphStep;
use super::mixin::Wanted;
use super::template_backend::Plan;
use super::types::{FieldPlan, ModelPlan, limit_arguments};
use crate::contract::Contract;
use crate::contract::model::ErrorCode;
use crate::template::python_text::{Expr, clean};
use crate::template::{Variant, View};

#[derive(Serialize)]
struct Readme<'a> {
    node_class: &'a str,
    summary: String,
    kind: &'static str,
    contract_name: String,
    version: String,
    variant: &'static str,
    package: &'a str,
    input_class: &'a str,
    output_class: &'a str,
    handler_module: String,
    tables: Vec<Table>,
}

#[derive(Serialize)]
struct Table {
    title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// What the template of the README sees.
pub(super) fn view(contract: &Contract, plan: &Plan) -> View {
    let shape = &plan.shape;
    let models = [("Input", &shape.input), ("Output", &shape.output)];
    let mut tables: Vec<Table> =
        models.map(|(role, model)| model_table(role, model, plan)).into_iter().collect();
    tables.extend(shape.parts.iter().map(|model| model_table("Part", model, plan)));
    tables.push(cases(plan));
    tables.extend(machine(plan));
    tables.extend(steps(plan));
    tables.push(error_codes(contract));
    tables.push(mixins(plan));
    tables.retain(|it| !it.rows.is_empty());
    View::new(Readme {
        node_class: &plan.names.node_class,
        summary: text(&plan.summary),
        kind: plan.node_type.as_str(),
        contract_name: text(&clean(&contract.name)),
        version: contract.version.to_string(),
        variant: what(plan),
        package: &plan.names.package,
        input_class: &shape.input.class_name,
        output_class: &shape.output.class_name,
        handler_module: format!("handler_{}", plan.names.what),
        tables,
    })
}

fn what(plan: &Plan) -> &'static str {
    match plan.variant {
        Variant::Plain => "one function of its request",
        Variant::Fsm => "a state machine",
        Variant::Workflow => "a graph of steps",
        Variant::IoOperations => "IO operations",
        Variant::EventDriven => "the events that it listens to",
    }
}

fn model_table(role: &str, model: &ModelPlan, plan: &Plan) -> Table {
    let row = |field: &FieldPlan| {
        let annotation = plan.shape.annotation(&field.field_type);
        let limits = limits(field);
        vec![
            code(&field.name),
            code(&format!("{annotation}{limits}")),
            if field.default.is_none() { "yes".into() } else { "no".into() },
            text(&field.description),
        ]
    };
    Table {
        title: format!("{role}: `{}`", model.class_name),
        head: vec!["field", "type", "required", "meaning"],
        rows: model.fields.iter().map(row).collect(),
    }
}

fn limits(field: &FieldPlan) -> String {
    let of = field.field_type.inner();
    let limits = limit_arguments(&field.limits, of);
    let mut all: Vec<String> = limits.iter().map(Expr::flat).collect();
    if field.limits.unique_items {
        all.push("no repeats".to_owned());
    }
    all.iter().map(|it| format!(", {it}")).collect()
}

fn cases(plan: &Plan) -> Table {
    let events = plan.variant == Variant::EventDriven;
    let row = |it: &Case| vec![code(&it.name), code(&it.method), text(&it.description)];
    Table {
        title: if events { "Events".into() } else { "Operations".into() },
        head: vec!["name", "method of the handler", "meaning"],
        rows: plan.cases.iter().map(row).collect(),
    }
}

fn machine(plan: &Plan) -> Vec<Table> {
    let Some(machine) = plan.own_machine() else { return Vec::new() };
    let states = machine.states.iter();
    let ways = machine.transitions.iter();
    vec![
        Table {
            title: format!("States, from {} on", code(&machine.initial)),
            head: vec!["state", "kind", "meaning"],
            rows: states
                .map(|it| vec![code(&it.name), it.kind().into(), text(&it.description)])
                .collect(),
        },
        Table {
            title: "Transitions".into(),
            head: vec!["from", "trigger", "to"],
            rows: ways.map(|it| vec![code(&it.from), code(&it.trigger), code(&it.to)]).collect(),
        },
    ]
}

fn steps(plan: &Plan) -> Option<Table> {
    let graph = plan.own_graph()?;
    let row = |it: &GraphStep| {
        let before: Vec<String> = it.depends_on.iter().map(|it| code(it)).collect();
        vec![code(&it.name), it.kind.into(), before.join(", "), text(&it.description)]
    };
    Some(Table {
        title: "Steps".into(),
        head: vec!["step", "kind", "after", "meaning"],
        rows: graph.steps.iter().map(row).collect(),
    })
}

fn error_codes(contract: &Contract) -> Table {
    let row = |it: &ErrorCode| {
        let again = match it.recoverable {
            Some(true) => "may help",
            Some(false) => "does not help",
            None => "",
        };
        vec![
            code(&clean(&it.code)),
            again.into(),
            text(&it.description.as_deref().map_or(String::new(), clean)),
        ]
    };
    Table {
        title: "Error codes".into(),
        head: vec!["code", "trying again", "meaning"],
        rows: contract.error_codes.iter().map(row).collect(),
    }
}

fn mixins(plan: &Plan) -> Table {
    let row = |it: &Wanted| {
        let values: Vec<String> = it.settings.iter().map(|it| code(it)).collect();
        vec![code(it.mixin.class_name()), values.join(", ")]
    };
    Table {
        title: "Mixins, from the innermost on".into(),
        head: vec!["mixin", "values of the contract"],
        rows: plan.mixins.iter().map(row).collect(),
    }
}

/// Text in a cell: nothing in it is markup.
fn text(of: &str) -> String {
    let mut out = String::with_capacity(of.len());
    for char in of.chars() {
        if matches!(char, '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '!') {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// A name in a cell.
fn code(of: &str) -> String {
    format!("`{}`", of.replace('`', "'").replace('|', "\\|"))
}
