//! Relative imports against the files and names of the package.

use crate::python::facts::Import;
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// What a relative import leads to.
enum Target {
    /// Outside of the package, or not decidable.
    Unknown,
    /// It is there.
    Found,
    /// There is no such module.
    NoModule(String),
    /// The module has no such name.
    NoName(String),
}

/// Reports relative imports that lead nowhere.
pub(super) fn relative(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    // of a file by itself nobody knows what lies beside it
    let in_package = subject.contract().is_some();
    for import in file.module.imports.iter().filter(|it| in_package && it.level > 0) {
        let name = import.member.as_deref().unwrap_or(&import.bound);
        match target(subject, file, import) {
            Target::Unknown | Target::Found => {}
            Target::NoModule(module) => {
                let message = format!("the import of `{name}` names no file: `{module}.py`");
                sink.at(file, import.place, message, "Correct the module, or add the file.");
            }
            Target::NoName(module) => {
                let message = format!("`{module}` has no `{name}`");
                sink.at(file, import.place, message, "Correct the name, or define it there.");
            }
        }
    }
}

fn target(subject: &Subject, file: &SourceFile, import: &Import) -> Target {
    let mut parts: Vec<&str> = file.path.split('/').collect();
    for _ in 0..import.level {
        if parts.pop().is_none() {
            return Target::Unknown;
        }
    }
    parts.extend(import.module.split('.').filter(|part| !part.is_empty()));
    let path = parts.join("/");
    let join = |rest: &str| {
        if path.is_empty() { rest.to_owned() } else { format!("{path}/{rest}") }
    };
    let as_file = subject.source(&format!("{path}.py"));
    let as_folder = subject.source(&join("__init__.py"));
    let Some(module) = as_file.or(as_folder) else {
        let is_folder = subject.sources().iter().any(|it| it.path.starts_with(&join("")));
        return if is_folder { Target::Unknown } else { Target::NoModule(path) };
    };
    let Some(member) = import.member.as_deref().filter(|it| *it != "*") else {
        return Target::Found;
    };
    let exports = &module.module.exports;
    let has_name = exports.binary_search_by(|it| it.as_str().cmp(member)).is_ok();
    let has_file = subject.source(&join(&format!("{member}.py"))).is_some()
        || subject.source(&join(&format!("{member}/__init__.py"))).is_some();
    let anything = !module.module.is_valid()
        || module.module.imports.iter().any(|it| it.bound == "*")
        || exports.iter().any(|it| it == "__getattr__");
    match has_name || has_file {
        true => Target::Found,
        false if anything => Target::Unknown,
        false => Target::NoName(module.path.clone()),
    }
}
