//! The journals of other writers, as far as this process has read them: each look reads only what
//! was appended since the last. Never cuts a torn tail: its writer may be alive.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file_rows::FileRows;
use crate::error::{Error, Result};
use crate::journal::{Chunk, FileHeader, JournalReader};

/// A journal file: its slot and its number in the slot.
pub(super) type FileKey = (u32, u64);

/// What has been read of other writers' journals.
#[derive(Debug, Default)]
pub(super) struct Tails {
    files: Mutex<BTreeMap<FileKey, FileTail>>,
}

#[derive(Debug)]
struct FileTail {
    reader: JournalReader,
    rows: Arc<FileRows>,
}

impl Tails {
    /// The rows of a file up to its first incomplete frame; `None` if there is no such file any
    /// more.
    pub(super) fn read(
        &self,
        key: FileKey,
        path: &Path,
        owner: Owner<'_>,
    ) -> Result<Option<Arc<FileRows>>> {
        let mut files = self.lock();
        let tail = match files.get_mut(&key) {
            Some(tail) => tail,
            None => {
                let reader = match JournalReader::open(path) {
                    Ok(reader) => reader,
                    Err(error) if is_vanished(&error) => return Ok(None),
                    Err(error) => return Err(error),
                };
                owner.check(path, key, reader.header())?;
                files.entry(key).or_insert(FileTail { reader, rows: Arc::default() })
            }
        };
        let new = tail.reader.read_new()?;
        if !new.events.is_empty() {
            tail.rows.push([Chunk { events: new.events, size_bytes: new.size_bytes }]);
        }
        Ok(Some(Arc::clone(&tail.rows)))
    }

    /// Forgets all files but these.
    pub(super) fn keep(&self, files: &BTreeSet<FileKey>) {
        self.lock().retain(|key, _| files.contains(key));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<FileKey, FileTail>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose journal files belong here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    pub(super) store_id: &'a str,
    pub(super) journal_root_id: &'a str,
}

impl Owner<'_> {
    /// Refuses a journal file of another store, which someone has copied here, and one under whose
    /// number the tables would not know its rows again.
    pub(super) fn check(self, path: &Path, key: FileKey, header: &FileHeader) -> Result<()> {
        let path = path.display();
        let what = if header.store_id != self.store_id {
            let (theirs, ours) = (&header.store_id, self.store_id);
            format!("{path} belongs to the store {theirs}, not to this one ({ours})")
        } else if header.journal_root_id != self.journal_root_id {
            let (theirs, ours) = (&header.journal_root_id, self.journal_root_id);
            format!("{path} belongs to the journals {theirs}, not to these ({ours})")
        } else if (header.slot, header.n) != key {
            let (slot, n) = (header.slot, header.n);
            format!("{path} is a copy of file {n} of slot {slot}")
        } else {
            return Ok(());
        };
        Err(Error::damaged(what)
            .with_hint("Nothing was changed; take the file away if it was copied here by mistake."))
    }
}

/// Whether a file was not there any more.
pub(super) fn is_vanished(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}
