//! What is in classes: fields, methods, configuration; and texts that belong into the contract.

use crate::python::inside;
use crate::template::package::FileKind;
use crate::validate::model_class::{ModelClass, has_base};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Most methods of a class that are not async, as upstream counts.
const METHODS_MAX: usize = 10;

/// Models that take what they do not know.
pub(super) fn extra_forbid(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for class in module.classes.iter().filter(|class| has_base(file, class, "BaseModel")) {
        if file.is_test() {
            continue;
        }
        let own = inside(&module.assignments, class.place, |it| it.place);
        let config = own.iter().find(|it| module.text(it.target) == "model_config");
        let text = config.and_then(|it| it.value).map(|value| module.text(value.place));
        let plain: String = text
            .unwrap_or("")
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
            .collect();
        if !plain.contains("extra=forbid") && !plain.contains("extra:forbid") {
            let message = format!("`{}` does not forbid unknown fields", class.name);
            let help = "Set `model_config = ConfigDict(extra=\"forbid\")`.";
            sink.at(file, class.name_place, message, help);
        }
    }
}

/// Fields that hold less than any text, and say that they hold any. Where the contract declares the
/// field, its type is the contract's business.
pub(super) fn text_fields(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    let models = module.classes.iter().filter(|class| has_base(file, class, "BaseModel"));
    for class in models.filter(|_| !file.is_test()) {
        for field in (ModelClass { file, class }).fields() {
            let wanted = match field.name {
                "category" | "type" | "status" => "an enum",
                name if name.ends_with("_id") => "a UUID",
                _ => continue,
            };
            let declared = subject.contract().is_some_and(|it| {
                let mut fields = it.input.fields.iter().chain(&it.output.fields);
                let name = field.alias.unwrap_or(field.name);
                fields.any(|it| it.name == name || it.name == field.name)
                    || it.definitions.iter().flat_map(|it| &it.fields).any(|it| it.name == name)
            });
            if matches!(field.annotation, "str" | "\"str\"") && !declared {
                let message = format!("`{}.{}` takes any text", class.name, field.name);
                sink.at(file, field.place, message, format!("Make it {wanted}."));
            }
        }
    }
}

/// Classes with many methods.
pub(super) fn methods(_: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    let module = &file.module;
    for (index, class) in module.classes.iter().enumerate().filter(|_| !file.is_test()) {
        let count = module.methods(index).filter(|it| !it.is_async).count();
        if count > METHODS_MAX {
            let message = format!("`{}` has {count} methods", class.name);
            let help = format!("Divide it; {METHODS_MAX} are allowed.");
            sink.at(file, class.name_place, message, help);
        }
    }
}

/// Names of topics: `onex.evt.orders.paid.v1`.
pub(super) fn topics(subject: &Subject, file: &SourceFile, sink: &mut Sink<'_>) {
    const KINDS: [&str; 5] = ["cmd.", "evt.", "intent.", "snapshot.", "dlq."];
    // the one place where a code base may list them
    if file.is_test() || file.stem() == "topics" {
        return;
    }
    let files = &subject.package().files;
    let contract = files.iter().find(|it| it.kind == FileKind::Contract);
    let declared = contract.map_or("", |it| it.content.as_str());
    let module = &file.module;
    for text in module.texts.iter().filter(|it| !it.standalone) {
        let rest = module.text(text.content).strip_prefix("onex.");
        let is_topic = rest.is_some_and(|rest| KINDS.iter().any(|it| rest.starts_with(it)));
        // a default of a field may be one, if the contract has it
        if is_topic && !declared.contains(module.text(text.content)) {
            let message =
                format!("the topic `{}` is written in the code", module.text(text.content));
            sink.at(
                file,
                text.place,
                message,
                "Declare it in the contract, and take it from there.",
            );
        }
    }
}
