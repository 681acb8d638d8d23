//! Addresses as users type them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::error::ErrorKind;

fn access() -> RemoteAccess {
    let state_dir = Some(PathBuf::from("/home/ann/.local/state/genstore"));
    RemoteAccess { state_dir, ..RemoteAccess::default() }
}

fn parse(typed: &str) -> Result<Location> {
    Location::parse(OsStr::new(typed), &access())
}

#[test]
fn a_path_is_a_folder_and_an_address_has_a_state_folder_of_its_own() {
    for typed in ["genstore.db", "/a/b", "./s3:/x", "C:\\a", "a://", "s3", "./s4://x"] {
        if let Ok(location) = parse(typed) {
            assert!(!location.is_remote(), "{typed}");
            assert_eq!(location.path(), Path::new(typed));
            assert_eq!(location.state_folder(), Path::new(typed));
        } else {
            assert_eq!(typed, "a://"); // a scheme, though none that is known
        }
    }
    let location = parse("S3://bucket/years/of runs/").unwrap();
    assert!(location.is_remote());
    assert_eq!(location.path(), Path::new("s3://bucket/years/of runs"));
    let state = location.state_folder().to_str().unwrap();
    let (folder, digest) = state.rsplit_once('-').unwrap();
    assert_eq!(folder, "/home/ann/.local/state/genstore/stores/bucket-years-of-runs");
    assert_eq!(digest.len(), DIGEST_CHARS);
    let layout = location.layout();
    assert_eq!(layout.tables(), Path::new("s3://bucket/years/of runs/tables"));
    assert_eq!(layout.journal(), location.state_folder().join("journal"));
}

#[test]
fn two_places_never_share_a_state_folder() {
    let mut other = access();
    other.settings.insert("aws_endpoint_url".to_owned(), "http://127.0.0.1:9000".to_owned());
    let elsewhere = Location::parse(OsStr::new("s3://b/x-y"), &other).unwrap();
    let places = ["s3://b/x-y", "s3://b/x_y", "s3://b-x/y", "gs://b/x-y", "az://b/x-y"];
    let mut states: Vec<_> =
        places.iter().map(|it| parse(it).unwrap().state_folder().to_owned()).collect();
    states.push(elsewhere.state_folder().to_owned());
    let count = states.len();
    states.sort();
    states.dedup();
    assert_eq!(states.len(), count, "{states:?}");
    // a slash at the end is no other place
    assert_eq!(parse("gs://b/").unwrap().state_folder(), parse("gs://b").unwrap().state_folder());
}

#[test]
fn an_address_that_cannot_be_is_refused_with_what_is_meant() {
    let cases = [
        ("s4://bucket", "s4:// is no kind of address", "s3://, gs://, az://"),
        ("http://host/x", "http:// is no kind of address", "s3://, gs://, az://"),
        ("file:///tmp/x", "file:// is no kind of address", "without file://"),
        ("s3://", "names no bucket", "s3://BUCKET/PATH"),
        ("s3:///x", "names no bucket", "s3://BUCKET/PATH"),
        ("s3://key:secret@bucket/x", "no bucket has such a name", "s3://BUCKET/PATH"),
        ("s3://b/x?versionId=1", "no plain one", "s3://BUCKET/PATH"),
        ("s3://b/x//y", "empty part", "s3://BUCKET/PATH"),
        ("s3://b/../y", "`..`", "s3://BUCKET/PATH"),
    ];
    for (typed, message, hint) in cases {
        let error = parse(typed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{typed}");
        assert!(error.message().contains(message), "{typed}: {error}");
        assert!(!error.message().contains("secret"), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{typed}: {:?}", error.hint());
    }
    let error = Location::parse(OsStr::new("s3://b"), &RemoteAccess::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn no_secret_is_shown() {
    let mut access = access();
    let secret = "wJalrXUtnFEMI";
    access.settings.insert("aws_secret_access_key".to_owned(), secret.to_owned());
    let location = Location::parse(OsStr::new("s3://b/x"), &access).unwrap();
    let shown = format!("{location:?} {access:?}");
    assert!(shown.contains("aws_secret_access_key") && !shown.contains(secret), "{shown}");
}
