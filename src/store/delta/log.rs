//! The state of one table, from its Delta log. Reads only the commits that it has not seen.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::action::{Action, Add, DIGEST_TAG, MetaData};
use super::seal;
use super::stats::FileStats;
use crate::error::{Error, IoContext, Result};
use crate::event::Text;
use crate::journal::SCHEMA_VERSION;
use crate::journal::disk::read_whole;
use crate::store::layout::{commit_name, commit_version, delta_log};
use crate::store::snapshot::DataFile;

/// Flush times that are kept per slot, to know when a journal file may go.
const TIMES_KEPT_MAX: usize = 1_000;

/// What a table knows of one slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Txn {
    /// The newest journal file of the slot whose rows the table holds.
    pub(in crate::store) version: u64,
    /// When the newest journal files were committed, in microseconds.
    pub(in crate::store) flush_times_us: BTreeMap<u64, i64>,
}

/// A data file and what its statistics say.
#[derive(Debug)]
struct LogFile {
    data: DataFile,
    oldest_us: Option<i64>,
}

/// One table's log, as far as it has been read.
#[derive(Debug)]
pub(in crate::store) struct Log {
    folder: PathBuf,
    version: Option<u64>,
    files: BTreeMap<String, LogFile>,
    txns: HashMap<String, Txn>,
    schema_version: u32,
    flush_time_us: i64,
    data_removals: u64,
}

impl Log {
    /// The log in a table's folder, of which nothing has been read.
    pub(in crate::store) fn new(table_folder: PathBuf) -> Self {
        Self {
            folder: table_folder,
            version: None,
            files: BTreeMap::new(),
            txns: HashMap::new(),
            schema_version: 0,
            flush_time_us: 0,
            data_removals: 0,
        }
    }

    /// Reads the commits that are new.
    ///
    /// # Errors
    /// `Damaged` for an empty, torn or missing commit, `Unavailable` for a protocol that is unknown
    /// here.
    pub(in crate::store) fn refresh(&mut self) -> Result<()> {
        if self.version.is_some() {
            return self.read_new();
        }
        // listed first: whatever was there then must be met on the way from 0
        let newest = newest_commit(&delta_log(&self.folder))?;
        self.read_new()?;
        match newest {
            Some(newest) if self.version.is_none_or(|it| it < newest) => {
                let missing = self.version.take().map_or(0, |it| it + 1);
                let path = delta_log(&self.folder).join(commit_name(missing));
                Err(damaged(&path, &format!("the commit is missing, though {newest} is there")))
            }
            _ => Ok(()),
        }
    }

    fn read_new(&mut self) -> Result<()> {
        loop {
            let version = self.version.map_or(0, |it| it + 1);
            let path = delta_log(&self.folder).join(commit_name(version));
            let text = match read_whole(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error).context("read", &path),
            };
            let actions = parse(&path, &text)?;
            for action in &actions {
                check(&path, action)?;
            }
            let flush_time_us = actions
                .iter()
                .filter_map(|action| action.commit_info.as_ref()?.genstore_flush_time_us)
                .next_back();
            for action in actions {
                self.apply(action, flush_time_us);
            }
            self.flush_time_us = self.flush_time_us.max(flush_time_us.unwrap_or(0));
            self.version = Some(version);
        }
    }

    /// The newest version that has been read; `None` before the first commit.
    pub(in crate::store) fn version(&self) -> Option<u64> {
        self.version
    }

    /// The table's data files.
    pub(in crate::store) fn files(&self) -> impl Iterator<Item = &DataFile> {
        self.files.values().map(|it| &it.data)
    }

    /// The earliest `start_time` in the table's files, in microseconds, rounded down to a
    /// millisecond.
    pub(in crate::store) fn oldest_us(&self) -> Option<i64> {
        self.files.values().filter_map(|it| it.oldest_us).min()
    }

    /// Every slot that has committed here, with what the table holds of it.
    pub(in crate::store) fn txns(&self) -> &HashMap<String, Txn> {
        &self.txns
    }

    /// What the table holds of a slot, by its app id.
    pub(in crate::store) fn txn(&self, app_id: &str) -> Option<&Txn> {
        self.txns.get(app_id)
    }

    /// The newest journal file of a slot whose rows are here; 0 for none.
    pub(in crate::store) fn committed(&self, app_id: &str) -> u64 {
        self.txns.get(app_id).map_or(0, |it| it.version)
    }

    /// The newest flush time, in microseconds.
    pub(in crate::store) fn flush_time_us(&self) -> i64 {
        self.flush_time_us
    }

    /// How many `remove` actions have taken rows away: a snapshot that saw fewer is stale.
    pub(in crate::store) fn data_removals(&self) -> u64 {
        self.data_removals
    }

    /// The folder of the table.
    pub(in crate::store) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Refuses to write a table whose columns this build does not know.
    pub(in crate::store) fn check_writable(&self) -> Result<()> {
        if self.version.is_none() {
            return Err(Error::damaged(format!(
                "the table {} has no first commit",
                self.folder.display()
            )));
        }
        if self.schema_version != SCHEMA_VERSION {
            return Err(Error::unavailable(format!(
                "{} has schema version {}, and this build writes {SCHEMA_VERSION}",
                self.folder.display(),
                self.schema_version
            ))
            .with_hint("Use the genstore that made this store, or a newer one."));
        }
        Ok(())
    }

    fn apply(&mut self, action: Action, flush_time_us: Option<i64>) {
        if let Some(metadata) = action.meta_data {
            self.schema_version = schema_version(&metadata).unwrap_or(0);
        }
        if let Some(txn) = action.txn {
            let state = self.txns.entry(txn.app_id).or_default();
            state.version = state.version.max(u64::try_from(txn.version).unwrap_or(0));
            state.flush_times_us.insert(state.version, flush_time_us.unwrap_or(0));
            if state.flush_times_us.len() > TIMES_KEPT_MAX {
                state.flush_times_us.pop_first();
            }
        }
        if let Some(add) = action.add {
            let file = self.data_file(&add);
            self.files.insert(add.path, file);
        }
        if let Some(remove) = action.remove {
            self.files.remove(&remove.path);
            self.data_removals += u64::from(remove.data_change);
        }
    }

    fn data_file(&self, add: &Add) -> LogFile {
        let stats = add.stats.as_deref().map(FileStats::parse).unwrap_or_default();
        let digest = add.tags.as_ref().and_then(|tags| tags.get(DIGEST_TAG)?.as_deref());
        LogFile {
            oldest_us: stats.oldest_us(),
            data: DataFile {
                path: self.folder.join(&add.path),
                size_bytes: add.size,
                rows: stats.rows(),
                digest: digest.map(Text::from),
                run_ids: stats.run_ids(),
            },
        }
    }
}

/// The highest version that has a file in the folder of commits; `None` where there is none.
fn newest_commit(folder: &Path) -> Result<Option<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("read the folder", folder),
    };
    let mut newest = None;
    for entry in entries {
        let name = entry.context("read the folder", folder)?.file_name();
        newest = newest.max(name.to_str().and_then(commit_version));
    }
    Ok(newest)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Action>> {
    if seal::is_broken(bytes) {
        return Err(damaged(path, "the commit is not what was written: its checksum is another"));
    }
    let mut actions = Vec::new();
    for (index, line) in bytes.split(|it| *it == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let action = serde_json::from_slice(line).map_err(|source| {
            damaged(path, &format!("line {} is no action", index + 1)).with_source(source)
        })?;
        actions.push(action);
    }
    if actions.is_empty() {
        return Err(damaged(path, "the commit is empty"));
    }
    Ok(actions)
}

fn check(path: &Path, action: &Action) -> Result<()> {
    if let Some(protocol) = &action.protocol
        && (protocol.min_reader_version > 1 || protocol.min_writer_version > 2)
    {
        return Err(Error::unavailable(format!(
            "{} asks for Delta reader version {} and writer version {}; this build knows 1 and 2",
            path.display(),
            protocol.min_reader_version,
            protocol.min_writer_version
        ))
        .with_hint("Another tool changed the table; use a newer genstore, or restore the table."));
    }
    if let Some(metadata) = &action.meta_data
        && !metadata.partition_columns.is_empty()
    {
        return Err(Error::unavailable(format!("{} partitions the table", path.display())));
    }
    if let Some(add) = &action.add
        && (add.path.starts_with('/') || add.path.contains(':') || add.path.contains(".."))
    {
        return Err(Error::unavailable(format!(
            "{} adds a file outside the table: {}",
            path.display(),
            add.path
        )));
    }
    Ok(())
}

fn schema_version(metadata: &MetaData) -> Option<u32> {
    metadata.configuration.get("genstore.schema_version")?.as_str()?.parse().ok()
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::damaged(format!("{}: {what}", path.display()))
        .with_hint("Nothing was changed. Copy the store before you do anything else.")
}
