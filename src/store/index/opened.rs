//! The index while it is open: what it knows, and how a lookup asks it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::files::{self, IndexedFiles};
use super::kv::{Kv, Tree};
use super::names::Names;
use super::postings::{self, Posting};
use super::{IndexObserver, IndexTree, catch_up, lock, runs};
use crate::error::{Error, Result};
use crate::event::{Table, Text, TimeUs};
use crate::store::lookup::{FoundRun, RunRecord, files_of_run};
use crate::store::snapshot::{DataFile, Snapshot};

/// Another version is made anew, not understood.
const FORMAT: &[u8] = b"2";
/// The index while it is open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) kv: Kv,
    files: Mutex<Arc<IndexedFiles>>,
    names: Mutex<Names>,
    packed: AtomicU64,
    /// Versions of the tables' logs that it was brought to.
    versions: Mutex<Option<Versions>>,
}

/// Versions of the logs of [`files::TABLES`].
type Versions = [Option<u64>; 3];

impl Opened {
    pub(super) fn open(folder: &Path, store_id: &str) -> Result<Self> {
        const KEYS: [&[u8]; 2] = [b"format", b"store_id"];
        let kv = Kv::open(folder)?;
        let values = [FORMAT, store_id.as_bytes()];
        let [format, store] = KEYS.map(|key| kv.get(Tree::About, key));
        match (format?.as_deref(), store?.as_deref()) {
            (None, None) => {
                let about = KEYS.into_iter().zip(values);
                let about = about.map(|(key, value)| (key.to_vec(), Some(value.to_vec())));
                kv.apply(Tree::About, about.collect())?;
                kv.flush()?;
            }
            (Some(format), Some(store)) if [format, store] == values => {}
            (Some(FORMAT), _) => {
                return Err(Error::damaged(format!(
                    "the index {} is of another store",
                    folder.display()
                )));
            }
            _ => {
                return Err(Error::damaged(format!(
                    "the index {} is of another version",
                    folder.display()
                )));
            }
        }
        let (files, names) = (IndexedFiles::read(&kv)?, Names::read(&kv)?);
        let packed = runs::packed_count(&kv)?;
        Ok(Self {
            kv,
            files: Mutex::new(Arc::new(files)),
            names: Mutex::new(names),
            packed: AtomicU64::new(packed),
            versions: Mutex::default(),
        })
    }

    pub(super) fn catch_up(&self, snapshot: &Snapshot, progress: IndexObserver<'_>) -> Result<()> {
        if self.is_past(snapshot) {
            return Ok(());
        }
        catch_up::catch_up(self, snapshot, progress)?;
        self.set_at(snapshot);
        Ok(())
    }

    pub(super) fn is_at(&self, snapshot: &Snapshot) -> bool {
        *lock(&self.versions) == Some(versions(snapshot))
    }

    /// Whether a newer snapshot has been seen: to go back would be work for nothing.
    pub(super) fn is_past(&self, snapshot: &Snapshot) -> bool {
        let seen = *lock(&self.versions);
        let newer = |seen: Versions| seen.iter().zip(versions(snapshot)).all(|(a, b)| *a >= b);
        seen.is_some_and(newer)
    }

    pub(super) fn set_at(&self, snapshot: &Snapshot) {
        *lock(&self.versions) = Some(versions(snapshot));
    }

    pub(super) fn files(&self) -> Arc<IndexedFiles> {
        Arc::clone(&lock(&self.files))
    }

    pub(super) fn set_files(&self, files: IndexedFiles) {
        *lock(&self.files) = Arc::new(files);
    }

    pub(super) fn names(&self) -> Names {
        lock(&self.names).clone()
    }

    pub(super) fn set_names(&self, names: Names) {
        *lock(&self.names) = names;
    }

    pub(super) fn note_packed(&self, runs: u64) {
        self.packed.fetch_add(runs, Ordering::Relaxed);
    }

    /// Forgets the records of the oldest runs beyond `runs_max`.
    pub(super) fn drop_oldest(&self, runs_max: u64) -> Result<()> {
        while self.packed.load(Ordering::Relaxed) > runs_max {
            let Some(dropped) = runs::drop_oldest(&self.kv)? else { break };
            self.packed.fetch_sub(dropped, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn record(
        &self,
        snapshot: &Snapshot,
        run_id: &str,
        id: runs::RunNumber,
    ) -> Result<Option<RunRecord>> {
        let files = self.files();
        let mut found = None;
        for file in files_of_run(snapshot, Table::Runs, run_id) {
            let Some(known) = files.get(Table::Runs, file).filter(|it| it.has_ids) else {
                return Ok(None);
            };
            for part in known.parts_of(run_id) {
                if let Some((_, first)) = runs::find(&self.kv, part.number, id)? {
                    if found.is_some() {
                        return Ok(None); // recorded twice: the tables tell
                    }
                    found = Some((part.number, first));
                }
            }
        }
        let Some((number, first)) = found else { return Ok(None) };
        let Some((made_of, record)) = runs::unpack(&self.kv, number, first, id)? else {
            return Ok(None);
        };
        // It is whole if it was made of exactly those parts that may hold rows of the run now.
        let mut there = 0;
        for table in [Table::Steps, Table::Issues] {
            for file in files_of_run(snapshot, table, run_id) {
                let Some(known) = files.get(table, file) else { return Ok(None) };
                for part in known.parts_of(run_id) {
                    if !made_of.contains(&part.number) {
                        return Ok(None);
                    }
                    there += 1;
                }
            }
        }
        let whole = there == made_of.len() || self.all_live(&files, snapshot, &made_of);
        Ok(whole.then_some(record))
    }

    /// See [`super::Index::runs_of_contract`]; `None` if the index changed meanwhile.
    pub(super) fn runs_of_contract<'s>(
        &self,
        snapshot: &'s Snapshot,
        name: &str,
        count_max: usize,
    ) -> Result<Option<(Vec<FoundRun>, Vec<&'s DataFile>)>> {
        let files = self.files();
        let live = files.live(snapshot, Table::Runs);
        let newest =
            postings::newest_of_contract(&self.kv, name, count_max, |it| live.contains(&it))?;
        if !Arc::ptr_eq(&files, &self.files()) {
            return Ok(None);
        }
        let found = newest.iter().map(found_run).collect();
        Ok(Some((found, unknown(&files, snapshot))))
    }

    /// See [`super::Index::run_of_input`].
    pub(super) fn run_of_input<'s>(
        &self,
        snapshot: &'s Snapshot,
        input_digest: &str,
    ) -> Result<Option<(Option<FoundRun>, Vec<&'s DataFile>)>> {
        let files = self.files();
        let found = postings::memo(&self.kv, input_digest)?;
        let is_live = |it: &Posting| files.live(snapshot, Table::Runs).contains(&it.file);
        if found.as_ref().is_some_and(|it| !is_live(it)) || !Arc::ptr_eq(&files, &self.files()) {
            return Ok(None);
        }
        Ok(Some((found.as_ref().map(found_run), unknown(&files, snapshot))))
    }

    /// How much is in each tree that can be asked.
    pub(super) fn trees(&self) -> Result<Vec<IndexTree>> {
        let runs = self.files().runs();
        let packed = self.packed.load(Ordering::Relaxed);
        let (contracts, memo) = (postings::in_contracts(&self.kv)?, postings::in_memo(&self.kv)?);
        let counts = [
            ("runs", runs),
            ("packed", packed),
            ("contracts", contracts),
            ("memo", memo),
            ("names", self.names().len() as u64),
        ];
        Ok(counts.map(|(name, entries)| IndexTree { name, entries }).to_vec())
    }

    fn all_live(&self, files: &IndexedFiles, snapshot: &Snapshot, numbers: &[u32]) -> bool {
        let mut live = files.live(snapshot, Table::Steps);
        live.extend(files.live(snapshot, Table::Issues));
        numbers.iter().all(|it| live.contains(it))
    }
}

fn versions(snapshot: &Snapshot) -> Versions {
    files::TABLES.map(|table| snapshot.tables.get(&table).and_then(|it| it.version))
}

/// Files of `runs` that must be read, as the index does not know each run of theirs.
fn unknown<'s>(files: &IndexedFiles, snapshot: &'s Snapshot) -> Vec<&'s DataFile> {
    let all = snapshot.tables.get(&Table::Runs).into_iter().flat_map(|it| it.files.iter());
    all.filter(|file| !files.get(Table::Runs, file).is_some_and(|it| it.has_ids)).collect()
}

fn found_run(posting: &Posting) -> FoundRun {
    FoundRun { run_id: Text::from(runs::run_id(posting.id)), start_time: TimeUs(posting.start_us) }
}
