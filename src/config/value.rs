//! One value for one setting: of a file, of a variable or of a flag. Says what is wrong with it in
//! the words of the user's file, not in those of a library.

use toml::Value;
use toml::de::DeValue;

use super::keys::{DEFAULTS, Key, set_in};
use super::settings::Settings;

/// A value of a file, if it is of a kind that settings have.
pub(super) fn of_document(key: &Key, given: &DeValue<'_>) -> Result<Value, String> {
    let other = |kind: &str| Err(wrong_kind(key, kind));
    Ok(match given {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => return Err(format!("{} is {number}, which is too large", key.name)),
        },
        DeValue::Float(_) => return other("a fraction"),
        DeValue::Datetime(_) => return other("a date"),
        DeValue::Array(_) => return other("a list"),
        DeValue::Table(_) => return other("a section"),
    })
}

/// The text of a variable or a flag as a value of the setting's kind.
pub(super) fn of_text(key: &Key, text: &str) -> Result<Value, String> {
    let wrong = || wrong_kind(key, &format!("{text:?}"));
    match key.default_value() {
        Value::Boolean(_) => text.parse::<bool>().map(Value::from).map_err(|_| wrong()),
        Value::Integer(_) => {
            let digits = text.replace('_', "");
            let is_number = digits.trim_start_matches('-').bytes().all(|it| it.is_ascii_digit());
            match digits.parse::<i64>() {
                Ok(number) => Ok(Value::from(number)),
                Err(_) if is_number && !digits.is_empty() => {
                    Err(format!("{} is {text}, which is too large", key.name))
                }
                Err(_) => Err(wrong()),
            }
        }
        _ => Ok(Value::from(text)),
    }
}

/// Whether the setting takes a value, whatever its bounds; the value, if so.
pub(super) fn check(key: &Key, value: Value) -> Result<Value, String> {
    if !key.default_value().same_type(&value) {
        return Err(wrong_kind(key, kind(&value)));
    }
    let mut table = DEFAULTS.clone();
    set_in(&mut table, key.name, value.clone());
    match (table.try_into::<Settings>(), &value) {
        (Ok(_), _) => Ok(value),
        (Err(_), Value::Integer(number)) if *number < 0 => {
            Err(format!("{} is {number}, but must not be negative", key.name))
        }
        (Err(_), Value::Integer(number)) => {
            Err(format!("{} is {number}, which is too large", key.name))
        }
        (Err(error), _) => Err(format!("{}: {}", key.name, error.message())),
    }
}

fn wrong_kind(key: &Key, given: &str) -> String {
    let must = match key.default_value() {
        Value::Boolean(_) => "true or false".to_owned(),
        Value::Integer(_) => "a whole number".to_owned(),
        default if default.as_str() == Some("") => "a text".to_owned(),
        default => format!("a text such as {default}"),
    };
    format!("{} is {given}, but must be {must}", key.name)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Float(_) => "a fraction",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
