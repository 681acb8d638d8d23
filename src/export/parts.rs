//! The files of one table or result: rows are gathered in groups, groups are encoded on other
//! threads, and a file that is large enough is written while the next one is filled. In memory are
//! a few groups, the files that are open, and one that is being written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use tokio::task::JoinHandle;

use super::encode::{Encoder, FileBytes, Group};
use super::lower::{DAY, Lowering};
use super::own::{DAY_PREFIX, NO_DAY};
use super::profile::Profile;
use super::target::Target;
use super::work::Work;
use super::{ExportedFile, ExportedTable};
use crate::error::{Error, Result};

/// Bytes of a group in memory, where rows are long.
const GROUP_BYTES_MAX: usize = 128 << 20;
/// Files that are open at the same time, one for each day.
const OPEN_MAX: usize = 16;
/// Bytes of rows that are gathered for all open files, before the fullest is taken.
const GATHERED_BYTES_MAX: usize = 192 << 20;

/// A day, in days since 1970; `None` for rows without one, and for all where days do not count.
pub(super) type Day = Option<i32>;

/// How the files of a table are written.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) target: Arc<Target>,
    pub(super) lowering: Arc<Lowering>,
    pub(super) profile: &'static Profile,
    pub(super) by_day: bool,
    pub(super) rows_per_file: u64,
}

/// The files of a table on their way.
pub(super) struct Parts {
    shape: Shape,
    encoder: Arc<Encoder>,
    table: ExportedTable,
    next_part: u64,
    open: BTreeMap<Day, Open>,
    jobs: VecDeque<Job>,
    placing: usize,
    clock: u64,
}

/// A file that gets rows.
struct Open {
    gathered: Vec<RecordBatch>,
    gathered_rows: usize,
    gathered_bytes: usize,
    file: FileBytes,
    /// Rows of the file, those on other threads included.
    rows: u64,
    jobs: usize,
    touched: u64,
}

/// What another thread does.
enum Job {
    Group(Day, JoinHandle<Result<(Group, Vec<u64>)>>),
    Place(JoinHandle<Result<ExportedFile>>),
}

impl Parts {
    /// No rows yet. `table` is what there was before.
    pub(super) fn new(shape: Shape, table: ExportedTable, threads: usize) -> Result<Self> {
        let encoder = Arc::new(Encoder::new(shape.lowering.schema(), shape.profile, threads)?);
        let (open, jobs, next_part) = (BTreeMap::new(), VecDeque::new(), table.next_part());
        Ok(Self { shape, encoder, table, next_part, open, jobs, placing: 0, clock: 0 })
    }

    /// Adds rows of one day.
    pub(super) fn write(
        &mut self,
        rows: &RecordBatch,
        day: Day,
        work: &mut Work<'_>,
    ) -> Result<()> {
        let mut rest = rows.clone();
        while rest.num_rows() > 0 {
            let group_rows = self.shape.profile.group_rows;
            let rows_per_file = self.shape.rows_per_file.max(1);
            let open = self.open(day)?;
            let in_file = rows_per_file.saturating_sub(open.rows + open.gathered_rows as u64);
            let in_group = group_rows.saturating_sub(open.gathered_rows);
            let room = usize::try_from(in_file).unwrap_or(usize::MAX).min(in_group).max(1);
            let taken = rest.slice(0, room.min(rest.num_rows()));
            rest = rest.slice(taken.num_rows(), rest.num_rows() - taken.num_rows());
            open.gathered_rows += taken.num_rows();
            open.gathered_bytes += size_bytes(&taken);
            open.gathered.push(taken);
            let file_is_full = open.rows + open.gathered_rows as u64 >= rows_per_file;
            if file_is_full {
                self.end(day, work)?;
            } else if open.gathered_rows >= group_rows || open.gathered_bytes >= GROUP_BYTES_MAX {
                self.submit(day, work)?;
                self.end_large(work)?;
            }
        }
        self.bound(day, work)
    }

    /// Ends all files. A table that has none gets one without rows, if `always`: a
    /// folder of days without a day has none.
    pub(super) fn finish(mut self, always: bool, work: &mut Work<'_>) -> Result<ExportedTable> {
        if always && !self.shape.by_day && self.open.is_empty() && self.next_part == 0 {
            self.open(None)?;
        }
        while let Some(day) = self.open.keys().next().copied() {
            self.end(day, work)?;
        }
        while !self.jobs.is_empty() {
            self.settle(work)?;
        }
        self.table.rows = self.table.files.iter().map(|it| it.rows).sum();
        Ok(self.table)
    }

    fn open(&mut self, day: Day) -> Result<&mut Open> {
        self.clock += 1;
        let touched = self.clock;
        if !self.open.contains_key(&day) {
            let (gathered, file) = (Vec::new(), self.encoder.file()?);
            let (gathered_rows, gathered_bytes) = (0, 0);
            let open =
                Open { gathered, gathered_rows, gathered_bytes, file, rows: 0, jobs: 0, touched };
            self.open.insert(day, open);
        }
        match self.open.get_mut(&day) {
            Some(open) => {
                open.touched = touched;
                Ok(open)
            }
            None => Err(Error::internal("a file was opened and is not there")),
        }
    }

    /// Keeps what is in memory below its bounds.
    fn bound(&mut self, current: Day, work: &mut Work<'_>) -> Result<()> {
        if self.open.len() > OPEN_MAX {
            let others = self.open.iter().filter(|(day, _)| **day != current);
            let oldest = others.min_by_key(|(_, it)| it.touched).map(|(day, _)| *day);
            if let Some(day) = oldest {
                self.end(day, work)?;
            }
        }
        let gathered: usize = self.open.values().map(|it| it.gathered_bytes).sum();
        if gathered > GATHERED_BYTES_MAX {
            let fullest = self.open.iter().max_by_key(|(_, it)| it.gathered_bytes);
            if let Some(day) = fullest.map(|(day, _)| *day) {
                self.submit(day, work)?;
            }
        }
        Ok(())
    }

    /// Has the rows that were gathered for a day encoded.
    fn submit(&mut self, day: Day, work: &mut Work<'_>) -> Result<()> {
        let (encoder, lowering) = (Arc::clone(&self.encoder), Arc::clone(&self.shape.lowering));
        let open = self.open(day)?;
        let gathered = std::mem::take(&mut open.gathered);
        if gathered.is_empty() {
            return Ok(());
        }
        open.rows += std::mem::take(&mut open.gathered_rows) as u64;
        open.gathered_bytes = 0;
        open.jobs += 1;
        let job = work.spawn(move || {
            let (mut rows, mut nulled) = (Vec::with_capacity(gathered.len()), Vec::new());
            for batch in gathered {
                let lowered = lowering.lower(&batch, day)?;
                nulled.resize(lowered.nulled.len(), 0);
                nulled.iter_mut().zip(&lowered.nulled).for_each(|(sum, it)| *sum += it);
                rows.push(lowered.rows);
            }
            Ok((encoder.group(rows)?, nulled))
        })?;
        self.jobs.push_back(Job::Group(day, job));
        while self.jobs.len() > work.threads() {
            self.settle(work)?;
        }
        Ok(())
    }

    /// Waits for the oldest job.
    fn settle(&mut self, work: &mut Work<'_>) -> Result<()> {
        let broke = |it| Error::internal("a thread of an export broke off").with_source(it);
        match self.jobs.pop_front() {
            None => {}
            Some(Job::Group(day, job)) => {
                let (group, nulled) = work.wait(job)?.map_err(broke)??;
                for (field, count) in self.shape.lowering.fields().iter().zip(nulled) {
                    if count > 0 {
                        *self.table.nulled.entry(field.name().clone()).or_default() += count;
                    }
                }
                if let Some(open) = self.open.get_mut(&day) {
                    open.jobs -= 1;
                    open.file.append(group)?;
                }
            }
            Some(Job::Place(job)) => {
                let file = work.wait(job)?.map_err(broke)??;
                self.placing -= 1;
                self.table.files.push(file);
            }
        }
        Ok(())
    }

    /// Ends files that are large enough.
    fn end_large(&mut self, work: &mut Work<'_>) -> Result<()> {
        let limit = self.shape.profile.file_bytes;
        let large = |(day, it): (&Day, &Open)| (it.file.size_bytes() >= limit).then_some(*day);
        while let Some(day) = self.open.iter().find_map(large) {
            self.end(day, work)?;
        }
        Ok(())
    }

    /// Ends the file of a day and has it written.
    fn end(&mut self, day: Day, work: &mut Work<'_>) -> Result<()> {
        self.submit(day, work)?;
        while self.open.get(&day).is_some_and(|it| it.jobs > 0) || self.placing > 0 {
            self.settle(work)?;
        }
        let Some(Open { file, rows, .. }) = self.open.remove(&day) else { return Ok(()) };
        let (shape, bytes, path) = (self.shape.clone(), file.finish()?, self.path(day));
        self.next_part += 1;
        self.placing += 1;
        let job = work.spawn(move || {
            let form = (shape.profile.format, shape.lowering.schema().as_ref());
            shape.target.place_rows(&path, bytes, form, rows)
        })?;
        self.jobs.push_back(Job::Place(job));
        Ok(())
    }

    fn path(&self, day: Day) -> String {
        let (name, part, format) = (&self.table.name, self.next_part, self.shape.profile.format);
        match self.shape.by_day {
            false => format!("{name}/part-{part}.{format}"),
            true => format!("{name}/{}/part-{part}.{format}", day_folder(day)),
        }
    }
}

/// The folder of a day.
fn day_folder(day: Day) -> String {
    let date = day_text(day);
    format!("{DAY_PREFIX}{}", date.as_deref().unwrap_or(NO_DAY))
}

/// A day as a date.
fn day_text(day: Day) -> Option<String> {
    chrono::NaiveDate::from_epoch_days(day?).map(|it| it.format("%Y-%m-%d").to_string())
}

/// The values of partition columns that the path of a file says.
pub(super) fn partition_values(path: &str) -> Vec<(String, Option<String>)> {
    let folders = path.split('/').filter_map(|it| it.strip_prefix(DAY_PREFIX));
    folders.map(|it| (DAY.to_owned(), (it != NO_DAY).then(|| it.to_owned()))).collect()
}

/// Bytes that the rows themselves take.
fn size_bytes(rows: &RecordBatch) -> usize {
    let size = |it: &dyn Array| it.to_data().get_slice_memory_size().unwrap_or_default();
    rows.columns().iter().map(|it| size(it.as_ref())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_folders_and_back() {
        assert_eq!(day_folder(Some(20_779)), "dt=2026-11-22");
        assert_eq!(day_folder(Some(-1)), "dt=1969-12-31");
        assert_eq!(day_folder(None), "dt=__HIVE_DEFAULT_PARTITION__");
        let date = Some("2026-11-22".to_owned());
        assert_eq!(partition_values("dt=2026-11-22/part-0.parquet"), [("dt".to_owned(), date)]);
        assert_eq!(partition_values("dt=__HIVE_DEFAULT_PARTITION__/x"), [("dt".to_owned(), None)]);
        assert!(partition_values("part-0.parquet").is_empty());
    }
}
