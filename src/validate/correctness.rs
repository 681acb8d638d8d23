//! Does the code mean something: syntax, names, types against the contract, dead ends.

use std::collections::HashMap;

use super::model_class::has_base;
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use super::verdict::SYNTAX_RULE;
use crate::finding::Level;
use crate::python::facts::{Body, Function, ParameterKind, ValueKind};

mod agreement;
mod imports;
mod results;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: SYNTAX_RULE,
        level: Level::Error,
        summary: "a file is not Python 3",
        why: "It cannot be imported, so nothing of the package works.",
        codes: &["E999", "syntax"],
        check: Check::Package(syntax),
    },
    Rule {
        id: "correctness.undefined-name",
        level: Level::Error,
        summary: "a name is used that nothing binds",
        why: "It raises NameError when it is reached.",
        codes: &["F821", "name-defined"],
        check: Check::File(undefined_names),
    },
    Rule {
        id: "correctness.import",
        level: Level::Error,
        summary: "a relative import names nothing of the package",
        why: "The file raises ImportError when it is imported.",
        codes: &["attr-defined", "import-not-found"],
        check: Check::File(imports::relative),
    },
    Rule {
        id: "correctness.annotation",
        level: Level::Warning,
        summary: "a parameter or a result has no type",
        why: "Type checkers skip what is not annotated.",
        codes: &["ANN001", "ANN201", "no-untyped-def"],
        check: Check::File(annotations),
    },
    Rule {
        id: "correctness.field-type",
        level: Level::Error,
        summary: "a model field has another type than the contract says",
        why: "Data that keeps to the contract would be refused or changed.",
        codes: &[],
        check: Check::Contract(agreement::field_types),
    },
    Rule {
        id: "correctness.required-field",
        level: Level::Error,
        summary: "a model asks for a field that the contract does not ask for",
        why: "Data that keeps to the contract would be refused.",
        codes: &[],
        check: Check::Contract(agreement::required_fields),
    },
    Rule {
        id: "correctness.signature",
        level: Level::Error,
        summary: "`execute` or `handle` takes or gives something else than the contract says",
        why: "Whoever calls the node by its contract passes the contract's input.",
        codes: &[],
        check: Check::Contract(agreement::signatures),
    },
    Rule {
        id: "correctness.missing-await",
        level: Level::Error,
        summary: "a coroutine is made and dropped",
        why: "Without `await` nothing of it runs.",
        codes: &["unused-coroutine"],
        check: Check::File(results::missing_await),
    },
    Rule {
        id: "correctness.return-type",
        level: Level::Error,
        summary: "a function returns nothing and promises something, or the other way round",
        why: "Callers rely on the type that the head states.",
        codes: &["return", "return-value"],
        check: Check::File(results::return_type),
    },
    Rule {
        id: "correctness.unused-variable",
        level: Level::Warning,
        summary: "a function assigns a name and never uses it",
        why: "Either something was forgotten, or the line can go.",
        codes: &["F841"],
        check: Check::File(unused_variables),
    },
    Rule {
        id: "correctness.duplicate-definition",
        level: Level::Error,
        summary: "a class or function is defined twice in one place",
        why: "The first definition is lost without a word.",
        codes: &["F811", "no-redef"],
        check: Check::File(duplicates),
    },
    Rule {
        id: "correctness.mutable-default",
        level: Level::Warning,
        summary: "a default value is a list, dict or set",
        why: "All calls share one object: what one call changes, the next one sees.",
        codes: &["B006"],
        check: Check::File(mutable_defaults),
    },
    Rule {
        id: "correctness.unreachable",
        level: Level::Warning,
        summary: "code follows a `return`, `raise`, `break` or `continue`",
        why: "It never runs, so it is either forgotten or in the wrong place.",
        codes: &["unreachable"],
        check: Check::File(unreachable),
    },
    Rule {
        id: "correctness.not-implemented",
        level: Level::Error,
        summary: "a function does nothing or raises NotImplementedError",
        why: "Callers get nothing, or a crash, where the contract promises a result.",
        codes: &[],
        check: Check::File(not_implemented),
    },
    Rule {
        id: "correctness.unknown-type",
        level: Level::Note,
        summary: "the contract does not say of which type a field is",
        why: "The generator had to choose a neutral one.",
        codes: &[],
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
    for (index, function) in (0u32..).zip(&module.functions) {
        let name = &function.name;
        // as mypy has it, a constructor with one type needs none for its result
        let is_typed_constructor =
            name == "__init__" && function.parameters.iter().any(|it| it.annotation.is_some());
        if function.returns.is_none() && !is_typed_constructor {
            let message = format!("the function `{name}` does not say what it returns");
            let help = "Add `-> None` or the type of the result.";
            match results::end_of_head(file, function)
                .filter(|_| results::is_procedure(file, index))
            {
                Some(end) => {
                    let insert = (end, " -> None");
                    sink.mend(file, function.name_place, (message, help), insert);
                }
                None => sink.at(file, function.name_place, message, help),
            }
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

fn unused_variables(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for place in &file.module.unused {
        let message = format!("`{}` is assigned and never used", file.module.text(*place));
        let help = "Use it, or leave the name out; `_` says that a value is not wanted.";
        sink.at(file, *place, message, help);
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

fn not_implemented(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let help = "Write the behaviour.";
    for raise in &module.raises {
        let raised = module.text(raise.place).trim_start_matches("raise").trim_start();
        let around = module.function(raise.site.function);
        let abstract_method =
            around.is_some_and(|it| is_declaration(file, it) || is_hook(subject, it));
        if raised.starts_with("NotImplementedError") && !abstract_method {
            sink.at(file, raise.place, "the behaviour is not implemented", help);
        }
    }
    for function in module.functions.iter().filter(|it| it.body == Body::Empty) {
        if !is_declaration(file, function) && !is_hook(subject, function) {
            let message = format!("the function `{}` does nothing", function.name);
            sink.at(file, function.name_place, message, help);
        }
    }
}

/// Whether a function may well do nothing in code that no contract is about: a method that is there
/// to be overridden, or one that a decorator makes something of.
fn is_hook(subject: &Subject, function: &Function) -> bool {
    let may = function.site.class.is_some() || !function.decorators.is_empty();
    subject.contract().is_none() && may
}

/// Whether a function only declares: abstract, an overload, or a method of a protocol.
fn is_declaration(file: &SourceFile, function: &Function) -> bool {
    let class = function.site.class.and_then(|index| file.module.classes.get(index as usize));
    decorated(file, function, "abstractmethod")
        || decorated(file, function, "overload")
        || class.is_some_and(|class| has_base(file, class, "Protocol"))
}
