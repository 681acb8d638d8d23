//! Retention: rows that are older than the rules of a store say are removed, to the row.
//!
//! ```text
//! runs:     which go? ─► files without them, durable ─► one commit
//! children: whose run is gone, is not open, and is old enough? ─► the same, table by table
//! ```
//!
//! `runs` goes first: so no reader sees a run without its children, and what a retention that died
//! leaves are children without their run, which the next one removes. All commits have one stamp. A
//! file whose rows all go is taken out unread, one whose rows all stay is not touched. The files
//! that were taken out stay for readers of an older version, until a vacuum.
//!
//! Contracts, batches, baselines, alerts and the sketches of `step_latency` stay, unless a rule
//! names their table.

mod due;
mod plan;
mod rules;
mod runs;
mod sieve;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use self::due::retain_if_due;
pub(super) use self::plan::time_of_id_us;
use self::plan::{Bounds, Cut, Fate};
pub(super) use self::rules::read as read_rules;
pub use self::rules::{Age, Rules};
use self::runs::Moment;
use self::sieve::{Counts, Sieve};
use super::delta::{self, Rewrite};
use super::flush::Writing;
use super::keeper::Keeper;
use super::layout::file_name_of;
use super::segment_writer::{self, SegmentWriter};
use super::snapshot::DataFile;
use super::tables::Tables;
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::event::Table;

/// Another machine would have to replace files this often while a retention is at work.
const ATTEMPTS_MAX: usize = 10;
/// Files that one commit takes out at most.
const COMMIT_FILES_MAX: usize = 1_000;
/// Bytes of the files that are written anew for one commit.
const COMMIT_BYTES_MAX: u64 = 1 << 30;

/// What to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainOptions {
    /// For how long rows are kept.
    pub rules: Rules,
    /// Only say what would be removed.
    pub dry_run: bool,
    /// Also if no run remains.
    pub all_of_it: bool,
    /// Why, for the log.
    pub reason: String,
}

/// What a retention has removed, or would remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retained {
    /// The tables that a rule is about, `runs` first.
    pub tables: Vec<RetainedTable>,
}

/// One table of a [`Retained`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedTable {
    /// The table.
    pub table: Table,
    /// Data files before.
    pub files: u64,
    /// Files that were taken out.
    pub files_removed: u64,
    /// Files that were written anew, without some of their rows.
    pub files_rewritten: u64,
    /// Rows that were removed.
    pub rows_removed: u64,
    /// By how much the table's files are smaller; of a dry run an estimate.
    pub bytes_removed: u64,
}

impl Keeper {
    /// Removes what is older than the rules say. Safe beside writers, readers and compactions; one
    /// that is broken off anywhere is simply done again.
    ///
    /// # Errors
    /// `Usage` without a rule; `Invalid` if no run would remain; `Unavailable` when another process
    /// rewrites files of the store for long, or this build must not; `Damaged` when a file that
    /// must be read cannot be.
    pub fn retain(&self, options: &RetainOptions) -> Result<Retained> {
        let _right = if options.dry_run { None } else { Some(self.rewriting_soon()?) };
        let retained = retain(&self.writing, options)?;
        if !options.dry_run {
            self.keep_logs();
        }
        Ok(retained)
    }

    /// The rules that the store holds.
    pub fn rules(&self) -> Result<Rules> {
        rules::read(&**self.writing.files(), &self.writing.layout)
    }

    /// Makes these the rules that the store holds; no rule at all takes them away.
    pub fn set_rules(&self, rules: &Rules) -> Result<()> {
        let Writing { layout, ids, .. } = &self.writing;
        rules::write(&**self.writing.files(), layout, &**ids, rules)
    }
}

/// What the rules would do to a table, as far as its log tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Files whose rows are all old: they go, unless they hold rows of pinned batches or open runs.
    pub files: u64,
    /// Their size.
    pub size_bytes: u64,
    /// Files that may hold old rows beside others.
    pub files_to_look_into: u64,
}

/// What the rules would do to a table, without reading its files; `None` if they do not touch it.
pub(super) fn expired(
    rules: &Rules,
    table: Table,
    files: &[DataFile],
    now_us: i64,
) -> Option<Expired> {
    let cut = Cut::new(rules, table, now_us)?;
    let mut expired = Expired::default();
    for file in files {
        match cut.fate(Bounds::of(file)) {
            Fate::Stays => {}
            Fate::Unclear => expired.files_to_look_into += 1,
            Fate::GoesUnlessHeld | Fate::GoesUnlessRecorded => {
                expired.files += 1;
                expired.size_bytes += file.size_bytes;
            }
        }
    }
    Some(expired)
}

/// For whoever has the right to rewrite files.
fn retain(writing: &Writing, options: &RetainOptions) -> Result<Retained> {
    if options.rules.is_empty() {
        return Err(Error::usage("there is no rule by which anything is old")
            .with_hint("Give one, such as `--keep 90d`, or let the store hold one with --set."));
    }
    let now_us = writing.clock.now_us();
    let cut = |table: Table| Some((table, Cut::new(&options.rules, table, now_us)?));
    let mut work = Work {
        writing,
        options,
        now_us,
        time_us: None,
        cuts: Tables::reading_order().filter_map(cut).collect(),
        done: BTreeMap::new(),
    };
    for (table, _) in &work.cuts {
        let mut log = writing.tables.log(*table)?;
        log.refresh()?;
        log.check_rewritable()?;
    }
    let moment = work.remove_runs()?;
    work.remove_others(moment)?;
    let order = work.cuts.iter().map(|(table, _)| *table);
    Ok(Retained { tables: order.filter_map(|it| work.done.remove(&it)).collect() })
}

struct Work<'w> {
    writing: &'w Writing,
    options: &'w RetainOptions,
    now_us: i64,
    /// The stamp of all commits.
    time_us: Option<i64>,
    cuts: Vec<(Table, Cut)>,
    done: BTreeMap<Table, RetainedTable>,
}

/// A file of which rows go.
struct Item<'m> {
    file: &'m DataFile,
    counts: Counts,
}

impl Item<'_> {
    fn goes_whole(&self) -> bool {
        self.counts.gone == self.counts.rows
    }

    fn bytes_removed(&self) -> u64 {
        let (Counts { rows, gone }, size) = (self.counts, self.file.size_bytes);
        let part = u128::from(size) * u128::from(gone) / u128::from(rows.max(1));
        u64::try_from(part).unwrap_or(size)
    }
}

impl Work<'_> {
    fn cut(&self, table: Table) -> Option<Cut> {
        self.cuts.iter().find(|it| it.0 == table).map(|it| it.1)
    }

    /// Removes runs, and looks at what is then there.
    fn remove_runs(&mut self) -> Result<Moment> {
        let Some(cut) = self.cut(Table::Runs) else { return Moment::now(self.writing) };
        for _ in 0..ATTEMPTS_MAX {
            let moment = Moment::now(self.writing)?;
            let files = moment.files(Table::Runs);
            let items = self.plan(Table::Runs, &cut, &moment, &files, None)?;
            self.check_rest(&moment, &files, &items)?;
            if self.options.dry_run {
                items.iter().for_each(|it| self.foretell(Table::Runs, it));
                return Ok(moment);
            }
            if self.remove(Table::Runs, &cut, &moment, &items)? {
                return Moment::now(self.writing);
            }
        }
        Err(self.too_late(Table::Runs))
    }

    /// Removes rows of all other tables.
    fn remove_others(&mut self, mut moment: Moment) -> Result<()> {
        let leaving = self.cut(Table::Runs).filter(|_| self.options.dry_run);
        for (table, cut) in self.cuts.clone() {
            if table == Table::Runs {
                continue;
            }
            let mut attempts = 0;
            loop {
                let files = moment.files(table);
                let items = self.plan(table, &cut, &moment, &files, leaving.as_ref())?;
                if self.options.dry_run {
                    items.iter().for_each(|it| self.foretell(table, it));
                    break;
                }
                if self.remove(table, &cut, &moment, &items)? {
                    break;
                }
                attempts += 1;
                if attempts == ATTEMPTS_MAX {
                    return Err(self.too_late(table));
                }
                moment = Moment::now(self.writing)?;
            }
        }
        Ok(())
    }

    /// The files of a table of which rows go.
    fn plan<'m>(
        &mut self,
        table: Table,
        cut: &Cut,
        moment: &'m Moment,
        files: &'m [DataFile],
        leaving: Option<&Cut>,
    ) -> Result<Vec<Item<'m>>> {
        let mut items = Vec::new();
        for file in files {
            let bounds = Bounds::of(file);
            let fate = cut.fate(bounds);
            if fate == Fate::Stays {
                continue;
            }
            let known = moment.known(file, cut, leaving)?;
            let goes = match fate {
                Fate::GoesUnlessHeld => !known.may_protect(bounds, false),
                Fate::GoesUnlessRecorded => !known.may_protect(bounds, true),
                Fate::Stays | Fate::Unclear => false,
            };
            let counts = match file.rows {
                Some(rows) if goes => Counts { rows, gone: rows },
                _ => Sieve { table, cut, known, file }.count(&moment.snapshot.source)?,
            };
            if counts.gone > 0 {
                items.push(Item { file, counts });
            }
        }
        let known = files.len() as u64;
        self.done.entry(table).or_insert_with(|| RetainedTable::new(table, known));
        Ok(items)
    }

    /// Refuses to remove all runs.
    fn check_rest(&self, moment: &Moment, files: &[DataFile], items: &[Item<'_>]) -> Result<()> {
        let hot = moment.snapshot.tables.get(&Table::Runs).map(|it| &it.hot);
        let hot: u64 = hot.into_iter().flatten().map(|it| it.num_rows() as u64).sum();
        let touched = |file: &DataFile| items.iter().find(|it| it.file.path == file.path);
        let rest: u64 = files
            .iter()
            .map(|file| match touched(file) {
                Some(it) => it.counts.rows - it.counts.gone,
                None => file.rows.unwrap_or(1),
            })
            .sum();
        let gone: u64 = items.iter().map(|it| it.counts.gone).sum();
        if gone == 0 || rest + hot > 0 || self.options.all_of_it {
            return Ok(());
        }
        let rules = &self.options.rules;
        Err(Error::invalid(format!("{rules} would remove {gone} of {gone} runs: all there are"))
            .with_hint("Nothing was removed. Keep them for longer, or say --all-of-it."))
    }

    /// Takes rows out of a table; `false` if another process has replaced one of its files.
    fn remove(
        &mut self,
        table: Table,
        cut: &Cut,
        moment: &Moment,
        items: &[Item<'_>],
    ) -> Result<bool> {
        let mut rest = items;
        while !rest.is_empty() {
            let (part, later) = rest.split_at(part_of(rest));
            if !self.remove_part(table, cut, moment, part)? {
                return Ok(false);
            }
            rest = later;
        }
        Ok(true)
    }

    fn remove_part(
        &mut self,
        table: Table,
        cut: &Cut,
        moment: &Moment,
        items: &[Item<'_>],
    ) -> Result<bool> {
        let writing = self.writing;
        let mut writer = SegmentWriter::new(writing, table);
        let mut rows_removed = 0;
        for Item { file, counts } in items {
            if counts.gone == counts.rows {
                rows_removed += counts.gone;
                continue;
            }
            let known = moment.known(file, cut, None)?;
            let sieve = Sieve { table, cut, known, file };
            rows_removed += sieve.rewrite(&moment.snapshot.source, &mut writer)?.gone;
        }
        let adds = writer.finish()?;
        let rewrite = Rewrite {
            operation: "DELETE",
            parameters: self.parameters(cut),
            metrics: Map::from_iter([(
                "numDeletedRows".to_owned(),
                Value::from(rows_removed.to_string()),
            )]),
            removes: items.iter().map(|it| file_name_of(&it.file.path)).collect(),
            adds,
            data_change: true,
            time_us: self.stamp()?,
        };
        let (files, ids) = (&**writing.files(), &*writing.ids);
        let is_done = delta::rewrite(files, ids, &mut *writing.tables.log(table)?, &rewrite)?;
        if !is_done {
            segment_writer::remove(writing, table, &rewrite.adds);
            return Ok(false);
        }
        if let Some(done) = self.done.get_mut(&table) {
            let whole = items.iter().filter(|it| it.goes_whole()).count() as u64;
            let before: u64 = items.iter().map(|it| it.file.size_bytes).sum();
            let after: u64 = rewrite.adds.iter().map(|it| it.size_bytes).sum();
            done.files_removed += whole;
            done.files_rewritten += items.len() as u64 - whole;
            done.rows_removed += rows_removed;
            done.bytes_removed += before.saturating_sub(after);
        }
        Ok(true)
    }

    fn foretell(&mut self, table: Table, item: &Item<'_>) {
        let Some(done) = self.done.get_mut(&table) else { return };
        done.files_removed += u64::from(item.goes_whole());
        done.files_rewritten += u64::from(!item.goes_whole());
        done.rows_removed += item.counts.gone;
        done.bytes_removed += item.bytes_removed();
    }

    fn stamp(&mut self) -> Result<i64> {
        match self.time_us {
            Some(time_us) => Ok(time_us),
            None => {
                let time_us = self.writing.tables.next_flush_time_us(self.now_us)?;
                Ok(*self.time_us.insert(time_us))
            }
        }
    }

    /// What the log says of a commit. Values are texts, as others write them.
    fn parameters(&self, cut: &Cut) -> Map<String, Value> {
        let before_us = cut.own_us().or_else(|| self.cut(Table::Runs)?.own_us());
        Map::from_iter([
            ("before".to_owned(), Value::from(before_us.map(rfc3339))),
            ("rules".to_owned(), Value::from(self.options.rules.to_string())),
            ("reason".to_owned(), Value::from(self.options.reason.clone())),
        ])
    }

    fn too_late(&self, table: Table) -> Error {
        let root = self.writing.layout.root().display();
        Error::unavailable(format!(
            "files of {} in {root} were replaced {ATTEMPTS_MAX} times while a retention looked at \
             them",
            table.name()
        ))
        .with_hint("What was removed is whole; run it again when less is being rewritten.")
    }
}

/// How many files go into one commit.
fn part_of(items: &[Item<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |it: &&Item<'_>| {
        bytes += if it.goes_whole() { 0 } else { it.file.size_bytes };
        bytes <= COMMIT_BYTES_MAX
    };
    items.iter().take(COMMIT_FILES_MAX).take_while(fits).count().max(1)
}

impl RetainedTable {
    fn new(table: Table, files: u64) -> Self {
        Self {
            table,
            files,
            files_removed: 0,
            files_rewritten: 0,
            rows_removed: 0,
            bytes_removed: 0,
        }
    }
}
