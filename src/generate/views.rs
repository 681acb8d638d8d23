//! What the templates see: typed views of a plan, in which everything is decided, so that a
//! template only says the form.

use serde::Serialize;

use super::behaviour::{self, Response};
use super::case::Case;
use super::graph::Graph;
use super::machine::{Machine, Outcome};
use super::mixin::Wanted;
use super::shape::Trigger;
use super::template_backend::Plan;
use super::types::{EnumPlan, FieldPlan, ModelPlan, PyType, Shape};
use crate::contract::NodeType;
use crate::contract::model::mixins::MixinKind;
use crate::template::python_text::{Expr, Imports, docstring, literal, sentence};
use crate::template::{Variant, View};

/// What the templates of a node type see; a template uses what it needs.
#[derive(Serialize)]
struct NodeView<'a> {
    title: String,
    noun: &'a str,
    class_line: String,
    class_doc: String,
    node_class: &'a str,
    handler_class: &'a str,
    handler_module: String,
    input_class: &'a str,
    input_module: &'a str,
    output_class: &'a str,
    output_module: &'a str,
    handler_imports: String,
    test_imports: String,
    /// Tables of what the contract says besides.
    tables: &'a str,
    contract_version: &'a str,
    node_version: &'a str,
    response: &'a str,
    sample: String,
    checks: Vec<String>,
    log: String,
    execute_doc: &'static str,
    /// Field of the request that says which case is meant; empty where none does.
    chooser: &'a str,
    cases: Vec<CaseView<'a>>,
    mixins: Vec<MixinView>,
    /// Class attributes that set the mixins' values.
    settings: Vec<&'a str>,
    caching: bool,
    #[serde(flatten)]
    machine: Option<MachineView>,
    #[serde(flatten)]
    graph: Option<GraphView>,
}

/// An operation or event of which the handler has a method.
#[derive(Serialize)]
struct CaseView<'a> {
    method: &'a str,
    /// The value of the choosing field; empty where it has none for this case.
    member: String,
    docstring: String,
    log: String,
}

/// A mixin of the node.
#[derive(Serialize)]
struct MixinView {
    module: String,
    class_name: &'static str,
    wrapper: &'static str,
    /// Whether it is given what tells requests apart.
    keyed: bool,
}

/// What the templates of a node with a machine see besides.
#[derive(Serialize)]
struct MachineView {
    machine_name: String,
    machine_description: String,
    initial: String,
    first_trigger: String,
    states: String,
    terminal_states: String,
    error_states: String,
    transitions: String,
    transition_count: usize,
    trigger: String,
    /// State after the first event; empty when that is not certain.
    reached: String,
    /// Whether the initial state certainly refuses the first event.
    refused: bool,
}

/// What an orchestrator's templates see besides.
#[derive(Serialize)]
struct GraphView {
    workflow_name: String,
    workflow_description: String,
    mode: &'static str,
    steps: String,
    step_count: usize,
    workflow_id: String,
}

/// What the templates of the node see, and the scaffold's response.
pub(super) fn node(plan: &Plan) -> (View, Response) {
    let Plan { node_type, names, shape, .. } = plan;
    let node_type = *node_type;
    let (own_machine, own_graph) = (plan.own_machine(), plan.own_graph());
    let driving = own_machine.filter(|_| node_type == NodeType::Reducer);
    let mut handler_imports = handler_imports(plan);
    for model in [&shape.input, &shape.output] {
        handler_imports.name(&format!("..models.{}", model.module), &model.class_name);
    }
    let response = behaviour::response(shape, node_type, driving, &mut handler_imports);
    let mut test_imports = test_imports(plan, node_type);
    let trigger = plan.trigger.as_ref().map(|it| (it, plan.first.as_str()));
    let sample = behaviour::sample(shape, trigger, &mut test_imports);
    let checks = match own_graph {
        Some(graph) => workflow_checks(graph, shape),
        None => behaviour::checks(&response),
    };
    let kind = node_type.as_str();
    let chooser = plan.chooser();
    let view = View::new(NodeView {
        title: sentence(&format!("{kind} node: {}", plan.summary)),
        noun: &names.noun,
        class_line: class_line(plan),
        class_doc: docstring(&plan.summary, 4),
        node_class: &names.node_class,
        handler_class: &names.handler_class,
        handler_module: format!("handler_{}", names.what),
        input_class: &shape.input.class_name,
        input_module: &shape.input.module,
        output_class: &shape.output.class_name,
        output_module: &shape.output.module,
        handler_imports: handler_imports.render(),
        test_imports: test_imports.render(),
        tables: &plan.tables,
        contract_version: &plan.contract_version,
        node_version: &plan.node_version,
        response: &response.text,
        sample,
        checks,
        log: literal(&format!("{}: request received", names.noun)),
        execute_doc: execute_doc(node_type),
        chooser: chooser.map_or("", |(ident, _)| ident),
        cases: cases(plan),
        mixins: plan.mixins.iter().map(mixin_view).collect(),
        settings: plan.mixins.iter().flat_map(|it| &it.settings).map(String::as_str).collect(),
        caching: plan.mixins.iter().any(|it| it.mixin == MixinKind::Caching),
        machine: own_machine.map(|machine| machine_view(machine, plan.trigger.as_ref())),
        graph: own_graph.map(|graph| graph_view(graph, shape)),
    });
    (view, response)
}

fn execute_doc(node_type: NodeType) -> &'static str {
    match node_type {
        NodeType::Compute | NodeType::Effect => "Run the node on a plain request.",
        NodeType::Reducer => "Run the node on a plain request: the event drives the state machine.",
        NodeType::Orchestrator => {
            "Run the node on a plain request: the workflow's steps become actions."
        }
    }
}

fn cases(plan: &Plan) -> Vec<CaseView<'_>> {
    let values = plan.chooser().and_then(|(_, values)| plan.shape.enums.get(values?));
    let said = |case: &Case| {
        let words = case.method.trim_matches('_').replace('_', " ");
        let text = if case.description.is_empty() { &words } else { &case.description };
        (docstring(text, 8), literal(&format!("{}: {words}", plan.names.noun)))
    };
    let member = |name: &str| match values {
        Some(values) => values.member(name).unwrap_or_default(),
        None => literal(name),
    };
    let cases = plan.cases.iter().map(|it| {
        let (docstring, log) = said(it);
        CaseView { method: &it.method, member: member(&it.name), docstring, log }
    });
    cases.collect()
}

fn mixin_view(wanted: &Wanted) -> MixinView {
    let mixin = wanted.mixin;
    MixinView {
        module: format!("mixin_{}", mixin.name()),
        class_name: mixin.class_name(),
        wrapper: mixin.wrapper(),
        keyed: mixin == MixinKind::Caching,
    }
}

/// What a template sees that only has a title.
pub(super) fn titled(title: &str) -> View {
    #[derive(Serialize)]
    struct Titled {
        title: String,
    }
    View::new(Titled { title: sentence(title) })
}

/// `class NodeX(MixinRetry, NodeCompute[In, Out]):`
fn class_line(plan: &Plan) -> String {
    let models = [&plan.shape.input, &plan.shape.output];
    let models = || models.iter().map(|it| Expr::atom(&*it.class_name)).collect();
    let base = match plan.node_type {
        NodeType::Compute => Expr::group("NodeCompute[", models(), "]"),
        NodeType::Reducer => Expr::group("NodeReducer[", models(), "]"),
        NodeType::Effect => Expr::atom("NodeEffect"),
        NodeType::Orchestrator => Expr::atom("NodeOrchestrator"),
    };
    let mut bases: Vec<Expr> = plan
        .mixins
        .iter()
        .map(|it| match it.mixin {
            MixinKind::Caching => {
                Expr::atom(format!("MixinCaching[{}]", plan.shape.output.class_name))
            }
            mixin => Expr::atom(mixin.class_name()),
        })
        .collect();
    bases.sort_by_key(Expr::flat);
    bases.push(base);
    Expr::group(format!("class {}(", plan.names.node_class), bases, "):").render(0)
}

fn machine_view(machine: &Machine, trigger: Option<&Trigger>) -> MachineView {
    let [states, terminal_states, error_states, transitions] = behaviour::machine_tables(machine);
    let event = machine.first_event();
    let reached = match &event.outcome {
        Outcome::Reaches(state) => literal(state),
        Outcome::Refused | Outcome::Unsure => String::new(),
    };
    MachineView {
        machine_name: literal(&machine.name),
        machine_description: behaviour::constant("MACHINE_DESCRIPTION", &machine.description),
        initial: literal(&machine.initial),
        first_trigger: literal(&event.trigger),
        states,
        terminal_states,
        error_states,
        transitions,
        transition_count: machine.transitions.len(),
        trigger: trigger.map_or(String::new(), |it| {
            let value = if it.values.is_some() { ".value" } else { "" };
            format!("request.{}{value}", it.ident)
        }),
        reached,
        refused: event.outcome == Outcome::Refused,
    }
}

fn graph_view(graph: &Graph, shape: &Shape) -> GraphView {
    let ids = shape.input.fields.iter().filter(|it| it.field_type == PyType::Uuid);
    let mut ids: Vec<&str> = ids.map(|it| it.ident.as_str()).collect();
    let wanted = ["workflow_id", "correlation_id"];
    ids.sort_by_key(|id| wanted.iter().position(|it| it == id).unwrap_or(wanted.len()));
    GraphView {
        workflow_name: literal(&graph.name),
        workflow_description: behaviour::constant("WORKFLOW_DESCRIPTION", &graph.description),
        mode: graph.mode,
        steps: behaviour::step_table(graph),
        step_count: graph.steps.len(),
        workflow_id: ids.first().map_or("uuid4()".into(), |id| format!("request.{id}")),
    }
}

/// Assertions about the counts of the minimal output model.
fn workflow_checks(graph: &Graph, shape: &Shape) -> Vec<String> {
    let counts = [("completed_steps", graph.steps.len()), ("failed_steps", 0)];
    let counted = counts.into_iter().filter(|(name, _)| {
        let known = |it: &&FieldPlan| it.name == *name;
        shape.output.fields.iter().find(known).is_some_and(|it| {
            it.field_type == PyType::Int
                && it.limits.maximum.is_none()
                && it.limits.minimum.is_none_or(|it| it <= 0.0)
        })
    });
    counted.map(|(name, count)| format!("assert response.{name} == {count}")).collect()
}

fn handler_imports(plan: &Plan) -> Imports {
    let mut imports = Imports::default();
    let contracts = "omnibase_core.models.contracts";
    if let Some((_, Some(values))) = plan.chooser() {
        plan.shape.import(&PyType::Enum(values), "handlers", &mut imports);
    }
    if plan.variant == Variant::EventDriven {
        imports.module("logging");
    }
    match plan.node_type {
        NodeType::Compute => {}
        NodeType::Effect => imports.module("logging"),
        NodeType::Reducer => imports.name(
            &format!("{contracts}.subcontracts.model_fsm_subcontract"),
            "ModelFSMSubcontract",
        ),
        NodeType::Orchestrator => {
            imports.name("uuid", "uuid4");
            imports.name(&format!("{contracts}.model_workflow_step"), "ModelWorkflowStep");
            imports.name(
                &format!("{contracts}.subcontracts.model_workflow_definition"),
                "ModelWorkflowDefinition",
            );
            imports.name("omnibase_core.nodes", "ModelOrchestratorOutput");
        }
    }
    imports
}

fn test_imports(plan: &Plan, node_type: NodeType) -> Imports {
    let Plan { names, shape, .. } = plan;
    let mut imports = Imports::default();
    imports.module("pytest");
    imports.name("pydantic", "ValidationError");
    imports.name("omnibase_core.models.container.model_onex_container", "ModelONEXContainer");
    let handler = format!("..handlers.handler_{}", names.what);
    imports.name(&handler, &names.handler_class);
    let input = &shape.input;
    imports.name(&format!("..models.{}", input.module), &input.class_name);
    imports.name("..node", &names.node_class);
    let event = plan.machine.as_ref().filter(|_| node_type == NodeType::Reducer);
    let outcome = event.map(|machine| machine.first_event().outcome);
    if outcome != Some(Outcome::Unsure) {
        imports.module("asyncio");
    }
    if outcome == Some(Outcome::Refused) {
        imports.name("omnibase_core.errors.model_onex_error", "ModelOnexError");
    }
    if !matches!(outcome, Some(Outcome::Refused | Outcome::Unsure)) {
        imports.name(&format!("..models.{}", shape.output.module), &shape.output.class_name);
    }
    let effects = "omnibase_core.enums.enum_effect_types";
    match node_type {
        NodeType::Compute => imports.name("omnibase_core.nodes", "ModelComputeInput"),
        NodeType::Effect => {
            imports.name("omnibase_core.nodes", "ModelEffectInput");
            imports.name(effects, "EnumEffectType");
            imports.name(effects, "EnumTransactionState");
        }
        NodeType::Reducer => {}
        NodeType::Orchestrator => imports.name("uuid", "UUID"),
    }
    imports
}

/// What the template of a model sees.
pub(super) fn model(model: &ModelPlan, shape: &Shape) -> View {
    #[derive(Serialize)]
    struct ModelView<'a> {
        title: String,
        imports: String,
        class_name: &'a str,
        docstring: String,
        aliased: bool,
        fields: Vec<String>,
    }
    let mut imports = Imports::default();
    imports.name("pydantic", "BaseModel");
    imports.name("pydantic", "ConfigDict");
    let mut later = Imports::default();
    for field in &model.fields {
        field.import(shape, &mut imports);
        for part in field.later.iter().filter_map(|at| shape.parts.get(*at)) {
            if part.class_name != model.class_name {
                later.name(&format!(".{}", part.module), &part.class_name);
            }
        }
    }
    let later = later.render();
    if !later.is_empty() {
        imports.name("typing", "TYPE_CHECKING");
    }
    let mut imports = imports.render();
    if !later.is_empty() {
        imports.push_str("\n\nif TYPE_CHECKING:");
        later.lines().for_each(|line| imports.push_str(&format!("\n    {line}")));
    }
    View::new(ModelView {
        title: sentence(&model.description),
        imports,
        class_name: &model.class_name,
        docstring: docstring(&model.description, 4),
        aliased: model.fields.iter().any(|it| it.ident != it.name),
        fields: model.fields.iter().map(|it| it.declaration(shape)).collect(),
    })
}

/// What the template of an enum sees.
pub(super) fn enumeration(plan: &EnumPlan) -> View {
    #[derive(Serialize)]
    struct MemberView<'a> {
        name: &'a str,
        literal: String,
        /// What the value means; empty where that is not said.
        docstring: String,
    }
    #[derive(Serialize)]
    struct EnumView<'a> {
        title: String,
        class_name: &'a str,
        docstring: String,
        members: Vec<MemberView<'a>>,
    }
    View::new(EnumView {
        title: sentence(&plan.description),
        class_name: &plan.class_name,
        docstring: docstring(&plan.description, 4),
        members: plan
            .members
            .iter()
            .map(|(name, value)| {
                let meaning = plan.meanings.get(value).map(|it| docstring(it, 4));
                MemberView { name, literal: literal(value), docstring: meaning.unwrap_or_default() }
            })
            .collect(),
    })
}
