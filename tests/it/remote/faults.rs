//! Requests that fail, answers that are lost, come late or never: nothing is lost, nothing is
//! doubled, and nobody waits for ever.

use genstore::error::ErrorKind;
use genstore::store::{RemoteOptions, StoreOptions};

use super::rows::{count, write_runs};
use super::{Cloud, Faults};
use crate::store::rows::quiet;

/// Rows of runs, and how many of them are there twice.
fn runs(store: &genstore::store::Store) -> (i64, i64) {
    let doubled = "SELECT count(*) - count(DISTINCT run_id) FROM runs";
    (count(store, "SELECT count(*) FROM runs"), count(store, doubled))
}

#[test]
fn failures_and_lost_answers_at_a_rate_lose_and_double_nothing() {
    let Some(cloud) = Cloud::new() else { return };
    let seed = u64::from(std::process::id());
    eprintln!("seed {seed}");
    let faults = Faults { failed_percent: 8, lost_percent: 8, ..Faults::default() };
    cloud.proxy.set(faults, seed);
    let options =
        StoreOptions { checkpoint_commits: 3, log_commits_kept: 4, log_kept_ms: 0, ..quiet() };
    for round in 0..3 {
        let store = cloud.open(options.clone()).unwrap();
        write_runs(&store, round * 20..round * 20 + 10);
        store.flush().unwrap();
        write_runs(&store, round * 20 + 10..round * 20 + 20);
        assert_eq!(runs(&store), ((round + 1) * 20, 0), "round {round}");
        store.close().unwrap();
    }
    let reader = cloud.read().unwrap();
    assert_eq!(runs(&reader), (60, 0));
    assert_eq!(count(&reader, "SELECT count(*) FROM steps"), 300);
    assert_eq!(count(&reader, "SELECT sum(count)::BIGINT FROM step_latency"), 300);
    cloud.proxy.set(Faults::default(), 0);
    cloud.place().assert_checked();
}

#[test]
fn rows_wait_in_the_journal_while_the_store_cannot_be_reached() {
    let Some(cloud) = Cloud::new() else { return };
    let mut access = cloud.access();
    access.options = RemoteOptions { retries_max: 1, retry_ms_max: 200, ..access.options };
    let location = genstore::store::Location::parse(cloud.url().as_ref(), &access).unwrap();
    let open = || {
        let clock = std::sync::Arc::new(genstore::clock::SystemClock::new());
        let ids = std::sync::Arc::new(genstore::clock::SystemIds);
        genstore::store::Store::open_at(&location, quiet(), clock, ids)
    };
    let store = open().unwrap();
    cloud.proxy.set(Faults { failed_percent: 100, ..Faults::default() }, 0);
    write_runs(&store, 0..10);
    let error = store.close().unwrap_err();
    assert!(error.to_string().contains("journal"), "{error}");
    drop(store);
    let refused = open().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.hint().is_some(), "{refused}");
    cloud.proxy.set(Faults::default(), 0);
    assert_eq!(runs(&open().unwrap()), (10, 0));
}

#[test]
fn an_answer_that_never_comes_ends_in_an_error_that_says_so() {
    let Some(cloud) = Cloud::new() else { return };
    drop(cloud.open(quiet()).unwrap());
    let mut access = cloud.access();
    access.options = RemoteOptions { retries_max: 2, request_ms_max: 300, ..access.options };
    let location = genstore::store::Location::parse(cloud.url().as_ref(), &access).unwrap();
    let slow = Faults { delay_ms: 2_000, ..Faults::default() };
    cloud.proxy.set(slow, 0);
    let error = genstore::store::Store::open_at_read_only(&location).unwrap_err();
    let said = format!("{} {:?}", error, std::error::Error::source(&error));
    assert!(said.contains("no answer came"), "{said}");
    cloud.proxy.set(Faults::default(), 0);
}
