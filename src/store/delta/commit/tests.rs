//! Commits happen once, also of several writers, and not into tables that this build must not
//! write.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use super::*;
use crate::clock::SystemIds;
use crate::error::ErrorKind;
use crate::store::delta::rewrite::{Rewrite, rewrite};
use crate::store::delta::upkeep::{LogKeeping, keep};
use crate::store::files::LocalFiles;

fn segment(n: u64) -> Segment {
    let stats = r#"{"numRecords":2}"#.to_owned();
    Segment { name: format!("{n}.parquet"), size_bytes: 1, stats, digest: format!("{n:064x}") }
}

fn table(folder: &Path) -> Log {
    let mut log = Log::new(LocalFiles::system(), folder.join("runs"), Table::Runs);
    create(&*LocalFiles::system(), &SystemIds, &mut log, Table::Runs, 0).unwrap();
    log
}

#[test]
fn a_journal_file_is_committed_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = table(folder.path());
    for number in [1, 2] {
        let segment = Some(segment(number));
        append(&*LocalFiles::system(), &SystemIds, &mut log, "root/0", 1, segment, 9).unwrap();
    }
    assert_eq!((log.version(), log.committed("root/0")), (Some(1), 1));
    let files = log.files();
    let [file] = &files[..] else { panic!("one file") };
    assert_eq!((file.rows, file.digest.as_deref()), (Some(2), Some(&*format!("{:064x}", 1))));
    assert_eq!(file.run_ids, None, "statistics without bounds prune nothing");
    assert_eq!(log.flush_time_us(), 9);
}

#[test]
fn appends_of_two_writers_never_conflict() {
    let folder = tempfile::tempdir().unwrap();
    drop(table(folder.path()));
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let mut log = Log::new(LocalFiles::system(), folder.path().join("runs"), Table::Runs);
            scope.spawn(move || {
                let app_id = format!("root/{writer}");
                for n in 1..=10 {
                    let segment = segment(writer * 100 + n);
                    append(
                        &*LocalFiles::system(),
                        &SystemIds,
                        &mut log,
                        &app_id,
                        n,
                        Some(segment),
                        1,
                    )
                    .unwrap();
                }
            });
        }
    });
    let mut log = Log::new(LocalFiles::system(), folder.path().join("runs"), Table::Runs);
    log.refresh().unwrap();
    assert_eq!((log.version(), log.files().len()), (Some(30), 30));
    for writer in 0..3 {
        assert_eq!(log.committed(&format!("root/{writer}")), 10);
    }
}

#[test]
fn a_table_with_unknown_columns_can_be_read_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = table(folder.path());
    let metadata = r#"{"metaData":{"id":"x","schemaString":"{}","partitionColumns":[],
        "configuration":{"genstore.schema_version":"99"}}}"#
        .replace('\n', "");
    let path = delta_log(log.folder()).join(commit_name(1));
    std::fs::write(path, metadata).unwrap();
    let error =
        append(&*LocalFiles::system(), &SystemIds, &mut log, "root/0", 1, None, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("has no columns"), "{error}");
    log.refresh().unwrap();
}

#[test]
fn a_writer_that_slept_before_its_put_commits_after_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut sleeper = table(folder.path());
    let mut other = Log::new(LocalFiles::system(), folder.path().join("runs"), Table::Runs);
    let keeping = LogKeeping { checkpoint_commits: 4, commits_kept: 1, kept_ms: 0 };
    for n in 1..=12 {
        append(&*LocalFiles::system(), &SystemIds, &mut other, "root/0", n, Some(segment(n)), 1)
            .unwrap();
        if let Some(version) = other.take_due_checkpoint(keeping.checkpoint_commits) {
            keep(&*LocalFiles::system(), &SystemIds, other.folder(), version, keeping, 0).unwrap();
        }
    }
    let log_folder = delta_log(other.folder());
    assert!(!has_commit(&*LocalFiles::system(), &log_folder, 1).unwrap());
    // it looked when the table was new; its commit lands where others have been, and is taken back
    let txn = Transaction { app_id: "root/1".to_owned(), version: 1, last_updated: None };
    let late = [Action { txn: Some(txn), ..Action::default() }];
    commit(&*LocalFiles::system(), &SystemIds, &mut sleeper, &late).unwrap();
    assert!(!has_commit(&*LocalFiles::system(), &log_folder, 1).unwrap());
    assert_eq!((sleeper.version(), sleeper.committed("root/1")), (Some(12), 0));
    append(&*LocalFiles::system(), &SystemIds, &mut sleeper, "root/1", 1, Some(segment(99)), 1)
        .unwrap();
    other.refresh().unwrap();
    assert_eq!((other.version(), other.committed("root/1")), (Some(13), 1));
    assert_eq!(other.files().len(), 13);
}

#[test]
fn of_two_that_replace_a_file_one_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = table(folder.path());
    let files = LocalFiles::system();
    for n in 1..=2 {
        append(&*files, &SystemIds, &mut log, "root/0", n, Some(segment(n)), 1).unwrap();
    }
    let mut other = Log::new(LocalFiles::system(), folder.path().join("runs"), Table::Runs);
    other.refresh().unwrap();
    let rewriting = |to: u64| Rewrite {
        metrics: Map::new(),
        operation: "OPTIMIZE",
        parameters: Map::new(),
        removes: vec!["1.parquet".to_owned(), "2.parquet".to_owned()],
        adds: vec![segment(to)],
        data_change: false,
        time_us: 7,
    };
    assert!(rewrite(&*files, &SystemIds, &mut log, &rewriting(3)).unwrap());
    assert!(!rewrite(&*files, &SystemIds, &mut other, &rewriting(4)).unwrap());
    for log in [&mut log, &mut other] {
        let names: Vec<_> = log.files().iter().map(|it| it.path.clone()).collect();
        assert_eq!(names, [folder.path().join("runs/3.parquet")]);
        assert_eq!((log.data_removals(), log.committed("root/0"), log.flush_time_us()), (0, 2, 7));
    }
}

#[test]
fn a_file_is_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = table(folder.path());
    let files = LocalFiles::system();
    for first in [1, 3] {
        let segments = vec![segment(first), segment(first + 1)];
        let ids = ["import/a".to_owned(), "import/b".to_owned()];
        load(&*files, &SystemIds, &mut log, &ids, segments, 9).unwrap();
    }
    assert_eq!((log.files().len(), log.version()), (2, Some(1)));
}
