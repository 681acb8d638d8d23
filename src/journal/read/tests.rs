//! Journals of older and newer builds.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::*;
use crate::error::ErrorKind;
use crate::event::{BaselineRow, Row, Text, TimeUs};
use crate::journal::JournalFile;
use crate::journal::disk::SystemDisk;

fn read_file(path: &Path) -> Result<NewEvents> {
    JournalReader::open(path)?.read_new()
}

fn file(header: &FileHeader, payload: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.wal");
    let mut file = JournalFile::create(&SystemDisk, &path, header, uuid::Uuid::now_v7()).unwrap();
    file.append([payload]).unwrap();
    (folder, path)
}

#[test]
fn a_row_that_lacks_the_newest_columns_reads_them_as_their_default() {
    // [{"Row": {"Baselines": ["name", "batch"]}}]: two of four columns
    let old = rmp_serde::to_vec(&[std::collections::BTreeMap::from([(
        "Row",
        std::collections::BTreeMap::from([("Baselines", ("name", "batch"))]),
    )])])
    .unwrap();
    let (_folder, path) = file(&FileHeader::default(), &old);
    let row = BaselineRow {
        name: Text::from("name"),
        batch_id: Text::from("batch"),
        pinned: false,
        time: TimeUs(0),
    };
    assert_eq!(read_file(&path).unwrap().events, [Event::Row(Row::Baselines(row))]);
}

#[test]
fn a_newer_journal_is_refused_and_a_payload_of_something_else_is_damage() {
    let newer = FileHeader { schema_version: SCHEMA_VERSION + 1, ..FileHeader::default() };
    let (_folder, path) = file(&newer, &[0x90]);
    assert_eq!(read_file(&path).unwrap_err().kind(), ErrorKind::Unavailable);
    let (_folder, path) = file(&FileHeader::default(), b"\x91\xc1 no events");
    let error = read_file(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.message().contains("offset"), "{error}");
    fs::write(&path, "").unwrap();
    assert_eq!(read_file(&path).unwrap_err().kind(), ErrorKind::Damaged);
}

#[test]
fn a_file_that_grows_is_read_on_from_where_the_last_look_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.wal");
    let header = FileHeader::default();
    let mut file = JournalFile::create(&SystemDisk, &path, &header, uuid::Uuid::now_v7()).unwrap();
    let mut reader = JournalReader::open(&path).unwrap();
    assert!(reader.read_new().unwrap().events.is_empty());
    let event = |name: &str| {
        Event::Row(Row::Baselines(BaselineRow { name: Text::from(name), ..BaselineRow::default() }))
    };
    for name in ["a", "b"] {
        let payload = rmp_serde::to_vec(&[event(name)]).unwrap();
        file.append([payload.as_slice()]).unwrap();
        let new = reader.read_new().unwrap();
        assert_eq!((new.events, new.tail), (vec![event(name)], Tail::Clean));
    }
    let whole = fs::metadata(&path).unwrap().len();
    let payload = rmp_serde::to_vec(&[event("c")]).unwrap();
    file.append([payload.as_slice()]).unwrap();
    let bytes = fs::read(&path).unwrap();
    let torn = bytes.split_last().unwrap().1;
    fs::write(&path, torn).unwrap();
    let new = reader.read_new().unwrap();
    assert_eq!((new.events, new.tail), (Vec::new(), Tail::Torn { offset: whole }));
    fs::write(&path, &bytes).unwrap();
    assert_eq!(reader.read_new().unwrap().events, [event("c")]);
}
