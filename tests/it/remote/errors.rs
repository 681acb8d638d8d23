//! What cannot work is refused with the address, the reason and the next step; no credential is
//! ever shown.

use genstore::error::{Error, ErrorKind};
use genstore::store::Store;

use super::rows::write_runs;
use super::{Cloud, Faults};
use crate::program::Place;
use crate::store::rows::quiet;

/// All that a user could see of an error.
fn shown(error: &Error) -> String {
    let mut text = format!("{error:?} {error}");
    let mut source = std::error::Error::source(error);
    while let Some(it) = source {
        text = format!("{text} {it:?} {it}");
        source = it.source();
    }
    text
}

#[track_caller]
fn assert_told(error: &Error, message: &str, hint: &str) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let shown = shown(error);
    assert!(shown.contains(message), "{message}: {shown}");
    assert!(shown.contains(hint), "{hint}: {shown}");
    assert!(shown.contains("s3://"), "{shown}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("AKIATEST"), "{shown}");
}

#[test]
fn a_bucket_that_does_not_exist_is_named() {
    let Some(cloud) = Cloud::new() else { return };
    let location = cloud.location_of("s3://nowhere-to-be-found/history");
    let read = Store::open_at_read_only(&location).unwrap_err();
    assert_told(&read, "there is no bucket s3://nowhere-to-be-found", "Make the bucket");
    let clock = std::sync::Arc::new(genstore::clock::SystemClock::new());
    let ids = std::sync::Arc::new(genstore::clock::SystemIds);
    let written = Store::open_at(&location, quiet(), clock, ids).unwrap_err();
    assert_told(&written, "there is no bucket s3://nowhere-to-be-found", "Make the bucket");
}

#[test]
fn a_place_without_a_store_is_no_store_and_one_of_others_is_not_taken() {
    let Some(cloud) = Cloud::new() else { return };
    assert_told(&cloud.read().unwrap_err(), "does not exist", "makes the store");
    // somebody else's files
    let mut access = cloud.access();
    access.settings.remove("aws_region");
    drop(cloud.open(quiet()).unwrap());
    let above = cloud.location_of(&format!("s3://{}", cloud.bucket));
    let clock = std::sync::Arc::new(genstore::clock::SystemClock::new());
    let ids = std::sync::Arc::new(genstore::clock::SystemIds);
    let error = Store::open_at(&above, quiet(), clock, ids).unwrap_err();
    assert_told(&error, "is not a store", "another");
}

#[test]
fn a_bucket_that_is_read_only_is_read_and_not_written() {
    let Some(cloud) = Cloud::new() else { return };
    let store = cloud.open(quiet()).unwrap();
    write_runs(&store, 0..3);
    store.close().unwrap();
    drop(store);
    cloud.proxy.set(Faults { read_only: true, ..Faults::default() }, 0);
    assert_eq!(super::rows::count(&cloud.read().unwrap(), "SELECT count(*) FROM runs"), 3);
    assert_told(&cloud.open(quiet()).unwrap_err(), "this is not allowed", "to put and to delete");
}

#[test]
fn a_server_that_lies_about_conditional_puts_is_refused_before_anything_is_written() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.proxy.set(Faults { lies: true, ..Faults::default() }, 0);
    let error = cloud.open(quiet()).unwrap_err();
    assert_told(&error, "takes the second of two puts", "If-None-Match");
    assert_told(&cloud.read().unwrap_err(), "does not exist", "makes the store");
    cloud.proxy.set(Faults::default(), 0);
    drop(cloud.open(quiet()).unwrap());
}

#[test]
fn nobody_at_the_endpoint_and_plain_http_that_was_not_allowed_are_told() {
    let Some(cloud) = Cloud::new() else { return };
    let mut access = cloud.access();
    access.options.retries_max = 1;
    access.settings.remove("aws_allow_http");
    let location = genstore::store::Location::parse(cloud.url().as_ref(), &access).unwrap();
    let error = Store::open_at_read_only(&location).unwrap_err();
    assert_told(&error, "the endpoint is plain http", "AWS_ALLOW_HTTP=true");
    let mut access = cloud.access();
    access.options.retries_max = 1;
    access.settings.insert("aws_endpoint_url".to_owned(), "http://127.0.0.1:1".to_owned());
    let location = genstore::store::Location::parse(cloud.url().as_ref(), &access).unwrap();
    let error = Store::open_at_read_only(&location).unwrap_err();
    assert_told(&error, "nobody answers", "AWS_ENDPOINT_URL");
}

#[test]
fn the_program_tells_of_schemes_repairs_and_credentials_without_showing_them() {
    let Some(cloud) = Cloud::new() else { return };
    let place = cloud.place();
    let said = |args: &[&str]| {
        let output = place.run(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("s3cr3t") && !text.contains("AKIATEST"), "{text}");
        (output.status.code().unwrap(), text)
    };
    let nowhere = Place::remote("s4://bucket/x".to_owned(), cloud.variables());
    let output = nowhere.run(&["sql", "SELECT 1 FROM runs"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("s4://") && text.contains("s3://, gs://"), "{text}");
    drop(cloud.open(quiet()).unwrap());
    let (code, text) = said(&["store", "check", "--repair"]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("store copy"), "{text}");
}
