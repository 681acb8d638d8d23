//! A log with checkpoints, cleaned up or damaged: every reader finds the same rows, whenever it
//! began.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::store::{Store, StoreOptions};

use super::rows::{NOW_US, all_rows, quiet, whole_run};
use crate::disk::{Fault, Kind, Machine};
use crate::program::Python;

/// A checkpoint every four commits, and nothing older than the last but one is kept.
fn short_logs() -> StoreOptions {
    StoreOptions { checkpoint_commits: 4, log_commits_kept: 1, log_kept_ms: 0, ..quiet() }
}

/// Opens the store of a machine as one of its processes: nothing waits for a real disk.
fn open(machine: &Arc<Machine>, options: StoreOptions) -> Result<Store> {
    open_at(machine, options, ManualClock::at(NOW_US))
}

fn open_at(
    machine: &Arc<Machine>,
    options: StoreOptions,
    clock: Arc<ManualClock>,
) -> Result<Store> {
    let (disk, ids) = (machine.process().shared(), Arc::new(SystemIds));
    Store::open_on(disk, &machine.store(), options, clock, ids)
}

/// Commits and flushes runs, one by one.
fn flush_runs(store: &Store, numbers: std::ops::Range<i64>) {
    for number in numbers {
        store.commit_blocking(whole_run(number)).unwrap();
        store.flush().unwrap();
    }
}

/// A machine with a store of so many commits.
fn written(options: StoreOptions, runs: i64) -> Arc<Machine> {
    let machine = Machine::new();
    let store = open(&machine, options).unwrap();
    flush_runs(&store, 0..runs);
    store.close().unwrap();
    machine
}

fn log_names(path: &Path, table: Table) -> BTreeSet<String> {
    let folder = log_folder(path, table);
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
}

fn log_folder(path: &Path, table: Table) -> PathBuf {
    path.join("tables").join(table.name()).join("_delta_log")
}

fn checkpoint(path: &Path, table: Table, version: u64) -> PathBuf {
    log_folder(path, table).join(format!("{version:020}.checkpoint.parquet"))
}

fn commit(path: &Path, table: Table, version: u64) -> PathBuf {
    log_folder(path, table).join(format!("{version:020}.json"))
}

fn runs(path: &Path) -> u64 {
    Store::open_read_only(path).unwrap().snapshot().unwrap().tables[&Table::Runs].rows()
}

#[test]
fn a_log_stays_short_and_says_the_same_to_old_and_new_readers() {
    let machine = Machine::new();
    let path = &machine.store();
    let store = open(&machine, short_logs()).unwrap();
    let readers: Vec<Store> = (0..18)
        .map(|number| {
            flush_runs(&store, number..number + 1);
            let reader = Store::open_read_only(path).unwrap();
            let rows = reader.snapshot().unwrap().tables[&Table::Runs].rows();
            assert_eq!(i64::try_from(rows).unwrap(), number + 1);
            reader
        })
        .collect();
    store.close().unwrap();
    let expected = all_rows(&store.snapshot().unwrap());
    assert_eq!(expected["runs"].len(), 18);
    for (number, reader) in readers.iter().enumerate() {
        assert_eq!(all_rows(&reader.snapshot().unwrap()), expected, "the reader of run {number}");
    }
    for table in [Table::Runs, Table::Steps] {
        // 18 commits after the first; 16 is the newest checkpoint, and 12 the one before it
        let mut names: BTreeSet<_> = (12..=18).map(|it| format!("{it:020}.json")).collect();
        names.extend([12, 16].map(|it| format!("{it:020}.checkpoint.parquet")));
        names.insert("_last_checkpoint".to_owned());
        assert_eq!(log_names(path, table), names);
    }
    assert_eq!(log_names(path, Table::Alerts).len(), 1, "a table without commits");
    let store = open(&machine, short_logs()).unwrap();
    flush_runs(&store, 18..20);
    store.close().unwrap();
    assert_eq!(runs(path), 20);
}

#[test]
fn the_newest_commits_and_the_young_ones_stay() {
    let machine = Machine::new();
    let path = &machine.store();
    let day_ns = 24 * 3_600_000_000_000;
    let clock = ManualClock::at(NOW_US);
    let options = StoreOptions { log_commits_kept: 10, log_kept_ms: 86_400_000, ..short_logs() };
    let open = || open_at(&machine, options.clone(), Arc::clone(&clock)).unwrap();
    let oldest = || log_names(path, Table::Runs).into_iter().next().unwrap();
    let store = open();
    flush_runs(&store, 0..16);
    store.close().unwrap();
    assert_eq!(oldest(), format!("{:020}.json", 0), "all are young");
    clock.advance_ns(day_ns);
    let store = open();
    flush_runs(&store, 16..20);
    store.close().unwrap();
    assert_eq!(oldest(), format!("{:020}.checkpoint.parquet", 8), "11 to 20 are the newest ten");
    assert_eq!(runs(path), 20);
}

#[test]
fn a_damaged_checkpoint_costs_nothing_while_the_commits_are_there() {
    let machine = written(StoreOptions { log_commits_kept: 100, ..short_logs() }, 9);
    let path = &machine.store();
    let expected = all_rows(&Store::open_read_only(path).unwrap().snapshot().unwrap());
    for version in [8, 4] {
        let file = checkpoint(path, Table::Runs, version);
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 3] ^= 4;
        for bytes in [&whole[..whole.len() / 2], &[][..], &flipped] {
            fs::write(&file, bytes).unwrap();
            let reader = Store::open_read_only(path).unwrap();
            assert_eq!(all_rows(&reader.snapshot().unwrap()), expected);
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap(); // not even a file
        assert_eq!(runs(path), 9);
    }
    fs::write(log_folder(path, Table::Runs).join("_last_checkpoint"), "{\"vers").unwrap();
    assert_eq!(runs(path), 9);
    let store = open(&machine, short_logs()).unwrap();
    flush_runs(&store, 9..13);
    store.close().unwrap();
    assert_eq!(runs(path), 13);
}

#[test]
fn a_damaged_checkpoint_without_its_commits_is_named() {
    let machine = written(short_logs(), 9);
    let path = &machine.store();
    assert!(!commit(path, Table::Steps, 3).exists());
    // the newest alone is not missed: the one before it and its commits are there
    fs::write(checkpoint(path, Table::Steps, 8), "PAR1").unwrap();
    assert_eq!(runs(path), 9);
    fs::write(checkpoint(path, Table::Steps, 4), "PAR1").unwrap();
    let reader = Store::open_read_only(path).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let damage = snapshot.tables[&Table::Steps].damage.as_ref().unwrap();
    assert_eq!(damage.kind(), ErrorKind::Damaged);
    assert!(damage.message().contains("4.checkpoint.parquet"), "{damage}");
    assert!(damage.hint().unwrap().contains("genstore store check"));
    assert_eq!(snapshot.tables[&Table::Runs].rows(), 9, "other tables can be read");
}

#[test]
fn a_commit_that_is_missing_after_the_checkpoint_is_loud_and_not_overwritten() {
    let machine = written(short_logs(), 11);
    let path = &machine.store();
    let reader = Store::open_read_only(path).unwrap();
    reader.snapshot().unwrap();
    let missing = commit(path, Table::Steps, 10);
    let whole = fs::read(&missing).unwrap();
    fs::remove_file(&missing).unwrap();
    let error = open(&machine, quiet()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
    assert!(error.message().contains(&format!("{:020}.json", 10)), "{error}");
    assert!(!missing.exists());
    fs::write(&missing, whole).unwrap();
    // a reader that has read the newest commit notices that it is gone
    fs::remove_file(commit(path, Table::Steps, 11)).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let damage = snapshot.tables[&Table::Steps].damage.as_ref().unwrap();
    assert!(damage.message().contains(&format!("{:020}.json", 11)), "{damage}");
}

#[test]
fn a_checkpoint_that_cannot_be_written_fails_no_flush_and_comes_later() {
    let machine = Machine::new();
    let full = Fault::fail(io::ErrorKind::StorageFull).within("checkpoint").lasting();
    let disk = machine.process().with(full);
    let path = &machine.store();
    let clock = ManualClock::at(NOW_US);
    let store =
        Store::open_on(disk.shared(), path, short_logs(), clock, Arc::new(SystemIds)).unwrap();
    flush_runs(&store, 0..7);
    store.close().unwrap();
    let names = log_names(path, Table::Runs);
    assert_eq!(names.len(), 8, "eight commits, and nothing half-written: {names:?}");
    assert!(disk.count(Kind::WriteNew, "runs/_delta_log/_checkpoint") > 0, "it was tried");
    // the next writer finds that one is missing, and writes it
    let store = open(&machine, short_logs()).unwrap();
    flush_runs(&store, 7..8);
    store.close().unwrap();
    assert!(checkpoint(path, Table::Runs, 8).exists());
    assert_eq!(runs(path), 8);
}

#[test]
fn a_commit_that_was_copied_doubles_nothing() {
    let machine = written(quiet(), 2);
    let path = &machine.store();
    let expected = all_rows(&Store::open_read_only(path).unwrap().snapshot().unwrap());
    for table in [Table::Runs, Table::Steps] {
        for (from, to) in [(2, 3), (1, 4)] {
            fs::copy(commit(path, table, from), commit(path, table, to)).unwrap();
        }
    }
    let reader = Store::open_read_only(path).unwrap();
    assert_eq!(all_rows(&reader.snapshot().unwrap()), expected);
    let store = open(&machine, short_logs()).unwrap();
    flush_runs(&store, 2..9);
    store.close().unwrap();
    assert!(checkpoint(path, Table::Runs, 8).exists());
    assert_eq!(runs(path), 9);
    drop(open(&machine, quiet()).unwrap());
    assert_eq!(runs(path), 9, "no journal is taken for new");
}

#[test]
fn flush_times_rise_across_checkpoints_though_the_clock_jumps_back() {
    let machine = Machine::new();
    let path = &machine.store();
    let options = StoreOptions { log_commits_kept: 100, ..short_logs() };
    for (session, now_us) in [NOW_US + 3_600_000_000, NOW_US, NOW_US + 1].into_iter().enumerate() {
        let clock = ManualClock::at(now_us);
        let store = open_at(&machine, options.clone(), clock).unwrap();
        let first = i64::try_from(session).unwrap() * 4;
        flush_runs(&store, first..first + 4);
        store.close().unwrap();
    }
    let times: Vec<i64> = (1..=12)
        .map(|version| {
            let text = fs::read_to_string(commit(path, Table::Runs, version)).unwrap();
            let line = serde_json::from_str::<serde_json::Value>(text.lines().next().unwrap());
            line.unwrap()["commitInfo"]["genstoreFlushTimeUs"].as_i64().unwrap()
        })
        .collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    assert!(checkpoint(path, Table::Runs, 12).exists());
    assert_eq!(runs(path), 12);
}

/// Sets the time of a log's files.
fn set_times(path: &Path, table: Table, time_us: i64) {
    let time = UNIX_EPOCH + Duration::from_micros(u64::try_from(time_us).unwrap());
    for name in log_names(path, table) {
        let file = fs::File::options().write(true).open(log_folder(path, table).join(name));
        file.unwrap().set_modified(time).unwrap();
    }
}

#[test]
fn commits_go_though_the_clock_was_ahead_or_one_is_damaged() {
    let options = StoreOptions { log_kept_ms: 86_400_000, ..short_logs() };
    let (day_us, year_us) = (86_400_000_000, 365 * 86_400_000_000);
    for ahead_us in [year_us, 0] {
        let machine = Machine::new();
        let path = &machine.store();
        let open = |now_us| open_at(&machine, options.clone(), ManualClock::at(now_us)).unwrap();
        let store = open(NOW_US + ahead_us);
        flush_runs(&store, 0..9);
        store.close().unwrap();
        if ahead_us == 0 {
            fs::write(commit(path, Table::Runs, 1), "{").unwrap();
        }
        set_times(path, Table::Runs, NOW_US);
        let store = open(NOW_US + day_us);
        flush_runs(&store, 9..12);
        store.close().unwrap();
        let oldest = log_names(path, Table::Runs).into_iter().next().unwrap();
        assert_eq!(oldest, format!("{:020}.checkpoint.parquet", 8), "{ahead_us}");
        assert_eq!(runs(path), 12);
    }
}

fn journals(path: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(path.join("journal/0")).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|it| it.ends_with(".wal")).collect()
}

#[test]
fn journal_files_of_before_a_checkpoint_go_after_their_grace_time() {
    let machine = written(short_logs(), 4);
    let path = &machine.store();
    let before = journals(path);
    assert_eq!(before.len(), 4);
    let write_at = |now_us| {
        let store = open_at(&machine, short_logs(), ManualClock::at(now_us)).unwrap();
        flush_runs(&store, 10..11);
        store.close().unwrap();
    };
    write_at(NOW_US + 30_000_000);
    assert!(journals(path).is_superset(&before), "their time has not come");
    write_at(NOW_US + 61_000_000);
    assert!(journals(path).is_disjoint(&before));
}

#[test]
fn journal_files_go_though_the_clock_was_set_back() {
    let machine = written(short_logs(), 2);
    let path = &machine.store();
    let before = journals(path);
    let clock = ManualClock::at(NOW_US - 3_600_000_000);
    let store = open_at(&machine, short_logs(), Arc::clone(&clock)).unwrap();
    flush_runs(&store, 2..4); // the second flush comes after a look at what the first has left
    assert!(journals(path).is_superset(&before), "their time has not come");
    clock.advance_ns(61_000_000_000);
    flush_runs(&store, 4..5);
    store.close().unwrap();
    assert!(journals(path).is_disjoint(&before));
}

#[test]
fn other_programs_read_a_log_that_was_cleaned_up() {
    let Some(python) = Python::new() else { return };
    let machine = written(short_logs(), 9);
    let path = &machine.store();
    let read = || {
        let counts = python.counts(path, 1).unwrap();
        let snapshot = Store::open_read_only(path).unwrap().snapshot().unwrap();
        for (table, it) in snapshot.tables {
            assert_eq!(u64::try_from(counts[table.name()]).unwrap(), it.rows(), "{table:?}");
        }
    };
    read();
    fs::write(log_folder(path, Table::Runs).join("_last_checkpoint"), "{\"vers").unwrap();
    read();
    // and a checkpoint that another program has written is one here, too
    let script = "import sys, deltalake; deltalake.DeltaTable(sys.argv[1]).create_checkpoint()";
    for table in [Table::Runs, Table::Steps] {
        let folder = path.join("tables").join(table.name());
        python.run(script, [folder], &[]).unwrap();
        assert!(checkpoint(path, table, 9).exists());
        for version in 4..=8 {
            fs::remove_file(commit(path, table, version)).unwrap();
            fs::remove_file(checkpoint(path, table, version)).ok();
        }
    }
    read();
    let store = open(&machine, short_logs()).unwrap();
    flush_runs(&store, 9..14);
    store.close().unwrap();
    assert_eq!(runs(path), 14);
    read();
}
