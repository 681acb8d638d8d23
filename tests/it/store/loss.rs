//! What a repair must never do: lose or double an acknowledged row that some file still holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use genstore::clock::{IdSource, SystemIds};
use genstore::error::ErrorKind;
use genstore::journal::disk::SystemDisk;
use genstore::journal::{FileHeader, JournalFile, JournalReader};
use genstore::store::StoreOptions;
use genstore::store::check::Remedy;

use super::check::{copy, folder, look, make};
use super::repair::{mend, mend_on, shown};
use super::rows::{open, quiet, whole_run};
use crate::disk::{Fault, Machine};

fn commit_of(path: &Path, table: &str, version: u64) -> PathBuf {
    path.join(format!("tables/{table}/_delta_log/{version:020}.json"))
}

/// A store with a commit and a journal file per run, and no checkpoint.
fn flushed(path: &Path, runs: i64) {
    let store = open(path, quiet()).unwrap();
    for number in 1..=runs {
        store.commit_blocking(whole_run(number)).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
}

#[test]
fn a_repair_that_ends_early_lets_no_writer_forget_the_rows_of_a_journal() {
    let sound = folder();
    make(sound.path());
    let expected = shown(sound.path());
    let mut operations = 0;
    loop {
        let machine = Machine::new();
        let path = machine.store();
        fs::create_dir(&path).unwrap();
        copy(sound.path(), &path);
        // the last commit of `runs` is torn, and journal file 4 is in no table
        fs::write(commit_of(&path, "runs", 4), "").unwrap();
        let disk = machine.process().with(Fault::crash().after(operations));
        let broke = mend_on(disk.shared(), &path, false).is_err();
        let options = || StoreOptions { journal_grace_ms: 0, ..quiet() };
        // no second repair where a writer can go on: it must not need one
        if let Err(error) = open(&path, options()).and_then(|it| it.close()) {
            assert_eq!(error.kind(), ErrorKind::Damaged, "at {operations}: {error}");
            mend(&path, false);
            open(&path, options()).unwrap().close().unwrap();
        }
        let rows = shown(&path);
        for (table, expected) in &expected {
            let has = |row: &String| rows[table].contains(row);
            assert!(expected.iter().all(has), "{table} at {operations}");
            // the run that was open is abandoned
            let more = usize::from(*table == "runs");
            assert_eq!(rows[table].len(), expected.len() + more, "{table} at {operations}");
        }
        if !broke {
            break;
        }
        operations += 1;
    }
    assert!(operations > 20, "{operations}");
}

#[test]
fn a_lost_commit_before_others_is_not_filled_with_the_rows_of_another_file() {
    let folder = folder();
    make(folder.path());
    // no checkpoint stands for the commit, and its journal is gone
    for entry in fs::read_dir(folder.path().join("tables/runs/_delta_log")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("checkpoint") {
            fs::remove_file(path).unwrap();
        }
    }
    fs::remove_file(folder.path().join("journal/0/2.wal")).unwrap();
    let lost = commit_of(folder.path(), "runs", 2);
    fs::write(&lost, "").unwrap();
    let repaired = mend(folder.path(), false);
    assert_eq!(fs::read(&lost).unwrap(), b"", "{:#?}", repaired.done);
    assert!(!repaired.report.is_sound());
}

#[test]
fn a_commit_that_is_given_up_doubles_no_row() {
    let folder = folder();
    flushed(folder.path(), 3);
    let expected = shown(folder.path());
    let commit = commit_of(folder.path(), "runs", 2);
    let text = fs::read_to_string(&commit).unwrap();
    fs::write(&commit, text.replace("\"txn\"", "}txn{")).unwrap();
    fs::write(commit_of(folder.path(), "runs", 3), "").unwrap();
    mend(folder.path(), true);
    open(folder.path(), quiet()).unwrap().close().unwrap();
    let report = look(folder.path());
    assert_eq!(report.findings, []);
    assert_eq!(shown(folder.path()), expected);
}

#[test]
fn a_commit_that_is_given_up_keeps_the_file_with_its_number() {
    let folder = folder();
    flushed(folder.path(), 3);
    let expected = shown(folder.path());
    for n in 1..4 {
        fs::remove_file(folder.path().join(format!("journal/0/{n}.wal"))).unwrap();
    }
    let commit = commit_of(folder.path(), "runs", 3);
    let text = fs::read_to_string(&commit).unwrap();
    fs::write(&commit, text.replace("commitInfo", "commit{{")).unwrap();
    mend(folder.path(), true);
    assert_eq!(shown(folder.path()), expected);
    let mended = fs::read_to_string(&commit).unwrap();
    assert!(mended.contains("\"txn\"") && mended.contains("\"add\""), "{mended}");
}

#[test]
fn a_sealed_journal_file_that_was_cut_is_damage_and_its_whole_frames_are_saved_when_asked() {
    let folder = folder();
    make(folder.path());
    let sealed = folder.path().join("journal/0/4.wal");
    let before = JournalReader::open(&sealed).unwrap();
    let header = FileHeader { n: 5, ..before.header().clone() };
    let next = sealed.with_file_name("5.wal");
    drop(JournalFile::create(&SystemDisk, &next, &header, SystemIds.next_id()).unwrap());
    let whole = fs::read(&sealed).unwrap();
    fs::write(&sealed, &whole[..whole.len() - 5]).unwrap();
    let error = open(folder.path(), quiet()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.message().contains("4.wal is damaged at offset"), "{error}");
    assert!(error.hint().unwrap().contains("--repair"), "{error}");
    let report = look(folder.path());
    let finding = report.findings.iter().find(|it| it.path == sealed).unwrap();
    assert_eq!((finding.rule, finding.remedy), ("journal.frame", Remedy::Drop));
    mend(folder.path(), false);
    assert_eq!(fs::read(&sealed).unwrap().len(), whole.len() - 5, "nothing was cut");
    let repaired = mend_on(Arc::new(SystemDisk), folder.path(), true).unwrap();
    let step = repaired.done.iter().find(|it| it.path == sealed).unwrap();
    assert!(step.lost_bytes > 0 && step.kept_at.is_some(), "{step:?}");
    open(folder.path(), quiet()).unwrap().close().unwrap();
    assert_eq!(shown(folder.path())["steps"].len(), 20, "those of the whole frames");
}
