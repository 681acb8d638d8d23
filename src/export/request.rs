//! What is asked of an export, and what it tells. Checks what can be checked without looking at
//! the target.

use std::ops::ControlFlow;

use uuid::Uuid;

use super::{Destination, ExportedTable, Manifest, Profile, What};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::Location;

/// Rows of one file, unless told otherwise.
pub const ROWS_PER_FILE: u64 = 16_000_000;

/// What to export, where to, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// Tables, or a query.
    pub what: What,
    /// Where to; made if it is not there.
    pub to: Destination,
    /// For whom.
    pub profile: &'static Profile,
    /// A folder for each day.
    pub by_day: bool,
    /// Runs that began then or later, with all their children, and other rows of that time.
    pub since_us: Option<i64>,
    /// Go on where the last such export in this place ended.
    pub incremental: bool,
    /// Write into a place that is not empty: replaces an earlier export and leaves other files
    /// alone.
    pub force: bool,
    /// Rows after which a new file is begun; at least 1.
    pub rows_per_file: u64,
    /// Threads that encode; 0 is as many as there are cores.
    pub threads: usize,
    /// The id of this export.
    pub id: Uuid,
    /// The time that the manifest gives, in microseconds since 1970.
    pub now_us: i64,
    /// The moment that the session shows, if it is not the present one.
    pub as_of_us: Option<i64>,
    /// The store that is exported.
    pub store: Location,
    /// Its id.
    pub store_id: String,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The manifest as it was written.
    pub manifest: Manifest,
    /// What came to each table this time.
    pub written: Vec<Written>,
}

/// What came to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The table.
    pub name: String,
    /// New rows.
    pub rows: u64,
    /// New files.
    pub files: u64,
    /// Their bytes.
    pub size_bytes: u64,
    /// Values that became NULL in them.
    pub nulled: u64,
}

impl Written {
    pub(super) fn of(now: &ExportedTable, before: Option<&ExportedTable>) -> Self {
        let new = || now.files.iter().skip(before.map_or(0, |it| it.files.len()));
        let nulled = |it: &ExportedTable| it.nulled.values().sum::<u64>();
        Self {
            name: now.name.clone(),
            rows: new().map(|it| it.rows).sum(),
            files: new().count() as u64,
            size_bytes: new().map(|it| it.size_bytes).sum(),
            nulled: nulled(now) - before.map_or(0, nulled),
        }
    }
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows that were read.
    pub rows: u64,
}

/// Who is told how far an export is, and may end it: nothing is exported then.
pub type Observer<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

impl Request {
    /// Checks what does not depend on the target.
    ///
    /// # Errors
    /// `Usage`.
    pub(super) fn check(&self) -> Result<()> {
        self.what.check()?;
        match &self.what {
            What::Query { .. } if self.incremental => {
                Err(Error::usage("the result of a query cannot be exported incrementally")
                    .with_hint("Export it whole, with --force in place of the last one."))
            }
            What::Query { .. } if self.since_us.is_some() => {
                Err(Error::usage("--since goes with tables, not with a query")
                    .with_hint("Say it in the query: WHERE start_time >= ago('30d')."))
            }
            What::Tables(tables) if self.incremental && tables.contains(&Table::StepLatency) => {
                let message = "step_latency cannot be exported incrementally: its rows are merged";
                Err(Error::usage(message).with_hint("Name the other tables, or export it whole."))
            }
            What::Tables(tables) if tables.is_empty() => Err(Error::usage("no table is named")),
            _ => Ok(()),
        }
    }

    /// An earlier export that this one continues.
    ///
    /// # Errors
    /// `Usage`: it is of another kind.
    pub(super) fn check_same(&self, earlier: Manifest) -> Result<Manifest> {
        let root = self.to.root.display();
        let hint = "Ask for the same, replace it with --force, or name another folder with --to.";
        let other = |what: &str, there: &str, here: &str| {
            let message = format!("the export in {root} has {what} {there}, not {here}");
            Err(Error::usage(message).with_hint(hint))
        };
        if earlier.position.is_none() {
            let message = format!("the export in {root} was made without --incremental");
            return Err(Error::usage(message).with_hint(
                "Replace it with --force --incremental, or name another folder with --to.",
            ));
        }
        if earlier.store_id != self.store_id {
            let message = format!("the export in {root} is of another store");
            return Err(Error::usage(message).with_hint(hint));
        }
        if earlier.profile != self.profile.name {
            return other("the profile", &earlier.profile, self.profile.name);
        }
        let partition = |by_day: bool| if by_day { "partitions by day" } else { "no partitions" };
        let (there, here) = (earlier.partition_by.is_some(), self.by_day);
        if there != here {
            let (there, here) = (partition(there), partition(here));
            let message = format!("the export in {root} has {there}, not {here}");
            return Err(Error::usage(message).with_hint(hint));
        }
        let mut names: Vec<&str> = earlier.tables.iter().map(|it| it.name.as_str()).collect();
        let mut asked = self.what.names();
        names.sort_unstable();
        asked.sort_unstable();
        if names != asked {
            return other("the tables", &names.join(", "), &asked.join(", "));
        }
        Ok(earlier)
    }
}
