//! Which rows go, and which files need a look for it: pure. Reads no file and no clock.
//!
//! A row goes by one of two rules. The rule of runs takes runs, and then what belongs to runs that
//! are gone; so it looks for children whose run is not recorded, which is also what a retention
//! that died has left. The rule of a table takes that table's rows alone. No rule touches what
//! belongs to a run that is being written, or to a pinned batch.

use uuid::Uuid;

use super::rules::Rules;
use crate::event::{Table, Text};
use crate::store::snapshot::DataFile;

/// Tables whose rows belong to runs and go with them.
pub(super) const RUN_CHILDREN: [Table; 6] =
    [Table::Steps, Table::Issues, Table::Scores, Table::Metrics, Table::Artifacts, Table::LlmCalls];

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// What is known of the run that a row belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is being written, or its batch is pinned: nothing of it goes.
    Held,
    /// It has a row in `runs`.
    Recorded,
    /// It has none.
    Missing,
}

/// A row, as far as a rule asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts<'r> {
    pub(super) run_id: Option<&'r str>,
    pub(super) batch_id: Option<&'r str>,
    /// Its `start_time`, `time` or `hour`; 0 stands for a time that nobody gave.
    pub(super) time_us: Option<i64>,
}

/// What the log says of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'f> {
    pub(super) run_ids: Option<&'f (Text, Text)>,
    pub(super) times_us: Option<(i64, i64)>,
    pub(super) committed_us: i64,
}

impl<'f> Bounds<'f> {
    /// The bounds of a data file.
    pub(super) fn of(file: &'f DataFile) -> Self {
        let committed_us = file.committed_ms.saturating_mul(1_000);
        Self { run_ids: file.run_ids.as_ref(), times_us: file.times_us, committed_us }
    }
}

/// What follows for a file from its bounds alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// No row of it goes.
    Stays,
    /// Every row of it goes, but for those of runs and batches that are held.
    GoesUnlessHeld,
    /// Every row of it goes, but for those of runs that are recorded or held.
    GoesUnlessRecorded,
    /// Its rows tell.
    Unclear,
}

/// The rules of one table at one moment: what is older than these times goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    table: Table,
    /// By the age of the row.
    own_us: Option<i64>,
    /// Of rows that belong to no run, by the rule of runs.
    process_us: Option<i64>,
    /// By the age of the run, which is gone.
    orphans_us: Option<i64>,
}

impl Cut {
    /// What the rules ask of a table; `None` if they do not touch it.
    pub(super) fn new(rules: &Rules, table: Table, now_us: i64) -> Option<Self> {
        let before = |age_us: i64| now_us.saturating_sub(age_us);
        let runs = rules.runs_us();
        let is_child = RUN_CHILDREN.contains(&table);
        let own = if table == Table::Runs { runs } else { rules.table_us(table) };
        // an hour of sketches goes when its last minute is old enough
        let whole = if table == Table::StepLatency { HOUR_US } else { 0 };
        let cut = Self {
            table,
            own_us: own.map(|it| before(it).saturating_sub(whole)),
            process_us: runs.filter(|_| table == Table::Metrics).map(before),
            // An id is made a moment before or after its run's start, and children come later: so
            // a little younger is old enough, where the run is gone.
            orphans_us: runs
                .filter(|_| is_child)
                .map(|it| before(it).saturating_add(DAY_US.min(it / 2))),
        };
        let touches = cut.own_us.is_some() || cut.orphans_us.is_some();
        touches.then_some(cut)
    }

    /// The time before which a row of the table is old by its own age.
    pub(super) fn own_us(&self) -> Option<i64> {
        self.own_us
    }

    /// Whether rows of the table belong to runs.
    pub(super) fn is_of_children(&self) -> bool {
        RUN_CHILDREN.contains(&self.table)
    }

    /// Whether rows of the table say themselves whether their batch is pinned. Children go with
    /// their runs.
    pub(super) fn asks_for_batches(&self) -> bool {
        matches!(self.table, Table::Runs | Table::Batches)
    }

    /// Whether it makes a difference which runs are recorded.
    pub(super) fn asks_for_runs(&self) -> bool {
        self.orphans_us.is_some()
    }

    /// Whether a row goes that was committed, at the latest, at a time.
    pub(super) fn goes(&self, row: Facts<'_>, standing: Standing, committed_us: i64) -> bool {
        let time_us = row.time_us.filter(|it| *it > 0);
        let id_us = row.run_id.and_then(time_of_id_us);
        let own_us = time_us.or(id_us).unwrap_or(committed_us);
        let is_old = |age_us: i64, cut: Option<i64>| cut.is_some_and(|cut| age_us < cut);
        match standing {
            Standing::Held => false,
            Standing::Recorded => is_old(own_us, self.own_us),
            Standing::Missing if row.run_id.is_none() => {
                is_old(own_us, self.own_us) || is_old(own_us, self.process_us)
            }
            Standing::Missing => {
                let gone = || id_us.or(time_us).is_none_or(|it| is_old(it, self.orphans_us));
                is_old(own_us, self.own_us) || (self.orphans_us.is_some() && gone())
            }
        }
    }

    /// What the bounds of a file say. An id between two of version 7 counts as one.
    pub(super) fn fate(&self, file: Bounds<'_>) -> Fate {
        let times_us = file.times_us.filter(|(first, _)| *first > 0);
        let ids_us = file
            .run_ids
            .and_then(|(first, last)| Some((time_of_id_us(first)?, time_of_id_us(last)?)));
        let has_times = self.table != Table::Artifacts;
        let own_us = if has_times { times_us } else { ids_us };
        let may = |bounds: Option<(i64, i64)>, cut: Option<i64>| {
            cut.is_some_and(|cut| bounds.is_none_or(|(first, _)| first < cut))
        };
        let must = |bounds: Option<(i64, i64)>, cut: Option<i64>| {
            cut.zip(bounds).is_some_and(|(cut, (_, last))| last < cut)
        };
        let is_mixed = self.process_us.is_some();
        if must(own_us, self.own_us) {
            Fate::GoesUnlessHeld
        } else if must(ids_us, self.orphans_us)
            && (!has_times || must(times_us, self.process_us.or(self.orphans_us)))
        {
            Fate::GoesUnlessRecorded
        } else if may(own_us, self.own_us)
            || may(ids_us, self.orphans_us)
            || (is_mixed && may(times_us, self.process_us))
        {
            Fate::Unclear
        } else {
            Fate::Stays
        }
    }
}

/// The name of a table's column of times, by which its rows have an age.
pub(super) fn time_column(table: Table) -> Option<&'static str> {
    const NAMES: [&str; 3] = ["start_time", "time", "hour"];
    let has = |name: &&&str| table.columns().iter().any(|it| it.name == **name);
    NAMES.iter().find(has).copied()
}

/// When an id was made, if it is one of version 7.
pub(in crate::store) fn time_of_id_us(id: &str) -> Option<i64> {
    let uuid = Uuid::try_parse(id).ok().filter(|it| it.get_version_num() == 7)?;
    let (seconds, nanos) = uuid.get_timestamp()?.to_unix();
    let us = i64::try_from(seconds).ok()?.checked_mul(1_000_000)?;
    us.checked_add(i64::from(nanos / 1_000))
}

#[cfg(test)]
mod tests;
