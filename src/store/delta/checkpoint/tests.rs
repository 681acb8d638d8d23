//! A checkpoint says what it was told, or that it is damaged: never something else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use super::*;
use crate::store::delta::state::State;

/// Actions of every kind, with and without what may be missing.
fn actions() -> Vec<Action> {
    let lines = [
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
        r#"{"metaData":{"id":"i","name":"runs","format":{"provider":"parquet","options":{}},
            "schemaString":"{\"fields\":[]}","partitionColumns":[],
            "configuration":{"a":"1","b":"2"},"createdTime":7}}"#,
        r#"{"txn":{"appId":"root/0","version":5,"lastUpdated":6}}"#,
        r#"{"txn":{"appId":"other","version":-1}}"#,
        r#"{"remove":{"path":"gone.parquet","deletionTimestamp":9,"dataChange":false}}"#,
        r#"{"remove":{"path":"older.parquet","dataChange":false}}"#,
        r#"{"add":{"path":"a.parquet","partitionValues":{},"size":3,"modificationTime":4,
            "dataChange":false,"stats":"{\"numRecords\":2}",
            "tags":{"genstore.blake3":"ab","none":null}}}"#,
        r#"{"add":{"path":"b.parquet","partitionValues":{},"size":0,"modificationTime":0,
            "dataChange":false}}"#,
    ];
    lines.iter().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn state(actions: Vec<Action>) -> State {
    let mut state = State::default();
    state.apply(actions);
    state
}

/// For messages only: what is decoded is what was verified, whatever lies there by then.
fn path() -> PathBuf {
    PathBuf::from("00000000000000000001.checkpoint.parquet")
}

#[test]
fn what_is_written_is_read() {
    let bytes = encode(&actions(), None).unwrap();
    let read = decode(&path(), &bytes).unwrap();
    assert_eq!(read.len(), actions().len());
    assert_eq!(state(read), state(actions()));
    // what is in it is known to a millisecond; its stamp, if it is noted, exactly
    assert_eq!(state(actions()).stamp_us, Some(9_999));
    let stamped = decode(&path(), &encode(&actions(), Some(9_007)).unwrap()).unwrap();
    assert_eq!(stamped.len(), actions().len() + 1);
    let expected = State { stamp_us: Some(9_007), ..state(actions()) };
    assert_eq!(state(stamped), expected);
}

#[test]
fn any_flipped_bit_and_any_missing_end_is_found() {
    let bytes = encode(&actions(), Some(7)).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let error = decode(&path(), &flipped).unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Damaged, "{at}");
        assert!(error.message().contains("1.checkpoint.parquet"), "{error}");
    }
    for length in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        decode(&path(), &bytes[..length]).unwrap_err();
    }
}
