//! The log of a table that is made as a copy of another: one commit that says what the table is and
//! names all its files. And what a log says of files, put right without touching their rows.

use serde_json::{Map, Value};

use super::action::{Action, Add, DIGEST_TAG};
use super::commit::{ATTEMPTS_MAX, added, commit, encode, info, too_late};
use super::log::Log;
use super::state::State;
use super::stats::FileStats;
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::store::files::Files;
use crate::store::flush::is_slot;
use crate::store::layout::{commit_name, commit_temporary_name, delta_log};
use crate::store::segment::Segment;
use std::path::Path;

impl Add {
    /// The same with the digest of the file noted.
    pub(in crate::store) fn with_digest(mut self, digest: String) -> Self {
        let tags = self.tags.get_or_insert_default();
        tags.insert(DIGEST_TAG.to_owned(), Some(digest));
        self
    }

    /// Whether the log tells how many rows the file has.
    pub(in crate::store) fn has_stats(&self) -> bool {
        self.stats.as_deref().is_some_and(|it| FileStats::parse(it).rows().is_some())
    }
}

/// Makes the log of a table that is a copy: `state` says what it is and which imports it knows, the
/// files are `adds` and `segments`. The journals of the other store are not this one's, and what
/// was removed there was never here.
pub(in crate::store) fn clone(
    files: &dyn Files,
    ids: &dyn IdSource,
    table_folder: &Path,
    state: State,
    (adds, segments): (Vec<Add>, Vec<Segment>),
    (source, time_us): (&str, i64),
) -> Result<()> {
    let mut info = info("CLONE", time_us, Some(time_us));
    info.operation_parameters = Map::from_iter([("source".to_owned(), Value::from(source))]);
    let mut actions = vec![
        Action { commit_info: Some(info), ..Action::default() },
        Action { protocol: state.protocol, ..Action::default() },
        Action { meta_data: state.metadata, ..Action::default() },
    ];
    let imports = state.txns.into_values().filter(|it| !is_slot(&it.app_id));
    actions.extend(imports.map(|it| Action { txn: Some(it), ..Action::default() }));
    let adds = adds.into_iter().map(|add| Add { data_change: true, ..add });
    actions.extend(adds.map(|it| Action { add: Some(it), ..Action::default() }));
    actions.extend(segments.into_iter().map(|it| added(it, time_us / 1_000, true)));
    let (folder, name) = (delta_log(table_folder), commit_name(0));
    let bytes = encode(&actions)?;
    if !files.put_if_absent(&folder, &name, &commit_temporary_name(ids.next_id()), &bytes)? {
        let path = folder.join(name);
        return Err(Error::failed(format!("{} was made by another process", path.display())));
    }
    Ok(())
}

/// Says anew what the log says of some files, in one commit. Those that are gone by then are left
/// out; how many were there.
pub(in crate::store) fn restate(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    adds: &[Add],
    time_us: i64,
) -> Result<usize> {
    log.refresh()?;
    for _ in 0..ATTEMPTS_MAX {
        log.check_writable()?;
        let there = adds.iter().filter(|it| log.has_file(&it.path)).cloned();
        let there = there.map(|add| Action {
            add: Some(Add { data_change: false, ..add }),
            ..Action::default()
        });
        let info = info("COMPUTE STATS", time_us, Some(time_us));
        let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
        actions.extend(there);
        let restated = actions.len() - 1;
        if restated == 0 || commit(files, ids, log, &actions)? {
            return Ok(restated);
        }
    }
    Err(too_late(log))
}
