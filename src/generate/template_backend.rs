//! The built-in backend: plans shape and behaviour from the contract, renders the template set, and
//! says what is left to write. Deterministic: the same contract and set come to the same bytes.

use async_trait::async_trait;
use serde::Serialize;

use super::behaviour::Response;
use super::case::{self, Case};
use super::graph::Graph;
use super::machine::Machine;
use super::mixin::{self, Wanted};
use super::shape::{self, Happenings, Trigger};
use super::types::{FieldPlan, PyType, Shape};
use super::{Generated, Generator, normal_form, readme, remark, tables, views};
use crate::contract::{Contract, NodeType};
use crate::error::{Error, Result};
use crate::finding::{Finding, Span};
use crate::template::names::Names;
use crate::template::python_text::{Imports, said};
use crate::template::{FileKind, Package, PackageFile, TemplateSet, Variant, View};

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
pub(super) struct Plan {
    pub(super) node_type: NodeType,
    pub(super) variant: Variant,
    pub(super) names: Names,
    pub(super) summary: String,
    pub(super) shape: Shape,
    /// The field of a request that says what happened.
    pub(super) trigger: Option<Trigger>,
    /// What tests say happened.
    pub(super) first: String,
    pub(super) machine: Option<Machine>,
    pub(super) graph: Option<Graph>,
    /// Operations or events with a method each.
    pub(super) cases: Vec<Case>,
    pub(super) mixins: Vec<Wanted>,
    /// What the contract says besides, as tables of the handler.
    pub(super) tables: String,
    pub(super) contract_version: String,
    pub(super) node_version: String,
}

impl Plan {
    /// The machine that drives the node, or that its handler knows.
    pub(super) fn own_machine(&self) -> Option<&Machine> {
        let own = self.node_type == NodeType::Reducer || self.variant == Variant::Fsm;
        self.machine.as_ref().filter(|_| own)
    }

    /// The graph that the node runs.
    pub(super) fn own_graph(&self) -> Option<&Graph> {
        self.graph.as_ref().filter(|_| self.node_type == NodeType::Orchestrator)
    }

    /// The field of a request that says which case is meant: its identifier, and the place of the
    /// enum of its values where it has one.
    pub(super) fn chooser(&self) -> Option<(&str, Option<usize>)> {
        if self.cases.is_empty() {
            return None;
        }
        if let Some(trigger) = &self.trigger {
            return Some((&trigger.ident, trigger.values));
        }
        let case = |value: &String| self.cases.iter().any(|it| it.name == *value);
        self.shape.input.fields.iter().find_map(|field| {
            let PyType::Enum(at) = field.field_type else { return None };
            let members = &self.shape.enums.get(at)?.members;
            let fits = members.len() > 1 && members.iter().all(|(_, value)| case(value));
            fits.then_some((field.ident.as_str(), Some(at)))
        })
    }
}

fn generate(contract: &Contract, set: &TemplateSet) -> Result<Generated> {
    if let Some(matter) = set.variant.missing(contract) {
        let variant = set.variant.as_str();
        let message = format!("the contract declares no {matter}: it comes to no {variant} node");
        return Err(Error::invalid(message).with_hint("Declare that, or take another variant."));
    }
    let mut findings = Vec::new();
    let mut plan = plan(contract, set.variant, &mut findings);
    plan.tables = tables::tables(contract, &plan);
    let source = normal_form::Source {
        contract,
        names: &plan.names,
        shape: &plan.shape,
        summary: &plan.summary,
        machine: plan.machine.as_ref(),
        graph: plan.graph.as_ref(),
        mixins: &plan.mixins,
    };
    let mut files = Files { set, files: Vec::new() };
    let contract_text = normal_form::text(&source, &mut findings);
    files.push("contract.yaml".into(), FileKind::Contract, contract_text);
    let response = write_node(&plan, &mut files)?;
    write_shape(&plan, &mut files)?;
    write_mixins(&plan, &mut files)?;
    let readme = readme::view(contract, &plan);
    files.render("README.md".into(), FileKind::Documentation, "readme.md", &readme)?;
    files.files.sort_by(|a, b| a.path.cmp(&b.path));
    let package = Package { name: plan.names.package.clone(), files: files.files };
    findings.extend(scaffold_finding(&plan, &package, &response));
    Ok(Generated { package, findings })
}

fn plan(contract: &Contract, variant: Variant, findings: &mut Vec<Finding>) -> Plan {
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
    let cases = case::cases(contract, variant);
    let happenings = happenings(contract.node_type, variant, machine.as_ref(), &cases);
    // a machine that drives nothing still has its words
    let words = machine.as_ref().filter(|_| contract.node_type != NodeType::Reducer);
    let (shape, trigger) = shape::plan(contract, &names, happenings.as_ref(), words, findings);
    let mut summary = said(&contract.description);
    if summary.is_empty() {
        summary = format!("{} node for {}.", contract.node_type.as_str(), names.noun);
    }
    Plan {
        node_type: contract.node_type,
        variant,
        names,
        summary,
        shape,
        trigger,
        first: happenings.map_or(String::new(), |it| it.first),
        machine,
        graph,
        cases,
        mixins: mixin::wanted(contract, findings),
        tables: String::new(),
        contract_version: contract.version.to_string(),
        node_version: contract.node_version.unwrap_or(contract.version).to_string(),
    }
}

/// What can happen to a node: the triggers of a reducer's machine, or the events that it listens
/// to.
fn happenings(
    node_type: NodeType,
    variant: Variant,
    machine: Option<&Machine>,
    cases: &[Case],
) -> Option<Happenings> {
    if let (NodeType::Reducer, Some(machine)) = (node_type, machine) {
        return Some(Happenings {
            names: machine.triggers(),
            first: machine.first_event().trigger,
            about: "the triggers of the state machine",
        });
    }
    let first = cases.first().filter(|_| variant == Variant::EventDriven)?;
    Some(Happenings {
        names: cases.iter().map(|it| it.name.clone()).collect(),
        first: first.name.clone(),
        about: "the events that the node listens to",
    })
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

    fn render(&mut self, path: String, kind: FileKind, role: &str, view: &View) -> Result<()> {
        let content = self.set.render(role, view)?;
        self.push(path, kind, content);
        Ok(())
    }

    fn folder(&mut self, folder: &str, content: &'static str, noun: &str) -> Result<()> {
        self.folder_with(folder, content, noun, "")
    }

    /// A folder whose module does something: `body`.
    fn folder_with(
        &mut self,
        folder: &str,
        content: &'static str,
        noun: &str,
        body: &str,
    ) -> Result<()> {
        #[derive(Serialize)]
        struct Folder<'a> {
            content: &'static str,
            noun: &'a str,
            body: &'a str,
        }
        let view = View::new(Folder { content, noun, body });
        let path = format!("{folder}/__init__.py");
        self.render(path, FileKind::Package, "folder.py", &view)
    }
}

fn write_node(plan: &Plan, files: &mut Files<'_>) -> Result<Response> {
    let (view, response) = views::node(plan);
    let what = &plan.names.what;
    files.render("node.py".into(), FileKind::Node, "node.py", &view)?;
    let handler = format!("handlers/handler_{what}.py");
    files.render(handler, FileKind::Handler, "handler.py", &view)?;
    files.render(format!("tests/test_{what}.py"), FileKind::Test, "test.py", &view)?;
    files.render("__init__.py".into(), FileKind::Package, "package.py", &view)?;
    Ok(response)
}

/// The mixins, each with its tests.
fn write_mixins(plan: &Plan, files: &mut Files<'_>) -> Result<()> {
    let noun = &plan.names.noun;
    if !plan.mixins.is_empty() {
        files.folder("mixins", "Mixins", noun)?;
    }
    for Wanted { mixin, .. } in &plan.mixins {
        let name = mixin.name();
        let path = format!("mixins/mixin_{name}.py");
        let view = views::titled(&format!("{} of the {noun} node", mixin.title()));
        files.render(path, FileKind::Mixin, &format!("mixins/{name}.py"), &view)?;
        let path = format!("tests/test_mixin_{name}.py");
        let view = views::titled(&format!("Tests of the mixin {}", mixin.class_name()));
        files.render(path, FileKind::Test, &format!("mixins/{name}_test.py"), &view)?;
    }
    Ok(())
}

fn write_shape(plan: &Plan, files: &mut Files<'_>) -> Result<()> {
    let Plan { names, shape, .. } = plan;
    files.folder("handlers", "Handler", &names.noun)?;
    files.folder("tests", "Tests", &names.noun)?;
    files.folder_with("models", "Models", &names.noun, &completed(shape))?;
    let models = [&shape.input, &shape.output].into_iter().chain(&shape.parts);
    if models.flat_map(|it| &it.fields).any(FieldPlan::refuses_repeats) {
        let view = views::titled(&format!("Lists without repeats of the {} node", names.noun));
        files.render("models/repeats.py".into(), FileKind::Model, "repeats.py", &view)?;
    }
    for model in [&shape.input, &shape.output].into_iter().chain(&shape.parts) {
        let path = format!("models/{}.py", model.module);
        files.render(path, FileKind::Model, "model.py", &views::model(model, shape))?;
    }
    if !shape.enums.is_empty() {
        files.folder("enums", "Enums", &names.noun)?;
    }
    for plan in &shape.enums {
        let path = format!("enums/{}.py", plan.module);
        files.render(path, FileKind::Enum, "enum.py", &views::enumeration(plan))?;
    }
    Ok(())
}

/// The statements that complete models which refer to each other in a circle.
fn completed(shape: &Shape) -> String {
    let circle: Vec<_> = shape.circles().into_iter().filter_map(|at| shape.parts.get(at)).collect();
    if circle.is_empty() {
        return String::new();
    }
    let mut imports = Imports::default();
    for it in &circle {
        imports.name(&format!(".{}", it.module), &it.class_name);
    }
    let rebuilt = circle.iter().map(|it| format!("\n{}.model_rebuild()", it.class_name));
    let about = "\n\n# these refer to each other, so each is whole only when all are there";
    format!("{}{about}{}", imports.render(), rebuilt.collect::<String>())
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
