//! Time and ids as parameters: the only file that reads the system's clock or makes a random id.
//!
//! Everything else takes a [`Clock`] or an [`IdSource`], so that retries, flush ages and retention
//! are tested in microseconds and a test run gives the same ids twice.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, Timelike, Utc};
use uuid::Uuid;

/// Where time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Wall-clock time: microseconds since the Unix epoch, UTC. May jump.
    fn now_us(&self) -> i64;

    /// Monotonic time in nanoseconds since an arbitrary moment; the difference of two readings is
    /// a duration.
    fn monotonic_ns(&self) -> i64;
}

/// Where new ids come from.
pub trait IdSource: fmt::Debug + Send + Sync {
    /// A new UUID, version 7: ids made later sort later.
    fn next_id(&self) -> Uuid;
}

/// The machine's own clock and random ids.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        Utc::now().timestamp_micros()
    }

    fn monotonic_ns(&self) -> i64 {
        i64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
}

/// Random ids in the order of their making.
#[derive(Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// A clock that moves only when told: for tests and for replaying history.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_us: AtomicI64,
    monotonic_ns: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now_us`.
    pub fn at(now_us: i64) -> Arc<Self> {
        Arc::new(Self { now_us: AtomicI64::new(now_us), monotonic_ns: AtomicI64::new(0) })
    }

    /// Moves both times forward.
    pub fn advance_ns(&self, ns: i64) {
        self.monotonic_ns.fetch_add(ns, Ordering::SeqCst);
        self.now_us.fetch_add(ns / 1_000, Ordering::SeqCst);
    }

    /// Moves the wall-clock time alone, forward or back, as a correction of a system's clock does.
    pub fn jump_us(&self, us: i64) {
        self.now_us.fetch_add(us, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> i64 {
        self.monotonic_ns.load(Ordering::SeqCst)
    }
}

/// Ids counted from a seed: the same seed gives the same ids.
#[derive(Debug, Default)]
pub struct SeededIds {
    next: AtomicU64,
}

impl SeededIds {
    /// Ids that start after `seed`.
    pub fn new(seed: u64) -> Self {
        Self { next: AtomicU64::new(seed) }
    }
}

impl IdSource for SeededIds {
    fn next_id(&self) -> Uuid {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        let [a, b, c, d, e, f, g, h] = n.to_be_bytes();
        let random = [0, 0, b, c, d, e, f, g, h, a];
        uuid::Builder::from_unix_timestamp_millis(n, &random).into_uuid()
    }
}

/// Writes a time in microseconds since the epoch as RFC 3339 with microseconds and `Z`.
pub fn rfc3339(us: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(us) else {
        return format!("{us} µs since 1970");
    };
    match u32::try_from(time.year()) {
        Ok(year @ ..=9_999) => digits_of(&time, year),
        _ => time.to_rfc3339_opts(SecondsFormat::Micros, true),
    }
}

/// The same digit by digit: an export writes millions of times, and the formatter takes five times
/// as long.
fn digits_of(time: &DateTime<Utc>, year: u32) -> String {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |mut end: usize, mut value: u32| {
        while value > 0 {
            end -= 1;
            if let Some(digit) = text.get_mut(end) {
                *digit += (value % 10) as u8;
            }
            value /= 10;
        }
    };
    put(4, year);
    put(7, time.month());
    put(10, time.day());
    put(13, time.hour());
    put(16, time.minute());
    put(19, time.second());
    put(26, time.timestamp_subsec_micros());
    String::from_utf8_lossy(&text).into_owned()
}

/// Units and their microseconds, the longer names first.
const UNITS: &[(&str, i64)] = &[
    ("us", 1),
    ("µs", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
];

/// The microseconds of `7d`, `90m` or `1.5h`; `None` when it is no duration.
pub fn duration_us(text: &str) -> Option<i64> {
    let (unit, factor) = UNITS.iter().find(|(unit, _)| {
        text.strip_suffix(unit).is_some_and(|it| it.ends_with(|it: char| it.is_ascii_digit()))
    })?;
    let number = text.strip_suffix(unit)?;
    if !number.chars().all(|it| it.is_ascii_digit() || it == '.') {
        return None;
    }
    let us = number.parse::<f64>().ok()? * *factor as f64;
    // A century is enough, and far from where times overflow.
    (us <= 3.2e15).then_some(us as i64)
}

/// The moment that `2026-11-22T10:00:00Z`, `2026-11-22`, `2026-11-22 10:00` or an age as
/// [`duration_us`] takes it means, in microseconds; UTC where it says no zone. `None` when it is no
/// time. An age has no zero in front, so that the beginning of an id is none.
pub fn moment_us(text: &str, now_us: i64) -> Option<i64> {
    let is_padded =
        text.starts_with('0') && text.chars().nth(1).is_some_and(|it| it.is_ascii_digit());
    if let Some(age_us) = duration_us(text).filter(|_| !is_padded) {
        return now_us.checked_sub(age_us);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let minutes = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let times = minutes.iter().find_map(|it| NaiveDateTime::parse_from_str(text, it).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    Some(times.or_else(day)?.and_utc().timestamp_micros())
}

/// Writes a time as RFC 3339 with as few digits of a second as it has, for people to read.
pub fn rfc3339_short(us: i64) -> String {
    DateTime::from_timestamp_micros(us)
        .map_or_else(|| rfc3339(us), |it| it.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};

    use super::{duration_us, moment_us, rfc3339, rfc3339_short};

    #[test]
    fn times_are_written_as_chrono_does() {
        let far = 300_000_000_000_000_000_i64;
        let times = (-1_000..1_000).map(|it: i64| it.wrapping_mul(2_654_435_761_123_457) % far);
        for us in times.chain([0, -1, 253_402_300_799_999_999, 253_402_300_800_000_000]) {
            let expected = DateTime::from_timestamp_micros(us)
                .map(|it| it.to_rfc3339_opts(SecondsFormat::Micros, true));
            assert_eq!(Some(rfc3339(us)), expected, "{us}");
        }
        assert_eq!(rfc3339(i64::MAX), format!("{} µs since 1970", i64::MAX));
    }

    #[test]
    fn durations() {
        assert_eq!(duration_us("7d"), Some(604_800_000_000));
        assert_eq!(duration_us("1.5h"), Some(5_400_000_000));
        assert_eq!(duration_us("250ms"), Some(250_000));
        assert_eq!(duration_us("3m"), Some(180_000_000));
        for wrong in ["", "d", "7", "-7d", "7 d", "1e9d", "99999999w", "2026-11-22", "7dd"] {
            assert_eq!(duration_us(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments() {
        let now_us = 1_790_000_000_000_000;
        let us = |text: &str| moment_us(text, now_us);
        assert_eq!(us("7d"), Some(now_us - 604_800_000_000));
        assert_eq!(us("0.5h"), Some(now_us - 1_800_000_000));
        assert_eq!(us("1970-01-02"), Some(86_400_000_000));
        assert_eq!(us("1970-01-01 00:01"), Some(60_000_000));
        assert_eq!(us("1970-01-01 00:00:01.000002"), Some(1_000_002));
        assert_eq!(us("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(us("1970-01-01T00:00:00.000001Z"), Some(1));
        for text in ["", "now", "019d", "0199-7", "2026-13-01", "2026-11-22 25:00", "yesterday"] {
            assert_eq!(us(text), None, "{text}");
        }
        for us in [0, 1, 1_000, now_us, now_us + 123_456] {
            assert_eq!(moment_us(&rfc3339_short(us), 0), Some(us));
        }
        assert_eq!(rfc3339_short(60_000_000), "1970-01-01T00:01:00Z");
    }
}
