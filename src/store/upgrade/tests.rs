//! The last step of an upgrade: the format version, to one that does not exist yet.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use super::*;
use crate::clock::{ManualClock, SystemIds};
use crate::error::ErrorKind;
use crate::store::{Store, StoreOptions};

#[test]
fn the_format_version_is_set_last_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, options) = (folder.path(), StoreOptions::default());
    let clock = || ManualClock::at(1_790_000_000_000_000);
    let store = Store::open_at(path, options, clock(), Arc::new(SystemIds)).unwrap();
    drop(store);
    let before = fs::read_to_string(path.join("store.json")).unwrap();
    let keeper = Keeper::open(path, clock(), Arc::new(SystemIds)).unwrap();
    let next = FORMAT_VERSION + 1;
    assert_eq!(keeper.upgrade(false).unwrap(), [], "this build's own store is up to date");
    let what = format!("set the format version from {FORMAT_VERSION} to {next}");
    let expected = [UpgradeStep { table: None, what }];
    assert_eq!(keeper.upgrade_to(next, true).unwrap(), expected);
    assert_eq!(fs::read_to_string(path.join("store.json")).unwrap(), before, "a dry run");
    assert_eq!(keeper.upgrade_to(next, false).unwrap(), expected);
    let version = |it: u32| format!("\"format_version\": {it}");
    let expected = before.replace(&version(FORMAT_VERSION), &version(next));
    assert_eq!(fs::read_to_string(path.join("store.json")).unwrap(), expected);
    let error = Store::open_read_only(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}
