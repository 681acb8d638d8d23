//! Vacuum: deletes data files that are part of no table any more, and what writers that died have
//! left. Never deletes a file that the current state of a table names, nor one that a process may
//! be about to name, nor what a repair has put aside. The only part of a store that deletes data.
//!
//! The folders are listed before the logs are read: what a log names by then stays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta::{Listing, State};
use super::files::{Entry, Files};
use super::flush::Writing;
use super::identity;
use super::keeper::Keeper;
use super::layout::{Layout, delta_log, is_data_name, is_temporary_name};
use super::location::Location;
use super::slot;
use super::tables::Tables;
use crate::clock::{Clock, IdSource};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::journal::disk::{Disk, SystemDisk};

/// What to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VacuumOptions {
    /// Files go this long after they were taken out of their table, or written by someone who is
    /// gone; in microseconds.
    pub older_than_us: i64,
    /// Only say what would be deleted.
    pub dry_run: bool,
}

impl Default for VacuumOptions {
    /// A day: as long as a reader may go on with what it saw.
    fn default() -> Self {
        Self { older_than_us: 24 * 3_600_000_000, dry_run: false }
    }
}

/// What a vacuum has deleted, or would delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// All tables.
    pub tables: Vec<VacuumedTable>,
}

/// One table of a [`Vacuumed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VacuumedTable {
    /// The table.
    pub table: Table,
    /// Files that were taken out of it.
    pub removed: Freed,
    /// Files that were never part of it.
    pub strays: Freed,
    /// Files that are no part of it and are too young to go.
    pub kept: Freed,
}

/// Files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Files.
    pub files: u64,
    /// Their size.
    pub size_bytes: u64,
}

impl Freed {
    fn add(&mut self, entry: &Entry) {
        self.files += 1;
        self.size_bytes += entry.metadata.size_bytes;
    }
}

/// Files of tables, as they were before the logs were read.
type Listed = BTreeMap<Table, Vec<(PathBuf, Entry)>>;

/// Deletes what nobody needs.
///
/// # Errors
/// `Unavailable` when there is no store, or another process rewrites its files for long; `Damaged`
/// when a log cannot be read: nothing was deleted then.
pub fn vacuum(
    location: &Location,
    options: VacuumOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<Vacuumed> {
    vacuum_with(SystemDisk::shared(), location, options, clock, ids)
}

/// As [`vacuum`], with the disk as a parameter: tests pass one that fails.
pub fn vacuum_on(
    disk: Arc<dyn Disk>,
    path: &Path,
    options: VacuumOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<Vacuumed> {
    vacuum_with(disk, &Location::from(path), options, clock, ids)
}

fn vacuum_with(
    disk: Arc<dyn Disk>,
    location: &Location,
    options: VacuumOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
) -> Result<Vacuumed> {
    // asked before this process counts as one that uses the store
    let (layout, files) = (location.layout(), location.files(&disk)?);
    identity::read(&*files, &layout)?;
    let listed = list(&*files, &layout)?;
    let alone = slot::nobody_writes(&layout)?;
    let keeper = Keeper::open_with(disk, location, clock, ids)?;
    let _right = if options.dry_run { None } else { Some(keeper.rewriting_soon()?) };
    sweep(&keeper.writing, options, &listed, alone)
}

/// What a vacuum would delete, for whoever only looks.
pub(super) fn foretell(tables: &Tables, layout: &Layout, now_us: i64) -> Result<Vacuumed> {
    let listed = list(&**tables.files(), layout)?;
    let due = due(&**tables.files(), layout, VacuumOptions::default(), &listed, false, now_us)?;
    Ok(Vacuumed { tables: due.into_iter().map(|(it, _)| it).collect() })
}

fn list(files: &dyn Files, layout: &Layout) -> Result<Listed> {
    let mut listed = Listed::new();
    for table in Table::ALL {
        let folder = layout.table(*table);
        let mut found = Vec::new();
        for entry in files.list(&folder)? {
            if is_data_name(&entry.name) || is_temporary_name(&entry.name) {
                found.push((folder.clone(), entry));
            }
        }
        for entry in files.list(&delta_log(&folder))? {
            if is_temporary_name(&entry.name) {
                found.push((delta_log(&folder), entry));
            }
        }
        found.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        listed.insert(*table, found);
    }
    Ok(listed)
}

fn sweep(
    writing: &Writing,
    options: VacuumOptions,
    listed: &Listed,
    alone: bool,
) -> Result<Vacuumed> {
    let (files, now_us) = (&**writing.files(), writing.clock.now_us());
    // of a bucket, writers elsewhere are not seen
    let alone = alone && !files.is_remote();
    let due = due(files, &writing.layout, options, listed, alone, now_us)?;
    let mut vacuumed = Vacuumed::default();
    for (table, paths) in due {
        if !options.dry_run {
            for path in &paths {
                files.remove(path)?;
            }
            if !paths.is_empty() {
                files.sync_folder(&writing.layout.table(table.table))?;
            }
        }
        vacuumed.tables.push(table);
    }
    Ok(vacuumed)
}

/// The files that may go, by table. Every log is read before anything is deleted.
fn due(
    files: &dyn Files,
    layout: &Layout,
    options: VacuumOptions,
    listed: &Listed,
    alone: bool,
    now_us: i64,
) -> Result<Vec<(VacuumedTable, Vec<PathBuf>)>> {
    let mut due = Vec::new();
    for table in Table::ALL {
        let folder = layout.table(*table);
        let newest = Listing::read(files, &delta_log(&folder))?.newest();
        let state = match newest {
            Some(newest) => State::at(files, &folder, newest).map_err(|error| {
                Error::new(error.kind(), format!("nothing was deleted: {}", error.in_one_line()))
                    .with_hint("`genstore store check` says what is wrong.")
            })?,
            None => State::default(),
        };
        let nothing = Freed::default();
        let mut told =
            VacuumedTable { table: *table, removed: nothing, strays: nothing, kept: nothing };
        let mut paths = Vec::new();
        for (folder, entry) in listed.get(table).into_iter().flatten() {
            if state.adds.contains_key(&entry.name) {
                continue;
            }
            let removed_ms = state.removes.get(&entry.name).map(|it| it.deletion_timestamp);
            let since_ms = match removed_ms {
                Some(removed_ms) => removed_ms.unwrap_or(entry.metadata.modified_ms),
                None => entry.metadata.modified_ms,
            };
            let age_us = now_us.saturating_sub(since_ms.saturating_mul(1_000));
            let is_stray = removed_ms.is_none();
            if age_us >= options.older_than_us || (is_stray && alone) {
                let freed = if is_stray { &mut told.strays } else { &mut told.removed };
                freed.add(entry);
                paths.push(folder.join(&entry.name));
            } else {
                told.kept.add(entry);
            }
        }
        due.push((told, paths));
    }
    Ok(due)
}
