//! Expressions over the values of a run, and JSON with expressions in it. Compiled once, evaluated
//! per attempt, bounded in steps and size; reads nothing but what it is handed.
//!
//! The language is that of Jinja expressions. An unknown name is an error, never nothing.

use std::fmt;
use std::sync::LazyLock;

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value as Json};

/// Steps that one evaluation may take: a filter over some ten thousand items fits in.
const FUEL: u64 = 1_000_000;
/// Longest text of an expression.
const TEXT_BYTES_MAX: usize = 16 << 10;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
});

/// Names that expressions may use without anybody setting them.
const FUNCTIONS: [&str; 2] = ["range", "dict"];

/// A compiled expression.
pub(super) struct Expression {
    text: String,
    compiled: minijinja::Expression<'static, 'static>,
    reads: Vec<String>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl Expression {
    /// Compiles a text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("the expression is longer than {TEXT_BYTES_MAX} bytes"));
        }
        let compiled = ENVIRONMENT
            .compile_expression_owned(text.to_owned())
            .map_err(|error| in_words(text, &error))?;
        let mut reads: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        reads.retain(|it| !FUNCTIONS.contains(&it.as_str()));
        reads.sort();
        Ok(Self { text: text.to_owned(), compiled, reads })
    }

    /// The text as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What it reads: a name, and what is taken of it by constant names, such as
    /// `steps.fetch.output`. Sorted, each once.
    pub(super) fn reads(&self) -> impl Iterator<Item = &str> {
        self.reads.iter().map(String::as_str)
    }

    /// Its value for some values.
    ///
    /// # Errors
    /// What went wrong, in words, naming the expression.
    pub(super) fn value(&self, values: &Values) -> Result<Json, String> {
        let value = self.eval(values)?;
        let json = serde_json::to_value(&value)
            .map_err(|error| format!("`{}` gives no JSON value: {error}", self.text))?;
        if has_null(&json) && has_endless(&value) {
            return Err(format!("`{}` gives a number without end, or none at all", self.text));
        }
        Ok(json)
    }

    /// Whether it holds, as Jinja has it: empty texts, lists and mappings, zero and none do not.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub(super) fn holds(&self, values: &Values) -> Result<bool, String> {
        self.eval(values).map(|it| it.is_true())
    }

    fn eval(&self, values: &Values) -> Result<Value, String> {
        let value = self.compiled.eval(values.0.clone());
        let value = value.map_err(|error| in_words(&self.text, &error))?;
        if value.is_undefined() {
            return Err(format!("`{}` is not there", self.text));
        }
        Ok(value)
    }
}

/// What expressions see: values by name.
#[derive(Debug, Clone)]
pub(super) struct Values(Value);

impl Values {
    /// Takes the values of a mapping.
    pub(super) fn new(values: &Map<String, Json>) -> Self {
        Self(Value::from(Serde(values)))
    }
}

fn has_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(entries) => entries.values().any(has_null),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// Whether a value is or has a number that JSON has no digits for, and would be null there.
fn has_endless(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).is_ok_and(|it| !it.is_finite()),
        ValueKind::Seq | ValueKind::Iterable => {
            value.try_iter().is_ok_and(|mut items| items.any(|it| has_endless(&it)))
        }
        ValueKind::Map => value.try_iter().is_ok_and(|mut keys| {
            keys.any(|key| value.get_item(&key).is_ok_and(|it| has_endless(&it)))
        }),
        _ => false,
    }
}

fn in_words(text: &str, error: &minijinja::Error) -> String {
    use minijinja::ErrorKind as Kind;
    let what = match (error.kind(), error.detail()) {
        (Kind::OutOfFuel, _) => format!("it takes more than {FUEL} steps"),
        (Kind::UndefinedError, None) => "something that it reads is not there".to_owned(),
        (_, Some(detail)) => detail.to_owned(),
        (kind, None) => kind.to_string(),
    };
    format!("`{text}`: {what}")
}

/// JSON in whose texts expressions stand in double braces. A text that is one expression and
/// nothing else becomes its value, of whatever type; in any other text values become text.
#[derive(Debug)]
pub(super) enum Template {
    /// No expression in it.
    Literal(Json),
    /// One expression.
    Whole(Expression),
    /// A text with expressions in it.
    Text(Vec<Part>),
    /// A list.
    List(Vec<Self>),
    /// A mapping.
    Mapping(Vec<(String, Self)>),
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum Part {
    /// As it is.
    Literal(String),
    /// Its value as text.
    Expression(Expression),
}

impl Template {
    /// Compiles the expressions in a value.
    ///
    /// # Errors
    /// What is wrong with each that is wrong.
    pub(super) fn parse(value: &Json) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let template = Self::collect(value, &mut wrong);
        if wrong.is_empty() { Ok(template) } else { Err(wrong) }
    }

    fn collect(value: &Json, wrong: &mut Vec<String>) -> Self {
        match value {
            Json::String(text) => Self::of_text(text).unwrap_or_else(|error| {
                wrong.push(error);
                Self::Literal(Json::Null)
            }),
            Json::Array(items) => {
                let items: Vec<Self> = items.iter().map(|it| Self::collect(it, wrong)).collect();
                match items.iter().all(|it| matches!(it, Self::Literal(_))) {
                    true => Self::Literal(value.clone()),
                    false => Self::List(items),
                }
            }
            Json::Object(entries) => {
                let entries: Vec<(String, Self)> = entries
                    .iter()
                    .map(|(key, value)| (key.clone(), Self::collect(value, wrong)))
                    .collect();
                match entries.iter().all(|(_, it)| matches!(it, Self::Literal(_))) {
                    true => Self::Literal(value.clone()),
                    false => Self::Mapping(entries),
                }
            }
            other => Self::Literal(other.clone()),
        }
    }

    fn of_text(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            let (expression, after) = up_to_end(after)?;
            parts.push(Part::Expression(expression));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(match parts.pop() {
            Some(Part::Expression(only)) if parts.is_empty() => Self::Whole(only),
            None | Some(Part::Literal(_)) if parts.is_empty() => {
                Self::Literal(Json::String(text.to_owned()))
            }
            last => {
                parts.extend(last);
                Self::Text(parts)
            }
        })
    }

    /// Every expression in it.
    pub(super) fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Whole(it) => vec![it],
            Self::Text(parts) => parts
                .iter()
                .filter_map(|it| match it {
                    Part::Expression(it) => Some(it),
                    Part::Literal(_) => None,
                })
                .collect(),
            Self::List(items) => items.iter().flat_map(Self::expressions).collect(),
            Self::Mapping(entries) => entries.iter().flat_map(|(_, it)| it.expressions()).collect(),
        }
    }

    /// The value, with the values of the expressions in it.
    ///
    /// # Errors
    /// As [`Expression::value`].
    pub(super) fn value(&self, values: &Values) -> Result<Json, String> {
        Ok(match self {
            Self::Literal(it) => it.clone(),
            Self::Whole(it) => it.value(values)?,
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(it) => text.push_str(it),
                        Part::Expression(it) => match it.value(values)? {
                            Json::String(it) => text.push_str(&it),
                            Json::Null => {}
                            it => text.push_str(&it.to_string()),
                        },
                    }
                }
                Json::String(text)
            }
            Self::List(items) => {
                let items = items.iter().map(|it| it.value(values));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Mapping(entries) => {
                let entries = entries.iter().map(|(key, it)| Ok((key.clone(), it.value(values)?)));
                Json::Object(entries.collect::<Result<_, String>>()?)
            }
        })
    }
}

/// The expression before the braces that close it, and what stands after them. Braces may close a
/// mapping inside: the first that leave a whole expression count.
fn up_to_end(text: &str) -> Result<(Expression, &str), String> {
    let mut first_error = None;
    for (at, _) in text.match_indices('}') {
        let (inside, after) = text.split_at_checked(at).unwrap_or((text, ""));
        if !after.starts_with("}}") {
            continue;
        }
        match Expression::parse(inside.trim()) {
            Ok(it) => return Ok((it, after.strip_prefix("}}").unwrap_or(after))),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| format!("`{{{{{text}` has no closing braces")))
}

#[cfg(test)]
mod tests;
