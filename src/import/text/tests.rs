//! Texts that are values, and texts that are none.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::clock::rfc3339;

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
    result.unwrap_err().what
}

#[test]
fn whole_numbers_are_exact_or_refused() {
    for (text, value) in [
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("12.0", 12),
        ("-3.00", -3),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(int(text), Ok(value), "{text}");
    }
    for (text, what) in [
        ("12.5", "\"12.5\" has a fraction, which would be lost"),
        ("9223372036854775808", "\"9223372036854775808\" is too large"),
        ("1e3", "\"1e3\" is no whole number"),
        ("", "\"\" is no whole number"),
        (" 1", "\" 1\" is no whole number"),
        ("1.", "\"1.\" is no whole number"),
        ("0x10", "\"0x10\" is no whole number"),
    ] {
        assert_eq!(refused(int(text)), what);
    }
}

#[test]
fn floats_come_back_to_the_last_bit() {
    for value in [0.1, 95.123_456_789_012_34, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, f64::INFINITY] {
        assert_eq!(float(&value.to_string()).unwrap().to_bits(), value.to_bits(), "{value}");
    }
    assert!(float("NaN").unwrap().is_nan());
    assert_eq!(refused(float("1e999")), "\"1e999\" is too large");
    assert_eq!(refused(float("twelve")), "\"twelve\" is no number");
}

#[test]
fn times_are_exact_in_any_zone() {
    for us in [0, -1, 1_790_000_000_123_456, 253_402_300_800_000_000, -70_000_000_000_000_000] {
        assert_eq!(time_us(&rfc3339(us)), Ok(us), "{}", rfc3339(us));
    }
    for (text, us) in [
        ("1970-01-01T01:00:00.5+01:00", 500_000),
        ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01t00:00:00.0000010z", 1),
        ("1970-01-01T00:00:00.000001000000000-00:00", 1),
    ] {
        assert_eq!(time_us(text), Ok(us), "{text}");
    }
    for (text, what) in [
        ("yesterday", "\"yesterday\" is no time with a zone"),
        ("2026-01-02T03:04:05", "\"2026-01-02T03:04:05\" is no time with a zone"),
        ("2026-01-02", "\"2026-01-02\" is no time with a zone"),
        ("2026-02-30T00:00:00Z", "\"2026-02-30T00:00:00Z\" is no time with a zone"),
        (
            "1970-01-01T00:00:00.0000001Z",
            "\"1970-01-01T00:00:00.0000001Z\" is finer than a microsecond",
        ),
        (
            "1970-01-01T00:00:00.0000000000001Z",
            "\"1970-01-01T00:00:00.0000000000001Z\" is finer than a microsecond",
        ),
        ("2016-12-31T23:59:60Z", "\"2016-12-31T23:59:60Z\" is a leap second"),
    ] {
        assert_eq!(refused(time_us(text)), what);
    }
}

#[test]
fn other_texts() {
    let mut bytes = Vec::new();
    assert_eq!(cell(ColumnType::Bool, "True", &mut bytes), Ok(Cell::Bool(true)));
    assert_eq!(refused(cell(ColumnType::Bool, "1", &mut bytes)), "\"1\" is neither true nor false");
    assert_eq!(cell(ColumnType::Binary, "Zm9vYg==", &mut bytes), Ok(Cell::Binary(b"foob")));
    assert_eq!(cell(ColumnType::Binary, "", &mut bytes), Ok(Cell::Binary(b"")));
    assert_eq!(refused(cell(ColumnType::Binary, "Zm9vYg", &mut bytes)), "\"Zm9vYg\" is no base64");
    let long = "x".repeat(1_000);
    assert_eq!(refused(int(&long)), format!("\"{}\"… is no whole number", "x".repeat(60)));
}
