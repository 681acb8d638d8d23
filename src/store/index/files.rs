//! Which data files are indexed: the watermark. A file is either whole in the index or not at all,
//! so the index is right whatever commits, compactions and clean-ups came in between: what it says
//! counts for the files of a snapshot that it knows, and all other files must be read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coding::{decode, encode};
use super::filter::Filter;
use super::kv::{Kv, Tree};
use crate::error::{Error, Result};
use crate::event::{Table, Text};
use crate::store::snapshot::{DataFile, Snapshot};

/// The tables whose files are indexed.
pub(super) const TABLES: [Table; 3] = [Table::Runs, Table::Steps, Table::Issues];

/// A file of more parts is read anew: then it is one.
const PARTS_MAX: usize = 1_024;

/// One indexed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IndexedFile {
    /// Rows of the file.
    pub(super) rows: u64,
    /// Whether its run ids can be looked up: of a file of `runs` in which each is a UUID and
    /// stands once in its part.
    pub(super) has_ids: bool,
    /// What it is known as. A file that was read is one part. One that a compaction made of files
    /// that were known has their parts: it holds the same rows, and nothing needs to be read.
    pub(super) parts: Vec<Part>,
}

/// Rows of a file as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// Stands for the rows in other trees; never used twice in one index.
    pub(super) number: u32,
    /// Bounds of their run ids, if they are known.
    pub(super) run_ids: Option<(Text, Text)>,
    /// The contracts that they name.
    pub(super) contracts: Option<Filter>,
}

impl Part {
    /// Whether it may hold a run between two, both included.
    pub(super) fn may_hold(&self, first: &str, last: &str) -> bool {
        let bounds = self.run_ids.as_ref();
        bounds.is_none_or(|(min, max)| min.as_str() <= last && max.as_str() >= first)
    }
}

impl IndexedFile {
    /// A file that was read, known by a number.
    pub(super) fn read(
        number: u32,
        file: &DataFile,
        has_ids: bool,
        contracts: Option<Filter>,
    ) -> Self {
        let part = Part { number, run_ids: file.run_ids.clone(), contracts };
        Self { rows: known_rows(file), has_ids, parts: vec![part] }
    }

    /// The parts that may hold a run.
    pub(super) fn parts_of<'a>(&'a self, run_id: &'a str) -> impl Iterator<Item = &'a Part> {
        self.parts.iter().filter(move |it| it.may_hold(run_id, run_id))
    }
}

/// Under this key of [`Tree::About`] stands the number of the next file.
const NEXT_NUMBER: &[u8] = b"next_number";

/// Files of one table by their names.
type ByName = HashMap<Box<str>, Arc<IndexedFile>>;

/// All indexed files at one moment.
#[derive(Debug, Clone, Default)]
pub struct IndexedFiles {
    tables: BTreeMap<Table, ByName>,
    next_number: u32,
}

impl IndexedFiles {
    /// Whether a file may hold a row of this contract. A file of which nothing is known may.
    pub fn may_hold_contract(&self, table: Table, file: &DataFile, name: &str) -> bool {
        let may_hold = |it: &Part| it.contracts.as_ref().is_none_or(|it| it.may_hold(name));
        self.get(table, file).is_none_or(|it| it.parts.iter().any(may_hold))
    }

    pub(super) fn get(&self, table: Table, file: &DataFile) -> Option<&IndexedFile> {
        let known = self.tables.get(&table)?.get(name(file)?)?;
        (known.rows == known_rows(file)).then_some(&**known)
    }

    /// How many files are known.
    pub(super) fn len(&self) -> usize {
        self.tables.values().map(HashMap::len).sum()
    }

    /// Runs whose ids can be looked up.
    pub(super) fn runs(&self) -> u64 {
        let files = self.tables.get(&Table::Runs).into_iter().flat_map(HashMap::values);
        files.filter(|it| it.has_ids).map(|it| it.rows).sum()
    }

    /// The numbers of the parts of a table's files that the snapshot has.
    pub(super) fn live(&self, snapshot: &Snapshot, table: Table) -> HashSet<u32> {
        let files = snapshot.tables.get(&table).into_iter().flat_map(|it| it.files.iter());
        let known = files.filter_map(|file| self.get(table, file));
        known.flat_map(|it| it.parts.iter().map(|it| it.number)).collect()
    }

    /// What is known of a file that is not indexed by those that it replaced, if all of them are
    /// known.
    pub(super) fn inherited(&self, table: Table, file: &DataFile) -> Option<IndexedFile> {
        let mut made = IndexedFile { rows: 0, has_ids: true, parts: Vec::new() };
        for name in file.replaces.iter() {
            let known = self.tables.get(&table)?.get(name.as_str())?;
            made.rows += known.rows;
            made.has_ids &= known.has_ids;
            made.parts.extend(known.parts.iter().cloned());
        }
        let is_whole = made.rows == file.rows? && !made.parts.is_empty();
        (is_whole && made.parts.len() <= PARTS_MAX).then_some(made)
    }

    /// Numbers for so many further files: the first of them. Durable before it is used.
    pub(super) fn reserve(&mut self, kv: &Kv, count: usize) -> Result<u32> {
        let first = self.next_number;
        if count == 0 {
            return Ok(first);
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.next_number = first
            .checked_add(count)
            .ok_or_else(|| Error::damaged("the index has no number left for another file"))?;
        let next = self.next_number.to_be_bytes().to_vec();
        kv.apply(Tree::About, vec![(NEXT_NUMBER.to_vec(), Some(next))])?;
        kv.flush()?;
        Ok(first)
    }

    /// The files that the snapshot does not have any more, with the numbers of which no other file
    /// has a part.
    pub(super) fn vanished(&self, snapshot: &Snapshot) -> Vec<(Table, Box<str>, Vec<u32>)> {
        let mut gone = Vec::new();
        for (table, known) in &self.tables {
            let files = snapshot.tables.get(table).into_iter().flat_map(|it| it.files.iter());
            let there: HashSet<&str> = files.filter_map(name).collect();
            let (stay, vanished): (Vec<_>, Vec<_>) =
                known.iter().partition(|(name, _)| there.contains(&***name));
            let numbers = |it: &IndexedFile| it.parts.iter().map(|it| it.number).collect();
            let used: HashSet<u32> =
                stay.iter().flat_map(|(_, file)| -> Vec<u32> { numbers(file) }).collect();
            gone.extend(vanished.into_iter().map(|(name, file)| {
                let mut unused: Vec<u32> = numbers(file);
                unused.retain(|it| !used.contains(it));
                (*table, name.clone(), unused)
            }));
        }
        gone
    }

    /// The files of the snapshot that are not indexed.
    pub(super) fn missing<'s>(&self, snapshot: &'s Snapshot, table: Table) -> Vec<&'s DataFile> {
        let files = snapshot.tables.get(&table).into_iter().flat_map(|it| it.files.iter());
        files.filter(|file| self.get(table, file).is_none()).collect()
    }

    /// Notes that a file is indexed, here and in the tree.
    pub(super) fn add(
        &mut self,
        kv: &Kv,
        table: Table,
        file: &DataFile,
        indexed: IndexedFile,
    ) -> Result<()> {
        let Some(name) = name(file) else { return Ok(()) };
        kv.apply(Tree::Files, vec![(encode_key(table, name), Some(encode(&indexed)?))])?;
        self.tables.entry(table).or_default().insert(name.into(), Arc::new(indexed));
        Ok(())
    }

    /// Forgets files, here and in the tree.
    pub(super) fn remove(&mut self, kv: &Kv, gone: &[(Table, Box<str>, Vec<u32>)]) -> Result<()> {
        let keys = gone.iter().map(|(table, name, _)| (encode_key(*table, name), None));
        kv.apply(Tree::Files, keys.collect())?;
        for (table, name, _) in gone {
            if let Some(known) = self.tables.get_mut(table) {
                known.remove(name);
            }
        }
        Ok(())
    }

    /// Reads the tree.
    pub(super) fn read(kv: &Kv) -> Result<Self> {
        let damaged = || Error::damaged("the index lists a file that cannot be understood");
        let next_number = kv.get(Tree::About, NEXT_NUMBER)?;
        let next_number = next_number.map(|it| it.try_into().map(u32::from_be_bytes));
        let next_number = next_number.transpose().map_err(|_| damaged())?.unwrap_or(0);
        let mut files = Self { next_number, ..Self::default() };
        let mut understood = true;
        kv.scan(Tree::Files, &[], |key, value| {
            let is_ours = |it: &IndexedFile| it.parts.iter().all(|it| it.number < next_number);
            let entry = decode_key(key).zip(decode(value).ok().filter(is_ours));
            understood = entry.is_some();
            if let Some(((table, name), file)) = entry {
                files.tables.entry(table).or_default().insert(name, Arc::new(file));
            }
            understood
        })?;
        if understood { Ok(files) } else { Err(damaged()) }
    }
}

fn name(file: &DataFile) -> Option<&str> {
    file.path.file_name()?.to_str()
}

/// The rows that the log says are in a file; 0 where it does not say.
pub(super) fn known_rows(file: &DataFile) -> u64 {
    file.rows.unwrap_or(0)
}

fn encode_key(table: Table, name: &str) -> Vec<u8> {
    format!("{}/{name}", table.name()).into_bytes()
}

fn decode_key(key: &[u8]) -> Option<(Table, Box<str>)> {
    let (table, name) = std::str::from_utf8(key).ok()?.split_once('/')?;
    Some((Table::by_name(table)?, Box::from(name)))
}
