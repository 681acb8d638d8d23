//! Which data files are indexed: the watermark. A file is either whole in the index or not at all,
//! so the index is right whatever commits, compactions and clean-ups came in between: what it says
//! counts for the files of a snapshot that it knows, and all other files must be read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::filter::Filter;
use super::kv::{Kv, Tree};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::snapshot::{DataFile, Snapshot};

/// The tables whose files are indexed.
pub(super) const TABLES: [Table; 3] = [Table::Runs, Table::Steps, Table::Issues];

/// One indexed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexedFile {
    /// Stands for the file in other trees; never used twice in one index.
    pub(super) number: u32,
    /// Rows of the file.
    pub(super) rows: u64,
    /// Whether its run ids can be looked up: of a file of `runs` in which each is a UUID and
    /// stands once.
    pub(super) has_ids: bool,
    /// The contracts that rows of the file name.
    pub(super) contracts: Option<Filter>,
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
        let filter = self.get(table, file).and_then(|it| it.contracts.as_ref());
        filter.is_none_or(|it| it.may_hold(name))
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

    /// The numbers of a table's files that the snapshot has.
    pub(super) fn live(&self, snapshot: &Snapshot, table: Table) -> HashSet<u32> {
        let files = snapshot.tables.get(&table).into_iter().flat_map(|it| it.files.iter());
        files.filter_map(|file| Some(self.get(table, file)?.number)).collect()
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

    /// The files that the snapshot does not have any more, with their numbers.
    pub(super) fn vanished(&self, snapshot: &Snapshot) -> Vec<(Table, Box<str>, u32)> {
        let mut gone = Vec::new();
        for (table, known) in &self.tables {
            let files = snapshot.tables.get(table).into_iter().flat_map(|it| it.files.iter());
            let there: HashSet<&str> = files.filter_map(name).collect();
            let vanished = known.iter().filter(|(name, _)| !there.contains(&***name));
            gone.extend(vanished.map(|(name, file)| (*table, name.clone(), file.number)));
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
        kv.apply(Tree::Files, vec![(encode_key(table, name), Some(encode(&indexed)))])?;
        self.tables.entry(table).or_default().insert(name.into(), Arc::new(indexed));
        Ok(())
    }

    /// Forgets files, here and in the tree.
    pub(super) fn remove(&mut self, kv: &Kv, gone: &[(Table, Box<str>, u32)]) -> Result<()> {
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
            let entry = decode_key(key).zip(decode(value));
            let entry = entry.filter(|(_, file)| file.number < next_number);
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

fn encode(file: &IndexedFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(file.number.to_be_bytes());
    bytes.extend(file.rows.to_be_bytes());
    bytes.push(u8::from(file.has_ids));
    bytes.extend(file.contracts.iter().flat_map(|it| it.as_bytes()));
    bytes
}

fn decode(bytes: &[u8]) -> Option<IndexedFile> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    let (rows, rest) = rest.split_first_chunk::<8>()?;
    let (has_ids, filter) = rest.split_first()?;
    Some(IndexedFile {
        number: u32::from_be_bytes(*number),
        rows: u64::from_be_bytes(*rows),
        has_ids: *has_ids == 1,
        contracts: Filter::from_bytes(filter),
    })
}
