//! What no node may reach for by itself, of whatever kind it is: upstream's list of network
//! clients, files, and the environment.

use crate::python::facts::Call;
use crate::python::{Module, Place};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Network and database clients that upstream refuses.
const CLIENTS: [&str; 11] = [
    "aiofiles",
    "aiohttp",
    "aiokafka",
    "aioredis",
    "asyncpg",
    "confluent_kafka",
    "httpx",
    "kafka",
    "psycopg",
    "psycopg2",
    "redis",
];

/// Handlers of `logging` that write files.
const FILE_HANDLERS: [&str; 4] =
    ["FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler"];

/// Methods of `pathlib.Path` that read or write.
const PATH_METHODS: [&str; 5] = ["read_text", "write_text", "read_bytes", "write_bytes", "open"];

/// Whether a file is one of a node: it lies below a folder `nodes`, or its package has a contract.
fn is_of_node(subject: &Subject, file: &SourceFile) -> bool {
    let in_nodes = file.path.split('/').rev().skip(1).any(|it| it == "nodes");
    (subject.contract().is_some() || in_nodes) && !file.is_test()
}

/// Reports what a node reaches for.
pub(super) fn find(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if !is_of_node(subject, file) {
        return;
    }
    let module = &file.module;
    let is_checked_only = |place: Place| module.type_checking.iter().any(|it| it.contains(place));
    let imports = module.imports.iter().filter(|it| it.level == 0);
    for import in imports.filter(|it| !is_checked_only(it.place)) {
        let root = import.module.split('.').next().unwrap_or("");
        if CLIENTS.contains(&root) {
            let message = format!("the node imports `{}`", import.module);
            sink.at(file, import.place, message, "Have the client injected by the container.");
        }
    }
    for call in &module.calls {
        if let Some(what) = file_access(module, call) {
            let help = "Let an adapter outside of `nodes/` do it, and pass the content in.";
            sink.at(file, call.place, format!("the node calls `{what}`"), help);
        }
    }
    for place in environment(module) {
        let help = "Take the value from the container or the request.";
        sink.at(file, place, "the node reads the environment", help);
    }
}

/// What a call does with a file, if it does.
fn file_access<'a>(module: &'a Module, call: &'a Call) -> Option<&'a str> {
    let path = call.path.as_deref().unwrap_or_default();
    let method = call.method.map_or("", |it| module.text(it));
    let is_open = matches!(path, "open" | "builtins.open" | "io.open")
        && !module.functions.iter().any(|it| it.name == "open");
    let is_handler = FILE_HANDLERS.contains(&method);
    let knows_paths = module.imports.iter().any(|it| it.module == "pathlib");
    let is_path = PATH_METHODS.contains(&method) && knows_paths && is_path(module, call);
    if is_open {
        Some("open")
    } else if is_handler || is_path {
        Some(method)
    } else {
        None
    }
}

/// Whether a method is called on what looks like a path: `Path(...)`, or a name that ends so.
fn is_path(module: &Module, call: &Call) -> bool {
    const NAMES: [&str; 2] = ["p", "fp"];
    let (Some(method), text) = (call.method, module.text(call.place)) else { return false };
    let before = (method.start - call.place.start) as usize;
    let object = text.get(..before).unwrap_or("").trim_end_matches('.').trim_end();
    let last = object.rsplit('.').next().unwrap_or(object).to_lowercase();
    let is_call =
        ["Path(", "pathlib.Path("].iter().any(|it| object.starts_with(it)) && object.ends_with(')');
    is_call || last.ends_with("path") || NAMES.contains(&last.as_str())
}

/// Where a file reads or changes the environment.
fn environment(module: &Module) -> Vec<Place> {
    let is_environment = |path: &str| {
        matches!(path, "os.environ" | "os.environb" | "os.getenv" | "os.putenv" | "os.unsetenv")
    };
    let attributes = module.attributes.iter().map(|spot| spot.place);
    let attributes =
        attributes.filter(|place| is_environment(&module.resolve(module.text(*place))));
    let imported = module.imports.iter().filter(|it| it.level == 0);
    let imported = imported.filter(|it| it.member.is_some() && is_environment(&it.target()));
    attributes.chain(imported.map(|it| it.place)).collect()
}
