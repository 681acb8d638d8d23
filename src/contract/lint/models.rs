//! Rules about what goes in and out.

use super::{Hits, Rule, place};
use crate::contract::document::Node;
use crate::contract::model::{Contract, Field, FieldType, Model};
use crate::contract::notes::shown;
use crate::finding::Level::Warning;
use serde_json::Value as Json;
use std::collections::HashSet;

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "contract.input-missing",
        Warning,
        "A contract says what goes in: `input_model`, `inputs` or `input_state`.",
        input_missing,
    )
    .why("A node without an input type can be neither generated nor called with types.")
    .fix("Add `input_model`, or declare fields under `inputs`."),
    Rule::new(
        "contract.output-missing",
        Warning,
        "A contract says what comes out: `output_model`, `outputs` or `output_state`.",
        output_missing,
    )
    .why("A node without an output type can be neither generated nor used with types.")
    .fix("Add `output_model`, or declare fields under `outputs`."),
    Rule::new(
        "contract.model-prefix",
        Warning,
        "The class of a model begins with `Model`.",
        model_prefix,
    )
    .why("The convention tells models from protocols and services, and checkers rely on it.")
    .fix("Name the class ModelSomething."),
    Rule::new(
        "contract.model-incomplete",
        Warning,
        "A model given as a map names the class, and its module unless it declares its fields.",
        model_incomplete,
    )
    .why("A class that cannot be found cannot be imported.")
    .fix("Add `name` and `module`, or declare `fields`."),
    Rule::new(
        "contract.module-path",
        Warning,
        "A module is a dotted Python path: no folders, no shell characters, no empty part.",
        module_path,
    )
    .why("It is imported; anything but a dotted path fails, or reaches where it should not.")
    .fix("Write it as package.part.module."),
    Rule::new(
        "contract.module-in-tests",
        Warning,
        "A model lives outside the tests, which are not installed with the package.",
        module_in_tests,
    )
    .why("Where the package is installed there are no tests, and the import fails.")
    .fix("Move the model into the package."),
    Rule::new(
        "contract.field-twice",
        Warning,
        "A field is declared once, also when only upper and lower case or signs differ.",
        field_twice,
    )
    .why("In Python both become one attribute and the second silently wins.")
    .fix("Remove one, or give it a name that differs by more than signs."),
    Rule::new(
        "contract.field-default",
        Warning,
        "A default fits the declared type and the declared bounds.",
        field_default,
    )
    .why("Every call that relies on the default would fail its own validation.")
    .fix("Change the default or the declaration."),
    Rule::new(
        "contract.field-bounds",
        Warning,
        "The lower bound of a field is not above its upper bound.",
        field_bounds,
    )
    .why("No value can satisfy both bounds.")
    .fix("Exchange the bounds."),
];

fn missing(contract: &Contract, model: &Model, word: &str, hits: &mut Hits<'_>) {
    let operations = contract.io_operations.iter();
    let in_operations = match word {
        "input" => operations.flat_map(|it| &it.input_fields).count(),
        _ => operations.flat_map(|it| &it.output_fields).count(),
    };
    if model.class_name.is_none() && model.fields.is_empty() && in_operations == 0 {
        let message = format!("the contract does not say what its {word} is");
        let help = format!("add `{word}_model`, or declare fields under `{word}s`");
        hits.hit(place(contract, &format!("{word}_model")), message, help);
    }
}

fn input_missing(contract: &Contract, hits: &mut Hits<'_>) {
    missing(contract, &contract.input, "input", hits);
}

fn output_missing(contract: &Contract, hits: &mut Hits<'_>) {
    missing(contract, &contract.output, "output", hits);
}

fn sides(contract: &Contract) -> [(&'static str, &Model); 2] {
    [("input_model", &contract.input), ("output_model", &contract.output)]
}

fn model_prefix(contract: &Contract, hits: &mut Hits<'_>) {
    for (key, model) in sides(contract) {
        let Some(class) = model.class_name.as_deref().filter(|it| !it.starts_with("Model")) else {
            continue;
        };
        let message = format!("the class {} of `{key}` does not begin with `Model`", shown(class));
        hits.hit(model.span, message, format!("name it {}", shown(&format!("Model{class}"))));
    }
}

fn model_incomplete(contract: &Contract, hits: &mut Hits<'_>) {
    for (key, model) in sides(contract) {
        let node = contract.document.get(key).filter(|node| node.is_mapping());
        let Some(node) = node else { continue };
        if model.class_name.is_none() && model.fields.is_empty() {
            let message = format!("`{key}` names no class");
            hits.hit(Some(node.span), message, "add `name: ModelSomething`");
        }
        if model.module.is_none() && model.fields.is_empty() {
            let message = format!("`{key}` names no module");
            hits.hit(Some(node.span), message, "add `module: package.models`, or declare `fields`");
        }
    }
}

/// Modules of models, dependencies and handlers, with their places.
fn modules(contract: &Contract) -> Vec<(String, Option<crate::finding::Span>)> {
    let models = sides(contract).map(|(_, model)| (model.module.clone(), model.span));
    let dependencies = contract.dependencies.iter().map(|it| (it.module.clone(), it.span));
    let handler = contract.document.at(&["handler", "module"]);
    let routed = contract.document.at(&["handler_routing", "handlers"]);
    let routed = routed.map_or(&[][..], Node::items).iter();
    let routed = routed.filter_map(|it| it.at(&["handler", "module"]));
    let nodes = handler.into_iter().chain(routed);
    let nodes = nodes.map(|it| (it.as_str().map(str::to_owned), Some(it.span)));
    let all = models.into_iter().chain(dependencies).chain(nodes);
    all.filter_map(|(module, span)| Some((module?, span))).collect()
}

fn module_path(contract: &Contract, hits: &mut Hits<'_>) {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    for (module, span) in modules(contract) {
        // A class may follow a colon, as in entry points.
        let path = module.split_once(':').map_or(module.as_str(), |(path, _)| path);
        if !path.split('.').all(part) {
            let message = format!("the module {} is no dotted Python path", shown(&module));
            hits.hit(span, message, "write it as package.part.module");
        }
    }
}

fn module_in_tests(contract: &Contract, hits: &mut Hits<'_>) {
    for (key, model) in sides(contract) {
        let Some(module) = &model.module else { continue };
        if module.split('.').next() == Some("tests") {
            let message = format!("the module {} of `{key}` is a test's", shown(module));
            hits.hit(model.span, message, "name a module that is installed with the package");
        }
    }
}

/// Fields of both models and of all definitions, by owner.
fn owners(contract: &Contract) -> Vec<(&str, &[Field])> {
    let models = [("the input", &contract.input), ("the output", &contract.output)];
    let models = models.into_iter().map(|(name, model)| (name, model.fields.as_slice()));
    let definitions =
        contract.definitions.iter().map(|it| (it.name.as_str(), it.fields.as_slice()));
    models.chain(definitions).collect()
}

fn field_twice(contract: &Contract, hits: &mut Hits<'_>) {
    for (owner, fields) in owners(contract) {
        let mut known = HashSet::new();
        for field in fields {
            let plain: String = field
                .name
                .chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>()
                .to_lowercase();
            if !known.insert(plain) {
                let message =
                    format!("the field {} of {owner} is there already", shown(&field.name));
                hits.hit(field.span, message, "remove it, or give it a name that differs more");
            }
        }
    }
}

fn field_default(contract: &Contract, hits: &mut Hits<'_>) {
    for (owner, fields) in owners(contract) {
        for field in fields {
            let Some(default) = &field.default else { continue };
            if let Err(why) = fits(default, field) {
                let message = format!("the default of {} of {owner} {why}", shown(&field.name));
                hits.hit(field.span, message, "change the default or the declaration");
            }
        }
    }
}

/// Why a default does not fit its field.
fn fits(default: &Json, field: &Field) -> Result<(), &'static str> {
    if let Some(why) = field.limits.refuses(default) {
        return Err(why);
    }
    of_type(default, &field.field_type)
}

fn of_type(default: &Json, field_type: &FieldType) -> Result<(), &'static str> {
    let good = match field_type {
        FieldType::Text
        | FieldType::Uuid
        | FieldType::DateTime
        | FieldType::Date
        | FieldType::Time
        | FieldType::Duration
        | FieldType::Bytes => !default.is_array() && !default.is_object(),
        FieldType::Decimal => {
            default.is_number() || default.as_str().is_some_and(|it| it.parse::<f64>().is_ok())
        }
        FieldType::Int => default.is_i64() || default.is_u64(),
        FieldType::Float => default.is_number(),
        FieldType::Bool => default.is_boolean(),
        FieldType::List(_) => default.is_array(),
        FieldType::Map(_) => default.is_object(),
        FieldType::Enum(values) => {
            let known = default.as_str().is_none_or(|text| values.iter().any(|it| it == text));
            return if known { Ok(()) } else { Err("is none of its values") };
        }
        FieldType::Literal(values) => {
            return if values.contains(default) { Ok(()) } else { Err("is none of its values") };
        }
        FieldType::Union(all) => all.iter().any(|it| of_type(default, it).is_ok()),
        FieldType::Limited(inner, limits) => {
            return limits.refuses(default).map_or_else(|| of_type(default, inner), Err);
        }
        FieldType::Optional(inner) => return of_type(default, inner),
        FieldType::Ref(_) | FieldType::Unknown(_) => true,
    };
    if good { Ok(()) } else { Err("is not of its type") }
}

fn field_bounds(contract: &Contract, hits: &mut Hits<'_>) {
    for (owner, fields) in owners(contract) {
        for field in fields {
            if field.limits.contradict() {
                let name = shown(&field.name);
                let message = format!("no value of {name} of {owner} lies within its bounds");
                hits.hit(field.span, message, "exchange the bounds");
            }
        }
    }
}
