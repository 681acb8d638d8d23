//! Do contract and code agree: the types of fields, which of them must be given, and what the node
//! and its handler take and give.

use crate::contract::model::{Contract, FieldType, NodeType};
use crate::python::annotation::{self, Term};
use crate::python::facts::Function;
use crate::template::package::FileKind;
use crate::validate::model_class::{self, base_name};
use crate::validate::rule::Sink;
use crate::validate::subject::{SourceFile, Subject};

/// Fields of another type than the contract's.
pub(super) fn field_types(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    for (model, role) in [(&contract.input, "input"), (&contract.output, "output")] {
        let Some(class) = model_class::find(subject, model, role) else { continue };
        for field in &model.fields {
            let Some(found) = class.field(&field.name) else { continue };
            let members = annotation::members(found.annotation);
            if let Some(wanted) = disagreement(&field.field_type, &members) {
                let message = format!(
                    "`{}.{}` is `{}`, the contract says {wanted}",
                    class.class.name, found.name, found.annotation
                );
                sink.at(class.file, found.place, message, "Annotate what the contract says.");
            }
        }
    }
}

/// What the contract says, where the annotation says something else. Silent wherever one of the
/// two says nothing definite: a class of its own, a type variable, `Unknown`.
fn disagreement(declared: &FieldType, members: &[Term]) -> Option<&'static str> {
    const DEFINITE: [&str; 13] = [
        "str",
        "int",
        "float",
        "bool",
        "UUID",
        "datetime",
        "date",
        "time",
        "timedelta",
        "Decimal",
        "bytes",
        "list",
        "dict",
    ];
    let mut present = members.iter().filter(|it| it.name != "None");
    let (Some(term), None) = (present.next(), present.next()) else { return None };
    let (wanted, names): (_, &[&str]) = match declared {
        FieldType::Optional(inner) | FieldType::Limited(inner, _) => {
            return disagreement(inner, members);
        }
        FieldType::Text => ("text", &["str"]),
        FieldType::Int => ("an integer", &["int"]),
        FieldType::Float => ("a number", &["float"]),
        FieldType::Bool => ("a boolean", &["bool"]),
        FieldType::Uuid => ("a UUID", &["UUID"]),
        FieldType::DateTime => ("a time", &["datetime", "date"]),
        FieldType::Date => ("a day", &["date"]),
        FieldType::Time => ("a time of day", &["time"]),
        FieldType::Duration => ("a duration", &["timedelta"]),
        FieldType::Decimal => ("a decimal number", &["Decimal"]),
        FieldType::Bytes => ("bytes", &["bytes"]),
        FieldType::List(_) => ("a list", &["list"]),
        FieldType::Map(_) => ("a mapping", &["dict"]),
        FieldType::Enum(_) => ("one of an enum's texts", &["str"]),
        FieldType::Literal(_) | FieldType::Union(_) | FieldType::Ref(_) | FieldType::Unknown(_) => {
            return None;
        }
    };
    if names.contains(&term.name.as_str()) {
        let inner = match (declared, term.arguments.as_slice()) {
            (FieldType::List(inner), [item]) => disagreement(inner, item),
            (FieldType::Map(inner), [_, value]) => disagreement(inner, value),
            _ => None,
        };
        return inner;
    }
    DEFINITE.contains(&term.name.as_str()).then_some(wanted)
}

/// Fields without a default that the contract does not know, or lets be left out.
pub(super) fn required_fields(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    // what comes out is made by the node itself
    let model = &contract.input;
    let Some(class) = model_class::find(subject, model, "input") else { return };
    if model.fields.is_empty() {
        return;
    }
    for field in class.fields().iter().filter(|it| it.required) {
        let name = field.alias.unwrap_or(field.name);
        let declared = model.fields.iter().find(|it| it.name == name || it.name == field.name);
        let says = match declared {
            None => "does not know it",
            Some(declared) if !declared.required => "lets it be left out",
            Some(_) => continue,
        };
        let message = format!("`{}.{name}` must be given, the contract {says}", class.class.name);
        sink.at(class.file, field.place, message, "Give it a default, or declare it as required.");
    }
}

/// `execute` of the node and `handle` of the handlers against the models of the contract.
pub(super) fn signatures(contract: &Contract, subject: &Subject, sink: &mut Sink<'_>) {
    let class = |model, role| model_class::find(subject, model, role).map(|it| &it.class.name);
    let wanted = (class(&contract.input, "input"), class(&contract.output, "output"));
    for file in subject.production().filter(|it| it.module.is_valid()) {
        // the handler of a state machine or a workflow is given what the runtime has made of it
        let is_direct = matches!(contract.node_type, NodeType::Compute | NodeType::Effect);
        let (name, input) = match file.kind {
            FileKind::Node if file.path == "node.py" => ("execute", wanted.0),
            FileKind::Handler => ("handle", wanted.0.filter(|_| is_direct)),
            _ => continue,
        };
        let functions = file.module.functions.iter().filter(|it| it.name == name);
        let methods = functions.filter(|it| it.site.class.is_some() && it.site.function.is_none());
        for function in methods {
            check(file, function, (input, wanted.1), sink);
        }
    }
}

fn check(
    file: &SourceFile,
    function: &Function,
    (input, output): (Option<&String>, Option<&String>),
    sink: &mut Sink<'_>,
) {
    let module = &file.module;
    let own = usize::from(function.site.class.is_some());
    let request = function.parameters.get(own).and_then(|it| it.annotation);
    let name = &function.name;
    let parts = [("takes", request, input), ("gives", function.returns, output)];
    for (does, place, wanted) in parts {
        let (Some(place), Some(wanted)) = (place, wanted) else { continue };
        let text = module.text(place).trim_matches(['"', '\'']);
        // a model of another name may derive from the contract's, but not a plain type
        let is_other = base_name(text) != wanted;
        if is_other {
            let message = format!("`{name}` {does} `{text}`, the contract says `{wanted}`");
            sink.at(file, place, message, "Annotate what the contract says.");
        }
    }
}
