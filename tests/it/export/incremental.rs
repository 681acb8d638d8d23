//! Exports that go on where the last one ended: each run once, when it has ended, whoever wrote it
//! and whatever was done to the files meanwhile.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::event::{BatchRow, Event, MetricRow, RunRow, ScoreRow, Table, Text, TimeUs};
use genstore::export::{Exported, Request, What, profile};
use genstore::store::{CompactOptions, Keeper};
use tempfile::TempDir;

use super::fixture::{checked, continued, counts, files, request, run, values};
use crate::store::rows::{NOW_US, children, contract, open, quiet, run_id, run_row, whole_run};

fn compact(store: &Path) {
    let keeper = Keeper::open(store, ManualClock::at(NOW_US), Arc::new(SystemIds)).unwrap();
    keeper.compact(&CompactOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
}

/// A store and an export that is continued.
struct Case {
    place: TempDir,
}

impl Case {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> std::path::PathBuf {
        self.place.path().join("store")
    }

    fn to(&self) -> std::path::PathBuf {
        self.place.path().join("to")
    }

    /// Writes events as a process of its own.
    fn write(&self, events: Vec<Event>) {
        let writer = open(&self.store(), quiet()).unwrap();
        writer.commit_blocking(events).unwrap();
        writer.close().unwrap();
    }

    fn export(&self) -> Exported {
        run(&self.store(), &continued(&self.store(), &self.to())).unwrap()
    }

    /// The export has these runs, each once, with all its steps.
    fn assert_runs(&self, expected: impl IntoIterator<Item = i64>) {
        let once: Vec<_> = expected.into_iter().map(|it| run_id(it).to_string()).collect();
        let runs = values(&self.to(), Table::Runs, "run_id");
        assert_eq!(runs.keys().cloned().collect::<Vec<_>>(), once);
        assert!(runs.values().all(|it| *it == 1), "doubled: {runs:?}");
        let steps = values(&self.to(), Table::Steps, "run_id");
        assert_eq!(steps.keys().cloned().collect::<Vec<_>>(), once);
        assert!(steps.values().all(|it| *it == 5), "{steps:?}");
    }
}

#[test]
fn late_runs_runs_in_flight_and_merges_neither_lose_nor_double() {
    let case = Case::new();
    case.write((10..20).flat_map(whole_run).collect());
    // of a run that has not ended: its steps are there, and its row is not
    case.write(children(99, 5));
    case.export();
    case.assert_runs(10..20);
    // one that began before all others and ended after their export
    case.write((5..7).flat_map(whole_run).collect());
    compact(&case.store());
    let exported = case.export();
    case.assert_runs((5..7).chain(10..20));
    assert_eq!(exported.written[0].rows, 2, "only what is new");
    case.write(vec![run_row(99).into()]);
    compact(&case.store());
    case.export();
    case.assert_runs((5..7).chain(10..20).chain([99]));
    let manifest = checked(&case.to());
    assert_eq!(manifest.tables[0].files.len(), 3);
    assert_eq!(manifest.tables[0].delta_version, Some(2));
}

#[test]
fn what_two_writers_hold_in_their_journals_comes_once() {
    let case = Case::new();
    let (a, b) = (open(&case.store(), quiet()).unwrap(), open(&case.store(), quiet()).unwrap());
    a.commit_blocking(whole_run(1)).unwrap();
    b.commit_blocking(whole_run(2)).unwrap();
    case.export();
    case.assert_runs([1, 2]); // from the journals
    a.flush().unwrap();
    a.commit_blocking(whole_run(3)).unwrap();
    b.commit_blocking(children(4, 5)).unwrap();
    case.export();
    case.assert_runs([1, 2, 3]);
    b.commit_blocking(vec![run_row(4).into()]).unwrap();
    b.flush().unwrap();
    a.close().unwrap();
    b.close().unwrap();
    compact(&case.store());
    case.export();
    case.assert_runs([1, 2, 3, 4]);
}

#[test]
fn with_nothing_new_nothing_is_written_but_the_manifest() {
    let case = Case::new();
    case.write((0..3).flat_map(whole_run).collect());
    case.export();
    let state = || -> Vec<_> {
        let modified = |it: &String| {
            let metadata = std::fs::metadata(case.to().join(it)).unwrap();
            (it.clone(), std::os::unix::fs::MetadataExt::ino(&metadata))
        };
        let but_manifest = files(&case.to()).into_iter().filter(|it| it != "_manifest.json");
        but_manifest.map(|it| modified(&it)).collect()
    };
    let before = state();
    let first = checked(&case.to());
    let exported = case.export();
    assert!(exported.written.iter().all(|it| it.rows == 0 && it.files == 0));
    assert_eq!(state(), before);
    let again = checked(&case.to());
    assert_ne!(again.export_id, first.export_id);
    assert_eq!((again.tables, again.position), (first.tables, first.position));
}

#[test]
fn rows_without_a_run_come_once_each() {
    let case = Case::new();
    let metric = |name: &str, run: Option<i64>| {
        let (name, run_id) = (Text::from(name), run.map(run_id));
        Event::from(MetricRow { run_id, name, time: TimeUs(NOW_US), ..MetricRow::default() })
    };
    let batch =
        |id: &str| Event::from(BatchRow { batch_id: Text::from(id), ..BatchRow::default() });
    case.write(vec![metric("load", None), metric("load", None), batch("a")]);
    case.write(vec![contract("c1").into(), contract("c2").into()]);
    case.export();
    case.write(vec![metric("load", None), metric("own", Some(1)), batch("b")]);
    // the same content by another writer
    case.write(vec![contract("c2").into(), contract("c3").into()]);
    case.write(whole_run(1));
    compact(&case.store());
    case.export();
    let found = values(&case.to(), Table::Metrics, "name");
    assert_eq!(found, [("load".to_owned(), 3), ("own".to_owned(), 1)].into());
    let batches = values(&case.to(), Table::Batches, "batch_id");
    assert_eq!(batches, [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    let contracts = values(&case.to(), Table::Contracts, "contract_digest");
    assert_eq!(contracts, ["c1", "c2", "c3"].map(|it| (it.to_owned(), 1)).into());
}

#[test]
fn rows_that_come_to_a_run_after_its_export_are_told() {
    let case = Case::new();
    case.write(whole_run(1));
    case.export();
    case.write(vec![ScoreRow { run_id: run_id(1), ..ScoreRow::default() }.into()]);
    case.write(whole_run(2));
    let before = checked(&case.to());
    let asked = continued(&case.store(), &case.to());
    let error = run(&case.store(), &asked).unwrap_err();
    assert_eq!(error.message(), "1 rows of scores came to runs after these were exported");
    assert!(error.hint().unwrap().contains("--force"));
    assert_eq!(checked(&case.to()), before, "the last export stands");
    run(&case.store(), &Request { force: true, ..asked }).unwrap();
    case.assert_runs([1, 2]);
    assert_eq!(checked(&case.to()).tables[0].delta_version, Some(0), "begun anew");
}

#[test]
fn an_export_of_another_kind_is_refused() {
    let case = Case::new();
    case.write(whole_run(1));
    case.export();
    let asked = || continued(&case.store(), &case.to());
    let fewer = What::Tables(vec![Table::Runs, Table::Steps]);
    let cases = [
        (Request { what: fewer, ..asked() }, "has the tables"),
        (
            Request { profile: profile("csv").unwrap(), ..asked() },
            "has the profile parquet, not csv",
        ),
        (Request { by_day: true, ..asked() }, "has no partitions, not partitions by day"),
        (Request { store_id: "another".to_owned(), ..asked() }, "is of another store"),
        (
            Request { what: What::Tables(vec![Table::StepLatency]), ..asked() },
            "step_latency cannot be exported incrementally",
        ),
    ];
    for (request, expected) in cases {
        let error = run(&case.store(), &request).unwrap_err();
        assert_eq!(error.kind().exit_code(), 2);
        assert!(error.message().contains(expected), "{error}");
        assert!(error.hint().is_some());
    }
    let whole = case.place.path().join("whole");
    run(&case.store(), &request(&case.store(), &whole)).unwrap();
    let error = run(&case.store(), &continued(&case.store(), &whole)).unwrap_err();
    assert!(error.message().ends_with("was made without --incremental"), "{error}");
    case.assert_runs([1]);
}

/// The moment may move on: what was exported stays, and what is older than it never comes.
#[test]
fn an_age_moves_with_the_exports() {
    let case = Case::new();
    let at = |it: i64, start: i64| {
        let row = RunRow { run_id: run_id(it), start_time: TimeUs(start), ..RunRow::default() };
        [children(it, 5), vec![row.into()]].concat()
    };
    case.write([at(1, 100), at(2, 200)].concat());
    let asked =
        |since_us| Request { since_us: Some(since_us), ..continued(&case.store(), &case.to()) };
    run(&case.store(), &asked(150)).unwrap();
    case.assert_runs([2]);
    case.write([at(3, 250), at(4, 300)].concat());
    run(&case.store(), &asked(280)).unwrap();
    case.assert_runs([2, 4]);
    assert_eq!(counts(&checked(&case.to()))["scores"], 2);
}
