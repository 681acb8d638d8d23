//! The files of tables in a bucket of an object store. A request takes the time of a network, may
//! fail for a while, and its answer may be lost: requests are repeated within bounds, and whoever
//! puts a file that must not be there yet reads it back before it believes a refusal.
//!
//! Nothing is ever renamed and nothing is half there: a bucket shows an object when all of it has
//! come. Folders are only the beginnings of names.

mod access;
mod address;
mod probe;
mod reader;
mod threads;
mod told;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, future, stream};
use object_store::path::Path as Location;
use object_store::{
    Error as Told, ListResult, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, WriteMultipart,
};

pub use access::{RemoteAccess, RemoteOptions};
pub(crate) use address::{Address, scheme};
use threads::Threads;
use told::{Cause, cause, told};

use super::{Entry, Files, Input, Metadata, RangeInput};
use crate::clock::IdSource;
use crate::error::{Error, Result};

/// How often a put is begun anew whose answer was lost, or that collided with another.
const PUTS_MAX: usize = 5;
/// Files up to this size are read in one request.
const WHOLE_BYTES_MAX: u64 = 4 << 20;
/// Parts of one file that are on their way at the same time.
const PARTS_IN_FLIGHT: usize = 4;

/// Files that are fetched at the same time.
const IN_FLIGHT: usize = 32;
/// Files that may wait to be read.
const AHEAD_MAX: usize = 4_096;

/// Tables at an address.
pub(crate) struct RemoteFiles {
    address: Address,
    access: RemoteAccess,
    store: Arc<dyn ObjectStore>,
    threads: Threads,
    /// Files that were fetched before they were asked for; each is given out once.
    ahead: Mutex<HashMap<PathBuf, Bytes>>,
}

impl fmt::Debug for RemoteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFiles").field("url", &self.address.url()).finish_non_exhaustive()
    }
}

impl RemoteFiles {
    /// Makes the client. Sends nothing yet.
    ///
    /// # Errors
    /// `Invalid` for wrong options; `Unavailable` when the settings do not fit together.
    pub(crate) fn new(address: Address, access: RemoteAccess) -> Result<Self> {
        access.options.validate().map_err(crate::setting::Fault::into_error)?;
        let threads = Threads::start()?;
        let store = address.connect(&access, threads.handle()?);
        let store = store.map_err(|error| {
            let said = access.redacted(&error.to_string());
            Error::unavailable(format!("{} cannot be reached: {said}", address.url()))
                .with_hint("Check the settings of the object store in the environment.")
        })?;
        Ok(Self { address, access, store, threads, ahead: Mutex::default() })
    }

    #[cfg(test)]
    pub(super) fn over(store: Arc<dyn ObjectStore>, address: Address) -> Result<Self> {
        let (access, threads) = (RemoteAccess::default(), Threads::start()?);
        Ok(Self { address, access, store, threads, ahead: Mutex::default() })
    }

    /// Carries out a request on the threads of the store.
    fn wait<T, F>(&self, request: impl FnOnce(Arc<dyn ObjectStore>) -> F) -> Result<Result<T, Told>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Told>> + Send + 'static,
    {
        self.threads.wait(request(Arc::clone(&self.store)))
    }

    fn ahead(&self) -> MutexGuard<'_, HashMap<PathBuf, Bytes>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, action: &str, path: &Path, error: &Told) -> Error {
        told((&self.address, &self.access), action, &path.display().to_string(), error)
    }

    /// Writes an object in one piece, or in parts if it is large.
    fn put(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let location = self.location(path)?;
        let part_bytes = usize::try_from(self.access.options.part_bytes).unwrap_or(usize::MAX);
        let payload = Bytes::copy_from_slice(bytes);
        let put = if payload.len() <= part_bytes {
            self.wait(|store| async move { store.put(&location, payload.into()).await.map(|_| ()) })
        } else {
            self.wait(|store| async move {
                let upload = store.put_multipart(&location).await?;
                let mut upload = WriteMultipart::new_with_chunk_size(upload, part_bytes);
                let mut rest = payload;
                while !rest.is_empty() {
                    upload.wait_for_capacity(PARTS_IN_FLIGHT).await?;
                    upload.put(rest.split_to(rest.len().min(part_bytes)));
                }
                upload.finish().await.map(|_| ())
            })
        };
        put?.map_err(|error| self.told("write", path, &error))
    }

    fn listed(&self, folder: &Path) -> Result<ListResult> {
        let prefix = self.location(folder)?;
        let list = self.wait(|store| async move { store.list_with_delimiter(Some(&prefix)).await });
        list?.map_err(|error| self.told("list", folder, &error))
    }

    /// One conditional put; `false`: the store says that there is one of this name.
    fn put_new(&self, location: &Location, payload: Bytes) -> Result<Result<bool, Told>> {
        let (location, payload) = (location.clone(), PutPayload::from(payload));
        let put = self.wait(|store| async move {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            store.put_opts(&location, payload, options).await
        })?;
        Ok(match put {
            Ok(_) => Ok(true),
            Err(error) if cause(&error) == Cause::Exists => Ok(false),
            Err(error) => Err(error),
        })
    }
}

impl Files for RemoteFiles {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.ahead().remove(path) {
            return Ok(Some(Vec::from(bytes)));
        }
        let location = self.location(path)?;
        let read = self.wait(|store| async move { store.get(&location).await?.bytes().await })?;
        there(read).map(|it| it.map(Vec::from)).map_err(|error| self.told("read", path, &error))
    }

    fn expect(&self, paths: &[PathBuf]) {
        let room = AHEAD_MAX.saturating_sub(self.ahead().len());
        let all = paths.iter().take(room).filter_map(|path| {
            let location = self.location(path).ok()?;
            Some((path.clone(), location))
        });
        let all: Vec<_> = all.collect();
        if all.len() < 2 {
            return; // the reader itself is as fast
        }
        let fetched = self.wait(|store| async move {
            let fetch = stream::iter(all).map(|(path, location)| {
                let store = Arc::clone(&store);
                // one that cannot be fetched is read again, and that tells why
                async move { Some((path, store.get(&location).await.ok()?.bytes().await.ok()?)) }
            });
            Ok(fetch.buffer_unordered(IN_FLIGHT).filter_map(future::ready).collect().await)
        });
        if let Ok(Ok(fetched)) = fetched {
            let fetched: Vec<_> = fetched;
            self.ahead().extend(fetched);
        }
    }

    fn read_range(&self, path: &Path, range: Range<u64>) -> Result<Bytes> {
        let location = self.location(path)?;
        let read = self.wait(|store| async move { store.get_range(&location, range).await })?;
        match there(read) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(super::missing(path)),
            Err(error) => Err(self.told("read", path, &error)),
        }
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        let location = self.location(path)?;
        let head = self.wait(|store| async move { store.head(&location).await })?;
        let found = there(head).map_err(|error| self.told("look at", path, &error))?;
        Ok(found.as_ref().map(metadata))
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>> {
        let found = self.listed(folder)?;
        let entry = |it: &ObjectMeta| {
            let name = it.location.filename()?.to_owned();
            Some(Entry { name, metadata: metadata(it) })
        };
        Ok(found.objects.iter().filter_map(entry).collect())
    }

    fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let found = self.listed(folder)?;
        let files = found.objects.iter().map(|it| &it.location);
        let all = files.chain(&found.common_prefixes).filter_map(Location::filename);
        Ok(all.map(str::to_owned).collect())
    }

    fn create_folder(&self, _path: &Path) -> Result<()> {
        Ok(())
    }

    fn create(&self, folder: &Path, name: &str, _temporary: &str, bytes: &[u8]) -> Result<()> {
        self.put(&folder.join(name), bytes)
    }

    /// A refusal may be the echo of our own put whose answer was lost, so the object is read back:
    /// our bytes mean that it was ours. No answer at all may mean either.
    fn put_if_absent(
        &self,
        folder: &Path,
        name: &str,
        _temporary: &str,
        bytes: &[u8],
    ) -> Result<bool> {
        let path = folder.join(name);
        let location = self.location(&path)?;
        let payload = Bytes::copy_from_slice(bytes);
        let mut failure = None;
        for _ in 0..PUTS_MAX {
            match self.put_new(&location, payload.clone())? {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(error) if cause(&error).is_open() => {
                    failure = Some(self.told("write", &path, &error));
                }
                Err(error) => return Err(self.told("write", &path, &error)),
            }
            match self.read(&path) {
                Ok(Some(found)) => return Ok(found == bytes),
                Ok(None) => {} // two puts at once were both refused, or ours never came
                Err(error) => return Err(failure.unwrap_or(error)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            Error::failed(format!(
                "cannot write {}: it was refused {PUTS_MAX} times, though there is none",
                path.display()
            ))
            .with_hint("Try again when fewer write at once.")
        }))
    }

    fn replace(&self, folder: &Path, name: &str, _temporary: &str, bytes: &[u8]) -> Result<()> {
        self.put(&folder.join(name), bytes)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let location = self.location(path)?;
        let removed = self.wait(|store| async move { store.delete(&location).await })?;
        there(removed).map(|_| ()).map_err(|error| self.told("remove", path, &error))
    }

    fn sync_folder(&self, _folder: &Path) -> Result<()> {
        Ok(())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn check_conditional_put(&self, folder: &Path, ids: &dyn IdSource) -> Result<()> {
        probe::check(self, folder, ids)
    }

    /// A small file comes whole: one request, and not one per column and page.
    fn open(self: Arc<Self>, path: &Path, size_bytes: u64) -> Result<Input> {
        if (1..=WHOLE_BYTES_MAX).contains(&size_bytes) {
            return self.read_range(path, 0..size_bytes).map(Input::Memory);
        }
        let path = path.to_owned();
        Ok(Input::Ranges(RangeInput { files: self, path, size_bytes }))
    }

    fn object_store(self: Arc<Self>) -> Arc<dyn ObjectStore> {
        Arc::new(reader::Reader(self))
    }

    fn name(&self) -> String {
        let place = format!("{}\n{}", self.address.bucket(), self.access.endpoint().unwrap_or(""));
        blake3::hash(place.as_bytes()).to_hex().to_string()
    }

    fn location(&self, path: &Path) -> Result<Location> {
        let inside = path.to_str().and_then(|it| it.strip_prefix(self.address.bucket()));
        let inside = inside.and_then(|it| Location::parse(it.trim_start_matches('/')).ok());
        inside.ok_or_else(|| {
            Error::internal(format!("{} is not in {}", path.display(), self.address.bucket()))
        })
    }
}

/// `None` for what is not there.
fn there<T>(found: Result<T, Told>) -> Result<Option<T>, Told> {
    match found {
        Ok(it) => Ok(Some(it)),
        Err(error) if cause(&error) == Cause::NoObject => Ok(None),
        Err(error) => Err(error),
    }
}

fn metadata(found: &ObjectMeta) -> Metadata {
    let modified_ms = found.last_modified.timestamp_millis();
    Metadata { size_bytes: found.size, modified_ms }
}

#[cfg(test)]
mod tests;
