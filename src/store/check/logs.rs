//! The logs of a check: every commit and checkpoint is read, none is missing, no number of a
//! journal goes back, no file is added twice, and each checkpoint is the state that the commits
//! before it make. Gives what each log names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::{Look, Remedy, Severity};
use crate::error::Result;
use crate::event::Table;
use crate::store::delta::{Action, Add, Listing, State, read_checkpoint, read_commit};
use crate::store::files::Files;
use crate::store::layout::{LAST_CHECKPOINT_NAME, Layout, checkpoint_name, commit_name, delta_log};
use crate::store::slot;

const COMMIT: (Remedy, &str) = (
    Remedy::Drop,
    "a flipped bit is set back, a last commit is made anew if a journal still has its rows; else \
     it can only be given up",
);
const ASIDE: (Remedy, &str) =
    (Remedy::Repair, "it is moved aside: a later checkpoint stands for it");
const NEEDLESS: (Remedy, &str) = (Remedy::None, "nothing: only readers of old versions need it");
const CHECKPOINT: (Remedy, &str) =
    (Remedy::Repair, "it is moved aside; the next writer makes another");
const HINT: (Remedy, &str) = (Remedy::Repair, "it is removed; no reader needs it");
const UNMADE: (Remedy, &str) = (Remedy::None, "nothing: the next writer makes it");
const PERSON: (Remedy, &str) = (Remedy::Person, "nothing is changed; see what wrote this commit");

/// What a log that could be read whole names.
#[derive(Debug, Default)]
pub(in crate::store) struct Named {
    paths: BTreeSet<String>,
    /// A commit took rows away.
    thinned: bool,
    /// The first commits are not there any more.
    cleaned_up: bool,
}

impl Named {
    /// Whether some commit or checkpoint names a data file.
    pub(in crate::store) fn names(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether a commit that is still there took rows away, as a retention does.
    pub(super) fn is_thinned(&self) -> bool {
        self.thinned
    }

    /// Whether rows were taken away, or may have been by a commit that is not there any more.
    pub(super) fn may_be_thinned(&self) -> bool {
        self.thinned || self.cleaned_up
    }

    fn see(&mut self, actions: &[Action]) {
        let merges = actions
            .iter()
            .any(|it| it.commit_info.as_ref().is_some_and(|info| info.operation == "OPTIMIZE"));
        let takes = |it: &Action| it.remove.as_ref().is_some_and(|it| it.data_change);
        self.thinned |= !merges && actions.iter().any(takes);
        for action in actions {
            self.paths.extend(action.add.iter().map(|it| it.path.clone()));
            self.paths.extend(action.remove.iter().map(|it| it.path.clone()));
        }
    }
}

/// What the logs name; a damaged one is not there.
pub(in crate::store) type States = BTreeMap<Table, Named>;

/// Looks at the logs of all tables.
pub(super) fn look(look: &mut Look<'_>) -> Result<States> {
    let mut states = States::new();
    // asked first: a writer that makes the store now may have finished when its tables are read
    let unmade = is_unmade(&**look.tables.files(), look.layout)?;
    for (done, table) in Table::ALL.iter().enumerate() {
        look.tell("logs", done, Table::ALL.len());
        let named = Named::default();
        let mut one = One { look, table: *table, named, whole: true, needed: 0, unmade };
        one.look()?;
        if one.whole {
            let named = one.named;
            states.insert(*table, named);
        }
    }
    look.tell("logs", Table::ALL.len(), Table::ALL.len());
    Ok(states)
}

struct One<'a, 'b> {
    look: &'a mut Look<'b>,
    table: Table,
    named: Named,
    whole: bool,
    /// The first commit that no checkpoint stands for.
    needed: u64,
    /// Tables may be missing: the store is new.
    unmade: bool,
}

/// Whether a writer makes the store just now, or died while it did: every table is made before the
/// first journal file, and no table has rows before that.
fn is_unmade(files: &dyn Files, layout: &Layout) -> Result<bool> {
    for slot in slot::list(layout)? {
        if !slot::files(layout, slot)?.is_empty() {
            return Ok(false);
        }
    }
    for table in Table::ALL {
        let folder = layout.table(*table);
        let has_data = files.list(&folder)?.iter().any(|it| it.name.ends_with(".parquet"));
        if has_data || Listing::read(files, &delta_log(&folder))?.newest() > Some(0) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'b> One<'_, 'b> {
    fn files(&self) -> &'b dyn Files {
        &**self.look.tables.files()
    }

    fn look(&mut self) -> Result<()> {
        let folder = self.look.layout.table(self.table);
        let log_folder = delta_log(&folder);
        let listing = Listing::read(self.files(), &log_folder)?;
        let checkpoints = self.checkpoints(&log_folder, &listing);
        self.needed = checkpoints.keys().last().map_or(0, |it| it + 1);
        let first = listing.commits.first().copied();
        let Some(newest) = listing.newest() else {
            self.whole = false;
            if self.unmade {
                let text = "the table is not made yet, and no row was ever written";
                self.add(Severity::Note, "log.gap", &folder, text, UNMADE);
                return Ok(());
            }
            let text = "the log has no commit; the next writer makes the table anew, without rows";
            self.add(Severity::Error, "log.gap", &folder, text, COMMIT);
            return Ok(());
        };
        // with all commits from 0 the state is known from the start, else from a checkpoint on
        let mut state = (first == Some(0)).then(State::default);
        self.named.cleaned_up = state.is_none();
        let mut seen = HashMap::new();
        for version in first.unwrap_or(0)..=newest {
            if self.commit(&log_folder, version, &mut state, &mut seen)? {
                let at = checkpoints.get(&version);
                self.compare(&log_folder, version, at, &mut state);
            }
        }
        self.start(&log_folder, &listing, &checkpoints);
        self.hint(&log_folder, &checkpoints);
        if self.whole {
            let mut log = self.look.tables.log(self.table)?;
            let writable = log.refresh().and_then(|()| log.check_writable().map(|_| ()));
            drop(log);
            if let Err(error) = writable {
                let text = error.in_one_line();
                self.add(Severity::Warning, "log.schema", &folder, &text, PERSON);
            }
        }
        Ok(())
    }

    /// The checkpoints that can be read, as the states that they hold.
    fn checkpoints(&mut self, log_folder: &Path, listing: &Listing) -> BTreeMap<u64, State> {
        let mut states = BTreeMap::new();
        for version in &listing.checkpoints {
            match read_checkpoint(self.files(), log_folder, *version) {
                Ok(Some(actions)) => {
                    self.look.report.looked.checkpoints += 1;
                    self.named.see(&actions);
                    let mut state = State::default();
                    state.apply(actions);
                    states.insert(*version, state);
                }
                Ok(None) => {} // removed meanwhile
                Err(error) => {
                    let path = log_folder.join(checkpoint_name(*version));
                    self.look.report.error("log.checkpoint", &path, &error, CHECKPOINT);
                }
            }
        }
        states
    }

    /// Reads a commit and applies it; whether it was there.
    fn commit(
        &mut self,
        log_folder: &Path,
        version: u64,
        state: &mut Option<State>,
        seen: &mut HashMap<String, i64>,
    ) -> Result<bool> {
        let path = log_folder.join(commit_name(version));
        match read_commit(self.files(), log_folder, version) {
            Ok(Some(actions)) => {
                self.look.report.looked.commits += 1;
                self.named.see(&actions);
                self.transactions(&path, &actions, seen);
                if let Some(state) = state {
                    self.doubled(&path, &actions, state);
                    state.apply(actions);
                }
                Ok(true)
            }
            // a clean-up may have removed it: then a checkpoint stands for it
            Ok(None) if covered(self.files(), log_folder, version)? => {
                *state = None;
                if Listing::read(self.files(), log_folder)?
                    .commits
                    .first()
                    .is_some_and(|it| *it < version)
                {
                    let text = "the commit is missing; a later checkpoint stands for it";
                    self.add(Severity::Note, "log.gap", &path, text, NEEDLESS);
                }
                Ok(true)
            }
            Ok(None) => {
                self.whole = false;
                *state = None;
                let text = "the commit is missing, though a later one is there";
                self.add(Severity::Error, "log.gap", &path, text, COMMIT);
                Ok(false)
            }
            Err(error) => {
                self.whole = false;
                *state = None;
                let needless = version < self.needed;
                let remedy = if needless { ASIDE } else { COMMIT };
                let severity = if needless { Severity::Warning } else { Severity::Error };
                self.add(severity, "log.commit", &path, &error.in_one_line(), remedy);
                Ok(needless)
            }
        }
    }

    /// The numbers of a slot's journal files only rise.
    fn transactions(&mut self, path: &Path, actions: &[Action], seen: &mut HashMap<String, i64>) {
        for txn in actions.iter().filter_map(|it| it.txn.as_ref()) {
            let before = seen.insert(txn.app_id.clone(), txn.version);
            if let Some(before) = before.filter(|it| *it >= txn.version) {
                let (app_id, version) = (&txn.app_id, txn.version);
                let text = format!("it commits file {version} of {app_id}, after file {before}");
                self.add(Severity::Warning, "log.txn", path, &text, PERSON);
                seen.insert(txn.app_id.clone(), before);
            }
        }
    }

    fn doubled(&mut self, path: &Path, actions: &[Action], state: &State) {
        for add in actions.iter().filter_map(|it| it.add.as_ref()) {
            // what a log says of a file may be put right, without a change of its rows
            let is_restated = |it: &Add| it.size == add.size && !add.data_change;
            if state.adds.get(&add.path).is_some_and(|it| !is_restated(it)) {
                let text = format!("it adds {}, which is there already", add.path);
                self.add(Severity::Warning, "log.doubled", path, &text, PERSON);
            }
        }
    }

    /// A checkpoint must be the state that the commits make.
    fn compare(
        &mut self,
        log_folder: &Path,
        version: u64,
        checkpoint: Option<&State>,
        state: &mut Option<State>,
    ) {
        let Some(checkpoint) = checkpoint else { return };
        match state {
            None => *state = Some(checkpoint.clone()),
            Some(state) if is_same(state, checkpoint) => {}
            Some(_) => {
                let path = log_folder.join(checkpoint_name(version));
                let text = "the checkpoint is not the state that the commits before it make";
                self.add(Severity::Error, "log.checkpoint", &path, text, CHECKPOINT);
            }
        }
    }

    /// Without the first commit some checkpoint must stand for those that are gone.
    fn start(&mut self, log_folder: &Path, listing: &Listing, checkpoints: &BTreeMap<u64, State>) {
        let first = listing.commits.first().copied().unwrap_or(u64::MAX);
        let begun = first == 0 || checkpoints.keys().any(|it| *it + 1 >= first);
        if !begun {
            self.whole = false;
            let path = log_folder.join(commit_name(0));
            let text = "the first commits are missing, and no checkpoint that can be read stands \
                        for them";
            self.add(Severity::Error, "log.gap", &path, text, COMMIT);
        }
    }

    /// `_last_checkpoint` only helps other readers to begin.
    fn hint(&mut self, log_folder: &Path, checkpoints: &BTreeMap<u64, State>) {
        let path = log_folder.join(LAST_CHECKPOINT_NAME);
        let bytes = match self.files().read(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(_) => {
                let text = "it cannot be read";
                self.add(Severity::Warning, "log.last_checkpoint", &path, text, HINT);
                return;
            }
        };
        let value: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let version = value.and_then(|it| it.get("version")?.as_u64());
        // a writer may have made the one it names since the folder was listed
        let is_there = |it: u64| {
            checkpoints.contains_key(&it) || read_checkpoint(self.files(), log_folder, it).is_ok()
        };
        if !version.is_some_and(is_there) {
            let text = "it names no checkpoint that can be read";
            self.add(Severity::Warning, "log.last_checkpoint", &path, text, HINT);
        }
    }

    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        path: &Path,
        text: &str,
        remedy: (Remedy, &str),
    ) {
        self.look.report.add(severity, rule, path, text, remedy);
    }
}

/// Whether a checkpoint that is there now stands for a commit.
fn covered(files: &dyn Files, log_folder: &Path, version: u64) -> Result<bool> {
    Ok(Listing::read(files, log_folder)?.checkpoints.last().is_some_and(|it| *it >= version))
}

fn is_same(state: &State, checkpoint: &State) -> bool {
    let txns = |it: &State| -> BTreeMap<String, i64> {
        it.txns.iter().map(|(app_id, txn)| (app_id.clone(), txn.version)).collect()
    };
    let files = |it: &State| -> BTreeMap<String, (u64, Option<String>)> {
        it.adds.iter().map(|(path, add)| (path.clone(), (add.size, add.stats.clone()))).collect()
    };
    let columns = |it: &State| it.metadata.as_ref().map(|it| it.schema_string.clone());
    txns(state) == txns(checkpoint)
        && files(state) == files(checkpoint)
        && columns(state) == columns(checkpoint)
        && state.protocol == checkpoint.protocol
}
