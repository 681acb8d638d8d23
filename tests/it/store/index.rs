//! Lookups with the index and without: the same answers, whatever has become of the index.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use genstore::clock::{ManualClock, SystemIds};
use genstore::error::ErrorKind;
use genstore::event::{Event, IssueRow, RunRow, StepRow, Table, Text, TimeUs};
use genstore::store::snapshot::DataFile;
use genstore::store::{
    Compaction, FoundRun, IndexProgress, NameKind, RunRecord, Store, StoreOptions,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::rows::NOW_US;

pub(super) fn run_id(number: u32) -> String {
    format!("01990000-0000-7000-8000-{number:012x}")
}

fn contract(number: u32) -> String {
    format!("contract_{}", number % 3)
}

fn input(number: u32) -> String {
    format!("input_{}", number % 7)
}

pub(super) fn steps(run_id: &str, number: u32) -> Vec<Event> {
    let steps = ["parse", "render", "write"].into_iter().enumerate().map(|(at, name)| StepRow {
        run_id: run_id.into(),
        step_id: Text::from(format!("{:016x}", at + 1)),
        step_name: name.into(),
        component: Text::from(format!("{name}_component")),
        duration_ns: i64::from(number),
        start_time: TimeUs(NOW_US + i64::from(number)),
        error_message: (number.is_multiple_of(4)).then(|| "ünïcode \"quoted\"".into()),
        ..StepRow::default()
    });
    let issues = (0..number % 3).map(|at| IssueRow {
        run_id: run_id.into(),
        contract_name: Some(contract(number).into()),
        rule_id: Text::from(format!("rule.{at}")),
        start_line: Some(i64::from(at)),
        time: TimeUs(NOW_US),
        ..IssueRow::default()
    });
    steps.map(Event::from).chain(issues.map(Event::from)).collect()
}

fn run(run_id: &str, number: u32) -> Event {
    Event::from(RunRow {
        run_id: run_id.into(),
        pipeline_name: "node_generation".into(),
        contract_name: (!number.is_multiple_of(5)).then(|| contract(number).into()),
        input_digest: Some(input(number).into()),
        result: Text::from(if number.is_multiple_of(4) { "failure" } else { "success" }),
        start_time: TimeUs(NOW_US + i64::from(number)),
        quality_score: Some(f64::from(number)),
        ..RunRow::default()
    })
}

pub(super) fn whole(number: u32) -> Vec<Event> {
    let id = run_id(number);
    steps(&id, number).into_iter().chain([run(&id, number)]).collect()
}

pub(super) fn open(path: &Path) -> Store {
    let compaction = Compaction { enabled: false, ..Compaction::default() };
    let options = StoreOptions { flush_age_ms: 3_600_000, compaction, ..StoreOptions::default() };
    Store::open_at(path, options, ManualClock::at(NOW_US), Arc::new(SystemIds)).unwrap()
}

/// A closed store of some commits.
fn store_of(path: &Path, commits: impl IntoIterator<Item = std::ops::Range<u32>>) {
    let store = open(path);
    for numbers in commits {
        store.commit_blocking(numbers.flat_map(whole).collect()).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
}

/// What lookups say of some ids, contracts and inputs.
pub(super) type Answers = (Vec<Option<RunRecord>>, Vec<Vec<FoundRun>>, Vec<Option<FoundRun>>);

pub(super) fn answers(store: &Store, ids: &[String]) -> Answers {
    let records = ids.iter().map(|id| store.run(id).unwrap()).collect();
    let contracts = (0..4).flat_map(|it| {
        [1, 3, 100].map(|count| store.runs_of_contract(&contract(it), count).unwrap())
    });
    let inputs = (0..8).map(|it| store.run_of_input(&format!("input_{it}")).unwrap());
    (records, contracts.collect(), inputs.collect())
}

/// The answers of a store whose index is held by `holder`: from the tables alone.
pub(super) fn without_index(holder: &Store, ids: &[String]) -> Answers {
    holder.catch_up_index(&mut go_on).unwrap();
    let other = Store::open_read_only(holder.path()).unwrap();
    let error = other.catch_up_index(&mut go_on).unwrap_err();
    assert!(error.message().contains(&format!("process {}", std::process::id())), "{error}");
    answers(&other, ids)
}

pub(super) fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(run_id).collect()
}

pub(super) fn go_on(_: IndexProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn index_files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![path.join("index/trees")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_is_found_with_its_steps_and_issues_wherever_its_rows_are() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..20, 20..25]);
    let store = open(folder.path());
    store.commit_blocking(steps(&run_id(30), 30)).unwrap();
    store.flush().unwrap(); // its children are in a file, and its row only in the journal
    store.commit_blocking(vec![run(&run_id(30), 30)]).unwrap();
    store.commit_blocking(whole(31)).unwrap();
    store.commit_blocking(steps(&run_id(32), 32)).unwrap(); // has not ended
    let asked = ids([0, 7, 19, 20, 24, 30, 31, 32, 99]);
    let expected = without_index(&store, &asked);
    assert_eq!(answers(&store, &asked), expected);
    let counts: Vec<_> = expected
        .0
        .iter()
        .map(|it| it.as_ref().map(|it| (it.steps.len(), it.issues.len())))
        .collect();
    let some = |issues| Some((3, issues));
    assert_eq!(counts, [some(0), some(1), some(1), some(2), some(0), some(0), some(1), None, None]);
    assert_eq!(expected.0[1].as_ref().unwrap().run.quality_score, Some(7.0));
    assert_eq!(
        expected.1[0],
        [FoundRun { run_id: run_id(24).into(), start_time: TimeUs(NOW_US + 24) }]
    );
}

#[test]
fn rows_that_come_after_their_run_was_indexed_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.commit_blocking((0..3).flat_map(whole).collect()).unwrap();
    store.flush().unwrap();
    assert_eq!(store.run(&run_id(1)).unwrap().unwrap().steps.len(), 3);
    store.commit_blocking(steps(&run_id(1), 9)).unwrap();
    assert_eq!(store.run(&run_id(1)).unwrap().unwrap().steps.len(), 6, "hot");
    store.flush().unwrap();
    assert_eq!(store.run(&run_id(1)).unwrap().unwrap().steps.len(), 6, "cold");
    assert_eq!(store.run(&run_id(2)).unwrap().unwrap().steps.len(), 3);
}

#[test]
fn ids_that_are_no_uuid_and_runs_recorded_twice_are_read_from_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let odd = ["run-1".to_owned(), run_id(5).to_uppercase(), String::new()];
    for id in &odd {
        let mut rows = steps(id, 5);
        rows.push(run(id, 6));
        store.commit_blocking(rows).unwrap();
    }
    store.commit_blocking(whole(7)).unwrap();
    store.flush().unwrap();
    store.commit_blocking(whole(8)).unwrap();
    store.flush().unwrap();
    store.commit_blocking(whole(8)).unwrap();
    store.flush().unwrap();
    let asked: Vec<_> = odd.into_iter().chain(ids([5, 7, 8])).collect();
    let expected = without_index(&store, &asked);
    assert_eq!(answers(&store, &asked), expected);
    assert!(expected.0[..3].iter().all(Option::is_some), "{expected:?}");
    assert_eq!(expected.0[5].as_ref().unwrap().steps.len(), 6);
}

#[test]
fn names_are_offered_once_the_index_is_open() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), std::iter::once(0..6));
    let store = Store::open_read_only(folder.path()).unwrap();
    assert!(store.names(NameKind::Step, "", 9).is_empty());
    store.catch_up_index(&mut go_on).unwrap();
    assert_eq!(store.names(NameKind::Step, "", 9), ["parse", "render", "write"]);
    assert_eq!(store.names(NameKind::Component, "re", 9), ["render_component"]);
    assert_eq!(store.names(NameKind::Contract, "contract_", 2), ["contract_0", "contract_1"]);
    assert_eq!(store.names(NameKind::Pipeline, "node", 9), ["node_generation"]);
    assert_eq!(store.names(NameKind::Rule, "", 9), ["rule.0", "rule.1"]);
    drop(store);
    let again = Store::open_read_only(folder.path()).unwrap();
    again.catch_up_index(&mut go_on).unwrap();
    assert_eq!(again.names(NameKind::Rule, "", 9), ["rule.0", "rule.1"], "remembered");
}

#[test]
fn a_rebuild_says_how_far_it_is_and_the_status_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..10, 10..15]);
    let store = Store::open_read_only(folder.path()).unwrap();
    let status = store.index_status().unwrap();
    assert_eq!((status.size_bytes, status.runs_behind, status.files), (0, 15, 0));
    assert!(!folder.path().join("index").exists(), "a look makes nothing");
    let mut seen = Vec::new();
    store
        .rebuild_index(&mut |it| {
            seen.push((it.runs_done, it.runs_total));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen.last(), Some(&(15, 15)));
    assert!(seen.is_sorted(), "{seen:?}");
    let status = store.index_status().unwrap();
    assert_eq!((status.runs_behind, status.files, status.unavailable), (0, 6, None));
    let trees: Vec<_> = status.trees.iter().map(|it| (it.name, it.entries)).collect();
    let expected = [("runs", 15), ("packed", 15), ("contracts", 12), ("memo", 7), ("names", 12)];
    assert_eq!(trees, expected);
    let other = Store::open_read_only(folder.path()).unwrap();
    let held = other.index_status().unwrap().unavailable.unwrap();
    assert!(held.contains(&format!("process {}", std::process::id())), "{held}");
    store.rebuild_index(&mut go_on).unwrap(); // again, in place of what is open
    assert!(store.run(&run_id(3)).unwrap().is_some());
    assert_eq!(store.index_status().unwrap().trees, status.trees);
}

#[test]
fn indexing_ends_when_it_is_told_to_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..10, 10..15]);
    let store = Store::open_read_only(folder.path()).unwrap();
    let error = store.catch_up_index(&mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(store.index_status().unwrap().runs_behind, 15);
    store.catch_up_index(&mut go_on).unwrap();
    assert_eq!(store.index_status().unwrap().runs_behind, 0);
}

#[test]
fn a_large_commit_is_found_run_by_run() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..1_300, 1_300..1_310]);
    let store = Store::open_read_only(folder.path()).unwrap();
    let asked = ids((0..1_311).step_by(13));
    let expected = without_index(&store, &asked);
    assert_eq!(answers(&store, &asked), expected);
    let all = store.runs_of_contract(&contract(1), 9_999).unwrap();
    let count = (0..1_310).filter(|it| it % 5 != 0 && contract(*it) == contract(1)).count();
    assert_eq!(all.len(), count);
    assert!(all.is_sorted_by(|a, b| a.run_id > b.run_id));
}

/// Commits to a table what another tool could: files go, and the rows that they held may come back
/// in one.
fn rewrite(path: &Path, table: Table, gone: &[DataFile], data_change: bool) {
    let folder = path.join("tables").join(table.name());
    let name = |file: &DataFile| file.path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut lines: Vec<String> = gone
        .iter()
        .map(|it| {
            let path = name(it);
            format!(r#"{{"remove":{{"path":"{path}","dataChange":{data_change}}}}}"#)
        })
        .collect();
    if !data_change {
        let rows: Vec<RecordBatch> = gone
            .iter()
            .flat_map(|file| {
                let file = fs::File::open(&file.path).unwrap();
                ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap()
            })
            .map(Result::unwrap)
            .collect();
        let merged = folder.join("merged.parquet");
        let file = fs::File::create(&merged).unwrap();
        let mut writer = ArrowWriter::try_new(file, rows[0].schema(), None).unwrap();
        rows.iter().for_each(|it| writer.write(it).unwrap());
        writer.close().unwrap();
        let (size, count) =
            (fs::metadata(&merged).unwrap().len(), rows.iter().map(|it| it.num_rows()));
        lines.push(format!(
            r#"{{"add":{{"path":"merged.parquet","partitionValues":{{}},"size":{size},"modificationTime":0,"dataChange":false,"stats":"{{\"numRecords\":{}}}"}}}}"#,
            count.sum::<usize>()
        ));
    }
    let version = fs::read_dir(folder.join("_delta_log"))
        .unwrap()
        .filter(|it| it.as_ref().unwrap().path().extension().is_some_and(|it| it == "json"))
        .count();
    fs::write(folder.join(format!("_delta_log/{version:020}.json")), lines.join("\n")).unwrap();
}

#[test]
fn files_that_another_tool_rewrites_or_removes_change_no_answer() {
    for (table, data_change) in [
        (Table::Runs, false),
        (Table::Steps, false),
        (Table::Issues, true),
        (Table::Steps, true),
        (Table::Runs, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        store_of(folder.path(), [0..5, 5..10, 10..15]);
        let asked = ids(0..16);
        let store = Store::open_read_only(folder.path()).unwrap();
        store.catch_up_index(&mut go_on).unwrap();
        let before = store.snapshot().unwrap();
        rewrite(folder.path(), table, &before.tables[&table].files[..2], data_change);
        // first as the index was, then as it is when it has caught up
        let seen = answers(&store, &asked);
        let plain = Store::open_read_only(folder.path()).unwrap();
        assert_eq!(seen, answers(&plain, &asked), "{table:?} {data_change}");
        assert_eq!(seen, without_index(&store, &asked), "{table:?} {data_change}");
        assert_eq!(answers(&store, &asked), seen, "{table:?} {data_change}");
        let found = seen.0.iter().flatten();
        let steps: usize = found.clone().map(|it| it.steps.len()).sum();
        let expected = match (table, data_change) {
            (Table::Runs, true) => (5, 15),
            (Table::Steps, true) => (15, 15),
            _ => (15, 45),
        };
        assert_eq!((found.count(), steps), expected, "{table:?} {data_change}");
    }
}

#[test]
fn an_index_that_another_has_let_go_of_is_used() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), std::iter::once(0..4));
    let [one, other] = [0, 1].map(|_| Store::open_read_only(folder.path()).unwrap());
    one.catch_up_index(&mut go_on).unwrap();
    assert!(other.run(&run_id(1)).unwrap().is_some());
    assert!(other.names(NameKind::Step, "", 9).is_empty());
    drop(one);
    other.catch_up_index(&mut go_on).unwrap();
    assert!(other.run(&run_id(1)).unwrap().is_some());
    assert_eq!(other.names(NameKind::Step, "", 9).len(), 3);
}

#[test]
fn an_index_of_another_store_is_moved_aside_once_and_made_anew() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    store_of(one.path(), std::iter::once(0..4));
    store_of(two.path(), std::iter::once(2..9));
    Store::open_read_only(one.path()).unwrap().catch_up_index(&mut go_on).unwrap();
    fs::create_dir(two.path().join("index")).unwrap();
    fs::rename(one.path().join("index/trees"), two.path().join("index/trees")).unwrap();
    let store = Store::open_read_only(two.path()).unwrap();
    assert_eq!(store.run(&run_id(0)).unwrap(), None);
    let notice = store.take_index_notice().unwrap();
    assert!(notice.contains("of another store"), "{notice}");
    assert!(notice.contains("trees.damaged"), "{notice}");
    assert_eq!(store.take_index_notice(), None, "said once");
    assert!(store.run(&run_id(8)).unwrap().is_some());
    assert_eq!(store.index_status().unwrap().files, 3);
}

#[test]
fn without_an_index_folder_or_after_its_loss_the_tables_answer() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), std::iter::once(0..9));
    let asked = ids([0, 4, 8, 9]);
    fs::write(folder.path().join("index"), "no folder").unwrap();
    let store = Store::open_read_only(folder.path()).unwrap();
    let expected = answers(&store, &asked);
    assert!(store.catch_up_index(&mut go_on).is_err());
    assert!(store.index_status().unwrap().unavailable.is_some());
    fs::remove_file(folder.path().join("index")).unwrap();
    let store = open(folder.path());
    assert_eq!(answers(&store, &asked), expected);
    fs::remove_dir_all(folder.path().join("index")).unwrap(); // while it is in use
    assert_eq!(answers(&store, &asked), expected);
    store.commit_blocking(whole(9)).unwrap();
    store.flush().unwrap();
    assert!(store.run(&run_id(9)).unwrap().is_some());
    drop(store);
    assert!(Store::open_read_only(folder.path()).unwrap().run(&run_id(9)).unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_indexing_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..20, 20..30]);
    let asked = ids([0, 9, 29, 30]);
    // files that may not grow beyond so many blocks, as on a disk without room
    for blocks in [0, 1, 4, 8] {
        let program = env!("CARGO_BIN_EXE_genstore");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let output = std::process::Command::new("sh")
            .args(["-c", &script, "sh", program, "store", "index", "rebuild", "--store"])
            .arg(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{blocks}: {text}");
        assert!(text.contains("index") && !text.contains("panicked"), "{blocks}: {text}");
        let store = Store::open_read_only(folder.path()).unwrap();
        assert_eq!(answers(&store, &asked), without_index(&store, &asked), "{blocks}");
    }
}

#[test]
fn no_flipped_byte_of_the_index_changes_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), [0..20, 20..30]);
    let asked = ids([0, 9, 19, 20, 29, 30]);
    let holder = Store::open_read_only(folder.path()).unwrap();
    let expected = without_index(&holder, &asked);
    drop(holder);
    let kept = folder.path().join("kept");
    fs::rename(folder.path().join("index"), &kept).unwrap();
    let mut damages = 0;
    copy(&kept, &folder.path().join("index"));
    for path in index_files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        // what is not zero is what was written
        let places: Vec<usize> = (0..bytes.len()).filter(|it| bytes[*it] != 0).collect();
        let mut changed: Vec<Vec<u8>> = Vec::new();
        for at in places.iter().step_by((places.len() / 40).max(1)) {
            let mut flipped = bytes.clone();
            flipped[*at] ^= 0x41;
            changed.push(flipped);
        }
        changed.extend([Vec::new(), bytes[..bytes.len() / 2].to_vec()]);
        for bytes in changed {
            fs::remove_dir_all(folder.path().join("index")).unwrap();
            copy(&kept, &folder.path().join("index"));
            fs::write(&path, bytes).unwrap();
            let store = Store::open_read_only(folder.path()).unwrap();
            assert_eq!(answers(&store, &asked), expected, "{}", path.display());
            damages += usize::from(store.take_index_notice().is_some());
        }
    }
    assert!(damages > 10, "{damages} times the damage was told");
}

#[test]
fn a_process_that_dies_while_it_indexes_leaves_an_index_that_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), (0..6).map(|it| it * 5..it * 5 + 5));
    let asked = ids([0, 4, 11, 17, 25, 29, 30]);
    let holder = Store::open_read_only(folder.path()).unwrap();
    let expected = without_index(&holder, &asked);
    let images = tempfile::tempdir().unwrap();
    let mut count = 0;
    let mut image = |_: IndexProgress| {
        // the files as they are now: what a killed process leaves
        copy(folder.path(), &images.path().join(count.to_string()));
        count += 1;
        ControlFlow::Continue(())
    };
    holder.rebuild_index(&mut image).unwrap();
    let before = count;
    let writer = open(folder.path());
    writer.commit_blocking((30..33).flat_map(whole).collect()).unwrap();
    writer.close().unwrap();
    let mut image = |_: IndexProgress| {
        copy(folder.path(), &images.path().join(count.to_string()));
        count += 1;
        ControlFlow::Continue(())
    };
    holder.catch_up_index(&mut image).unwrap();
    assert!(before > 10 && count > before, "{before} and {count} images");
    for number in 0..count {
        let store = Store::open_read_only(&images.path().join(number.to_string())).unwrap();
        let (mut records, mut rest) = (expected.0.clone(), expected.clone());
        if number >= before {
            records[6] = store.run(&run_id(30)).unwrap();
            assert_eq!(records[6].as_ref().map(|it| it.steps.len()), Some(3));
            (_, rest.1, rest.2) = answers(&Store::open_read_only(folder.path()).unwrap(), &asked);
        }
        assert_eq!(answers(&store, &asked), (records, rest.1, rest.2), "image {number}");
        store.catch_up_index(&mut go_on).unwrap();
        assert_eq!(store.index_status().unwrap().runs_behind, 0);
    }
}

#[test]
fn lookups_are_right_while_others_write_and_index() {
    let folder = tempfile::tempdir().unwrap();
    store_of(folder.path(), std::iter::once(0..5));
    let store = open(folder.path());
    std::thread::scope(|scope| {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(is_done));
        for _ in 0..2 {
            let (store, ended) = (&store, Arc::clone(&ended));
            scope.spawn(move || {
                let mut newest = 4;
                loop {
                    let last = ended.lock().unwrap().try_recv()
                        == Err(std::sync::mpsc::TryRecvError::Disconnected);
                    let found = store.runs_of_contract("contract_1", 1_000).unwrap();
                    assert!(found.is_sorted_by(|a, b| a.run_id > b.run_id), "each once, in order");
                    let seen = found.first().unwrap().run_id.clone();
                    assert!(seen >= run_id(newest).into(), "{seen} after {newest}");
                    newest = u32::try_from(found.first().unwrap().start_time.0 - NOW_US).unwrap();
                    assert_eq!(store.run(&seen).unwrap().unwrap().steps.len(), 3);
                    if last {
                        break;
                    }
                }
            });
        }
        scope.spawn(|| (0..8).for_each(|_| store.catch_up_index(&mut go_on).unwrap()));
        for number in 5..35 {
            store.commit_blocking(whole(number)).unwrap();
            if number % 3 == 0 {
                store.flush().unwrap();
            }
        }
        drop(done);
    });
    let asked = ids(0..36);
    assert_eq!(answers(&store, &asked), without_index(&store, &asked));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            drop(fs::copy(entry.path(), to))
        }
    }
}
