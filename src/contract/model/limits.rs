//! What narrows the values of a type: bounds, lengths, patterns, digits. Pure data and questions;
//! it changes nothing, and what it cannot judge it takes for allowed.

use std::cmp::Ordering;

use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::FieldType;

/// The largest whole number whose neighbours a bound can tell apart.
pub(crate) const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Limits of a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Lower bound of a number (`minimum`, `ge`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Upper bound of a number (`maximum`, `le`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// A number is above it (`exclusiveMinimum`, `gt`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_minimum: Option<f64>,
    /// A number is below it (`exclusiveMaximum`, `lt`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_maximum: Option<f64>,
    /// A number is a whole multiple of it (`multipleOf`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple_of: Option<f64>,
    /// Fewest characters, items or entries (`minLength`, `minItems`, `minProperties`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Most characters, items or entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// A regular expression that is found in a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// No item of a list stands in it twice (`uniqueItems`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unique_items: bool,
    /// Most digits of a decimal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_digits: Option<u64>,
    /// Most digits behind the point of a decimal number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal_places: Option<u64>,
}

/// What a type has limits of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Decimal,
    Text,
    Bytes,
    List,
    Map,
    None,
}

fn kind(of: &FieldType) -> Kind {
    match of {
        FieldType::Int | FieldType::Float => Kind::Number,
        FieldType::Decimal => Kind::Decimal,
        FieldType::Text => Kind::Text,
        FieldType::Bytes => Kind::Bytes,
        FieldType::List(_) => Kind::List,
        FieldType::Map(_) => Kind::Map,
        FieldType::Optional(inner) | FieldType::Limited(inner, _) => kind(inner),
        _ => Kind::None,
    }
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The limits that mean something for a type, and the names of those that do not.
    #[must_use]
    pub fn fitting(mut self, of: &FieldType) -> (Self, Vec<&'static str>) {
        let kind = kind(of);
        let number = matches!(kind, Kind::Number | Kind::Decimal);
        let sized = matches!(kind, Kind::Text | Kind::Bytes | Kind::List | Kind::Map);
        let mut unfit = Vec::new();
        let mut drop = |name, keep: bool, is_set: bool| {
            if is_set && !keep {
                unfit.push(name);
            }
            keep
        };
        macro_rules! keep {
            ($($field:ident: $keep:expr),*) => {$(
                if !drop(stringify!($field), $keep, self.$field.is_some()) {
                    self.$field = None;
                }
            )*};
        }
        keep!(minimum: number, maximum: number, exclusive_minimum: number);
        keep!(exclusive_maximum: number, multiple_of: number);
        keep!(min_length: sized, max_length: sized, pattern: kind == Kind::Text);
        keep!(max_digits: kind == Kind::Decimal, decimal_places: kind == Kind::Decimal);
        if !drop("unique_items", kind == Kind::List, self.unique_items) {
            self.unique_items = false;
        }
        (self, unfit)
    }

    /// Both at once: of two bounds the tighter one counts, of two patterns or factors the first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        fn tighter<T: PartialOrd>(a: Option<T>, b: Option<T>, wanted: Ordering) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(if b.partial_cmp(&a) == Some(wanted) { b } else { a }),
                (a, b) => a.or(b),
            }
        }
        let (more, less) = (Ordering::Greater, Ordering::Less);
        Self {
            minimum: tighter(self.minimum, other.minimum, more),
            maximum: tighter(self.maximum, other.maximum, less),
            exclusive_minimum: tighter(self.exclusive_minimum, other.exclusive_minimum, more),
            exclusive_maximum: tighter(self.exclusive_maximum, other.exclusive_maximum, less),
            multiple_of: self.multiple_of.or(other.multiple_of),
            min_length: tighter(self.min_length, other.min_length, more),
            max_length: tighter(self.max_length, other.max_length, less),
            pattern: self.pattern.or(other.pattern),
            unique_items: self.unique_items || other.unique_items,
            max_digits: tighter(self.max_digits, other.max_digits, less),
            decimal_places: tighter(self.decimal_places, other.decimal_places, less),
        }
    }

    /// Whether every value that these allow is one that `other` allows.
    pub fn within(&self, other: &Self) -> bool {
        other.clone().and(self.clone()) == *self
    }

    /// Whether no value at all is allowed, as far as that is seen at once.
    pub fn contradict(&self) -> bool {
        let low = self.minimum.unwrap_or(f64::NEG_INFINITY);
        let high = self.maximum.unwrap_or(f64::INFINITY);
        let above = self.exclusive_minimum.unwrap_or(f64::NEG_INFINITY);
        let below = self.exclusive_maximum.unwrap_or(f64::INFINITY);
        let lengths = self.min_length.zip(self.max_length).is_some_and(|(low, high)| low > high);
        low > high || above >= high || low >= below || above >= below || lengths
    }

    /// Why a value is not allowed.
    pub fn refuses(&self, value: &Json) -> Option<&'static str> {
        let decimal = value.as_str().filter(|_| self.is_numeric()).and_then(|it| it.parse().ok());
        if let Some(number) = value.as_f64().or(decimal) {
            return self.refuses_number(number);
        }
        let length = match value {
            Json::String(text) => text.chars().count(),
            Json::Array(items) => items.len(),
            Json::Object(map) => map.len(),
            _ => return None,
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if self.min_length.is_some_and(|it| length < it) {
            return Some("is too short");
        }
        if self.max_length.is_some_and(|it| length > it) {
            return Some("is too long");
        }
        let text = value.as_str();
        let pattern = self.pattern.as_deref().and_then(|it| Regex::new(it).ok());
        if pattern.zip(text).is_some_and(|(it, text)| !it.is_match(text)) {
            return Some("does not match its pattern");
        }
        let items = value.as_array().filter(|_| self.unique_items)?;
        let mut seen = std::collections::HashSet::new();
        let twice = items.iter().any(|it| !seen.insert(it.to_string()));
        twice.then_some("holds something twice")
    }

    fn is_numeric(&self) -> bool {
        let Self { minimum, maximum, exclusive_minimum, exclusive_maximum, .. } = self;
        [minimum, maximum, exclusive_minimum, exclusive_maximum, &self.multiple_of]
            .iter()
            .any(|it| it.is_some())
    }

    fn refuses_number(&self, number: f64) -> Option<&'static str> {
        let below = self.minimum.is_some_and(|it| number < it)
            || self.exclusive_minimum.is_some_and(|it| number <= it);
        let above = self.maximum.is_some_and(|it| number > it)
            || self.exclusive_maximum.is_some_and(|it| number >= it);
        let between = self.multiple_of.is_some_and(|it| {
            let times = number / it;
            (times - times.round()).abs() > 1e-9 * times.abs().max(1.0)
        });
        match (below, above, between) {
            (true, _, _) => Some("is below its minimum"),
            (_, true, _) => Some("is above its maximum"),
            (_, _, true) => Some("is not a multiple of what it must be"),
            _ => None,
        }
    }

    /// The limits as keys of a schema of the type.
    pub fn keys(&self, of: &FieldType) -> Map<String, Json> {
        let mut map = Map::new();
        let mut put = |key: &str, value: Option<Json>| {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        };
        let bound = |it: Option<f64>| it.map(number);
        put("minimum", bound(self.minimum));
        put("maximum", bound(self.maximum));
        put("exclusiveMinimum", bound(self.exclusive_minimum));
        put("exclusiveMaximum", bound(self.exclusive_maximum));
        put("multipleOf", bound(self.multiple_of));
        let (low, high) = match kind(of) {
            Kind::List => ("minItems", "maxItems"),
            Kind::Map => ("minProperties", "maxProperties"),
            _ => ("minLength", "maxLength"),
        };
        put(low, self.min_length.map(Json::from));
        put(high, self.max_length.map(Json::from));
        put("pattern", self.pattern.as_deref().map(Json::from));
        put("uniqueItems", self.unique_items.then(|| true.into()));
        put("max_digits", self.max_digits.map(Json::from));
        put("decimal_places", self.decimal_places.map(Json::from));
        map
    }
}

/// A whole number without a fraction.
pub fn number(of: f64) -> Json {
    let whole = of.fract() == 0.0 && of.abs() < EXACT_MAX;
    // the text of a whole number is one that JSON reads
    let text = if whole { format!("{of:.0}") } else { format!("{of:?}") };
    serde_json::from_str(&text).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests;
