//! How many requests a snapshot, a flush and a query take, and whether those that need not wait for
//! each other do not: at 300 ms each, that is what a user waits for.

use std::time::Instant;

use genstore::store::Store;

use super::rows::{count, write_runs};
use super::{Cloud, Faults};
use crate::store::rows::quiet;

/// How many requests some work takes, and how many of them were on their way at the same time, at
/// most: every answer comes late, so whoever can ask at once does.
fn measured(cloud: &Cloud, name: &str, work: impl FnOnce()) -> (u64, u64) {
    const DELAY_MS: u64 = 40;
    cloud.proxy.set(Faults { delay_ms: DELAY_MS, ..Faults::default() }, 0);
    cloud.proxy.take_counts();
    cloud.proxy.take_in_flight_max();
    let start = Instant::now();
    work();
    let rounds = start.elapsed().as_millis() / u128::from(DELAY_MS);
    let (counts, at_once) = (cloud.proxy.take_counts(), cloud.proxy.take_in_flight_max());
    let total = counts.values().sum();
    eprintln!("{name}: {total} requests {counts:?}, {at_once} at once, time of {rounds} answers");
    cloud.proxy.set(Faults::default(), 0);
    (total, at_once)
}

#[test]
fn a_snapshot_a_flush_and_a_query_take_few_requests() {
    let Some(cloud) = Cloud::new() else { return };
    let (made, _) = measured(&cloud, "making a store", || drop(cloud.open(quiet()).unwrap()));
    assert!(made <= 110, "{made}");
    let mut store: Option<Store> = None;
    let (opened, at_once) =
        measured(&cloud, "open for writing", || store = Some(cloud.open(quiet()).unwrap()));
    assert!(opened <= 70 && at_once >= 6, "{opened}, {at_once}");
    let store = store.unwrap();
    write_runs(&store, 0..10);
    // six of each of five tables: two looks, a data file, a look ahead, a commit, a look behind
    let (flush, at_once) = measured(&cloud, "flush of 5 tables", || store.flush().unwrap());
    assert!(flush == 30 && at_once >= 3, "{flush}, {at_once}");
    // two of each of twelve tables, and of `runs` once more
    let (snapshot, at_once) = measured(&cloud, "snapshot", || drop(store.snapshot().unwrap()));
    assert!(snapshot == 26 && at_once >= 6, "{snapshot}, {at_once}");
    let mut reader: Option<Store> = None;
    let (opened, _) = measured(&cloud, "open for reading", || reader = Some(cloud.read().unwrap()));
    assert_eq!(opened, 1);
    let reader = reader.unwrap();
    let (first, _) = measured(&cloud, "first snapshot", || drop(reader.snapshot().unwrap()));
    assert!(first <= 50, "{first}");
    let (query, _) = measured(&cloud, "snapshot and query of one file", || {
        assert_eq!(count(&reader, "SELECT count(*) FROM steps WHERE duration_ns > 0"), 50);
    });
    assert!(query <= snapshot + 3, "{query}");
}
