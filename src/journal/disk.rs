//! Every operation that changes a disk, behind one trait, so that tests can make the k-th one fail
//! without a global switch. Reading changes nothing and needs no sync: it is a function.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// Opens a file for reading. What is no file is refused: a pipe under its name would be waited for
/// without an end.
pub fn open_file(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"))
    }
}

/// The content of a file, as [`open_file`] opens it.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the journal and the tables do to a disk.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a folder and syncs its parent. Fine if it is there already; the parent is synced then,
    /// too, because whoever made the folder may have died before that.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Writes a new file and syncs its content; the name is durable only after
    /// [`Disk::sync_folder`]. An error if the file exists.
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Gives a file another name, in place of a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name; an error of kind `AlreadyExists` if that name is taken.
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes new, changed and removed names in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Shortens a file and syncs it.
    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()>;
    /// Opens an existing file to append to it.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
}

/// A file that grows at its end.
pub trait AppendFile: fmt::Debug + Send {
    /// Appends all bytes in one write, as far as the system allows.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable (fdatasync).
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's own file system.
#[derive(Debug, Default)]
pub struct SystemDisk;

impl SystemDisk {
    /// The file system as a parameter.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for SystemDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made?,
        }
        match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => self.sync_folder(Path::new(".")),
            Some(parent) => self.sync_folder(parent),
            None => Ok(()),
        }
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn truncate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(size_bytes)?;
        file.sync_all()
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Ok(Box::new(SystemFile(OpenOptions::new().append(true).open(path)?)))
    }
}

#[derive(Debug)]
struct SystemFile(File);

impl AppendFile for SystemFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}
