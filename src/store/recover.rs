//! What a dead writer has left in its slot: its journal files go into the tables, in order, and a
//! run that it had begun and not ended gets its `runs` row. Runs under the slot's lock.
//!
//! The abandoned runs' rows go through a journal file of the same slot, like all rows: so a crash
//! in the middle of a recovery leaves them open still, or ended once.

use std::path::Path;

use super::flush::{Writing, flush_file};
use super::layout::delta_log;
use super::leftovers::{Leftover, Leftovers};
use super::slot::{self, Slot};
use super::tails::Owner;
use crate::error::{Error, IoContext, Result};
use crate::event::{Event, Row, RunRow, RunStarted, Table, Text, TimeUs};
use crate::journal::disk::Disk;
use crate::journal::{FileHeader, JournalFile, JournalReader, OpenRuns, SCHEMA_VERSION, cut_tail};

/// What a recovered slot is like.
#[derive(Debug)]
pub(super) struct Recovered {
    /// Header of the next journal file: no run is open, `n` is free.
    pub(super) header: FileHeader,
    /// Files whose rows are in the tables.
    pub(super) leftovers: Leftovers,
}

/// Flushes what is left in a slot.
///
/// # Errors
/// `Damaged` if a file is, `Unavailable` if a newer build wrote one; nothing of such a file is
/// changed.
pub(super) fn recover(writing: &Writing, slot: &Slot) -> Result<Recovered> {
    let number = slot.number();
    let app_id = writing.app_id(number);
    let files = slot::files(&writing.layout, number)?;
    let newest = files.last().copied().unwrap_or(0);
    let committed = writing.tables.newest_committed(&app_id)?;
    let mut header = FileHeader {
        store_id: writing.identity.store_id.clone(),
        journal_root_id: writing.journal_root_id.clone(),
        slot: number,
        n: newest.max(committed) + 1,
        schema_version: SCHEMA_VERSION,
        open_runs: Vec::new(),
    };
    let txn = writing.tables.log(Table::Runs)?.txn(&app_id).cloned().unwrap_or_default();
    let flushed = txn.version;
    let owner =
        Owner { store_id: &writing.identity.store_id, journal_root_id: &writing.journal_root_id };
    if files.first().is_some_and(|first| *first <= flushed) {
        // The commit that says so may come from a writer that died before its name was durable;
        // that must be so before a file goes.
        let folder = delta_log(&writing.layout.table(Table::Runs));
        writing.files().sync_folder(&folder)?;
    }
    let mut leftovers = Vec::new();
    for n in files {
        let mut flush_time_us = txn.flush_time_us(n);
        if n > flushed || n == newest {
            let path = writing.layout.journal_file(number, n);
            let mut reader = JournalReader::open(&path)?;
            owner.check(&path, (number, n), reader.header())?;
            let contents = reader.read_new()?;
            if n > flushed {
                if n < newest {
                    contents.tail.check_sealed(&path)?;
                }
                cut_tail(&*writing.disk, &path, contents.tail)?;
                sync(&*writing.disk, &path)?;
                flush_time_us = flush_file(writing, number, n, &contents.events)?;
            }
            // A file that is gone was no longer needed: nothing was open then.
            if n == newest && n >= flushed {
                let mut open = OpenRuns::new(reader.header().open_runs.iter().cloned());
                contents.events.iter().for_each(|event| open.observe(event));
                header.open_runs = open.to_vec();
            }
        }
        leftovers.push(Leftover { n, flush_time_us, open_runs: false });
    }
    if !header.open_runs.is_empty() {
        let flush_time_us = end_abandoned(writing, &header)?;
        leftovers.push(Leftover { n: header.n, flush_time_us, open_runs: false });
        header.open_runs.clear();
        header.n += 1;
    }
    Ok(Recovered { header, leftovers: Leftovers::new(number, leftovers) })
}

/// Recovers the slots of other writers that are dead. One that is locked is alive; returns whether
/// there was none.
pub(super) fn recover_others(writing: &Writing, own: u32) -> Result<bool> {
    let mut alone = true;
    for number in slot::list(&writing.layout)? {
        if number == own {
            continue;
        }
        match slot::try_lock(&writing.layout, number)? {
            Ok(slot) => {
                let mut recovered = recover(writing, &slot)?;
                // one that cannot be removed is only late: the next writer tries again
                drop(recovered.leftovers.remove_due(writing, recovered.header.n));
            }
            Err(_) => alone = false,
        }
    }
    Ok(alone)
}

/// Makes a journal file durable, whose writer may have died before it did. Once part of the file is
/// in a table, a power loss must not take the rest.
fn sync(disk: &dyn Disk, path: &Path) -> Result<()> {
    disk.open_append(path).and_then(|mut file| file.sync()).context("sync", path)
}

fn end_abandoned(writing: &Writing, header: &FileHeader) -> Result<i64> {
    let rows: Vec<Event> =
        header.open_runs.iter().map(|run| Event::Row(Row::Runs(abandoned(run)))).collect();
    let encoded = rmp_serde::to_vec(&rows)
        .map_err(|source| Error::internal("cannot encode events").with_source(source))?;
    let path = writing.layout.journal_file(header.slot, header.n);
    let mut file = JournalFile::create(&*writing.disk, &path, header, writing.ids.next_id())?;
    file.append([encoded.as_slice()])?;
    file.sync()?;
    flush_file(writing, header.slot, header.n, &rows)
}

/// The row of a run whose process ended before it did. How long it ran is not known.
fn abandoned(run: &RunStarted) -> RunRow {
    RunRow {
        run_id: run.run_id.clone(),
        batch_id: run.batch_id.clone(),
        pipeline_name: run.pipeline_name.clone(),
        contract_name: run.contract_name.clone(),
        tool_version: run.tool_version.clone(),
        result: Text::from("error"),
        error_type: Some(Text::from("abandoned")),
        error_message: Some(Text::from("the process that made the run ended before the run did")),
        start_time: run.start_time,
        end_time: TimeUs(run.start_time.0),
        strategy: Text::from("unknown"),
        attributes: run.attributes.clone(),
        ..RunRow::default()
    }
}
