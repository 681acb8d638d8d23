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
        store_id: &str,
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
                check_owner(path, reader.header(), store_id)?;
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

/// Refuses a journal file of another store, which someone has copied here.
pub(super) fn check_owner(path: &Path, header: &FileHeader, store_id: &str) -> Result<()> {
    if header.store_id == store_id {
        return Ok(());
    }
    Err(Error::damaged(format!(
        "{} belongs to the store {}, not to this one ({store_id})",
        path.display(),
        header.store_id
    ))
    .with_hint("Nothing was changed; take the file away if it was copied here by mistake."))
}

fn is_vanished(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::NotFound)
}
