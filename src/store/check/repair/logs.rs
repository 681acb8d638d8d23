//! Logs of a repair: a flipped bit is set back, a commit is made anew from a journal, damaged
//! checkpoints are moved aside, and a commit that is lost is replaced by one that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::journals::flushed;
use super::{Mend, is_damage, rows_of};
use crate::error::{IoContext, Result};
use crate::event::{Row, Table};
use crate::journal::disk::read_whole;
use crate::store::check::data;
use crate::store::delta::{self, Action, Listing, State, read_checkpoint, read_commit};
use crate::store::layout::{LAST_CHECKPOINT_NAME, checkpoint_name, commit_name, delta_log};
use crate::store::segment;

/// A journal file, by app id and number.
type FileId = (String, u64);

/// The journal files whose rows a table holds.
#[derive(Debug, Default)]
struct Held {
    files: BTreeSet<FileId>,
    /// By app id, the file up to which a checkpoint stands for all.
    before: BTreeMap<String, u64>,
}

impl Held {
    fn has(&self, app_id: &str, n: u64) -> bool {
        self.before.get(app_id).is_some_and(|it| n <= *it)
            || self.files.contains(&(app_id.to_owned(), n))
    }

    fn newest(&self, app_id: &str) -> u64 {
        let files = self.files.iter().filter(|it| it.0 == app_id).map(|it| it.1);
        files.chain(self.before.get(app_id).copied()).max().unwrap_or(0)
    }
}

/// Mends each log.
pub(super) fn mend(mend: &mut Mend) -> Result<()> {
    for table in Table::ALL {
        let log_folder = delta_log(&mend.writing.layout.table(*table));
        let listing = Listing::read(&log_folder)?;
        let base = checkpoints(mend, &log_folder, &listing)?;
        let Some(newest) = listing.newest() else { continue };
        let needed = base.as_ref().map_or(0, |(version, _)| version + 1);
        for version in listing.commits.range(..needed) {
            if read_commit(&log_folder, *version).is_err_and(|it| is_damage(&it)) {
                let path = log_folder.join(commit_name(*version));
                mend.aside(&path, "a later checkpoint stands for it")?;
            }
        }
        let mut held = base.map(|(_, state)| held(&state)).unwrap_or_default();
        let mut damaged = Vec::new();
        for version in needed..=newest {
            match read_commit(&log_folder, version) {
                Ok(Some(actions)) => held.files.extend(numbers(&actions)),
                Ok(None) => damaged.push(version),
                Err(error) if is_damage(&error) => damaged.push(version),
                Err(_) => {} // of a newer build, or not readable at all: not ours to mend
            }
        }
        for version in damaged {
            commit(mend, *table, &log_folder, version, &mut held)?;
        }
    }
    Ok(())
}

/// Moves damaged checkpoints aside where others stand for them; gives the newest whole one.
fn checkpoints(
    mend: &mut Mend,
    log_folder: &Path,
    listing: &Listing,
) -> Result<Option<(u64, State)>> {
    let (mut base, mut damaged) = (None, Vec::new());
    for version in &listing.checkpoints {
        match read_checkpoint(log_folder, *version) {
            Ok(Some(actions)) => {
                let mut state = State::default();
                state.apply(actions);
                base = Some((*version, state));
            }
            Err(error) if is_damage(&error) => damaged.push(*version),
            _ => {}
        }
    }
    let first = listing.commits.first().copied();
    let reachable = first == Some(0)
        || base.as_ref().is_some_and(|(version, _)| first.is_none_or(|it| it <= version + 1));
    for version in damaged {
        if reachable {
            let path = log_folder.join(checkpoint_name(version));
            mend.aside(&path, "the commits stand for it; the next writer makes another")?;
        }
    }
    let hint = log_folder.join(LAST_CHECKPOINT_NAME);
    if hint.try_exists().context("look for", &hint)? {
        let value = read_whole(&hint).ok();
        let value: Option<serde_json::Value> =
            value.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let version = value.and_then(|it| it.get("version")?.as_u64());
        let named = version.and_then(|it| read_checkpoint(log_folder, it).ok().flatten());
        if named.is_none() {
            mend.aside(&hint, "no reader needs it")?;
        }
    }
    Ok(base)
}

fn held(state: &State) -> Held {
    let txns = state.txns.values();
    let before = txns.filter_map(|it| Some((it.app_id.clone(), u64::try_from(it.version).ok()?)));
    Held { before: before.collect(), ..Held::default() }
}

fn numbers(actions: &[Action]) -> impl Iterator<Item = FileId> + '_ {
    let txns = actions.iter().filter_map(|it| it.txn.as_ref());
    txns.filter_map(|it| Some((it.app_id.clone(), u64::try_from(it.version).ok()?)))
}

/// Mends one commit, if it can be.
fn commit(
    mend: &mut Mend,
    table: Table,
    log_folder: &Path,
    version: u64,
    held: &mut Held,
) -> Result<()> {
    let path = log_folder.join(commit_name(version));
    let damaged = read_whole(&path).unwrap_or_default();
    if path.exists() && !path.is_file() {
        return Ok(()); // a folder or a pipe: nobody knows whose
    }
    if let Some(whole) = delta::restored(&damaged) {
        mend.replace(&path, &whole, "one flipped bit is set back")?;
        if let Ok(Some(actions)) = read_commit(log_folder, version) {
            held.files.extend(numbers(&actions));
        }
        return Ok(());
    }
    if version == 0 {
        let bytes = delta::made(table, &*mend.writing.ids, mend.now_us)?;
        return mend.replace(&path, &bytes, "made anew: it holds no rows");
    }
    if let Some((app_id, n, rows)) = from_journal(mend, table, held, &damaged)? {
        let (disk, ids) = (&*mend.writing.disk, &*mend.writing.ids);
        let folder = mend.writing.layout.table(table);
        let rows: Vec<&Row> = rows.iter().collect();
        let segment = match rows.is_empty() {
            true => None,
            false => Some(segment::write(disk, ids, &folder, table, rows)?),
        };
        let bytes = delta::appended(&app_id, n, segment, mend.now_us)?;
        held.files.insert((app_id, n));
        return mend.replace(&path, &bytes, &format!("made anew from journal file {n}"));
    }
    if !mend.options.drop_damaged {
        return Ok(());
    }
    let folder = mend.writing.layout.table(table);
    let is_whole = |it: &Action| it.add.as_ref().is_some_and(|add| data::is_as_added(&folder, add));
    let (bytes, saved) = delta::emptied(&damaged, is_whole, mend.now_us)?;
    mend.replace(&path, &bytes, &format!("given up, but for {saved} data files that it names"))?;
    mend.lost(Some(table), (saved > 0).then_some(0), damaged.len() as u64);
    Ok(())
}

/// The journal file that a lost commit must have carried; with its rows. That is one which counts
/// as flushed and is not in the table; or the one that was being flushed, where the damaged bytes
/// still name it, or no other is possible.
fn from_journal(
    mend: &Mend,
    table: Table,
    held: &Held,
    damaged: &[u8],
) -> Result<Option<(String, u64, Vec<Row>)>> {
    let damaged = String::from_utf8_lossy(damaged);
    for (number, n) in mend.journal_files()? {
        let app_id = mend.writing.app_id(number);
        if held.has(&app_id, n) {
            continue;
        }
        let named = damaged.contains(&app_id) && damaged.contains(&format!("\"version\":{n}"));
        let next = table == Table::Runs && n == held.newest(&app_id) + 1;
        if n > flushed(mend, number) && !named && !next {
            continue;
        }
        let Some(events) = mend.events((number, n)) else { continue };
        let rows = rows_of(table, events)?;
        if !rows.is_empty() || table == Table::Runs {
            return Ok(Some((app_id, n, rows)));
        }
    }
    Ok(None)
}
