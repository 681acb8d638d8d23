//! How many requests a snapshot, a flush and a query take, and how many of them one after the
//! other: at 300 ms each, that is what a user waits for.

use std::collections::BTreeMap;
use std::time::Instant;

use genstore::store::Store;

use super::Cloud;
use super::proxy::Faults;
use super::rows::{count, write_runs};
use crate::store::rows::quiet;

fn total(counts: &BTreeMap<&'static str, u64>) -> u64 {
    counts.values().sum()
}

/// Requests of some work, and how many of them followed each other: with a pause before every
/// answer, that is the time by the pause.
fn measured(cloud: &Cloud, name: &str, work: impl FnOnce()) -> (u64, u128) {
    const DELAY_MS: u64 = 40;
    cloud.proxy.set(Faults { delay_ms: DELAY_MS, ..Faults::default() }, 0);
    cloud.proxy.take_counts();
    let start = Instant::now();
    work();
    let rounds = start.elapsed().as_millis() / u128::from(DELAY_MS);
    let counts = cloud.proxy.take_counts();
    eprintln!(
        "{name}: {} requests {counts:?}, at most {rounds} one after the other",
        total(&counts)
    );
    cloud.proxy.set(Faults::default(), 0);
    (total(&counts), rounds)
}

#[test]
fn a_snapshot_a_flush_and_a_query_take_few_requests() {
    let Some(cloud) = Cloud::new() else { return };
    let (opened, _) = measured(&cloud, "first open", || drop(cloud.open(quiet()).unwrap()));
    assert!(opened <= 200, "{opened}");
    let mut store: Option<Store> = None;
    let (opened, _) =
        measured(&cloud, "open for writing", || store = Some(cloud.open(quiet()).unwrap()));
    assert!(opened <= 110, "{opened}");
    let store = store.unwrap();
    write_runs(&store, 0..10);
    let (flush, _) = measured(&cloud, "flush of 6 tables", || store.flush().unwrap());
    assert!(flush <= 90, "{flush}");
    let (snapshot, _) = measured(&cloud, "snapshot", || drop(store.snapshot().unwrap()));
    assert!(snapshot <= 26, "{snapshot}");
    let mut reader: Option<Store> = None;
    let (opened, _) = measured(&cloud, "open for reading", || reader = Some(cloud.read().unwrap()));
    assert_eq!(opened, 1);
    let reader = reader.unwrap();
    measured(&cloud, "first snapshot", || drop(reader.snapshot().unwrap()));
    let query = "SELECT count(*) FROM steps WHERE duration_ns > 0";
    let (first, _) = measured(&cloud, "snapshot and first query", || {
        assert_eq!(count(&reader, query), 50);
    });
    // the footer and the column of one file
    assert!(first <= snapshot + 3, "{first}");
}
