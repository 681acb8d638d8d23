//! What narrows a type: the keys of a schema that bound, measure and match. A key that cannot be
//! carried out is a finding.

use regex::Regex;

use crate::contract::document::Node;
use crate::contract::model::limits::{EXACT_MAX, Limits};
use crate::contract::notes::{Notes, shown};
use crate::finding::{Finding, Level};

const MINIMUM: [&str; 4] = ["minimum", "ge", "min", "min_value"];
const MAXIMUM: [&str; 4] = ["maximum", "le", "max", "max_value"];
const ABOVE: [&str; 3] = ["exclusiveMinimum", "exclusive_minimum", "gt"];
const BELOW: [&str; 3] = ["exclusiveMaximum", "exclusive_maximum", "lt"];
const MULTIPLE: [&str; 2] = ["multipleOf", "multiple_of"];
const SHORTEST: [&str; 6] =
    ["minLength", "min_length", "minItems", "min_items", "minProperties", "min_properties"];
const LONGEST: [&str; 6] =
    ["maxLength", "max_length", "maxItems", "max_items", "maxProperties", "max_properties"];
const PATTERN: [&str; 2] = ["pattern", "regex"];
const UNIQUE: [&str; 2] = ["uniqueItems", "unique_items"];
const DIGITS: [&str; 2] = ["max_digits", "maxDigits"];
const PLACES: [&str; 2] = ["decimal_places", "decimalPlaces"];

/// Keywords of JSON Schema that no model carries out.
const UNSUPPORTED: [&str; 15] = [
    "not",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// The limits that a schema sets.
pub(super) fn of(node: &Node, notes: &mut Notes) -> Limits {
    let mut read = Read { node, notes };
    for key in UNSUPPORTED {
        if let Some((place, _)) = node.entry(key) {
            let message = format!("`{key}` is not carried out: the model does not check it");
            let help =
                "say it with a type, a bound, a length or a pattern, or check it in the handler";
            read.warn(place, message, help);
        }
    }
    // In the older drafts of JSON Schema the bound itself stands elsewhere.
    let flag = |keys: &[&str]| node.first(keys).and_then(Node::as_bool) == Some(true);
    let (above, below) = (flag(&ABOVE[..2]), flag(&BELOW[..2]));
    let (minimum, maximum) = (read.bound(&MINIMUM), read.bound(&MAXIMUM));
    let mut limits = Limits {
        minimum,
        maximum,
        exclusive_minimum: if above { None } else { read.bound(&ABOVE) },
        exclusive_maximum: if below { None } else { read.bound(&BELOW) },
        multiple_of: read.bound(&MULTIPLE),
        min_length: read.count(&SHORTEST),
        max_length: read.count(&LONGEST),
        pattern: read.pattern(),
        unique_items: flag(&UNIQUE),
        max_digits: read.count(&DIGITS),
        decimal_places: read.count(&PLACES),
    };
    if above {
        limits.exclusive_minimum = limits.minimum.take();
    }
    if below {
        limits.exclusive_maximum = limits.maximum.take();
    }
    if limits.multiple_of.is_some_and(|it| it <= 0.0) {
        limits.multiple_of = None;
        if let Some(place) = node.first(&MULTIPLE) {
            read.warn(
                place,
                "a multiple of nothing is no limit".to_owned(),
                "write a number above 0",
            );
        }
    }
    limits
}

/// Says which limits mean nothing for a type.
pub(super) fn unfit(names: &[&'static str], node: &Node, notes: &mut Notes) {
    if names.is_empty() {
        return;
    }
    let names: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    let message = format!("{} of this type means nothing; it is left out", names.join(", "));
    Read { node, notes }.warn(node, message, "remove it, or declare the type that it limits");
}

struct Read<'a, 'n> {
    node: &'a Node,
    notes: &'n mut Notes,
}

impl Read<'_, '_> {
    fn warn(&mut self, place: &Node, message: String, help: &str) {
        let finding = Finding::new("contract.constraint", Level::Warning, message);
        self.notes.push(finding.at(place.span).with_help(help));
    }

    fn bound(&mut self, keys: &[&str]) -> Option<f64> {
        let value = self.node.first(keys).filter(|it| it.as_bool().is_none())?;
        match value.as_f64() {
            Some(number) if number.fract() != 0.0 || number.abs() < EXACT_MAX => Some(number),
            Some(_) => {
                let text = shown(value.text().unwrap_or_default());
                let message = format!("the bound {text} is beyond what can be kept exactly");
                self.warn(value, message, "leave it out, or write one below 2 to the power of 53");
                None
            }
            None => {
                let message = format!("a bound must be a number, this is {}", value.what());
                self.warn(value, message, "write a number");
                None
            }
        }
    }

    fn count(&mut self, keys: &[&str]) -> Option<u64> {
        let value = self.node.first(keys)?;
        let found = value.as_u64();
        if found.is_none() {
            let message = "a length is a whole number of 0 at least".to_owned();
            self.warn(value, message, "write a whole number");
        }
        found
    }

    /// A pattern that pydantic's engine, which is the one used here, can read.
    fn pattern(&mut self) -> Option<String> {
        let value = self.node.first(&PATTERN)?;
        let text = value.as_str()?;
        match Regex::new(text) {
            Ok(_) => Some(text.to_owned()),
            Err(_) => {
                let text = shown(text);
                let message =
                    format!("{text} is no regular expression that pydantic reads; it is left out");
                self.warn(value, message, "write it without look-around and back references");
                None
            }
        }
    }
}
