//! How a store grows, and what looking after it would do now: from the statistics of the logs and
//! the lists of the folders. Reads no data file and changes nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};

use super::compact::{self, Extent};
use super::handle::Store;
use super::retain::{self, Expired, Rules};
use super::snapshot::DataFile;
use super::vacuum::{self, Vacuumed};
use crate::error::Result;
use crate::event::Table;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Days over which growth is measured.
const GROWTH_DAYS: i64 = 30;

/// What a store has grown to, and what would be done about it.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// By table and month, rising.
    pub months: Vec<MonthStatus>,
    /// By table, of those that have grown in the last 30 days.
    pub growth: Vec<Growth>,
    /// What a compaction would merge, by table.
    pub mergeable: Vec<(Table, Extent)>,
    /// The store's own rules of retention.
    pub rules: Rules,
    /// What these would remove, by table.
    pub expired: Vec<(Table, Expired)>,
    /// What a vacuum would delete.
    pub vacuum: Vacuumed,
}

/// Rows and bytes of one table whose time is in one month. Where a file spans months, its rows and
/// bytes are taken to be spread evenly over its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthStatus {
    /// The table.
    pub table: Table,
    /// The month, `2026-11`, in UTC.
    pub month: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub size_bytes: u64,
}

/// What a table gains a day, over the last 30 days or since its oldest row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// The table.
    pub table: Table,
    /// Rows a day.
    pub rows_per_day: u64,
    /// Bytes a day.
    pub bytes_per_day: u64,
}

impl Store {
    /// How the store grows, and what compaction, retention and vacuum would do at a time.
    pub fn outlook(&self, now_us: i64) -> Result<Outlook> {
        let snapshot = self.snapshot()?;
        let rules = retain::read_rules(&**self.tables().files(), self.layout())?;
        let (mut months, mut growth) = (Vec::new(), Vec::new());
        let (mut mergeable, mut expired) = (Vec::new(), Vec::new());
        for table in Table::ALL {
            let Some(it) = snapshot.tables.get(table) else { continue };
            months.extend(by_month(*table, &it.files));
            growth.extend(growth_of(*table, &it.files, now_us));
            mergeable.push((*table, compact::mergeable(&it.files)));
            if let Some(found) = retain::expired(&rules, *table, &it.files, now_us) {
                expired.push((*table, found));
            }
        }
        let vacuum = vacuum::foretell(self.tables(), self.layout(), now_us)?;
        Ok(Outlook { months, growth, mergeable, rules, expired, vacuum })
    }
}

/// From when to when the rows of a file are.
fn span_us(file: &DataFile) -> (i64, i64) {
    let of_ids = || {
        let (first, last) = file.run_ids.as_ref()?;
        Some((retain::time_of_id_us(first)?, retain::time_of_id_us(last)?))
    };
    let known = file.times_us.filter(|(first, _)| *first > 0).or_else(of_ids);
    let committed_us = file.committed_ms.saturating_mul(1_000);
    let (first, last) = known.unwrap_or((committed_us, committed_us));
    (first, last.max(first))
}

/// The part of `amount` that lies between two times, the second not included.
fn part(amount: u64, (first, last): (i64, i64), (from, to): (i64, i64)) -> u64 {
    let length = i128::from(last) - i128::from(first) + 1;
    let start = i128::from(first.max(from));
    let end = (i128::from(last) + 1).min(i128::from(to));
    let share = i128::from(amount) * (end - start).max(0) / length;
    u64::try_from(share).unwrap_or(0)
}

fn by_month(table: Table, files: &[DataFile]) -> Vec<MonthStatus> {
    let mut months: BTreeMap<NaiveDate, (u64, u64)> = BTreeMap::new();
    for file in files {
        let span = span_us(file);
        let (mut rows, mut bytes) = (file.rows.unwrap_or(0), file.size_bytes);
        let (whole_rows, whole_bytes) = (rows, bytes);
        let mut month = month_of(span.0);
        loop {
            let next = month.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
            let within = (start_us(month), start_us(next));
            let is_last = span.1 < within.1 || next == NaiveDate::MAX;
            let at = months.entry(month).or_default();
            // the last month gets what rounding has left
            let take = |whole: u64, rest: &mut u64| {
                let taken = if is_last { *rest } else { part(whole, span, within).min(*rest) };
                *rest -= taken;
                taken
            };
            at.0 += take(whole_rows, &mut rows);
            at.1 += take(whole_bytes, &mut bytes);
            if is_last {
                break;
            }
            month = next;
        }
    }
    let status = |(month, (rows, size_bytes)): (NaiveDate, (u64, u64))| MonthStatus {
        table,
        month: month.format("%Y-%m").to_string(),
        rows,
        size_bytes,
    };
    months.into_iter().map(status).collect()
}

fn month_of(us: i64) -> NaiveDate {
    let date = DateTime::<Utc>::from_timestamp_micros(us).unwrap_or_default().date_naive();
    date.with_day(1).unwrap_or(date)
}

fn start_us(month: NaiveDate) -> i64 {
    month.and_hms_opt(0, 0, 0).map_or(i64::MAX, |it| it.and_utc().timestamp_micros())
}

fn growth_of(table: Table, files: &[DataFile], now_us: i64) -> Option<Growth> {
    let from = now_us - GROWTH_DAYS * DAY_US;
    let oldest = files.iter().map(|it| span_us(it).0).min()?;
    let days = ((now_us - oldest.max(from)) / DAY_US).clamp(1, GROWTH_DAYS) as u64;
    let (mut rows, mut bytes) = (0, 0);
    for file in files {
        let span = span_us(file);
        rows += part(file.rows.unwrap_or(0), span, (from, i64::MAX));
        bytes += part(file.size_bytes, span, (from, i64::MAX));
    }
    let growth = Growth { table, rows_per_day: rows / days, bytes_per_day: bytes / days };
    (bytes > 0).then_some(growth)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    fn file(rows: u64, size_bytes: u64, times: (&str, &str)) -> DataFile {
        let us = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
        DataFile {
            path: PathBuf::from("x"),
            size_bytes,
            rows: Some(rows),
            digest: None,
            run_ids: None,
            times_us: Some((us(times.0), us(times.1))),
            replaces: Arc::default(),
            committed_ms: 0,
        }
    }

    #[test]
    fn a_file_counts_for_the_months_that_it_spans() {
        let files = [
            file(100, 1_001, ("2026-01-31T00:00:00Z", "2026-02-01T23:59:59.999999Z")),
            file(7, 70, ("2026-02-03T00:00:00Z", "2026-02-03T00:00:00Z")),
        ];
        let found = by_month(Table::Runs, &files);
        let found: Vec<_> =
            found.iter().map(|it| (it.month.as_str(), it.rows, it.size_bytes)).collect();
        assert_eq!(found, [("2026-01", 50, 500), ("2026-02", 57, 571)]);
    }

    #[test]
    fn growth_is_that_of_thirty_days_or_less() {
        let now = DateTime::parse_from_rfc3339("2026-03-01T00:00:00Z").unwrap().timestamp_micros();
        let old = file(1_000, 1_000, ("2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z"));
        let new = file(300, 6_000, ("2026-02-10T00:00:00Z", "2026-02-20T00:00:00Z"));
        let of = |files: &[DataFile]| {
            growth_of(Table::Runs, files, now).map(|it| (it.rows_per_day, it.bytes_per_day))
        };
        assert_eq!(of(&[old.clone(), new.clone()]), Some((10, 200)));
        assert_eq!(of(&[new]), Some((300 / 19, 6_000 / 19)));
        assert_eq!(of(&[old]), None);
    }
}
