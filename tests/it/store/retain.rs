//! Retention, row by row: against a model, beside readers and writers, and killed at every moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use genstore::error::ErrorKind;
use genstore::event::{Table, Text};
use genstore::store::check::Severity;
use genstore::store::{RetainOptions, Store};

use super::aged::{Aged, expected, keeper, keeper_on, opened, options, others, rows_removed};
use super::check::{folder, look};
use super::rows::{NOW_US, all_rows, column, columns, rows};
use crate::disk::{Fault, Machine};

const CHILDREN: [Table; 6] =
    [Table::Steps, Table::Issues, Table::Scores, Table::Metrics, Table::Artifacts, Table::LlmCalls];

/// Runs of 1 to 200 days in files that do not follow their age, so that most straddle any cut.
fn ages(seed: u64) -> Vec<Aged> {
    (0..60).map(|it| Aged::new(it, i64::try_from((it * 37 + seed) % 200).unwrap() + 1)).collect()
}

fn write(store: &Store, runs: &[Aged]) {
    for part in runs.chunks(15) {
        for run in part {
            store.commit_blocking(run.whole()).unwrap();
        }
        store.commit_blocking(others(part[0].days)).unwrap();
        store.flush().unwrap();
    }
}

#[test]
fn what_is_old_goes_to_the_row_and_nothing_else() {
    for (runs_days, steps_days) in [(Some(90), None), (Some(90), Some(14)), (None, Some(30))] {
        let folder = folder();
        let store = opened(folder.path());
        let mut all = ages(u64::try_from(steps_days.unwrap_or(0)).unwrap());
        for pinned in all.iter_mut().filter(|it| it.number % 7 == 0) {
            pinned.batch = Some("batch-pinned");
        }
        for other in all.iter_mut().filter(|it| it.number % 7 == 1) {
            other.batch = Some("batch-other");
        }
        write(&store, &all);
        store.pin("batch-p", Some("release"), NOW_US).unwrap();
        store.pin("batch-o", None, NOW_US).unwrap();
        store.unpin("batch-o", NOW_US).unwrap();
        // open, its children in the tables; and whole, and only in the journal
        let (open, hot) = (Aged::new(100, 150), Aged::new(101, 160));
        store.commit_blocking(vec![open.begun()]).unwrap();
        store.commit_blocking(open.children()).unwrap();
        store.flush().unwrap();
        store.commit_blocking(hot.whole()).unwrap();

        let before = store.snapshot().unwrap();
        let tables: Vec<_> = steps_days.map(|it| (Table::Steps, it)).into_iter().collect();
        let dry = RetainOptions { dry_run: true, ..options(runs_days, &tables) };
        let foretold = keeper(folder.path()).retain(&dry).unwrap();
        assert_eq!(all_rows(&store.snapshot().unwrap()), all_rows(&before));
        let retained = keeper(folder.path()).retain(&options(runs_days, &tables)).unwrap();

        let runs: BTreeMap<String, &Aged> =
            all.iter().map(|it| (it.run_id().to_string(), it)).collect();
        let is_free = |run: &Aged| run.batch != Some("batch-pinned");
        let keeps = |table: Table, row: &str| {
            if let Some(days) = row.split('\u{1f}').find_map(|it| it.strip_prefix("process ")) {
                return runs_days.is_none_or(|it| days.parse::<i64>().unwrap() < it);
            }
            let run = row.split('\u{1f}').next().and_then(|it| runs.get(it));
            let Some(run) = run.filter(|it| is_free(it)) else { return true };
            let is_of_runs = table == Table::Runs || CHILDREN.contains(&table);
            // a run starts some microseconds after its day, and its second step an hour later
            let is_old = |days: Option<i64>| days.is_some_and(|it| run.days > it);
            let steps_old = table == Table::Steps && is_old(steps_days);
            !(is_of_runs && is_old(runs_days) || steps_old)
        };
        let after = store.snapshot().unwrap();
        let expected = expected(&before, keeps);
        for (table, found) in all_rows(&after) {
            assert_eq!(found, expected[table], "{table} by {runs_days:?} {steps_days:?}");
        }
        for table in &retained.tables {
            let told = foretold.tables.iter().find(|it| it.table == table.table).unwrap();
            assert_eq!(told.rows_removed, table.rows_removed, "{}", table.table.name());
            assert_eq!(told.files_removed, table.files_removed, "{}", table.table.name());
        }
        assert!(rows_removed(&retained, Table::Steps) > 20, "{retained:?}");
        assert_eq!(
            rows(&after, Table::StepLatency),
            rows(&before, Table::StepLatency),
            "sketches stay"
        );
        let again = keeper(folder.path()).retain(&options(runs_days, &tables)).unwrap();
        assert!(again.tables.iter().all(|it| it.rows_removed == 0), "{again:?}");
        let report = look(folder.path());
        assert_eq!(report.findings, [], "{:#?}", report.findings);
        store.commit_blocking(vec![open.ended()]).unwrap();
        store.close().unwrap();
        assert!(look(folder.path()).is_sound());
    }
}

#[test]
fn files_that_are_wholly_old_are_not_read_and_wholly_young_ones_not_touched() {
    let folder = folder();
    let store = opened(folder.path());
    for days in [(150, 120), (100, 80), (50, 20)] {
        for (at, days) in (days.1..days.0).enumerate() {
            let run = Aged::new(u64::try_from(at).unwrap(), days);
            store.commit_blocking(run.whole()).unwrap();
        }
        store.flush().unwrap();
    }
    store.close().unwrap();
    let paths = |table: Table| -> Vec<_> {
        let files = Arc::clone(&store.snapshot().unwrap().tables[&table].files);
        let mut files: Vec<_> =
            files.iter().map(|it| (it.run_ids.clone(), it.path.clone())).collect();
        files.sort();
        files.into_iter().map(|it| it.1).collect()
    };
    let tables: Vec<Table> = CHILDREN.into_iter().chain([Table::Runs]).collect();
    let before: Vec<_> = tables.iter().map(|it| paths(*it)).collect();
    for files in &before {
        // what is not there cannot be read; it is part of the table all the same
        std::fs::remove_file(&files[0]).unwrap();
    }
    let retained = keeper(folder.path()).retain(&options(Some(90), &[])).unwrap();
    for (table, before) in tables.iter().zip(before) {
        let done = retained.tables.iter().find(|it| it.table == *table).unwrap();
        assert_eq!((done.files_removed, done.files_rewritten), (1, 1), "{done:?}");
        let after = paths(*table);
        assert_eq!(after.len(), 2);
        assert!(!before.contains(&after[0]) && before[2] == after[1], "{}", table.name());
    }
    assert_eq!(rows_removed(&retained, Table::Runs), 39);
    let ids = column(&store.snapshot().unwrap(), Table::Runs, "run_id");
    assert_eq!(ids.len(), 41);
}

#[test]
fn a_rule_that_would_remove_every_run_needs_a_word() {
    let folder = folder();
    let store = opened(folder.path());
    write(&store, &(0..20).map(|it| Aged::new(it, 50)).collect::<Vec<_>>());
    let error = keeper(folder.path()).retain(&options(Some(30), &[])).unwrap_err();
    assert_eq!(error.message(), "--keep 30d would remove 20 of 20 runs: all there are");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.hint().unwrap().contains("--all-of-it"), "{error:?}");
    let dry = RetainOptions { dry_run: true, ..options(Some(30), &[]) };
    keeper(folder.path()).retain(&dry).unwrap_err();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 20);
    // one that only a journal holds is enough
    store.commit_blocking(Aged::new(99, 1).whole()).unwrap();
    keeper(folder.path()).retain(&dry).unwrap();
    store.flush().unwrap();
    keeper(folder.path()).retain(&options(Some(30), &[])).unwrap();
    let all = RetainOptions { all_of_it: true, ..options(Some(1), &[]) };
    store.commit_blocking(Aged::new(98, 3).whole()).unwrap();
    store.flush().unwrap();
    keeper(folder.path()).retain(&all).unwrap();
    let ids = column(&store.snapshot().unwrap(), Table::Runs, "run_id");
    assert_eq!(ids, [Aged::new(99, 1).run_id().to_string()]);
    assert!(look(folder.path()).is_sound());
}

#[test]
fn tables_of_their_own_go_by_their_own_rules_only() {
    let folder = folder();
    let store = opened(folder.path());
    for days in [5, 50, 100] {
        store.commit_blocking(others(days)).unwrap();
        store.commit_blocking(Aged::new(1, days).whole()).unwrap();
    }
    store.flush().unwrap();
    store.pin("batch of 100", None, NOW_US).unwrap();
    let tables = [(Table::Alerts, 60), (Table::Batches, 20), (Table::StepLatency, 60)];
    let retained = keeper(folder.path()).retain(&options(None, &tables)).unwrap();
    let after = store.snapshot().unwrap();
    assert_eq!(column(&after, Table::Alerts, "alert_id").len(), 2);
    assert_eq!(column(&after, Table::Batches, "batch_id"), ["batch of 100", "batch of 5"]);
    assert_eq!(rows_removed(&retained, Table::StepLatency), 2, "two hours of one run");
    assert_eq!(after.tables[&Table::Runs].rows(), 3);
    let wrong = look(folder.path());
    assert_eq!(wrong.findings, [], "fewer sketches than steps are as they should be");
}

#[test]
fn a_reader_never_sees_a_run_without_its_children() {
    let folder = folder();
    let store = opened(folder.path());
    let runs = ages(3);
    write(&store, &runs);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let reader = Store::open_read_only(folder.path()).unwrap();
            let mut counts = BTreeSet::new();
            loop {
                let last = done.load(Ordering::SeqCst);
                let snapshot = reader.snapshot().unwrap();
                let mut steps: BTreeMap<String, u64> = BTreeMap::new();
                for [run] in columns(&snapshot, Table::Steps, ["run_id"]) {
                    *steps.entry(run).or_default() += 1;
                }
                let runs = columns(&snapshot, Table::Runs, ["run_id"]);
                counts.insert(runs.len());
                for [run] in runs {
                    assert_eq!(steps.get(&run), Some(&2), "{run}");
                }
                if last {
                    return counts;
                }
            }
        });
        for days in (1..19).rev() {
            keeper(folder.path()).retain(&options(Some(days * 10), &[])).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        let counts = reader.join().unwrap();
        assert!(counts.len() > 1, "the reader saw one state only");
    });
    assert!(look(folder.path()).is_sound());
}

#[test]
fn what_cannot_be_known_stops_a_retention_before_it_changes_anything() {
    let folder = folder();
    let store = opened(folder.path());
    write(&store, &ages(1));
    store.commit_blocking(vec![Aged::new(200, 3).begun()]).unwrap();
    drop(store);
    // a slot of a dead writer whose newest journal cannot be read
    let newest = std::fs::read_dir(folder.path().join("journal/0")).unwrap();
    let newest = newest
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "wal"))
        .max()
        .unwrap();
    super::check::flip(&newest, 30);
    let before = super::check::files(&folder.path().join("tables"));
    let error = keeper(folder.path()).retain(&options(Some(90), &[])).unwrap_err();
    assert!(error.message().starts_with("which runs of slot 0 are open cannot be read"), "{error}");
    assert!(super::check::files(&folder.path().join("tables")) == before);
}

fn aged_machine() -> Arc<Machine> {
    let machine = Machine::new();
    let store = Store::open_on(
        machine.process().shared(),
        &machine.store(),
        super::rows::quiet(),
        genstore::clock::ManualClock::at(NOW_US),
        Arc::new(genstore::clock::SeededIds::new(1 << 40)),
    )
    .unwrap();
    for part in ages(5)[..24].chunks(8) {
        for run in part {
            store.commit_blocking(run.whole()).unwrap();
        }
        store.flush().unwrap();
    }
    store.close().unwrap();
    machine
}

#[test]
fn a_crash_or_a_power_loss_at_any_operation_is_mended_by_the_next_retention() {
    let prepared = aged_machine();
    let rules = options(Some(90), &[(Table::Steps, 40)]);
    let undisturbed = prepared.power_loss(1);
    let disk = undisturbed.process();
    keeper_on(disk.shared(), &undisturbed.store()).unwrap().retain(&rules).unwrap();
    let end = disk.operations();
    let rows_of = |machine: &Machine| {
        all_rows(&Store::open_read_only(&machine.store()).unwrap().snapshot().unwrap())
    };
    let expected = rows_of(&undisturbed);
    assert!(end > 40, "a retention takes {end} operations only");
    for operation in 0..end {
        let machine = prepared.power_loss(1);
        let disk = machine.process().with(Fault::crash().after(operation));
        keeper_on(disk.shared(), &machine.store()).and_then(|it| it.retain(&rules)).unwrap_err();
        let lost = machine.power_loss(operation % 5);
        for (machine, what) in [(machine, "crash"), (lost, "power loss")] {
            let at = format!("{what} at operation {operation}: {}", disk.last());
            // what is there is no damage, and no run lacks a child
            let report = look(&machine.store());
            assert_eq!(report.count(Severity::Error), 0, "{at}: {:#?}", report.findings);
            let process = machine.process();
            keeper_on(process.shared(), &machine.store()).unwrap().retain(&rules).unwrap();
            assert!(rows_of(&machine) == expected, "{at}");
            let report = look(&machine.store());
            let wrong: Vec<_> =
                report.findings.iter().filter(|it| it.severity > Severity::Note).collect();
            assert!(wrong.is_empty(), "{at}: {wrong:#?}");
        }
    }
    eprintln!("{} crashes and power losses", 2 * end);
}

#[test]
fn a_pin_is_a_row_and_the_newest_counts() {
    let folder = folder();
    let store = opened(folder.path());
    store.commit_blocking(Aged { batch: Some("0199aa"), ..Aged::new(1, 3) }.whole()).unwrap();
    store.commit_blocking(Aged { batch: Some("0199ab"), ..Aged::new(2, 3) }.whole()).unwrap();
    assert_eq!(store.pins().unwrap(), []);
    let pin = store.pin("0199aa", Some("release 1"), NOW_US).unwrap();
    assert_eq!((&*pin.batch_id, &*pin.name), ("0199aa", "release 1"));
    store.flush().unwrap();
    store.pin("0199ab", None, NOW_US + 1).unwrap();
    let names = |store: &Store| -> Vec<Text> {
        store.pins().unwrap().into_iter().map(|it| it.name).collect()
    };
    assert_eq!(names(&store), [Text::from("0199ab"), Text::from("release 1")]);
    let error = store.pin("0199", None, NOW_US).unwrap_err();
    assert_eq!(error.message(), "2 batches begin with \"0199\"");
    // the clock went back: the end of a pin is newer than its beginning all the same
    store.unpin("0199ab", NOW_US - 5_000).unwrap();
    assert_eq!(names(&store), [Text::from("release 1")]);
    let error = store.unpin("0199ab", NOW_US).unwrap_err();
    assert_eq!(error.message(), "there is no pinned batch \"0199ab\"");
    assert_eq!(error.hint(), Some("Did you mean 0199aa?"));
}
