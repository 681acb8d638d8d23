//! Changes of models: what a caller may send, and what it gets back. Pure.
//!
//! An input may only grow, an output may only shrink: a type that takes more breaks nobody who
//! sends, and everybody who reads.

use std::collections::{HashMap, HashSet};

use super::{Changes, Impact, Named};
use crate::contract::model::limits::Limits;
use crate::contract::model::{Contract, Definition, Field, FieldType, Model};
use crate::finding::Span;

/// Who meets a model.
#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    /// Callers send it.
    sent: bool,
    /// Callers read it.
    read: bool,
}

impl Named for Field {
    fn name(&self) -> &str {
        &self.name
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

impl Named for Definition {
    fn name(&self) -> &str {
        &self.name
    }

    fn span(&self) -> Option<Span> {
        self.span
    }
}

pub(super) fn models(old: &Contract, new: &Contract, changes: &mut Changes) {
    let sent = Sides { sent: true, read: false };
    let read = Sides { sent: false, read: true };
    model("input", &old.input, &new.input, sent, changes);
    model("output", &old.output, &new.output, read, changes);
    let used = used(new, used(old, HashMap::new()));
    let nothing = |_: &Definition| Impact::Compatible;
    let lists = (old.definitions.as_slice(), new.definitions.as_slice());
    changes.named("definitions", lists, nothing, nothing, |changes, path, old, new| {
        let sides = used.get(old.name.as_str()).copied().unwrap_or_default();
        changes.text(
            path,
            old.description.as_deref(),
            new.description.as_deref(),
            places(old, new),
        );
        let values = values(&old.values, &new.values, sides);
        if let Some((impact, message)) = values {
            changes.add(impact, path, message, places(old, new));
        }
        fields(path, &old.fields, &new.fields, sides, changes);
    });
}

fn places<T: Named>(old: &T, new: &T) -> (Option<Span>, Option<Span>) {
    (old.span(), new.span())
}

/// Definitions by who meets them, found from the models on.
fn used<'a>(contract: &'a Contract, mut found: HashMap<&'a str, Sides>) -> HashMap<&'a str, Sides> {
    let index: HashMap<&str, &Definition> =
        contract.definitions.iter().map(|it| (it.name.as_str(), it)).collect();
    for (model, sent) in [(&contract.input, true), (&contract.output, false)] {
        let mut queue: Vec<&'a FieldType> = model.fields.iter().map(|it| &it.field_type).collect();
        let mut seen = HashSet::new();
        while let Some(field_type) = queue.pop() {
            match field_type {
                FieldType::List(it)
                | FieldType::Map(it)
                | FieldType::Optional(it)
                | FieldType::Limited(it, _) => queue.push(it),
                FieldType::Union(all) => queue.extend(all),
                FieldType::Ref(name) if seen.insert(name.as_str()) => {
                    let sides = found.entry(name).or_default();
                    sides.sent |= sent;
                    sides.read |= !sent;
                    let fields = index.get(name.as_str()).map_or(&[][..], |it| &it.fields);
                    queue.extend(fields.iter().map(|it| &it.field_type));
                }
                _ => {}
            }
        }
    }
    found
}

fn model(path: &str, old: &Model, new: &Model, sides: Sides, changes: &mut Changes) {
    let places = (old.span, new.span);
    for (key, before, after) in
        [("class_name", &old.class_name, &new.class_name), ("module", &old.module, &new.module)]
    {
        changes.value(Impact::Breaking, &format!("{path}.{key}"), before, after, places);
    }
    changes.text(path, old.description.as_deref(), new.description.as_deref(), places);
    fields(path, &old.fields, &new.fields, sides, changes);
}

fn when(condition: bool) -> Impact {
    if condition { Impact::Breaking } else { Impact::Compatible }
}

fn fields(path: &str, old: &[Field], new: &[Field], sides: Sides, changes: &mut Changes) {
    // Models forbid what they do not know: one who still sends a field that is gone fails as well.
    let gone = |_: &Field| when(sides.sent || sides.read);
    let added = |it: &Field| when(sides.sent && it.required && it.default.is_none());
    changes.named(path, (old, new), gone, added, |changes, path, old, new| {
        field(path, old, new, sides, changes);
    });
}

fn field(path: &str, old: &Field, new: &Field, sides: Sides, changes: &mut Changes) {
    let places = places(old, new);
    if old.required != new.required {
        let breaks = if new.required { sides.sent } else { sides.read };
        let message = if new.required { "is required now" } else { "may be left out now" };
        changes.add(when(breaks), path, message, places);
    }
    if let Some((impact, message)) = of_type(&old.field_type, &new.field_type, sides) {
        changes.add(impact, path, message, places);
    }
    changes.value(
        Impact::Compatible,
        &format!("{path}.default"),
        &old.default,
        &new.default,
        places,
    );
    limits(path, &old.limits, &new.limits, sides, places, changes);
    changes.text(path, old.description.as_deref(), new.description.as_deref(), places);
}

/// Changes of limits: one that takes fewer values breaks who sends, one that takes more who reads.
fn limits(
    path: &str,
    old: &Limits,
    new: &Limits,
    sides: Sides,
    places: (Option<Span>, Option<Span>),
    changes: &mut Changes,
) {
    let mut change = |key: &str, old: Option<String>, new: Option<String>, wider: Option<bool>| {
        let breaks = match wider {
            Some(true) => sides.read,
            Some(false) => sides.sent,
            None => sides.read || sides.sent,
        };
        changes.value(when(breaks), &format!("{path}.{key}"), &old, &new, places);
    };
    let shown = |it: Option<f64>| it.map(|it| it.to_string());
    let count = |it: Option<u64>| it.map(|it| it as f64);
    for (key, old, new) in [
        ("minimum", old.minimum, new.minimum),
        ("exclusive_minimum", old.exclusive_minimum, new.exclusive_minimum),
        ("min_length", count(old.min_length), count(new.min_length)),
    ] {
        let free = f64::NEG_INFINITY;
        change(key, shown(old), shown(new), Some(new.unwrap_or(free) < old.unwrap_or(free)));
    }
    for (key, old, new) in [
        ("maximum", old.maximum, new.maximum),
        ("exclusive_maximum", old.exclusive_maximum, new.exclusive_maximum),
        ("max_length", count(old.max_length), count(new.max_length)),
        ("max_digits", count(old.max_digits), count(new.max_digits)),
        ("decimal_places", count(old.decimal_places), count(new.decimal_places)),
    ] {
        let free = f64::INFINITY;
        change(key, shown(old), shown(new), Some(new.unwrap_or(free) > old.unwrap_or(free)));
    }
    let one = |old: bool, new: bool| if old && new { None } else { Some(old) };
    let factors = (shown(old.multiple_of), shown(new.multiple_of));
    let wider = one(factors.0.is_some(), factors.1.is_some());
    change("multiple_of", factors.0, factors.1, wider);
    let wider = one(old.pattern.is_some(), new.pattern.is_some());
    change("pattern", old.pattern.clone(), new.pattern.clone(), wider);
    let said = |it: bool| it.then(|| "yes".to_owned());
    change("unique_items", said(old.unique_items), said(new.unique_items), Some(old.unique_items));
}

/// How one type holds the values of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Same,
    /// It holds more values than before.
    Wider,
    /// It holds fewer.
    Narrower,
    Other,
}

fn of_type(old: &FieldType, new: &FieldType, sides: Sides) -> Option<(Impact, String)> {
    if let (FieldType::Enum(before), FieldType::Enum(after)) = (old, new) {
        return values(before, after, sides);
    }
    let breaks = match compared(old, new) {
        Change::Same => return None,
        Change::Wider => sides.read,
        Change::Narrower => sides.sent,
        Change::Other => true,
    };
    Some((when(breaks), format!("{} became {}", spelled(old), spelled(new))))
}

fn compared(old: &FieldType, new: &FieldType) -> Change {
    use FieldType::{
        Date, DateTime, Decimal, Duration, Enum, Float, Int, Limited, List, Literal, Map, Optional,
        Text, Time, Union, Unknown, Uuid,
    };
    match (old, new) {
        (old, new) if old == new => Change::Same,
        (Optional(old), Optional(new)) | (List(old), List(new)) | (Map(old), Map(new)) => {
            compared(old, new)
        }
        (old, Optional(new)) => match compared(old, new) {
            Change::Same | Change::Wider => Change::Wider,
            _ => Change::Other,
        },
        (Optional(old), new) => match compared(old, new) {
            Change::Same | Change::Narrower => Change::Narrower,
            _ => Change::Other,
        },
        (Enum(old), Enum(new)) => {
            let more = new.iter().any(|it| !old.contains(it));
            let fewer = old.iter().any(|it| !new.contains(it));
            match (more, fewer) {
                (false, false) => Change::Same,
                (true, false) => Change::Wider,
                (false, true) => Change::Narrower,
                (true, true) => Change::Other,
            }
        }
        (Limited(old, low), Limited(new, high)) if old == new => {
            match (low.within(high), high.within(low)) {
                (true, _) => Change::Wider,
                (false, true) => Change::Narrower,
                _ => Change::Other,
            }
        }
        (Limited(old, _), new) if !matches!(new, Limited(..)) => match compared(old, new) {
            Change::Same | Change::Wider => Change::Wider,
            _ => Change::Other,
        },
        (old, Limited(new, _)) if !matches!(old, Limited(..)) => match compared(old, new) {
            Change::Same | Change::Narrower => Change::Narrower,
            _ => Change::Other,
        },
        (Literal(old), Literal(new)) if old.iter().all(|it| new.contains(it)) => Change::Wider,
        (Literal(old), Literal(new)) if new.iter().all(|it| old.contains(it)) => Change::Narrower,
        (Union(old), Union(new)) if old.iter().all(|it| new.contains(it)) => Change::Wider,
        (Union(old), Union(new)) if new.iter().all(|it| old.contains(it)) => Change::Narrower,
        (old, Union(new)) if new.contains(old) => Change::Wider,
        (Union(old), new) if old.contains(new) => Change::Narrower,
        (Int, Float | Decimal)
        | (Float, Decimal)
        | (Enum(_) | Uuid | DateTime | Date | Time | Duration, Text)
        | (_, Unknown(_)) => Change::Wider,
        (Float | Decimal, Int)
        | (Decimal, Float)
        | (Text, Enum(_) | Uuid | DateTime | Date | Time | Duration)
        | (Unknown(_), _) => Change::Narrower,
        _ => Change::Other,
    }
}

/// Changes of an enum's values.
fn values(old: &[String], new: &[String], sides: Sides) -> Option<(Impact, String)> {
    let missing = |of: &[String], from: &[String]| -> Vec<String> {
        let gone = of.iter().filter(|it| !from.contains(it));
        gone.map(|it| crate::contract::notes::shown(it)).collect()
    };
    let (gone, added) = (missing(old, new), missing(new, old));
    let message = match (gone.is_empty(), added.is_empty()) {
        (true, true) => return None,
        (true, false) => format!("the values {} are new", added.join(", ")),
        (false, true) => format!("the values {} are gone", gone.join(", ")),
        (false, false) => {
            format!("the values {} are gone, {} are new", gone.join(", "), added.join(", "))
        }
    };
    let breaks = (sides.sent && !gone.is_empty()) || (sides.read && !added.is_empty());
    Some((when(breaks), message))
}

fn spelled(field_type: &FieldType) -> String {
    match field_type {
        FieldType::Text => "text".to_owned(),
        FieldType::Int => "int".to_owned(),
        FieldType::Float => "float".to_owned(),
        FieldType::Bool => "bool".to_owned(),
        FieldType::Uuid => "uuid".to_owned(),
        FieldType::DateTime => "datetime".to_owned(),
        FieldType::Date => "date".to_owned(),
        FieldType::Time => "time".to_owned(),
        FieldType::Duration => "duration".to_owned(),
        FieldType::Decimal => "decimal".to_owned(),
        FieldType::Bytes => "bytes".to_owned(),
        FieldType::Literal(values) => format!("one of {} values", values.len()),
        FieldType::Union(all) => all.iter().map(spelled).collect::<Vec<_>>().join(" or "),
        FieldType::Limited(inner, _) => format!("limited {}", spelled(inner)),
        FieldType::List(inner) => format!("list[{}]", spelled(inner)),
        FieldType::Map(inner) => format!("map[{}]", spelled(inner)),
        FieldType::Optional(inner) => format!("{} or null", spelled(inner)),
        FieldType::Enum(values) => format!("one of {} texts", values.len()),
        FieldType::Ref(name) => crate::contract::notes::shown(name),
        FieldType::Unknown(text) if text.is_empty() => "an undeclared type".to_owned(),
        FieldType::Unknown(text) => crate::contract::notes::shown(text),
    }
}
