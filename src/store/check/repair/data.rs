//! Data files of a repair: one that is not what was written is written again from its journal; if
//! that is gone, too, it is taken out of the table and kept aside.

use std::sync::Arc;

use super::{Mend, rows_of};
use crate::error::Result;
use crate::event::{Row, Table};
use crate::store::check::data::is_damaged;
use crate::store::delta::{self, Listing, read_commit};
use crate::store::layout::delta_log;
use crate::store::segment;
use crate::store::snapshot::DataFile;

/// Mends the files that the logs name.
pub(super) fn mend(mend: &mut Mend) -> Result<()> {
    for table in Table::ALL {
        let files = {
            let mut log = mend.writing.tables.log(*table)?;
            if log.refresh().is_err() {
                continue; // the check tells what remains
            }
            Arc::clone(&log.files())
        };
        for file in files.iter() {
            if is_damaged(&mend.source(), *table, file) {
                mend_file(mend, *table, file)?;
            }
        }
    }
    Ok(())
}

fn mend_file(mend: &mut Mend, table: Table, file: &DataFile) -> Result<()> {
    if file.path.exists() && !file.path.is_file() {
        return Ok(()); // a folder or a pipe: nobody knows whose
    }
    let rows = match origin(mend, table, file)? {
        Some(id) => mend.events(id).map(|events| rows_of(table, events)).transpose()?,
        None => None,
    };
    let (files, ids) = (Arc::clone(mend.writing.files()), Arc::clone(&mend.writing.ids));
    let now_us = mend.now_us;
    if let Some(rows) = rows.filter(|it| Some(it.len() as u64) == file.rows) {
        let mut rows: Vec<&Row> = rows.iter().collect();
        let bytes = segment::encode(table, &mut rows)?.bytes;
        let digest = blake3::hash(&bytes).to_hex();
        if file.digest.as_deref() == Some(digest.as_str()) {
            return mend.replace(&file.path, &bytes, "written again from its journal");
        }
        let folder = mend.writing.layout.table(table);
        let segment = segment::write(&*files, &*ids, &folder, table, rows)?;
        let mut log = mend.writing.tables.log(table)?;
        delta::replace_file(&*files, &*ids, &mut log, &file.path, Some(segment), now_us)?;
        drop(log);
        if file.path.exists() {
            mend.aside(&file.path, "its rows are written to another file from its journal")?;
        }
    } else if mend.options.drop_damaged {
        let mut log = mend.writing.tables.log(table)?;
        delta::replace_file(&*files, &*ids, &mut log, &file.path, None, now_us)?;
        drop(log);
        if file.path.exists() {
            mend.aside(&file.path, "taken out of the table")?;
        } else {
            mend.note(&file.path, "the missing file is taken out of the table", None);
        }
        mend.lost(Some(table), file.rows, file.size_bytes);
    }
    Ok(())
}

/// The journal file whose rows a data file holds, if the commit that added it is still there.
fn origin(mend: &Mend, table: Table, file: &DataFile) -> Result<Option<(u32, u64)>> {
    let log_folder = delta_log(&mend.writing.layout.table(table));
    let name = file.path.file_name().map(|it| it.to_string_lossy().into_owned());
    for version in Listing::read(&**mend.writing.files(), &log_folder)?.commits.iter().rev() {
        let Ok(Some(actions)) = read_commit(&**mend.writing.files(), &log_folder, *version) else {
            continue;
        };
        let adds = |it: &delta::Action| it.add.as_ref().map(|add| add.path.clone()) == name;
        if !actions.iter().any(adds) {
            continue;
        }
        let txn = actions.iter().find_map(|it| it.txn.as_ref());
        return Ok(txn.and_then(|txn| {
            let slot = txn.app_id.strip_prefix(&mend.writing.journal_root_id)?.strip_prefix('/')?;
            Some((slot.parse().ok()?, u64::try_from(txn.version).ok()?))
        }));
    }
    Ok(None)
}
