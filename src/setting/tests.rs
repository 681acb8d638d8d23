//! Texts with units there and back, and what is none.

use super::*;

#[test]
fn sizes_are_read_and_written() {
    for (text, bytes) in [
        ("0 B", 0),
        ("1 B", 1),
        ("1000 B", 1_000),
        ("64 KiB", 64 << 10),
        ("64 MiB", 64 << 20),
        ("1025 MiB", 1_025 << 20),
        ("16 GiB", 16 << 30),
        ("15 EiB", 15 << 60),
    ] {
        assert_eq!(size_bytes(text), Some(bytes), "{text}");
        assert_eq!(size(bytes), text);
    }
    for (text, bytes) in [
        ("64MiB", 64 << 20),
        ("64 mib", 64 << 20),
        ("1.5 GiB", 3 << 29),
        ("2 GB", 2_000_000_000),
        ("0.5kB", 500),
    ] {
        assert_eq!(size_bytes(text), Some(bytes), "{text}");
    }
    for text in
        ["", "64", "MiB", "-1 MiB", "64 M", "1.2.3 MiB", "0.1 KiB", "16 EiB", "1e3 B", "64 MiB x"]
    {
        assert_eq!(size_bytes(text), None, "{text}");
    }
}

#[test]
fn times_are_read_and_written() {
    for (text, ms) in [
        ("0s", 0),
        ("250ms", 250),
        ("30s", 30_000),
        ("1m", 60_000),
        ("90s", 90_000),
        ("36h", 129_600_000),
        ("2d", 172_800_000),
    ] {
        assert_eq!(time_ms(text), Some(ms), "{text}");
        assert_eq!(time(ms), text);
    }
    assert_eq!(
        (time_ms("1.5s"), time_ms("5 s"), time_ms("1w")),
        (Some(1_500), Some(5_000), Some(604_800_000))
    );
    for text in ["", "5", "s", "-5s", "5us", "5 sec", "1h30m", "1 0s", "99999999w"] {
        assert_eq!(time_ms(text), None, "{text}");
    }
}

#[test]
fn a_bound_is_named() {
    let says = |value| within("a.b", value, (1, 2 << 20), size).map_err(|it| it.message);
    assert_eq!(says(1), Ok(()));
    assert_eq!(says(0), Err("a.b is 0 B, but must be above 0".to_owned()));
    assert_eq!(says(3 << 20), Err("a.b is 3 MiB, but must be at most 2 MiB".to_owned()));
    let fault = within("a.b", 1, (2, 4), count);
    assert_eq!(fault, Err(Fault::new(&["a.b"], "a.b is 1, but must be at least 2")));
}
