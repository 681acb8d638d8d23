//! The folder that an export goes to: what may be written there, what may be removed, and when the
//! export counts.
//!
//! ```text
//! _unfinished.json ─► files ─► Delta commits ─► _manifest.json ─► no _unfinished.json any more
//! ```
//!
//! While `_unfinished.json` is there and the manifest is not that export's, everything that it may
//! have written is of no use; the next export removes it, and nothing else. A local folder is
//! locked by that file, so that one export writes at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::Schema;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::manifest::{MANIFEST_VERSION, Position};
use super::own::{Clearing, clear};
use super::{Destination, ExportedFile, FileFormat, MANIFEST, Manifest, Request, verify};
use crate::error::{Error, ErrorKind, IoContext, Result};
use crate::store::Files;

pub(super) use super::own::part_number;

/// Name of the file that is there while an export is written.
pub(super) const UNFINISHED: &str = "_unfinished.json";

/// What an export that is being written may have written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unfinished {
    /// The export.
    pub(super) export_id: String,
    /// Whether it takes the place of what was there before.
    pub(super) replaces: bool,
    /// What it may have written.
    pub(super) tables: Vec<Clearing>,
    /// The number of its first file of keys.
    pub(super) first_position: u64,
}

/// A place that may be written.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) root: PathBuf,
    pub(super) files: Arc<dyn Files>,
    id: Uuid,
    unfinished: Unfinished,
    /// Held from the first file on.
    lock: Mutex<Option<Begun>>,
}

/// An export that has begun to write; the lock of a local folder.
#[derive(Debug)]
struct Begun(#[expect(dead_code, reason = "it is locked as long as it is held")] Option<Lock>);

/// The lock of a local folder. Closing the file is not enough: a process that another thread starts
/// at this moment has it open as well for a while, and would hold the lock.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

impl Target {
    /// Looks what is there, and removes what an export that broke off has left. Gives the export
    /// that is to be continued, if one is.
    ///
    /// # Errors
    /// `Usage`: the place is a file, not empty, or holds another export than the one asked for.
    pub(super) fn open(request: &Request) -> Result<(Self, Option<Manifest>)> {
        let Destination { root, files } = request.to.clone();
        request.to.check_outside(&request.store)?;
        if !files.is_remote() && root.exists() && !root.is_dir() {
            let message = format!("the export target {} is a file", root.display());
            return Err(Error::usage(message).with_hint("Name a folder with --to."));
        }
        recover(&*files, &root)?;
        let earlier = read_manifest(&*files, &root)?;
        let (earlier, replaces) = match earlier {
            _ if request.force => (earlier, true),
            Some(earlier) if request.incremental => (Some(request.check_same(earlier)?), false),
            Some(_) => {
                let message = format!("{} holds an export already", root.display());
                return Err(Error::usage(message).with_hint(
                    "Replace it with --force, go on with it by --incremental if it was made so, \
                     or name another folder with --to.",
                ));
            }
            None if files.names(&root)?.is_empty() => (None, false),
            None => {
                let message = format!("the folder {} is not empty", root.display());
                return Err(Error::usage(message).with_hint(
                    "Name another with --to, or replace the export in it with --force.",
                ));
            }
        };
        let unfinished = Unfinished {
            export_id: request.id.to_string(),
            replaces,
            tables: clearings(request, earlier.as_ref(), replaces),
            first_position: match &earlier {
                Some(Manifest { position: Some(it), .. }) if !replaces => next_position(it),
                _ => 0,
            },
        };
        let lock = Mutex::default();
        let target = Self { root, files, id: request.id, unfinished, lock };
        Ok((target, earlier.filter(|_| !replaces)))
    }

    /// The id of this export.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// The number of its first file of keys.
    pub(super) fn first_position(&self) -> u64 {
        self.unfinished.first_position
    }

    /// Says that files are about to be written; what is replaced is gone afterwards. Fine if it was
    /// said before.
    pub(super) fn begin(&self) -> Result<()> {
        let mut begun = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.is_some() {
            return Ok(());
        }
        let (files, root) = (&*self.files, &self.root);
        create_folders(files, root)?;
        let bytes = serde_json::to_vec_pretty(&self.unfinished)
            .map_err(|it| Error::internal("cannot encode an export").with_source(it))?;
        let temporary = self.temporary(UNFINISHED);
        match files.put_if_absent(root, UNFINISHED, &temporary, &bytes) {
            Ok(true) => {}
            Ok(false) => return Err(busy(root)),
            Err(error) => {
                // it may be there all the same, and then it is in the next one's way
                if matches!(read_unfinished(files, root), Ok(Some(it)) if it == self.unfinished) {
                    drop(files.remove(&root.join(UNFINISHED)));
                }
                return Err(error);
            }
        }
        let lock = if files.is_remote() { None } else { Some(lock(root)?) };
        *begun = Some(Begun(lock));
        if self.unfinished.replaces {
            files.remove(&root.join(MANIFEST))?;
            files.sync_folder(root)?;
            clear(files, root, &self.unfinished, None)?;
        }
        Ok(())
    }

    /// Writes a file, durably, and reads it back: it is there, whole, or this is an error.
    pub(super) fn place(
        &self,
        path: &str,
        bytes: Vec<u8>,
        check: impl FnOnce(&Bytes) -> Result<u64>,
    ) -> Result<ExportedFile> {
        self.begin()?;
        let whole = self.root.join(path);
        let (Some(folder), Some(name)) = (whole.parent(), whole.file_name()) else {
            return Err(Error::internal(format!("{path} is no path of a file")));
        };
        let name = name.to_string_lossy();
        create_folders(&*self.files, folder)?;
        self.files.create(folder, &name, &self.temporary(&name), &bytes)?;
        let (size_bytes, blake3) = (bytes.len() as u64, blake3::hash(&bytes));
        drop(bytes);
        let read = self.files.read(&whole)?.unwrap_or_default();
        if blake3::hash(&read) != blake3 {
            return Err(Error::damaged(format!("{} reads back otherwise", whole.display())));
        }
        let rows = check(&Bytes::from(read)).map_err(|source| {
            Error::damaged(format!("{} does not read back", whole.display())).with_source(source)
        })?;
        Ok(ExportedFile {
            path: path.to_owned(),
            rows,
            size_bytes,
            blake3: blake3.to_hex().to_string(),
        })
    }

    /// The same for rows of a table, which are counted in what was read back.
    pub(super) fn place_rows(
        &self,
        path: &str,
        bytes: Vec<u8>,
        (format, schema): (FileFormat, &Schema),
        rows: u64,
    ) -> Result<ExportedFile> {
        let file = self.place(path, bytes, |it| verify::rows(it, format, schema))?;
        if file.rows != rows {
            let (path, found) = (self.root.join(path), file.rows);
            let path = path.display();
            return Err(Error::damaged(format!(
                "{path} holds {found} rows, but {rows} were written"
            )));
        }
        Ok(file)
    }

    /// Writes the manifest: the export counts from now on.
    pub(super) fn finish(&self, manifest: &Manifest) -> Result<()> {
        let (files, root) = (&*self.files, &self.root);
        let is_begun = self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if is_begun && files.is_remote() {
            let found = read_unfinished(files, root)?.map(|it| it.export_id);
            if found.as_ref() != Some(&self.unfinished.export_id) {
                return Err(busy(root));
            }
        }
        let mut text = serde_json::to_vec_pretty(manifest)
            .map_err(|it| Error::internal("cannot encode the manifest").with_source(it))?;
        text.push(b'\n');
        create_folders(files, root)?;
        files.replace(root, MANIFEST, &self.temporary(MANIFEST), &text)?;
        if is_begun {
            files.remove(&root.join(UNFINISHED))?;
            files.sync_folder(root)?;
        }
        Ok(())
    }

    /// Removes what was written. What cannot be removed is left to the next export.
    pub(super) fn abandon(&self) {
        let mut begun = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.is_none() {
            return;
        }
        drop(undo(&*self.files, &self.root, &self.unfinished));
        *begun = None;
    }

    fn temporary(&self, name: &str) -> String {
        super::own::temporary(name, self.id)
    }
}

/// What this export may write, and what it takes the place of.
fn clearings(request: &Request, earlier: Option<&Manifest>, replaces: bool) -> Vec<Clearing> {
    let mut tables: Vec<Clearing> = Vec::new();
    let before = earlier.iter().flat_map(|it| &it.tables).filter(|_| replaces);
    let before = before.map(|it| it.name.as_str());
    for name in request.what.names().into_iter().chain(before) {
        if tables.iter().any(|it| it.name == name) || !super::own::is_plain(name) {
            continue;
        }
        let known = earlier.filter(|_| !replaces);
        let known = known.and_then(|it| it.tables.iter().find(|it| it.name == name));
        tables.push(Clearing {
            name: name.to_owned(),
            first_part: known.map_or(0, super::ExportedTable::next_part),
            first_version: known.and_then(|it| it.delta_version).map_or(0, |it| it + 1),
        });
    }
    tables
}

fn next_position(position: &Position) -> u64 {
    let numbers = position.files.iter().filter_map(|it| super::own::position_number(&it.path));
    numbers.max().map_or(0, |it| it + 1)
}

/// Removes what an export that broke off has left.
fn recover(files: &dyn Files, root: &Path) -> Result<()> {
    if let Some(unfinished) = read_unfinished(files, root)? {
        let _lock = if files.is_remote() { None } else { Some(lock(root)?) };
        undo(files, root, &unfinished)?;
    }
    super::own::clear_root(files, root)
}

fn undo(files: &dyn Files, root: &Path, unfinished: &Unfinished) -> Result<()> {
    let manifest = read_manifest(files, root)?;
    let is_finished = manifest.as_ref().is_some_and(|it| it.export_id == unfinished.export_id);
    if !is_finished {
        let manifest = match unfinished.replaces {
            true => {
                files.remove(&root.join(MANIFEST))?;
                None
            }
            false => manifest,
        };
        clear(files, root, unfinished, manifest.as_ref())?;
    }
    files.remove(&root.join(UNFINISHED))?;
    files.sync_folder(root)
}

fn read_unfinished(files: &dyn Files, root: &Path) -> Result<Option<Unfinished>> {
    let path = root.join(UNFINISHED);
    let Some(bytes) = files.read(&path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| {
        Error::invalid(format!("{} is none of ours", path.display()))
            .with_source(source)
            .with_hint("Name another folder with --to, or remove that file.")
    })
}

/// The manifest in a folder, if there is one.
fn read_manifest(files: &dyn Files, root: &Path) -> Result<Option<Manifest>> {
    let path = root.join(MANIFEST);
    let Some(bytes) = files.read(&path)? else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| {
        Error::invalid(format!("{} is no manifest of an export", path.display()))
            .with_source(source)
            .with_hint("Name another folder with --to, or remove that file.")
    })?;
    if manifest.manifest_version != MANIFEST_VERSION {
        let version = manifest.manifest_version;
        let message = format!("{} has version {version} of its form", path.display());
        return Err(Error::new(ErrorKind::Unavailable, message)
            .with_hint(format!("This build knows version {MANIFEST_VERSION}.")));
    }
    Ok(Some(manifest))
}

/// Locks a local folder by its unfinished export.
fn lock(root: &Path) -> Result<Lock> {
    let path = root.join(UNFINISHED);
    let file = File::open(&path).context("open", &path)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(busy(root)),
        Err(TryLockError::Error(source)) => Err(source).context("lock", &path),
    }
}

fn busy(root: &Path) -> Error {
    Error::unavailable(format!("another export writes to {}", root.display()))
        .with_hint("Wait until it has ended, or name another folder with --to.")
}

/// Makes a folder and those above it.
fn create_folders(files: &dyn Files, path: &Path) -> Result<()> {
    if files.is_remote() || path.as_os_str().is_empty() || fs::exists(path).unwrap_or(false) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folders(files, parent)?;
    }
    files.create_folder(path)
}
