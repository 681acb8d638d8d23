//! Rows in, rows out: what a local store does, a remote one does, too.

use genstore::clock::{SystemClock, SystemIds};
use genstore::event::Table;
use genstore::sql::{Params, Session, SessionSettings};
use genstore::store::{Keeper, Location, Store, StoreOptions};
use std::process::Command;
use std::sync::Arc;

use super::Cloud;
use crate::program::Python;
use crate::store::rows::{quiet, run_id, whole_run};

/// The number that a query gives.
pub(super) fn count(store: &Store, query: &str) -> i64 {
    let snapshot = store.snapshot().unwrap();
    let clock = Arc::new(SystemClock::new());
    let session = Session::new(&snapshot, SessionSettings::default(), clock).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let output = runtime.block_on(session.query(query, &Params::default())).unwrap();
    let batch = output.batches.iter().find(|it| it.num_rows() == 1).unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batch.column(0)).value(0)
}

pub(super) fn write_runs(store: &Store, numbers: std::ops::Range<i64>) {
    for number in numbers {
        store.commit_blocking(whole_run(number)).unwrap();
    }
}

#[test]
fn rows_are_there_hot_flushed_reopened_and_from_another_machine() {
    let Some(cloud) = Cloud::new() else { return };
    let store = cloud.open(quiet()).unwrap();
    write_runs(&store, 0..20);
    assert_eq!(count(&store, "SELECT count(*) FROM runs"), 20, "hot");
    store.flush().unwrap();
    write_runs(&store, 20..30);
    assert_eq!(count(&store, "SELECT count(*) FROM steps"), 30 * 5, "cold and hot");
    let reader = cloud.read().unwrap();
    assert_eq!(count(&reader, "SELECT count(*) FROM runs"), 30, "the same machine");
    // without the journal, which is elsewhere: what was flushed
    let mut access = cloud.access();
    access.state_dir = Some(cloud.home.path().join("another machine"));
    let there = Location::parse(cloud.url().as_ref(), &access).unwrap();
    let there = Store::open_at_read_only(&there).unwrap();
    assert_eq!(count(&there, "SELECT count(*) FROM runs"), 20, "another machine");
    assert!(!cloud.home.path().join("another machine").exists(), "a reader leaves nothing");
    store.close().unwrap();
    assert_eq!(count(&there, "SELECT count(*) FROM runs"), 30, "another machine, flushed");
    let again = cloud.open(quiet()).unwrap();
    assert_eq!(count(&again, "SELECT sum(count)::BIGINT FROM step_latency"), 30 * 5);
    let found = again.run(&run_id(7)).unwrap().unwrap();
    assert_eq!((found.steps.len(), found.issues.len()), (5, 1));
    again.catch_up_index(&mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert_eq!(again.run(&run_id(7)).unwrap(), Some(found), "by the index");
    let local: Vec<_> = std::fs::read_dir(cloud.location().state_folder()).unwrap().collect();
    assert_eq!(local.len(), 2, "journal and index: {local:?}");
}

#[test]
fn other_readers_of_delta_see_the_same_counts() {
    let Some(cloud) = Cloud::new() else { return };
    let store = cloud.open(StoreOptions { checkpoint_commits: 2, ..quiet() }).unwrap();
    for flush in 0..5 {
        write_runs(&store, flush * 10..flush * 10 + 10);
        store.flush().unwrap();
    }
    store.close().unwrap();
    let script = "
import sys, os, deltalake
options = {name: value for name, value in os.environ.items() if name.startswith('AWS_')}
for name in sys.argv[2:]:
    table = deltalake.DeltaTable(f'{sys.argv[1]}/tables/{name}', storage_options=options)
    print(name, table.to_pyarrow_table().num_rows)
";
    let args = [&cloud.url(), "runs", "steps", "issues", "baselines"];
    let said = Python::new().unwrap().run(script, args, &cloud.variables());
    assert_eq!(said.unwrap(), "runs 50\nsteps 250\nissues 50\nbaselines 0\n");
}

#[test]
fn a_keeper_and_the_program_work_at_an_address() {
    let Some(cloud) = Cloud::new() else { return };
    let place = cloud.place();
    place.copies(2);
    let replay = place.run(&["replay", "set", "--format", "ndjson"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let printed = crate::program::by_run(crate::program::lines(&replay));
    place.assert_whole(&printed);
    place.assert_checked();
    drop(
        Keeper::open_at(&cloud.location(), Arc::new(SystemClock::new()), Arc::new(SystemIds))
            .unwrap(),
    );
    let status = place.run(&["store", "status"]);
    let said = String::from_utf8(status.stdout).unwrap();
    assert!(said.contains(&format!("store           {}\n", cloud.url())), "{said}");
    let state = cloud.location().state_folder().display().to_string();
    assert!(said.contains(&format!("local state     {state}\n")), "{said}");
    let counts = place.flushed_counts();
    assert_eq!(counts.len(), Table::ALL.len());
    let mut by_variable = place.command(&[]);
    by_variable = {
        let mut command = Command::new(by_variable.get_program());
        command.envs(cloud.variables()).env("GENSTORE_STORE", cloud.url());
        command.env("XDG_STATE_HOME", cloud.home.path());
        command.args(["sql", "--format", "csv", "SELECT count(*) AS n FROM runs"]);
        command
    };
    let output = by_variable.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.trim(), format!("n\n{}", printed.len()));
}
