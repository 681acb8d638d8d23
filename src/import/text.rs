//! Values that are written as text, exactly: what a column cannot hold without a loss is refused.
//! The inverse of how `output` writes CSV and NDJSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::refusal::{Refusal, shown};
use crate::event::{Cell, ColumnType};

const WHOLE_HINT: &str = "Write it in decimal digits, without a fraction.";
const RANGE_HINT: &str = "Whole numbers go from -9223372036854775808 to 9223372036854775807.";
const FLOAT_HINT: &str = "Write it like 12.5 or 1e-3.";
const BOOL_HINT: &str = "Write true or false.";
const BASE64_HINT: &str = "Write bytes as base64 with padding, RFC 4648 section 4.";
pub(super) const TIME_HINT: &str =
    "Write it as RFC 3339 with a zone, like 2026-01-02T03:04:05.678901Z.";
pub(super) const MICROS_HINT: &str = "Times have microseconds: round it when you write the file.";

/// The cell that a text means in a column of `kind`. Bytes are decoded into `bytes`.
pub(super) fn cell<'a>(
    kind: ColumnType,
    text: &'a str,
    bytes: &'a mut Vec<u8>,
) -> Result<Cell<'a>, Refusal> {
    Ok(match kind {
        ColumnType::Text => Cell::Text(text),
        ColumnType::Int => Cell::Int(int(text)?),
        ColumnType::Float => Cell::Float(float(text)?),
        ColumnType::Bool => Cell::Bool(boolean(text)?),
        ColumnType::Time => Cell::Time(time_us(text)?),
        ColumnType::Binary => {
            bytes.clear();
            STANDARD
                .decode_vec(text, bytes)
                .map_err(|_| Refusal::new(format!("{} is no base64", shown(text)), BASE64_HINT))?;
            Cell::Binary(bytes)
        }
    })
}

/// A whole number; `12.0` is one, as tools write it that have no whole numbers with gaps.
pub(super) fn int(text: &str) -> Result<i64, Refusal> {
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let is_decimal = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    if !is_decimal(digits) || !is_decimal(fraction) {
        return Err(Refusal::new(format!("{} is no whole number", shown(text)), WHOLE_HINT));
    }
    if fraction.bytes().any(|it| it != b'0') {
        let what = format!("{} has a fraction, which would be lost", shown(text));
        return Err(Refusal::new(what, WHOLE_HINT));
    }
    whole.parse().map_err(|_| Refusal::new(format!("{} is too large", shown(text)), RANGE_HINT))
}

/// The nearest float, as every reader of decimal text takes it.
pub(super) fn float(text: &str) -> Result<f64, Refusal> {
    let value: f64 = text
        .parse()
        .map_err(|_| Refusal::new(format!("{} is no number", shown(text)), FLOAT_HINT))?;
    let is_named = text.bytes().any(|it| matches!(it, b'i' | b'I'));
    if value.is_infinite() && !is_named {
        return Err(Refusal::new(format!("{} is too large", shown(text)), FLOAT_HINT));
    }
    Ok(value)
}

fn boolean(text: &str) -> Result<bool, Refusal> {
    match text {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => Err(Refusal::new(format!("{} is neither true nor false", shown(text)), BOOL_HINT)),
    }
}

/// Microseconds since 1970 of an RFC 3339 time in any zone.
pub(super) fn time_us(text: &str) -> Result<i64, Refusal> {
    // the second form also reads years of more than four digits
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|error| if text.starts_with(['+', '-']) { text.parse() } else { Err(error) });
    let no_time = || Refusal::new(format!("{} is no time with a zone", shown(text)), TIME_HINT);
    let time = time.map_err(|_| no_time())?;
    if time.timestamp_subsec_nanos() >= 1_000_000_000 {
        return Err(Refusal::new(format!("{} is a leap second", shown(text)), TIME_HINT));
    }
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit);
    if digits.skip(6).any(|it| it != b'0') {
        let what = format!("{} is finer than a microsecond", shown(text));
        return Err(Refusal::new(what, MICROS_HINT));
    }
    // only times outside of the year 262,000 have none
    Ok(time.timestamp_micros())
}

#[cfg(test)]
mod tests;
