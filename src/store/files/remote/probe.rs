//! A look whether an object store does what commits rely on: that of two who put an object that
//! must not be there yet, one is refused. Some servers, and some gateways in front of them, take
//! both. Leaves nothing behind.

use std::path::Path;

use bytes::Bytes;

use super::told::{Cause, cause};
use super::{Files, RemoteFiles};
use crate::clock::IdSource;
use crate::error::{Error, Result};
use crate::store::layout::PROBE_PREFIX;

/// Puts a new object twice; the second must be refused. To be asked before anything is written.
///
/// # Errors
/// `Unavailable`: the store takes both, refuses the first, or lets nothing be removed.
pub(super) fn check(files: &RemoteFiles, folder: &Path, ids: &dyn IdSource) -> Result<()> {
    let id = ids.next_id();
    let name = format!("{PROBE_PREFIX}{id}");
    let path = folder.join(&name);
    let first = format!("first {id}\n");
    let is_put = put_first(files, folder, &name, first.as_bytes())?;
    let location = files.location(&path)?;
    let second = files.put_new(&location, Bytes::from(format!("second {id}\n")))?;
    let removed = files.remove(&path);
    if let Ok(true) = second {
        return Err(unfit(files, "it takes the second of two puts where only the first may win"));
    }
    if !is_put {
        return Err(unfit(files, "it refuses to put a new object, and keeps another"));
    }
    second.map_err(|error| files.told("write", &path, &error))?;
    removed
}

fn put_first(files: &RemoteFiles, folder: &Path, name: &str, bytes: &[u8]) -> Result<bool> {
    let path = folder.join(name);
    let put = files.put_new(&files.location(&path)?, Bytes::copy_from_slice(bytes))?;
    match put {
        Ok(true) => Ok(true),
        Err(error) if cause(&error) == Cause::Unknown => {
            Err(unfit(files, "it does not know conditional puts"))
        }
        // the answer may have been lost
        Ok(false) | Err(_) => files.put_if_absent(folder, name, name, bytes),
    }
}

fn unfit(files: &RemoteFiles, what: &str) -> Error {
    Error::unavailable(format!("{} cannot hold a store: {what}", files.address.url())).with_hint(
        "Commits need conditional puts (If-None-Match). Use a server that has them, and no \
         gateway that drops them; nothing was written.",
    )
}
