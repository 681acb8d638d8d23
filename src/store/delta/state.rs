//! The whole state of a table at one version, as a checkpoint holds it: every action that a log up
//! to there leaves. `Log` keeps only what readers ask for; this is for who writes or compares
//! checkpoints.

use std::collections::BTreeMap;
use std::path::Path;

use super::action::{Action, Add, MetaData, Protocol, Remove, Transaction, stamp_us};
use super::read::{Listing, damaged, expect_commits, read_commit};
use crate::error::Result;
use crate::store::files::Files;
use crate::store::layout::{commit_name, delta_log};

/// How long a checkpoint tells of a removed file, in milliseconds: a week, as others do. Whoever
/// deletes files must know of those that a reader of an older version may still want.
const TOMBSTONE_MS_MAX: i64 = 7 * 24 * 3_600_000;

/// All actions that are in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::store) struct State {
    pub(in crate::store) protocol: Option<Protocol>,
    pub(in crate::store) metadata: Option<MetaData>,
    pub(in crate::store) txns: BTreeMap<String, Transaction>,
    pub(in crate::store) adds: BTreeMap<String, Add>,
    pub(in crate::store) removes: BTreeMap<String, Remove>,
    /// The newest stamp of all commits, in microseconds.
    pub(super) stamp_us: Option<i64>,
}

impl State {
    /// The state of a table after a commit, from the newest checkpoint up to there that can be
    /// read and the commits after it.
    ///
    /// # Errors
    /// `Damaged` if a commit or checkpoint that is needed is torn or missing.
    pub(in crate::store) fn at(
        files: &dyn Files,
        table_folder: &Path,
        version: u64,
    ) -> Result<Self> {
        let folder = delta_log(table_folder);
        let start = Listing::read(files, &folder)?.start(files, &folder, version)?;
        let mut state = Self::default();
        let mut next = 0;
        if let Some((checkpoint, actions)) = start.checkpoint {
            state.apply(actions);
            next = checkpoint + 1;
        }
        expect_commits(files, &folder, next, Some(version));
        for version in next..=version {
            match read_commit(files, &folder, version)? {
                Some(actions) => state.apply(actions),
                None => {
                    let gone = || damaged(&folder.join(commit_name(version)), "it is missing");
                    return Err(start.damage.unwrap_or_else(gone));
                }
            }
        }
        Ok(state)
    }

    /// Takes the actions of the next commit, or of a checkpoint.
    pub(in crate::store) fn apply(&mut self, actions: Vec<Action>) {
        self.stamp_us = self.stamp_us.max(stamp_us(&actions));
        for action in actions {
            if action.protocol.is_some() {
                self.protocol = action.protocol;
            }
            if action.meta_data.is_some() {
                self.metadata = action.meta_data;
            }
            if let Some(txn) = action.txn {
                match self.txns.get_mut(&txn.app_id) {
                    // as in `Log`: one that goes back is a commit that someone has copied
                    Some(newest) if newest.version >= txn.version => {}
                    _ => drop(self.txns.insert(txn.app_id.clone(), txn)),
                }
            }
            if let Some(add) = action.add {
                self.removes.remove(&add.path);
                self.adds.insert(add.path.clone(), Add { data_change: false, ..add });
            }
            if let Some(remove) = action.remove {
                self.adds.remove(&remove.path);
                let remove = Remove { data_change: false, ..remove };
                self.removes.insert(remove.path.clone(), remove);
            }
        }
    }

    /// The actions of a checkpoint that is written at a time.
    pub(super) fn into_actions(self, now_ms: i64) -> Vec<Action> {
        let recent = |remove: &Remove| {
            now_ms.saturating_sub(remove.deletion_timestamp.unwrap_or(0)) <= TOMBSTONE_MS_MAX
        };
        let table = [
            Action { protocol: self.protocol, ..Action::default() },
            Action { meta_data: self.metadata, ..Action::default() },
        ];
        let txns = self.txns.into_values();
        let txns = txns.map(|it| Action { txn: Some(it), ..Action::default() });
        let removes = self.removes.into_values().filter(recent);
        let removes = removes.map(|it| Action { remove: Some(it), ..Action::default() });
        let adds = self.adds.into_values();
        let adds = adds.map(|it| Action { add: Some(it), ..Action::default() });
        table.into_iter().chain(txns).chain(removes).chain(adds).collect()
    }
}
