//! The files of tables in a folder of a local disk. Reads through the operating system, and changes
//! nothing but through a [`Disk`], so that tests can make any change fail.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use parquet::file::reader::ChunkReader;

use super::{Entry, Files, Input, Metadata};
use crate::error::{Error, IoContext, Result};
use crate::journal::disk::{Disk, SystemDisk, open_file, read_whole};

/// Tables in a folder.
#[derive(Debug)]
pub(crate) struct LocalFiles {
    disk: Arc<dyn Disk>,
}

impl LocalFiles {
    /// Files that are changed through this disk.
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// Files of the machine's own file system.
    pub(crate) fn system() -> Arc<dyn Files> {
        Arc::new(Self::new(Arc::new(SystemDisk)))
    }

    /// Writes a file under a temporary name and lets `place` give it its own; a file that stays
    /// behind is removed, and the first error is the one.
    fn write<T>(
        &self,
        folder: &Path,
        (name, temporary): (&str, &str),
        bytes: &[u8],
        place: impl FnOnce(&Path, &Path) -> Result<T>,
    ) -> Result<T> {
        let (path, temporary) = (folder.join(name), folder.join(temporary));
        let written = self.disk.write_new(&temporary, bytes).context("write", &temporary);
        written.and_then(|()| place(&temporary, &path)).inspect_err(|_| {
            // what is there takes room, of which a full disk has none
            drop(self.disk.remove(&temporary));
        })
    }
}

impl Files for LocalFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        there(read_whole(path)).context("read", path)
    }

    fn read_range(&self, path: &Path, range: Range<u64>) -> Result<Bytes> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let file = open_file(path).context("read", path)?;
        file.get_bytes(range.start, length).map_err(|source| {
            Error::failed(format!("cannot read {}", path.display())).with_source(source)
        })
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let Some(found) = there(fs::metadata(path)).context("look at", path)? else {
            return Ok(None);
        };
        metadata(&found).map(Some).context("look at", path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>> {
        let Some(entries) = there(fs::read_dir(folder)).context("read the folder", folder)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.context("read the folder", folder)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // it may go between the listing and this look
            let Ok(it) = entry.metadata() else { continue };
            if it.is_dir() {
                continue;
            }
            let metadata = metadata(&it).context("look at", &entry.path())?;
            found.push(Entry { name, metadata });
        }
        Ok(found)
    }

    fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let Some(entries) = there(fs::read_dir(folder)).context("read the folder", folder)? else {
            return Ok(Vec::new());
        };
        let name = |it: io::Result<fs::DirEntry>| {
            let name = it.context("read the folder", folder)?.file_name();
            Ok(name.to_string_lossy().into_owned())
        };
        entries.map(name).collect()
    }

    fn create_folder(&self, path: &Path) -> Result<()> {
        self.disk.create_folder(path).context("create the folder", path)
    }

    fn create(&self, folder: &Path, name: &str, temporary: &str, bytes: &[u8]) -> Result<()> {
        self.replace(folder, name, temporary, bytes)
    }

    fn put_if_absent(
        &self,
        folder: &Path,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> Result<bool> {
        let linked = self.write(folder, (name, temporary), bytes, |temporary, path| {
            let linked = match self.disk.hard_link(temporary, path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error).context("link", path),
            };
            let removed = self.disk.remove(temporary).context("remove", temporary);
            linked.and_then(|linked| removed.map(|()| linked))
        })?;
        self.sync_folder(folder)?;
        Ok(linked)
    }

    fn replace(&self, folder: &Path, name: &str, temporary: &str, bytes: &[u8]) -> Result<()> {
        self.write(folder, (name, temporary), bytes, |temporary, path| {
            self.disk.rename(temporary, path).context("rename to", path)
        })?;
        self.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        there(self.disk.remove(path)).context("remove", path).map(|_| ())
    }

    fn sync_folder(&self, folder: &Path) -> Result<()> {
        self.disk.sync_folder(folder).context("sync the folder", folder)
    }

    fn open(self: Arc<Self>, path: &Path, _size_bytes: u64) -> Result<Input> {
        open_file(path).map(Input::Local).context("read", path)
    }

    fn object_store(self: Arc<Self>) -> Arc<dyn ObjectStore> {
        Arc::new(LocalFileSystem::new())
    }

    fn name(&self) -> String {
        "local".to_owned()
    }

    fn location(&self, path: &Path) -> Result<object_store::path::Path> {
        let absolute = std::path::absolute(path).context("find", path)?;
        object_store::path::Path::from_absolute_path(absolute).map_err(|source| {
            Error::failed(format!("cannot read {}", path.display())).with_source(source)
        })
    }
}

/// `None` for what is not there.
fn there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(it) => Ok(Some(it)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
            _ => Err(error),
        },
    }
}

fn metadata(found: &fs::Metadata) -> io::Result<Metadata> {
    let since = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let modified_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    Ok(Metadata { size_bytes: found.len(), modified_ms })
}
