//! What a repair does: nothing to a sound store; what can be mended, without giving up a row; and
//! what cannot be read is given up only when asked, counted and kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use genstore::clock::{ManualClock, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::journal::disk::{Disk, SystemDisk};
use genstore::store::Store;
use genstore::store::check::{RepairOptions, Repaired, Severity, repair};

use super::check::{copy, cut, files, find, flip, folder, look, make};
use super::rows::{NOW_US, all_rows, open, quiet, whole_run};

pub(crate) fn mend_on(disk: Arc<dyn Disk>, path: &Path, drop_damaged: bool) -> Result<Repaired> {
    let options = RepairOptions { drop_damaged };
    repair(disk, path, options, ManualClock::at(NOW_US), Arc::new(SystemIds), &mut |_| ())
}

pub(crate) fn mend(path: &Path, drop_damaged: bool) -> Repaired {
    mend_on(Arc::new(SystemDisk), path, drop_damaged).unwrap()
}

/// All rows as a reader sees them now.
pub(crate) fn shown(path: &Path) -> BTreeMap<&'static str, Vec<String>> {
    all_rows(&Store::open_read_only(path).unwrap().snapshot().unwrap())
}

#[test]
fn a_sound_store_is_left_as_it_is() {
    let folder = folder();
    make(folder.path());
    let before = files(folder.path());
    let repaired = mend(folder.path(), true);
    assert_eq!((repaired.done, repaired.report.findings), (vec![], vec![]));
    let without_locks = |files: BTreeMap<_, _>| -> Vec<(std::path::PathBuf, Vec<u8>)> {
        files.into_iter().filter(|it: &(std::path::PathBuf, _)| !it.0.ends_with("lock")).collect()
    };
    assert_eq!(without_locks(files(folder.path())), without_locks(before));
}

#[test]
fn nobody_repairs_beside_a_writer_and_nobody_writes_beside_a_repair() {
    let folder = folder();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    let error = mend_on(Arc::new(SystemDisk), folder.path(), false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    drop(store);
    assert!(mend(folder.path(), false).report.is_sound());
}

/// A fault that a repair mends without giving up a row.
type Case = (&'static str, fn(&Path));

const MENDED: &[Case] = &[
    ("journal/0/4.wal", |it| {
        drop(fs::OpenOptions::new().append(true).open(it).map(|mut file| {
            std::io::Write::write_all(&mut file, b"GSJ1 half a frame").unwrap();
        }))
    }),
    ("journal/0/2.wal", |it| flip(it, 400)),
    ("journal/root.json", |it| fs::write(it, "{").unwrap()),
    ("steps/_delta_log/00000000000000000003.json", |it| flip(it, 90)),
    ("steps/_delta_log/00000000000000000003.json", |it| fs::write(it, "").unwrap()),
    ("steps/_delta_log/00000000000000000003.json", |it| cut(it, 30)),
    ("steps/_delta_log/00000000000000000003.json", |it| fs::remove_file(it).unwrap()),
    ("runs/_delta_log/00000000000000000003.json", |it| fs::write(it, "").unwrap()),
    ("step_latency/_delta_log/00000000000000000003.json", |it| fs::write(it, "").unwrap()),
    ("steps/_delta_log/00000000000000000001.json", |it| cut(it, 30)),
    ("steps/_delta_log/00000000000000000002.checkpoint.parquet", |it| flip(it, 700)),
    ("steps/_delta_log/_last_checkpoint", |it| fs::write(it, "no").unwrap()),
    ("alerts/_delta_log/00000000000000000000.json", |it| fs::write(it, "").unwrap()),
    ("steps/parquet", |it| flip(it, 300)),
    ("steps/parquet", |it| cut(it, 9)),
    ("steps/parquet", |it| fs::remove_file(it).unwrap()),
    ("runs/parquet", |it| fs::write(it, "").unwrap()),
    ("step_latency/parquet", |it| fs::write(it, "").unwrap()),
];

/// The file of a case: the first data file of a table, or a path.
fn file_of(folder: &Path, name: &str) -> std::path::PathBuf {
    match name.strip_suffix("/parquet") {
        Some(table) => {
            let folder = folder.join("tables").join(table);
            let mut names: Vec<_> =
                fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
            names.sort();
            names.into_iter().find(|it| it.extension().is_some()).unwrap()
        }
        None => find(folder, name),
    }
}

#[test]
fn what_a_copy_or_a_journal_still_holds_is_mended_without_loss() {
    let sound = folder();
    make(sound.path());
    let expected = shown(sound.path());
    for (number, (name, damage)) in MENDED.iter().enumerate() {
        let folder = folder();
        copy(sound.path(), folder.path());
        damage(&file_of(folder.path(), name));
        let told = look(folder.path());
        assert!(!told.findings.is_empty(), "{number} {name}");
        let repaired = mend(folder.path(), false);
        let mut left = repaired.report.findings.iter();
        assert!(left.all(|it| it.severity == Severity::Note), "{name}: {repaired:#?}");
        assert!(!repaired.done.is_empty(), "{number} {name}");
        assert!(repaired.done.iter().all(|it| it.lost_rows == Some(0)), "{:#?}", repaired.done);
        assert_eq!(shown(folder.path()), expected, "{number} {name}: {:#?}", repaired.done);
        assert_eq!(mend(folder.path(), true).done, [], "{number} {name}: again");
        let store = open(folder.path(), quiet()).unwrap();
        store.commit_blocking(whole_run(9)).unwrap();
        store.close().unwrap();
        let report = look(folder.path());
        assert!(report.is_sound(), "{number} {name}: {:#?}", report.findings);
        let rows = shown(folder.path());
        assert_eq!(rows["runs"].len(), expected["runs"].len() + 2, "the open run is abandoned");
    }
}

#[test]
fn what_nobody_holds_any_more_is_given_up_only_when_asked() {
    let cases: &[(Case, Option<u64>)] = &[
        (("steps/parquet", |it| flip(it, 300)), Some(5)),
        (("steps/parquet", |it| fs::remove_file(it).unwrap()), Some(5)),
        (("steps/_delta_log/00000000000000000003.json", |it| fs::write(it, "").unwrap()), None),
        (("journal/0/4.wal", |it| flip(it, 700)), None),
    ];
    let sound = folder();
    make(sound.path());
    for n in 1..4 {
        fs::remove_file(sound.path().join(format!("journal/0/{n}.wal"))).unwrap();
    }
    let expected = shown(sound.path());
    for (number, ((name, damage), lost)) in cases.iter().enumerate() {
        let folder = folder();
        copy(sound.path(), folder.path());
        let path = file_of(folder.path(), name);
        damage(&path);
        let damaged = fs::read(&path).ok();
        let kept = mend(folder.path(), false);
        assert_eq!(kept.done, [], "{number} {name}");
        assert!(!kept.report.is_sound(), "{number} {name}");
        let given = mend(folder.path(), true);
        let step = given.done.iter().find(|it| it.path == path).unwrap();
        assert_eq!(step.lost_rows, *lost, "{number} {name}: {:#?}", given.done);
        if let Some(damaged) = damaged {
            assert_eq!(fs::read(step.kept_at.as_ref().unwrap()).unwrap(), damaged, "{name}");
        }
        // rows are gone, and what counted them says so; nothing else is
        let errors = given.report.findings.iter().filter(|it| it.severity == Severity::Error);
        assert!(errors.clone().all(|it| it.rule == "rows.sketch"), "{name}: {:#?}", given.report);
        let rows = shown(folder.path());
        for (table, rows) in &rows {
            assert!(rows.iter().all(|it| expected[table].contains(it)), "{number} {name}: {table}");
        }
        assert_eq!(rows["runs"].len(), expected["runs"].len() - usize::from(number == 3));
        assert!(open(folder.path(), quiet()).is_ok());
        assert_eq!(shown(folder.path())["steps"].len(), rows["steps"].len());
    }
}

#[test]
fn stray_temporaries_are_removed_and_stray_data_files_are_kept_aside() {
    let folder = folder();
    make(folder.path());
    let id = uuid::Uuid::from_u128(7);
    let table = folder.path().join("tables").join(Table::Runs.name());
    for name in [format!("{id}.parquet"), format!("{id}.parquet.tmp")] {
        fs::write(table.join(name), "x").unwrap();
    }
    let before = shown(folder.path());
    let repaired = mend(folder.path(), false);
    assert_eq!(repaired.done.len(), 2, "{repaired:#?}");
    for it in &repaired.done {
        assert!(!it.path.exists());
        let kept = it.kept_at.as_ref().map(|kept| fs::read(kept).unwrap());
        let is_data = it.path.extension().is_some_and(|it| it == "parquet");
        assert_eq!(kept, is_data.then(|| b"x".to_vec()), "{it:?}");
    }
    assert_eq!(repaired.report.findings, []);
    assert_eq!(shown(folder.path()), before);
}

#[test]
fn without_journals_the_logs_are_mended_all_the_same() {
    for whole in [true, false] {
        let folder = folder();
        make(folder.path());
        fs::remove_file(folder.path().join("journal/0/4.wal")).unwrap();
        let expected = shown(folder.path());
        if whole {
            fs::remove_dir_all(folder.path().join("journal")).unwrap();
        } else {
            fs::remove_dir_all(folder.path().join("journal/0")).unwrap();
            fs::remove_file(folder.path().join("journal/root.json")).unwrap();
        }
        assert_eq!(mend(folder.path(), true).done, []);
        assert_eq!(folder.path().join("journal").exists(), !whole, "a sound store stays as it is");
        flip(&find(folder.path(), "steps/_delta_log/00000000000000000003.json"), 90);
        let repaired = mend(folder.path(), false);
        assert_eq!(repaired.done.len(), 1, "{repaired:#?}");
        assert_eq!(repaired.report.findings, []);
        assert_eq!(shown(folder.path()), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_now_is_not_given_up() {
    let folder = folder();
    make(folder.path());
    for n in 1..4 {
        fs::remove_file(folder.path().join(format!("journal/0/{n}.wal"))).unwrap();
    }
    // a loop of links stands for a disk that fails, also for those whom no permission stops
    let path = file_of(folder.path(), "steps/parquet");
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let repaired = mend(folder.path(), true);
    assert_eq!(repaired.done, []);
    assert!(!repaired.report.is_sound());
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    assert!(look(folder.path()).is_sound());
}
