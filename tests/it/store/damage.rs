//! Bytes that are not what was written, and paths that are no store.

use std::fs;
use std::path::Path;

use genstore::error::ErrorKind;
use genstore::event::Table;
use genstore::store::{Store, StoreOptions};

use super::rows::{open, quiet, whole_run};

/// A store whose journal holds three frames, as a killed writer leaves it; and the journal's path.
fn killed(path: &Path) -> std::path::PathBuf {
    let store = open(path, quiet()).unwrap();
    for number in 0..3 {
        store.commit_blocking(whole_run(number)).unwrap();
    }
    let journal = path.join("journal/0/1.wal");
    let bytes = fs::read(&journal).unwrap();
    drop(store);
    for entry in fs::read_dir(path.join("tables")).unwrap() {
        let folder = entry.unwrap().path();
        for version in 1..3 {
            fs::remove_file(folder.join(format!("_delta_log/{version:020}.json"))).ok();
        }
    }
    fs::write(&journal, bytes).unwrap();
    journal
}

fn frames(bytes: &[u8]) -> Vec<usize> {
    let magic = |window: &[u8]| window == b"GSJ1";
    let mut starts: Vec<_> =
        bytes.windows(4).enumerate().filter(|(_, it)| magic(it)).map(|(at, _)| at).collect();
    starts.push(bytes.len());
    starts
}

#[test]
fn a_torn_tail_is_cut_by_a_writer_and_left_by_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path());
    let bytes = fs::read(&journal).unwrap();
    let starts = frames(&bytes);
    assert_eq!(starts.len(), 5); // header, three frames, the end
    for length in starts[3]..bytes.len() {
        fs::write(&journal, &bytes[..length]).unwrap();
        let reader = Store::open_read_only(folder.path()).unwrap();
        assert_eq!(reader.snapshot().unwrap().tables[&Table::Runs].rows(), 2, "{length}");
        assert_eq!(fs::metadata(&journal).unwrap().len(), length as u64);
    }
    let store = open(folder.path(), quiet()).unwrap();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
    assert_eq!(fs::metadata(&journal).unwrap().len(), starts[3] as u64);
    store.commit_blocking(whole_run(7)).unwrap();
    store.close().unwrap();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 3);
}

#[test]
fn a_bit_flip_before_a_valid_frame_is_loud_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path());
    let bytes = fs::read(&journal).unwrap();
    let starts = frames(&bytes);
    for at in [3, starts[1] + 2, starts[1] + 13, starts[1] + 17, starts[1] + 60, starts[2] + 40] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&journal, &flipped).unwrap();
        let frame = starts.iter().rev().find(|start| **start <= at).unwrap();
        let reader = Store::open_read_only(folder.path()).unwrap();
        for error in [reader.snapshot().unwrap_err(), open(folder.path(), quiet()).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{at}: {error}");
            assert!(error.message().contains("1.wal"), "{error}");
            assert!(error.message().contains(&format!("offset {frame}:")), "{at}: {error}");
        }
        assert_eq!(fs::read(&journal).unwrap(), flipped, "nothing was changed");
    }
}

#[test]
fn an_empty_or_torn_commit_is_loud() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    drop(store);
    let commit = folder.path().join("tables/steps/_delta_log/00000000000000000001.json");
    let whole = fs::read(&commit).unwrap();
    for length in [0, whole.len() / 2, whole.len() - 3] {
        fs::write(&commit, &whole[..length]).unwrap();
        let snapshot = Store::open_read_only(folder.path()).unwrap().snapshot().unwrap();
        let error = snapshot.tables[&Table::Steps].damage.as_deref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        assert!(error.message().contains("steps/_delta_log/00000000000000000001.json"), "{error}");
        assert!(error.hint().unwrap().contains("genstore store check"), "{error}");
        assert_eq!(snapshot.tables[&Table::Runs].rows(), 1);
        assert_eq!(snapshot.tables[&Table::Issues].rows(), 1);
    }
}

#[test]
fn a_commit_that_is_missing_before_another_is_loud_and_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..2 {
        let store = open(folder.path(), quiet()).unwrap();
        store.commit_blocking(whole_run(number)).unwrap();
        store.close().unwrap();
    }
    for version in 0..2 {
        let commit = folder.path().join(format!("tables/steps/_delta_log/{version:020}.json"));
        let whole = fs::read(&commit).unwrap();
        fs::remove_file(&commit).unwrap();
        let reader = Store::open_read_only(folder.path()).unwrap();
        let damage = || {
            let snapshot = reader.snapshot().unwrap();
            assert_eq!(snapshot.tables[&Table::Runs].rows(), 2);
            snapshot.tables[&Table::Steps].damage.as_ref().unwrap().again()
        };
        let errors = [
            damage(),
            damage(), // a second look does not forget
            open(folder.path(), quiet()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            assert!(error.message().contains(&format!("{version:020}.json")), "{error}");
        }
        assert!(!commit.exists(), "nothing was written in its place");
        fs::write(&commit, whole).unwrap();
    }
    let reader = Store::open_read_only(folder.path()).unwrap();
    assert_eq!(reader.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
}

#[test]
fn what_is_no_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let stranger = folder.path().join("stranger");
    fs::create_dir(&stranger).unwrap();
    fs::write(stranger.join("notes.txt"), "mine").unwrap();
    for path in [&file, &stranger] {
        let write = open(path, quiet()).unwrap_err();
        let read = Store::open_read_only(path).unwrap_err();
        for error in [write, read] {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert!(error.message().contains(&path.display().to_string()));
            assert!(error.hint().is_some());
        }
    }
    assert_eq!(fs::read_dir(&stranger).unwrap().count(), 1);
    let missing = folder.path().join("missing");
    let error = Store::open_read_only(&missing).unwrap_err();
    assert!(error.message().contains("does not exist"), "{error}");
    assert!(!missing.exists());
}

#[test]
fn a_newer_format_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), quiet()).unwrap());
    let path = folder.path().join("store.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"format_version\": 1", "\"format_version\": 2")).unwrap();
    for error in [
        open(folder.path(), quiet()).unwrap_err(),
        Store::open_read_only(folder.path()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("format version 2"), "{error}");
    }
    fs::write(&path, "{}").unwrap();
    assert_eq!(open(folder.path(), quiet()).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn a_protocol_that_is_unknown_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), quiet()).unwrap());
    let commit = folder.path().join("tables/runs/_delta_log/00000000000000000001.json");
    fs::write(&commit, r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7}}"#).unwrap();
    let reader = Store::open_read_only(folder.path()).unwrap();
    let snapshot = reader.snapshot().unwrap();
    let error = snapshot.tables[&Table::Runs].damage.as_deref().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("reader version 3"), "{error}");
    assert!(snapshot.tables[&Table::Steps].damage.is_none());
}

#[test]
fn what_a_dead_writer_did_not_finish_goes_and_that_of_a_living_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { writers_max: 2, ..quiet() };
    let store = open(folder.path(), options.clone()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    let id = uuid::Uuid::from_u128(7);
    let runs = folder.path().join("tables/runs");
    let data = runs.join(format!("{id}.parquet.tmp"));
    let commit = runs.join(format!("_delta_log/_commit_{id}.json.tmp"));
    let other = runs.join("notes.parquet.tmp");
    for file in [&data, &commit, &other] {
        fs::write(file, "half").unwrap();
    }
    drop(open(folder.path(), options.clone()).unwrap());
    assert!(data.exists() && commit.exists(), "the first writer may be writing them");
    drop(store);
    let store = open(folder.path(), options).unwrap();
    assert!(!data.exists() && !commit.exists());
    assert!(other.exists());
    assert_eq!(store.snapshot().unwrap().tables[&Table::Runs].rows(), 1);
}

#[test]
fn without_runs_the_other_tables_show_flushed_and_hot_rows_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    store.flush().unwrap();
    store.commit_blocking(whole_run(2)).unwrap();
    let commit = folder.path().join("tables/runs/_delta_log/00000000000000000001.json");
    let whole = fs::read(&commit).unwrap();
    fs::write(&commit, "").unwrap();
    // the writer has read that commit; a reader that comes now has not
    let reader = Store::open_read_only(folder.path()).unwrap();
    for _ in 0..2 {
        let snapshot = reader.snapshot().unwrap();
        assert!(snapshot.tables[&Table::Runs].damage.is_some());
        assert_eq!(snapshot.tables[&Table::Runs].rows(), 0);
        assert_eq!(snapshot.tables[&Table::Steps].rows(), 10);
        assert_eq!(snapshot.tables[&Table::Issues].rows(), 2);
    }
    fs::write(&commit, whole).unwrap();
    assert_eq!(reader.snapshot().unwrap().tables[&Table::Runs].rows(), 2);
}

#[test]
fn a_flush_into_a_damaged_table_fails_loudly_and_the_journal_keeps_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    let next = folder.path().join("tables/steps/_delta_log/00000000000000000001.json");
    fs::write(&next, "{").unwrap();
    let error = store.flush().unwrap_err();
    assert!(error.message().contains("steps/_delta_log/00000000000000000001.json"), "{error}");
    let snapshot = Store::open_read_only(folder.path()).unwrap().snapshot().unwrap();
    assert_eq!(snapshot.tables[&Table::Runs].rows(), 1);
    assert!(snapshot.tables[&Table::Steps].damage.is_some());
    fs::remove_file(&next).unwrap();
    store.flush().unwrap();
    assert_eq!(store.snapshot().unwrap().tables[&Table::Steps].rows(), 5);
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_folder_in_the_place_of_a_file_is_refused_and_not_waited_for() {
    for name in [
        "store.json",
        "journal/root.json",
        "journal/0/1.wal",
        "tables/steps/_delta_log/00000000000000000000.json",
    ] {
        for pipe in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            killed(folder.path());
            let path = folder.path().join(name);
            fs::remove_file(&path).unwrap();
            if pipe {
                let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
                assert!(made.success());
            } else {
                fs::create_dir(&path).unwrap();
            }
            let read = Store::open_read_only(folder.path()).and_then(|it| it.snapshot());
            match read {
                Ok(snapshot) => assert!(snapshot.tables[&Table::Steps].damage.is_some(), "{name}"),
                Err(error) => assert!(error.in_one_line().contains(name), "{error}"),
            }
            let error = open(folder.path(), quiet()).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let told = format!("{error}: {}", source.unwrap_or_default());
            assert!(told.contains(name), "{told}");
        }
    }
}

#[test]
fn a_journal_of_another_slot_number_or_folder_is_not_counted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path());
    let refused = |name: &str, what: &str| {
        let reader = Store::open_read_only(folder.path()).unwrap();
        for error in [reader.snapshot().unwrap_err(), open(folder.path(), quiet()).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            assert!(error.message().contains(name) && error.message().contains(what), "{error}");
        }
    };
    let second = journal.with_file_name("2.wal");
    fs::copy(&journal, &second).unwrap();
    refused("0/2.wal", "is a copy of file 1 of slot 0");
    fs::remove_file(&second).unwrap();
    let root = folder.path().join("journal/root.json");
    let text = fs::read_to_string(&root).unwrap();
    fs::write(&root, text.replacen("-7", "-6", 1)).unwrap();
    refused("0/1.wal", "belongs to the journals");
    fs::write(&root, text).unwrap();
    assert_eq!(
        open(folder.path(), quiet()).unwrap().snapshot().unwrap().tables[&Table::Runs].rows(),
        3
    );
}

#[test]
fn a_flipped_bit_in_a_commit_is_loud_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    drop(store);
    let commit = folder.path().join("tables/steps/_delta_log/00000000000000000001.json");
    let whole = fs::read(&commit).unwrap();
    let right = Store::open_read_only(folder.path()).unwrap().snapshot().unwrap();
    let mut loud = 0;
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 7);
        fs::write(&commit, &flipped).unwrap();
        let snapshot = Store::open_read_only(folder.path()).unwrap().snapshot().unwrap();
        let steps = &snapshot.tables[&Table::Steps];
        match &steps.damage {
            Some(error) => {
                assert!(error.message().contains("00000000000000000001.json"), "{error}");
                loud += 1;
            }
            None => assert_eq!(steps.files, right.tables[&Table::Steps].files, "at {at}"),
        }
        assert_eq!(snapshot.tables[&Table::Runs].rows(), 1);
    }
    assert!(loud > whole.len() - 30, "{loud} of {}", whole.len());
}
