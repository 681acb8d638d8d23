//! From a contract to the enums and models of its package. Declared fields are taken as they are;
//! where a contract only names its models, the smallest honest model stands in, and a finding says
//! so. Never invents a type: what is unknown becomes text.

mod resolve;

use std::collections::BTreeSet;

use serde_json::json;

use self::resolve::Slot;
use super::machine::Machine;
use super::types::{Default, FieldPlan, ModelPlan, PyType, Shape};
use super::{remark, repair, value};
use crate::contract::NodeType;
use crate::contract::model::limits::Limits;
use crate::contract::model::{Contract, ErrorCode, Field, FieldType, IoOperation, Model};
use crate::finding::Finding;
use crate::template::names::{self, Names};
use crate::template::python_text::{Expr, clean, said, shorten};

/// The field of a request that says what happened.
#[derive(Debug, Clone)]
pub(super) struct Trigger {
    pub(super) ident: String,
    /// Place of the enum of its values, when it has one.
    pub(super) values: Option<usize>,
}

/// What can happen to a node.
#[derive(Debug, Clone)]
pub(super) struct Happenings {
    /// Each by name.
    pub(super) names: Vec<String>,
    /// The one that tests and defaults begin with.
    pub(super) first: String,
    /// What they are, for the docstring of their enum.
    pub(super) about: &'static str,
}

/// The shape of the contract's package, and the field of its requests that says what happened,
/// where something can happen to the node.
pub(super) fn plan(
    contract: &Contract,
    names: &Names,
    happenings: Option<&Happenings>,
    words: Option<&Machine>,
    findings: &mut Vec<Finding>,
) -> (Shape, Option<Trigger>) {
    let model = |role: &str, model: &Model| ModelPlan {
        class_name: format!("Model{}{}", names.class_stem, names::class_words(role)),
        module: format!("model_{}_{role}", names.what),
        description: description(model.description.as_deref(), || {
            let role = names::class_words(role);
            format!("{role} of the {} node.", names.noun)
        }),
        fields: Vec::new(),
    };
    let input = model("input", &contract.input);
    let output = model("output", &contract.output);
    let mut builder = Builder {
        contract,
        names,
        classes: [&input, &output].iter().map(|it| it.class_name.clone()).collect(),
        shape: Shape { enums: Vec::new(), parts: Vec::new(), input, output },
        slots: vec![Slot::Untouched; contract.definitions.len()],
        weights: Vec::new(),
        later: BTreeSet::new(),
        depth: 0,
        findings,
    };
    let trigger = builder.plan_input(happenings);
    builder.plan_output();
    builder.add_error_codes();
    if let Some(machine) = words {
        builder.add_states(machine);
    }
    (builder.shape, trigger)
}

fn description(given: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    given.map(clean).filter(|text| !text.is_empty()).unwrap_or_else(otherwise)
}

struct Builder<'a> {
    contract: &'a Contract,
    names: &'a Names,
    shape: Shape,
    slots: Vec<Slot>,
    /// Required models inside each of the shape's parts, itself included.
    weights: Vec<usize>,
    /// Models that the type of the field in hand refers to and that are not there yet.
    later: BTreeSet<usize>,
    /// Definitions on the way to the one that is being made.
    depth: usize,
    classes: BTreeSet<String>,
    findings: &'a mut Vec<Finding>,
}

impl Builder<'_> {
    fn plan_input(&mut self, happenings: Option<&Happenings>) -> Option<Trigger> {
        let mut taken = BTreeSet::new();
        let mut fields = self.fields(&self.contract.input.fields, "input", &mut taken);
        let declared = !fields.is_empty();
        if !declared && happenings.is_none() {
            self.choose_operation(&mut fields, &mut taken);
            let operations: Vec<&IoOperation> = self.contract.io_operations.iter().collect();
            self.operation_fields(&operations, "input", &mut fields, &mut taken);
        }
        if !declared && !fields.iter().any(|it| it.ident == "correlation_id") {
            let mut field = FieldPlan::new(
                "correlation_id",
                PyType::Uuid,
                "Correlates the request with its response.",
            );
            field.default = Some(Default::Factory(Expr::atom("uuid4")));
            fields.push(field);
        }
        if !declared {
            self.remark_no_fields("input");
        }
        let trigger = happenings.map(|it| self.trigger(it, declared, &mut fields));
        self.shape.input.fields = fields;
        trigger
    }

    fn plan_output(&mut self) {
        let mut taken = BTreeSet::new();
        let mut fields = self.fields(&self.contract.output.fields, "output", &mut taken);
        if !fields.is_empty() {
            self.shape.output.fields = fields;
            return;
        }
        match self.contract.node_type {
            NodeType::Reducer => {
                let state = "State of the state machine.";
                let complete = "Whether the state is a terminal one.";
                fields.push(FieldPlan::new("state", PyType::Str, state));
                fields.push(FieldPlan::new("complete", PyType::Bool, complete));
            }
            NodeType::Orchestrator => {
                let counts = [
                    ("completed_steps", "Steps completed."),
                    ("failed_steps", "Steps failed."),
                    ("actions", "Actions emitted for other nodes."),
                ];
                for (name, text) in counts {
                    let mut field = FieldPlan::new(name, PyType::Int, text);
                    field.limits.minimum = Some(0.0);
                    fields.push(field);
                }
            }
            NodeType::Compute | NodeType::Effect => {
                let operations: Vec<&IoOperation> = self.contract.io_operations.iter().collect();
                self.operation_fields(&operations, "output", &mut fields, &mut taken);
                let text = "Correlation id of the request.";
                let inside = |it: &FieldPlan| it.ident == "correlation_id";
                if self.shape.input.fields.iter().any(inside) && !fields.iter().any(inside) {
                    fields.push(FieldPlan::new("correlation_id", PyType::Uuid, text));
                } else if fields.is_empty() {
                    let text = "Whether the request was handled.";
                    fields.push(FieldPlan::new("handled", PyType::Bool, text));
                }
            }
        }
        self.remark_no_fields("output");
        self.shape.output.fields = fields;
    }

    fn remark_no_fields(&mut self, role: &str) {
        let plan = if role == "input" { &self.shape.input } else { &self.shape.output };
        let message = format!(
            "the contract declares no fields of the {role} model: `{}` is minimal",
            plan.class_name
        );
        let file = format!("models/{}.py", plan.module);
        let finding = remark("completeness.no-fields", message)
            .in_file(file)
            .with_help(format!("declare them under `{role}s:` with type and description"));
        self.findings.push(finding);
    }

    /// With several operations or actions, the request has to say which.
    fn choose_operation(&mut self, fields: &mut Vec<FieldPlan>, taken: &mut BTreeSet<String>) {
        let operations: Vec<String> =
            self.contract.io_operations.iter().map(|it| clean(&it.name)).collect();
        let actions: Vec<String> = self.contract.actions.iter().map(|it| clean(&it.name)).collect();
        let (role, values) = match (operations.len(), actions.len()) {
            (2.., _) if self.names_field("operation") => ("io_operation", operations),
            (2.., _) => ("operation", operations),
            (0, 1..) => ("action", actions),
            _ => return,
        };
        let stem = format!("{}_{role}", self.names.what);
        let text = format!("{}s of the {} node.", names::class_words(role), self.names.noun);
        let at = self.shape.add_enum(&stem, &values, &text);
        taken.insert(role.to_owned());
        let text = format!("Which {role} to carry out.");
        fields.push(FieldPlan::new(role, PyType::Enum(at), &text));
    }

    /// Whether an IO operation names an input field so.
    fn names_field(&self, name: &str) -> bool {
        self.contract.io_operations.iter().any(|it| it.input_fields.iter().any(|it| it == name))
    }

    /// The fields that IO operations name: required where every operation has them.
    fn operation_fields(
        &mut self,
        operations: &[&IoOperation],
        role: &str,
        fields: &mut Vec<FieldPlan>,
        taken: &mut BTreeSet<String>,
    ) {
        let of = |it: &IoOperation| -> Vec<String> {
            let names = if role == "input" { &it.input_fields } else { &it.output_fields };
            names.iter().map(|it| clean(it)).filter(|it| !it.is_empty()).collect()
        };
        let mut seen = BTreeSet::new();
        let mut added: Vec<String> = Vec::new();
        for operation in operations {
            for name in of(operation) {
                if !seen.insert(name.clone()) {
                    continue;
                }
                let having = operations.iter().filter(|it| of(it).contains(&name));
                let having: Vec<String> = having.map(|it| clean(&it.name)).collect();
                let everywhere = having.len() == operations.len();
                let text = format!("{} of {}.", names::class_words(role), having.join(", "));
                let text = shorten(&text, 300);
                let mut field = FieldPlan::new(&name, PyType::Str, &text);
                field.ident = names::field(&name, taken);
                if !everywhere {
                    field.field_type = PyType::Str.optional();
                    field.default = Some(Default::Value(Expr::atom("None")));
                }
                added.push(format!("`{name}`"));
                fields.push(field);
            }
        }
        if !added.is_empty() {
            let message =
                format!("io_operations give no types of {}: `str` stands in", added.join(", "));
            self.unknown(role, message);
        }
    }

    fn unknown(&mut self, role: &str, message: String) {
        let finding = remark("correctness.unknown-type", message)
            .in_file(self.file(role))
            .with_help("declare the type in the contract".to_owned());
        self.findings.push(finding);
    }

    fn file(&self, role: &str) -> String {
        match role {
            "input" => format!("models/{}.py", self.shape.input.module),
            "output" => format!("models/{}.py", self.shape.output.module),
            module => format!("models/{module}.py"),
        }
    }

    fn fields(
        &mut self,
        fields: &[Field],
        role: &str,
        taken: &mut BTreeSet<String>,
    ) -> Vec<FieldPlan> {
        // names that can stay come first, so that no other field takes one of them
        let words = class_words(fields);
        for field in fields {
            if stays(&field.name, &words) {
                taken.insert(field.name.clone());
            }
        }
        let mut plans: Vec<FieldPlan> = Vec::new();
        for field in fields {
            let name = field.name.clone();
            if plans.iter().any(|it| it.name == name) {
                let message = format!("field `{name}` is declared twice; the first counts");
                self.findings.push(repair("correctness.duplicate-field", message));
                continue;
            }
            let plan = self.field(field, role, &words, taken);
            if plan.ident != name {
                let message = format!(
                    "field `{}` is called `{}` in Python; data keeps the name",
                    clean(&name),
                    plan.ident
                );
                let finding = remark("correctness.renamed-field", message);
                self.findings.push(finding.in_file(self.file(role)));
            }
            plans.push(plan);
        }
        plans
    }

    fn field(
        &mut self,
        field: &Field,
        role: &str,
        words: &[&str],
        taken: &mut BTreeSet<String>,
    ) -> FieldPlan {
        let before = std::mem::take(&mut self.later);
        let field_type = self.resolve(&field.field_type, role, &field.name);
        let text = field.description.as_deref().map_or(String::new(), clean);
        let mut plan = FieldPlan::new(&field.name, field_type, &text);
        plan.later = std::mem::replace(&mut self.later, before);
        if !stays(&field.name, words) {
            let mark = if words.contains(&field.name.as_str()) { "_" } else { "" };
            plan.ident = names::field(&format!("{}{mark}", field.name), taken);
        }
        plan.limits = self.limits(&field.limits, &plan.field_type, role, &field.name);
        let must = field.required && field.default.is_none();
        let endless = must && self.is_endless(&plan, role);
        let given = field.default.as_ref().filter(|it| !it.is_null());
        if let Some(given) = given {
            plan.default = value::default(given, &plan.field_type, &self.shape);
            let data = value::data(given, &plan.field_type);
            let outside = plan.limits.refuses(&data).is_some();
            plan.data = Some(data);
            if plan.default.is_none() || outside {
                (plan.default, plan.data) = (None, None);
                let message = format!("default {given} of `{}` does not fit its type", field.name);
                let finding = repair("correctness.default-type", message).in_file(self.file(role));
                self.findings.push(finding);
            }
        }
        if plan.default.is_none() && (!field.required || given.is_some() || endless) {
            let least = plan.limits.min_length.unwrap_or(0);
            let empty = |factory: &str| Default::Factory(Expr::atom(factory));
            (plan.default, plan.data) = match plan.field_type {
                PyType::List(_) if least == 0 => (Some(empty("list")), Some(json!([]))),
                PyType::Dict(_) if least == 0 => (Some(empty("dict")), Some(json!({}))),
                _ => (Some(Default::Value(Expr::atom("None"))), None),
            };
            let filled = matches!(plan.default, Some(Default::Factory(_)));
            if !filled {
                plan.field_type = plan.field_type.optional();
            }
        }
        plan
    }

    /// Limits that the type can have, and within which a value is found.
    pub(super) fn limits(
        &mut self,
        given: &Limits,
        of: &PyType,
        role: &str,
        field: &str,
    ) -> Limits {
        let mut limits = given.clone();
        if *of.inner() == PyType::Int {
            limits.minimum = limits.minimum.map(f64::ceil);
            limits.maximum = limits.maximum.map(f64::floor);
            limits.exclusive_minimum = limits.exclusive_minimum.map(f64::floor);
            limits.exclusive_maximum = limits.exclusive_maximum.map(f64::ceil);
            if limits.multiple_of.is_some_and(|it| it.fract() != 0.0) {
                let message = format!("a whole number `{field}` has no fraction to be multiplied");
                let finding = repair("correctness.bounds", message).in_file(self.file(role));
                self.findings.push(finding.with_help("give a whole `multipleOf`, or a float"));
                limits.multiple_of = None;
            }
        }
        if let Some(why) = value::without_sample(of, &limits, &self.shape) {
            let message = format!("limits of `{}` are left out: {why}", clean(field));
            let finding = repair("correctness.bounds", message).in_file(self.file(role));
            self.findings.push(finding.with_help("correct them in the contract"));
            let few = Limits { min_length: None, ..limits.clone() };
            if value::without_sample(of, &few, &self.shape).is_none() {
                return few;
            }
            return Limits { unique_items: limits.unique_items, ..Limits::default() };
        }
        limits
    }

    /// Whether a field of its model's own type had to be made one that may be left out.
    fn is_endless(&mut self, plan: &FieldPlan, role: &str) -> bool {
        if plan.later.is_empty() {
            return false;
        }
        let later = plan.later.clone();
        let open = |it: &PyType| matches!(it, PyType::Model(at) if later.contains(at));
        let filled = plan.limits.min_length.is_some_and(|it| it > 0)
            || plan.field_type.holds(
                &|it| matches!(it, PyType::Limited(_, limits) if limits.min_length.is_some()),
            );
        let endless = match &plan.field_type {
            PyType::Union(all) => all.iter().all(open),
            of => open(of),
        };
        if !endless && !filled {
            return false;
        }
        let message = format!(
            "`{}` must hold what holds it, which never ends: it may be left out",
            clean(&plan.name)
        );
        let finding = repair("correctness.endless-type", message).in_file(self.file(role));
        self.findings.push(finding.with_help("make it optional, or a list that may be empty"));
        true
    }

    /// The field that says what happened: a declared one where it can serve, otherwise a new one,
    /// with a default so that data of the contract's form still fits.
    fn trigger(
        &mut self,
        happenings: &Happenings,
        declared: bool,
        fields: &mut Vec<FieldPlan>,
    ) -> Trigger {
        let triggers = &happenings.names;
        for field in fields.iter().filter(|it| it.default.is_none()) {
            let named = ["trigger", "event", "event_type"].contains(&field.name.as_str());
            let values = match field.field_type {
                PyType::Enum(at) => self.shape.enums.get(at).map(|it| (at, it)),
                _ => None,
            };
            let within = values
                .filter(|(_, it)| it.members.iter().all(|(_, value)| triggers.contains(value)));
            if let Some((at, _)) = within {
                return Trigger { ident: field.ident.clone(), values: Some(at) };
            }
            if named && field.field_type == PyType::Str {
                return Trigger { ident: field.ident.clone(), values: None };
            }
        }
        let stem = format!("{}_event", self.names.what);
        let text = format!("What can happen: {}.", happenings.about);
        let at = self.shape.add_enum(&stem, triggers, &text);
        let mut taken = fields.iter().flat_map(|it| [it.ident.clone(), it.name.clone()]).collect();
        let ident = names::unique("event".to_owned(), "_", &mut taken);
        let mut field = FieldPlan::new(&ident, PyType::Enum(at), "What happened.");
        if declared {
            let first = &happenings.first;
            let member = self.shape.enums.get(at).and_then(|it| it.member(first));
            field.data = member.is_some().then(|| json!(first));
            field.default = member.map(|it| Default::Value(Expr::Atom(it)));
            let message = format!(
                "no declared input field holds a trigger: `{ident}` is added, by default `{first}`"
            );
            let finding = remark("completeness.trigger-field", message);
            self.findings.push(finding.in_file(self.file("input")));
        }
        fields.push(field);
        Trigger { ident, values: Some(at) }
    }

    /// The words of a state machine that the node has but is not driven by.
    fn add_states(&mut self, machine: &Machine) {
        let states: Vec<String> = machine.states.iter().map(|it| it.name.clone()).collect();
        let stem = format!("{}_state", self.names.what);
        let text = format!("States of the {} node.", self.names.noun);
        self.shape.add_enum(&stem, &states, &text);
        let stem = format!("{}_event", self.names.what);
        let text = format!("What can happen to the {} node.", self.names.noun);
        self.shape.add_enum(&stem, &machine.triggers(), &text);
    }

    fn add_error_codes(&mut self) {
        let codes: Vec<String> =
            self.contract.error_codes.iter().map(|it| clean(&it.code)).collect();
        if !codes.is_empty() {
            let stem = format!("{}_error_code", self.names.what);
            let text = format!("Error codes of the {} node.", self.names.noun);
            let at = self.shape.add_enum(&stem, &codes, &text);
            if let Some(codes) = self.shape.enums.get_mut(at) {
                codes.meanings =
                    self.contract.error_codes.iter().rev().filter_map(meaning).collect();
            }
        }
    }
}

/// Names of classes that the types of a model's fields bring into its module and that fields could
/// have as well.
fn class_words(fields: &[Field]) -> Vec<&'static str> {
    fn within(of: &FieldType, wanted: &FieldType) -> bool {
        match of {
            FieldType::List(it)
            | FieldType::Map(it)
            | FieldType::Optional(it)
            | FieldType::Limited(it, _) => within(it, wanted),
            FieldType::Union(all) => all.iter().any(|it| within(it, wanted)),
            of => of == wanted,
        }
    }
    let words = [
        (FieldType::Date, "date"),
        (FieldType::Time, "time"),
        (FieldType::Duration, "timedelta"),
        (FieldType::Bytes, "bytes"),
        (FieldType::Decimal, "Decimal"),
    ];
    let used = |of: &FieldType| fields.iter().any(|it| within(&it.field_type, of));
    words.into_iter().filter(|(of, _)| used(of)).map(|(_, word)| word).collect()
}

/// Whether a field is called in Python as in the contract.
fn stays(name: &str, words: &[&str]) -> bool {
    !words.contains(&name) && names::field(name, &mut BTreeSet::new()) == name
}

/// Longest text of an error code, so that its docstring has room for one more sentence.
const CODE_COLUMNS: usize = 1100;

/// What an error code means, as its docstring has it.
pub(super) fn code_text(code: &ErrorCode) -> Option<String> {
    let text = said(&shorten(&clean(code.description.as_deref()?), CODE_COLUMNS));
    (!text.is_empty()).then_some(text)
}

/// An error code and what its docstring says of it; of a code declared twice the first counts.
fn meaning(code: &ErrorCode) -> Option<(String, String)> {
    let description = code_text(code).unwrap_or_default();
    let recoverable = match code.recoverable {
        Some(true) => "Recoverable.",
        Some(false) => "Not recoverable.",
        None => "",
    };
    let text = format!("{description} {recoverable}").trim().to_owned();
    (!text.is_empty()).then(|| (clean(&code.code), text))
}

#[cfg(test)]
mod tests;
