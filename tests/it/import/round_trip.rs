//! What was exported comes back, to the last bit, once, in every format.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use genstore::event::{Event, Table};
use genstore::export::{FileFormat, MANIFEST};
use genstore::import::{FORMATS, Request};
use genstore::store::Store;

use super::fixture::*;
use crate::store::check::look;
use crate::store::rows::{children, open, quiet, run_row, whole_run};

#[test]
fn every_table_comes_back_through_every_format() {
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("from");
    fill(&from, &events(60, 7));
    let before = everything(&from);
    assert!(Table::ALL.iter().all(|it| !before[it.name()].is_empty()));
    for format in FORMATS {
        let exported = place.path().join(format.as_str());
        export(&from, &exported, format);
        let to = place.path().join(format!("to-{format}"));
        let report = run(&to, &folder(&exported)).unwrap();
        assert_eq!(of(&report, Table::Steps).rows, 180);
        assert_eq!((of(&report, Table::Steps).files, of(&report, Table::Steps).skipped), (5, 0));
        for (table, rows) in everything(&to) {
            assert!(rows == before[table], "{format}: {table} differs");
        }
        let found = look(&to);
        assert!(found.findings.is_empty(), "{format}: {:?}", found.findings);

        // the same once more: nothing, from the same folder and from one without a manifest
        fs::remove_file(exported.join(MANIFEST)).unwrap();
        let again = run(&to, &folder(&exported)).unwrap();
        assert!(again.tables.iter().all(|it| it.rows == 0 && it.files == 0 && it.skipped > 0));
        assert!(everything(&to) == before, "{format}: doubled");
        assert_no_strays(&to);
    }
}

#[test]
fn a_folder_without_a_manifest_and_tables_one_by_one_do_as_well() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    fill(&from, &events(30, 3));
    export(&from, &exported, FileFormat::Parquet);
    fs::remove_file(exported.join(MANIFEST)).unwrap();
    let to = place.path().join("to");
    run(&to, &folder(&exported)).unwrap();
    assert!(everything(&to) == everything(&from));

    let single = place.path().join("single");
    run(&single, &files(Table::Runs, &[&exported.join("runs")])).unwrap();
    for table in Table::ALL.iter().filter(|it| !matches!(it, Table::Runs | Table::StepLatency)) {
        run(&single, &files(*table, &[&exported.join(table.name())])).unwrap();
    }
    let (mut found, mut expected) = (everything(&single), everything(&from));
    // the sketches were made from the steps: other rows, the same counts
    let sketches =
        [found.remove("step_latency").unwrap(), expected.remove("step_latency").unwrap()];
    assert!(found == expected);
    let counted = sketches.map(|it| it.iter().map(|it| count(it)).sum::<i64>());
    assert_eq!(counted, [90, 90]);
}

fn count(sketch: &str) -> i64 {
    let at = Table::StepLatency.columns().iter().position(|it| it.name == "count").unwrap();
    sketch.split('\u{1f}').nth(at).unwrap().parse().unwrap()
}

fn sketched(store: &Path) -> i64 {
    everything(store)["step_latency"].iter().map(|it| count(it)).sum()
}

/// Steps and their folder in any sequence: each attempt is in the sketches once.
#[test]
fn steps_before_after_and_with_their_folder_are_sketched_once() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    fill(&from, &events(30, 5));
    export(&from, &exported, FileFormat::Parquet);
    let all = folder(&exported);
    let of_table = |table: Table| files(table, &[&exported.join(table.name())]);
    let (runs, steps) = (of_table(Table::Runs), of_table(Table::Steps));
    let latency = of_table(Table::StepLatency);
    let one = files(Table::Steps, &[&exported.join("steps/part-0.parquet")]);
    let sequences: [(&str, Vec<&Request>); 6] = [
        ("alone", vec![&runs, &steps, &all]),
        ("one file of them", vec![&runs, &one, &all]),
        ("afterwards", vec![&all, &steps, &latency]),
        ("sketches first", vec![&latency, &all]),
        ("sketches in between", vec![&runs, &latency, &all, &steps]),
        ("twice", vec![&all, &all]),
    ];
    for (name, requests) in sequences {
        let to = place.path().join(name);
        let notes: Vec<String> =
            requests.iter().flat_map(|it| run(&to, it).unwrap().notes).collect();
        assert_eq!(counts(&to)[&Table::Steps], 90, "{name}");
        assert_eq!(sketched(&to), 90, "{name}");
        let is_told = matches!(name, "alone" | "one file of them");
        assert_eq!(!notes.is_empty(), is_told, "{name}: {notes:?}");
        assert_no_strays(&to);
    }
}

#[test]
fn rows_of_a_writer_in_its_journal_are_parents_and_equals() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    let source = open(&from, quiet()).unwrap();
    source.commit_blocking(children(1, 3)).unwrap();
    source.commit_blocking(vec![run_row(1).into()]).unwrap();
    drop(source);
    export(&from, &exported, FileFormat::Ndjson);
    let steps = files(Table::Steps, &[&exported.join("steps")]);

    let to = place.path().join("to");
    let writer = open(&to, quiet()).unwrap();
    writer.commit_blocking(whole_run(2)).unwrap();
    let error = run(&to, &steps).unwrap_err();
    assert!(error.message().contains("neither in the store nor in this import"), "{error}");
    writer.commit_blocking(vec![run_row(1).into()]).unwrap();
    run(&to, &steps).unwrap();
    let error = run(&to, &files(Table::Runs, &[&exported.join("runs")])).unwrap_err();
    assert!(error.message().ends_with("is in the store already"), "{error}");
    assert_eq!(writer.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
    writer.close().unwrap();
    assert_eq!(counts(&to)[&Table::Runs], 2);
    assert_eq!(counts(&to)[&Table::Steps], 3 + whole_steps());
}

fn whole_steps() -> u64 {
    let steps = |it: &&Event| matches!(it, Event::Row(row) if row.table() == Table::Steps);
    whole_run(2).iter().filter(steps).count() as u64
}

/// A writer flushes and readers look on while files come in; nothing is lost or seen twice.
#[test]
fn an_import_goes_on_beside_a_writer_and_readers() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    fill(&from, &events(40, 9));
    export(&from, &exported, FileFormat::Csv);
    let to = place.path().join("to");
    let store = open(&to, quiet()).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 1_000;
            while !is_done.load(Ordering::SeqCst) || number < 1_020 {
                store.commit_blocking(whole_run(number)).unwrap();
                store.flush().unwrap();
                number += 1;
            }
        });
        scope.spawn(|| {
            let reader = Store::open_read_only(&to).unwrap();
            while !is_done.load(Ordering::SeqCst) {
                let tables = reader.snapshot().unwrap().tables;
                let runs = tables[&Table::Runs].rows();
                assert!(tables[&Table::Steps].rows() >= 3 * runs, "a run without its steps");
            }
        });
        let report = run(&to, &folder(&exported)).unwrap();
        assert_eq!(of(&report, Table::Runs).rows, 40);
        is_done.store(true, Ordering::SeqCst);
    });
    store.close().unwrap();
    let found = counts(&to);
    assert_eq!(found[&Table::Steps], 120 + (found[&Table::Runs] - 40) * whole_steps());
}
