//! Stores of older builds, as they lie in `data/compat`: read as they are, recovered, written on.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use genstore::event::Table;
use genstore::store::snapshot::Snapshot;
use genstore::store::{Store, StoreOptions};

use super::rows::{all_rows, column, open, quiet, whole_run};
use crate::sql::fixture::{ask, session};

/// A copy of a fixture's store, and the rows per table that its own build counted.
pub(super) fn fixture(version: u32) -> (tempfile::TempDir, PathBuf, BTreeMap<Table, u64>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/compat").join(version.to_string());
    let text = fs::read_to_string(root.join("counts.txt")).unwrap();
    let counts = text.lines().map(|line| {
        let (name, rows) = line.split_once(' ').unwrap();
        let table = Table::ALL.iter().find(|it| it.name() == name).unwrap();
        (*table, rows.parse().unwrap())
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    copy_folder(&root.join("store"), &path);
    (folder, path, counts.collect())
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn counts(snapshot: &Snapshot) -> BTreeMap<Table, u64> {
    snapshot.tables.iter().map(|(table, it)| (*table, it.rows())).collect()
}

#[tokio::test]
async fn a_store_of_the_first_build_is_read_recovered_and_written_on() {
    let (_folder, path, mut expected) = fixture(1);
    assert_eq!(expected.len(), 12);
    let reader = Store::open_read_only(&path).unwrap();
    let before = reader.snapshot().unwrap();
    assert_eq!(counts(&before), expected, "as its own build counted them");
    assert!(before.tables[&Table::Runs].files.iter().all(|it| it.digest.is_none()));
    let rows = all_rows(&before);

    let options = StoreOptions { checkpoint_commits: 2, ..quiet() };
    let store = open(&path, options).unwrap();
    let after = store.snapshot().unwrap();
    assert!(after.tables.values().all(|it| it.hot.is_empty()), "the journal is in the tables");
    *expected.get_mut(&Table::Runs).unwrap() += 1;
    assert_eq!(counts(&after), expected);
    let errors = column(&after, Table::Runs, "error_type");
    assert_eq!(errors.iter().filter(|it| *it == "abandoned").count(), 1);
    let mut recovered = all_rows(&after);
    for (table, rows) in rows {
        let recovered = recovered.get_mut(table).unwrap();
        recovered.retain(|row| rows.contains(row));
        assert_eq!(*recovered, rows, "every row of {table} is as it was");
    }
    let sql = "SELECT count(*), count(DISTINCT r.run_id) FROM runs r JOIN steps s USING (run_id) \
               WHERE r.result = 'success' AND s.duration_ns > 0";
    let answer = ask(&session(&after), sql).await;
    assert_eq!(answer, ["168|12"]);

    store.commit_blocking(whole_run(1)).unwrap();
    store.close().unwrap();
    *expected.get_mut(&Table::Runs).unwrap() += 1;
    *expected.get_mut(&Table::Steps).unwrap() += 5;
    let now = counts(&reader.snapshot().unwrap());
    assert_eq!(now[&Table::Runs], expected[&Table::Runs]);
    assert_eq!(now[&Table::Steps], expected[&Table::Steps]);
    let again = Store::open_read_only(&path).unwrap().snapshot().unwrap();
    assert_eq!(counts(&again), now, "from a checkpoint, too");
    drop(open(&path, quiet()).unwrap());
    assert_eq!(counts(&reader.snapshot().unwrap()), now, "nothing is recovered twice");
}
