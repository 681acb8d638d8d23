//! What lies in the folder of a log: its commits and checkpoints by name, and a commit's actions.
//! Refuses what this build does not understand. Keeps no state and changes nothing.

use std::collections::BTreeSet;
use std::path::Path;

use super::action::Action;
use super::checkpoint;
use super::seal;
use crate::error::{Error, ErrorKind, Result};
use crate::store::files::Files;
use crate::store::layout::{checkpoint_name, checkpoint_version, commit_name, commit_version};
use crate::store::snapshot::CHECK_HINT;

/// The versions that have a file in the folder of a log, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Listing {
    pub(in crate::store) commits: BTreeSet<u64>,
    pub(in crate::store) checkpoints: BTreeSet<u64>,
}

/// Where the reading of a log begins.
#[derive(Debug, Default)]
pub(super) struct Start {
    /// The newest checkpoint that can be read, and its actions.
    pub(super) checkpoint: Option<(u64, Vec<Action>)>,
    /// Why a newer one cannot.
    pub(super) damage: Option<Error>,
}

impl Listing {
    /// Looks into the folder of a log; one that is not there has nothing in it.
    pub(in crate::store) fn read(files: &dyn Files, log_folder: &Path) -> Result<Self> {
        let mut listing = Self::default();
        for entry in files.list(log_folder)? {
            listing.commits.extend(commit_version(&entry.name));
            listing.checkpoints.extend(checkpoint_version(&entry.name));
        }
        Ok(listing)
    }

    /// The newest version that something is known of; `None` for an empty folder.
    pub(in crate::store) fn newest(&self) -> Option<u64> {
        self.commits.last().max(self.checkpoints.last()).copied()
    }

    /// The newest checkpoint up to a version that can be read. One that is damaged is passed over:
    /// the commits that it stands for may still be there.
    ///
    /// # Errors
    /// As [`read_commit`], but not `Damaged`.
    pub(super) fn start(
        &self,
        files: &dyn Files,
        log_folder: &Path,
        version_max: u64,
    ) -> Result<Start> {
        let mut start = Start::default();
        for version in self.checkpoints.range(..=version_max).rev() {
            match read_checkpoint(files, log_folder, *version) {
                Ok(Some(actions)) => {
                    start.checkpoint = Some((*version, actions));
                    break;
                }
                Ok(None) => {} // removed since the folder was listed
                Err(error) if error.kind() == ErrorKind::Damaged => start.damage = Some(error),
                Err(error) => return Err(error),
            }
        }
        Ok(start)
    }
}

/// The actions of a commit; `None` if there is no such commit.
///
/// # Errors
/// `Damaged` for one that is empty or torn, `Unavailable` for one that asks for more than this
/// build knows.
pub(in crate::store) fn read_commit(
    files: &dyn Files,
    log_folder: &Path,
    version: u64,
) -> Result<Option<Vec<Action>>> {
    let path = log_folder.join(commit_name(version));
    let Some(bytes) = files.read(&path)? else { return Ok(None) };
    let actions = parse(&path, &bytes)?;
    actions.iter().try_for_each(|action| check(&path, action))?;
    Ok(Some(actions))
}

/// The actions of a checkpoint; `None` if there is no such checkpoint.
///
/// # Errors
/// As [`read_commit`].
pub(in crate::store) fn read_checkpoint(
    files: &dyn Files,
    log_folder: &Path,
    version: u64,
) -> Result<Option<Vec<Action>>> {
    let path = log_folder.join(checkpoint_name(version));
    let bytes = match files.read(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::Failed && !files.is_remote() => {
            return Err(damaged(&path, "the checkpoint cannot be read").with_source(error));
        }
        Err(error) => return Err(error),
    };
    let actions = checkpoint::decode(&path, &bytes)?;
    actions.iter().try_for_each(|action| check(&path, action))?;
    Ok(Some(actions))
}

/// Says that some commits, the last included, are about to be read.
pub(super) fn expect_commits(files: &dyn Files, log_folder: &Path, first: u64, last: Option<u64>) {
    if files.is_remote() {
        let versions = first..=last.unwrap_or(0);
        let paths: Vec<_> = versions.map(|it| log_folder.join(commit_name(it))).collect();
        files.expect(&paths);
    }
}

/// Whether a commit is there.
pub(super) fn has_commit(files: &dyn Files, log_folder: &Path, version: u64) -> Result<bool> {
    Ok(files.metadata(&log_folder.join(commit_name(version)))?.is_some())
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
        return Err(Error::unavailable(format!("{} partitions the table", path.display()))
            .with_hint(FOREIGN_HINT));
    }
    if let Some(add) = &action.add
        && (add.path.starts_with('/') || add.path.contains(':') || add.path.contains(".."))
    {
        return Err(Error::unavailable(format!(
            "{} adds a file outside the table: {}",
            path.display(),
            add.path
        ))
        .with_hint(FOREIGN_HINT));
    }
    Ok(())
}

/// The way out of what this build never writes.
const FOREIGN_HINT: &str =
    "Another tool changed it. Other tables can be read; restore this one from a backup.";

/// Bytes of a log that are not what was written.
pub(super) fn damaged(path: &Path, what: &str) -> Error {
    Error::damaged(format!("{}: {what}", path.display())).with_hint(CHECK_HINT)
}
