//! Rows of every table with everything that a text format must quote, stores that hold them,
//! exports, and imports. Checks nothing itself.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::Result;
use genstore::event::{Cell, ColumnType, Event, Row, Table};
use genstore::export::{FileFormat, Request, profile};
use genstore::import::{ImportedTable, Limits, Report, Request as ImportRequest, Target, import};
use genstore::store::load::LoadOptions;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Location, Store, StoreOptions};

use crate::dice::Dice;
use crate::export::fixture as exports;
use crate::store::rows::{NOW_US, all_rows, open, quiet, rows, run_id};

/// Texts that a careless format loses, or takes for something else.
const TEXTS: [&str; 12] = [
    "",
    "plain",
    "a \"b\", c",
    "two\r\nlines\n",
    "NULL",
    "null",
    " blanks ",
    "é 漢 🦀",
    "12",
    "true",
    "\u{1}\t\\",
    "{\"json\": [1]}",
];
const FLOATS: [f64; 8] = [0.0, -0.0, 0.1, 1.0 / 3.0, 5e-324, f64::MAX, -189.999_1, 1e21];
const INTS: [i64; 5] = [0, -1, i64::MAX, i64::MIN, 1_790_000_000_000_001];
const TIMES_US: [i64; 4] = [0, -1, NOW_US + 1, 253_402_300_799_999_999];

/// Rows of every table for some runs, the same for the same seed.
pub(crate) fn events(runs: i64, seed: u64) -> Vec<Event> {
    let mut dice = Dice::new(seed);
    let mut events = Vec::new();
    for run in 0..runs {
        for table in Table::ALL.iter().filter(|it| **it != Table::StepLatency) {
            let rows = if *table == Table::Steps { 3 } else { 1 };
            for n in 0..rows {
                events.push(Event::Row(row(*table, run, n, &mut dice)));
            }
        }
    }
    events
}

fn row(table: Table, run: i64, n: i64, dice: &mut Dice) -> Row {
    let (run, step) = (run_id(run).to_string(), format!("{n:016x}"));
    let mut pick = |length: usize| usize::try_from(dice.below(length as u64)).unwrap();
    let cells: Vec<Cell<'_>> = table
        .columns()
        .iter()
        .map(|column| match (column.name, column.kind) {
            ("run_id" | "contract_digest", _) => Cell::Text(&run),
            ("batch_id", _) if table == Table::Batches => Cell::Text(&run),
            ("step_id", _) if table == Table::Steps => Cell::Text(&step),
            ("duration_ns", _) => Cell::Int(i64::try_from(pick(1_000_000)).unwrap()),
            _ if column.nullable && pick(3) == 0 => Cell::Null,
            (_, ColumnType::Text) => Cell::Text(TEXTS[pick(TEXTS.len())]),
            (_, ColumnType::Int) => Cell::Int(INTS[pick(INTS.len())]),
            (_, ColumnType::Float) => Cell::Float(FLOATS[pick(FLOATS.len())]),
            (_, ColumnType::Bool) => Cell::Bool(pick(2) == 0),
            (_, ColumnType::Time) => Cell::Time(TIMES_US[pick(TIMES_US.len())]),
            (_, ColumnType::Binary) => Cell::Binary(b"\x00\xff\"\n"),
        })
        .collect();
    Row::of(table, |index| cells[index]).unwrap()
}

/// A store at `path` with these events, in two flushes.
pub(crate) fn fill(path: &Path, events: &[Event]) {
    let store = open(path, quiet()).unwrap();
    for half in events.chunks(events.len().div_ceil(2).max(1)) {
        store.commit_blocking(half.to_vec()).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
}

pub(super) fn snapshot(path: &Path) -> Snapshot {
    Store::open_read_only(path).unwrap().snapshot().unwrap()
}

/// All rows of all tables, the sketches too, sorted as text.
pub(super) fn everything(path: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let snapshot = snapshot(path);
    let mut all = all_rows(&snapshot);
    all.insert("step_latency", rows(&snapshot, Table::StepLatency));
    all
}

/// Rows per table.
pub(super) fn counts(path: &Path) -> BTreeMap<Table, u64> {
    snapshot(path).tables.into_iter().map(|(table, it)| (table, it.rows())).collect()
}

pub(super) fn export(store: &Path, to: &Path, format: FileFormat) {
    let profile = profile(format.as_str()).unwrap();
    let request = Request { profile, rows_per_file: 40, ..exports::request(store, to) };
    exports::run(store, &request).unwrap();
}

/// A request whose chunks are small, so that there are several.
pub(super) fn request(target: Target) -> ImportRequest {
    ImportRequest {
        target,
        format: None,
        ignore_unknown: false,
        dry_run: false,
        limits: Limits { batch_rows: 7, ..Limits::default() },
        load: LoadOptions { chunk_rows_max: 20, ..LoadOptions::default() },
        store: StoreOptions::default(),
    }
}

pub(super) fn folder(path: &Path) -> ImportRequest {
    request(Target::Folder(path.to_path_buf()))
}

pub(super) fn files(table: Table, paths: &[&Path]) -> ImportRequest {
    request(Target::Table(table, paths.iter().map(|it| it.to_path_buf()).collect()))
}

pub(super) fn run(store: &Path, request: &ImportRequest) -> Result<Report> {
    let clock = ManualClock::at(NOW_US);
    import(&Location::from(store), request, clock, Arc::new(SystemIds), &mut |_| {
        ControlFlow::Continue(())
    })
}

/// Message and hint, without the folder.
pub(super) fn refused(store: &Path, request: &ImportRequest, folder: &Path) -> (String, String) {
    let error = run(store, request).unwrap_err();
    let bare = |text: &str| text.replace(&format!("{}/", folder.display()), "");
    (bare(error.message()), bare(error.hint().unwrap()))
}

/// What became of the files of a table.
pub(super) fn of(report: &Report, table: Table) -> ImportedTable {
    *report.tables.iter().find(|it| it.table == table).unwrap()
}

/// Data files in the folder of a table, committed or not.
pub(super) fn data_files(store: &Path, table: Table) -> Vec<PathBuf> {
    let folder = store.join("tables").join(table.name());
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|it| it.unwrap().path()).filter(|it| it.is_file()).collect()
}

/// No data file is there that the logs do not name.
pub(super) fn assert_no_strays(store: &Path) {
    for (table, it) in snapshot(store).tables {
        assert_eq!(data_files(store, table).len(), it.files.len(), "strays in {}", table.name());
    }
}
