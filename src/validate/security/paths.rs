//! Paths: written in the code, made of parameters, open to everybody.

use super::calls;
use crate::python::facts::{Call, Value, ValueKind};
use crate::python::{Module, inside};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Beginnings of absolute paths of one machine.
const ABSOLUTE: [&str; 13] = [
    "/home/", "/Users/", "/root/", "/etc/", "/var/", "/tmp", "/dev/shm", "/opt/", "/usr/", "/mnt/",
    "/srv/", "C:\\", "C:/",
];

/// Absolute paths of one machine.
pub(super) fn absolute(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    let module = &file.module;
    for text in module.texts.iter().filter(|it| !it.standalone) {
        let content = module.text(text.content);
        let is_path = ABSOLUTE.iter().any(|it| {
            let rest = content.strip_prefix(it);
            rest.is_some_and(|rest| {
                it.ends_with(['/', '\\']) || rest.is_empty() || rest.starts_with('/')
            })
        });
        // a pattern that finds paths is none
        let is_pattern = content.contains(['[', '(', '*']);
        if is_path && !is_pattern && !content.contains(char::is_whitespace) {
            let message = format!("`{content}` is an absolute path");
            sink.at(file, text.place, message, "Take the folder from the request or the settings.");
        }
    }
}

/// Files whose mode lets others change or run them.
pub(super) fn permissions(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for call in module.calls.iter().filter(|_| !file.is_test()) {
        let method = call.method.map_or("", |place| module.text(place));
        let at = usize::from(call.path.as_deref() == Some("os.chmod"));
        let by_place = call.arguments.get(at).filter(|it| it.name.is_none());
        let given = by_place.map(|it| module.text(it.value.place));
        let given = given.or_else(|| module.keyword(call, "mode"));
        // write for others; a program that is installed may be run by them
        let open = if at == 1 { 0o033 } else { 0o022 };
        let mode = given.and_then(integer);
        if let Some(mode) = mode.filter(|it| method == "chmod" && it & open != 0) {
            let message = format!("the mode 0o{mode:o} lets others change or run the file");
            sink.at(file, call.place, message, "Use 0o600, or 0o700.");
        }
    }
}

/// The value of an integer as it is written.
fn integer(text: &str) -> Option<u32> {
    let digits = text.replace('_', "").to_lowercase();
    match digits.get(..2) {
        Some("0o") => u32::from_str_radix(digits.get(2..)?, 8).ok(),
        Some("0x") => u32::from_str_radix(digits.get(2..)?, 16).ok(),
        Some("0b") => u32::from_str_radix(digits.get(2..)?, 2).ok(),
        _ => digits.parse().ok(),
    }
}

/// Names of files that are not made at once.
pub(super) fn temporary(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for (call, _) in calls(file).filter(|(_, path)| *path == "tempfile.mktemp") {
        let message = "`tempfile.mktemp` only names a file, it does not create it";
        sink.at(file, call.place, message, "Use `NamedTemporaryFile` or `mkstemp`.");
    }
}

/// Parameters that become part of an opened path by way of a text. A parameter that is the whole
/// path is the caller's business, and one that is checked by name first is not seen.
pub(super) fn traversal(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for (call, path) in calls(file) {
        if !matches!(path, "open" | "io.open" | "pathlib.Path" | "os.remove" | "shutil.rmtree") {
            continue;
        }
        let Some(first) = call.arguments.first() else { continue };
        let names = names_in(module, first.value);
        let parameter = names.into_iter().find(|name| is_unchecked(module, call, name));
        if let Some(name) = parameter {
            let message = format!("the parameter `{name}` becomes part of a path");
            let help = "Resolve the path, and check that it is below the folder.";
            sink.at(file, call.place, message, help);
        }
    }
}

/// The names that go into a path that is put together: by an f-string, `+`, or `os.path.join`.
fn names_in(module: &Module, value: Value) -> Vec<&str> {
    let is_joined = match value.kind {
        ValueKind::Formatted => true,
        ValueKind::Call => {
            let call = module.call_at(value.place);
            call.is_some_and(|it| it.path.as_deref() == Some("os.path.join"))
        }
        _ => module.concatenations.iter().any(|it| {
            it.place == value.place
                && [it.left, it.right]
                    .iter()
                    .any(|side| matches!(side.kind, ValueKind::Text | ValueKind::Formatted))
        }),
    };
    let names = inside(&module.names, value.place, |it| *it).iter().filter(|_| is_joined);
    names.map(|place| module.text(*place)).collect()
}

/// Whether a name is a text parameter of the function, which looks at it nowhere else.
fn is_unchecked(module: &Module, call: &Call, name: &str) -> bool {
    let Some(function) = module.function(call.site.function) else { return false };
    let is_text = function.parameters.iter().any(|it| {
        module.text(it.name) == name
            && it.annotation.is_some_and(|place| matches!(module.text(place), "str" | "\"str\""))
    });
    let uses = inside(&module.names, function.place, |it| *it)
        .iter()
        .filter(|place| module.text(**place) == name);
    is_text && uses.count() == 1
}
