//! Is everything there that the contract promises: files, fields, states, steps, codes, words.

use std::collections::HashSet;

use super::model_class;
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::contract::model::{Contract, Model};
use crate::finding::Level;
use crate::python::facts::ValueKind;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "completeness.file",
        level: Level::Error,
        summary: "a file of the package layout is missing",
        why: "The runtime finds contract, node, models and handler by their places.",
        codes: &[],
        check: Check::Contract(files),
    },
    Rule {
        id: "completeness.package",
        level: Level::Warning,
        summary: "a folder with Python files has no `__init__.py`",
        why: "Relative imports and packaging want a regular package.",
        codes: &["INP001"],
        check: Check::Contract(packages),
    },
    Rule {
        id: "completeness.field",
        level: Level::Error,
        summary: "a field of the contract's input or output is not in the model",
        why: "Data that the contract allows would be refused, or lost.",
        codes: &[],
        check: Check::Contract(fields),
    },
    Rule {
        id: "completeness.state",
        level: Level::Warning,
        summary: "a state or transition of the state machine appears nowhere",
        why: "The node cannot reach what its contract promises.",
        codes: &[],
        check: Check::Contract(states),
    },
    Rule {
        id: "completeness.step",
        level: Level::Warning,
        summary: "a step of the workflow appears nowhere",
        why: "The orchestrator would leave it out.",
        codes: &[],
        check: Check::Contract(steps),
    },
    Rule {
        id: "completeness.operation",
        level: Level::Warning,
        summary: "an action, IO operation or error code of the contract appears nowhere",
        why: "Callers rely on operations and codes that the contract lists.",
        codes: &[],
        check: Check::Contract(operations),
    },
    Rule {
        id: "completeness.docstring",
        level: Level::Warning,
        summary: "a public module, class or function has no docstring",
        why: "The next reader has nothing to go by.",
        codes: &["D100", "D101", "D102", "D103"],
        check: Check::File(docstrings),
    },
    Rule {
        id: "completeness.tests",
        level: Level::Warning,
        summary: "there is no test",
        why: "Nobody would notice when the node stops working.",
        codes: &[],
        check: Check::Contract(tests),
    },
    Rule {
        id: "completeness.scaffold",
        level: Level::Note,
        summary: "a handler is a scaffold",
        why: "A generator cannot know the business rule; someone has to write it.",
        codes: &[],
        check: Check::Generator,
    },
];

fn files(_: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let files = &subject.package().files;
    for path in ["contract.yaml", "__init__.py", "node.py"] {
        if !files.iter().any(|file| file.path == path) {
            let message = format!("the package has no `{path}`");
            sink.whole_file(path, message, format!("Add `{path}` at the top of the package."));
        }
    }
    for (folder, prefix) in [("models/", "model_"), ("handlers/", "handler_")] {
        let wanted = format!("{folder}{prefix}");
        if !files.iter().any(|file| file.path.starts_with(&wanted)) {
            let message = format!("the package has no `{wanted}*.py`");
            sink.package(message, format!("Add a `{wanted}<name>.py`."));
        }
    }
}

fn packages(_: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let mut seen = HashSet::new();
    for file in subject.sources() {
        let Some((folder, _)) = file.path.rsplit_once('/') else { continue };
        let wanted = format!("{folder}/__init__.py");
        if seen.insert(folder) && subject.source(&wanted).is_none() {
            let message = format!("the folder `{folder}` has no `__init__.py`");
            sink.whole_file(&wanted, message, format!("Add an `{wanted}` with a docstring."));
        }
    }
}

fn fields(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let models: [(&Model, &str); 2] = [(&contract.input, "input"), (&contract.output, "output")];
    for (model, role) in models {
        if model.fields.is_empty() {
            continue;
        }
        let Some(class) = model_class::find(subject, model, role) else {
            let broken = subject.sources().iter().any(|file| !file.module.is_valid());
            if !broken {
                let message = format!("no model class stands for the contract's {role}");
                sink.package(message, format!("Add `models/model_<name>_{role}.py`."));
            }
            continue;
        };
        for field in &model.fields {
            if class.field(&field.name).is_none() {
                let message = format!(
                    "`{}` lacks the {role} field `{}` of the contract",
                    class.class.name, field.name
                );
                let help = "Add the field, or give an existing one this alias.";
                sink.at(class.file, class.class.name_place, message, help);
            }
        }
    }
}

/// The plain texts of the production code, and the words of the package's contract.
struct Vocabulary<'a> {
    texts: HashSet<&'a str>,
    contract: &'a str,
}

impl<'a> Vocabulary<'a> {
    fn new(subject: &'a Subject) -> Self {
        let texts = subject.production().flat_map(|file| {
            let texts = file.module.texts.iter().filter(|text| !text.standalone);
            texts.map(|text| file.module.text(text.content))
        });
        let files = &subject.package().files;
        let contract = files.iter().find(|file| file.path == "contract.yaml");
        Self { texts: texts.collect(), contract: contract.map_or("", |file| &file.content) }
    }

    /// Whether the code has this text, as written or with its escapes.
    fn has_text(&self, text: &str) -> bool {
        self.texts.contains(text) || self.texts.contains(text.escape_default().to_string().as_str())
    }

    /// Whether the code or the package's contract has this text.
    fn has(&self, text: &str) -> bool {
        self.has_text(text) || self.contract.contains(text)
    }
}

fn states(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let Some(machine) = &contract.state_machine else { return };
    let vocabulary = Vocabulary::new(subject);
    let missing: Vec<_> =
        machine.states.iter().filter(|it| !vocabulary.has_text(&it.name)).collect();
    if missing.len() > 1 && missing.len() == machine.states.len() {
        let message = format!(
            "the state machine `{}` of the contract is missing, with {} states and {} transitions",
            machine.name,
            machine.states.len(),
            machine.transitions.len()
        );
        sink.package(message, "Return it from the handler, or leave it out of the contract.");
        return;
    }
    let help = "Add it to the state machine that the handler returns.";
    for state in missing {
        sink.package(format!("the state `{}` of the contract is missing", state.name), help);
    }
    let edges = edges(subject);
    for transition in &machine.transitions {
        let ends = [&transition.from, &transition.to];
        let known = match edges.is_empty() {
            true => ends.iter().all(|it| *it == "*" || vocabulary.has_text(it)),
            false => edges.contains(&(transition.from.as_str(), transition.to.as_str())),
        };
        if !known {
            let (from, to) = (&transition.from, &transition.to);
            let message = format!("the transition `{from}` → `{to}` of the contract is missing");
            sink.package(message, help);
        }
    }
}

/// The transitions that the code spells out as dicts with `from_state` and `to_state`.
fn edges(subject: &Subject) -> HashSet<(&str, &str)> {
    let mut edges = HashSet::new();
    for file in subject.production() {
        let module = &file.module;
        let mut source = (0, "");
        for pair in module.pairs.iter().filter(|it| it.value.kind == ValueKind::Text) {
            let value = module.text(pair.value.place).trim_matches(['"', '\'']);
            match module.text(pair.key) {
                "from_state" => source = (pair.dictionary, value),
                "to_state" if source.0 == pair.dictionary => {
                    edges.insert((source.1, value));
                }
                _ => {}
            }
        }
    }
    edges
}

fn steps(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let Some(workflow) = &contract.workflow else { return };
    let vocabulary = Vocabulary::new(subject);
    for step in workflow.steps.iter().filter(|it| !vocabulary.has_text(&it.name)) {
        let message = format!("the workflow step `{}` of the contract is missing", step.name);
        sink.package(message, "Add it to the steps that the handler returns.");
    }
}

fn operations(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let Contract { actions, io_operations, error_codes, .. } = contract;
    if actions.is_empty() && io_operations.is_empty() && error_codes.is_empty() {
        return;
    }
    let vocabulary = Vocabulary::new(subject);
    for action in actions.iter().filter(|it| !vocabulary.has(&it.name)) {
        let message = format!("the action `{}` of the contract is missing", action.name);
        sink.package(message, "Name it in `contract.yaml` and implement it in the handler.");
    }
    for operation in io_operations.iter().filter(|it| !vocabulary.has(&it.name)) {
        let message = format!("the IO operation `{}` of the contract is missing", operation.name);
        sink.package(message, "Name it in `contract.yaml` and implement it in the handler.");
    }
    for code in error_codes.iter().filter(|it| !vocabulary.has(&it.code)) {
        let message = format!("the error code `{}` of the contract is missing", code.code);
        sink.package(message, "Name it in `contract.yaml` or raise it in the handler.");
    }
}

/// Public things of a file that want a docstring, with whether they have one: (what, place, has).
pub(super) fn documented(file: &SourceFile) -> Vec<(String, crate::python::Place, bool)> {
    let module = &file.module;
    let mut found = Vec::new();
    if !module.source().trim().is_empty() {
        let has = module.docstring.is_some();
        found.push((format!("the file `{}`", file.path), module.line_place(1), has));
    }
    let is_public = |name: &str| !name.starts_with('_');
    for class in module.classes.iter().filter(|it| is_public(&it.name)) {
        if class.site.function.is_none() {
            let what = format!("the class `{}`", class.name);
            found.push((what, class.name_place, class.docstring.is_some()));
        }
    }
    for function in module.functions.iter().filter(|it| is_public(&it.name)) {
        // an overload only repeats the head of the function that follows
        let is_overload =
            function.decorators.iter().any(|it| module.text(*it).ends_with("overload"));
        if function.site.function.is_none() && !is_overload {
            let what = format!("the function `{}`", function.name);
            found.push((what, function.name_place, function.docstring.is_some()));
        }
    }
    found
}

fn docstrings(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    for (what, place, _) in documented(file).into_iter().filter(|(_, _, has)| !has) {
        let help = "Say in one sentence what it is for.";
        sink.at(file, place, format!("{what} has no docstring"), help);
    }
}

fn tests(_: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let mut tests = subject.sources().iter().filter(|file| file.is_test());
    let has_test = tests.any(|file| {
        !file.module.is_valid()
            || file.module.functions.iter().any(|function| function.name.starts_with("test"))
    });
    if !has_test {
        sink.package("the package has no test", "Add `tests/test_<name>.py` with a test function.");
    }
}
