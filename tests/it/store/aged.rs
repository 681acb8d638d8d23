//! Stores with runs of many ages: made up from a number, with every kind of child; and what a
//! retention must leave of them, by a model that knows nothing of files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SeededIds, SystemIds};
use genstore::event::{
    AlertRow, ArtifactRow, BatchRow, Event, IssueRow, LlmCallRow, MetricRow, RunRow, RunStarted,
    ScoreRow, StepRow, Table, Text, TimeUs,
};
use genstore::journal::disk::Disk;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Age, Keeper, RetainOptions, Retained, Rules, Store};

use super::rows::{NOW_US, all_rows, contract, quiet};

pub(crate) const DAY_US: i64 = 86_400_000_000;

/// A run of an age, in days.
#[derive(Debug, Clone)]
pub(crate) struct Aged {
    pub(crate) number: u64,
    pub(crate) days: i64,
    pub(crate) batch: Option<&'static str>,
}

impl Aged {
    pub(crate) fn new(number: u64, days: i64) -> Self {
        Self { number, days, batch: None }
    }

    pub(crate) fn start_us(&self) -> i64 {
        NOW_US - self.days * DAY_US + i64::try_from(self.number).unwrap()
    }

    pub(crate) fn run_id(&self) -> Text {
        let ms = u64::try_from(self.start_us() / 1_000).unwrap();
        let random = self.number.to_be_bytes();
        let [a, b, c, d, e, f, g, h] = random;
        let id = uuid::Builder::from_unix_timestamp_millis(ms, &[0, 0, a, b, c, d, e, f, g, h]);
        Text::from(id.into_uuid().to_string())
    }

    pub(crate) fn begun(&self) -> Event {
        Event::RunStarted(RunStarted {
            run_id: self.run_id(),
            batch_id: self.batch.map(Text::from),
            start_time: TimeUs(self.start_us()),
            ..RunStarted::default()
        })
    }

    /// Rows of every table of children; a step, an issue and a score come an hour later.
    pub(crate) fn children(&self) -> Vec<Event> {
        let (run_id, time) = (self.run_id(), TimeUs(self.start_us()));
        let later = TimeUs(self.start_us() + 3_600_000_000);
        let step = |number: i64, start_time: TimeUs| StepRow {
            run_id: run_id.clone(),
            step_id: Text::from(format!("{number:016x}")),
            step_name: Text::from("render"),
            pipeline_name: Text::from("p"),
            result: Text::from("success"),
            start_time,
            duration_ns: 1_000,
            ..StepRow::default()
        };
        vec![
            step(1, time).into(),
            step(2, later).into(),
            IssueRow { run_id: run_id.clone(), time: later, ..IssueRow::default() }.into(),
            ScoreRow { run_id: run_id.clone(), time: later, ..ScoreRow::default() }.into(),
            MetricRow { run_id: Some(run_id.clone()), time, ..MetricRow::default() }.into(),
            ArtifactRow { run_id: run_id.clone(), ..ArtifactRow::default() }.into(),
            LlmCallRow { run_id, start_time: time, ..LlmCallRow::default() }.into(),
        ]
    }

    pub(crate) fn ended(&self) -> Event {
        Event::from(RunRow {
            run_id: self.run_id(),
            batch_id: self.batch.map(Text::from),
            result: Text::from("success"),
            start_time: TimeUs(self.start_us()),
            end_time: TimeUs(self.start_us() + 1_000),
            ..RunRow::default()
        })
    }

    pub(crate) fn whole(&self) -> Vec<Event> {
        let mut events = vec![self.begun()];
        events.extend(self.children());
        events.push(self.ended());
        events
    }
}

/// What belongs to no run, of an age.
pub(crate) fn others(days: i64) -> Vec<Event> {
    let time = TimeUs(NOW_US - days * DAY_US);
    let alert_id = Text::from(days.to_string());
    let batch_id = Text::from(format!("batch of {days}"));
    vec![
        MetricRow { name: Text::from(format!("process {days}")), time, ..MetricRow::default() }
            .into(),
        AlertRow { alert_id, time, ..AlertRow::default() }.into(),
        BatchRow { batch_id, start_time: time, ..BatchRow::default() }.into(),
        Event::Row(contract(&format!("digest {days}"))),
    ]
}

pub(crate) fn opened(path: &Path) -> Store {
    Store::open_at(path, quiet(), ManualClock::at(NOW_US), Arc::new(SeededIds::new(1 << 40)))
        .unwrap()
}

pub(crate) fn keeper(path: &Path) -> Keeper {
    Keeper::open(path, ManualClock::at(NOW_US), Arc::new(SystemIds)).unwrap()
}

pub(crate) fn keeper_on(disk: Arc<dyn Disk>, path: &Path) -> genstore::error::Result<Keeper> {
    Keeper::open_on(disk, path, ManualClock::at(NOW_US), Arc::new(SystemIds))
}

/// Rules of days: of runs, and of tables.
pub(crate) fn options(runs: Option<i64>, tables: &[(Table, i64)]) -> RetainOptions {
    let age = |days: i64| Age::parse(&format!("{days}d")).unwrap();
    let tables = tables.iter().map(|(table, days)| (Some(*table), age(*days)));
    let rules = Rules::new(runs.map(|it| (None, age(it))).into_iter().chain(tables)).unwrap();
    RetainOptions { rules, dry_run: false, all_of_it: false, reason: "a test".to_owned() }
}

/// Rows by table as a model says: those for which it is true, by the run and the age in days.
pub(crate) fn expected(
    before: &Snapshot,
    keeps: impl Fn(Table, &str) -> bool,
) -> BTreeMap<&'static str, Vec<String>> {
    let mut rows = all_rows(before);
    for table in Table::ALL {
        if let Some(rows) = rows.get_mut(table.name()) {
            rows.retain(|row| keeps(*table, row));
        }
    }
    rows
}

pub(crate) fn rows_removed(retained: &Retained, table: Table) -> u64 {
    retained.tables.iter().find(|it| it.table == table).unwrap().rows_removed
}
