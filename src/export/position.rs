//! What an export that can be continued has exported, and hence what is new.
//!
//! A run is visible with all its children or not at all, and is never changed: so what is new are
//! the runs whose keys are not known yet, with their children. It does not matter when they began,
//! who wrote them, or whether a merge has moved them to another file since. Rows that belong to no
//! run are known by a key of their content. No clock is asked.
//!
//! Keys lie beside the export, 16 bytes each, in files to which nothing is ever added.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use futures::StreamExt;

use super::own::POSITION;
use super::runs::{Key, Runs, each_run, key, run_ids};
use super::source::has_runs;
use super::target::Target;
use super::work::Work;
use super::{ExportedFile, manifest};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::output::{Format, Look, RowWriter};
use crate::sql::{Params, Session};
use crate::store::Files;

const ANEW_HINT: &str = "Export anew with --force.";

/// What was exported before.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Runs.
    pub(super) runs: HashSet<Key>,
    /// By table, rows that belong to no run, and how often each.
    rows: HashMap<String, HashMap<Key, u32>>,
    before: manifest::Position,
}

/// What this export adds.
#[derive(Debug, Default)]
pub(super) struct Added {
    rows: BTreeMap<String, Vec<Key>>,
    of_runs: BTreeMap<String, u64>,
}

impl Known {
    /// Reads the keys that a manifest names.
    ///
    /// # Errors
    /// `Damaged`: a file is not what was written.
    pub(super) fn read(files: &dyn Files, root: &Path, before: manifest::Position) -> Result<Self> {
        let mut known = Self::default();
        for file in &before.files {
            let path = root.join(&file.path);
            let bytes = files.read(&path)?.unwrap_or_default();
            if blake3::hash(&bytes).to_hex().as_str() != file.blake3 {
                let message = format!("{} is not what was written", path.display());
                return Err(Error::damaged(message).with_hint(ANEW_HINT));
            }
            let (keys, _) = bytes.as_chunks::<16>();
            match table_of(&file.path) {
                "runs" => known.runs.extend(keys),
                name => {
                    let rows = known.rows.entry(name.to_owned()).or_default();
                    keys.iter().for_each(|it| *rows.entry(*it).or_default() += 1);
                }
            }
        }
        known.before = before;
        Ok(known)
    }

    /// Counts the rows of a table that belong to runs that were exported.
    ///
    /// # Errors
    /// `Failed` if they are more than there were: rows came to a run after its export, and nobody
    /// could tell which.
    pub(super) fn check_late(
        &self,
        session: &Session,
        table: Table,
        added: &mut Added,
        work: &mut Work<'_>,
    ) -> Result<()> {
        if !has_runs(table) || table == Table::Runs || self.runs.is_empty() {
            return Ok(());
        }
        let name = table.name();
        let mut found = 0;
        let sql = format!("SELECT run_id FROM {name}");
        let mut stream = work.wait(session.query_stream(&sql, &Params::new()))??;
        while let Some(batch) = work.wait(stream.next())?.transpose()? {
            each_run(run_ids(&batch), batch.num_rows(), |_, key| {
                found += u64::from(key.is_some_and(|it| self.runs.contains(it)));
                Ok(())
            })?;
        }
        let before = self.before.rows.get(name).copied().unwrap_or(0);
        if found > before {
            let late = found - before;
            let message = format!("{late} rows of {name} came to runs after these were exported");
            return Err(Error::failed(message).with_hint(ANEW_HINT));
        }
        if before > 0 {
            added.of_runs.insert(name.to_owned(), found); // a retention may have taken some
        }
        Ok(())
    }

    /// A sieve for the rows of a table that belong to no run.
    pub(super) fn sieve(&self, table: Table) -> Sieve {
        Sieve { table, known: self.rows.get(table.name()).cloned().unwrap_or_default() }
    }
}

/// Tells rows that were exported from new ones.
#[derive(Debug)]
pub(super) struct Sieve {
    table: Table,
    /// Rows that were exported and have not been met yet.
    known: HashMap<Key, u32>,
}

impl Sieve {
    /// The rows of a batch that are new: of new runs, and those without a run.
    pub(super) fn filter(
        &mut self,
        batch: &RecordBatch,
        runs: &Runs,
        added: &mut Added,
    ) -> Result<RecordBatch> {
        let mut keys: Option<Vec<Key>> = None;
        let (table, known) = (self.table, &mut self.known);
        let filtered = runs.filter(batch, |row| {
            let keys = match &keys {
                Some(keys) => keys,
                None => keys.insert(content_keys(table, batch)?),
            };
            let Some(key) = keys.get(row) else {
                return Err(Error::internal("a row has no key"));
            };
            if let Some(count) = known.get_mut(key).filter(|it| **it > 0) {
                *count -= 1;
                return Ok(false);
            }
            added.rows.entry(table.name().to_owned()).or_default().push(*key);
            Ok(true)
        })?;
        if has_runs(table) && table != Table::Runs {
            let of_runs = run_ids(&filtered).map_or(0, |it| it.len() - it.null_count());
            if of_runs > 0 {
                *added.of_runs.entry(table.name().to_owned()).or_default() += of_runs as u64;
            }
        }
        Ok(filtered)
    }
}

impl Added {
    /// Writes the new keys, and says what the next export leaves out.
    pub(super) fn write(
        self,
        known: Known,
        runs: &Runs,
        target: &Target,
    ) -> Result<manifest::Position> {
        let mut position = known.before;
        for (name, rows) in self.of_runs {
            position.rows.insert(name, rows);
        }
        let mut keys: Vec<Key> = runs.keys().copied().collect();
        keys.sort_unstable();
        let of_runs = std::iter::once(("runs".to_owned(), keys));
        for (name, keys) in of_runs.chain(self.rows).filter(|(_, it)| !it.is_empty()) {
            let path = format!("{POSITION}/{name}-{}.keys", target.first_position());
            let written = keys.len() as u64;
            let file = target.place(&path, keys.into_flattened(), |_| Ok(written))?;
            position.files.push(ExportedFile { rows: written, ..file });
        }
        Ok(position)
    }
}

/// The table of a file of keys.
fn table_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('-').map_or(name, |(table, _)| table)
}

/// A key for each row by what is in it. A contract is its digest: two writers may record it twice,
/// and the table shows the first.
fn content_keys(table: Table, batch: &RecordBatch) -> Result<Vec<Key>> {
    if table == Table::Contracts {
        let digests = batch.column_by_name("contract_digest");
        let digests = digests.and_then(|it| it.as_string_opt::<i32>());
        let digests = digests.ok_or_else(|| Error::internal("contracts have no digest"))?;
        return Ok(digests.iter().map(|it| key(it.unwrap_or_default().as_bytes())).collect());
    }
    let mut writer = RowWriter::new(Vec::new(), Format::Ndjson, Look::default(), &batch.schema())?;
    writer.write(batch)?;
    let lines = writer.into_inner()?;
    Ok(lines.split_inclusive(|it| *it == b'\n').map(key).collect())
}
