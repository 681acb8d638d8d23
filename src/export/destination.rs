//! Where an export goes: a folder, or an address of an object store. Knows no export.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::journal::disk::{Disk, SystemDisk};
use crate::store::{Files, Location, RemoteAccess, place};

/// A place for files. Its [`fmt::Debug`] shows no credential.
#[derive(Clone)]
pub struct Destination {
    pub(super) root: PathBuf,
    pub(super) files: Arc<dyn Files>,
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Destination {
    /// What a user typed: a path, or an address such as `s3://bucket/history`, which `access` says
    /// how to reach.
    ///
    /// # Errors
    /// `Usage` for an address that cannot be; `Unavailable` for settings that do not fit together.
    pub fn parse(typed: &OsStr, access: &RemoteAccess) -> Result<Self> {
        let (root, files) = place(typed, access, SystemDisk::shared())?;
        if root.as_os_str().is_empty() {
            let error = Error::usage("the export has no target: --to is empty");
            return Err(error.with_hint("Name a folder with --to."));
        }
        Ok(Self { root, files })
    }

    /// A folder on a disk: tests pass one that fails.
    pub fn on_disk(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        let (root, files) = place(folder.as_os_str(), &RemoteAccess::default(), disk)?;
        Ok(Self { root, files })
    }

    /// Refuses a place inside a store: its upkeep takes files that it does not know for strays.
    pub(super) fn check_outside(&self, store: &Location) -> Result<()> {
        let is_inside = match (self.files.is_remote(), store.is_remote()) {
            (true, true) => self.root.starts_with(store.path()),
            (false, _) => {
                let own = absolute(&self.root);
                own.starts_with(absolute(store.state_folder()))
                    || (!store.is_remote() && own.starts_with(absolute(store.path())))
            }
            (true, false) => false,
        };
        if is_inside {
            let (root, store) = (self.root.display(), store.path().display());
            let message = format!("the export target {root} lies inside the store {store}");
            return Err(Error::usage(message).with_hint("Name a folder outside of it with --to."));
        }
        Ok(())
    }
}

/// The real path, as far as it is there.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for known in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (known.canonicalize(), path.strip_prefix(known)) {
            return real.join(rest);
        }
    }
    path
}
