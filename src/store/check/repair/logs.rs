//! Logs of a repair: a flipped bit is set back, a commit is made anew from a journal, damaged
//! checkpoints are moved aside, and a commit that is lost is replaced by one that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Mend, is_damage, journals, rows_of};
use crate::error::{IoContext, Result};
use crate::event::{Row, Table};
use crate::journal::disk::read_whole;
use crate::store::check::data;
use crate::store::delta::{self, Action, Listing, State, read_checkpoint, read_commit};
use crate::store::layout::{LAST_CHECKPOINT_NAME, checkpoint_name, commit_name, delta_log};
use crate::store::segment;
use crate::store::tables::Tables;

/// A journal file, by app id and number.
type FileId = (String, u64);

/// The journal files whose rows a table holds.
#[derive(Debug, Default, Clone)]
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

/// One log, and what of it is lost.
struct Broken {
    table: Table,
    folder: PathBuf,
    newest: u64,
    held: Held,
    /// The commits that are to be mended.
    lost: Vec<u64>,
}

/// Which journal files count as flushed.
#[derive(Default)]
struct Flushed {
    runs: Held,
    /// The file that a lost last commit of `runs` must have carried, or may as well carry.
    due: Option<FileId>,
}

/// Mends each log. As in a flush, `runs` comes last: with its commit a file counts as flushed, and
/// until then a repair that is cut short has lost nothing.
pub(super) fn mend(mend: &mut Mend) -> Result<()> {
    let mut runs = look(mend, Table::Runs)?;
    let mut flushed = Flushed::default();
    if let Some(log) = &runs {
        flushed.runs = log.held.clone();
        if log.lost.last() == Some(&log.newest) {
            let path = log.folder.join(commit_name(log.newest));
            let damaged = read_whole(&path).unwrap_or_default();
            let origin = from_journal(mend, log, log.newest, &damaged, &flushed)?;
            flushed.due = origin.map(|it| (mend.writing.app_id(it.number), it.n));
        }
    }
    for table in Tables::children() {
        if let Some(mut log) = look(mend, table)? {
            commits(mend, &mut log, &flushed)?;
        }
    }
    match &mut runs {
        Some(log) => commits(mend, log, &flushed),
        None => Ok(()),
    }
}

/// Reads a log and mends what needs no rows: checkpoints, and single bits.
fn look(mend: &mut Mend, table: Table) -> Result<Option<Broken>> {
    let folder = delta_log(&mend.writing.layout.table(table));
    let listing = Listing::read(&**mend.writing.files(), &folder)?;
    let base = checkpoints(mend, &folder, &listing)?;
    let Some(newest) = listing.newest() else { return Ok(None) };
    let needed = base.as_ref().map_or(0, |(version, _)| version + 1);
    for version in listing.commits.range(..needed) {
        if read_commit(&**mend.writing.files(), &folder, *version).is_err_and(|it| is_damage(&it)) {
            let path = folder.join(commit_name(*version));
            mend.aside(&path, "a later checkpoint stands for it")?;
        }
    }
    let mut held = base.map(|(_, state)| held(&state)).unwrap_or_default();
    let mut lost = Vec::new();
    for version in needed..=newest {
        let path = folder.join(commit_name(version));
        let mut read = read_commit(&**mend.writing.files(), &folder, version);
        if read.as_ref().is_err_and(is_damage)
            && path.is_file()
            && let Some(whole) = delta::restored(&read_whole(&path).unwrap_or_default())
        {
            mend.replace(&path, &whole, "one flipped bit is set back")?;
            read = read_commit(&**mend.writing.files(), &folder, version);
        }
        match read {
            Ok(Some(actions)) => held.files.extend(numbers(&actions)),
            Err(error) if !is_damage(&error) => {} // of a newer build, or not readable at all
            _ if path.exists() && !path.is_file() => {} // a folder or a pipe: nobody knows whose
            _ => lost.push(version),
        }
    }
    Ok(Some(Broken { table, folder, newest, held, lost }))
}

fn commits(mend: &mut Mend, log: &mut Broken, flushed: &Flushed) -> Result<()> {
    for version in std::mem::take(&mut log.lost) {
        commit(mend, log, version, flushed)?;
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
        match read_checkpoint(&**mend.writing.files(), log_folder, *version) {
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
        let files = &**mend.writing.files();
        let named = version.and_then(|it| read_checkpoint(files, log_folder, it).ok().flatten());
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
fn commit(mend: &mut Mend, log: &mut Broken, version: u64, flushed: &Flushed) -> Result<()> {
    let (table, path) = (log.table, log.folder.join(commit_name(version)));
    let damaged = read_whole(&path).unwrap_or_default();
    if version == 0 {
        let bytes = delta::made(table, &*mend.writing.ids, mend.now_us)?;
        return mend.replace(&path, &bytes, "made anew: it holds no rows");
    }
    if let Some(origin) = from_journal(mend, log, version, &damaged, flushed)?
        && (table != Table::Runs || children(mend, &origin)?)
    {
        let (files, ids) = (&**mend.writing.files(), &*mend.writing.ids);
        let folder = mend.writing.layout.table(table);
        let rows: Vec<&Row> = origin.rows.iter().collect();
        let segment = match rows.is_empty() {
            true => None,
            false => Some(segment::write(files, ids, &folder, table, rows)?),
        };
        let (app_id, n) = (mend.writing.app_id(origin.number), origin.n);
        let bytes = delta::appended(&app_id, n, segment, mend.now_us)?;
        log.held.files.insert((app_id, n));
        return mend.replace(&path, &bytes, &format!("made anew from journal file {n}"));
    }
    if !mend.options.drop_damaged {
        return Ok(());
    }
    let (bytes, saved) = emptied(mend, log, &damaged, flushed)?;
    mend.replace(&path, &bytes, &format!("given up, but for {saved} data files that it names"))?;
    mend.lost(Some(table), (saved > 0).then_some(0), damaged.len() as u64);
    Ok(())
}

/// The commit in the place of one that is given up, and how many data files it keeps. A file of
/// rows that a journal has, too, is kept only with the number that tells so: else the next flush
/// doubles them. A number that was not flushed is kept only with its rows.
fn emptied(
    mend: &Mend,
    log: &Broken,
    damaged: &[u8],
    flushed: &Flushed,
) -> Result<(Vec<u8>, usize)> {
    let folder = mend.writing.layout.table(log.table);
    let source = mend.source();
    let is_whole =
        |it: &Action| it.add.as_ref().is_some_and(|add| data::is_as_added(&source, &folder, add));
    let saved = delta::readable(damaged);
    let adds: Vec<Action> = saved.iter().filter(|it| is_whole(it)).cloned().collect();
    let may_stay = |it: &Action| {
        let Some(txn) = &it.txn else { return false };
        let slot = txn.app_id.strip_prefix(&mend.writing.journal_root_id);
        let Some(slot) = slot.and_then(|it| it.strip_prefix('/')?.parse().ok()) else {
            return true; // of another tool
        };
        let n = u64::try_from(txn.version).unwrap_or(u64::MAX);
        let newest = flushed.runs.newest(&txn.app_id);
        let is_gone = || !mend.writing.layout.journal_file(slot, n).exists();
        match adds.is_empty() {
            true => n <= newest && is_gone(),
            false => n <= newest.saturating_add(1),
        }
    };
    let mut kept: Vec<Action> = saved.iter().filter(|it| may_stay(it)).cloned().collect();
    let mut is_held = !kept.is_empty();
    if !is_held {
        let is_in = |(number, n): (u32, u64)| log.held.has(&mend.writing.app_id(number), n);
        is_held = mend.journal_files()?.into_iter().all(is_in);
    }
    let adds = if is_held { adds } else { Vec::new() };
    let count = adds.len();
    kept.extend(adds);
    Ok((delta::given_up(kept, mend.now_us)?, count))
}

/// Brings a file into all other tables, before `runs` says that they hold it; `false` if one of
/// them cannot take it.
fn children(mend: &mut Mend, origin: &Origin) -> Result<bool> {
    mend.forget_logs();
    let files = mend.journal_files()?;
    // in order: a table that has a file takes none before it
    for file in files.into_iter().filter(|it| it.0 == origin.number && it.1 <= origin.n) {
        let brought = journals::bring(mend, file, Tables::children())?;
        if !brought && file.1 == origin.n {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The journal file of a lost commit.
struct Origin {
    number: u32,
    n: u64,
    rows: Vec<Row>,
}

/// The journal file that a lost commit must have carried; with its rows. That is one which counts
/// as flushed and is not in the table; or the one that was being flushed, where the damaged bytes
/// still name it, or the commit is the last, so that nothing of it is needed that the journals do
/// not bring.
fn from_journal(
    mend: &Mend,
    log: &Broken,
    version: u64,
    damaged: &[u8],
    flushed: &Flushed,
) -> Result<Option<Origin>> {
    let damaged = String::from_utf8_lossy(damaged);
    for (number, n) in mend.journal_files()? {
        let app_id = mend.writing.app_id(number);
        if log.held.has(&app_id, n) {
            continue;
        }
        let newest = flushed.runs.newest(&app_id);
        if n > newest {
            let next = n == newest.max(log.held.newest(&app_id)) + 1;
            let named = damaged.contains(&app_id) && damaged.contains(&format!("\"version\":{n}"));
            let due = log.table == Table::Runs
                || flushed.due.as_ref().is_some_and(|it| *it == (app_id, n));
            if !next || !(named || due && version == log.newest) {
                continue;
            }
        }
        let Some(events) = mend.events((number, n)) else { continue };
        let rows = rows_of(log.table, events)?;
        if !rows.is_empty() || log.table == Table::Runs {
            return Ok(Some(Origin { number, n, rows }));
        }
    }
    Ok(None)
}
