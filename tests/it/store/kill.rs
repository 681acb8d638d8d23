//! A writer process is killed with SIGKILL at random moments; what it printed as acknowledged is
//! there afterwards, once and whole. The writer is this test binary itself.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use genstore::event::{Event, Table};
use genstore::store::StoreOptions;

use super::rows::{children, column, open, quiet, run_id, run_row, started};

const FOLDER: &str = "GENSTORE_TEST_KILL_FOLDER";
const FIRST: &str = "GENSTORE_TEST_KILL_FIRST";

/// Not a test by itself: the process that is killed. Does nothing unless the other test starts it.
#[test]
fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let first: i64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let options = StoreOptions {
        journal_bytes_max: 8 << 10,
        hot_bytes_max: 64 << 10,
        linger_ms: 1,
        ..quiet()
    };
    let store = open(Path::new(&folder), options).unwrap();
    let mut out = std::io::stdout().lock();
    for number in first.. {
        store.append(vec![Event::RunStarted(started(number))]).unwrap();
        store.append(children(number, 5)).unwrap();
        store.commit_blocking(vec![Event::from(run_row(number))]).unwrap();
        writeln!(out, "acknowledged {number}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let mut first = 0;
    for round in 0..6_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::kill::writer_to_be_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut wanted = 3 + round * 17 % 40; // another moment each time, in and between flushes
        for line in lines.by_ref() {
            if let Some((_, number)) = line.unwrap().split_once("acknowledged ") {
                let number: i64 = number.parse().unwrap();
                acknowledged.insert(run_id(number).to_string());
                first = number + 1;
                wanted -= 1;
                if wanted == 0 {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(number) = line.strip_prefix("acknowledged ") {
                let Ok(number) = number.parse::<i64>() else { continue };
                acknowledged.insert(run_id(number).to_string());
                first = number + 1;
            }
        }
        first += 10; // runs that were written and not acknowledged any more keep their numbers
    }
    let store = open(folder.path(), quiet()).unwrap();
    let snapshot = store.snapshot().unwrap();
    let runs = column(&snapshot, Table::Runs, "run_id");
    let results = column(&snapshot, Table::Runs, "result");
    let steps = column(&snapshot, Table::Steps, "run_id");
    let unique: BTreeSet<_> = runs.iter().collect();
    assert_eq!(unique.len(), runs.len(), "a run is doubled");
    for (run, result) in runs.iter().zip(&results) {
        if acknowledged.contains(run) {
            assert_eq!(result, "success");
        }
        if result == "success" {
            assert_eq!(steps.iter().filter(|it| *it == run).count(), 5, "children of {run}");
        }
    }
    for run in &acknowledged {
        assert!(unique.contains(run), "{run} was acknowledged and is lost");
    }
    assert!(acknowledged.len() > 60);
}
