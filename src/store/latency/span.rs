//! The stretches of time that sketches are added up over: hours, days and months of UTC. Pure
//! calendar; reads no clock.

use chrono::{DateTime, Datelike, Months, NaiveDate};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// How much time a sketch is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Span {
    /// What the rows of `step_latency` are of.
    Hour,
    /// From midnight to midnight.
    Day,
    /// A month of the calendar; of a time that is on no calendar, its day.
    Month,
}

impl Span {
    /// The name, as a roll-up has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The span that a time is in: its start, and that of the next one. Microseconds since 1970.
    pub(crate) fn around(self, time_us: i64) -> (i64, i64) {
        let even = |length_us: i64| {
            let start_us = time_us.saturating_sub(time_us.rem_euclid(length_us));
            (start_us, start_us.saturating_add(length_us))
        };
        match self {
            Self::Hour => even(HOUR_US),
            Self::Day => even(DAY_US),
            Self::Month => month(time_us).unwrap_or_else(|| even(DAY_US)),
        }
    }
}

fn month(time_us: i64) -> Option<(i64, i64)> {
    let first = DateTime::from_timestamp_micros(time_us)?.date_naive().with_day(1)?;
    let next = first.checked_add_months(Months::new(1))?;
    let us = |date: NaiveDate| Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    Some((us(first)?, us(next)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_its_span() {
        let us = |text: &str| text.parse::<DateTime<chrono::Utc>>().map(|it| it.timestamp_micros());
        let around = |span: Span, start: &str, end: &str| {
            let (start, end) = (us(start).unwrap_or_default(), us(end).unwrap_or_default());
            for time_us in [start, start + 1, end - 1] {
                assert_eq!(span.around(time_us), (start, end), "{span:?} {time_us}");
            }
        };
        around(Span::Hour, "2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z");
        around(Span::Day, "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z");
        around(Span::Month, "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        around(Span::Month, "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z");
        for time_us in [i64::MIN, i64::MIN + 1, i64::MAX] {
            assert_eq!(Span::Month.around(time_us), Span::Day.around(time_us));
        }
    }
}
