//! The built-in backend: plans shape and behaviour from the contract, renders the template set, and
//! says what is left to write. Deterministic: the same contract and set come to the same bytes.

use async_trait::async_trait;
use serde::Serialize;

use super::behaviour::{self, Response};
use super::graph::Graph;
use super::machine::Machine;
use super::shape::{self, Trigger};
use super::types::{EnumPlan, ModelPlan, PyType, Shape};
use super::{Generated, Generator, normal_form, remark};
use crate::contract::{Contract, NodeType};
use crate::error::Result;
use crate::finding::{Finding, Span};
use crate::template::names::Names;
use crate::template::python_text::{Expr, Imports, clean, docstring, literal, sentence};
use crate::template::{FileKind, Package, PackageFile, TemplateSet, View};

/// Generation by templates: no network, no model, no clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct TemplateGenerator;

#[async_trait]
impl Generator for TemplateGenerator {
    fn name(&self) -> &str {
        "template"
    }

    async fn generate(&self, contract: &Contract, set: &TemplateSet) -> Result<Generated> {
        generate(contract, set)
    }
}

/// Everything about a package before it is text.
struct Plan {
    names: Names,
    summary: String,
    shape: Shape,
    trigger: Option<Trigger>,
    machine: Option<Machine>,
    graph: Option<Graph>,
}

fn generate(contract: &Contract, set: &TemplateSet) -> Result<Generated> {
    let mut findings = Vec::new();
    let plan = plan(contract, &mut findings);
    let source = normal_form::Source {
        contract,
        names: &plan.names,
        shape: &plan.shape,
        summary: &plan.summary,
        machine: plan.machine.as_ref(),
        graph: plan.graph.as_ref(),
    };
    let mut files = Files { set, files: Vec::new() };
    let contract_text = normal_form::text(&source, &mut findings);
    files.push("contract.yaml".into(), FileKind::Contract, contract_text);
    let response = write_node(&plan, contract.node_type, &mut files)?;
    write_shape(&plan, &mut files)?;
    files.files.sort_by(|a, b| a.path.cmp(&b.path));
    let package = Package { name: plan.names.package.clone(), files: files.files };
    findings.extend(scaffold_finding(&plan, &package, &response));
    Ok(Generated { package, findings })
}

fn plan(contract: &Contract, findings: &mut Vec<Finding>) -> Plan {
    let names = Names::new(&contract.name, contract.node_type);
    let mut machine =
        contract.state_machine.as_ref().map(|machine| Machine::new(machine, findings));
    let mut graph = contract.workflow.as_ref().map(|it| Graph::new(it, &names.what, findings));
    if contract.node_type == NodeType::Reducer && machine.is_none() {
        machine = Some(Machine::absent(&names.what));
        let message = "the contract declares no state machine: the generated one stays in `ready`";
        findings.push(remark("completeness.no-state-machine", message.into()));
    }
    if contract.node_type == NodeType::Orchestrator
        && graph.as_ref().is_none_or(|it| it.steps.is_empty())
    {
        graph = Some(Graph::absent(&names.what));
        let message = "the contract declares no workflow: one step stands in for it";
        findings.push(remark("completeness.no-workflow", message.into()));
    }
    let (shape, trigger) = shape::plan(contract, &names, machine.as_ref(), findings);
    let mut summary = clean(&contract.description);
    if summary.is_empty() {
        summary = format!("{} node for {}.", contract.node_type.as_str(), names.noun);
    }
    Plan { names, summary, shape, trigger, machine, graph }
}

/// The files of a package as they are made.
struct Files<'a> {
    set: &'a TemplateSet,
    files: Vec<PackageFile>,
}

impl Files<'_> {
    fn push(&mut self, path: String, kind: FileKind, content: String) {
        self.files.push(PackageFile { path, kind, content });
    }

    fn render(&mut self, path: String, kind: FileKind, template: &str, view: &View) -> Result<()> {
        let content = self.set.render(template, view)?;
        self.push(path, kind, content);
        Ok(())
    }

    fn folder(&mut self, folder: &str, content: &'static str, noun: &str) -> Result<()> {
        #[derive(Serialize)]
        struct Folder<'a> {
            content: &'static str,
            noun: &'a str,
        }
        let view = View::new(Folder { content, noun });
        let path = format!("{folder}/__init__.py");
        self.render(path, FileKind::Package, "shared/folder.py", &view)
    }
}

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
    response: &'a str,
    sample: String,
    checks: Vec<String>,
    log: String,
    #[serde(flatten)]
    machine: Option<MachineView>,
    #[serde(flatten)]
    graph: Option<GraphView>,
}

/// What a reducer's templates see besides.
#[derive(Serialize)]
struct MachineView {
    machine_name: String,
    machine_description: String,
    initial: String,
    states: String,
    terminal_states: String,
    error_states: String,
    transitions: String,
    transition_count: usize,
    trigger: String,
    /// State after the first event; empty when no event certainly leads out of the initial state.
    reached: String,
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

fn write_node(plan: &Plan, node_type: NodeType, files: &mut Files<'_>) -> Result<Response> {
    let Plan { names, shape, .. } = plan;
    let own_machine = plan.machine.as_ref().filter(|_| node_type == NodeType::Reducer);
    let own_graph = plan.graph.as_ref().filter(|_| node_type == NodeType::Orchestrator);
    let mut handler_imports = handler_imports(node_type);
    for model in [&shape.input, &shape.output] {
        handler_imports.name(&format!("..models.{}", model.module), &model.class_name);
    }
    let response = behaviour::response(shape, node_type, own_machine, &mut handler_imports);
    let mut test_imports = test_imports(plan, node_type);
    let first = own_machine.map(first_trigger).unwrap_or_default();
    let trigger = plan.trigger.as_ref().map(|it| (it, first.as_str()));
    let sample = behaviour::sample(shape, trigger, &mut test_imports);
    let kind = node_type.as_str();
    let view = View::new(NodeView {
        title: sentence(&format!("{kind} node: {}", plan.summary)),
        noun: &names.noun,
        class_line: class_line(plan, node_type),
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
        response: &response.text,
        sample,
        checks: if node_type == NodeType::Orchestrator {
            workflow_checks(plan)
        } else {
            behaviour::checks(&response)
        },
        log: literal(&format!("{}: request received", names.noun)),
        machine: own_machine.map(|machine| machine_view(machine, plan.trigger.as_ref())),
        graph: own_graph.map(|graph| graph_view(graph, shape)),
    });
    let folder = node_type.suffix();
    let mut render = |path: String, kind, template: &str| {
        files.render(path, kind, &format!("{folder}/{template}"), &view)
    };
    render("node.py".into(), FileKind::Node, "node.py")?;
    render(format!("handlers/handler_{}.py", names.what), FileKind::Handler, "handler.py")?;
    render(format!("tests/test_{}.py", names.what), FileKind::Test, "test.py")?;
    files.render("__init__.py".into(), FileKind::Package, "shared/package.py", &view)?;
    Ok(response)
}

/// `class NodeX(NodeCompute[In, Out]):`
fn class_line(plan: &Plan, node_type: NodeType) -> String {
    let models = [&plan.shape.input, &plan.shape.output];
    let models = || models.iter().map(|it| Expr::atom(&*it.class_name)).collect();
    let base = match node_type {
        NodeType::Compute => Expr::group("NodeCompute[", models(), "]"),
        NodeType::Reducer => Expr::group("NodeReducer[", models(), "]"),
        NodeType::Effect => Expr::atom("NodeEffect"),
        NodeType::Orchestrator => Expr::atom("NodeOrchestrator"),
    };
    Expr::group(format!("class {}(", plan.names.node_class), vec![base], "):").render(0)
}

/// A trigger that the initial state knows, else any.
fn first_trigger(machine: &Machine) -> String {
    let first = machine.first_step().or_else(|| machine.transitions.first());
    first.map_or(String::new(), |step| step.trigger.clone())
}

fn machine_view(machine: &Machine, trigger: Option<&Trigger>) -> MachineView {
    let [states, terminal_states, error_states, transitions] = behaviour::machine_tables(machine);
    let reached = machine.first_step().map_or(String::new(), |step| literal(&step.to));
    MachineView {
        machine_name: literal(&machine.name),
        machine_description: behaviour::constant("MACHINE_DESCRIPTION", &machine.description),
        initial: literal(&machine.initial),
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
fn workflow_checks(plan: &Plan) -> Vec<String> {
    let steps = plan.graph.as_ref().map_or(0, |it| it.steps.len());
    let counts = [("completed_steps", steps), ("failed_steps", 0)];
    let counted = counts.into_iter().filter(|(name, _)| {
        let known = |it: &&super::types::FieldPlan| it.name == *name;
        plan.shape.output.fields.iter().find(known).is_some_and(|it| {
            it.field_type == PyType::Int
                && it.maximum.is_none()
                && it.minimum.is_none_or(|it| it <= 0.0)
        })
    });
    counted.map(|(name, count)| format!("assert response.{name} == {count}")).collect()
}

fn handler_imports(node_type: NodeType) -> Imports {
    let mut imports = Imports::default();
    let contracts = "omnibase_core.models.contracts";
    match node_type {
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
    imports.module("asyncio");
    imports.module("pytest");
    imports.name("pydantic", "ValidationError");
    imports.name("omnibase_core.models.container.model_onex_container", "ModelONEXContainer");
    let handler = format!("..handlers.handler_{}", names.what);
    imports.name(&handler, &names.handler_class);
    for model in [&shape.input, &shape.output] {
        imports.name(&format!("..models.{}", model.module), &model.class_name);
    }
    imports.name("..node", &names.node_class);
    let effects = "omnibase_core.enums.enum_effect_types";
    match node_type {
        NodeType::Compute => imports.name("omnibase_core.nodes", "ModelComputeInput"),
        NodeType::Effect => {
            imports.name("omnibase_core.nodes", "ModelEffectInput");
            imports.name(effects, "EnumEffectType");
            imports.name(effects, "EnumTransactionState");
        }
        NodeType::Reducer => {
            let reached = plan.machine.as_ref().is_some_and(|it| it.first_step().is_some());
            if !reached {
                imports.name("omnibase_core.errors.model_onex_error", "ModelOnexError");
            }
        }
        NodeType::Orchestrator => imports.name("uuid", "UUID"),
    }
    imports
}

fn write_shape(plan: &Plan, files: &mut Files<'_>) -> Result<()> {
    let Plan { names, shape, .. } = plan;
    files.folder("handlers", "Handler", &names.noun)?;
    files.folder("tests", "Tests", &names.noun)?;
    files.folder("models", "Models", &names.noun)?;
    for model in [&shape.input, &shape.output].into_iter().chain(&shape.parts) {
        let path = format!("models/{}.py", model.module);
        files.render(path, FileKind::Model, "shared/model.py", &model_view(model, plan))?;
    }
    if !shape.enums.is_empty() {
        files.folder("enums", "Enums", &names.noun)?;
    }
    for plan in &shape.enums {
        let path = format!("enums/{}.py", plan.module);
        files.render(path, FileKind::Enum, "shared/enum.py", &enum_view(plan))?;
    }
    Ok(())
}

fn model_view(model: &ModelPlan, plan: &Plan) -> View {
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
    for field in &model.fields {
        field.import(&plan.shape, &mut imports);
    }
    View::new(ModelView {
        title: sentence(&model.description),
        imports: imports.render(),
        class_name: &model.class_name,
        docstring: docstring(&model.description, 4),
        aliased: model.fields.iter().any(|it| it.ident != it.name),
        fields: model.fields.iter().map(|it| it.declaration(&plan.shape)).collect(),
    })
}

fn enum_view(plan: &EnumPlan) -> View {
    #[derive(Serialize)]
    struct MemberView<'a> {
        name: &'a str,
        literal: String,
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
            .map(|(name, value)| MemberView { name, literal: literal(value) })
            .collect(),
    })
}

/// Says what the scaffolded handler leaves open, at its `handle` function.
fn scaffold_finding(plan: &Plan, package: &Package, response: &Response) -> Option<Finding> {
    let file = package.files.iter().find(|it| it.kind == FileKind::Handler)?;
    let (at, line) = file.content.lines().enumerate().find(|(_, line)| {
        line.trim_start().trim_start_matches("async ").starts_with("def handle(")
    })?;
    let indent = line.len() - line.trim_start().len();
    let start_byte =
        file.content.lines().take(at).map(|line| line.len() + 1).sum::<usize>() + indent;
    let number = u32::try_from(at + 1).ok()?;
    let span = Span {
        start_line: number,
        start_column: u32::try_from(indent + 1).ok()?,
        end_line: number,
        end_column: u32::try_from(line.chars().count() + 1).ok()?,
        start_byte,
        end_byte: start_byte + line.len() - indent,
    };
    let open = if response.neutral.is_empty() {
        "its rule is still to be written".to_owned()
    } else {
        let fields: Vec<String> = response.neutral.iter().map(|it| format!("`{it}`")).collect();
        format!("it leaves {} neutral", fields.join(", "))
    };
    let message = format!("`{}.handle` is a scaffold: {open}", plan.names.handler_class);
    let finding = remark("completeness.scaffold", message)
        .in_file(file.path.clone())
        .at(span)
        .with_help("write the business rule in this function");
    Some(finding)
}

#[cfg(test)]
mod tests;
