//! Vacuum: what nobody names goes after a day, what a reader may still want stays, and nothing that
//! the store holds is ever touched, whenever a vacuum dies.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use genstore::clock::{ManualClock, SeededIds};
use genstore::error::Result;
use genstore::event::Table;
use genstore::journal::disk::{Disk, SystemDisk};
use genstore::store::{Store, VacuumOptions, Vacuumed, vacuum_on};

use super::aged::{Aged, keeper, keeper_on, opened, options};
use super::check::{files, folder, look};
use super::rows::{NOW_US, all_rows};
use crate::disk::{Fault, Machine};

const HOUR_US: i64 = 3_600_000_000;

fn vacuum_with(disk: Arc<dyn Disk>, path: &Path, hours: i64, dry_run: bool) -> Result<Vacuumed> {
    let clock = ManualClock::at(NOW_US + hours * HOUR_US);
    let options = VacuumOptions { dry_run, ..VacuumOptions::default() };
    vacuum_on(disk, path, options, clock, Arc::new(SeededIds::new(7 << 40)))
}

fn vacuum(path: &Path, hours: i64) -> Vacuumed {
    vacuum_with(Arc::new(SystemDisk), path, hours, false).unwrap()
}

fn removed(vacuumed: &Vacuumed) -> (u64, u64) {
    let of = |table: Table| vacuumed.tables.iter().find(|it| it.table == table).unwrap();
    (of(Table::Runs).removed.files, of(Table::Runs).kept.files)
}

/// Files of 150 to 120 and of 100 to 80 days.
fn fill(store: &Store) {
    for (from, to) in [(120, 150), (80, 100)] {
        for (number, days) in (from..to).enumerate() {
            let run = Aged::new(u64::try_from(number).unwrap(), days);
            store.commit_blocking(run.whole()).unwrap();
        }
        store.flush().unwrap();
    }
}

fn stray(folder: &Path, name: &str, hours_old: i64) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, "x").unwrap();
    let us = u64::try_from(NOW_US - hours_old * HOUR_US).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_micros(us)).unwrap();
    path
}

#[test]
fn a_reader_an_hour_old_goes_on_and_a_day_later_the_files_go() {
    let folder = folder();
    let store = opened(folder.path());
    fill(&store);
    let old = Store::open_read_only(folder.path()).unwrap().snapshot().unwrap();
    let seen = all_rows(&old);
    keeper(folder.path()).retain(&options(Some(90), &[])).unwrap();
    let now = all_rows(&store.snapshot().unwrap());
    assert_eq!(removed(&vacuum(folder.path(), 1)), (0, 2));
    assert_eq!(all_rows(&old), seen);
    let before = files(folder.path());
    let dry = vacuum_with(Arc::new(SystemDisk), folder.path(), 25, true).unwrap();
    assert!(files(folder.path()) == before, "a dry run changes nothing");
    let done = vacuum(folder.path(), 25);
    assert_eq!(done, dry);
    assert_eq!(removed(&done), (2, 0));
    assert!(old.tables[&Table::Runs].files.iter().all(|it| !it.path.exists()));
    assert_eq!(all_rows(&store.snapshot().unwrap()), now);
    assert_eq!(removed(&vacuum(folder.path(), 25)), (0, 0));
    let report = look(folder.path());
    assert_eq!(report.findings, [], "{:#?}", report.findings);
}

#[test]
fn strays_go_when_they_are_old_or_when_nobody_writes() {
    let folder = folder();
    let store = opened(folder.path());
    fill(&store);
    let runs = folder.path().join("tables/runs");
    let id = |n: u128| uuid::Uuid::from_u128(n);
    let old = stray(&runs, &format!("{}.parquet", id(1)), 30);
    let young = stray(&runs, &format!("{}.parquet", id(2)), 2);
    let temporary = stray(&runs, &format!("{}.parquet.tmp", id(3)), 2);
    let commit = stray(&runs.join("_delta_log"), &format!("_commit_{}.json.tmp", id(4)), 30);
    let foreign = stray(&runs, "notes.txt", 900);
    let aside = folder.path().join("damaged/runs");
    fs::create_dir_all(&aside).unwrap();
    let aside = stray(&aside, &format!("{}.parquet", id(5)), 900);
    let told = vacuum(folder.path(), 0);
    let told = told.tables.iter().find(|it| it.table == Table::Runs).unwrap();
    assert_eq!((told.strays.files, told.kept.files), (2, 2));
    assert!(!old.exists() && !commit.exists(), "a day old");
    assert!(young.exists() && temporary.exists(), "a writer may be about to name them");
    store.close().unwrap();
    vacuum(folder.path(), 0);
    assert!(young.exists(), "the writer still has its slot");
    drop(store);
    vacuum(folder.path(), 0);
    assert!(!young.exists() && !temporary.exists());
    assert!(foreign.exists() && aside.exists());
    assert_eq!(look(folder.path()).findings, []);
}

#[test]
fn a_log_that_cannot_be_read_stops_a_vacuum_before_it_deletes_anything() {
    let folder = folder();
    let store = opened(folder.path());
    fill(&store);
    drop(store);
    keeper(folder.path()).retain(&options(Some(90), &[])).unwrap();
    let log = folder.path().join("tables/steps/_delta_log/00000000000000000001.json");
    fs::write(&log, "").unwrap();
    let before = files(folder.path());
    let error = vacuum_with(Arc::new(SystemDisk), folder.path(), 99, false).unwrap_err();
    assert!(error.message().starts_with("nothing was deleted: "), "{error}");
    let gone = before.keys().filter(|it| !it.exists()).count();
    assert_eq!(gone, 0);
}

#[test]
fn a_crash_or_a_power_loss_at_any_operation_of_a_vacuum_harms_nothing() {
    let prepared = Machine::new();
    let (clock, ids) = (ManualClock::at(NOW_US), Arc::new(SeededIds::new(1 << 40)));
    let disk = prepared.process();
    let path = prepared.store();
    let store = Store::open_on(disk.shared(), &path, super::rows::quiet(), clock, ids).unwrap();
    fill(&store);
    store.close().unwrap();
    drop(store);
    keeper_on(disk.shared(), &path).unwrap().retain(&options(Some(90), &[])).unwrap();
    let rows_of = |machine: &Machine| {
        all_rows(&Store::open_read_only(&machine.store()).unwrap().snapshot().unwrap())
    };
    let expected = rows_of(&prepared);
    let whole = prepared.power_loss(1);
    let disk = whole.process();
    vacuum_with(disk.shared(), &whole.store(), 25, false).unwrap();
    let end = disk.operations();
    assert!(end > 14, "a vacuum takes {end} operations only");
    for operation in 0..end {
        let machine = prepared.power_loss(1);
        let disk = machine.process().with(Fault::crash().after(operation));
        vacuum_with(disk.shared(), &machine.store(), 25, false).unwrap_err();
        let lost = machine.power_loss(operation % 5);
        for machine in [machine, lost] {
            let at = format!("operation {operation}: {}", disk.last());
            assert!(rows_of(&machine) == expected, "{at}");
            vacuum_with(machine.process().shared(), &machine.store(), 25, false).unwrap();
            let report = look(&machine.store());
            assert_eq!(report.findings, [], "{at}: {:#?}", report.findings);
            let data = files(&machine.store().join("tables"));
            let data = data.keys().filter(|it| it.extension().is_some_and(|it| it == "parquet"));
            let named: u64 = Store::open_read_only(&machine.store())
                .unwrap()
                .status()
                .unwrap()
                .tables
                .iter()
                .map(|it| it.files)
                .sum();
            assert_eq!(u64::try_from(data.count()).unwrap(), named, "{at}");
        }
    }
}
