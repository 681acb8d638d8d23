//! What keeps a log short: checkpoints, and the removal of what they make superfluous. Never in the
//! way of a commit: a checkpoint that fails is only late.
//!
//! Files go oldest first, and only below the newest checkpoint but one, so that a checkpoint that
//! is found damaged costs nothing.

use std::path::Path;

use serde_json::json;

use super::checkpoint::encode;
use super::read::{Listing, expect_commits, read_checkpoint, read_commit};
use super::state::State;
use crate::clock::IdSource;
use crate::error::{ErrorKind, Result};
use crate::store::files::{Files, missing};
use crate::store::layout::{
    LAST_CHECKPOINT_NAME, checkpoint_name, checkpoint_temporary_name, commit_name, delta_log,
    last_checkpoint_temporary_name,
};

/// Files that one clean-up removes at most; the next one goes on.
const REMOVED_MAX: usize = 1_000;

/// Commits whose time is read at once.
const LOOKED_AT: u64 = 16;

/// How long a log may get.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct LogKeeping {
    /// A checkpoint is written every so many commits.
    pub(in crate::store) checkpoint_commits: u64,
    /// The newest commits that are never removed.
    pub(in crate::store) commits_kept: u64,
    /// Commits younger than this are never removed; at 0, age does not count.
    pub(in crate::store) kept_ms: u64,
}

/// Writes the checkpoint of a version and cleans up after it. One that another process has written
/// is left alone, and so is the cleaning up.
pub(in crate::store) fn keep(
    files: &dyn Files,
    ids: &dyn IdSource,
    table_folder: &Path,
    version: u64,
    keeping: LogKeeping,
    now_ms: i64,
) -> Result<()> {
    let folder = delta_log(table_folder);
    match read_checkpoint(files, &folder, version) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => {}
        Err(error) if error.kind() == ErrorKind::Damaged => {} // written once more
        Err(error) => return Err(error),
    }
    write_checkpoint(files, ids, table_folder, version, now_ms)?;
    clean_up(files, &folder, keeping, now_ms)
}

/// Writes the state after a commit as a checkpoint, durably, and tells foreign readers of it.
pub(in crate::store) fn write_checkpoint(
    files: &dyn Files,
    ids: &dyn IdSource,
    table_folder: &Path,
    version: u64,
    now_ms: i64,
) -> Result<()> {
    let folder = delta_log(table_folder);
    let state = State::at(files, table_folder, version)?;
    let stamp_us = state.stamp_us;
    let actions = state.into_actions(now_ms);
    let bytes = encode(&actions, stamp_us)?;
    let temporary = checkpoint_temporary_name(ids.next_id());
    files.replace(&folder, &checkpoint_name(version), &temporary, &bytes)?;
    let last = json!({
        "version": version,
        "size": actions.len(),
        "sizeInBytes": bytes.len(),
        "numOfAddFiles": actions.iter().filter(|it| it.add.is_some()).count(),
    });
    let temporary = last_checkpoint_temporary_name(ids.next_id());
    files.replace(&folder, LAST_CHECKPOINT_NAME, &temporary, last.to_string().as_bytes())
}

/// Removes commits and checkpoints that nobody needs any more.
fn clean_up(files: &dyn Files, folder: &Path, keeping: LogKeeping, now_ms: i64) -> Result<()> {
    let listing = Listing::read(files, folder)?;
    let Some(base) = base(&listing, keeping.commits_kept) else { return Ok(()) };
    if read_checkpoint(files, folder, base)?.is_none() {
        return Ok(()); // another process cleans up
    }
    let versions = listing.commits.union(&listing.checkpoints);
    let mut removed = 0_u64;
    for version in versions.copied().take_while(|it| *it < base).take(REMOVED_MAX) {
        if keeping.kept_ms > 0 && removed.is_multiple_of(LOOKED_AT) {
            expect_commits(files, folder, version, Some((version + LOOKED_AT).min(base)));
        }
        if keeping.kept_ms > 0 && listing.commits.contains(&version) {
            let Some(time_ms) = time_ms(files, folder, version, now_ms)? else { break };
            let age_ms = now_ms.saturating_sub(time_ms);
            if age_ms < i64::try_from(keeping.kept_ms).unwrap_or(i64::MAX) {
                break;
            }
        }
        if listing.commits.contains(&version) {
            files.remove(&folder.join(commit_name(version)))?;
        }
        if listing.checkpoints.contains(&version) {
            files.remove(&folder.join(checkpoint_name(version)))?;
        }
        removed += 1;
    }
    if removed > 0 {
        files.sync_folder(folder)?;
    }
    Ok(())
}

/// The checkpoint below which everything may go: one that spares the newest commits and is not the
/// newest.
fn base(listing: &Listing, commits_kept: u64) -> Option<u64> {
    let newest = listing.commits.last()?;
    let base_max = (newest + 1).checked_sub(commits_kept)?;
    listing.checkpoints.iter().rev().skip(1).find(|it| **it <= base_max).copied()
}

/// When a commit was made: by its own word, else by its file. A clock that was ahead has no word:
/// nothing would go until its time. Nor has a damaged commit, for which a checkpoint stands.
fn time_ms(files: &dyn Files, folder: &Path, version: u64, now_ms: i64) -> Result<Option<i64>> {
    let actions = match read_commit(files, folder, version) {
        Ok(Some(actions)) => actions,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::Damaged => Vec::new(),
        Err(error) => return Err(error),
    };
    let said = actions.iter().find_map(|it| it.commit_info.as_ref()).map(|it| it.timestamp);
    if let Some(time_ms) = said.filter(|it| *it <= now_ms) {
        return Ok(Some(time_ms));
    }
    let path = folder.join(commit_name(version));
    let found = files.metadata(&path)?.ok_or_else(|| missing(&path))?;
    Ok(Some(found.modified_ms))
}
