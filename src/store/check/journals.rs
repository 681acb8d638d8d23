//! The journals of a check: every frame of every file, whose file it is, and that no number is
//! missing. Gives the runs that the journals know of. Cuts no torn tail.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::rows::{Key, key};
use super::{Look, Remedy, Severity};
use crate::error::{Error, Result};
use crate::event::{Event, Row, Table};
use crate::journal::{JournalReader, NewEvents, Tail};
use crate::store::flush::app_id;
use crate::store::slot;
use crate::store::tails::Owner;

const CUT: (Remedy, &str) = (Remedy::Repair, "the tail is cut, as the next writer does, too");
const ASIDE: (Remedy, &str) =
    (Remedy::Repair, "the file is moved aside: all of its rows are in the tables");
const FLUSH: (Remedy, &str) = (Remedy::Repair, "its rows are brought into the table");
const SALVAGE: (Remedy, &str) =
    (Remedy::Drop, "the file is moved aside, and its whole frames are kept");
const GONE: (Remedy, &str) = (Remedy::Person, "restore the file from a backup: its rows are lost");

/// What the journals say of runs.
#[derive(Debug, Default)]
pub(super) struct Journals {
    /// Runs that begin, are open, or end in some journal file.
    pub(super) runs: HashSet<Key>,
    /// Whether every file could be read.
    pub(super) whole: bool,
}

/// Looks at all journals. Without an owner, nothing tells whose they are.
pub(super) fn look(look: &mut Look<'_>, owner: Option<Owner<'_>>) -> Result<Journals> {
    let mut journals = Journals { whole: owner.is_some(), ..Journals::default() };
    let slots = slot::list(look.layout)?;
    for (done, number) in slots.iter().enumerate() {
        look.tell("journals", done, slots.len());
        let Some(owner) = owner else { continue };
        let app_id = app_id(owner.journal_root_id, *number);
        let files = slot::files(look.layout, *number)?;
        // after the listing: what is flushed meanwhile is no gap
        let flushed = flushed(look, &app_id);
        let newest = files.last().copied();
        for n in &files {
            let path = look.layout.journal_file(*number, *n);
            let contents = read(&path, owner, (*number, *n), &mut journals);
            // one that is not the newest was sealed before the files were listed
            let contents = contents.and_then(|contents| match &contents {
                Some(it) if Some(*n) != newest => {
                    let whole = it.tail.check_sealed(&path).map(|()| contents);
                    whole.map_err(|error| ("journal.frame", error))
                }
                _ => Ok(contents),
            });
            match contents {
                Ok(None) => {}
                Ok(Some(contents)) => {
                    look.report.looked.journal_files += 1;
                    look.report.looked.journal_events += contents.events.len() as u64;
                    torn(look, &path, *number, contents.tail)?;
                    if *n <= flushed {
                        unflushed(look, &path, &app_id, *n, &contents.events);
                    }
                }
                Err((rule, error)) => {
                    journals.whole = false;
                    let remedy = if *n <= flushed { ASIDE } else { SALVAGE };
                    look.report.error(rule, &path, &error, remedy);
                }
            }
        }
        for n in missing(&files, flushed) {
            let path = look.layout.journal_file(*number, n);
            let text = "the file is missing, though a later one is there and no table has its rows";
            look.report.add(Severity::Error, "journal.gap", &path, text, GONE);
        }
    }
    look.tell("journals", slots.len(), slots.len());
    Ok(journals)
}

/// The newest file of a slot that all tables hold; of a damaged log as far as it can be read.
fn flushed(look: &Look<'_>, app_id: &str) -> u64 {
    look.tables.log(Table::Runs).map_or(0, |mut log| {
        drop(log.refresh()); // a damaged log is told with the logs
        log.committed(app_id)
    })
}

/// Reads a file; `None` if it has gone meanwhile.
fn read(
    path: &Path,
    owner: Owner<'_>,
    file: (u32, u64),
    journals: &mut Journals,
) -> Result<Option<NewEvents>, (&'static str, Error)> {
    let read = || {
        let mut reader = JournalReader::open(path).map_err(|error| ("journal.header", error))?;
        owner.check(path, file, reader.header()).map_err(|error| ("journal.owner", error))?;
        let contents = reader.read_new().map_err(|error| ("journal.frame", error))?;
        Ok((reader.header().open_runs.clone(), contents))
    };
    let (open_runs, contents) = match read() {
        Ok(contents) => contents,
        Err(_) if !path.exists() && !path.is_symlink() => return Ok(None),
        Err(error) => return Err(error),
    };
    journals.runs.extend(open_runs.iter().map(|run| key(&[&run.run_id])));
    for event in &contents.events {
        match event {
            Event::RunStarted(run) => drop(journals.runs.insert(key(&[&run.run_id]))),
            Event::Row(Row::Runs(run)) => drop(journals.runs.insert(key(&[&run.run_id]))),
            Event::Row(_) => {}
        }
    }
    Ok(Some(contents))
}

/// A file counts as flushed when `runs` has it; by then every table must have it.
fn unflushed(look: &mut Look<'_>, path: &Path, app_id: &str, n: u64, events: &[Event]) {
    let rows = events.iter().filter_map(|it| match it {
        Event::Row(row) => Some(row.table()),
        Event::RunStarted(_) => None,
    });
    let mut tables: BTreeSet<Table> = rows.collect();
    if tables.contains(&Table::Steps) {
        tables.insert(Table::StepLatency); // a flush makes sketches of the steps
    }
    for table in tables {
        let Ok(mut log) = look.tables.log(table) else { continue };
        let lacks = log.refresh().is_ok() && log.committed(app_id) < n;
        drop(log);
        if lacks {
            let name = table.name();
            let text = format!("its rows of {name} are not in the table, though it was flushed");
            look.report.add(Severity::Error, "journal.unflushed", path, text, FLUSH);
        }
    }
}

/// A torn tail of a slot that nobody writes is what a dead writer left; else it is a write under
/// way.
fn torn(look: &mut Look<'_>, path: &Path, number: u32, tail: Tail) -> Result<()> {
    let Tail::Torn { offset } = tail else { return Ok(()) };
    if slot::holder(look.layout, number)?.is_none() {
        let text = format!(
            "the bytes from offset {offset} are no whole frame: a write that was cut short and \
             never acknowledged under durability `run`"
        );
        look.report.add(Severity::Warning, "journal.tail", path, text, CUT);
    }
    Ok(())
}

/// The numbers that must be there: above what is flushed, before one that is there.
fn missing(files: &[u64], flushed: u64) -> Vec<u64> {
    let Some(newest) = files.last() else { return Vec::new() };
    (flushed + 1..*newest).filter(|n| !files.contains(n)).take(100).collect()
}
