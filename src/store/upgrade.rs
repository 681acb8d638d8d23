//! Brings what older builds wrote up to what this build writes, in place: columns, what the logs
//! say of data files, and at the very end the format version. Each step is a commit or one file put
//! in the place of another, so an upgrade that broke off is simply done again, and the old build
//! reads the store until it is done. Changes no row and no data file.

use std::sync::Arc;

use super::check;
use super::data_file;
use super::delta::{self, Add, State, StatsBuilder, data_file as described};
use super::files::FileSource;
use super::identity::{self, FORMAT_VERSION};
use super::keeper::Keeper;
use super::snapshot::CHECK_HINT;
use super::tables::Tables;
use crate::error::{Error, Result};
use crate::event::Table;

/// Files of one commit: so much is done again at most after it broke off.
const FILES_PER_COMMIT: usize = 100;
/// Others would have to replace files this often while they are looked at.
const ROUNDS_MAX: usize = 1_000;

/// One step of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeStep {
    /// The table; `None` for the store as a whole.
    pub table: Option<Table>,
    /// What was done, or would be: `added the column x`.
    pub what: String,
}

impl Keeper {
    /// Brings the store up to what this build writes; the steps that were needed, none if it is up
    /// to date. With `dry_run` nothing is changed.
    ///
    /// # Errors
    /// `Unavailable` for a table that this build must not write, or while others rewrite files;
    /// `Damaged` for a data file that is not what it was, which a repair must settle first.
    pub fn upgrade(&self, dry_run: bool) -> Result<Vec<UpgradeStep>> {
        self.upgrade_to(FORMAT_VERSION, dry_run)
    }

    /// As [`Keeper::upgrade`], to a format version.
    pub(super) fn upgrade_to(&self, version: u32, dry_run: bool) -> Result<Vec<UpgradeStep>> {
        let _rewriting = if dry_run { None } else { Some(self.rewriting_soon()?) };
        let mut steps = Vec::new();
        for table in Tables::writing_order() {
            steps.extend(self.upgrade_columns(table, dry_run)?);
            steps.extend(self.upgrade_log(table, dry_run)?);
        }
        // last: an older build reads the store up to here
        steps.extend(self.upgrade_format(version, dry_run)?);
        Ok(steps)
    }

    fn upgrade_columns(&self, table: Table, dry_run: bool) -> Result<Option<UpgradeStep>> {
        let writing = &self.writing;
        let mut log = writing.tables.log(table)?;
        log.refresh()?;
        let what = if log.version().is_none() {
            "made the table".to_owned()
        } else {
            let missing: Vec<_> = log.check_writable()?.iter().map(|it| it.name).collect();
            match missing.as_slice() {
                [] => return Ok(None),
                [one] => format!("added the column {one}"),
                several => format!("added the columns {}", several.join(", ")),
            }
        };
        if !dry_run {
            let (files, now_us) = (&**writing.files(), writing.clock.now_us());
            delta::create(files, &*writing.ids, &mut log, table, now_us)?;
        }
        Ok(Some(UpgradeStep { table: Some(table), what }))
    }

    /// Notes digests and statistics of files that have none in the log.
    fn upgrade_log(&self, table: Table, dry_run: bool) -> Result<Option<UpgradeStep>> {
        let writing = &self.writing;
        let mut done = 0;
        for _ in 0..ROUNDS_MAX {
            let found = self.unstated(table)?;
            if dry_run {
                done = found.len();
            }
            if dry_run || found.is_empty() {
                let what = format!("noted digest and statistics of {done} data files");
                return Ok((done > 0).then_some(UpgradeStep { table: Some(table), what }));
            }
            for adds in found.chunks(FILES_PER_COMMIT) {
                let adds = adds.iter().map(|it| self.stated(table, it));
                let adds = adds.collect::<Result<Vec<_>>>()?;
                let now_us = writing.clock.now_us();
                let time_us = writing.tables.next_flush_time_us(now_us)?;
                let mut log = writing.tables.log(table)?;
                let files = &**writing.files();
                done += delta::restate(files, &*writing.ids, &mut log, &adds, time_us)?;
            }
        }
        Err(Error::failed(format!("files of {} are replaced all the time", table.name()))
            .with_hint("Try again when less is being written."))
    }

    /// The files of which the log says too little.
    fn unstated(&self, table: Table) -> Result<Vec<Add>> {
        let (folder, version) = {
            let mut log = self.writing.tables.log(table)?;
            log.refresh()?;
            (log.folder().to_owned(), log.version())
        };
        let Some(version) = version else { return Ok(Vec::new()) };
        let state = State::at(&**self.writing.files(), &folder, version)?;
        let is_short = |it: &Add| it.digest().is_none() || !it.has_stats();
        Ok(state.adds.into_values().filter(is_short).collect())
    }

    /// What the log should say of a file, which is read as a whole.
    fn stated(&self, table: Table, add: &Add) -> Result<Add> {
        let source = FileSource::new(self.writing.files());
        let file = described(&self.writing.layout.table(table), add);
        file.check_present(&source)?;
        if check::is_damaged(&source, table, &file) {
            let message = format!("{} is damaged: nothing is noted of it", file.path.display());
            return Err(Error::damaged(message).with_hint(CHECK_HINT));
        }
        let bytes = Arc::clone(source.files()).read(&file.path)?.unwrap_or_default();
        let mut stated = add.clone().with_digest(blake3::hash(&bytes).to_hex().to_string());
        if !add.has_stats() {
            let mut stats = StatsBuilder::new(table);
            let names: Vec<_> = StatsBuilder::columns().collect();
            for batch in data_file::columns(&source, &file, &names)? {
                stats.add(&batch);
            }
            stated.stats = Some(stats.finish());
        }
        Ok(stated)
    }

    fn upgrade_format(&self, version: u32, dry_run: bool) -> Result<Option<UpgradeStep>> {
        let writing = &self.writing;
        let identity = identity::read(&**writing.files(), &writing.layout)?;
        let before = identity.format_version;
        if before >= version {
            return Ok(None);
        }
        if !dry_run {
            let identity = identity::Identity { format_version: version, ..identity };
            identity::replace(&**writing.files(), &writing.layout, &*writing.ids, &identity)?;
        }
        let what = format!("set the format version from {before} to {version}");
        Ok(Some(UpgradeStep { table: None, what }))
    }
}

#[cfg(test)]
mod tests;
