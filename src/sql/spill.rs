//! The files that queries put on the disk when memory runs out. They have no name, so that whatever
//! ends the process, a power loss included, none is left behind. Knows no row.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::spill_file::{SpillFile, SpillWriter, TempFileFactory};
use futures::Stream;

use crate::error::Error;
use crate::setting;

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 128 << 10;

/// Makes the spill files of one engine.
#[derive(Debug)]
pub(super) struct SpillFolder(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    bytes_max: u64,
    /// Bytes of all files that are there now.
    bytes: AtomicU64,
}

impl SpillFolder {
    /// Files in the folder `path` that are together no larger than `bytes_max`. It is made when the
    /// first file is.
    pub(super) fn new(path: PathBuf, bytes_max: u64) -> Self {
        Self(Arc::new(Folder { path, bytes_max, bytes: AtomicU64::new(0) }))
    }
}

impl TempFileFactory for SpillFolder {
    fn create_temp_file(&self, _what: &str) -> Result<Arc<dyn SpillFile>> {
        let path = &self.0.path;
        let made = std::fs::create_dir_all(path).and_then(|()| tempfile::tempfile_in(path));
        let file = made.map_err(|it| DataFusionError::External(Box::new(self.0.failed(it))))?;
        let folder = Arc::clone(&self.0);
        let written = Written { folder, file: Mutex::new(file), bytes: AtomicU64::new(0) };
        Ok(Arc::new(Unnamed(Arc::new(written))))
    }
}

impl Folder {
    fn failed(&self, source: io::Error) -> Error {
        let path = self.path.display();
        Error::failed(format!("the query does not fit into memory, and not into {path}"))
            .with_source(source)
            .with_hint("Ask for less, make room there, or set sql.spill_dir to another folder.")
    }

    /// Takes room for a write.
    fn take(&self, bytes: u64) -> io::Result<()> {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bytes_max {
            return Ok(());
        }
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let max = setting::size(self.bytes_max);
        let message = format!("the query needs more than {max} on the disk beside its memory");
        let error = Error::failed(message)
            .with_hint("Ask for less, or raise sql.spill_bytes_max or sql.memory_bytes_max.");
        Err(io::Error::other(error))
    }
}

/// A file and its share of the folder. It is gone when the last one who reads or writes it is.
#[derive(Debug)]
struct Written {
    folder: Arc<Folder>,
    /// One place in the file for those who read and those who write: each says where first.
    file: Mutex<File>,
    bytes: AtomicU64,
}

impl Written {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        self.folder.take(bytes.len() as u64)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let wrote = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(bytes));
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        wrote.map_err(|it| io::Error::other(self.folder.failed(it)))
    }

    fn chunk(&self, at: u64) -> io::Result<Bytes> {
        let mut bytes = Vec::with_capacity(CHUNK_BYTES);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        Read::by_ref(&mut *file).take(CHUNK_BYTES as u64).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.folder.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

struct Unnamed(Arc<Written>);

impl SpillFile for Unnamed {
    fn size(&self) -> Option<u64> {
        Some(self.0.bytes.load(Ordering::Relaxed))
    }

    fn read_stream(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
        let written = Arc::clone(&self.0);
        let chunks = futures::stream::try_unfold(0, move |at: u64| {
            let written = Arc::clone(&written);
            async move {
                let read = tokio::task::spawn_blocking(move || written.chunk(at)).await;
                let chunk = read.map_err(|it| DataFusionError::External(Box::new(it)))??;
                let next = at + chunk.len() as u64;
                Ok((!chunk.is_empty()).then_some((chunk, next)))
            }
        });
        Ok(Box::pin(chunks))
    }

    fn open_writer(&self) -> Result<Box<dyn SpillWriter>> {
        Ok(Box::new(Appending(Arc::clone(&self.0))))
    }
}

struct Appending(Arc<Written>);

impl Write for Appending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is kept back
    }
}

impl SpillWriter for Appending {
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
