//! What is temporary in an output folder, and its removal when the process that made it is dead.
//! Removes nothing that does not bear a name of genstore's own.
//!
//! Everything temporary lies directly in the output folder. Who has the folder open holds a shared
//! lock on it, which ends with the process, however that ends; so whoever gets it alone knows that
//! all that is temporary there belongs to nobody.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PREFIX: &str = ".genstore-";
const PROBE: &str = "probe-";

/// Another process holds the folder alone only while it clears it. One that never lets go is no
/// genstore, and then nobody clears.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// The path of what a run writes before it gets its name; `unique` is the run's id.
pub(super) fn temporary(root: &Path, unique: &str) -> PathBuf {
    root.join(format!("{PREFIX}{unique}"))
}

/// The path of a file that is written only to see whether that works.
pub(super) fn probe(root: &Path) -> PathBuf {
    root.join(format!("{PREFIX}{PROBE}{}", std::process::id()))
}

/// Removes what dead processes have left in `root`, unless another process has the folder open.
/// The folder counts as open until the returned file is dropped; `None` where its file system
/// knows no locks, and then nothing is removed.
pub(super) fn clear(root: &Path) -> Option<File> {
    let folder = File::open(root).ok()?;
    match folder.try_lock() {
        Ok(()) => remove(root),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(_)) => return None,
    }
    for _ in 0..TRIES {
        match folder.try_lock_shared() {
            Ok(()) => return Some(folder),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
            Err(TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// What cannot be removed is in nobody's way: the next one tries again.
fn remove(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(is_temporary) {
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            drop(fs::remove_dir_all(&path));
        } else {
            drop(fs::remove_file(&path));
        }
    }
}

fn is_temporary(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| {
        let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        uuid::Uuid::try_parse(rest).is_ok() || rest.strip_prefix(PROBE).is_some_and(digits)
    })
}
