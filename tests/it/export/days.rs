//! A folder for each day: of the row's own time, or of its run.

use std::path::Path;

use genstore::event::{ArtifactRow, Event, RunRow, StepRow, Table, TimeUs};
use genstore::export::{Request, What, profile};

use super::fixture::{checked, files, read, request, run};
use crate::store::rows::{open, quiet, run_id};

const DAY_US: i64 = 86_400_000_000;
/// 2026-11-22T00:00:00Z.
const FIRST_US: i64 = 20_779 * DAY_US;

/// Runs of two days, whose last step falls into the next; artifacts have no time.
fn store(path: &Path) {
    let writer = open(path, quiet()).unwrap();
    for (number, start) in [(1, FIRST_US), (2, FIRST_US + DAY_US - 1), (3, FIRST_US + DAY_US)] {
        let run_id = || run_id(number);
        let step = |name: &str, start| {
            let (step_name, start_time) = (name.into(), TimeUs(start));
            Event::from(StepRow { run_id: run_id(), step_name, start_time, ..StepRow::default() })
        };
        let artifact = ArtifactRow { run_id: run_id(), ..ArtifactRow::default() };
        let run = RunRow { run_id: run_id(), start_time: TimeUs(start), ..RunRow::default() };
        let steps = [step("parse", start), step("write", start + 1)];
        let events = [steps.to_vec(), vec![artifact.into(), run.into()]].concat();
        writer.commit_blocking(events).unwrap();
    }
    // of a run that has not ended: nobody knows its day
    let orphan = ArtifactRow { run_id: run_id(9), ..ArtifactRow::default() };
    writer.commit_blocking(vec![orphan.into()]).unwrap();
    writer.close().unwrap();
}

fn exported(place: &Path, name: &str) -> Vec<String> {
    let tables = vec![Table::Runs, Table::Steps, Table::Artifacts, Table::Issues];
    let (store, to) = (place.join("store"), place.join(name));
    let (what, profile) = (What::Tables(tables), profile(name).unwrap());
    let request = Request { what, profile, by_day: true, ..request(&store, &to) };
    run(&store, &request).unwrap();
    let manifest = checked(&to);
    assert_eq!(manifest.partition_by.as_deref(), Some("day"));
    files(&to).into_iter().filter(|it| it.contains("/dt=")).collect()
}

#[test]
fn rows_go_to_their_day_and_those_without_a_time_to_that_of_their_run() {
    let place = tempfile::tempdir().unwrap();
    store(&place.path().join("store"));
    let found = exported(place.path(), "parquet");
    let expected = [
        "artifacts/dt=2026-11-22/part-0.parquet",
        "artifacts/dt=2026-11-23/part-1.parquet",
        "artifacts/dt=__HIVE_DEFAULT_PARTITION__/part-2.parquet",
        "runs/dt=2026-11-22/part-0.parquet",
        "runs/dt=2026-11-23/part-1.parquet",
        "steps/dt=2026-11-22/part-0.parquet",
        "steps/dt=2026-11-23/part-1.parquet",
    ];
    let sorted = |it: &[&str]| -> Vec<String> { it.iter().map(|it| (*it).to_owned()).collect() };
    let without_number = |it: &String| it.rsplit_once("part-").unwrap().0.to_owned();
    let folders: Vec<String> = found.iter().map(without_number).collect();
    assert_eq!(folders, sorted(&expected).iter().map(without_number).collect::<Vec<_>>());
    let rows = |folder: &str| -> usize {
        let of = found.iter().filter(|it| it.starts_with(folder));
        of.flat_map(|it| read(&place.path().join("parquet").join(it))).map(|it| it.num_rows()).sum()
    };
    assert_eq!((rows("runs/dt=2026-11-22"), rows("runs/dt=2026-11-23")), (2, 1));
    assert_eq!((rows("steps/dt=2026-11-22"), rows("steps/dt=2026-11-23")), (3, 3));
    assert_eq!((rows("artifacts/dt=2026-11-22"), rows("artifacts/dt=2026-11-23")), (2, 1));
    let batch = &read(&place.path().join("parquet").join(&found[0]))[0];
    assert!(batch.column_by_name("dt").is_none(), "in the path alone");
}

#[test]
fn tools_that_read_single_files_find_the_day_in_them() {
    let place = tempfile::tempdir().unwrap();
    store(&place.path().join("store"));
    for path in exported(place.path(), "powerbi").iter().filter(|it| it.starts_with("runs")) {
        for batch in read(&place.path().join("powerbi").join(path)) {
            let days = batch.column_by_name("dt").unwrap();
            let days = arrow::util::display::array_value_to_string(days, 0).unwrap();
            assert!(path.contains(&format!("dt={days}/")), "{path}: {days}");
        }
    }
}

#[test]
fn more_days_than_files_may_be_open_lose_nothing() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("store");
    let writer = open(&path, quiet()).unwrap();
    let run = |it: i64| {
        let start_time = TimeUs(FIRST_US + it * 7 % 40 * DAY_US);
        Event::from(RunRow { run_id: run_id(it), start_time, ..RunRow::default() })
    };
    writer.commit_blocking((0..400).map(run).collect()).unwrap();
    writer.close().unwrap();
    let to = place.path().join("to");
    let what = What::Tables(vec![Table::Runs]);
    super::fixture::run(&path, &Request { what, by_day: true, ..request(&path, &to) }).unwrap();
    let ids = super::fixture::values(&to, Table::Runs, "run_id");
    assert_eq!((ids.len(), ids.values().max()), (400, Some(&1)));
    let folders = std::fs::read_dir(to.join("runs")).unwrap().count();
    assert_eq!(folders, 41, "40 days and the Delta log");
}
