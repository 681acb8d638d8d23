//! Looks at every byte that a store relies on: frames, log entries, checkpoints, data files, and
//! how the rows relate. Changes nothing and works beside living writers: what changes while it is
//! looked at is looked at again, and is no damage.

mod data;
mod journals;
mod logs;
mod repair;
mod report;
mod rows;
mod strays;

use std::path::Path;

use super::identity;
use super::layout::Layout;
use super::location::Location;
use super::slot;
use super::snapshot::Snapshot;
use super::tables::Tables;
use super::tails::{Owner, Tails};
use super::view::{self, Reading};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::disk::{SystemDisk, read_whole};

pub(super) use data::is_damaged;
pub(super) use data::{read_verified, verify};
pub use repair::{Done, RepairOptions, Repaired, repair};
pub use report::{Finding, Looked, Remedy, Report, Severity};

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being looked at: `journals`, `logs` or `files`.
    pub phase: &'static str,
    /// Of these, how many are done.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

/// What every part of a check needs.
struct Look<'a> {
    layout: &'a Layout,
    tables: &'a Tables,
    report: Report,
    progress: &'a mut dyn FnMut(Progress),
}

impl Look<'_> {
    fn tell(&mut self, phase: &'static str, done: usize, total: usize) {
        (self.progress)(Progress { phase, done: done as u64, total: total as u64 });
    }
}

/// Checks a store. `progress` is called now and then.
///
/// # Errors
/// `Unavailable` or `Damaged` if there is no store, or it cannot even be opened for reading.
pub fn check(path: &Path, now_us: i64, progress: &mut dyn FnMut(Progress)) -> Result<Report> {
    check_at(&Location::from(path), now_us, progress)
}

/// As [`check`], for a store in a folder or at an address.
pub fn check_at(
    location: &Location,
    now_us: i64,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report> {
    let (layout, files) = (location.layout(), location.files(&SystemDisk::shared())?);
    let identity = identity::read(&*files, &layout)?;
    let tables = Tables::new(&layout, files);
    let mut look = Look { layout: &layout, tables: &tables, report: Report::default(), progress };
    // listed before the logs are read: what a log names by then is no stray
    let strays = strays::list(&**tables.files(), &layout)?;
    let root_id = match identity::read_journal_root_id(&layout, &identity.store_id) {
        Ok(id) => id,
        Err(error) => {
            let path = layout.journal_identity();
            look.report.error("journal.root", &path, &error, root_remedy(&path, &error));
            None
        }
    };
    let snapshot = look_from(&look, &identity.store_id, root_id.as_deref())?;
    let owner =
        root_id.as_deref().map(|id| Owner { store_id: &identity.store_id, journal_root_id: id });
    let journals = journals::look(&mut look, owner)?;
    let states = logs::look(&mut look)?;
    let mut rows = rows::Rows::new(journals, rows::Thinned::by(&states));
    data::look(&mut look, &snapshot, &mut rows)?;
    rows.tell(&mut look);
    let alone = all_free(&layout)?;
    strays::tell(&mut look, &strays, &states, alone, now_us)?;
    Ok(look.report)
}

/// A file that says nothing is made anew; one that names another store, or that cannot be read at
/// all, is not.
fn root_remedy(path: &Path, error: &Error) -> (Remedy, &'static str) {
    let bytes = read_whole(path).unwrap_or_default();
    let parsed = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
    if error.kind() == ErrorKind::Damaged && !parsed {
        (Remedy::Repair, "it is made anew from the headers of the journals, or from the logs")
    } else {
        (Remedy::Person, "restore the folder of journals, or this file, from a backup")
    }
}

/// One moment of the tables; without the journals if they are damaged, which is told elsewhere.
fn look_from(look: &Look<'_>, store_id: &str, root_id: Option<&str>) -> Result<Snapshot> {
    let tails = Tails::default();
    let (layout, tables) = (look.layout, look.tables);
    let reading =
        Reading { layout, tables, store_id, journal_root_id: root_id, own: None, tails: &tails };
    match view::snapshot(reading) {
        Err(error) if error.kind() != ErrorKind::Failed || root_id.is_some() => {
            view::snapshot(Reading { journal_root_id: None, ..reading })
        }
        other => other,
    }
}

/// Whether nobody writes.
fn all_free(layout: &Layout) -> Result<bool> {
    for number in slot::list(layout)? {
        if slot::holder(layout, number)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
