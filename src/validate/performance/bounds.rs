//! Waiting, remembering and moving without a bound.

use crate::python::facts::{Call, Function, LoopKind, ValueKind};
use crate::python::{Module, Place, inside};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Functions of `requests` that send something; none has a timeout unless it is given.
const REQUESTS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "request"];

/// Requests without a limit of time.
pub(super) fn timeouts(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in module.calls.iter().filter(|_| !file.is_test()) {
        let Some(path) = call.path.as_deref() else { continue };
        let given = module.keyword(call, "timeout");
        let takes_none = path.strip_prefix("requests.").is_some_and(|it| REQUESTS.contains(&it))
            || path == "socket.create_connection"
            || path == "urllib.request.urlopen";
        // the second argument of a connection, and the third of a request, is the timeout, too
        let place = if path.starts_with("socket.") { 1 } else { 2 };
        let by_place = !path.starts_with("requests.")
            && call.arguments.iter().filter(|it| it.name.is_none()).count() > place;
        let is_off = given == Some("None")
            && (takes_none || path.starts_with("httpx.") || path == "asyncio.wait_for");
        if is_off || (takes_none && given.is_none() && !by_place) {
            let message = format!("`{path}` waits for ever when nobody answers");
            sink.at(file, call.place, message, "Say `timeout=` in seconds.");
        }
    }
}

/// Caches that never forget.
pub(super) fn caches(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let help = "Give it a bound: `functools.lru_cache(maxsize=1024)`.";
    // without a parameter, or with the class alone, there is one result to keep
    let has_some = |it: &&Function| {
        let class = it.parameters.first().is_some_and(|it| module.text(it.name) == "cls");
        it.parameters.len() > usize::from(class)
    };
    for function in module.functions.iter().filter(has_some) {
        for decorator in &function.decorators {
            let text = module.text(*decorator);
            let (head, arguments) = text.split_once('(').unwrap_or((text, ""));
            let plain: String = arguments.chars().filter(|it| !it.is_whitespace()).collect();
            let is_unbounded = match module.resolve(head.trim()).as_str() {
                "functools.cache" => true,
                "functools.lru_cache" => {
                    plain.starts_with("None") || plain.contains("maxsize=None")
                }
                _ => false,
            };
            if is_unbounded {
                let message = format!("the cache of `{}` keeps every result", function.name);
                sink.at(file, *decorator, message, help);
            }
        }
    }
    for (name, place) in cache_dicts(module) {
        let message = format!("`{name}` is filled and never emptied");
        let help = "Give it a bound, and remove the oldest beyond it.";
        sink.at(file, place, message, help);
    }
}

/// Dicts of the module that are called caches, that functions put things into, and that nobody
/// removes anything from.
fn cache_dicts(module: &Module) -> Vec<(&str, Place)> {
    let mut found = Vec::new();
    let is_top = |site: crate::python::facts::Site| site.function.is_none() && site.class.is_none();
    for made in module.assignments.iter().filter(|it| it.is_name && is_top(it.site)) {
        let name = module.text(made.target);
        let is_empty =
            made.value.is_some_and(|it| matches!(module.text(it.place), "{}" | "dict()"));
        if !is_empty || !name.to_lowercase().contains("cache") {
            continue;
        }
        let head = format!("{name}[");
        let filled = module
            .assignments
            .iter()
            .any(|it| it.site.function.is_some() && module.text(it.target).starts_with(&head));
        let source = module.source();
        let forgets = ["pop(", "popitem(", "clear("]
            .iter()
            .any(|it| source.contains(&format!("{name}.{it}")))
            || source.contains(&format!("del {head}"))
            || source.contains(&format!("len({name})"));
        if filled && !forgets {
            found.push((name, made.target));
        }
    }
    found
}

/// Whole lists moved or copied in each round.
pub(super) fn quadratic(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in &module.calls {
        let method = call.method.map_or("", |place| module.text(place));
        let first = call.arguments.first().map(|it| module.text(it.value.place));
        let at_front = match (method, call.arguments.len()) {
            ("insert", 2) => first == Some("0"),
            ("pop", 1) => first == Some("0"),
            _ => false,
        };
        if at_front && call.callee != call.method && in_statement_loop(module, call) {
            let message = format!("`{method}(0…)` moves the whole list in each round");
            sink.at(file, call.place, message, "Use `collections.deque`.");
        }
        let adds_lists = call.path.as_deref() == Some("sum")
            && call.arguments.get(1).is_some_and(|it| it.value.kind == ValueKind::List(0));
        if adds_lists {
            let help = "Use `itertools.chain.from_iterable`.";
            sink.at(file, call.place, "`sum` copies the whole list for each part", help);
        }
    }
    for step in module.assignments.iter().filter(|it| it.is_name && it.site.in_loop.is_some()) {
        let Some(value) = step.value.filter(|_| step.operator.is_none()) else { continue };
        let near = inside(&module.concatenations, value.place, |it| it.place);
        let joined = near.iter().find(|it| it.place == value.place);
        let copies = joined.is_some_and(|it| {
            module.text(it.left.place) == module.text(step.target)
                && matches!(it.right.kind, ValueKind::List(_) | ValueKind::Listed)
        });
        if copies {
            let message = format!("`{}` is copied in each round", module.text(step.target));
            sink.at(file, step.place, message, "Use `append` or `extend`.");
        }
    }
}

fn in_statement_loop(module: &Module, call: &Call) -> bool {
    let around = module.enclosing_loop(call.site.in_loop);
    around.is_some_and(|it| it.kind != LoopKind::Comprehension)
}
