//! The node in a file: which class it is, its name and kind, and what goes in and comes out.

use super::files::{Found, Source, Sources};
use super::models::Models;
use super::{Options, error, note, warning};
use crate::contract::expression::Expression;
use crate::contract::model::limits::Limits;
use crate::contract::model::{Field, FieldType, Model, NodeType};
use crate::contract::words;
use crate::finding::Finding;
use crate::python::facts::{Function, Parameter, ParameterKind};

/// Methods that carry a node's work, the most telling first.
const ENTRIES: [&str; 6] = ["execute", "handle", "process", "run", "compute", "__call__"];

/// Modules that reach out of the process.
const REACHING: [&str; 26] = [
    "aiofiles",
    "aiohttp",
    "aiokafka",
    "asyncpg",
    "boto3",
    "ftplib",
    "grpc",
    "httpx",
    "kafka",
    "motor",
    "openai",
    "paramiko",
    "psycopg",
    "psycopg2",
    "pymongo",
    "pymysql",
    "qdrant_client",
    "redis",
    "requests",
    "shutil",
    "smtplib",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "subprocess",
    "urllib",
];

/// The node's class.
pub(super) fn class<'a>(
    sources: &'a Sources,
    options: &Options<'_>,
) -> Result<Found<'a>, Box<Finding>> {
    let Some(start) = sources.all.first() else {
        return Err(Box::new(error("contract.infer-class", "no file was read")));
    };
    let none =
        |message: String| error("contract.infer-class", message).in_file(start.path.as_str());
    let all: Vec<Found<'a>> = start.classes().collect();
    if let Some(wanted) = options.class {
        let named = all.iter().find(|it| it.class.name == wanted).copied();
        return named.ok_or_else(|| {
            let names = all.iter().map(|it| it.class.name.as_str());
            let finding = none(format!("there is no class `{wanted}` in the file"));
            Box::new(match crate::error::nearest(wanted, names) {
                Some(near) => finding.with_help(format!("did you mean `{near}`?")),
                None => finding,
            })
        });
    }
    match candidates(sources, start, &all).as_slice() {
        [one] => Ok(*one),
        [] => Err(Box::new(none("no class in the file is a node".to_owned()).with_help(
            "a node is a class on NodeCompute, NodeEffect, NodeReducer or NodeOrchestrator, or \
             one with a method `execute`, `handle` or `process`",
        ))),
        [first, second, ..] => {
            let (first, second) = (&first.class.name, second.class);
            let message = format!("`{first}` and `{}` could both be the node", second.name);
            let finding = none(message).at(start.module.span(second.name_place));
            Err(Box::new(finding.with_help("name one with --class")))
        }
    }
}

/// Classes that could be the node: those on a base class of nodes; without one those that are named
/// like nodes; without one those that have a method that carries work.
fn candidates<'a>(sources: &Sources, start: &Source, all: &[Found<'a>]) -> Vec<Found<'a>> {
    let works = |it: &Found<'_>| {
        let mut methods = start.module.methods(it.at as usize);
        methods.any(|method| ENTRIES.contains(&method.name.as_str()))
    };
    let kept = |wanted: &dyn Fn(&Found<'a>) -> bool| -> Vec<Found<'a>> {
        all.iter().filter(|it| wanted(it)).copied().collect()
    };
    let plain = |it: &Found<'_>| !is_data(sources, it) && !it.class.name.starts_with('_');
    let based = kept(&|it| kind_of_base(sources, it).is_some());
    if !based.is_empty() {
        return based;
    }
    let named = kept(&|it| plain(it) && kind_of_name(&it.class.name).is_some());
    if named.is_empty() { kept(&|it| plain(it) && works(it)) } else { named }
}

/// Whether a class only holds data, or is no class of objects at all.
fn is_data(sources: &Sources, of: &Found<'_>) -> bool {
    let bases = ["BaseModel", "TypedDict", "NamedTuple", "Protocol", "Exception", "ABC"];
    let decorated =
        of.class.decorators.iter().any(|it| of.source.module.text(*it).contains("dataclass"));
    decorated
        || sources.members(*of).is_some()
        || of.bases().any(|it| bases.contains(&it.as_str()) || it.ends_with("Error"))
        || of.class.name.starts_with("Model")
        || of.class.name.starts_with("Test")
}

/// The kind that a base class says, also over classes of the package.
fn kind_of_base(sources: &Sources, of: &Found<'_>) -> Option<NodeType> {
    let mut waiting: Vec<(String, &Source)> = of.bases().map(|it| (it, of.source)).collect();
    for _ in 0..64 {
        let (base, from) = waiting.pop()?;
        let plain = base.strip_suffix("Service").unwrap_or(&base);
        let own = NodeType::ALL.into_iter().find(|it| plain == format!("Node{}", capital(*it)));
        if own.is_some() {
            return own;
        }
        if let Some(class) = sources.class(&base, from) {
            waiting.extend(class.bases().map(|it| (it, class.source)));
        }
    }
    None
}

fn capital(kind: NodeType) -> String {
    let word = kind.suffix();
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |it| it.to_ascii_uppercase().to_string() + letters.as_str())
}

fn kind_of_name(name: &str) -> Option<NodeType> {
    NodeType::ALL.into_iter().find(|it| name.ends_with(&capital(*it)))
}

/// The kind of the node; a finding says where it does not follow from the base class.
pub(super) fn kind(sources: &Sources, of: Found<'_>, findings: &mut Vec<Finding>) -> NodeType {
    if let Some(found) = kind_of_base(sources, &of) {
        return found;
    }
    let (found, why) = match kind_of_name(&of.class.name) {
        Some(found) => (found, "the end of its name says so".to_owned()),
        None => by_work(sources, of),
    };
    let message = format!("`{}` is taken for {}: {why}", of.class.name, found.as_str());
    let finding = note("contract.infer-kind", message)
        .in_file(&of.source.path)
        .at(of.source.module.span(of.class.name_place))
        .with_help("derive it from the base class of its kind, or correct `node_type`");
    findings.push(finding);
    found
}

fn by_work(sources: &Sources, of: Found<'_>) -> (NodeType, String) {
    if sources.constant("TRANSITIONS").is_some() {
        return (NodeType::Reducer, "it has a table of transitions".to_owned());
    }
    if sources.constant("STEPS").is_some() {
        return (NodeType::Orchestrator, "it has a table of steps".to_owned());
    }
    for source in sources.behaviour() {
        let module = |it: &crate::python::facts::Import| {
            let top = it.module.split('.').next().unwrap_or_default().to_owned();
            (it.level == 0 && REACHING.contains(&top.as_str())).then_some(top)
        };
        if let Some(module) = source.module.imports.iter().find_map(module) {
            return (NodeType::Effect, format!("`{module}` reaches out of the process"));
        }
    }
    let own = |site: crate::python::facts::Site| {
        of.source.module.function(site.function).is_some_and(|it| it.site.class == Some(of.at))
    };
    if of.source.module.awaits.iter().any(|it| own(it.site)) {
        return (NodeType::Effect, "it awaits something".to_owned());
    }
    let opens = |it: &&crate::python::facts::Call| {
        own(it.site) && it.callee.is_some_and(|it| of.source.module.text(it) == "open")
    };
    if of.source.module.calls.iter().any(|it| opens(&it)) {
        return (NodeType::Effect, "it opens files".to_owned());
    }
    (NodeType::Compute, "it reaches nothing outside of itself".to_owned())
}

/// `node_<what>_<kind>`: the package's folder where that has this form, else from the class.
pub(in super::super) fn name(class: &str, kind: NodeType, folder: Option<&str>) -> String {
    let ending = format!("_{}", kind.suffix());
    if let Some(folder) = folder.filter(|it| it.starts_with("node_") && it.ends_with(&ending)) {
        return folder.to_owned();
    }
    let mut name = words(class).join("_");
    let lost = class.chars().any(|it| it.is_alphanumeric() && !it.is_ascii());
    if lost || name.is_empty() {
        let digest = blake3::hash(class.as_bytes()).to_hex();
        let digest = digest.get(..8).unwrap_or_default();
        let kept = name.trim_end_matches(&ending).trim_start_matches("node").trim_matches('_');
        name = if kept.is_empty() { format!("x{digest}") } else { format!("{kept}_x{digest}") };
    }
    if !name.starts_with("node_") {
        name.insert_str(0, "node_");
    }
    if !name.ends_with(&ending) {
        name.push_str(&ending);
    }
    name
}

/// Whether a name is that of a type variable: `T`, `T_Input`.
fn is_variable(name: &str) -> bool {
    name == "T" || name.starts_with("T_")
}

/// What goes in and comes out: by the signature of the method that carries the work, else by the
/// type arguments of the base class, else by the package's handler.
pub(super) fn sides<'a>(
    of: Found<'a>,
    models: &mut Models<'a>,
    sources: &'a Sources,
) -> [Model; 2] {
    let source = of.source;
    let arguments = of.class.bases.iter().find_map(|base| match source.expression(*base) {
        Expression::Index(head, items) if head.contains("Node") && items.len() == 2 => Some(items),
        _ => None,
    });
    let mut found = [Model::default(), Model::default()];
    for entry in entries(of) {
        signature(entry, source, models, sources, &mut found);
    }
    for (at, side) in found.iter_mut().enumerate().filter(|(_, it)| !told(it)) {
        let argument = arguments.as_ref().and_then(|it| it.get(at));
        // a base class of nodes has variables where its nodes have classes
        if let Some(class) = argument.and_then(class_of).filter(|it| !is_variable(it)) {
            *side = model(&class, source, models, sources);
        }
    }
    let handler =
        |it: &Found<'_>| it.class.name.starts_with("Handler") && it.class.name != of.class.name;
    for it in sources.classes().filter(handler) {
        for entry in entries(it) {
            signature(entry, it.source, models, sources, &mut found);
        }
    }
    for (side, role) in found.iter().zip(["what goes in", "what comes out"]) {
        if !told(side) {
            let message = format!("no signature of `{}` says {role}", of.class.name);
            let finding = warning("contract.infer-model", message)
                .in_file(&source.path)
                .at(source.module.span(of.class.name_place))
                .with_help("annotate the parameters and the result of its `execute`");
            models.findings.push(finding);
        }
    }
    found
}

/// The methods of a class that carry work, the most telling first.
fn entries<'a>(of: Found<'a>) -> impl Iterator<Item = &'a Function> {
    let methods = move |name: &'static str| {
        of.source.module.methods(of.at as usize).find(move |it| it.name == name)
    };
    ENTRIES.into_iter().filter_map(methods)
}

/// Whether something is known of a model.
fn told(model: &Model) -> bool {
    model.class_name.is_some() || !model.fields.is_empty()
}

/// Reads the sides that are not known yet from a method.
fn signature<'a>(
    of: &Function,
    source: &'a Source,
    models: &mut Models<'a>,
    sources: &'a Sources,
    found: &mut [Model; 2],
) {
    let plain = |it: &&Parameter| {
        !matches!(it.kind, ParameterKind::Rest | ParameterKind::Keywords)
            && !["self", "cls"].contains(&source.module.text(it.name))
    };
    let parameters: Vec<&Parameter> = of.parameters.iter().filter(plain).collect();
    let [input, output] = found;
    if !told(input) {
        let annotated = |it: &&Parameter| it.annotation.map(|it| source.expression(it));
        let class = match parameters.as_slice() {
            [one] => annotated(one).as_ref().and_then(class_of),
            _ => None,
        };
        *input = match class {
            Some(class) => model(&class, source, models, sources),
            None => Model {
                fields: parameters.iter().map(|it| parameter(it, source, models)).collect(),
                ..Model::default()
            },
        };
    }
    if !told(output)
        && let Some(returns) = of.returns
    {
        let read = source.expression(returns);
        if let Some(class) = class_of(&read) {
            *output = model(&class, source, models, sources);
        } else if read != Expression::Nothing {
            let field_type = models.type_of(&read, source, "result", returns);
            let required = !matches!(field_type, FieldType::Optional(_));
            output.fields = vec![Field { required, ..bare("result", field_type) }];
        }
    }
}

fn bare(name: &str, field_type: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        field_type,
        required: true,
        description: None,
        default: None,
        limits: Limits::default(),
        span: None,
    }
}

/// A parameter as a field of the input.
fn parameter<'a>(it: &Parameter, source: &'a Source, models: &mut Models<'a>) -> Field {
    let name = source.module.text(it.name);
    let read = it.annotation.map_or(Expression::Other, |it| source.expression(it));
    let field_type = models.type_of(&read, source, name, it.name);
    let default = it.default.map(|it| source.expression(it.place));
    Field {
        required: default.is_none(),
        default: default.and_then(|it| it.data(&|_| None)).filter(|it| !it.is_null()),
        ..bare(name, field_type)
    }
}

/// The class that an annotation names, out of upstream's envelope; `None` for plain types.
fn class_of(of: &Expression) -> Option<String> {
    match of {
        Expression::Name(name) => {
            let last = name.rsplit('.').next().unwrap_or(name);
            let plain = ["str", "int", "float", "bool", "dict", "list", "tuple", "set", "bytes"];
            let plain =
                plain.contains(&last) || ["UUID", "datetime", "Any", "Decimal"].contains(&last);
            let class = last.chars().next().is_some_and(char::is_uppercase);
            (!plain && class).then(|| name.clone())
        }
        Expression::Text(text) => class_of(&Expression::read(text)),
        Expression::Index(head, items) => {
            let last = head.rsplit('.').next().unwrap_or(head);
            let wraps = ["Awaitable", "Coroutine", "ModelComputeInput", "ModelComputeOutput"];
            let wraps = wraps.contains(&last)
                || ["ModelReducerInput", "ModelReducerOutput"].contains(&last);
            if wraps { items.last().and_then(class_of) } else { None }
        }
        _ => None,
    }
}

/// A model by its class: with fields where the class is among the files, else by reference.
fn model<'a>(
    class: &str,
    source: &'a Source,
    models: &mut Models<'a>,
    sources: &'a Sources,
) -> Model {
    let last = class.rsplit('.').next().unwrap_or(class).to_owned();
    if let Some(found) = sources.class(class, source) {
        let fields = models.fields(found);
        return Model { class_name: Some(found.class.name.clone()), fields, ..Model::default() };
    }
    let target = source.module.resolve(class);
    let module = target.rsplit_once('.').map(|(module, _)| module.to_owned());
    let module = module.filter(|it| !it.is_empty() && !it.starts_with('.'));
    let message = match &module {
        Some(module) => format!("the fields of `{last}` are not known: it is of `{module}`"),
        None => format!("the class `{last}` is not among the files of the package"),
    };
    models.findings.push(note("contract.infer-model", message).in_file(&source.path));
    Model { class_name: Some(last), module, ..Model::default() }
}
