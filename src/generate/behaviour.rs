//! What handlers and tests of a package say: the response that a scaffold gives, the sample request
//! of the tests, state machine and workflow as tables. A scaffold runs and invents nothing; what is
//! left to write is said by a finding, not by an exception.

use super::graph::Graph;
use super::machine::Machine;
use super::shape::Trigger;
use super::types::{FieldPlan, ModelPlan, PyType, Shape};
use super::value;
use crate::contract::NodeType;
use crate::template::python_text::{Expr, Imports, LINE_COLUMNS, literal};

/// The response of a scaffold.
#[derive(Debug)]
pub(super) struct Response {
    /// The return statement at eight columns.
    pub(super) text: String,
    /// Output fields taken over from the request: their identifiers in request and response.
    pub(super) carried: Vec<(String, String)>,
    /// Output fields that have a neutral value.
    pub(super) neutral: Vec<String>,
}

/// The response: what the runtime knows, same-named fields of the request, and neutral values for
/// the rest. Fields with a declared default keep it.
pub(super) fn response(
    shape: &Shape,
    node_type: NodeType,
    machine: Option<&Machine>,
    imports: &mut Imports,
) -> Response {
    let (mut carried, mut neutral, mut items) = (Vec::new(), Vec::new(), Vec::new());
    for field in &shape.output.fields {
        let same = |it: &&FieldPlan| it.name == field.name && value::carries(it, field);
        if let Some(known) = known(field, shape, node_type, machine, imports) {
            items.push(Expr::Atom(known).named(&field.ident));
        } else if let Some(from) = shape.input.fields.iter().find(same) {
            items.push(Expr::atom(format!("request.{}", from.ident)).named(&field.ident));
            carried.push((from.ident.clone(), field.ident.clone()));
        } else if field.default.is_none() {
            items.push(value::neutral(field, shape, imports).named(&field.ident));
            neutral.push(field.ident.clone());
        } else {
            neutral.push(field.ident.clone());
        }
    }
    let head = format!("return {}(", shape.output.class_name);
    Response { text: Expr::group(head, items, ")").render(8), carried, neutral }
}

/// What the handler learns from the state machine or the workflow about an output field.
fn known(
    field: &FieldPlan,
    shape: &Shape,
    node_type: NodeType,
    machine: Option<&Machine>,
    imports: &mut Imports,
) -> Option<String> {
    let name = field.name.as_str();
    match (node_type, field.field_type.inner()) {
        (NodeType::Reducer, PyType::Str)
            if is_one(name, &["state", "current_state", "new_state"]) =>
        {
            Some("state or \"unknown\"".into())
        }
        (NodeType::Reducer, PyType::Bool) if is_one(name, &["complete", "is_complete"]) => {
            Some("complete".into())
        }
        (NodeType::Reducer, PyType::Enum(at)) if is_one(name, &["state", "current_state"]) => {
            let (plan, machine) = (shape.enums.get(*at)?, machine?);
            if !plan.holds(machine.states.iter().map(|it| it.name.as_str())) {
                return None;
            }
            shape.import(&PyType::Enum(*at), "handlers", imports);
            Some(format!("{}(state or {})", plan.class_name, literal(&machine.initial)))
        }
        (NodeType::Orchestrator, PyType::Int) if field.limits.maximum.is_none() => {
            let list = match name {
                "completed_steps" => "completed_steps",
                "failed_steps" => "failed_steps",
                "actions" => "actions_emitted",
                _ => return None,
            };
            let fits = field.limits.refuses(&serde_json::json!(0)).is_none();
            fits.then(|| format!("len(output.{list})"))
        }
        (NodeType::Orchestrator, PyType::Bool) if is_one(name, &["success", "succeeded"]) => {
            Some("not output.failed_steps".into())
        }
        _ => None,
    }
}

fn is_one(name: &str, of: &[&str]) -> bool {
    of.contains(&name)
}

/// The smallest request that the model takes, as a return statement at four columns. A reducer's
/// request has the trigger that leads out of the initial state.
pub(super) fn sample(
    shape: &Shape,
    trigger: Option<(&Trigger, &str)>,
    imports: &mut Imports,
) -> String {
    let model: &ModelPlan = &shape.input;
    let mut items = Vec::new();
    for field in &model.fields {
        if let Some((trigger, first)) = trigger.filter(|(it, _)| it.ident == field.ident) {
            let plan = trigger.values.and_then(|at| shape.enums.get(at));
            let value = plan.and_then(|it| it.member(first));
            if value.is_some() {
                shape.import(&field.field_type, "tests", imports);
            }
            let value = value.unwrap_or_else(|| literal(first));
            items.push(Expr::Atom(value).named(&field.ident));
        } else if field.default.is_none() {
            items.push(value::neutral(field, shape, imports).named(&field.ident));
        }
    }
    Expr::group(format!("return {}(", model.class_name), items, ")").render(4)
}

/// Assertions that carried fields arrive, as many as fit a line each, at most three.
pub(super) fn checks(response: &Response) -> Vec<String> {
    let check = |(from, to): &(String, String)| format!("assert response.{to} == request.{from}");
    let fits = |line: &String| line.len() + 4 <= LINE_COLUMNS;
    response.carried.iter().map(check).filter(fits).take(3).collect()
}

/// A module constant: a tuple of rows.
pub(super) fn table(head: &str, rows: Vec<Expr>) -> String {
    Expr::group(format!("{head} = ("), rows, ")").render(0)
}

/// A row of a table.
pub(super) fn row(items: Vec<Expr>) -> Expr {
    Expr::group("(", items, ")")
}

/// A text that is never broken.
pub(super) fn text(of: &str) -> Expr {
    Expr::Atom(literal(of))
}

/// `NAME = "text"` at column zero, broken between words where it is long.
pub(super) fn constant(name: &str, of: &str) -> String {
    let Expr::Text { text, .. } = Expr::text(of) else { return String::new() };
    Expr::Text { head: format!("{name} = "), text }.render(0)
}

/// The tables of a reducer's handler: states, terminal states, error states, transitions.
pub(super) fn machine_tables(machine: &Machine) -> [String; 4] {
    let states = machine.states.iter();
    let rows =
        states.map(|it| row(vec![text(&it.name), text(it.kind()), Expr::text(&it.description)]));
    let names = |head: &str, terminal: bool| {
        let chosen =
            machine.states.iter().filter(|it| if terminal { it.terminal } else { it.error });
        let items = chosen.map(|it| text(&it.name)).collect();
        Expr::group(format!("{head}: list[str] = ["), items, "]").render(0)
    };
    let steps = machine.transitions.iter();
    let steps =
        steps.map(|it| row(vec![text(&it.name), text(&it.from), text(&it.to), text(&it.trigger)]));
    [
        table("STATES: tuple[tuple[str, str, str], ...]", rows.collect()),
        names("TERMINAL_STATES", true),
        names("ERROR_STATES", false),
        table("TRANSITIONS: tuple[tuple[str, str, str, str], ...]", steps.collect()),
    ]
}

/// The table of an orchestrator's steps.
pub(super) fn step_table(graph: &Graph) -> String {
    let rows = graph.steps.iter().map(|step| {
        let before = step.depends_on.iter().map(|it| text(it)).collect();
        row(vec![text(&step.name), text(step.kind), Expr::text(&step.description), row(before)])
    });
    table("STEPS: tuple[tuple[str, str, str, tuple[str, ...]], ...]", rows.collect())
}
