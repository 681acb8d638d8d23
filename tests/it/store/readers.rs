//! The tables as other programs read them, while a writer writes: Python's deltalake, DuckDB,
//! Polars and pandas. Wants `GENSTORE_PYTHON`, an interpreter that has these; skips without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use genstore::clock::{ManualClock, SystemIds};
use genstore::store::{Keeper, Location, Store, StoreOptions, copy};

use super::compat::fixture;
use super::rows::{NOW_US, contract, open, quiet, whole_run};
use crate::program::Python;

#[test]
fn other_programs_read_every_table_while_a_writer_writes() {
    let Some(python) = Python::new() else { return };
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
        let read = python.counts(folder.path(), 2);
        done.store(true, Ordering::SeqCst);
        read.unwrap();
        writer.join().unwrap()
    });
    store.close().unwrap();
    let counts = python.counts(folder.path(), 1).unwrap();
    for (table, rows) in [("runs", written), ("steps", written * 5), ("contracts", written)] {
        assert_eq!(counts[table], rows, "{table}");
    }
}

#[test]
fn other_programs_read_a_copy_and_a_store_that_was_upgraded() {
    let Some(python) = Python::new() else { return };
    let (_folder, from, _) = fixture(1);
    let clock = || ManualClock::at(NOW_US);
    let ids = || Arc::new(SystemIds);
    let to = from.with_file_name("copy");
    let place = |path: &std::path::PathBuf| Location::from(path.as_path());
    copy(&place(&from), &place(&to), clock(), ids(), &mut |_| ()).unwrap();
    let steps = Keeper::open(&from, clock(), ids()).unwrap().upgrade(false).unwrap();
    assert!(!steps.is_empty());
    for path in [to, from] {
        let counts = python.counts(&path, 1).unwrap();
        for (table, it) in Store::open_read_only(&path).unwrap().snapshot().unwrap().tables {
            let rows: u64 = it.files.iter().filter_map(|it| it.rows).sum();
            assert_eq!(u64::try_from(counts[table.name()]).unwrap(), rows, "{table:?}");
        }
    }
}
