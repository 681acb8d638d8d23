//! The files of a store's tables, wherever they lie: in a folder, or in a bucket of an object
//! store. Everything that `store` does to them goes through here; the journal and the index have
//! their own ways, because they always lie on a local disk.
//!
//! A path is one of the file system, or an address such as `s3://bucket/history/tables/runs`: a
//! [`Path`] in both cases, so that joining names and naming a file in a message are the same.
//! Files appear whole or not at all, and only [`Files::replace`] ever changes one.

mod local;
mod remote;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::ObjectStore;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

pub(crate) use local::LocalFiles;
pub(crate) use remote::{Address, RemoteFiles, scheme};
pub use remote::{RemoteAccess, RemoteOptions};

use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::journal::disk::Disk;

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Size of the file.
    pub(crate) size_bytes: u64,
    /// When it was written, in milliseconds since the epoch, by the clock of whoever keeps it.
    pub(crate) modified_ms: i64,
}

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name in the folder.
    pub(crate) name: String,
    /// What is known of it.
    pub(crate) metadata: Metadata,
}

/// The files of a store's tables. Every error names the file.
pub(crate) trait Files: fmt::Debug + Send + Sync {
    /// The content of a file; `None` if there is none.
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>>;
    /// Says that these files, which never change, are about to be read, if they are there. Where a
    /// read takes the time of a network they are fetched at once.
    fn expect(&self, _paths: &[PathBuf]) {}
    /// A part of a file, whose size is known.
    fn read_range(&self, path: &Path, range: Range<u64>) -> Result<Bytes>;
    /// What is known of a file; `None` if there is none.
    fn metadata(&self, path: &Path) -> Result<Option<Metadata>>;
    /// The files of a folder, not those of folders in it, in no order; none if there is no folder.
    fn list(&self, folder: &Path) -> Result<Vec<Entry>>;

    /// The names of all files and folders in a folder, in no order; none if there is no folder.
    fn names(&self, folder: &Path) -> Result<Vec<String>>;

    /// Makes a folder, durably, where folders are made at all. Fine if it is there.
    fn create_folder(&self, path: &Path) -> Result<()>;
    /// Writes a new file, durably, under a name that nobody else ever uses. `temporary` is what it
    /// is called on the way, where that can be seen.
    fn create(&self, folder: &Path, name: &str, temporary: &str, bytes: &[u8]) -> Result<()>;
    /// Writes a new file, durably, unless there is one of this name: `false` then. Of two that try,
    /// one gets `true`.
    fn put_if_absent(
        &self,
        folder: &Path,
        name: &str,
        temporary: &str,
        bytes: &[u8],
    ) -> Result<bool>;
    /// Writes a file, durably, in place of one of this name.
    fn replace(&self, folder: &Path, name: &str, temporary: &str, bytes: &[u8]) -> Result<()>;
    /// Removes a file; fine if there is none. Durable after [`Files::sync_folder`].
    fn remove(&self, path: &Path) -> Result<()>;
    /// Makes new, changed and removed names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> Result<()>;

    /// Whether each call takes the time of a network: callers then do several at once.
    fn is_remote(&self) -> bool {
        false
    }

    /// Looks whether [`Files::put_if_absent`] can be relied on. To be asked before a writer writes
    /// anything.
    ///
    /// # Errors
    /// `Unavailable`: two could both be told that they were first.
    fn check_conditional_put(&self, _folder: &Path, _ids: &dyn IdSource) -> Result<()> {
        Ok(())
    }

    /// Opens a file of which `size_bytes` are to be read, for a reader of Parquet.
    fn open(self: Arc<Self>, path: &Path, size_bytes: u64) -> Result<Input>;

    /// The same files as queries read them.
    fn object_store(self: Arc<Self>) -> Arc<dyn ObjectStore>;
    /// A name for [`Files::object_store`] that no other place has: letters and digits.
    fn name(&self) -> String;
    /// What [`Files::object_store`] calls a file.
    fn location(&self, path: &Path) -> Result<object_store::path::Path>;
}

/// An open file as a reader of Parquet wants it.
#[derive(Debug)]
pub(crate) enum Input {
    /// A file of a local disk.
    Local(File),
    /// A file that is read range by range.
    Ranges(RangeInput),
    /// A file that was read whole.
    Memory(Bytes),
}

/// A file elsewhere.
#[derive(Debug)]
pub(crate) struct RangeInput {
    /// Where it lies.
    pub(crate) files: Arc<dyn Files>,
    /// Its path.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) size_bytes: u64,
}

impl Length for Input {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => Length::len(file),
            Self::Ranges(it) => it.size_bytes,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

/// Bytes read ahead where a reader of Parquet asks for a stream: it wants headers of pages then.
const READ_AHEAD_BYTES: u64 = 64 << 10;

impl ChunkReader for Input {
    type T = Box<dyn std::io::Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        match self {
            Self::Local(file) => Ok(Box::new(file.get_read(start)?)),
            Self::Ranges(it) => {
                let (input, end) = (it.clone(), it.size_bytes);
                Ok(Box::new(RangeStream { input, at: start, end, ahead: Bytes::new() }))
            }
            Self::Memory(bytes) => Ok(Box::new(bytes.get_read(start)?)),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Memory(bytes) => bytes.get_bytes(start, length),
            Self::Ranges(it) => it
                .files
                .read_range(&it.path, start..start + length as u64)
                .map_err(|error| ParquetError::External(Box::new(error))),
        }
    }
}

impl Clone for RangeInput {
    fn clone(&self) -> Self {
        let (path, size_bytes) = (self.path.clone(), self.size_bytes);
        Self { files: Arc::clone(&self.files), path, size_bytes }
    }
}

/// A file elsewhere, read from a place on.
struct RangeStream {
    input: RangeInput,
    at: u64,
    end: u64,
    ahead: Bytes,
}

impl std::io::Read for RangeStream {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        if self.ahead.is_empty() && self.at < self.end {
            let end = self.end.min(self.at + READ_AHEAD_BYTES);
            let read = self.input.files.read_range(&self.input.path, self.at..end);
            self.ahead = read.map_err(std::io::Error::other)?;
            self.at = end;
        }
        let count = to.len().min(self.ahead.len());
        let part = self.ahead.split_to(count);
        if let Some(to) = to.get_mut(..count) {
            to.copy_from_slice(&part);
        }
        Ok(count)
    }
}

/// Where the data files of a snapshot are read from. The default is the machine's file system.
#[derive(Debug, Clone)]
pub struct FileSource(Arc<dyn Files>);

impl FileSource {
    /// Data files that are read through `files`.
    pub(crate) fn new(files: &Arc<dyn Files>) -> Self {
        Self(Arc::clone(files))
    }

    pub(crate) fn files(&self) -> &Arc<dyn Files> {
        &self.0
    }
}

impl Default for FileSource {
    fn default() -> Self {
        Self(LocalFiles::system())
    }
}

/// The files at a place that a user typed: a path, or an address that `access` says how to reach.
/// Those of a folder are changed through a disk.
///
/// # Errors
/// `Usage` for an address that cannot be; `Unavailable` for settings that do not fit together.
pub(crate) fn place(
    typed: &OsStr,
    access: &RemoteAccess,
    disk: Arc<dyn Disk>,
) -> Result<(PathBuf, Arc<dyn Files>)> {
    let Some(url) = typed.to_str().filter(|it| scheme(it).is_some()) else {
        return Ok((PathBuf::from(typed), Arc::new(LocalFiles::new(disk))));
    };
    let address = Address::parse(url)?;
    let root = PathBuf::from(address.url());
    Ok((root, Arc::new(RemoteFiles::new(address, access.clone())?)))
}

/// The error of a file that must be there and is not.
pub(crate) fn missing(path: &Path) -> Error {
    Error::damaged(format!("{} is missing", path.display()))
}
