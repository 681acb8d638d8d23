//! What the settings of all rooms have in common: sizes and times as texts with units, and what is
//! said of a value that makes no sense. Knows no setting by name, and reads no file.
//!
//! In code a setting carries its unit in its name (`flush_age_ms: 5_000`), in a file in its value
//! (`flush_age = "5s"`): nobody has to count zeros, and a bare number, which could mean anything,
//! is refused. Numbers of things, such as files or rows, are plain numbers.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::duration_us;
use crate::error::Error;

/// A setting that makes no sense, by itself or beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The settings that are at fault by their whole names, such as `store.flush_age`.
    pub keys: Vec<&'static str>,
    /// What is wrong, naming them and the bound.
    pub message: String,
}

impl Fault {
    /// A fault of these settings.
    pub fn new(keys: &[&'static str], message: impl Into<String>) -> Self {
        Self { keys: keys.to_vec(), message: message.into() }
    }

    /// The fault as an error, where nobody knows where the setting came from.
    pub fn into_error(self) -> Error {
        Error::invalid(self.message)
    }
}

/// Checks that a setting lies between two bounds; `shown` writes a value as a file has it.
///
/// # Errors
/// A [`Fault`] that names the setting and the bound.
pub fn within(
    key: &'static str,
    value: u64,
    (least, most): (u64, u64),
    shown: fn(u64) -> String,
) -> Result<(), Fault> {
    let says = match (value < least, value > most) {
        (true, _) if least == 1 => "above 0".to_owned(),
        (true, _) => format!("at least {}", shown(least)),
        (_, true) => format!("at most {}", shown(most)),
        _ => return Ok(()),
    };
    Err(Fault::new(&[key], format!("{key} is {}, but must be {says}", shown(value))))
}

/// A number as it stands in a file.
pub fn count(value: u64) -> String {
    value.to_string()
}

/// Units of size, each 1,024 times the one before.
const BINARY: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/// Units of size, each 1,000 times the one before.
const DECIMAL: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
/// Units of time and their milliseconds, the longest first.
const TIMES: [(&str, u64); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// Writes a size in the largest unit in which it is a whole number: `64 MiB`.
pub fn size(bytes: u64) -> String {
    let mut number = bytes;
    let mut units = BINARY.iter();
    let mut unit = units.next();
    while let Some(next) = units.next().filter(|_| number > 0 && number.is_multiple_of(1_024)) {
        (number, unit) = (number / 1_024, Some(next));
    }
    format!("{number} {}", unit.unwrap_or(&"B"))
}

/// The bytes of `64 MiB`, `64MiB`, `1.5 GB` or `100 B`; `None` when it is no size.
pub fn size_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let power = |units: &[&str], base: u64| {
        let at = units.iter().position(|it| it.eq_ignore_ascii_case(unit))?;
        base.checked_pow(u32::try_from(at).ok()?)
    };
    let factor = power(&BINARY, 1_024).or_else(|| power(&DECIMAL, 1_000))?;
    if let Ok(number) = number.parse::<u64>() {
        return number.checked_mul(factor);
    }
    let bytes = number.parse::<f64>().ok()? * factor as f64;
    // beyond this a float may be off by a byte
    let is_exact = bytes.fract() == 0.0 && bytes < (1_u64 << 53) as f64;
    is_exact.then_some(bytes as u64)
}

/// Writes a time in the largest unit in which it is a whole number: `90s`, `24h` as `1d`.
pub fn time(ms: u64) -> String {
    match TIMES.iter().find(|(_, of)| ms > 0 && ms.is_multiple_of(*of)) {
        Some((unit, of)) => format!("{}{unit}", ms / of),
        None if ms == 0 => "0s".to_owned(),
        None => format!("{ms}ms"),
    }
}

/// The milliseconds of `30s`, `1.5h` or `250ms`; `None` when it is no time, or a finer one.
pub fn time_ms(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let us = u64::try_from(duration_us(&format!("{number}{unit}"))?).ok()?;
    us.is_multiple_of(1_000).then_some(us / 1_000)
}

/// Number and unit, whether or not a space is between them.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(at)?;
    let unit = unit.trim_start();
    unit.starts_with(char::is_alphabetic).then_some((number, unit))
}

/// Sizes in a file, for `#[serde(with)]`; the field is of any whole type.
pub mod sizes {
    use super::{Deserialize, Deserializer, Serializer, de, size, size_bytes};

    /// Writes `64 MiB`.
    pub fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Copy + TryInto<u64>,
        S: Serializer,
    {
        serializer.serialize_str(&size((*value).try_into().unwrap_or(u64::MAX)))
    }

    /// Reads what [`size_bytes`] takes.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: TryFrom<u64>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        size_bytes(&text).and_then(|it| T::try_from(it).ok()).ok_or_else(|| {
            let how = "write a whole number and a unit, such as \"64 MiB\" or \"2 GB\"";
            de::Error::custom(format!("{text:?} is no size: {how}"))
        })
    }
}

/// Times in a file, for `#[serde(with)]`; the field counts milliseconds.
pub mod times {
    use super::{Deserialize, Deserializer, Serializer, de, time, time_ms};

    /// Writes `30s`.
    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time(*value))
    }

    /// Reads what [`time_ms`] takes.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        time_ms(&text).ok_or_else(|| {
            let how = "write a number and a unit, such as \"250ms\", \"30s\" or \"24h\"";
            de::Error::custom(format!("{text:?} is no time: {how}"))
        })
    }
}

/// Names of which there are some, for `#[serde(with)]`.
pub mod names {
    use std::fmt::Display;
    use std::str::FromStr;

    use super::{Deserialize, Deserializer, Error, Serializer, de};

    /// Writes the name.
    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    /// Reads the name.
    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err = Error>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(|error: Error| {
            let hint = error.hint().map(|it| format!(". {it}")).unwrap_or_default();
            de::Error::custom(format!("{error}{hint}"))
        })
    }
}

/// A path that may be lacking, as a text that may be empty, for `#[serde(with)]`.
pub mod optional_path {
    use super::{Deserialize, Deserializer, PathBuf, Serialize, Serializer};

    /// Writes the path.
    pub fn serialize<S>(value: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        value.clone().unwrap_or_default().serialize(serializer)
    }

    /// Reads the path.
    pub fn deserialize<'de, D>(deserializer: D) -> Result<Option<PathBuf>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let path = PathBuf::deserialize(deserializer)?;
        Ok(Some(path).filter(|it| !it.as_os_str().is_empty()))
    }
}

/// Paths as one text, separated as in `PATH`, for `#[serde(with)]`.
pub mod paths {
    use super::{Deserialize, Deserializer, PathBuf, Serializer, de};
    use serde::ser;

    /// Writes them.
    pub fn serialize<S: Serializer>(value: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let joined = std::env::join_paths(value).map_err(ser::Error::custom)?;
        let text = joined.to_str().ok_or_else(|| ser::Error::custom("a path is not UTF-8"))?;
        serializer.serialize_str(text)
    }

    /// Reads them; an empty text is none.
    pub fn deserialize<'de, D>(deserializer: D) -> Result<Vec<PathBuf>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        let paths: Vec<_> =
            std::env::split_paths(&text).filter(|it| it.iter().count() > 0).collect();
        match paths.iter().find(|it| !it.is_absolute()) {
            None => Ok(paths),
            Some(path) => {
                let path = path.display();
                Err(de::Error::custom(format!("{path} is not a whole path: begin it at the root")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
