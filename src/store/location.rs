//! Where a store is: all of it in a folder, or its tables at an address of an object store and the
//! rest in a local state folder. Reads and writes nothing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Address, Files, LocalFiles, RemoteAccess, RemoteFiles, scheme};
use super::layout::Layout;
use crate::error::{Error, Result};
use crate::journal::disk::Disk;

/// Letters of an address that its state folder shows.
const READABLE_CHARS_MAX: usize = 60;
/// Hex digits by which two addresses that read alike are told apart.
const DIGEST_CHARS: usize = 12;

/// Where a store is. Its [`fmt::Debug`](std::fmt::Debug) shows no credential.
#[derive(Debug, Clone)]
pub struct Location {
    /// The folder, or the address.
    root: PathBuf,
    remote: Option<Remote>,
}

#[derive(Debug, Clone)]
struct Remote {
    address: Address,
    access: RemoteAccess,
    state: PathBuf,
}

impl Location {
    /// What a user typed: a path, or an address such as `s3://bucket/history`, which `access` says
    /// how to reach.
    ///
    /// # Errors
    /// `Usage` for an address that cannot be; `Unavailable` when there is no place for the local
    /// state of a remote store.
    pub fn parse(typed: &OsStr, access: &RemoteAccess) -> Result<Self> {
        let Some(url) = typed.to_str().filter(|it| scheme(it).is_some()) else {
            return Ok(Self::from(PathBuf::from(typed)));
        };
        let address = Address::parse(url)?;
        let Some(state_dir) = &access.state_dir else {
            return Err(Error::unavailable(format!(
                "{} needs a local folder for its journal, and there is no home",
                address.url()
            ))
            .with_hint("Set HOME or XDG_STATE_HOME."));
        };
        let state = state_dir.join("stores").join(state_name(&address, access));
        let root = PathBuf::from(address.url());
        Ok(Self { root, remote: Some(Remote { address, access: access.clone(), state }) })
    }

    /// The folder, or the address as a path: what messages name, and what joins names.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The local folder with journal and index: the store's own, or that of a remote store.
    pub fn state_folder(&self) -> &Path {
        self.remote.as_ref().map_or(&self.root, |it| &it.state)
    }

    /// Whether the tables lie in an object store.
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// The files of the tables; those of a folder are changed through a disk.
    pub(super) fn files(&self, disk: &Arc<dyn Disk>) -> Result<Arc<dyn Files>> {
        Ok(match &self.remote {
            None => Arc::new(LocalFiles::new(Arc::clone(disk))),
            Some(it) => Arc::new(RemoteFiles::new(it.address.clone(), it.access.clone())?),
        })
    }

    /// Every path of the store.
    pub(super) fn layout(&self) -> Layout {
        Layout::new(&self.root).with_state(self.state_folder())
    }
}

impl From<PathBuf> for Location {
    fn from(folder: PathBuf) -> Self {
        Self { root: folder, remote: None }
    }
}

impl From<&str> for Location {
    fn from(folder: &str) -> Self {
        Self::from(PathBuf::from(folder))
    }
}

impl From<&PathBuf> for Location {
    fn from(folder: &PathBuf) -> Self {
        Self::from(folder.clone())
    }
}

impl From<&Self> for Location {
    fn from(location: &Self) -> Self {
        location.clone()
    }
}

impl From<&Path> for Location {
    fn from(folder: &Path) -> Self {
        Self::from(folder.to_owned())
    }
}

/// The name of an address's state folder: what a person recognises, and what tells apart the same
/// address at two servers.
fn state_name(address: &Address, access: &RemoteAccess) -> String {
    let (_, readable) = address.url().split_once("://").unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let readable: String = readable.chars().map(plain).take(READABLE_CHARS_MAX).collect();
    let whole = format!("{}\n{}", address.url(), access.endpoint().unwrap_or_default());
    let digest = blake3::hash(whole.as_bytes()).to_hex();
    format!("{readable}-{}", digest.get(..DIGEST_CHARS).unwrap_or_default())
}

#[cfg(test)]
mod tests;
