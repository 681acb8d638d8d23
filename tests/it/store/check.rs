//! What a check says: nothing of a sound store, also beside a writer; and of each fault the rule,
//! the file and the remedy. It changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use genstore::event::{Event, StepRow, Table, Text};
use genstore::store::check::{Finding, Remedy, Report, Severity, check};
use genstore::store::{Store, StoreOptions};

use super::rows::{NOW_US, children, contract, open, quiet, run_id, run_row, started, whole_run};

/// A folder in memory where there is one: nothing here is about syncs.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

pub(crate) fn look(path: &Path) -> Report {
    check(path, NOW_US, &mut |_| ()).unwrap()
}

/// Two flushes and a checkpoint, and then a journal with a whole run and an open one, as a writer
/// that died leaves it.
pub(crate) fn make(path: &Path) {
    let options = StoreOptions { checkpoint_commits: 2, ..quiet() };
    let store = open(path, options.clone()).unwrap();
    for number in 1..4 {
        store.commit_blocking(whole_run(number)).unwrap();
        store.commit_blocking(vec![Event::Row(contract(&format!("digest {number}")))]).unwrap();
        store.flush().unwrap();
    }
    drop(store); // which has made its checkpoints then
    let store = open(path, options).unwrap();
    store.commit_blocking(whole_run(5)).unwrap();
    store.commit_blocking(vec![Event::RunStarted(started(6))]).unwrap();
    store.commit_blocking(children(6, 2)).unwrap();
    let journal = path.join("journal/0/4.wal");
    let bytes = fs::read(&journal).unwrap();
    // what the end of this process flushes is taken back
    let before = files(path);
    drop(store);
    for path in files(path).keys().filter(|it| !before.contains_key(*it)) {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in &before {
        fs::write(path, bytes).unwrap();
    }
    fs::write(journal, bytes).unwrap();
}

pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn rules(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|it| it.rule).collect()
}

#[test]
fn a_sound_store_has_no_findings_and_is_not_changed() {
    let folder = folder();
    make(folder.path());
    let before = files(folder.path());
    let report = look(folder.path());
    assert_eq!(report.findings, [], "{:#?}", report.findings);
    assert_eq!(files(folder.path()), before);
    let looked = report.looked;
    assert_eq!((looked.journal_files, looked.checkpoints > 0), (4, true), "{looked:?}");
    assert!(looked.rows > 30 && looked.commits > 20 && looked.data_files > 10, "{looked:?}");
}

#[test]
fn beside_a_writer_nothing_is_damage() {
    let folder = folder();
    let options = StoreOptions {
        journal_bytes_max: 4 << 10,
        journal_grace_ms: 0,
        checkpoint_commits: 3,
        ..quiet()
    };
    let store = open(folder.path(), options).unwrap();
    let looks = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..150 {
                store.append(vec![Event::RunStarted(started(number))]).unwrap();
                store.append(children(number, 3)).unwrap();
                store.commit_blocking(vec![Event::from(run_row(number))]).unwrap();
            }
        });
        let mut looks = 0;
        while !writer.is_finished() || looks == 0 {
            let report = look(folder.path());
            let wrong = report.findings.iter().filter(|it| it.severity > Severity::Note);
            assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&_>::new());
            looks += 1;
        }
        looks
    });
    assert!(looks > 0);
    store.close().unwrap();
    assert!(look(folder.path()).is_sound());
}

#[test]
fn rows_that_do_not_fit_are_told() {
    let folder = folder();
    let store = open(folder.path(), quiet()).unwrap();
    store.commit_blocking(whole_run(1)).unwrap();
    store.commit_blocking(vec![Event::from(run_row(1))]).unwrap();
    store.flush().unwrap();
    let step = StepRow {
        run_id: run_id(1),
        step_id: Text::from("0000000000000001"),
        ..StepRow::default()
    };
    store.commit_blocking(vec![Event::from(step)]).unwrap();
    store.append(children(77, 2)).unwrap();
    store.close().unwrap();
    let report = look(folder.path());
    let found: Vec<_> = report.findings.iter().map(|it| (it.rule, it.message.as_str())).collect();
    assert_eq!(found[0].0, "rows.doubled");
    assert!(found[0].1.starts_with("1 runs are there twice: 01990000"), "{found:?}");
    assert!(found[1].1.starts_with("1 steps of runs are there twice"), "{found:?}");
    let orphans: Vec<_> = found.iter().filter(|it| it.0 == "rows.orphan").collect();
    assert_eq!(orphans.len(), 3, "steps, issues and scores: {found:?}");
    assert!(report.findings.iter().all(|it| it.remedy == Remedy::Person));
}

/// A fault, and the rules that a check must name for it.
type Case = (&'static str, fn(&Path), &'static [&'static str]);

#[test]
fn each_fault_has_its_rule_and_names_the_file() {
    const LOG: &str = "_delta_log/00000000000000000003.json";
    let cases: &[Case] = &[
        ("journal/0/4.wal", |it| flip(it, 400), &["journal.frame"]),
        ("journal/0/4.wal", |it| flip(it, 30), &["journal.header"]),
        ("journal/0/4.wal", |it| cut(it, 5), &["journal.tail"]),
        (
            "journal/0/2.wal",
            |it| assert!(fs::copy(it, it.with_file_name("9.wal")).unwrap() > 0),
            &["journal.owner", "journal.gap"],
        ),
        ("journal/root.json", |it| fs::write(it, "{").unwrap(), &["journal.root"]),
        (LOG, |it| flip(it, 40), &["log.commit"]),
        (LOG, |it| fs::write(it, "").unwrap(), &["log.commit"]),
        (LOG, |it| fs::remove_file(it).unwrap(), &["journal.unflushed"]),
        ("_delta_log/00000000000000000001.json", |it| fs::write(it, "").unwrap(), &["log.commit"]),
        (
            "_delta_log/00000000000000000002.checkpoint.parquet",
            |it| flip(it, 900),
            &["log.checkpoint"],
        ),
        ("_delta_log/_last_checkpoint", |it| fs::write(it, "{").unwrap(), &["log.last_checkpoint"]),
        ("parquet", |it| flip(it, 300), &["data.digest"]),
        ("parquet", |it| cut(it, 9), &["data.present"]),
        ("parquet", |it| fs::remove_file(it).unwrap(), &["data.present"]),
    ];
    let sound = folder();
    make(sound.path());
    for (name, damage, expected) in cases {
        let folder = folder();
        copy(sound.path(), folder.path());
        let path = find(folder.path(), name);
        damage(&path);
        let report = look(folder.path());
        for rule in *expected {
            assert!(rules(&report).contains(rule), "{name}: {:#?}", report.findings);
        }
        let elsewhere = ["journal.owner", "journal.unflushed"]; // what is told of another file
        let names = |it: &Finding| it.path == path || elsewhere.contains(&it.rule);
        let named = report.findings.iter().any(names);
        assert!(named, "{name}: {:#?}", report.findings);
        let harmless = ["_last_checkpoint", "01.json"];
        let sound = harmless.iter().any(|it| name.ends_with(it)) || expected == &["journal.tail"];
        assert_eq!(report.is_sound(), sound, "{name}: {:#?}", report.findings);
    }
}

#[test]
fn strays_are_notes() {
    let folder = folder();
    make(folder.path());
    let id = uuid::Uuid::from_u128(7);
    for name in [
        format!("tables/runs/{id}.parquet"),
        format!("tables/runs/{id}.parquet.tmp"),
        format!("store.json.{id}.tmp"),
        format!("journal/root.json.{id}.tmp"),
        "journal/0/5.wal.tmp".to_owned(),
    ] {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    let report = look(folder.path());
    assert_eq!(report.findings.len(), 5, "{:#?}", report.findings);
    assert!(
        report
            .findings
            .iter()
            .all(|it| it.severity == Severity::Note && it.remedy == Remedy::Repair)
    );
    assert!(report.is_sound());
}

#[test]
fn the_status_of_a_damaged_store_says_what_is_damaged() {
    let folder = folder();
    make(folder.path());
    let status = Store::open_read_only(folder.path()).unwrap().status().unwrap();
    let runs = status.tables.iter().find(|it| it.table == Table::Runs).unwrap();
    assert_eq!((runs.cold_rows, runs.hot_rows, runs.checkpoint), (3, 1, Some(2)));
    let slot = &status.slots[0];
    assert_eq!((slot.holder.as_deref(), slot.flushed, slot.waiting_files), (None, 3, 1));
    assert_eq!((slot.open_runs, status.slots.len(), status.damage.is_none()), (Some(1), 1, true));
    assert_eq!(status.lag_since.map(|it| it.0), Some(NOW_US + 5));
    flip(&folder.path().join("journal/0/4.wal"), 400);
    fs::write(find(folder.path(), "steps/_delta_log/00000000000000000003.json"), "").unwrap();
    let status = Store::open_read_only(folder.path()).unwrap().status().unwrap();
    assert!(status.damage.unwrap().contains("4.wal"));
    let damaged: Vec<_> = status.tables.iter().filter(|it| it.damage.is_some()).collect();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].table, Table::Steps);
}

pub(crate) fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

pub(crate) fn cut(path: &Path, bytes: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - bytes).unwrap();
}

/// The first file of the store whose path ends so; of steps where there are several.
pub(crate) fn find(folder: &Path, end: &str) -> PathBuf {
    let found: Vec<_> =
        files(folder).into_keys().filter(|it| it.to_string_lossy().ends_with(end)).collect();
    let steps = found.iter().find(|it| it.to_string_lossy().contains("/steps/"));
    steps.or(found.first()).unwrap_or_else(|| panic!("no {end}")).clone()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
