//! Does the code mean something: syntax, names, types against the contract, dead ends.

use std::collections::HashMap;

use super::model_class::{self, has_base};
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use super::verdict::SYNTAX_RULE;
use crate::contract::model::FieldType;
use crate::finding::Level;
use crate::python::annotation::{self, Term};
use crate::python::facts::{Body, Function, ParameterKind, ValueKind};

mod imports;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: SYNTAX_RULE,
        level: Level::Error,
        summary: "a file is not Python 3",
        why: "It cannot be imported, so nothing of the package works.",
        check: Check::Package(syntax),
    },
    Rule {
        id: "correctness.undefined-name",
        level: Level::Error,
        summary: "a name is used that nothing binds",
        why: "It raises NameError when it is reached.",
        check: Check::File(undefined_names),
    },
    Rule {
        id: "correctness.import",
        level: Level::Error,
        summary: "a relative import names nothing of the package",
        why: "The file raises ImportError when it is imported.",
        check: Check::File(imports::relative),
    },
    Rule {
        id: "correctness.annotation",
        level: Level::Warning,
        summary: "a parameter or a result has no type",
        why: "Type checkers skip what is not annotated.",
        check: Check::File(annotations),
    },
    Rule {
        id: "correctness.field-type",
        level: Level::Error,
        summary: "a model field has another type than the contract says",
        why: "Data that keeps to the contract would be refused or changed.",
        check: Check::Package(field_types),
    },
    Rule {
        id: "correctness.duplicate-definition",
        level: Level::Error,
        summary: "a class or function is defined twice in one place",
        why: "The first definition is lost without a word.",
        check: Check::File(duplicates),
    },
    Rule {
        id: "correctness.mutable-default",
        level: Level::Warning,
        summary: "a default value is a list, dict or set",
        why: "All calls share one object: what one call changes, the next one sees.",
        check: Check::File(mutable_defaults),
    },
    Rule {
        id: "correctness.unreachable",
        level: Level::Warning,
        summary: "code follows a `return`, `raise`, `break` or `continue`",
        why: "It never runs, so it is either forgotten or in the wrong place.",
        check: Check::File(unreachable),
    },
    Rule {
        id: "correctness.not-implemented",
        level: Level::Error,
        summary: "a function does nothing or raises NotImplementedError",
        why: "Callers get nothing, or a crash, where the contract promises a result.",
        check: Check::File(not_implemented),
    },
    Rule {
        id: "correctness.unknown-type",
        level: Level::Note,
        summary: "the contract does not say of which type a field is",
        why: "The generator had to choose a neutral one.",
        check: Check::Generator,
    },
];

fn syntax(subject: &Subject, sink: &mut Sink<'_>) {
    for file in subject.sources() {
        for problem in &file.module.problems {
            let message = format!("`{}` does not parse: {}", file.path, problem.message);
            sink.at(file, problem.place, message, "Correct the syntax at this place.");
        }
    }
}

fn undefined_names(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for place in &file.module.undefined {
        let message = format!("the name `{}` is not defined", file.module.text(*place));
        sink.at(file, *place, message, "Import or define it, or correct the spelling.");
    }
}

fn annotations(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for function in &module.functions {
        let name = &function.name;
        if function.returns.is_none() {
            let message = format!("the function `{name}` does not say what it returns");
            sink.at(file, function.name_place, message, "Add `-> None` or the type of the result.");
        }
        let is_static = decorated(file, function, "staticmethod");
        let own = usize::from(function.site.class.is_some() && !is_static);
        for parameter in function.parameters.iter().skip(own) {
            if parameter.annotation.is_none() {
                let parameter_name = module.text(parameter.name);
                let message = format!("the parameter `{parameter_name}` of `{name}` has no type");
                sink.at(file, parameter.name, message, "Annotate it.");
            }
        }
    }
}

/// Whether a function has a decorator whose last word is this.
fn decorated(file: &SourceFile, function: &Function, name: &str) -> bool {
    function.decorators.iter().any(|place| {
        let text = file.module.text(*place);
        let path = text.split('(').next().unwrap_or(text).trim();
        path.rsplit('.').next() == Some(name)
    })
}

fn field_types(subject: &Subject, sink: &mut Sink<'_>) {
    let contract = subject.contract();
    for (model, role) in [(&contract.input, "input"), (&contract.output, "output")] {
        let Some(class) = model_class::find(subject, model, role) else { continue };
        for field in &model.fields {
            let Some(found) = class.field(&field.name) else { continue };
            let members = annotation::members(found.annotation);
            if let Some(wanted) = disagreement(&field.field_type, &members) {
                let message = format!(
                    "`{}.{}` is `{}`, the contract says {wanted}",
                    class.class.name, found.name, found.annotation
                );
                sink.at(class.file, found.place, message, "Annotate what the contract says.");
            }
        }
    }
}

/// What the contract says, where the annotation says something else. Silent wherever one of the
/// two says nothing definite: a class of its own, a type variable, `Unknown`.
fn disagreement(declared: &FieldType, members: &[Term]) -> Option<&'static str> {
    const DEFINITE: [&str; 9] =
        ["str", "int", "float", "bool", "UUID", "datetime", "date", "list", "dict"];
    let mut present = members.iter().filter(|it| it.name != "None");
    let (Some(term), None) = (present.next(), present.next()) else { return None };
    let (wanted, names): (_, &[&str]) = match declared {
        FieldType::Optional(inner) => return disagreement(inner, members),
        FieldType::Text => ("text", &["str"]),
        FieldType::Int => ("an integer", &["int"]),
        FieldType::Float => ("a number", &["float"]),
        FieldType::Bool => ("a boolean", &["bool"]),
        FieldType::Uuid => ("a UUID", &["UUID"]),
        FieldType::DateTime => ("a time", &["datetime", "date"]),
        FieldType::List(_) => ("a list", &["list"]),
        FieldType::Map(_) => ("a mapping", &["dict"]),
        FieldType::Enum(_) => ("one of an enum's texts", &["str"]),
        FieldType::Ref(_) | FieldType::Unknown(_) => return None,
    };
    if names.contains(&term.name.as_str()) {
        let inner = match (declared, term.arguments.as_slice()) {
            (FieldType::List(inner), [item]) => disagreement(inner, item),
            (FieldType::Map(inner), [_, value]) => disagreement(inner, value),
            _ => None,
        };
        return inner;
    }
    DEFINITE.contains(&term.name.as_str()).then_some(wanted)
}

fn duplicates(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let classes = module.classes.iter().map(|it| (it.block, it.name.as_str(), it.name_place));
    let functions = module.functions.iter().filter(|it| !is_another_version(file, it));
    let functions = functions.map(|it| (it.block, it.name.as_str(), it.name_place));
    let mut seen = HashMap::new();
    for (block, name, place) in classes.chain(functions).filter(|(_, name, _)| *name != "_") {
        if let Some(first) = seen.insert((block, name), place) {
            let line = module.line(first);
            let message = format!("`{name}` is defined again, it was defined in line {line}");
            sink.at(file, place, message, "Remove or rename one of the two.");
        }
    }
}

/// Whether a decorator says that the name is meant to be defined more than once.
fn is_another_version(file: &SourceFile, function: &Function) -> bool {
    let meant = ["overload", "setter", "getter", "deleter", "register", "singledispatch"];
    meant.iter().any(|name| decorated(file, function, name))
}

fn mutable_defaults(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for function in &module.functions {
        for parameter in &function.parameters {
            let Some(default) = parameter.default else { continue };
            let is_mutable = match default.kind {
                ValueKind::List(_) | ValueKind::Listed | ValueKind::Dictionary | ValueKind::Set => {
                    true
                }
                ValueKind::Call => {
                    matches!(module.text(default.place), "list()" | "dict()" | "set()")
                }
                _ => false,
            };
            if is_mutable && parameter.kind != ParameterKind::Rest {
                let message = format!(
                    "the default of `{}` in `{}` is shared by all calls",
                    module.text(parameter.name),
                    function.name
                );
                sink.at(file, default.place, message, "Use `None` and make the object inside.");
            }
        }
    }
}

fn unreachable(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for place in &file.module.unreachable {
        let text = file.module.text(*place);
        let first = text.lines().next().unwrap_or("");
        let message = format!("`{first}` can never be reached");
        sink.at(file, *place, message, "Remove it, or move it before the statement that leaves.");
    }
}

fn not_implemented(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let help = "Write the behaviour.";
    for raise in &module.raises {
        let raised = module.text(raise.place).trim_start_matches("raise").trim_start();
        let abstract_method =
            module.function(raise.site.function).is_some_and(|it| is_declaration(file, it));
        if raised.starts_with("NotImplementedError") && !abstract_method {
            sink.at(file, raise.place, "the behaviour is not implemented", help);
        }
    }
    for function in module.functions.iter().filter(|it| it.body == Body::Empty) {
        if !is_declaration(file, function) {
            let message = format!("the function `{}` does nothing", function.name);
            sink.at(file, function.name_place, message, help);
        }
    }
}

/// Whether a function only declares: abstract, an overload, or a method of a protocol.
fn is_declaration(file: &SourceFile, function: &Function) -> bool {
    let class = function.site.class.and_then(|index| file.module.classes.get(index as usize));
    decorated(file, function, "abstractmethod")
        || decorated(file, function, "overload")
        || class.is_some_and(|class| has_base(file, class, "Protocol"))
}
