//! Compaction: many small files of a table become few large ones, sorted, with the same rows; the
//! sketches of `step_latency` are summed by their keys. Either a whole store at once, by
//! [`Keeper::compact`], or in small steps beside a writer, by `background`.
//!
//! ```text
//! plan (which files, why) ─► merge (row by row) ─► new files, durable ─► one commit that swaps
//! ```
//!
//! The files that were replaced stay for readers of an older version, until a vacuum. A compaction
//! that dies leaves the table as it was, and perhaps a file that is part of none. A file that is
//! damaged is left alone, and so is a table with columns that this build does not know.

mod background;
mod merge;
mod plan;
mod sketches;
mod step;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use self::background::{Compactor, Signal};
pub(super) use self::plan::Bounds;
use self::plan::{Group, PlanFile};
use self::step::Outcome;
use super::flush::Writing;
use super::keeper::Keeper;
use super::options::Compaction;
use super::snapshot::DataFile;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;

/// A file of this size is never merged again.
pub(super) const LARGE_BYTES: u64 = 64 << 20;
/// Bytes of the files that one commit of a whole compaction replaces.
const GROUP_BYTES_MAX: u64 = 128 << 20;
/// Files that one commit of a whole compaction replaces: each may be open meanwhile.
const GROUP_FILES_MAX: usize = 256;
/// A whole compaction takes that many rounds at most: each leaves fewer files.
const ROUNDS_MAX: usize = 16;
/// Steps that are taken of one table at most: each leaves fewer files.
const STEPS_MAX: usize = 10_000;

/// What to compact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactOptions {
    /// The tables; all of them if none is named.
    pub tables: Vec<Table>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Only take the steps that a writer of these settings takes by itself.
    pub steps: Option<Compaction>,
    /// Files of this size are large enough.
    pub large_bytes: u64,
}

impl Default for CompactOptions {
    fn default() -> Self {
        Self { tables: Vec::new(), dry_run: false, steps: None, large_bytes: LARGE_BYTES }
    }
}

/// What a compaction has done, or would do.
#[derive(Debug, Clone, Default)]
pub struct Compacted {
    /// The tables in the order in which they were compacted.
    pub tables: Vec<CompactedTable>,
}

/// One table of a [`Compacted`].
#[derive(Debug, Clone)]
pub struct CompactedTable {
    /// The table.
    pub table: Table,
    /// Its files before.
    pub before: Extent,
    /// Its files afterwards; of a dry run as many as there would be, as large as they are.
    pub after: Extent,
    /// What was, or would be, put together, one commit each. A dry run shows the first round.
    pub merges: Vec<Merge>,
    /// Files that cannot be read, and why.
    pub left_alone: Vec<(PathBuf, String)>,
    /// Why nothing was done at all.
    pub skipped: Option<String>,
    /// How long it took.
    pub duration_ns: i64,
}

/// How many files, and of what size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Data files.
    pub files: u64,
    /// Their size.
    pub size_bytes: u64,
}

/// Files that became one, or some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The files that were merged.
    pub before: Extent,
    /// What they became; `None` in a dry run.
    pub after: Option<Extent>,
    /// Rows in them before, as far as the log says.
    pub rows: u64,
    /// Why.
    pub reason: String,
}

/// How far a compaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactProgress {
    /// The table that is at work.
    pub table: Table,
    /// Rows of this round that are merged.
    pub rows_done: u64,
    /// Rows of this round.
    pub rows_total: u64,
}

/// Looks on during a compaction, and may break it off: what is committed stays.
pub type CompactObserver<'a> = &'a mut dyn FnMut(CompactProgress) -> ControlFlow<()>;

impl Keeper {
    /// Merges all files that are not large enough. Safe beside writers, readers and other
    /// compactions; one that is broken off is simply done again.
    ///
    /// # Errors
    /// `Unavailable` when another process rewrites files of the store; `Interrupted` when
    /// `progress` breaks it off; `Failed` when the disk refuses. Damage to a table or a file is no
    /// error: it is in the answer.
    pub fn compact(
        &self,
        options: &CompactOptions,
        progress: CompactObserver<'_>,
    ) -> Result<Compacted> {
        let _right = if options.dry_run { None } else { Some(self.rewriting_soon()?) };
        let tables = match &*options.tables {
            [] => Table::ALL,
            some => some,
        };
        let mut compacted = Compacted::default();
        for table in tables {
            compacted.tables.push(self.compact_table(*table, options, progress)?);
        }
        if !options.dry_run {
            self.keep_logs();
        }
        Ok(compacted)
    }

    fn compact_table(
        &self,
        table: Table,
        options: &CompactOptions,
        progress: CompactObserver<'_>,
    ) -> Result<CompactedTable> {
        let clock = &self.writing.clock;
        let start_ns = clock.monotonic_ns();
        let mut done = CompactedTable::new(table);
        match files_of(&self.writing, table) {
            Ok(files) => {
                (done.before, done.after) = (extent(&files), extent(&files));
                self.rounds(files, options, progress, &mut done)?;
            }
            Err(error) if is_told(&error) => done.skipped = Some(error.in_one_line()),
            Err(error) => return Err(error),
        }
        done.duration_ns = clock.monotonic_ns() - start_ns;
        Ok(done)
    }

    /// Merges until there is nothing left to merge: what one round leaves may be small enough for
    /// another.
    fn rounds(
        &self,
        mut files: Arc<Vec<DataFile>>,
        options: &CompactOptions,
        progress: CompactObserver<'_>,
        done: &mut CompactedTable,
    ) -> Result<()> {
        let table = done.table;
        let bounds = whole_bounds(options.large_bytes);
        let steps = options.steps.as_ref().map(Compaction::bounds);
        let rounds_max = if steps.is_some() { STEPS_MAX } else { ROUNDS_MAX };
        let mut known: BTreeSet<String> = files.iter().map(|it| name_of(&it.path)).collect();
        let mut left_alone = BTreeSet::new();
        for _ in 0..rounds_max {
            let planned = plan_files(&files, &left_alone);
            let groups = match &steps {
                Some(steps) => plan::step(&planned, steps).into_iter().collect(),
                None => plan::full(&planned, &bounds),
            };
            if groups.is_empty() {
                return Ok(());
            }
            if options.dry_run {
                done.foretell(&groups);
                return Ok(());
            }
            let mut told = CompactProgress {
                table,
                rows_done: 0,
                rows_total: groups.iter().map(|it| it.rows).sum(),
            };
            let mut changed = false;
            for group in &groups {
                let inputs = inputs_of(&files, group);
                let go_on = &mut |rows: u64| {
                    told.rows_done += rows;
                    progress(told)
                };
                match step::merge_files(&self.writing, table, &inputs, group, false, go_on)? {
                    Outcome::Done(merge, names) => {
                        known.extend(names);
                        done.merges.push(merge);
                        changed = true;
                    }
                    Outcome::Stale => changed = true,
                    Outcome::Unreadable(path, error) => {
                        changed |= left_alone.insert(name_of(&path));
                        done.left_alone.push((path, error.in_one_line()));
                    }
                }
            }
            // what writers add meanwhile waits for the next compaction: this one would not end
            let now = files_of(&self.writing, table)?;
            let is_ours = |it: &&DataFile| known.contains(&name_of(&it.path));
            files = Arc::new(now.iter().filter(is_ours).cloned().collect());
            let has_fewer = (files.len() as u64) < done.after.files;
            done.after = extent(&files);
            if !changed || (!has_fewer && left_alone.is_empty()) {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl CompactedTable {
    fn new(table: Table) -> Self {
        Self {
            table,
            before: Extent::default(),
            after: Extent::default(),
            merges: Vec::new(),
            left_alone: Vec::new(),
            skipped: None,
            duration_ns: 0,
        }
    }

    fn foretell(&mut self, groups: &[Group]) {
        for group in groups {
            let before = Extent { files: group.names.len() as u64, size_bytes: group.size_bytes };
            self.after.files -= before.files - 1;
            let (rows, reason) = (group.rows, group.reason.clone());
            self.merges.push(Merge { before, after: None, rows, reason });
        }
    }
}

/// Whether an error is about one table, and the others go on.
fn is_told(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Damaged | ErrorKind::Unavailable)
}

/// The files of a table now, if this build may rewrite them. A table that is not there has none.
fn files_of(writing: &Writing, table: Table) -> Result<Arc<Vec<DataFile>>> {
    let mut log = writing.tables.log(table)?;
    log.refresh()?;
    if log.version().is_none() {
        return Ok(Arc::default());
    }
    log.check_rewritable()?;
    Ok(log.files())
}

/// The files of a table that a whole compaction would merge now.
pub(super) fn mergeable(files: &[DataFile]) -> Extent {
    let groups = plan::full(&plan_files(files, &BTreeSet::new()), &whole_bounds(LARGE_BYTES));
    Extent {
        files: groups.iter().map(|it| it.names.len() as u64).sum(),
        size_bytes: groups.iter().map(|it| it.size_bytes).sum(),
    }
}

/// What a whole compaction merges.
fn whole_bounds(large_bytes: u64) -> Bounds {
    Bounds {
        large_bytes,
        files_min: 2,
        files_max: GROUP_FILES_MAX,
        bytes_max: large_bytes.saturating_mul(2).min(GROUP_BYTES_MAX),
    }
}

fn plan_files(files: &[DataFile], left_alone: &BTreeSet<String>) -> Vec<PlanFile> {
    let plan_file = |it: &DataFile| PlanFile {
        name: name_of(&it.path),
        size_bytes: it.size_bytes,
        rows: it.rows,
        first_run: it.run_ids.as_ref().map(|(first, _)| first.clone()),
        oldest_us: it.times_us.map(|(oldest, _)| oldest),
    };
    files.iter().map(plan_file).filter(|it| !left_alone.contains(&it.name)).collect()
}

/// The files of a group, in its order.
fn inputs_of(files: &[DataFile], group: &Group) -> Vec<DataFile> {
    let by_name = |name: &String| files.iter().find(|it| name_of(&it.path) == *name).cloned();
    group.names.iter().filter_map(by_name).collect()
}

/// The name of a file in its table's folder.
fn name_of(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

fn extent(files: &[DataFile]) -> Extent {
    Extent { files: files.len() as u64, size_bytes: files.iter().map(|it| it.size_bytes).sum() }
}
