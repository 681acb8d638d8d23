//! Compaction of whole stores: the rows stay, whatever happens meanwhile, and the files become few.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use genstore::clock::{ManualClock, SeededIds, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::{Cell, ColumnType, Event, Row, Table};
use genstore::journal::Durability;
use genstore::store::check::{self, Severity};
use genstore::store::snapshot::Snapshot;
use genstore::store::{CompactOptions, Compacted, CompactedTable, Keeper, Store, StoreOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::crash::each;
use super::rows::{NOW_US, all_rows, columns, open, quiet, run_id, whole_run};
use super::script::{open_on, small};
use crate::disk::{Fault, FaultDisk, Kind, Machine};
use crate::program::Python;

/// A row of any table, made up from a number; each third value that may be NULL is.
fn row(table: Table, number: i64) -> Row {
    let texts: Vec<String> = table
        .columns()
        .iter()
        .map(|column| match column.name {
            "run_id" => run_id(number).to_string(),
            "content" | "body" => format!("line of {number}\n").repeat(50),
            name => format!("{name} {}", number % 7),
        })
        .collect();
    let cell = |index: usize| {
        let column = &table.columns()[index];
        if column.nullable && (number + i64::try_from(index).unwrap()) % 3 == 0 {
            return Cell::Null;
        }
        match column.kind {
            ColumnType::Text => Cell::Text(&texts[index]),
            ColumnType::Int => Cell::Int(number * 31),
            ColumnType::Float => Cell::Float(number as f64 / 8.0),
            ColumnType::Bool => Cell::Bool(number % 2 == 0),
            ColumnType::Time => Cell::Time(NOW_US + number * 1_001),
            ColumnType::Binary => Cell::Binary(texts[index].as_bytes()),
        }
    };
    Row::of(table, cell).unwrap()
}

/// Rows of every table but the sketches, which a flush makes.
pub(super) fn everything(number: i64) -> Vec<Event> {
    const WITH_RUNS: [Table; 5] =
        [Table::Runs, Table::Steps, Table::Issues, Table::Scores, Table::StepLatency];
    let others = Table::ALL.iter().filter(|it| !WITH_RUNS.contains(it));
    whole_run(number).into_iter().chain(others.map(|it| Event::from(row(*it, number)))).collect()
}

/// A store with so many runs, each flushed.
fn filled(path: &Path, numbers: std::ops::Range<i64>) -> Store {
    let store = open(path, quiet()).unwrap();
    for number in numbers {
        store.commit_blocking(everything(number)).unwrap();
        store.flush().unwrap();
    }
    store
}

fn keeper(path: &Path) -> Keeper {
    Keeper::open(path, ManualClock::at(NOW_US), Arc::new(SystemIds)).unwrap()
}

fn compact(path: &Path) -> Compacted {
    keeper(path).compact(&CompactOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn of(compacted: &Compacted, table: Table) -> &CompactedTable {
    compacted.tables.iter().find(|it| it.table == table).unwrap()
}

/// Count, sum, minimum and maximum per key of the sketches.
fn sketches(snapshot: &Snapshot) -> BTreeMap<[String; 5], [i64; 4]> {
    let names = [
        "hour",
        "pipeline_name",
        "step_name",
        "node_type",
        "result",
        "count",
        "sum_ns",
        "min_ns",
        "max_ns",
    ];
    let mut found: BTreeMap<[String; 5], [i64; 4]> = BTreeMap::new();
    for [hour, pipeline, step, node, result, numbers @ ..] in
        columns(snapshot, Table::StepLatency, names)
    {
        let [count, sum, min, max] = numbers.map(|it: String| it.parse::<i64>().unwrap());
        let it = found.entry([hour, pipeline, step, node, result]).or_insert([0, 0, min, max]);
        *it = [it[0] + count, it[1] + sum, it[2].min(min), it[3].max(max)];
    }
    found
}

pub(super) fn files(snapshot: &Snapshot, table: Table) -> usize {
    snapshot.tables[&table].files.len()
}

pub(super) fn check_sound(path: &Path, at: &str) {
    let report = check::check(path, NOW_US, &mut |_| ()).unwrap();
    assert_eq!(report.count(Severity::Error), 0, "{at}: {:#?}", report.findings);
}

/// Strays of a folder: data files that no commit names.
fn strays(store: &Store) -> usize {
    let report = check::check(store.path(), NOW_US, &mut |_| ()).unwrap();
    report.findings.iter().filter(|it| it.path.to_string_lossy().ends_with(".parquet")).count()
}

/// The actions of a table's newest commit.
fn newest_commit(path: &Path, table: Table) -> Vec<serde_json::Value> {
    let log = path.join("tables").join(table.name()).join("_delta_log");
    let names = fs::read_dir(log).unwrap().map(|it| it.unwrap().path());
    let newest = names.filter(|it| it.extension().is_some_and(|it| it == "json")).max().unwrap();
    let text = fs::read_to_string(newest).unwrap();
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn rows_stay_files_become_few_and_whoever_has_a_snapshot_still_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 0..12);
    let before = store.snapshot().unwrap();
    let (text, sums) = (all_rows(&before), sketches(&before));

    let options = CompactOptions { dry_run: true, ..CompactOptions::default() };
    let mut go_on = |_| ControlFlow::Continue(());
    let plan = keeper(folder.path()).compact(&options, &mut go_on).unwrap();
    let now = store.snapshot().unwrap();
    assert!(plan.tables.iter().all(|it| it.merges.iter().all(|it| it.after.is_none())));
    assert_eq!(files(&now, Table::Steps), 12, "a dry run changes nothing");

    let done = compact(folder.path());
    let after = store.snapshot().unwrap();
    assert_eq!(all_rows(&after), text);
    assert_eq!(sketches(&after), sums);
    assert_eq!(after.tables[&Table::StepLatency].rows(), sums.len() as u64, "one row per key");
    for (planned, done) in plan.tables.iter().zip(&done.tables) {
        let name = done.table.name();
        assert_eq!((planned.after.files, done.after.files), (1, 1), "{name}");
        assert_eq!(planned.merges[0].reason, "12 files below 64 MB each");
        assert_eq!(done.merges[0].rows, before.tables[&done.table].rows(), "{name}");
        assert_eq!(files(&after, done.table), 1, "{name}");
        assert!(done.after.size_bytes < done.before.size_bytes, "{name}: {done:?}");
    }
    let commit = newest_commit(folder.path(), Table::Steps);
    let info = &commit[0]["commitInfo"];
    assert_eq!(info["operation"], "OPTIMIZE");
    assert_eq!(info["operationParameters"]["reason"], "12 files below 64 MB each");
    assert_eq!(info["operationParameters"]["auto"], "false");
    assert_eq!(info["operationMetrics"]["numRemovedFiles"], "12");
    assert!(commit[1..].iter().all(|it| {
        it.get("remove").or_else(|| it.get("add")).is_some_and(|it| it["dataChange"] == false)
    }));

    assert_eq!(all_rows(&before), text, "the files of an older snapshot are there");
    check_sound(folder.path(), "after a compaction");
    let again = compact(folder.path());
    assert!(again.tables.iter().all(|it| it.merges.is_empty()), "{again:?}");
    store.commit_blocking(whole_run(99)).unwrap();
    store.close().unwrap();
    assert_eq!(columns(&store.snapshot().unwrap(), Table::Runs, ["run_id"]).len(), 13);
}

#[test]
fn a_merged_file_has_the_order_of_the_files_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    for numbers in [[7, 1], [3, 8], [2, 9]] {
        numbers.iter().for_each(|it| store.commit_blocking(everything(*it)).unwrap());
        store.flush().unwrap();
    }
    compact(folder.path());
    let snapshot = store.snapshot().unwrap();
    for (table, column) in
        [(Table::Steps, "run_id"), (Table::Runs, "run_id"), (Table::Contracts, "contract_digest")]
    {
        let values = columns(&snapshot, table, [column]);
        assert!(values.is_sorted(), "{}: {values:?}", table.name());
        let file = &snapshot.tables[&table].files[0];
        if column == "run_id" {
            assert_eq!(file.run_ids, Some((run_id(1), run_id(9))), "bounds in the log");
        }
    }
}

#[test]
fn one_run_is_found_through_the_index_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 0..20);
    let mut go_on = |_| ControlFlow::Continue(());
    store.catch_up_index(&mut go_on).unwrap();
    let found = |number| store.run(&run_id(number)).unwrap().unwrap();
    let before: Vec<_> = (0..20).map(found).collect();
    compact(folder.path());
    assert_eq!((0..20).map(found).collect::<Vec<_>>(), before);
    store.catch_up_index(&mut go_on).unwrap();
    assert_eq!((0..20).map(found).collect::<Vec<_>>(), before);
    assert_eq!(store.index_status().unwrap().runs_behind, 0);
}

#[test]
fn beside_two_writers_and_a_compactor_no_reader_sees_fewer_rows() {
    let folder = tempfile::tempdir().unwrap();
    let options = || StoreOptions { writers_max: 2, journal_bytes_max: 8 << 10, ..quiet() };
    let stores = [open(folder.path(), options()).unwrap(), open(folder.path(), options()).unwrap()];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = stores
            .iter()
            .zip([0, 1_000])
            .map(|(store, first)| {
                scope.spawn(move || {
                    for number in first..first + 60 {
                        store.commit_blocking(everything(number)).unwrap();
                        if number % 3 == 0 {
                            store.flush().unwrap();
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                compact(folder.path());
            }
        });
        scope.spawn(|| {
            let reader = Store::open_read_only(folder.path()).unwrap();
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::SeqCst) {
                let snapshot = reader.snapshot().unwrap();
                let runs: BTreeSet<_> =
                    columns(&snapshot, Table::Runs, ["run_id"]).into_iter().collect();
                assert!(runs.is_superset(&seen), "runs went away");
                let steps = columns(&snapshot, Table::Steps, ["run_id", "step_id"]);
                let distinct: BTreeSet<_> = steps.iter().collect();
                assert_eq!(steps.len(), distinct.len(), "a step is there twice");
                assert!(steps.len() >= runs.len() * 5, "a run is there without its steps");
                seen = runs;
            }
        });
        for writer in writers {
            let written = writer.join();
            done.store(true, Ordering::SeqCst);
            written.unwrap();
        }
    });
    stores.iter().for_each(|it| it.close().unwrap());
    let snapshot = stores[0].snapshot().unwrap();
    let runs: BTreeSet<_> = columns(&snapshot, Table::Runs, ["run_id"]).into_iter().collect();
    assert_eq!((runs.len(), snapshot.tables[&Table::Runs].rows()), (120, 120));
    assert_eq!(snapshot.tables[&Table::Steps].rows(), 600);
    let counted: i64 = sketches(&snapshot).values().map(|it| it[0]).sum();
    assert_eq!(counted, 600);
    check_sound(folder.path(), "after all");
}

fn keeper_on(disk: &FaultDisk, machine: &Machine) -> Result<Keeper> {
    // no two processes of a test have the same ids
    static SEED: AtomicU64 = AtomicU64::new(77);
    let ids = Arc::new(SeededIds::new(SEED.fetch_add(1, Ordering::SeqCst) << 32));
    let clock = ManualClock::at(NOW_US);
    Keeper::open_on(disk.shared(), &machine.store(), clock, ids)
}

fn compact_on(disk: &FaultDisk, machine: &Machine) -> Result<Compacted> {
    let mut go_on = |_| ControlFlow::Continue(());
    keeper_on(disk, machine)?.compact(&CompactOptions::default(), &mut go_on)
}

/// A machine with a closed store of some small files.
pub(super) fn prepared() -> (Arc<Machine>, BTreeMap<&'static str, Vec<String>>) {
    prepared_with(everything)
}

fn prepared_with(
    events: fn(i64) -> Vec<Event>,
) -> (Arc<Machine>, BTreeMap<&'static str, Vec<String>>) {
    let machine = Machine::new();
    let clock = ManualClock::at(NOW_US);
    let store =
        open_on(&machine.process(), &machine, small(1, Durability::Run), &clock, 8).unwrap();
    for number in 0..3 {
        store.commit_blocking(events(number)).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
    let rows = all_rows(&store.snapshot().unwrap());
    drop(store);
    (machine, rows)
}

#[test]
fn a_crash_or_a_power_loss_at_any_operation_loses_and_doubles_nothing() {
    let (prepared, expected) = prepared_with(whole_run);
    let all = prepared.power_loss(1);
    let disk = all.process();
    compact_on(&disk, &all).unwrap();
    let end = disk.operations();
    assert!(end > 5 * 4, "a compaction of five tables takes {end} operations only");
    each(end, |operation| {
        let machine = prepared.power_loss(1);
        let disk = machine.process().with(Fault::crash().after(operation));
        drop(compact_on(&disk, &machine));
        for (machine, what) in [(machine.power_loss(operation), "power loss"), (machine, "crash")] {
            let at = format!("operation {operation} ({}), {what}", disk.last());
            let reader = Store::open_read_only(&machine.store()).unwrap();
            assert_eq!(all_rows(&reader.snapshot().unwrap()), expected, "{at}");
            check_sound(&machine.store(), &at);
            let done = compact_on(&machine.process(), &machine).unwrap();
            assert!(done.tables.iter().all(|it| it.after.files <= 1), "{at}: {done:?}");
            let now = reader.snapshot().unwrap();
            assert_eq!(all_rows(&now), expected, "{at}");
            let counted: i64 = sketches(&now).values().map(|it| it[0]).sum();
            assert_eq!(counted, 15, "{at}");
        }
    });
    eprintln!("compaction: {end} operations, {} crashes and power losses", 2 * end);
}

#[test]
fn a_commit_whose_reply_was_lost_is_not_undone() {
    let (prepared, expected) = prepared();
    for table in ["runs/_delta_log", "steps/_delta_log", "step_latency/_delta_log"] {
        let machine = prepared.power_loss(1);
        let fault = Fault::lose_reply().on(&[Kind::HardLink]).within(table);
        let disk = machine.process().with(fault);
        drop(compact_on(&disk, &machine));
        let reader = Store::open_read_only(&machine.store()).unwrap();
        assert_eq!(all_rows(&reader.snapshot().unwrap()), expected, "{table}");
        compact_on(&machine.process(), &machine).unwrap();
        assert_eq!(all_rows(&reader.snapshot().unwrap()), expected, "{table}");
    }
}

#[test]
fn of_two_compactors_one_waits_its_turn_or_finds_its_work_done() {
    let (prepared, expected) = prepared();
    let machine = prepared.power_loss(1);
    let held = Fault::hold().on(&[Kind::HardLink]).within("runs/_delta_log");
    let disk = machine.process().with(held);
    let (first, refused, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| compact_on(&disk, &machine));
        disk.wait_until_held();
        let refused = compact_on(&machine.process(), &machine);
        // as a machine would that shares the tables and not the lock
        let unlocked = fs::remove_file(machine.store().join("journal/upkeep.lock"));
        let second = compact_on(&machine.process(), &machine);
        disk.release();
        unlocked.unwrap();
        (first.join().unwrap().unwrap(), refused.unwrap_err(), second.unwrap())
    });
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.message().contains("being looked after by process"), "{refused}");
    assert_eq!(of(&second, Table::Runs).merges.len(), 1);
    assert_eq!(of(&first, Table::Runs).merges, [], "its files were gone");
    let reader = Store::open_read_only(&machine.store()).unwrap();
    assert_eq!(all_rows(&reader.snapshot().unwrap()), expected);
    let name = |it: &fs::DirEntry| it.file_name().to_string_lossy().ends_with(".parquet");
    let there = fs::read_dir(machine.store().join("tables/runs")).unwrap();
    let there = there.map(Result::unwrap).filter(name).count();
    assert_eq!(there, 3 + 1, "what came too late was removed");
}

#[test]
fn a_compaction_that_is_broken_off_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 0..4);
    let before = all_rows(&store.snapshot().unwrap());
    let mut left = 2;
    let error = keeper(folder.path())
        .compact(&CompactOptions::default(), &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let now = store.snapshot().unwrap();
    assert_eq!(all_rows(&now), before);
    let compacted = Table::ALL.iter().filter(|it| files(&now, **it) == 1).count();
    assert_eq!((compacted, strays(&store)), (1, 0), "the first table, and nothing half");
}

#[test]
fn a_damaged_file_is_named_and_left_alone_and_the_others_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 0..5);
    let snapshot = store.snapshot().unwrap();
    let damage = |table: Table, number: usize| {
        let path = snapshot.tables[&table].files[number].path.clone();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        path
    };
    let (flipped, gone) = (damage(Table::Steps, 2), damage(Table::Scores, 0));
    fs::remove_file(&gone).unwrap();
    let done = compact(folder.path());
    for (table, path) in [(Table::Steps, &flipped), (Table::Scores, &gone)] {
        let it = of(&done, table);
        assert_eq!(it.after.files, 2, "{it:?}");
        let [(named, why)] = &it.left_alone[..] else { panic!("{it:?}") };
        assert_eq!(named, path);
        assert!(why.contains("digest") || why.contains("missing"), "{why}");
        let now = store.snapshot().unwrap();
        assert!(now.tables[&table].files.iter().any(|it| it.path == *path), "it is still listed");
    }
    assert_eq!(of(&done, Table::Issues).after.files, 1);
}

#[test]
fn a_table_with_columns_of_a_newer_build_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), 0..3));
    let commit = folder.path().join("tables/steps/_delta_log/00000000000000000000.json");
    let text = fs::read_to_string(&commit).unwrap();
    let field = r#"{\"name\":\"mood\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}"#;
    let text = text.replace(r#"\"fields\":["#, &format!(r#"\"fields\":[{field},"#));
    let crc = text.find("genstoreCrc32c").unwrap();
    fs::write(&commit, text.replacen(&text[crc..crc + 14], "was_a_checksum", 1)).unwrap();
    let done = compact(folder.path());
    let steps = of(&done, Table::Steps);
    assert!(steps.skipped.as_ref().is_some_and(|it| it.contains("mood")), "{steps:?}");
    assert_eq!(of(&done, Table::Runs).after.files, 1, "the others go on");
    let store = open(folder.path(), quiet()).unwrap();
    assert_eq!(files(&store.snapshot().unwrap(), Table::Steps), 3);
    store.commit_blocking(whole_run(9)).unwrap();
    store.close().unwrap();
}

/// Counts and sums of numbers of each table, as each program reads it through its own reader.
const SUMS: &str = r#"
import sys, deltalake, duckdb, polars, pyarrow.compute as pc
root, tables = sys.argv[1], sys.argv[2:]
for name in tables:
    table = deltalake.DeltaTable(f"{root}/{name}")
    arrow = table.to_pyarrow_table()
    numbers = [f.name for f in arrow.schema if str(f.type) in ("int64", "double")]
    def near(it): return round(float(it or 0), 3)
    sums = [near(pc.sum(arrow[it]).as_py()) for it in numbers]
    other = polars.read_delta(f"{root}/{name}")
    assert other.height == arrow.num_rows
    assert [near(other[it].sum()) for it in numbers] == sums, name
    files = table.file_uris()
    what = ", ".join(["count(*)"] + [f"sum({it})" for it in numbers])
    row = duckdb.sql(f"SELECT {what} FROM read_parquet({files!r})").fetchall()[0]
    assert row[0] == arrow.num_rows and [near(it) for it in row[1:]] == sums, (name, row, sums)
    print(name, arrow.num_rows, sums)
"#;

#[test]
fn other_programs_count_and_sum_the_same_before_and_after() {
    let Some(python) = Python::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path(), 0..10));
    let sums = || {
        let tables = Table::ALL.iter().filter(|it| **it != Table::StepLatency);
        let mut args = vec![folder.path().join("tables")];
        args.extend(tables.map(|it| it.name().into()));
        python.run(SUMS, args, &[]).unwrap()
    };
    let before = sums();
    let done = compact(folder.path());
    assert!(done.tables.iter().all(|it| it.after.files == 1));
    assert_eq!(sums(), before);
}

#[test]
fn a_merged_file_has_row_groups_of_a_good_size() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    let metric = |number| Event::from(row(Table::Metrics, number));
    for part in 0..3 {
        let rows = (part * 50_000..(part + 1) * 50_000).map(metric).collect();
        store.commit_blocking(rows).unwrap();
        store.flush().unwrap();
    }
    let options = CompactOptions { tables: vec![Table::Metrics], ..CompactOptions::default() };
    let mut told = Vec::new();
    keeper(folder.path())
        .compact(&options, &mut |it| {
            told.push((it.rows_done, it.rows_total));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(told.last(), Some(&(150_000, 150_000)));
    let file = store.snapshot().unwrap().tables[&Table::Metrics].files[0].path.clone();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let groups = reader.metadata().row_groups().iter().map(|it| it.num_rows());
    assert_eq!(groups.collect::<Vec<_>>(), [131_072, 18_928]);
}
