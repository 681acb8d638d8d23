//! Queries that are ended from outside: Ctrl-C at several moments, and readers that leave.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use genstore::clock::{ManualClock, SeededIds};
use genstore::store::{Store, StoreOptions};

use crate::program::Place;

/// Sorts more than any disk holds.
const SORTS: &str = "SELECT value, repeat('x', 100) AS t FROM generate_series(1, 100000000000) \
                     ORDER BY value % 1009, t";
/// Has rows at once, and for ever.
const GOES_ON: &str = "SELECT value FROM generate_series(1, 100000000000)";

/// A store without rows, and a folder for spill files.
fn place() -> Place {
    let place = Place::new();
    let (clock, ids) = (ManualClock::at(0), Arc::new(SeededIds::new(1)));
    Store::open_at(place.store(), StoreOptions::default(), clock, ids).unwrap().close().unwrap();
    std::fs::create_dir(place.root.path().join("spill")).unwrap();
    place
}

fn start(place: &Place, sql: &str) -> Child {
    let spill = format!("sql.spill_dir={}", place.root.path().join("spill").display());
    let settings = ["--config", &spill, "--config", "sql.memory_bytes_max=4MiB"];
    let mut command = place.command(&["sql", "--format", "csv", sql]);
    command.args(settings).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
}

/// Waits for its end, and gives what it said.
fn interrupted(place: &Place, child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let left = std::fs::read_dir(place.root.path().join("spill")).unwrap().count();
    assert_eq!(left, 0, "a spill file is left behind");
    String::from_utf8(output.stderr).unwrap()
}

/// Whether a process has a file in a folder open that has no name.
fn spills(child: &Child, folder: &Path) -> bool {
    let files = std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    files.filter_map(|it| std::fs::read_link(it.ok()?.path()).ok()).any(|it| it.starts_with(folder))
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_a_query_that_spills() {
    let place = place();
    let spill = place.root.path().canonicalize().unwrap().join("spill");
    let child = start(&place, SORTS);
    while !spills(&child, &spill) {}
    interrupt(&child);
    assert_eq!(interrupted(&place, child), "error: the query was cancelled\n");
}

#[test]
fn ctrl_c_ends_a_query_whose_rows_are_read() {
    let place = place();
    let mut child = start(&place, GOES_ON);
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    rows.read_line(&mut String::new()).unwrap();
    interrupt(&child);
    while rows.read_line(&mut String::new()).unwrap() > 0 {}
    assert_eq!(interrupted(&place, child), "error: the query was cancelled\n");
}

/// It hangs in a write, and listens to nothing.
#[test]
fn ctrl_c_ends_a_query_whose_rows_nobody_takes() {
    let place = place();
    let mut child = start(&place, GOES_ON);
    let stdout = child.stdout.take().unwrap();
    let mut rows = BufReader::with_capacity(1, stdout);
    rows.read_line(&mut String::new()).unwrap();
    interrupt(&child);
    assert_eq!(interrupted(&place, child), "");
}

/// Before it listens, the signal ends it as it would any process.
#[test]
fn ctrl_c_ends_a_query_that_has_just_begun() {
    let place = place();
    let child = start(&place, SORTS);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let (code, signal) = (output.status.code(), output.status.signal());
    assert!(code == Some(130) || signal == Some(2), "{output:?}");
}

#[test]
fn a_reader_that_has_enough_ends_the_query() {
    let place = place();
    let mut child = start(&place, GOES_ON);
    let mut rows = BufReader::new(child.stdout.take().unwrap());
    for expected in ["value\n", "1\n"] {
        let mut line = String::new();
        rows.read_line(&mut line).unwrap();
        assert_eq!(line, expected);
    }
    drop(rows);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn flags_bound_time_and_rows() {
    let place = place();
    let output = place.run(&["sql", "--timeout", "50ms", GOES_ON, "--format", "csv"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("longer than 50ms") && said.contains("--timeout"), "{said}");
    let output = place.run(&["sql", "--max-rows", "9000", GOES_ON, "--format", "csv"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("more than 9000 rows") && said.contains("--max-rows"), "{said}");
    let output = place.run(&["query", "runs", "--max-rows", "1", "--timeout", "5m"]);
    assert_eq!(output.status.code(), Some(0));
    let output = place.run(&["sql", "--timeout", "30", "SELECT 1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--timeout") && said.contains("30s"), "{said}");
    // a flag wins over a setting, also to take a bound away
    let args = ["sql", "--config", "sql.rows_max=1", "--max-rows", "0", "VALUES (1), (2)"];
    assert_eq!(place.run(&args).status.code(), Some(0));
    assert_eq!(place.run(&[&args[..3], &args[5..]].concat()).status.code(), Some(1));
}
