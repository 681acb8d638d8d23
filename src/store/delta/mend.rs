//! Commits that a repair makes: one in the place of a damaged one, and one that puts a data file
//! aside. Whoever calls holds every slot.

use std::path::Path;

use super::action::{Action, Remove};
use super::commit::{ATTEMPTS_MAX, appending, commit, encode, first, info, too_late};
use super::log::Log;
use super::seal;
use crate::clock::IdSource;
use crate::error::Result;
use crate::event::Table;
use crate::store::files::Files;
use crate::store::segment::Segment;

/// A damaged commit as it was written, if one flipped bit is all that is wrong with it.
pub(in crate::store) fn restored(damaged: &[u8]) -> Option<Vec<u8>> {
    seal::restored(damaged)
}

/// The first commit of a table, made anew.
pub(in crate::store) fn made(table: Table, ids: &dyn IdSource, now_us: i64) -> Result<Vec<u8>> {
    encode(&first(table, ids, now_us))
}

/// The commit that appends a segment as file `n` of a slot.
pub(in crate::store) fn appended(
    app_id: &str,
    n: u64,
    segment: Option<Segment>,
    flush_time_us: i64,
) -> Result<Vec<u8>> {
    encode(&appending(app_id, n, segment, flush_time_us)?)
}

/// The lines of a damaged commit that can be read.
pub(in crate::store) fn readable(damaged: &[u8]) -> Vec<Action> {
    let lines = damaged.split(|it| *it == b'\n');
    lines.filter_map(|it| serde_json::from_slice(it).ok()).collect()
}

/// A commit in the place of one that is given up, with what was saved of it.
pub(in crate::store) fn given_up(saved: Vec<Action>, now_us: i64) -> Result<Vec<u8>> {
    let info = Action { commit_info: Some(info("REPAIR", now_us, None)), ..Action::default() };
    encode(&[vec![info], saved].concat())
}

/// Takes a data file out of a table, and puts another in its place if there is one.
pub(in crate::store) fn replace_file(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    file: &Path,
    segment: Option<Segment>,
    now_us: i64,
) -> Result<()> {
    let name = file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let remove = Remove {
        path: name,
        deletion_timestamp: Some(now_us / 1_000),
        data_change: segment.is_none(),
    };
    let mut actions = vec![
        Action { commit_info: Some(info("REPAIR", now_us, None)), ..Action::default() },
        Action { remove: Some(remove), ..Action::default() },
    ];
    if segment.is_some() {
        // the number of the journal file is in the table already
        let appended = appending("", 0, segment, now_us)?;
        actions.extend(appended.into_iter().filter(|it| it.add.is_some()));
    }
    for _ in 0..ATTEMPTS_MAX {
        log.refresh()?;
        if !log.files().iter().any(|it| it.path == file) {
            return Ok(());
        }
        commit(files, ids, log, &actions)?;
    }
    Err(too_late(log))
}
