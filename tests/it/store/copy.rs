//! A store to another place: the rows of one moment, whatever breaks it off and whoever writes on.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::journal::disk::{Disk, SystemDisk};
use genstore::store::{Copied, Location, Store, copy_on};

use super::check::{folder, look};
use super::rows::{NOW_US, all_rows, column, open, quiet, rows, whole_run};
use crate::disk::{Fault, Kind, Machine};

/// Two flushes, and a run that only the journal holds, whose writer is still there.
fn source(path: &Path) -> Store {
    let store = open(path, quiet()).unwrap();
    for number in 0..2 {
        store.commit_blocking(whole_run(number)).unwrap();
        store.flush().unwrap();
    }
    store.commit_blocking(whole_run(2)).unwrap();
    store
}

fn copied(disk: Arc<dyn Disk>, from: &Path, to: &Path) -> Result<Copied> {
    let (from, to) = (Location::from(from), Location::from(to));
    copy_on(disk, &from, &to, ManualClock::at(NOW_US + 1), Arc::new(SystemIds), &mut |_| ())
}

fn system() -> Arc<dyn Disk> {
    Arc::new(SystemDisk)
}

fn shown(path: &Path) -> genstore::store::snapshot::Snapshot {
    Store::open_read_only(path).unwrap().snapshot().unwrap()
}

#[test]
fn a_copy_has_the_rows_of_one_moment_and_a_life_of_its_own() {
    let (folder, target) = (folder(), folder());
    let (from, to) = (folder.path(), target.path().join("a/copy"));
    let store = source(from);
    let before = shown(from);
    let mut number = 10;
    let done = copy_on(
        system(),
        &Location::from(from),
        &Location::from(to.as_path()),
        ManualClock::at(NOW_US + 1),
        Arc::new(SystemIds),
        &mut |_| {
            // the writer goes on meanwhile
            store.commit_blocking(whole_run(number)).unwrap();
            store.flush().unwrap();
            number += 1;
        },
    )
    .unwrap();
    assert!(number > 15, "the writer wrote at every file");
    let after = shown(&to);
    assert_eq!(all_rows(&after), all_rows(&before));
    assert_eq!(rows(&after, Table::StepLatency), rows(&before, Table::StepLatency));
    assert!(after.tables.values().all(|it| it.hot.is_empty()));
    for it in &done.tables {
        assert_eq!(it.rows, before.tables[&it.table].rows(), "{}", it.table.name());
    }
    let same = |it: &&genstore::store::snapshot::DataFile| {
        let name = it.path.strip_prefix(from).unwrap();
        fs::read(&it.path).unwrap() == fs::read(to.join(name)).unwrap()
    };
    let files: Vec<_> = before.tables.values().flat_map(|it| it.files.iter()).collect();
    assert_eq!(files.iter().filter(|it| same(it)).count(), files.len(), "byte for byte");
    assert_eq!(look(&to).findings, []);

    let id = |path: &Path| Store::open_read_only(path).unwrap().status().unwrap().store_id;
    assert_eq!(id(&to), done.store_id);
    assert_ne!(id(&to), id(from));
    let own = open(&to, quiet()).unwrap();
    own.commit_blocking(whole_run(100)).unwrap();
    own.close().unwrap();
    assert_eq!(column(&shown(&to), Table::Runs, "run_id").len(), 4);
    assert_eq!(look(&to).findings, []);
    store.close().unwrap();
    assert!(look(from).is_sound());
}

#[test]
fn a_copy_that_breaks_off_anywhere_is_no_store_and_is_gone_on_with() {
    let folder = folder();
    let from = folder.path();
    let store = source(from);
    let expected = all_rows(&shown(from));
    let machine = Machine::new();
    let disk = machine.process();
    copied(disk.shared(), from, &machine.store()).unwrap();
    let operations = disk.operations();
    assert!(operations > 50);
    let written = disk.count(Kind::WriteNew, ".parquet");
    for at in 0..operations {
        let machine = Machine::new();
        let disk = machine.process().with(Fault::crash().after(at));
        let error = copied(disk.shared(), from, &machine.store()).unwrap_err();
        let last = disk.last();
        assert!(disk.operations() > at, "{error}");
        // a process that died, or a power loss that took what it could
        let machine = if at % 2 == 0 { machine } else { machine.power_loss(at / 2) };
        let to = &machine.store();
        if !to.join("store.json").exists() {
            let error = Store::open_read_only(to).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{last}: {error}");
            let error = open(to, quiet());
            // before anything has a name there, a writer may make a store of its own
            if let Err(error) = error {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{last}: {error}");
            } else {
                continue;
            }
        }
        let disk = machine.process();
        let is_done = to.join("store.json").exists() && !to.join("copy.json").exists();
        match copied(disk.shared(), from, to) {
            Err(error) if is_done => assert!(error.message().ends_with("is a store already")),
            again => drop(again.unwrap_or_else(|error| panic!("{last}: {error}"))),
        }
        assert_eq!(all_rows(&shown(to)), expected, "{last}");
        assert_eq!(look(to).findings, [], "{last}");
        let names: Vec<_> = fs::read_dir(to).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "only store.json and tables are left: {names:?}");
        if at % 2 == 0 && at > operations / 2 {
            let again = disk.count(Kind::WriteNew, ".parquet");
            assert!(again < written, "{last}: files that are right are not copied again");
        }
    }
    store.close().unwrap();
}

#[test]
fn a_full_disk_is_told_and_the_copy_goes_on_later() {
    let folder = folder();
    let from = folder.path();
    let store = source(from);
    let machine = Machine::new();
    let full = Fault::fail(std::io::ErrorKind::StorageFull).within(".parquet").after(6).lasting();
    let disk = machine.process().with(full);
    let error = copied(disk.shared(), from, &machine.store()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().starts_with("cannot write "), "{error}");
    disk.repair();
    copied(disk.shared(), from, &machine.store()).unwrap();
    assert_eq!(all_rows(&shown(&machine.store())), all_rows(&shown(from)));
    store.close().unwrap();
}

#[test]
fn a_place_must_be_empty_and_a_source_sound() {
    let (folder, target) = (folder(), folder());
    let (from, to) = (&folder.path().join("from"), &target.path().join("to"));
    source(from).close().unwrap();
    let told = |to: &Path| {
        let error = copied(system(), from, to).unwrap_err();
        (error.kind(), error.message().replace(&to.display().to_string(), "TO"))
    };
    assert_eq!(told(from), (ErrorKind::Usage, "TO is a store already".to_owned()));
    fs::create_dir(to).unwrap();
    fs::write(to.join("notes.txt"), "mine").unwrap();
    assert_eq!(told(to), (ErrorKind::Usage, "TO is not empty".to_owned()));
    assert_eq!(fs::read_dir(to).unwrap().count(), 1, "nothing was put beside it");
    fs::remove_file(to.join("notes.txt")).unwrap();
    fs::write(to.join("copy.json"), "{\"from_store_id\":\"x\"}").unwrap();
    let text = "TO holds a copy of another store that broke off";
    assert_eq!(told(to), (ErrorKind::Usage, text.to_owned()));
    fs::remove_file(to.join("copy.json")).unwrap();

    let file = shown(from).tables[&Table::Steps].files[0].path.clone();
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (bytes, text) in [
        (&flipped[..], " is damaged: it cannot be copied".to_owned()),
        (
            &whole[1..],
            format!(" has {} bytes, and had {} when written", whole.len() - 1, whole.len()),
        ),
    ] {
        fs::write(&file, bytes).unwrap();
        let error = copied(system(), from, to).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged);
        assert_eq!(error.message(), format!("{}{text}", file.display()));
        assert!(!to.join("store.json").exists());
    }
    fs::write(&file, whole).unwrap();
    copied(system(), from, to).unwrap();
    assert_eq!(all_rows(&shown(to)), all_rows(&shown(from)));
    let error = copied(system(), &target.path().join("none"), to).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
