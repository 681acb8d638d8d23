//! Does the package keep to the rules of ONEX packages: the shapes, names and types that upstream's
//! own checks ask for (`onex validate --strict`, the pattern, union and any-type checkers).

use super::model_class::{base_name, has_base};
use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::contract::model::{Contract, NodeType};
use crate::finding::Level;
use crate::python::annotation;
use crate::python::facts::{Class, Function, ParameterKind};
use crate::template::package::FileKind;

mod naming;
mod purity;
mod shape;

/// Most parameters of a function, `self` included, as upstream counts.
const PARAMETERS_MAX: usize = 5;

/// Names that upstream finds too generic for a synchronous function.
const GENERIC_NAMES: [&str; 10] = [
    "process", "execute", "run", "do", "perform", "manage", "control", "work", "operate", "action",
];

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "compliance.one-model-per-file",
        level: Level::Error,
        summary: "a file has several models, enums or protocols, or mixes them",
        why: "The architecture wants one per file, so that a name says where it is.",
        codes: &[],
        check: Check::File(one_per_file),
    },
    Rule {
        id: "compliance.any",
        level: Level::Error,
        summary: "`Any` is used as a type",
        why: "It switches type checking off; a contract says what the types are.",
        codes: &["ANN401"],
        check: Check::File(any_type),
    },
    Rule {
        id: "compliance.base-class",
        level: Level::Error,
        summary: "the node class does not derive from the base class of its kind",
        why: "The runtime calls the node through that class.",
        codes: &[],
        check: Check::Contract(base_class),
    },
    Rule {
        id: "compliance.execute",
        level: Level::Error,
        summary: "the node class has no `async def execute`",
        why: "It is how the node is run on a plain request.",
        codes: &[],
        check: Check::Contract(execute),
    },
    Rule {
        id: "compliance.class-name",
        level: Level::Warning,
        summary: "a class is not called as its kind is called",
        why: "`Node<X><Kind>`, `Model<X>`, `Enum<X>`, `Protocol<X>` say what a class is.",
        codes: &["N801"],
        check: Check::File(naming::classes),
    },
    Rule {
        id: "compliance.file-name",
        level: Level::Warning,
        summary: "a file is not called as its class",
        why: "A class is found by its name; upstream compares the two.",
        codes: &["N999"],
        check: Check::File(naming::files),
    },
    Rule {
        id: "compliance.vague-class",
        level: Level::Warning,
        summary: "a class name holds a word that fits every class",
        why: "`Manager` or `Helper` says nothing; upstream refuses a list of such words.",
        codes: &[],
        check: Check::File(naming::vague_classes),
    },
    Rule {
        id: "compliance.function-name",
        level: Level::Warning,
        summary: "a function is not called in snake_case",
        why: "A capital says that something is a class.",
        codes: &["N802"],
        check: Check::File(naming::functions),
    },
    Rule {
        id: "compliance.purity",
        level: Level::Error,
        summary: "a node reaches for network clients, files or the environment",
        why: "What a node needs is injected or passed in, so that it runs and is tested anywhere.",
        codes: &["node-purity"],
        check: Check::File(purity::find),
    },
    Rule {
        id: "compliance.topic",
        level: Level::Warning,
        summary: "the name of a topic is written in the code",
        why: "Topics are declared in the contract, where they can be routed and found.",
        codes: &[],
        check: Check::File(shape::topics),
    },
    Rule {
        id: "compliance.text-field",
        level: Level::Note,
        summary: "an id, status, type or category of a model is a plain text",
        why: "A UUID or an enum refuses what makes no sense.",
        codes: &[],
        check: Check::File(shape::text_fields),
    },
    Rule {
        id: "compliance.methods",
        level: Level::Warning,
        summary: "a class has more than ten methods that are not async",
        why: "It is more than one thing; upstream refuses it.",
        codes: &["PLR0904"],
        check: Check::File(shape::methods),
    },
    Rule {
        id: "compliance.extra-forbid",
        level: Level::Warning,
        summary: "a model takes fields that it does not know",
        why: "A misspelt field would be dropped without a word.",
        codes: &[],
        check: Check::File(shape::extra_forbid),
    },
    Rule {
        id: "compliance.generic-name",
        level: Level::Warning,
        summary: "a synchronous function has a generic name",
        why: "`process` or `run` says nothing; upstream refuses a list of such names.",
        codes: &[],
        check: Check::File(generic_names),
    },
    Rule {
        id: "compliance.parameters",
        level: Level::Warning,
        summary: "a function has more than five parameters",
        why: "A model says what belongs together, and checks it.",
        codes: &["PLR0913"],
        check: Check::File(parameters),
    },
    Rule {
        id: "compliance.union",
        level: Level::Warning,
        summary: "a union of many primitives, or of primitives and containers",
        why: "Every reader of the value has to ask what it is; a model or an enum says it.",
        codes: &[],
        check: Check::File(unions),
    },
    Rule {
        id: "compliance.handler",
        level: Level::Warning,
        summary: "a handler file has no `handle`",
        why: "It is the entry point that the runtime and the node look for.",
        codes: &[],
        check: Check::File(handler),
    },
];

/// What a class is by the bases and names that upstream looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClassKind {
    Model,
    Enum,
    Protocol,
    Other,
}

fn kind_of(file: &SourceFile, class: &Class) -> ClassKind {
    let any_base = |names: &[&str]| names.iter().any(|name| has_base(file, class, name));
    if any_base(&["Protocol"]) {
        ClassKind::Protocol
    } else if any_base(&["Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"]) {
        ClassKind::Enum
    } else if any_base(&["BaseModel", "RootModel"]) || class.name.starts_with("Model") {
        ClassKind::Model
    } else {
        ClassKind::Other
    }
}

fn one_per_file(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    let top = file.module.classes.iter().filter(|it| it.site.class.is_none());
    let mut typed = top.filter(|class| kind_of(file, class) != ClassKind::Other);
    let Some(first) = typed.next() else { return };
    for class in typed {
        let message = format!("`{}` shares `{}` with `{}`", class.name, file.path, first.name);
        sink.at(file, class.name_place, message, "Move it into a file of its own.");
    }
}

fn any_type(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let is_any = |text: &str| {
        let path = module.resolve(text);
        path == "typing.Any" || path == "typing_extensions.Any"
    };
    let names = module.names.iter().filter(|place| is_any(module.text(**place)));
    let attributes = module.attributes.iter().map(|spot| &spot.place);
    let attributes = attributes.filter(|place| module.text(**place).ends_with("Any"));
    for place in names.chain(attributes.filter(|place| is_any(module.text(**place)))) {
        let help = "Name the type; `object` where really anything may come.";
        sink.at(file, *place, "`Any` switches type checking off here", help);
    }
}

/// The base class of a kind.
fn base_of(node_type: NodeType) -> &'static str {
    match node_type {
        NodeType::Compute => "NodeCompute",
        NodeType::Effect => "NodeEffect",
        NodeType::Reducer => "NodeReducer",
        NodeType::Orchestrator => "NodeOrchestrator",
    }
}

/// `node.py`, when it parses.
fn node_file(subject: &Subject) -> Option<&SourceFile> {
    subject.source("node.py").filter(|file| file.module.is_valid())
}

/// The node class of `node.py`: the one whose name or base says so.
fn node_class(file: &SourceFile) -> Option<(usize, &Class)> {
    let is_node = |class: &Class| {
        let base = |place: &crate::python::Place| base_name(file.module.text(*place));
        class.name.starts_with("Node")
            || class.bases.iter().any(|place| base(place).starts_with("Node"))
    };
    file.module.classes.iter().enumerate().find(|(_, class)| is_node(class))
}

fn base_class(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let Some(file) = node_file(subject) else { return };
    let wanted = base_of(contract.node_type);
    match node_class(file) {
        None => {
            let message = format!("`node.py` has no class that derives from `{wanted}`");
            sink.whole_file("node.py", message, format!("Derive the node from `{wanted}`."));
        }
        Some((_, class)) if !has_base(file, class, wanted) => {
            let message = format!(
                "`{}` does not derive from `{wanted}`, the base class of {} nodes",
                class.name,
                contract.node_type.as_str()
            );
            sink.at(file, class.name_place, message, format!("Derive it from `{wanted}`."));
        }
        Some(_) => {}
    }
}

fn execute(_: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let Some(file) = node_file(subject) else { return };
    let Some((index, class)) = node_class(file) else { return };
    let help = "Add `async def execute(self, request: <input>) -> <output>`.";
    match file.module.methods(index).find(|it| it.name == "execute") {
        None => {
            let message = format!("`{}` has no method `execute`", class.name);
            sink.at(file, class.name_place, message, help);
        }
        Some(method) if !method.is_async => {
            let message = format!("`{}.execute` is not `async`", class.name);
            sink.at(file, method.name_place, message, help);
        }
        Some(_) => {}
    }
}

fn generic_names(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let is_generic =
        |it: &&Function| !it.is_async && GENERIC_NAMES.contains(&it.name.to_lowercase().as_str());
    for function in file.module.functions.iter().filter(is_generic) {
        let message = format!("`{}` is too generic for a synchronous function", function.name);
        sink.at(file, function.name_place, message, "Call it by what it does.");
    }
}

fn parameters(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for function in file.module.functions.iter().filter(|it| it.name != "__init__") {
        let counted = |kind| matches!(kind, ParameterKind::Positional | ParameterKind::Keyword);
        let count = function.parameters.iter().filter(|it| counted(it.kind)).count();
        if count > PARAMETERS_MAX {
            let message = format!("`{}` has {count} parameters", function.name);
            let help = format!("Put them into a model; {PARAMETERS_MAX} are allowed.");
            sink.at(file, function.name_place, message, help);
        }
    }
}

fn unions(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for place in &module.annotations {
        let text = module.text(*place);
        if !text.contains(['|']) && !text.contains("Union[") {
            continue;
        }
        let members = annotation::members(text);
        let count =
            |names: &[&str]| members.iter().filter(|it| names.contains(&it.name.as_str())).count();
        let primitives = count(&["str", "int", "float", "bool", "bytes"]);
        let containers = count(&["list", "dict", "set", "tuple", "List", "Dict", "Set", "Tuple"]);
        if primitives >= 4 || (primitives >= 2 && containers >= 1) {
            let message = format!("the union `{text}` is too broad");
            sink.at(file, *place, message, "Use one type, an enum, or a model.");
        }
    }
}

fn handler(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.kind != FileKind::Handler || file.stem() == "__init__" {
        return;
    }
    let has_handle = file.module.functions.iter().any(|it| it.name == "handle");
    if !has_handle {
        let message = format!("`{}` has no `handle`", file.path);
        sink.whole_file(&file.path, message, "Add `handle(self, request: <input>) -> <output>`.");
    }
}
