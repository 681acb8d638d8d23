//! Scripts for a Python with the readers of other makers, which `GENSTORE_PYTHON` names; whoever
//! wants one skips without it. Only the S3 server starts an interpreter in another way.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use genstore::event::Table;

const READERS: &str = include_str!("../store/readers.py");

/// How every script ends: at once. An interpreter that takes itself apart meets the threads of
/// pyarrow and deltalake, and now and then dies of it after all was well ("terminate called
/// without an active exception").
const END: &str = "\nimport os, sys\nsys.stdout.flush()\nos._exit(0)\n";

/// A Python interpreter with deltalake, duckdb, polars, pandas, pyarrow and moto[server].
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(super) interpreter: OsString,
}

impl Python {
    /// The interpreter that is named; says that a test skips where none is.
    pub(crate) fn new() -> Option<Self> {
        let interpreter = std::env::var_os("GENSTORE_PYTHON");
        if interpreter.is_none() {
            eprintln!("skipped: GENSTORE_PYTHON names no Python with the readers of other makers");
        }
        interpreter.map(|interpreter| Self { interpreter })
    }

    /// What a script prints.
    ///
    /// # Errors
    /// What the script says before it fails.
    pub(crate) fn run(
        &self,
        script: &str,
        args: impl IntoIterator<Item: AsRef<OsStr>>,
        variables: &[(&str, String)],
    ) -> Result<String, String> {
        let output = Command::new(&self.interpreter)
            .arg("-c")
            .arg(format!("{script}{END}"))
            .args(args)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(format!("{said}\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Opens every table with every reader, so many times; gives the rows of each.
    ///
    /// # Errors
    /// What a reader says, or in what two of them differ.
    pub(crate) fn counts(&self, store: &Path, rounds: usize) -> Result<Counts, String> {
        let tables = store.join("tables").into_os_string();
        let names = Table::ALL.iter().map(|it| it.name().into());
        let args = [tables, rounds.to_string().into()].into_iter().chain(names);
        let text = self.run(READERS, args.collect::<Vec<OsString>>(), &[])?;
        let counts = text.lines().filter_map(|line| line.split_once(' '));
        let counts: Counts =
            counts.filter_map(|(name, rows)| Some((name.to_owned(), rows.parse().ok()?))).collect();
        assert_eq!(counts.len(), Table::ALL.len(), "{text}");
        Ok(counts)
    }
}

/// Rows by the name of a table.
pub(crate) type Counts = BTreeMap<String, i64>;
