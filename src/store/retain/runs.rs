//! Which runs there are: those that are being written, those of pinned batches, and those that
//! `runs` holds, as far as someone asks for a range of ids. Changes nothing.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};

use super::plan::{Bounds, Cut, Facts, Standing};
use crate::error::{Error, Result};
use crate::event::{Table, Text};
use crate::store::data_file::{each_batch, texts, times};
use crate::store::flush::Writing;
use crate::store::index::run_number;
use crate::store::layout::Layout;
use crate::store::lookup::may_hold_runs;
use crate::store::pins;
use crate::store::slot;
use crate::store::snapshot::{DataFile, Snapshot};
use crate::store::status::open_runs;
use crate::store::tails::{Tails, is_vanished};
use crate::store::view::{self, Reading};

/// Ids that are held in memory for files to come: 64 MB.
const IDS_KEPT_MAX: usize = 4 << 20;
/// A journal would have to move on this often while it is looked at.
const LOOKS_MAX: usize = 100;

/// All tables, and who must not be touched, at one moment.
pub(super) struct Moment {
    pub(super) snapshot: Snapshot,
    open: BTreeSet<Text>,
    pinned: HashSet<Text>,
    ids: RefCell<HashMap<PathBuf, Arc<Ids>>>,
}

/// Runs of one file of `runs`, and whether their batch is pinned.
#[derive(Debug, Default)]
struct Ids {
    numbers: Vec<(u128, bool)>,
    others: HashMap<Text, bool>,
}

/// The runs that a data file may hold rows of.
pub(super) struct Known<'m> {
    moment: &'m Moment,
    recorded: Vec<Arc<Ids>>,
    /// The rows themselves say whether their batch is pinned.
    by_batch: bool,
}

impl Moment {
    /// Looks at a store. The runs that are open are read first: one that has ended since has its
    /// row in what is read after.
    pub(super) fn now(writing: &Writing) -> Result<Self> {
        let (layout, tables) = (&writing.layout, &*writing.tables);
        let open = all_open(layout)?;
        let (store_id, tails) = (&*writing.identity.store_id, Tails::default());
        let journal_root_id = Some(&*writing.journal_root_id);
        let reading =
            Reading { layout, tables, store_id, journal_root_id, own: None, tails: &tails };
        let snapshot = view::snapshot(reading)?;
        if let Some(damage) = snapshot.tables.values().find_map(|it| it.damage.as_ref()) {
            return Err(damage.again());
        }
        let pinned = pins::pinned(&snapshot)?.into_iter().map(|it| it.batch_id).collect();
        Ok(Self { snapshot, open, pinned, ids: RefCell::default() })
    }

    fn has_pins(&self) -> bool {
        !self.pinned.is_empty()
    }

    fn is_pinned(&self, batch_id: Option<&str>) -> bool {
        batch_id.is_some_and(|it| self.pinned.contains(it))
    }

    /// The data files of a table.
    pub(super) fn files(&self, table: Table) -> Arc<Vec<DataFile>> {
        self.snapshot.tables.get(&table).map(|it| Arc::clone(&it.files)).unwrap_or_default()
    }

    /// Whose rows a file may hold. `leaving` is the rule by which runs are about to go that `runs`
    /// still has.
    pub(super) fn known(
        &self,
        file: &DataFile,
        cut: &Cut,
        leaving: Option<&Cut>,
    ) -> Result<Known<'_>> {
        let mut recorded = Vec::new();
        if cut.is_of_children() && (cut.asks_for_runs() || self.has_pins()) {
            let (first, last) = match &file.run_ids {
                Some((first, last)) => (first.as_str(), last.as_str()),
                None => ("", "\u{10ffff}"),
            };
            for of_runs in self.files(Table::Runs).iter() {
                if may_hold_runs(of_runs, first, last) {
                    recorded.push(self.ids(of_runs, leaving)?);
                }
            }
            let mut hot = Ids::default();
            let batches = self.snapshot.tables.get(&Table::Runs).map(|it| &it.hot);
            batches.into_iter().flatten().for_each(|it| hot.add(self, it, None, i64::MAX));
            recorded.push(Arc::new(hot.sorted()));
        }
        Ok(Known { moment: self, recorded, by_batch: cut.asks_for_batches() && self.has_pins() })
    }

    fn ids(&self, file: &DataFile, leaving: Option<&Cut>) -> Result<Arc<Ids>> {
        if let Some(known) = self.ids.borrow().get(&file.path) {
            return Ok(Arc::clone(known));
        }
        let mut names = vec!["run_id"];
        if self.has_pins() || leaving.is_some() {
            names.extend(["batch_id", "start_time"]);
        }
        let mut ids = Ids::default();
        each_batch(&self.snapshot.source, file, &names, |batch| {
            ids.add(self, &batch, leaving, Bounds::of(file).committed_us);
        })?;
        let ids = Arc::new(ids.sorted());
        let mut kept = self.ids.borrow_mut();
        if kept.values().map(|it| it.len()).sum::<usize>() + ids.len() > IDS_KEPT_MAX {
            kept.clear();
        }
        kept.insert(file.path.clone(), Arc::clone(&ids));
        Ok(ids)
    }
}

impl Ids {
    fn add(&mut self, moment: &Moment, batch: &RecordBatch, leaving: Option<&Cut>, added_us: i64) {
        let Some(ids) = texts(batch, "run_id") else { return };
        let (batches, starts) = (texts(batch, "batch_id"), times(batch, "start_time"));
        for row in (0..ids.len()).filter(|row| ids.is_valid(*row)) {
            let id = ids.value(row);
            let batch_id = batches.filter(|it| it.is_valid(row)).map(|it| it.value(row));
            let is_pinned = moment.is_pinned(batch_id);
            let time_us = starts.filter(|it| it.is_valid(row)).map(|it| it.value(row));
            let facts = Facts { run_id: Some(id), batch_id, time_us };
            let leaves = |cut: &Cut| cut.goes(facts, Standing::Recorded, added_us);
            if !is_pinned && leaving.is_some_and(leaves) {
                continue;
            }
            match run_number(id) {
                Some(number) => self.numbers.push((number, is_pinned)),
                None => drop(self.others.insert(Text::from(id), is_pinned)),
            }
        }
    }

    fn sorted(mut self) -> Self {
        self.numbers.sort_unstable();
        self
    }

    fn len(&self) -> usize {
        self.numbers.len() + self.others.len()
    }

    /// Whether a run is here, and pinned.
    fn get(&self, id: &str) -> Option<bool> {
        let Some(number) = run_number(id) else { return self.others.get(id).copied() };
        let at = self.numbers.partition_point(|it| it.0 < number);
        self.numbers.get(at).filter(|it| it.0 == number).map(|it| it.1)
    }

    /// Whether it holds a run between two; where that is hard to say, it does.
    fn may_hold(&self, first: &str, last: &str, pinned_only: bool) -> bool {
        let is_asked = |pinned: bool| pinned || !pinned_only;
        let (Some(first), Some(last)) = (run_number(first), run_number(last)) else {
            return self.len() > 0;
        };
        let at = self.numbers.partition_point(|it| it.0 < first);
        let within = self.numbers.get(at..).unwrap_or_default();
        within.iter().take_while(|it| it.0 <= last).any(|it| is_asked(it.1))
            || self.others.values().any(|it| is_asked(*it))
    }
}

impl Known<'_> {
    /// What is known of the run of a row.
    pub(super) fn standing(&self, row: Facts<'_>) -> Standing {
        let moment = self.moment;
        let Some(id) = row.run_id else {
            let held = moment.is_pinned(row.batch_id);
            return if held { Standing::Held } else { Standing::Missing };
        };
        if moment.is_pinned(row.batch_id) || moment.open.contains(id) {
            return Standing::Held;
        }
        match self.recorded.iter().find_map(|it| it.get(id)) {
            Some(true) => Standing::Held,
            Some(false) => Standing::Recorded,
            None => Standing::Missing,
        }
    }

    /// Whether a file of these bounds may hold rows of runs that are held; or, where they protect
    /// theirs too, of runs that are recorded.
    pub(super) fn may_protect(&self, bounds: Bounds<'_>, recorded_too: bool) -> bool {
        if self.by_batch {
            return true;
        }
        let Some((first, last)) = bounds.run_ids else {
            return !self.moment.open.is_empty() || self.recorded.iter().any(|it| it.len() > 0);
        };
        let range = (Bound::Included(first.clone()), Bound::Included(last.clone()));
        self.moment.open.range(range).next().is_some()
            || self.recorded.iter().any(|it| it.may_hold(first, last, !recorded_too))
    }
}

/// The runs that have begun and not ended, of all slots: those of dead writers, too, which are
/// ended when they are recovered.
fn all_open(layout: &Layout) -> Result<BTreeSet<Text>> {
    let mut open = BTreeSet::new();
    for number in slot::list(layout)? {
        for look in 0.. {
            let Some(n) = slot::files(layout, number)?.last().copied() else { break };
            match open_runs(&layout.journal_file(number, n)) {
                Ok(found) => {
                    open.extend(found.into_iter().map(|it| it.run_id));
                    break;
                }
                // its rows are in the tables, and a newer one may be there
                Err(error) if is_vanished(&error) && look < LOOKS_MAX => {}
                Err(error) => {
                    let message = format!(
                        "which runs of slot {number} are open cannot be read: {}",
                        error.in_one_line()
                    );
                    return Err(Error::new(error.kind(), message).with_hint(
                        "Nothing was removed. `genstore store check` says what is wrong.",
                    ));
                }
            }
        }
    }
    Ok(open)
}
