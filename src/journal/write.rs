//! One journal file being written: a header that is durable before the file has its name, then
//! frames. Never writes again after an error: what the disk holds then is unknown.

use std::path::{Path, PathBuf};

use super::disk::{AppendFile, Disk};
use super::frame::{self, FrameKind, Salt};
use super::header::FileHeader;
use crate::error::{Error, IoContext, Result};

/// A journal file that grows.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    n: u64,
    salt: Salt,
    file: Box<dyn AppendFile>,
    size_bytes: u64,
    frame: Vec<u8>,
}

impl JournalFile {
    /// Makes `path` (in an existing folder) with its header, durably. `seed` is a fresh id, from
    /// which the file's salt is taken.
    pub fn create(
        disk: &dyn Disk,
        path: &Path,
        header: &FileHeader,
        seed: uuid::Uuid,
    ) -> Result<Self> {
        let (_, low) = seed.as_u64_pair();
        let salt = low.to_le_bytes();
        let payload = rmp_serde::to_vec(header).map_err(|source| {
            Error::internal(format!("cannot encode the header of {}", path.display()))
                .with_source(source)
        })?;
        let mut bytes = Vec::new();
        frame::encode(&mut bytes, salt, FrameKind::Header, [payload.as_slice()]);
        let temporary = path.with_extension("wal.tmp");
        if temporary.exists() {
            disk.remove(&temporary).context("remove", &temporary)?; // of a writer that died here
        }
        disk.write_new(&temporary, &bytes).context("write", &temporary)?;
        disk.rename(&temporary, path).context("rename to", path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        disk.sync_folder(folder).context("sync the folder", folder)?;
        let file = disk.open_append(path).context("open", path)?;
        let size_bytes = bytes.len() as u64;
        Ok(Self { path: path.to_owned(), n: header.n, salt, file, size_bytes, frame: bytes })
    }

    /// Appends one frame in one write. Not durable before [`JournalFile::sync`].
    pub fn append<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        self.frame.clear();
        frame::encode(&mut self.frame, self.salt, FrameKind::Events, parts);
        self.file.append(&self.frame).context("write", &self.path)?;
        self.size_bytes += self.frame.len() as u64;
        Ok(())
    }

    /// Makes the frames durable.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync().context("sync", &self.path)
    }

    /// Number of the file in its slot.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Size of the file.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}
