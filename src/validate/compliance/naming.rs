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
    super::base_of(subject.contract().node_type).strip_prefix("Node").unwrap_or_default()
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
    if file.stem() == "__init__" {
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
    if !file.module.classes.is_empty() && !has_class {
        let message = format!("`{}` has no class of its name", file.path);
        sink.whole_file(&file.path, message, help);
    }
}
