//! A store of an older build is brought up to date in place: no row changes, whatever breaks it
//! off, and a check then knows every byte.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::journal::disk::{Disk, SystemDisk};
use genstore::store::snapshot::Snapshot;
use genstore::store::{Keeper, Store, UpgradeStep};

use super::check::look;
use super::compat::{copy_folder, fixture};
use super::rows::{all_rows, open, quiet, whole_run};
use crate::disk::{Fault, Machine};

/// After the stamps of the fixture.
const THEN_US: i64 = 1_800_000_000_000_000;

fn upgrade(disk: Arc<dyn Disk>, path: &Path, dry_run: bool) -> Result<Vec<UpgradeStep>> {
    let clock = ManualClock::at(THEN_US);
    Keeper::open_on(disk, path, clock, Arc::new(SystemIds))?.upgrade(dry_run)
}

fn shown(path: &Path) -> Snapshot {
    Store::open_read_only(path).unwrap().snapshot().unwrap()
}

/// Takes the statistics out of a log, as a foreign tool would have left it.
fn forget_stats(path: &Path, table: Table) {
    let log = path.join("tables").join(table.name()).join("_delta_log/00000000000000000001.json");
    let text = fs::read_to_string(&log).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(add) = line.get_mut("add") {
            add.as_object_mut().unwrap().remove("stats").unwrap();
        }
        format!("{line}\n")
    });
    let text: String = lines.collect();
    fs::write(&log, text).unwrap();
}

fn is_stated(snapshot: &Snapshot) -> bool {
    let files: Vec<_> = snapshot.tables.values().flat_map(|it| it.files.iter()).collect();
    !files.is_empty() && files.iter().all(|it| it.digest.is_some() && it.rows.is_some())
}

#[test]
fn a_store_of_the_first_build_gets_digests_and_statistics() {
    let (_folder, path, _) = fixture(1);
    let with_stats = shown(&path);
    forget_stats(&path, Table::Steps);
    let reader = Store::open_read_only(&path).unwrap();
    let before = reader.snapshot().unwrap();
    let logs = || {
        let log = path.join("tables/steps/_delta_log");
        fs::read_dir(log).unwrap().count()
    };
    let disk = || -> Arc<dyn Disk> { Arc::new(SystemDisk) };
    let count = logs();
    let would = upgrade(disk(), &path, true).unwrap();
    assert_eq!(logs(), count, "a dry run changes nothing");
    let did = upgrade(disk(), &path, false).unwrap();
    assert_eq!(did, would);
    let files = before.tables.values().filter(|it| !it.files.is_empty()).count();
    assert_eq!(did.len(), files);
    assert!(did.iter().all(|it| it.what == "noted digest and statistics of 1 data files"));
    assert_eq!(upgrade(disk(), &path, false).unwrap(), [], "nothing to do");
    for after in [reader.snapshot().unwrap(), shown(&path)] {
        assert_eq!(all_rows(&after), all_rows(&before));
        assert!(is_stated(&after));
        let bounds = |it: &Snapshot| {
            let file = &it.tables[&Table::Steps].files[0];
            (file.rows, file.run_ids.clone(), file.times_us, file.committed_ms)
        };
        assert_eq!(bounds(&after), bounds(&with_stats), "as its own build had noted them");
    }
    let report = look(&path);
    assert_eq!(report.findings, []);
    // a flipped bit is found from now on
    let file = shown(&path).tables[&Table::Runs].files[0].path.clone();
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&file, &flipped).unwrap();
    assert_eq!(look(&path).findings[0].rule, "data.digest");
    fs::write(&file, whole).unwrap();
    let store = open(&path, quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    store.close().unwrap();
    assert!(look(&path).is_sound());
}

#[test]
fn an_upgrade_that_breaks_off_anywhere_is_done_again() {
    let (_folder, fixture, _) = fixture(1);
    forget_stats(&fixture, Table::Scores);
    let expected = all_rows(&shown(&fixture));
    let with_store = || {
        let machine = Machine::new();
        copy_folder(&fixture, &machine.store());
        machine
    };
    let machine = with_store();
    let disk = machine.process();
    upgrade(disk.shared(), &machine.store(), false).unwrap();
    let operations = disk.operations();
    assert!(operations > 20);
    for at in 0..operations {
        let machine = with_store();
        let path = &machine.store();
        let reader = Store::open_read_only(path).unwrap();
        reader.snapshot().unwrap();
        let disk = machine.process().with(Fault::crash().after(at));
        let done = upgrade(disk.shared(), path, false);
        let last = disk.last();
        assert!(done.is_err(), "{last}");
        assert_eq!(all_rows(&reader.snapshot().unwrap()), expected, "{last}");
        assert_eq!(all_rows(&shown(path)), expected, "{last}");
        upgrade(machine.process().shared(), path, false).unwrap();
        assert!(is_stated(&shown(path)), "{last}");
        assert_eq!(all_rows(&shown(path)), expected, "{last}");
        assert!(look(path).is_sound(), "{last}");
        assert_eq!(upgrade(machine.process().shared(), path, false).unwrap(), [], "{last}");
    }
}

#[test]
fn a_damaged_file_is_named_and_given_no_digest() {
    let (_folder, path, _) = fixture(1);
    let file = shown(&path).tables[&Table::Scores].files[0].path.clone();
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0);
    fs::write(&file, bytes).unwrap();
    let error = upgrade(Arc::new(SystemDisk), &path, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    let text = format!("{} is damaged: nothing is noted of it", file.display());
    assert_eq!(error.message(), text);
    assert!(shown(&path).tables[&Table::Scores].files[0].digest.is_none());
}
