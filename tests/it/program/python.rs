//! The tables of a store as the Python readers of Delta Lake see them. Wants `GENSTORE_PYTHON`, an
//! interpreter that has them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;

use genstore::event::Table;

use super::Place;

const SCRIPT: &str = include_str!("../store/readers.py");

/// The interpreter, if one is named.
pub(crate) fn python() -> Option<OsString> {
    std::env::var_os("GENSTORE_PYTHON")
}

/// Opens every table with every reader; gives the rows of each.
pub(crate) fn python_counts(python: &OsStr, place: &Place) -> BTreeMap<String, i64> {
    let output = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(place.store().join("tables"))
        .arg("1")
        .args(Table::ALL.iter().map(|it| it.name()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let counts = text.lines().filter_map(|line| line.split_once(' '));
    let counts: BTreeMap<String, i64> =
        counts.filter_map(|(name, rows)| Some((name.to_owned(), rows.parse().ok()?))).collect();
    assert_eq!(counts.len(), Table::ALL.len(), "{text}");
    counts
}
