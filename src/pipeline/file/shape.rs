//! What a pipeline file may look like: which keys a mapping has and what stands under them. The
//! types of `workflow::composition` say the same to serde; here every fault is found, with its
//! place.

use serde_json::{Map, Value as Json};

use crate::contract::document::Node;
use crate::error::nearest;

use super::Faults;

/// What may stand in a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Any,
    Text,
    Whole,
    Number,
    Boolean,
    /// A text or a number.
    Span,
    Texts,
    OneOf(&'static [&'static str]),
    Mapping,
    /// A mapping of names to the same shape.
    Each(&'static Self),
    List(&'static Self),
    Struct(&'static [(&'static str, Self)]),
    Composition,
    /// A list of compositions.
    Compositions,
    /// What follows a failure.
    Failure,
    /// What a caller changes of a step.
    Override,
}

use Shape::*;

const VARIABLE: Shape = Struct(&[
    ("scope", OneOf(&["global", "local", "inherited", "shared"])),
    ("initial", Any),
    ("merge", OneOf(&["replace", "sum", "min", "max", "append", "union"])),
]);

const PARAMETER: Shape =
    Struct(&[("name", Text), ("type", Text), ("default", Any), ("description", Text)]);

const RESOURCE: Shape =
    Struct(&[("places", Whole), ("rate", Text), ("failures", Whole), ("cooldown", Span)]);

/// The file.
pub(super) const DEFINITION: Shape = Struct(&[
    ("name", Text),
    ("version", Text),
    ("description", Text),
    ("parameters", List(&PARAMETER)),
    ("state", Each(&VARIABLE)),
    ("concurrency", Whole),
    ("timeout", Span),
    ("resources", Each(&RESOURCE)),
    ("steps", Compositions),
    ("output", Any),
]);

const USE: Shape = Struct(&[("use", Text), ("with", Mapping)]);

const RETRY: Shape =
    Struct(&[("attempts", Whole), ("initial", Span), ("max", Span), ("multiplier", Number)]);

const WHEN: Shape = OneOf(&["all_success", "any_success", "none_failed", "all_done"]);

const STEP: Shape = Struct(&[
    ("name", Text),
    ("use", Text),
    ("with", Mapping),
    ("needs", Texts),
    ("if", Text),
    ("when", WHEN),
    ("set", Mapping),
    ("retry", RETRY),
    ("timeout", Span),
    ("queue_timeout", Span),
    ("total_timeout", Span),
    ("on_failure", Failure),
    ("undo", USE),
    ("resource", Text),
    ("estimate", Span),
    ("pure", Boolean),
]);

const CONDITIONAL: Shape =
    Struct(&[("name", Text), ("if", Text), ("then", Compositions), ("else", Compositions)]);

const TREE: Shape = Struct(&[("root", Composition), ("children", Compositions)]);

const FOR_EACH: Shape = Struct(&[
    ("name", Text),
    ("in", Any),
    ("as", Text),
    ("do", Compositions),
    ("concurrency", Whole),
    ("items_max", Whole),
    ("partial", Boolean),
]);

const CALL: Shape =
    Struct(&[("name", Text), ("use", Text), ("with", Mapping), ("override", Each(&Override))]);

/// What a step can have but its name, and what a call can have but its name and workflow.
const OVERRIDE: &[(&str, Shape)] = &[
    ("use", Text),
    ("with", Mapping),
    ("needs", Texts),
    ("if", Text),
    ("when", WHEN),
    ("set", Mapping),
    ("retry", RETRY),
    ("timeout", Span),
    ("queue_timeout", Span),
    ("total_timeout", Span),
    ("on_failure", Failure),
    ("undo", USE),
    ("resource", Text),
    ("estimate", Span),
    ("pure", Boolean),
    ("override", Each(&Override)),
];

const SCOPE: Shape = Struct(&[("state", Each(&VARIABLE)), ("steps", Compositions)]);

/// The kinds of compositions.
const KINDS: [(&str, Shape); 9] = [
    ("sequential", Compositions),
    ("parallel", Compositions),
    ("pipeline", Compositions),
    ("graph", Compositions),
    ("conditional", CONDITIONAL),
    ("tree", TREE),
    ("for_each", FOR_EACH),
    ("workflow", CALL),
    ("scope", SCOPE),
];

impl Shape {
    /// Looks whether a node has this shape; `what` is what it is, for messages.
    pub(super) fn check(self, node: &Node, what: &str, faults: &mut Faults<'_>) {
        let wanted = match self {
            Any => return,
            Text if node.as_str().is_some() => return,
            Text => "a text",
            Whole if node.as_u64().is_some_and(|it| it <= u64::from(u32::MAX)) => return,
            Whole => "a whole number",
            Number if node.as_f64().is_some() => return,
            Number => "a number",
            Boolean if node.as_bool().is_some() => return,
            Boolean => "true or false",
            Span if node.as_str().is_some() => return,
            Span => "a time span such as `250ms` or `2s`",
            Mapping if node.is_mapping() => return,
            Mapping => "a mapping",
            OneOf(names) => return one_of(names, node, what, faults),
            Texts if node.is_sequence() => {
                return node.items().iter().for_each(|it| Text.check(it, what, faults));
            }
            Texts => "a list of names",
            Each(shape) if node.is_mapping() => {
                return node.entries().for_each(|(name, it)| shape.check(it, name, faults));
            }
            Each(_) => "a mapping of names",
            List(shape) if node.is_sequence() => {
                return node.items().iter().for_each(|it| shape.check(it, what, faults));
            }
            List(_) => "a list",
            Compositions if node.is_sequence() => {
                return node.items().iter().for_each(|it| composition(it, faults));
            }
            Compositions => "a list of steps and compositions",
            Composition => return composition(node, faults),
            Struct(keys) if node.is_mapping() => return keys_of(node, what, keys, faults),
            Struct(_) => "a mapping",
            Failure => return failure(node, what, faults),
            Override if node.is_mapping() => return keys_of(node, what, OVERRIDE, faults),
            Override => "a mapping of settings",
        };
        faults.add(node.span, format!("{what} is {}, not {wanted}", node.what()), None);
    }
}

impl Shape {
    /// A node of this shape as serde takes it: a text is a text also where YAML sees a number, and
    /// of a key with nothing behind it the default counts.
    pub(super) fn json(self, node: &Node) -> Json {
        match self {
            Text | OneOf(_) => node.text().map_or(Json::Null, Json::from),
            Texts | List(_) | Compositions => {
                let item = match self {
                    Texts => Text,
                    List(shape) => *shape,
                    _ => Composition,
                };
                Json::Array(node.items().iter().map(|it| item.json(it)).collect())
            }
            Each(shape) => {
                let entries = node.entries();
                Json::Object(entries.map(|(name, it)| (name.to_owned(), shape.json(it))).collect())
            }
            Struct(keys) => object(node, keys),
            Override => object(node, OVERRIDE),
            Failure if node.is_mapping() => object(node, &[("fallback", USE)]),
            Failure => node.to_json(),
            Composition => match kind_of(node) {
                Some((kind, shape, value)) => {
                    Json::Object(Map::from_iter([(kind.to_owned(), shape.json(value))]))
                }
                None => STEP.json(node),
            },
            Any | Whole | Number | Boolean | Span | Mapping => node.to_json(),
        }
    }
}

fn object(node: &Node, keys: &[(&str, Shape)]) -> Json {
    let known = node.entries().filter_map(|(name, value)| {
        let shape = keys.iter().find(|it| it.0 == name)?.1;
        let is_there = !value.is_null() || matches!(shape, Any);
        is_there.then(|| (name.to_owned(), shape.json(value)))
    });
    Json::Object(known.collect())
}

/// The kind of a composition that is no step, and what stands under it.
fn kind_of(node: &Node) -> Option<(&'static str, Shape, &Node)> {
    let mut kinds = KINDS.iter().filter(|_| node.get("use").is_none());
    kinds.find_map(|(kind, shape)| node.get(kind).map(|value| (*kind, *shape, value)))
}

fn keys_of(node: &Node, what: &str, keys: &[(&str, Shape)], faults: &mut Faults<'_>) {
    for (key, value) in node.pairs() {
        let name = key.text().unwrap_or_default();
        match keys.iter().find(|it| it.0 == name) {
            // `key:` with nothing behind it is as if it were not there
            Some(_) if value.is_null() => {}
            Some((_, shape)) => shape.check(value, &format!("`{name}`"), faults),
            None => {
                let near = nearest(name, keys.iter().map(|it| it.0));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        let all: Vec<String> =
                            keys.iter().map(|it| format!("`{}`", it.0)).collect();
                        format!("it can have {}", all.join(", "))
                    }
                };
                faults.add(key.span, format!("{what} has no key `{name}`"), Some(help));
            }
        }
    }
}

fn one_of(names: &[&str], node: &Node, what: &str, faults: &mut Faults<'_>) {
    if node.as_str().is_some_and(|it| names.contains(&it)) {
        return;
    }
    let all: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    let found = node.text().map_or(node.what().to_owned(), |it| format!("`{it}`"));
    let near = node.text().and_then(|it| nearest(it, names.iter().copied()));
    let help = near.map(|it| format!("did you mean `{it}`?"));
    faults.add(node.span, format!("{what} is {found}, none of {}", all.join(", ")), help);
}

fn failure(node: &Node, what: &str, faults: &mut Faults<'_>) {
    if node.is_mapping() {
        if node.get("fallback").is_none_or(Node::is_null) {
            let help = "write `fail`, `degrade`, or a component under `fallback`";
            faults.add(node.span, format!("{what} says nothing"), Some(help.to_owned()));
        }
        return keys_of(node, what, &[("fallback", USE)], faults);
    }
    one_of(&["fail", "degrade"], node, what, faults);
}

/// A mapping with one key that names its kind; or a step.
fn composition(node: &Node, faults: &mut Faults<'_>) {
    if !node.is_mapping() {
        let help = "write a step with `name` and `use`, or a composition such as `parallel`";
        let message = format!("a part of a pipeline is {}, not a mapping", node.what());
        return faults.add(node.span, message, Some(help.to_owned()));
    }
    let Some((kind, shape, value)) = kind_of(node) else {
        let only = node.pairs().first().filter(|_| node.pairs().len() == 1);
        let near = only
            .and_then(|(key, _)| key.text())
            .and_then(|name| nearest(name, KINDS.iter().map(|it| it.0)).map(|near| (name, near)));
        if let (Some((name, near)), Some((key, _))) = (near, only) {
            let message = format!("`{name}` is no kind of composition");
            return faults.add(key.span, message, Some(format!("did you mean `{near}`?")));
        }
        let name = node.get("name").and_then(Node::as_str).unwrap_or_default();
        let what = if name.is_empty() { "a step".to_owned() } else { format!("step `{name}`") };
        return STEP.check(node, &what, faults);
    };
    for (key, _) in node.pairs() {
        if let Some(other) = key.text().filter(|it| *it != kind) {
            let message = format!("`{other}` stands beside `{kind}`");
            let help = format!("what belongs to it stands under `{kind}`, indented");
            faults.add(key.span, message, Some(help));
        }
    }
    shape.check(value, &format!("`{kind}`"), faults);
    if kind == "tree" && value.is_mapping() && value.get("root").is_none_or(Node::is_null) {
        faults.add(value.span, "the tree has no `root`".to_owned(), None);
    }
}
