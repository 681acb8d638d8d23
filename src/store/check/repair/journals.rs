//! Journals of a repair: torn tails are cut, whole frames of a damaged file are saved, files whose
//! rows are in the tables are moved aside, and rows that a table lacks are brought into it.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Mend, is_damage, rows_of};
use crate::error::{Error, IoContext, Result};
use crate::event::Table;
use crate::journal::disk::read_whole;
use crate::journal::{FileHeader, JournalReader, SCHEMA_VERSION, Tail, cut_tail, salvage};
use crate::store::flush::flush_into;
use crate::store::tables::Tables;
use crate::store::{identity, slot};

/// Finds the id of the folder of journals; one that cannot be read is taken from the headers of the
/// journals, else from the logs, if they agree. Without journals there is none.
pub(super) fn mend_root(mend: &mut Mend) -> Result<()> {
    let layout = mend.writing.layout.clone();
    let error = match identity::read_journal_root_id(&layout, &mend.writing.identity.store_id) {
        Ok(None) => return Ok(()),
        Ok(Some(id)) => {
            mend.writing.journal_root_id = id;
            return Ok(());
        }
        Err(error) => error,
    };
    let mut ids = BTreeSet::new();
    for (number, n) in mend.journal_files()? {
        if let Ok(reader) = JournalReader::open(&layout.journal_file(number, n))
            && reader.header().store_id == mend.writing.identity.store_id
        {
            ids.insert(reader.header().journal_root_id.clone());
        }
    }
    // journals of another store, whose folder was put here, are not ours to mend
    let parsed = read_whole(&layout.journal_identity())
        .is_ok_and(|it| serde_json::from_slice::<serde_json::Value>(&it).is_ok());
    let no_header = ids.is_empty() && !parsed;
    for table in Table::ALL.iter().filter(|_| no_header) {
        let mut log = mend.writing.tables.log(*table)?;
        drop(log.refresh()); // a damaged log is mended later
        ids.extend(log.txns().keys().filter_map(|it| Some(it.rsplit_once('/')?.0.to_owned())));
    }
    match (ids.pop_first(), ids.is_empty()) {
        (Some(id), true) => {
            let bytes = identity::journal_identity_bytes(&id, &mend.writing.identity.store_id)?;
            let path = layout.journal_identity();
            mend.replace(&path, &bytes, "made anew: the journals or the logs know it")?;
            mend.writing.journal_root_id = id;
            Ok(())
        }
        _ => Err(error),
    }
}

/// Mends each file; with `may_drop` also those of which something is lost.
pub(super) fn mend(mend: &mut Mend, may_drop: bool) -> Result<()> {
    for number in slot::list(&mend.writing.layout)? {
        let flushed = flushed(mend, number);
        let files = slot::files(&mend.writing.layout, number)?;
        let newest = files.last().copied();
        for n in files {
            let path = mend.writing.layout.journal_file(number, n);
            let read = || -> Result<Result<Tail>> {
                let mut reader = JournalReader::open(&path)?;
                if let Err(error) = mend.owner().check(&path, (number, n), reader.header()) {
                    return Ok(Err(error));
                }
                let tail = reader.read_new()?.tail;
                if newest != Some(n) {
                    tail.check_sealed(&path)?;
                }
                Ok(Ok(tail))
            };
            match read() {
                Ok(Ok(Tail::Clean)) => {}
                Ok(Ok(tail)) => {
                    cut_tail(&*mend.writing.disk, &path, tail)?;
                    mend.note(&path, "a write that was cut short is cut off", None);
                }
                Ok(Err(foreign)) if may_drop => {
                    mend.aside(&path, &foreign.in_one_line())?;
                }
                Err(error) if is_damage(&error) && n <= flushed && newest != Some(n) => {
                    mend.aside(&path, "all of its rows are in the tables")?;
                }
                Err(error) if is_damage(&error) && (n <= flushed || may_drop) => {
                    save(mend, &path, (number, n), n <= flushed)?;
                }
                _ => {} // the check tells what remains
            }
        }
    }
    Ok(())
}

/// The newest file of a slot that all tables hold, as far as the log of `runs` can be read.
fn flushed(mend: &Mend, number: u32) -> u64 {
    mend.writing.tables.log(Table::Runs).map_or(0, |mut log| {
        drop(log.refresh()); // a damaged log is mended later
        log.committed(&mend.writing.app_id(number))
    })
}

fn save(mend: &mut Mend, path: &Path, (number, n): (u32, u64), is_flushed: bool) -> Result<()> {
    let damaged = read_whole(path).context("read", path)?;
    let header = FileHeader {
        store_id: mend.writing.identity.store_id.clone(),
        journal_root_id: mend.writing.journal_root_id.clone(),
        slot: number,
        n,
        schema_version: SCHEMA_VERSION,
        open_runs: Vec::new(),
    };
    let saved = salvage(&damaged, &header)?;
    let (events, lost_bytes) = (saved.events, saved.lost_bytes);
    let text =
        format!("its whole frames are kept, with {events} events; {lost_bytes} bytes are not");
    mend.replace(path, &saved.bytes, &text)?;
    if !is_flushed {
        mend.lost(None, None, lost_bytes);
    }
    Ok(())
}

/// Brings rows into tables that lack them, of files that count as flushed. Others are recovered by
/// the next writer.
pub(super) fn flush(mend: &mut Mend) -> Result<()> {
    for (number, n) in mend.journal_files()? {
        if n <= flushed(mend, number) {
            bring(mend, (number, n), Tables::writing_order())?; // the check tells what remains
        }
    }
    Ok(())
}

/// Brings the rows of a file into those of the tables that lack them; `false` if a damaged table
/// cannot take them.
pub(super) fn bring(
    mend: &mut Mend,
    (number, n): (u32, u64),
    tables: impl Iterator<Item = Table> + Clone,
) -> Result<bool> {
    let Some(events) = mend.events((number, n)) else { return Ok(false) };
    let app_id = mend.writing.app_id(number);
    let mut lacking = Vec::new();
    for table in tables.clone() {
        let mut log = mend.writing.tables.log(table)?;
        let lacks = log.refresh().is_err() || log.committed(&app_id) < n;
        drop(log);
        if lacks && !rows_of(table, events.clone())?.is_empty() {
            lacking.push(table.name());
        }
    }
    if lacking.is_empty() {
        return Ok(true);
    }
    let path = mend.writing.layout.journal_file(number, n);
    match flush_into(&mend.writing, (number, n), &events, tables) {
        Ok(_) => {
            let text = format!("its rows are brought into {}", lacking.join(", "));
            mend.note(&path, text, None);
            Ok(true)
        }
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(unflushed(&path, error)),
    }
}

fn unflushed(path: &Path, source: Error) -> Error {
    Error::failed(format!("the rows of {} cannot be brought into the tables", path.display()))
        .with_source(source)
}
