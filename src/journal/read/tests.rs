//! Journals of older and newer builds.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::error::ErrorKind;
use crate::event::{BaselineRow, Row, Text, TimeUs};
use crate::journal::JournalFile;
use crate::journal::disk::SystemDisk;

fn file(header: &FileHeader, payload: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
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
