//! Commits of whoever looks after a table: one that replaces data files by others, or takes them
//! out. It carries no number of a journal file; of two that replace the same file, one is done.

use serde_json::{Map, Value};

use super::action::{Action, REPLACES_TAG, Remove};
use super::commit::{ATTEMPTS_MAX, added, commit, info, too_late};
use super::log::Log;
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::store::files::Files;
use crate::store::segment::Segment;

/// What is to be replaced, and why.
#[derive(Debug, Clone)]
pub(in crate::store) struct Rewrite {
    /// What it is called in the log: `OPTIMIZE`, `DELETE`.
    pub(in crate::store) operation: &'static str,
    /// How, and for what reason.
    pub(in crate::store) parameters: Map<String, Value>,
    /// How much it was.
    pub(in crate::store) metrics: Map<String, Value>,
    /// The names of the files that go.
    pub(in crate::store) removes: Vec<String>,
    /// The files that come, which are durable already.
    pub(in crate::store) adds: Vec<Segment>,
    /// Whether the table has other rows afterwards.
    pub(in crate::store) data_change: bool,
    /// The stamp, in microseconds: above all that the logs have.
    pub(in crate::store) time_us: i64,
}

/// Replaces the files by one commit; `false` if one of them has gone meanwhile: nothing was changed
/// then, and the files that were to come are of no use. After an error nobody knows whether the
/// commit is there: those files must stay.
pub(in crate::store) fn rewrite(
    files: &dyn Files,
    ids: &dyn IdSource,
    log: &mut Log,
    rewrite: &Rewrite,
) -> Result<bool> {
    let actions = actions(rewrite);
    log.refresh()?;
    for _ in 0..ATTEMPTS_MAX {
        log.check_rewritable()?;
        if !rewrite.removes.iter().all(|it| log.has_file(it)) {
            return Ok(false);
        }
        if commit(files, ids, log, &actions)? {
            return Ok(true);
        }
    }
    Err(too_late(log))
}

fn actions(rewrite: &Rewrite) -> Vec<Action> {
    let mut info = info(rewrite.operation, rewrite.time_us, Some(rewrite.time_us));
    info.operation_parameters = rewrite.parameters.clone();
    info.operation_metrics = rewrite.metrics.clone();
    let mut actions = vec![Action { commit_info: Some(info), ..Action::default() }];
    actions.extend(rewrite.removes.iter().map(|name| Action {
        remove: Some(Remove {
            path: name.clone(),
            deletion_timestamp: Some(rewrite.time_us / 1_000),
            data_change: rewrite.data_change,
        }),
        ..Action::default()
    }));
    let ms = rewrite.time_us / 1_000;
    actions.extend(rewrite.adds.iter().map(|it| added(it.clone(), ms, rewrite.data_change)));
    // whoever knows the old files knows a new one that has their rows, all of them and no others
    if let ([_], false) = (&*rewrite.adds, rewrite.data_change)
        && let Some(Action { add: Some(add), .. }) = actions.last_mut()
    {
        let names = Value::from(rewrite.removes.clone()).to_string();
        add.tags.get_or_insert_default().insert(REPLACES_TAG.to_owned(), Some(names));
    }
    actions
}

impl Log {
    /// Refuses to rewrite files of a table with columns that this build does not know: it would
    /// drop what is in them.
    pub(in crate::store) fn check_rewritable(&self) -> Result<()> {
        self.check_writable()?;
        match self.unknown_columns().first() {
            None => Ok(()),
            Some(name) => Err(Error::unavailable(format!(
                "{} has a column {name} that this build does not know: its files are not rewritten",
                self.folder().display()
            ))
            .with_hint("Appending and reading work. Look after this store with a newer genstore.")),
        }
    }
}
