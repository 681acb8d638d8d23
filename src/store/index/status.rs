//! What the index is like, without changing it.

use super::kv::TREES_NAME;
use super::{Index, catch_up, lock};
use crate::error::Result;
use crate::event::Table;
use crate::store::snapshot::Snapshot;
use crate::store::status::folder_bytes;

/// The index of a store.
#[derive(Debug, Clone, Default)]
pub struct IndexStatus {
    /// Size of its folder, what was moved aside included.
    pub size_bytes: u64,
    /// Why it cannot be used now, for example because another process has it.
    pub unavailable: Option<String>,
    /// Data files that it knows.
    pub files: u64,
    /// Runs in the tables that it does not know yet.
    pub runs_behind: u64,
    /// The trees and how much is in them.
    pub trees: Vec<IndexTree>,
}

/// One part of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexTree {
    /// What it holds: `runs`, `packed`, `contracts`, `memo`, `names`.
    pub name: &'static str,
    /// Runs, inputs or names.
    pub entries: u64,
}

impl Index {
    /// Looks at the index, and opens it if it is there.
    pub(in crate::store) fn status(&self, snapshot: &Snapshot) -> Result<IndexStatus> {
        let size_bytes = folder_bytes(&self.folder).unwrap_or(0);
        let runs_behind = snapshot.tables.get(&Table::Runs);
        let runs_behind =
            runs_behind.map_or(0, |it| it.files.iter().filter_map(|file| file.rows).sum());
        let absent = IndexStatus { size_bytes, runs_behind, ..IndexStatus::default() };
        let (is_used, off) = {
            let state = lock(&self.state);
            (state.opened.is_some(), state.off.clone())
        };
        if !is_used && (off.is_some() || !self.folder.join(TREES_NAME).exists()) {
            return Ok(IndexStatus { unavailable: off, ..absent });
        }
        match self.open() {
            Ok(opened) => {
                let files = opened.files();
                Ok(IndexStatus {
                    files: files.len() as u64,
                    runs_behind: catch_up::runs_behind(&files, snapshot),
                    trees: opened.trees()?,
                    ..absent
                })
            }
            Err(error) => Ok(IndexStatus { unavailable: Some(error.in_one_line()), ..absent }),
        }
    }
}
