//! Imports that break off: at every operation of the disk, by a kill, by the user. Done again, each
//! completes, and nothing is there twice.

use std::collections::BTreeMap;
use std::io::ErrorKind as IoErrorKind;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use genstore::clock::{ManualClock, SeededIds, SystemIds};
use genstore::error::{ErrorKind, Result};
use genstore::event::Table;
use genstore::export::FileFormat;
use genstore::import::{Report, Request, import, import_on};
use genstore::store::{Location, Store, StoreOptions};

use super::fixture::*;
use crate::disk::{Fault, FaultDisk, Machine};
use crate::program::{Place, Until, Victim};
use crate::store::rows::{NOW_US, whole_run};

fn on(disk: &FaultDisk, store: &Path, request: &Request, seed: u64) -> Result<Report> {
    let (clock, ids) = (ManualClock::at(NOW_US), Arc::new(SeededIds::new(seed << 32)));
    import_on(disk.shared(), &Location::from(store), request, clock, ids, &mut |_| {
        ControlFlow::Continue(())
    })
}

/// A machine with a store in which another run is.
fn prepared() -> Arc<Machine> {
    let machine = Machine::new();
    let disk = machine.process().shared();
    let (clock, ids) = (ManualClock::at(NOW_US), Arc::new(SeededIds::new(1)));
    let store =
        Store::open_on(disk, &machine.store(), StoreOptions::default(), clock, ids).unwrap();
    store.commit_blocking(whole_run(5_000)).unwrap();
    store.close().unwrap();
    machine
}

/// Every run that is there has its steps; then the import is done again, and all is there once.
fn completes(machine: &Arc<Machine>, request: &Request, expected: &All, at: &str) {
    let store = machine.store();
    let before = counts(&store);
    let runs = before[&Table::Runs];
    assert!(runs == 1 || runs == 13, "{at}: {runs} runs");
    if runs == 13 {
        assert!(everything(&store) == *expected, "{at}: committed, but not whole");
    }
    on(&machine.process(), &store, request, 90).unwrap_or_else(|it| panic!("{at}: {it}"));
    assert!(everything(&store) == *expected, "{at}: differs");
}

type All = BTreeMap<&'static str, Vec<String>>;

/// A request, what is there after it, and before.
struct Script {
    prepared: Arc<Machine>,
    request: Request,
    before: BTreeMap<Table, u64>,
    expected: All,
    /// The operation at which the first commit begins.
    first_commit: u64,
}

#[test]
fn a_crash_a_power_loss_or_an_error_at_any_operation_leaves_what_completes() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    fill(&from, &events(12, 2));
    export(&from, &exported, FileFormat::Parquet);
    let (prepared, request) = (prepared(), folder(&exported));
    let machine = prepared.power_loss(1);
    let disk = machine.process();
    on(&disk, &machine.store(), &request, 2).unwrap();
    let trace = disk.trace();
    let first_commit = trace.iter().position(|it| it.contains("_delta_log")).unwrap() as u64;
    assert!(first_commit > 30 && disk.operations() > first_commit + 40, "{trace:?}");
    let before = counts(&prepared.store());
    let expected = everything(&machine.store());
    assert_eq!(expected["runs"].len(), 13);
    let script = Script { prepared, request, before, expected, first_commit };
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let operation = next.fetch_add(1, Ordering::SeqCst);
                    if operation >= disk.operations() {
                        return;
                    }
                    script.breaks_at(operation);
                }
            });
        }
    });
}

impl Script {
    fn breaks_at(&self, operation: u64) {
        let Self { prepared, request, before, expected, first_commit } = self;
        let crashed = prepared.power_loss(1);
        let disk = crashed.process().with(Fault::crash().after(operation));
        assert!(on(&disk, &crashed.store(), request, 2).is_err(), "{operation}");
        if operation.is_multiple_of(2) {
            let lost = crashed.power_loss(operation);
            completes(&lost, request, expected, &format!("power loss at {operation}"));
        } else {
            completes(&crashed, request, expected, &format!("crash at {operation}"));
        }

        let failed = prepared.power_loss(1);
        let disk = failed.process().with(Fault::fail(IoErrorKind::StorageFull).after(operation));
        if on(&disk, &failed.store(), request, 2).is_err() {
            // a file whose name may not be durable is left to a vacuum
            let at = usize::try_from(operation).unwrap();
            let is_sync = disk.trace()[at].starts_with("SyncFolder");
            if operation < *first_commit && !is_sync {
                assert_eq!(counts(&failed.store()), *before, "error at {operation}");
                assert_no_strays(&failed.store());
            }
        }
        completes(&failed, request, expected, &format!("error at {operation}"));
        if operation >= *first_commit {
            let late = prepared.power_loss(1);
            let fault = Fault::lose_reply().after(operation);
            drop(on(&late.process().with(fault), &late.store(), request, 2));
            completes(&late, request, expected, &format!("lost reply at {operation}"));
        }
    }
}

#[test]
fn an_import_that_is_interrupted_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let (from, exported) = (place.path().join("from"), place.path().join("exported"));
    fill(&from, &events(60, 2));
    export(&from, &exported, FileFormat::Ndjson);
    let to = place.path().join("to");
    let mut seen = 0;
    for end in [1, 5, 60, 130] {
        let (clock, ids) = (ManualClock::at(NOW_US), Arc::new(SystemIds));
        let error = import(
            &Location::from(to.as_path()),
            &folder(&exported),
            clock,
            ids,
            &mut |progress| {
                assert!(progress.bytes_done <= progress.bytes_total);
                seen += 1;
                if seen >= end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        )
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert_eq!(error.message(), "interrupted; nothing was imported");
        assert_eq!(counts(&to).values().sum::<u64>(), 0);
        for table in Table::ALL {
            assert!(data_files(&to, *table).is_empty());
        }
        seen = 0;
    }
    run(&to, &folder(&exported)).unwrap();
    assert!(everything(&to) == everything(&from));
}

#[test]
fn kills_of_the_program_leave_what_completes() {
    let place = Place::new();
    let (from, exported) = (place.root.path().join("from"), place.root.path().join("exported"));
    fill(&from, &events(400, 4));
    export(&from, &exported, FileFormat::Csv);
    let started = std::time::Instant::now();
    let whole = Place::new();
    assert!(whole.run(&["import", exported.to_str().unwrap()]).status.success());
    let takes = started.elapsed();
    const KILLS: u64 = 12;
    for kill in 0..KILLS {
        let command = place.command(&["import", exported.to_str().unwrap()]);
        let until = Until::Micros(u64::try_from(takes.as_micros()).unwrap() * kill / KILLS);
        drop(Victim::start(command).kill(until));
    }
    let output = place.run(&["import", exported.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(everything(&place.store()) == everything(&from));
}
