//! The tables as other programs read them, while a writer writes: Python's deltalake, DuckDB,
//! Polars and pandas. Wants `GENSTORE_PYTHON`, an interpreter that has these; skips without it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use genstore::clock::{ManualClock, SystemIds};
use genstore::event::Table;
use genstore::store::{Keeper, Location, Store, StoreOptions, copy};

use super::compat::fixture;
use super::rows::{NOW_US, contract, open, quiet, whole_run};

const SCRIPT: &str = include_str!("readers.py");

#[test]
fn other_programs_read_every_table_while_a_writer_writes() {
    let Some(python) = std::env::var_os("GENSTORE_PYTHON") else {
        eprintln!("skipped: GENSTORE_PYTHON names no Python with deltalake, duckdb and polars");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { journal_bytes_max: 64 << 10, linger_ms: 1, ..quiet() };
    let store = open(folder.path(), options).unwrap();
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::SeqCst) && number < 10_000 {
                store.append(vec![contract(&number.to_string()).into()]).unwrap();
                store.commit_blocking(whole_run(number)).unwrap();
                number += 1;
            }
            number
        });
        let read = |rounds: &str, last: bool| {
            let output = Command::new(&python)
                .args(["-c", SCRIPT])
                .arg(folder.path().join("tables"))
                .arg(rounds)
                .args(Table::ALL.iter().map(|it| it.name()))
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            done.store(last || !output.status.success(), Ordering::SeqCst);
            assert!(output.status.success(), "{text}\n{errors}");
            text
        };
        read("2", true);
        writer.join().unwrap()
    });
    store.close().unwrap();
    let output = Command::new(&python)
        .args(["-c", SCRIPT])
        .arg(folder.path().join("tables"))
        .arg("1")
        .args(Table::ALL.iter().map(|it| it.name()))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    eprintln!("{text}");
    for expected in [("runs", written), ("steps", written * 5), ("contracts", written)] {
        let line = format!("{} {}", expected.0, expected.1);
        assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
    }
}

#[test]
fn other_programs_read_a_copy_and_a_store_that_was_upgraded() {
    let Some(python) = std::env::var_os("GENSTORE_PYTHON") else {
        eprintln!("skipped: GENSTORE_PYTHON names no Python with deltalake, duckdb and polars");
        return;
    };
    let (_folder, from, _) = fixture(1);
    let clock = || ManualClock::at(NOW_US);
    let ids = || Arc::new(SystemIds);
    let to = from.with_file_name("copy");
    let place = |path: &std::path::PathBuf| Location::from(path.as_path());
    copy(&place(&from), &place(&to), clock(), ids(), &mut |_| ()).unwrap();
    let steps = Keeper::open(&from, clock(), ids()).unwrap().upgrade(false).unwrap();
    assert!(!steps.is_empty());
    for path in [to, from] {
        let output = Command::new(&python)
            .args(["-c", SCRIPT])
            .arg(path.join("tables"))
            .arg("1")
            .args(Table::ALL.iter().map(|it| it.name()))
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", path.display());
        let text = String::from_utf8_lossy(&output.stdout);
        for (table, it) in Store::open_read_only(&path).unwrap().snapshot().unwrap().tables {
            let rows: u64 = it.files.iter().filter_map(|it| it.rows).sum();
            let line = format!("{} {rows}", table.name());
            assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
        }
    }
}
