//! Names of classes and of the files they are in.

use super::{ClassKind, kind_of};
use crate::template::names::class_words;
use crate::validate::model_class::base_name;
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Class names by what the class is.
pub(super) fn classes(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    if file.is_test() {
        return;
    }
    for class in &file.module.classes {
        let module = &file.module;
        let is_node = file.path == "node.py"
            && class.bases.iter().any(|place| base_name(module.text(*place)).starts_with("Node"));
        let (prefix, suffix) = match kind_of(file, class) {
            ClassKind::Model => ("Model", ""),
            ClassKind::Enum => ("Enum", ""),
            ClassKind::Protocol => ("Protocol", ""),
            ClassKind::Other if is_node => ("Node", capital(subject)),
            ClassKind::Other => ("", ""),
        };
        let middle = class.name.strip_prefix(prefix).and_then(|it| it.strip_suffix(suffix));
        let is_pascal = class.name.trim_start_matches('_').starts_with(char::is_uppercase)
            && !class.name.trim_start_matches('_').contains('_');
        if middle.is_none_or(|it| !prefix.is_empty() && it.is_empty()) {
            let wanted = format!("{prefix}<Name>{suffix}");
            let message = format!("the class `{}` is not called `{wanted}`", class.name);
            sink.at(file, class.name_place, message, format!("Call it `{wanted}`."));
        } else if !is_pascal {
            let message = format!("the class `{}` is not in PascalCase", class.name);
            sink.at(file, class.name_place, message, "Write each word with a capital.");
        }
    }
}

/// The kind as the end of a class name.
fn capital(subject: &Subject) -> &'static str {
    let base = subject.contract().map_or("", |it| super::base_of(it.node_type));
    base.strip_prefix("Node").unwrap_or_default()
}

/// Words that upstream finds too vague for a class.
const VAGUE: [&str; 9] = [
    "Manager",
    "Handler",
    "Helper",
    "Utility",
    "Util",
    "Service",
    "Controller",
    "Processor",
    "Worker",
];

/// Class names with a word that fits every class. Errors may name what failed; handlers and
/// services in folders of that name are meant.
pub(super) fn vague_classes(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let mut folders = file.path.split('/').rev().skip(1);
    let is_exempt = folders.any(|it| matches!(it, "errors" | "handlers" | "services"));
    if is_exempt || file.is_test() || file.stem() == "errors" {
        return;
    }
    for class in &file.module.classes {
        let name = class.name.to_lowercase();
        let is_error = class.name.ends_with("Error") || class.name.ends_with("Exception");
        let vague = VAGUE.iter().find(|it| name.contains(&it.to_lowercase()));
        if let Some(vague) = vague.filter(|_| !is_error) {
            let message = format!("the class `{}` is called a `{vague}`", class.name);
            sink.at(file, class.name_place, message, "Call it by what it does in the domain.");
        }
    }
}

/// Function names with capitals.
pub(super) fn functions(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    for function in file.module.functions.iter().filter(|it| !it.name.starts_with("__")) {
        // `visit_Call` of a syntax tree's visitor is a name that the caller has chosen
        let is_visitor = function.name.starts_with("visit_") || function.name.starts_with("do_");
        if function.name.contains(|c: char| c.is_uppercase()) && !is_visitor {
            let message = format!("the function `{}` is not in snake_case", function.name);
            sink.at(file, function.name_place, message, "Write it in small letters.");
        }
    }
}

/// Names of model and enum files: those of their class in snake_case. Underscores do not count,
/// because abbreviations are divided in more than one way.
pub(super) fn files(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let prefix = match file.path.split_once('/') {
        Some(("models", _)) => "model_",
        Some(("enums", _)) => "enum_",
        Some(("handlers", _)) => "handler_",
        _ => return,
    };
    // a file of functions has no class to be called after
    if file.stem() == "__init__" || file.module.classes.is_empty() {
        return;
    }
    let help = format!("Call it `{prefix}<name>.py`, after its class.");
    if !file.stem().starts_with(prefix) {
        let message = format!("`{}` does not begin with `{prefix}`", file.path);
        sink.whole_file(&file.path, message, help);
        return;
    }
    let plain = |text: &str| text.replace('_', "").to_lowercase();
    let stem = plain(file.stem());
    // a class may leave out words that upstream refuses, such as `worker`
    let middle = file.stem().strip_prefix(prefix).unwrap_or("");
    let shortened = plain(&format!("{prefix}{}", class_words(middle)));
    let has_class = file.module.classes.iter().any(|class| {
        let name = plain(&class.name);
        name == stem || name == shortened
    });
    if !has_class {
        let message = format!("`{}` has no class of its name", file.path);
        sink.whole_file(&file.path, message, help);
    }
}
