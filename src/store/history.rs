//! What was done to the tables, by their logs: the commits, newest first, with what each brought
//! and took away, and why. As far back as the logs reach. Reads no data file.

use std::collections::HashMap;

use serde_json::Value;

use super::delta::{Action, Listing, State, data_file, read_commit};
use super::handle::Store;
use super::layout::delta_log;
use crate::error::Result;
use crate::event::{Table, TimeUs};

/// One commit of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The table.
    pub table: Table,
    /// The number of the commit in its log.
    pub version: u64,
    /// Its stamp: the same in all tables that one flush, retention or import wrote. A foreign
    /// tool's commit has none; then it is the time that it says.
    pub time: TimeUs,
    /// `WRITE`, `OPTIMIZE`, `DELETE` and so on.
    pub operation: String,
    /// Why, if the commit says so.
    pub reason: Option<String>,
    /// What it brought.
    pub added: Change,
    /// What it took away.
    pub removed: Change,
}

/// Files with their rows and bytes; `None` where the logs do not say any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Data files.
    pub files: u64,
    /// Rows in them.
    pub rows: Option<u64>,
    /// Their size.
    pub size_bytes: Option<u64>,
}

/// Rows and bytes of a file.
type Size = (Option<u64>, u64);

impl Store {
    /// The newest commits of a table, or of all tables, at most `count_max` of them.
    ///
    /// # Errors
    /// `Damaged` when one of them cannot be read.
    pub fn history(&self, table: Option<Table>, count_max: usize) -> Result<Vec<Commit>> {
        let tables = Table::ALL.iter().copied().filter(|it| table.is_none_or(|only| only == *it));
        let mut commits = Vec::new();
        for table in tables {
            commits.extend(self.history_of(table, count_max)?);
        }
        commits.sort_by(|a, b| b.time.cmp(&a.time)); // stable: of one table the newest first
        commits.truncate(count_max);
        Ok(commits)
    }

    fn history_of(&self, table: Table, count_max: usize) -> Result<Vec<Commit>> {
        let (files, folder) = (&**self.tables().files(), self.layout().table(table));
        let log = delta_log(&folder);
        let Some(newest) = Listing::read(files, &log)?.newest() else { return Ok(Vec::new()) };
        let mut read = Vec::new();
        for version in (0..=newest).rev().take(count_max) {
            match read_commit(files, &log, version)? {
                Some(actions) => read.push((version, actions)),
                None => break, // cleaned up
            }
        }
        let mut known: HashMap<String, Size> = HashMap::new();
        let before = read.last().and_then(|(version, _)| version.checked_sub(1));
        // what came before may be gone from the log: then it is not known
        if let Some(state) = before.and_then(|it| State::at(files, &folder, it).ok()) {
            known.extend(state.adds.into_iter().map(|(name, add)| {
                let file = data_file(&folder, &add);
                (name, (file.rows, file.size_bytes))
            }));
        }
        let mut commits = Vec::new();
        for (version, actions) in read.into_iter().rev() {
            for add in actions.iter().filter_map(|it| it.add.as_ref()) {
                let file = data_file(&folder, add);
                known.insert(add.path.clone(), (file.rows, file.size_bytes));
            }
            commits.push(commit(table, version, &actions, &known));
        }
        commits.reverse();
        Ok(commits)
    }
}

fn commit(table: Table, version: u64, actions: &[Action], known: &HashMap<String, Size>) -> Commit {
    let info = actions.iter().find_map(|it| it.commit_info.as_ref());
    let time_us = info.map_or(0, |it| {
        it.genstore_flush_time_us.unwrap_or_else(|| it.timestamp.saturating_mul(1_000))
    });
    let reason = info.and_then(|it| it.operation_parameters.get("reason"));
    let adds = actions.iter().filter_map(|it| Some(it.add.as_ref()?.path.as_str()));
    let removes = actions.iter().filter_map(|it| Some(it.remove.as_ref()?.path.as_str()));
    Commit {
        table,
        version,
        time: TimeUs(time_us),
        operation: info.map(|it| it.operation.clone()).unwrap_or_default(),
        reason: reason.and_then(Value::as_str).map(str::to_owned),
        added: change(adds, known),
        removed: change(removes, known),
    }
}

fn change<'a>(names: impl Iterator<Item = &'a str>, known: &HashMap<String, Size>) -> Change {
    let mut change = Change { files: 0, rows: Some(0), size_bytes: Some(0) };
    for name in names {
        let size = known.get(name);
        change.files += 1;
        change.rows = change.rows.zip(size.and_then(|it| it.0)).map(|(a, b)| a + b);
        change.size_bytes = change.size_bytes.zip(size.map(|it| it.1)).map(|(a, b)| a + b);
    }
    change
}
