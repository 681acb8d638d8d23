//! A store to another place: one moment of it, byte for byte, with its own id and no journal. Each
//! file is verified as it is read, and once more as it lies there. `store.json` comes last, so a
//! copy that broke off is no store; done again, it keeps the files that are there and right. Never
//! changes the store that is copied, and nothing in a place that is not empty.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::check;
use super::data_file;
use super::delta::{self, Add, State, data_file as described};
use super::files::{FileSource, Files};
use super::handle::Store;
use super::identity::{self, Identity};
use super::layout::{COPY_NAME, IDENTITY_NAME, Layout, data_temporary_name, delta_log};
use super::location::Location;
use super::segment::{self, Segment};
use super::slot;
use super::snapshot::{CHECK_HINT, DataFile, Snapshot, TableSnapshot};
use super::tables::Tables;
use crate::clock::{Clock, IdSource, rfc3339};
use crate::error::{Error, IoContext, Result};
use crate::event::Table;
use crate::journal::disk::{Disk, SystemDisk};

/// A copy that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The id of the new store.
    pub store_id: String,
    /// Its tables, in the order of [`Table::ALL`].
    pub tables: Vec<CopiedTable>,
}

/// One table of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// The table.
    pub table: Table,
    /// Its rows.
    pub rows: u64,
    /// Its data files.
    pub files: u64,
    /// Size of its data files.
    pub size_bytes: u64,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// Bytes of data files that are copied.
    pub done_bytes: u64,
    /// Bytes that there are.
    pub total_bytes: u64,
}

/// What lies in a place while a copy is made there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marker {
    /// The store that is copied.
    from_store_id: String,
}

/// Copies a store, as it is at one moment, to an empty place, or goes on with a copy of the same
/// store that broke off there. `progress` is called now and then.
///
/// # Errors
/// `Usage` if something else is at `to`; `Damaged`, naming the file, if one of the store is not
/// what it was; `Unavailable` if there is no store, or another process copies to the same place.
pub fn copy(
    from: &Location,
    to: &Location,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<Copied> {
    copy_on(SystemDisk::shared(), from, to, clock, ids, progress)
}

/// As [`copy`], with the disk of the new place as a parameter: tests pass one that fails.
pub fn copy_on(
    disk: Arc<dyn Disk>,
    from: &Location,
    to: &Location,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    progress: &mut dyn FnMut(CopyProgress),
) -> Result<Copied> {
    let source = Store::open_at_read_only(from)?;
    let (layout, files) = (to.layout(), to.files(&disk)?);
    check_place(&*files, &source, &layout)?;
    if files.is_remote() {
        files.check_conditional_put(layout.root(), &*ids)?;
    } else {
        identity::create_folders(layout.root(), &*disk)?;
    }
    let lock = begin(&*files, &*ids, &source, &layout)?;
    let mut copying = Copying { source, files, layout, ids, progress, done: (0, 0) };
    if copying.files.read(&copying.layout.identity())?.is_none() {
        copying.fill(&*clock)?;
    }
    // what is there is a store now
    copying.clear_temporaries()?;
    copying.files.remove(&copying.layout.root().join(COPY_NAME))?;
    copying.files.sync_folder(copying.layout.root())?;
    drop(lock);
    copying.summary()
}

/// A place must be empty, or hold a copy of the same store that broke off.
fn check_place(files: &dyn Files, source: &Store, layout: &Layout) -> Result<()> {
    let root = layout.root();
    let marker = files.read(&root.join(COPY_NAME))?;
    let marker = marker.map(|it| serde_json::from_slice::<Marker>(&it));
    match marker {
        Some(Ok(marker)) if marker.from_store_id == source.identity().store_id => Ok(()),
        Some(_) => Err(Error::usage(format!(
            "{} holds a copy of another store that broke off",
            root.display()
        ))
        .with_hint("Copy to an empty place, or remove what is there.")),
        None if files.read(&layout.identity())?.is_some() => {
            Err(Error::usage(format!("{} is a store already", root.display()))
                .with_hint("Copy to an empty place."))
        }
        None => {
            let names = files.names(root)?;
            match names.iter().any(|it| !it.starts_with(COPY_NAME)) {
                true => Err(Error::usage(format!("{} is not empty", root.display()))
                    .with_hint("Copy to an empty place.")),
                false => Ok(()),
            }
        }
    }
}

/// Marks the place as one that is copied to, and keeps other processes of this machine out.
fn begin(
    files: &dyn Files,
    ids: &dyn IdSource,
    source: &Store,
    layout: &Layout,
) -> Result<Option<File>> {
    let marker = Marker { from_store_id: source.identity().store_id.clone() };
    let temporary = format!("{COPY_NAME}.{}.tmp", ids.next_id());
    let bytes = identity::json_bytes(COPY_NAME, &marker)?;
    files.put_if_absent(layout.root(), COPY_NAME, &temporary, &bytes)?;
    if files.is_remote() {
        return Ok(None);
    }
    let path = layout.root().join(COPY_NAME);
    let file = slot::open_lock(&path)?;
    match slot::patiently(|| file.try_lock()) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("another process copies to {}", layout.root().display());
            Err(Error::unavailable(message).with_hint("Wait until that has ended."))
        }
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

/// A copy on its way.
struct Copying<'p> {
    source: Store,
    files: Arc<dyn Files>,
    layout: Layout,
    ids: Arc<dyn IdSource>,
    progress: &'p mut dyn FnMut(CopyProgress),
    /// Bytes that are copied, and all.
    done: (u64, u64),
}

impl Copying<'_> {
    /// Copies all tables and makes the place a store.
    fn fill(&mut self, clock: &dyn Clock) -> Result<()> {
        let snapshot = self.source.snapshot()?;
        let sizes = snapshot.tables.values().flat_map(|it| it.files.iter());
        self.done.1 = sizes.map(|it| it.size_bytes).sum();
        for table in Table::ALL {
            // of an earlier attempt; its data files may be right
            self.clear(&delta_log(&self.layout.table(*table)), |_| false)?;
        }
        let now_us = clock.now_us();
        let time_us = self.source.tables().next_flush_time_us(now_us)?;
        self.files.create_folder(&self.layout.tables())?;
        for (table, it) in &snapshot.tables {
            self.copy_table(*table, it, time_us)?;
        }
        self.verify(&snapshot)?;
        let identity = Identity {
            format_version: self.source.identity().format_version,
            store_id: self.ids.next_id().to_string(),
            created: rfc3339(now_us),
        };
        identity::put(&*self.files, &self.layout, &*self.ids, &identity)
    }

    /// Removes what was on its way to be the marker or `store.json`.
    fn clear_temporaries(&self) -> Result<()> {
        let is_temporary = |it: &str| {
            let starts = [COPY_NAME, IDENTITY_NAME].iter().any(|name| it.starts_with(name));
            starts && ![COPY_NAME, IDENTITY_NAME].contains(&it)
        };
        self.clear(self.layout.root(), |name| !is_temporary(name))
    }

    fn clear(&self, folder: &Path, is_kept: impl Fn(&str) -> bool) -> Result<()> {
        let mut removed = false;
        for entry in self.files.list(folder)?.iter().filter(|it| !is_kept(&it.name)) {
            self.files.remove(&folder.join(&entry.name))?;
            removed = true;
        }
        if removed { self.files.sync_folder(folder) } else { Ok(()) }
    }

    fn copy_table(&mut self, table: Table, shown: &TableSnapshot, time_us: i64) -> Result<()> {
        if let Some(damage) = &shown.damage {
            return Err(damage.again());
        }
        let Some(version) = shown.version else { return Ok(()) }; // no writer has made it yet
        let (from, to) = (self.source.layout().table(table), self.layout.table(table));
        let state = State::at(&**self.source.tables().files(), &from, version)?;
        self.files.create_folder(&to)?;
        self.files.create_folder(&delta_log(&to))?;
        self.clear(&to, |name| state.adds.contains_key(name))?;
        let mut adds = Vec::with_capacity(state.adds.len());
        for add in state.adds.values() {
            adds.push(self.copy_file(table, add)?);
            self.done.0 += add.size;
            let (done_bytes, total_bytes) = self.done;
            (self.progress)(CopyProgress { done_bytes, total_bytes });
        }
        let segments = self.write_hot(table, shown)?;
        let from = self.source.path().display().to_string();
        let (files, ids) = (&*self.files, &*self.ids);
        delta::clone(files, ids, &to, state, (adds, segments), (&from, time_us))
    }

    /// Copies a file unless it is there already; what the new log is to say of it.
    fn copy_file(&self, table: Table, add: &Add) -> Result<Add> {
        let from = described(&self.source.layout().table(table), add);
        let path = self.layout.table(table).join(&add.path);
        if let (Some(digest), Some(found)) = (add.digest(), self.files.read(&path)?)
            && blake3::hash(&found).to_hex().as_str() == digest
        {
            return Ok(add.clone());
        }
        let bytes = self.read_source(table, &from)?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::internal(format!("{} has no name", path.display())));
        };
        if folder != self.layout.table(table) {
            self.files.create_folder(folder)?; // a foreign tool has put it into one
        }
        let temporary = data_temporary_name(self.ids.next_id());
        self.files.create(folder, &name.to_string_lossy(), &temporary, &bytes)?;
        let back = self.files.read(&path)?.unwrap_or_default();
        if blake3::hash(&back).to_hex().as_str() != digest {
            return Err(Error::damaged(format!("{} reads back otherwise", path.display()))
                .with_hint("Nothing is made of this copy; check the disk, and copy again."));
        }
        Ok(add.clone().with_digest(digest))
    }

    /// The bytes of a file, which are what was written.
    fn read_source(&self, table: Table, file: &DataFile) -> Result<Vec<u8>> {
        let source = FileSource::new(self.source.tables().files());
        file.check_present(&source)?;
        let bytes = source.files().read(&file.path)?.unwrap_or_default();
        let is_right = match &file.digest {
            Some(digest) => blake3::hash(&bytes).to_hex().as_str() == &**digest,
            None => !check::is_damaged(&source, table, file),
        };
        if is_right {
            return Ok(bytes);
        }
        let message = format!("{} is damaged: it cannot be copied", file.path.display());
        Err(Error::damaged(message).with_hint(CHECK_HINT))
    }

    /// Rows that only journals hold, as a file of their own.
    fn write_hot(&self, table: Table, shown: &TableSnapshot) -> Result<Vec<Segment>> {
        let mut rows = Vec::new();
        for batch in &shown.hot {
            data_file::rows(table, batch, |_| true, |row| rows.push(row)).map_err(|source| {
                Error::internal(format!("cannot read rows of {}", table.name())).with_source(source)
            })?;
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let folder = self.layout.table(table);
        let rows = rows.iter().collect();
        Ok(vec![segment::write(&*self.files, &*self.ids, &folder, table, rows)?])
    }

    /// Reads the new logs as a reader does, and compares: the same files, and as many rows.
    fn verify(&self, snapshot: &Snapshot) -> Result<()> {
        let tables = Tables::new(&self.layout, Arc::clone(&self.files));
        for (table, it) in &snapshot.tables {
            let mut log = tables.log(*table)?;
            log.refresh()?;
            let copied = log.files();
            let by_name: BTreeMap<_, _> =
                copied.iter().map(|it| (it.path.strip_prefix(log.folder()).ok(), it)).collect();
            let from = self.source.layout().table(*table);
            let is_there = |file: &DataFile| {
                let found = by_name.get(&file.path.strip_prefix(&from).ok());
                found.is_some_and(|it| {
                    let same = file.digest.is_none() || it.digest == file.digest;
                    same && it.size_bytes == file.size_bytes && it.rows == file.rows
                })
            };
            let rows: u64 = copied.iter().filter_map(|it| it.rows).sum();
            if !it.files.iter().all(is_there) || rows != it.rows() {
                let (table, to) = (table.name(), self.layout.root().display());
                let message = format!("the table {table} in {to} is not the one that was copied");
                return Err(Error::damaged(message).with_hint("Copy again, to an empty place."));
            }
        }
        Ok(())
    }

    fn summary(&self) -> Result<Copied> {
        let tables = Tables::new(&self.layout, Arc::clone(&self.files));
        let store_id = identity::read(&*self.files, &self.layout)?.store_id;
        let each = Table::ALL.iter().map(|table| {
            let mut log = tables.log(*table)?;
            log.refresh()?;
            let files = log.files();
            Ok(CopiedTable {
                table: *table,
                rows: files.iter().filter_map(|it| it.rows).sum(),
                files: files.len() as u64,
                size_bytes: files.iter().map(|it| it.size_bytes).sum(),
            })
        });
        Ok(Copied { store_id, tables: each.collect::<Result<_>>()? })
    }
}
