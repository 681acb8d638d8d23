//! Which runs an export takes, and on which day each began. A run is known by a key: its children
//! are taken with it, whatever their own times.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMicrosecondType;
use futures::StreamExt;

use super::work::Work;
use crate::error::{Error, Result};
use crate::sql::{ParamValue, Params, Session};

/// 16 bytes of the BLAKE3 of a run's id, or of a row.
pub(super) type Key = [u8; 16];

/// Microseconds of a day.
pub(super) const DAY_US: i64 = 86_400_000_000;

/// The key of a text.
pub(super) fn key(text: &[u8]) -> Key {
    let mut key = Key::default();
    let hash = blake3::hash(text);
    key.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    key
}

/// The runs that are visible and wanted, and the days on which they began.
#[derive(Debug, Default)]
pub(super) struct Runs {
    days: HashMap<Key, i32>,
    /// The smallest id among them: files with smaller ones need not be read.
    pub(super) first_id: Option<String>,
}

impl Runs {
    /// Reads the runs that began at a time or later, but for those that were exported.
    pub(super) fn read(
        session: &Session,
        since_us: Option<i64>,
        exported: &HashSet<Key>,
        work: &mut Work<'_>,
    ) -> Result<Self> {
        let mut params = Params::new();
        let mut sql = "SELECT run_id, start_time FROM runs".to_owned();
        if let Some(since_us) = since_us {
            params.insert("since".to_owned(), ParamValue::Time(since_us));
            sql += " WHERE start_time >= $since";
        }
        let mut found = Self::default();
        let mut stream = work.wait(session.query_stream(&sql, &params))??;
        while let Some(batch) = work.wait(stream.next())?.transpose()? {
            let (Some(ids), Some(times)) = (
                batch.columns().first().and_then(|it| it.as_string_opt::<i32>()),
                batch
                    .columns()
                    .get(1)
                    .and_then(|it| it.as_primitive_opt::<TimestampMicrosecondType>()),
            ) else {
                return Err(Error::internal("runs have other columns"));
            };
            for (id, time_us) in ids.iter().zip(times) {
                let (Some(id), Some(time_us)) = (id, time_us) else { continue };
                let key = key(id.as_bytes());
                if exported.contains(&key) {
                    continue;
                }
                found.days.insert(key, day_of(time_us));
                if found.first_id.as_deref().is_none_or(|first| id < first) {
                    found.first_id = Some(id.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// Their keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.days.keys()
    }

    /// The rows of these runs, and those without a run that `is_wanted` says by their number.
    pub(super) fn filter(
        &self,
        batch: &RecordBatch,
        mut is_wanted: impl FnMut(usize) -> Result<bool>,
    ) -> Result<RecordBatch> {
        let mut taken = Vec::with_capacity(batch.num_rows());
        let ids = run_ids(batch);
        each_run(ids, batch.num_rows(), |row, key| {
            taken.push(match key {
                Some(key) => self.days.contains_key(key),
                None => is_wanted(row)?,
            });
            Ok(())
        })?;
        filter_record_batch(batch, &BooleanArray::from(taken))
            .map_err(|it| Error::internal("cannot filter rows").with_source(it))
    }

    /// For each row, the day on which its run began.
    pub(super) fn days(&self, batch: &RecordBatch) -> Result<Vec<Option<i32>>> {
        let mut days = Vec::with_capacity(batch.num_rows());
        each_run(run_ids(batch), batch.num_rows(), |_, key| {
            days.push(key.and_then(|it| self.days.get(it)).copied());
            Ok(())
        })?;
        Ok(days)
    }
}

/// The day of a time, in days since 1970.
pub(super) fn day_of(time_us: i64) -> i32 {
    i32::try_from(time_us.div_euclid(DAY_US)).unwrap_or(i32::MAX)
}

/// The ids of the runs of rows.
pub(super) fn run_ids(batch: &RecordBatch) -> Option<&StringArray> {
    batch.column_by_name("run_id")?.as_string_opt::<i32>()
}

/// Calls `take` with the number of each row and the key of its run; rows of one run lie together,
/// and its key is made once.
pub(super) fn each_run(
    ids: Option<&StringArray>,
    rows: usize,
    mut take: impl FnMut(usize, Option<&Key>) -> Result<()>,
) -> Result<()> {
    let mut last: Option<(&str, Key)> = None;
    for row in 0..rows {
        let id = ids.filter(|it| it.is_valid(row)).map(|it| it.value(row));
        let Some(id) = id else {
            take(row, None)?;
            continue;
        };
        let known = match last {
            Some((same, key)) if same == id => key,
            _ => key(id.as_bytes()),
        };
        last = Some((id, known));
        take(row, Some(&known))?;
    }
    Ok(())
}
