//! An import from its request to its report.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use super::sources::{Source, sources};
use super::{Limits, ReadOptions, open};
use crate::clock::{Clock, IdSource};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Table;
use crate::export::FileFormat;
use crate::journal::disk::{Disk, SystemDisk};
use crate::store::load::{Conflict, Finder, Found, Load, LoadOptions};
use crate::store::{Location, StoreOptions};

/// What to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Files of one table, or folders of such files.
    Table(Table, Vec<PathBuf>),
    /// A folder with files of several tables, as `export` writes it.
    Folder(PathBuf),
}

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// The files.
    pub target: Target,
    /// Their format; by their names if it is not given.
    pub format: Option<FileFormat>,
    /// Leave out columns that the table has not.
    pub ignore_unknown: bool,
    /// Check everything and write nothing.
    pub dry_run: bool,
    /// Bounds of reading.
    pub limits: Limits,
    /// Bounds of writing.
    pub load: LoadOptions,
    /// How the store is written; an import keeps its logs as a writer does.
    pub store: StoreOptions,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The tables that files were named for.
    pub tables: Vec<ImportedTable>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// What became of the files of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedTable {
    /// The table.
    pub table: Table,
    /// Rows that were imported.
    pub rows: u64,
    /// Files that they came from.
    pub files: u64,
    /// Files that were left out, because the store has them.
    pub skipped: u64,
    /// Bytes of the files.
    pub size_bytes: u64,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that were read.
    pub bytes_done: u64,
    /// Bytes to be read.
    pub bytes_total: u64,
    /// Rows that were read.
    pub rows: u64,
}

/// Who is told how far an import is, and may end it: nothing is imported then.
pub type Observer<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Imports files into the store at `store`, which is made if there is none. Everything or nothing,
/// but for a crash or a full disk between two commits: done again, it completes.
pub fn import(
    store: &Location,
    request: &Request,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    observer: Observer<'_>,
) -> Result<Report> {
    import_on(Arc::new(SystemDisk), store, request, clock, ids, observer)
}

/// As [`import`], with the store's disk as a parameter: tests pass one that fails.
pub fn import_on(
    disk: Arc<dyn Disk>,
    store: &Location,
    request: &Request,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    observer: Observer<'_>,
) -> Result<Report> {
    let sources = sources(request)?;
    let begin = if request.dry_run { Load::dry } else { Load::begin };
    let mut load = begin(disk, store, clock, ids, request.load)?.with_options(&request.store);
    let report = import_into(&mut load, request, &sources, observer)?;
    load.commit()?;
    Ok(report)
}

/// The same up to the commits, into a load that was begun.
fn import_into(
    load: &mut Load,
    request: &Request,
    sources: &[Source],
    observer: Observer<'_>,
) -> Result<Report> {
    let mut import = Import {
        load,
        options: ReadOptions { ignore_unknown: request.ignore_unknown, limits: request.limits },
        bytes_total: 0,
        bytes_done: 0,
        rows: 0,
        observer,
        has_sketches: false,
        notes: Vec::new(),
    };
    let planned = import.plan(sources)?;
    import.bytes_total = planned.iter().filter(|it| it.is_new).map(|it| it.source.size_bytes).sum();
    // `runs` first, so that a run that is there already is told early; sketches before steps,
    // which make their own if there are none
    let order = [Table::Runs, Table::StepLatency];
    let rest = Table::ALL.iter().copied().filter(|it| !order.contains(it));
    for table in order.into_iter().chain(rest) {
        import.table(table, &planned)?;
    }
    if let Some(conflict) = import.load.check()?
        && let Some(error) = import.tell(conflict, &planned)?
    {
        return Err(error);
    }
    let notes = std::mem::take(&mut import.notes);
    let tables: BTreeSet<Table> = sources.iter().map(|it| it.table).collect();
    let tables = tables.into_iter().map(|table| {
        let of_table = || planned.iter().filter(move |it| it.source.table == table);
        let taken = || of_table().filter(|it| it.is_new);
        ImportedTable {
            table,
            rows: import.load.rows(table),
            files: taken().count() as u64,
            skipped: (of_table().count() - taken().count()) as u64,
            size_bytes: taken().map(|it| it.source.size_bytes).sum(),
        }
    });
    Ok(Report { tables: tables.collect(), notes })
}

/// A file, and what is wanted of it.
struct Planned<'s> {
    source: &'s Source,
    /// The table has not taken it before.
    is_new: bool,
    /// Of steps: their sketches are not there yet.
    sketches: bool,
}

struct Import<'a> {
    load: &'a mut Load,
    options: ReadOptions,
    bytes_total: u64,
    bytes_done: u64,
    rows: u64,
    observer: Observer<'a>,
    /// Files of `step_latency` of this import are in the store.
    has_sketches: bool,
    notes: Vec<String>,
}

impl Import<'_> {
    /// What is wanted of each file: nothing of one that the table has taken before.
    ///
    /// Sketches come once: from files of `step_latency` if there are any, else from the steps. If
    /// steps of this import were taken before with sketches of their own, the others make theirs,
    /// too, and the files of `step_latency` are left out: nobody could take apart what is in both.
    fn plan<'s>(&mut self, sources: &'s [Source]) -> Result<Vec<Planned<'s>>> {
        let mut is_new = false;
        for source in sources.iter().filter(|it| it.table == Table::StepLatency) {
            let has = self.load.has(Table::StepLatency, &source.digest)?;
            (is_new, self.has_sketches) = (is_new || !has, self.has_sketches || has);
        }
        let mut has_own = false;
        for source in sources.iter().filter(|it| is_new && it.table == Table::Steps) {
            has_own |= self.load.has(Table::StepLatency, &source.digest)?;
        }
        if has_own {
            self.notes.push(
                "step_latency is left out: steps of this import are in the store with sketches of \
                 their own"
                    .to_owned(),
            );
        }
        let mut planned = Vec::with_capacity(sources.len());
        for source in sources {
            let is_left_out = has_own && source.table == Table::StepLatency;
            let is_new = !is_left_out && !self.load.has(source.table, &source.digest)?;
            let sketches = source.table == Table::Steps
                && !self.load.has(Table::StepLatency, &source.digest)?;
            planned.push(Planned { source, is_new, sketches });
        }
        Ok(planned)
    }

    /// Reads the files of a table.
    fn table(&mut self, table: Table, planned: &[Planned<'_>]) -> Result<()> {
        // what the folder brings stands for all its steps
        let brings = self.has_sketches || self.load.rows(Table::StepLatency) > 0;
        let taken: Vec<&Planned<'_>> =
            planned.iter().filter(|it| it.source.table == table && it.is_new).collect();
        for Planned { source, sketches, .. } in &taken {
            self.load.note(table, &source.digest);
            if *sketches {
                self.load.note(Table::StepLatency, &source.digest);
            }
        }
        let Self { load, options, bytes_total, bytes_done, rows, observer, .. } = self;
        let mut tell = |bytes: u64, rows: u64| {
            let progress = Progress { bytes_done: bytes, bytes_total: *bytes_total, rows };
            match observer(progress) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(interrupted()),
            }
        };
        load.fill(table, |sink| {
            for Planned { source, sketches, .. } in taken {
                let mut reader = open(&source.path, source.format, table, options)?;
                while let Some(batch) = reader.next()? {
                    *rows += batch.rows.num_rows() as u64;
                    sink(batch.rows, *sketches && !brings)?;
                    tell(*bytes_done + reader.position(), *rows)?;
                }
                *bytes_done += source.size_bytes;
                tell(*bytes_done, *rows)?;
            }
            Ok(())
        })
    }

    /// The error of the first row that is in conflict; none if hashes alone were equal.
    fn tell(&mut self, conflict: Conflict, planned: &[Planned<'_>]) -> Result<Option<Error>> {
        let hint = match &conflict {
            Conflict::Twice(..) => "Leave one of them out; nothing was imported.",
            Conflict::Stored(..) => "Leave it out; nothing was imported.",
            Conflict::Orphan(..) => {
                "Import `runs` first, or a folder with all tables at once; nothing was imported."
            }
        };
        let is_orphan = matches!(conflict, Conflict::Orphan(..));
        let mut finder = Finder::new(conflict);
        let table = finder.table();
        let taken = planned.iter().filter(|it| it.source.table == table && it.is_new);
        for Planned { source, .. } in taken {
            let mut reader = open(&source.path, source.format, table, &self.options)?;
            while let Some(batch) = reader.next()? {
                let number = |row: usize| batch.first_row + row as u64;
                let place = |row| (source, number(row));
                let Some(found) = finder.find(&batch.rows, place) else { continue };
                let Found { row, what, earlier } = found;
                let what = match earlier {
                    Some((earlier, row)) if earlier.path == source.path => {
                        format!("{what} is there twice, first in row {row}")
                    }
                    Some((earlier, row)) => {
                        let path = earlier.path.display();
                        format!("{what} is there twice, first in row {row} of {path}")
                    }
                    None if is_orphan => {
                        format!("{what} is neither in the store nor in this import")
                    }
                    None => format!("{what} is in the store already"),
                };
                let message = format!("{}: row {}: {what}", source.path.display(), number(row));
                return Ok(Some(Error::invalid(message).with_hint(hint)));
            }
        }
        Ok(None)
    }
}

fn interrupted() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted; nothing was imported")
}
