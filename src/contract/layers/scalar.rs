//! What a plain scalar is to upstream's loader (YAML 1.1), as far as its typed models can tell:
//! dates are no texts there, and `0x1F`, `1_000` and `1:30` are numbers. Pure.

use crate::contract::document::{Node, Value};

/// A scalar as upstream's loader resolves it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    /// A whole number; those beyond `f64`'s exact range only roughly.
    Whole(f64),
    Float(f64),
    /// A date or a time; `false` when its month or day does not exist, which the loader refuses.
    Date(bool),
    Text(&'a str),
}

/// The scalar a node is; `None` for a list or a mapping.
pub(super) fn of(node: &Node) -> Option<Scalar<'_>> {
    match &node.value {
        Value::Scalar { text, quoted: true } => Some(Scalar::Text(text)),
        Value::Scalar { text, quoted: false } => Some(plain(text)),
        _ => None,
    }
}

fn plain(text: &str) -> Scalar<'_> {
    // Most plain scalars are words; only these signs begin one that is something else.
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O' => word(text),
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).unwrap_or(Scalar::Text(text)),
        _ => Scalar::Text(text),
    }
}

fn word(text: &str) -> Scalar<'_> {
    match text {
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        _ => Scalar::Text(text),
    }
}

fn number(text: &str) -> Option<Scalar<'static>> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, text.get(1..)?),
        b'+' => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    if let Some(date) = date(text) {
        return Some(Scalar::Date(date));
    }
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Some(Scalar::Float(sign * f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Scalar::Float(f64::NAN));
    }
    if let Some(value) = whole(digits) {
        return Some(Scalar::Whole(sign * value));
    }
    float(digits).map(|value| Scalar::Float(sign * value))
}

/// A whole number without sign: decimal, `0b1`, `017`, `0xF` or `1:30`.
fn whole(text: &str) -> Option<f64> {
    let based = |text: &str, base: u32| {
        let mut digits = text.chars().filter(|c| *c != '_').peekable();
        digits.peek()?;
        digits.try_fold(0.0, |sum, c| Some(sum * f64::from(base) + f64::from(c.to_digit(base)?)))
    };
    if let Some(digits) = text.strip_prefix("0b") {
        return based(digits, 2);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return based(digits, 16);
    }
    let begins = text.starts_with(|c: char| c.is_ascii_digit());
    match text.strip_prefix('0') {
        Some("") => Some(0.0),
        Some(digits) => based(digits, 8),
        None if begins && text.contains(':') => {
            let mut parts = text.split(':');
            let first = based(parts.next()?, 10)?;
            parts.try_fold(first, |sum, part| {
                let good =
                    (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
                let value: f64 = part.parse().ok()?;
                (good && value < 60.0).then_some(sum * 60.0 + value)
            })
        }
        None if begins => based(text, 10),
        None => None,
    }
}

/// A float without sign: a dot is needed, and a sign after an `e`.
fn float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let (before, after) = mantissa.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let begins = match (before.as_bytes().first(), after.as_bytes().first()) {
        (Some(first), _) => first.is_ascii_digit(),
        (None, Some(first)) => first.is_ascii_digit(),
        (None, None) => false,
    };
    let signed = |text: &str| {
        let digits = text.strip_prefix(['+', '-']);
        digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
    };
    if !begins || !digits(before) || !digits(after) || !exponent.is_none_or(signed) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Whether a text has the form of a date or a time, and if so, whether there is such a day.
fn date(text: &str) -> Option<bool> {
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| -> Option<u32> {
        let good = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if good { text.parse().ok() } else { None }
    };
    let mut parts = text.splitn(3, '-');
    let year = number(parts.next()?, 4..=4)?;
    let month_text = parts.next()?;
    let month = number(month_text, 1..=2)?;
    let rest = parts.next()?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day_text, time) = rest.split_at(end);
    let day = number(day_text, 1..=2)?;
    if time.is_empty() {
        if month_text.len() != 2 || day_text.len() != 2 {
            return None;
        }
    } else {
        let clock = time.strip_prefix(['T', 't']).unwrap_or_else(|| time.trim_start());
        let mut fields = clock.splitn(3, ':');
        let hour = number(fields.next()?, 1..=2)?;
        let minute = number(fields.next()?, 2..=2)?;
        let second = number(fields.next()?.get(..2)?, 2..=2)?;
        if clock.len() == time.len() || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
    }
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    Some(year > 0 && (1..=days).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::{Scalar, plain};

    #[test]
    fn plain_scalars_are_what_upstream_takes_them_for() {
        let table = [
            ("", Scalar::Null),
            ("~", Scalar::Null),
            ("yes", Scalar::Bool(true)),
            ("Off", Scalar::Bool(false)),
            ("none", Scalar::Text("none")),
            ("12", Scalar::Whole(12.0)),
            ("-1_000", Scalar::Whole(-1000.0)),
            ("0x1F", Scalar::Whole(31.0)),
            ("017", Scalar::Whole(15.0)),
            ("08", Scalar::Text("08")),
            ("1:30", Scalar::Whole(90.0)),
            ("1.5", Scalar::Float(1.5)),
            (".5", Scalar::Float(0.5)),
            ("1e5", Scalar::Text("1e5")),
            ("1.0e+5", Scalar::Float(1.0e5)),
            ("1.0.0", Scalar::Text("1.0.0")),
            ("-.inf", Scalar::Float(f64::NEG_INFINITY)),
            ("2026-01-31", Scalar::Date(true)),
            ("2026-02-30", Scalar::Date(false)),
            ("2026-1-1", Scalar::Text("2026-1-1")),
            ("2026-01-31T10:00:00Z", Scalar::Date(true)),
            ("-", Scalar::Text("-")),
            (".", Scalar::Text(".")),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
