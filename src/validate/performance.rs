//! Does the code waste time that grows with its input, keep what it should forget, or block the
//! loop it runs in.

use std::collections::HashSet;

use super::rule::{Check, Rule, Sink};
use super::subject::{SourceFile, Subject};
use crate::finding::Level;
use crate::python::facts::{Assignment, LoopKind, Site, ValueKind};
use crate::python::{Module, Place, inside};

mod bounds;

/// Calls that block, by their full path; those ending in a dot stand for all of a module.
const BLOCKING: [&str; 17] = [
    "time.sleep",
    "open",
    "input",
    "os.system",
    "os.popen",
    "requests.",
    "subprocess.run",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "urllib.request.urlopen",
    "urllib3.request",
    "socket.create_connection",
    "httpx.get",
    "httpx.post",
    "httpx.request",
    "shutil.",
];

/// Methods of `pathlib.Path` that block.
const BLOCKING_METHODS: [&str; 4] = ["read_text", "write_text", "read_bytes", "write_bytes"];

/// The rules.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "performance.blocking-call",
        level: Level::Warning,
        summary: "a blocking call in an async function",
        why: "Nothing else of the event loop runs until it returns.",
        codes: &["ASYNC210", "ASYNC221", "ASYNC230", "ASYNC251"],
        check: Check::File(blocking_calls),
    },
    Rule {
        id: "performance.missing-timeout",
        level: Level::Warning,
        summary: "a request waits without a limit",
        why: "If the other side never answers, this side never goes on.",
        codes: &["S113"],
        check: Check::File(bounds::timeouts),
    },
    Rule {
        id: "performance.unbounded-cache",
        level: Level::Warning,
        summary: "a cache keeps everything that it has ever seen",
        why: "The memory of a process that runs on grows until there is none left.",
        codes: &["B019"],
        check: Check::File(bounds::caches),
    },
    Rule {
        id: "performance.quadratic",
        level: Level::Warning,
        summary: "each round of a loop moves or copies a whole list",
        why: "The time grows with the square of its length.",
        codes: &["RUF017"],
        check: Check::File(bounds::quadratic),
    },
    Rule {
        id: "performance.string-building",
        level: Level::Warning,
        summary: "a text is built with `+=` in a loop",
        why: "Each step may copy the whole text: the time grows with its square.",
        codes: &[],
        check: Check::File(string_building),
    },
    Rule {
        id: "performance.list-search",
        level: Level::Warning,
        summary: "a list is searched with `in` in a loop",
        why: "Each search reads the whole list; a set finds at once.",
        codes: &[],
        check: Check::File(list_search),
    },
    Rule {
        id: "performance.await-in-loop",
        level: Level::Note,
        summary: "a loop awaits its items one after the other",
        why: "They do not depend on one another and could run at once.",
        codes: &[],
        check: Check::File(await_in_loop),
    },
    Rule {
        id: "performance.regex-in-loop",
        level: Level::Warning,
        summary: "a constant pattern is compiled in a loop",
        why: "It is the same pattern each time.",
        codes: &[],
        check: Check::File(regex_in_loop),
    },
    Rule {
        id: "performance.endless-loop",
        level: Level::Warning,
        summary: "a `while True` neither ends nor pauses",
        why: "It takes a whole core and lets nothing else run.",
        codes: &[],
        check: Check::File(endless_loop),
    },
];
fn blocking_calls(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    if file.is_test() {
        return;
    }
    for call in module.calls.iter().filter(|call| !call.awaited) {
        let Some(function) = module.function(call.site.function).filter(|it| it.is_async) else {
            continue;
        };
        let path = call.path.as_deref().unwrap_or_default();
        let is_blocking = BLOCKING.iter().any(|it| match it.strip_suffix('.') {
            Some(_) => path.starts_with(it),
            None => path == *it,
        });
        let method = call.method.map_or("", |place| module.text(place));
        let is_own = module.exports.iter().any(|it| it == path);
        let shown = match is_blocking && !is_own {
            true => path,
            false if BLOCKING_METHODS.contains(&method) && call.callee != call.method => method,
            false => continue,
        };
        let message = format!("`{shown}` blocks the event loop in `async def {}`", function.name);
        let help = "Use an async equivalent, or `await asyncio.to_thread(...)`.";
        sink.at(file, call.place, message, help);
    }
}

/// The first plain assignment to a name in the function of a place.
fn first_assignment<'a>(module: &'a Module, name: &str, site: Site) -> Option<&'a Assignment> {
    let all = Place { start: 0, end: u32::MAX };
    let region = module.function(site.function).map_or(all, |it| it.place);
    inside(&module.assignments, region, |it| it.place).iter().find(|it| {
        it.is_name
            && it.operator.is_none()
            && it.value.is_some()
            && it.site.function == site.function
            && module.text(it.target) == name
    })
}

fn string_building(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for step in module.assignments.iter().filter(|it| it.is_name && it.site.in_loop.is_some()) {
        if step.operator.is_none_or(|place| module.text(place) != "+=") {
            continue;
        }
        let name = module.text(step.target);
        let Some(first) = first_assignment(module, name, step.site) else { continue };
        let is_text =
            first.value.is_some_and(|it| matches!(it.kind, ValueKind::Text | ValueKind::Formatted));
        // begun anew in each round, the text stays short
        if is_text && first.site.in_loop != step.site.in_loop {
            let message = format!("the text `{name}` is built piece by piece in a loop");
            sink.at(file, step.place, message, "Collect the pieces and `\"\".join` them.");
        }
    }
}

fn await_in_loop(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    if file.is_test() {
        return;
    }
    for waiting in &module.awaits {
        let Some(around) = module.enclosing_loop(waiting.site.in_loop) else { continue };
        if around.kind != LoopKind::For || around.leaves {
            continue;
        }
        let names: HashSet<&str> = inside(&module.names, waiting.place, |it| *it)
            .iter()
            .map(|place| module.text(*place))
            .collect();
        let uses_item = around.targets.iter().any(|place| names.contains(module.text(*place)));
        // what the loop itself changes may be needed in the next round
        let depends = inside(&module.assignments, around.place, |it| it.place)
            .iter()
            .any(|it| names.contains(module.text(it.target)));
        if uses_item && !depends {
            let message = "each round waits for the one before, though the items are independent";
            let help = "Start them together with `asyncio.gather`, if their order does not matter.";
            sink.at(file, waiting.place, message, help);
        }
    }
}

fn regex_in_loop(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in module.calls.iter().filter(|call| call.site.in_loop.is_some()) {
        let is_constant = call.arguments.first().is_some_and(|it| it.value.kind == ValueKind::Text);
        if is_constant && call.path.as_deref() == Some("re.compile") {
            let message = "the same pattern is compiled in each round";
            sink.at(file, call.place, message, "Compile it once, before the loop.");
        }
    }
}

fn list_search(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for search in module.memberships.iter().filter(|it| it.container.kind == ValueKind::Name) {
        let name = module.text(search.container.place);
        let Some(first) = first_assignment(module, name, search.site) else { continue };
        let Some(value) = first.value else { continue };
        let grows = matches!(value.kind, ValueKind::List(0) | ValueKind::Listed)
            || (value.kind == ValueKind::Call && module.text(value.place).starts_with("list("));
        // a short list written out is as fast as a set
        let is_long = matches!(value.kind, ValueKind::List(length) if length > 8);
        if (grows || is_long) && first.site.in_loop != search.site.in_loop {
            let message = format!("the list `{name}` is searched in each round");
            sink.at(file, search.place, message, "Search a set.");
        }
    }
}

fn endless_loop(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for endless in file.module.loops.iter().filter(|it| it.kind == LoopKind::Endless) {
        if !endless.leaves && !endless.pauses {
            let message = "the loop neither ends nor pauses";
            sink.at(file, endless.head, message, "Give it an end, or `await` in it.");
        }
    }
}
