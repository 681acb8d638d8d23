//! `store.json` and `journal/root.json`: what makes a folder a store, and whose journals it holds.
//! Written once, whole or not at all; changed by an upgrade alone.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::layout::{IDENTITY_NAME, Layout, PROBE_PREFIX, SETTINGS_NAME};
use super::slot;
use crate::clock::{Clock, IdSource, rfc3339};
use crate::error::{Error, ErrorKind, IoContext, Result};
use crate::journal::disk::{Disk, read_whole};

/// The format of a store that this build writes; it reads this one and older ones.
pub const FORMAT_VERSION: u32 = 1;

/// Content of `store.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) format_version: u32,
    pub(super) store_id: String,
    pub(super) created: String,
}

/// Content of `journal/root.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct JournalIdentity {
    pub(super) journal_root_id: String,
    /// Whose journals these are; the first builds did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store_id: Option<String>,
}

/// Reads `store.json`.
///
/// # Errors
/// `Unavailable`: there is no store at this path, or not one that this build can use.
pub(super) fn read(files: &dyn Files, layout: &Layout) -> Result<Identity> {
    let root = layout.root();
    let path = layout.identity();
    let bytes = match files.read(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(no_store(root, false)),
        Err(_) if !files.is_remote() && root.is_file() => return Err(no_store(root, false)),
        Err(error) if error.kind() == ErrorKind::Failed => {
            let message = format!("cannot read {}", path.display());
            return Err(Error::unavailable(message).with_source(error));
        }
        Err(error) => return Err(error),
    };
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|source| damaged(&path).with_source(source))?;
    let version = value.get("format_version").and_then(serde_json::Value::as_u64);
    match version {
        None => return Err(damaged(&path)),
        Some(version) if version > u64::from(FORMAT_VERSION) => {
            return Err(Error::unavailable(format!(
                "{} has format version {version}; this build knows versions up to \
                 {FORMAT_VERSION}",
                root.display()
            ))
            .with_hint("Use the newer genstore that made this store."));
        }
        Some(_) => {}
    }
    serde_json::from_value(value).map_err(|source| damaged(&path).with_source(source))
}

/// Reads `store.json`, or makes a new store where there is nothing yet.
///
/// # Errors
/// `Unavailable`: the path is a file, or a folder with something else in it; or the object store
/// cannot hold a store.
pub(super) fn read_or_create(
    files: &dyn Files,
    layout: &Layout,
    disk: &dyn Disk,
    clock: &dyn Clock,
    ids: &dyn IdSource,
) -> Result<Identity> {
    let root = layout.root();
    if !files.is_remote() && root.is_file() {
        return Err(no_store(root, false));
    }
    files.check_conditional_put(root, ids)?;
    let exists = || Ok(files.metadata(&layout.identity())?.is_some());
    if !exists()? {
        // another process may have made the store, and put more into it, since that look
        if has_strangers(files, root)? && !exists()? {
            return Err(no_store(root, true));
        }
        if !files.is_remote() {
            create_folders(root, disk)?;
        }
        let identity = Identity {
            format_version: FORMAT_VERSION,
            store_id: ids.next_id().to_string(),
            created: rfc3339(clock.now_us()),
        };
        put(files, layout, ids, &identity)?;
    }
    read(files, layout)
}

/// Whether a folder has something in it that is there only after `store.json`, or of others. The
/// settings of a store may be written before it is made.
fn has_strangers(files: &dyn Files, root: &Path) -> Result<bool> {
    let is_ours = |it: &String| {
        it.starts_with(IDENTITY_NAME) || it.starts_with(PROBE_PREFIX) || it == SETTINGS_NAME
    };
    Ok(!files.names(root)?.iter().all(is_ours))
}

/// The id of the folder of journals of a store; made where there is none. `files` are those of the
/// local disk.
pub(super) fn journal_root_id(
    files: &dyn Files,
    layout: &Layout,
    ids: &dyn IdSource,
    store_id: &str,
) -> Result<String> {
    let path = layout.journal_identity();
    if !path.exists() {
        // another process may have made it, and then a journal, since that look
        if let Some(file) = first_journal(layout)?.filter(|_| !path.exists()) {
            // under a new id the tables would not know the rows of old files again
            return Err(Error::damaged(format!(
                "{} is missing, though there are journals, as {}",
                path.display(),
                file.display()
            ))
            .with_hint(
                "Nothing was changed; `genstore store check --repair` makes the file anew from \
                 the journals, else restore it from a backup of this store.",
            ));
        }
        let identity = JournalIdentity {
            journal_root_id: ids.next_id().to_string(),
            store_id: Some(store_id.to_owned()),
        };
        let temporary = format!("root.json.{}.tmp", ids.next_id());
        put_json(files, &layout.journal(), &temporary, "root.json", &identity)?;
    }
    read_journal_root_id(layout, store_id)?.ok_or_else(|| damaged(&path))
}

/// The id of the folder of journals of a store; `None` before the first writer.
///
/// # Errors
/// `Damaged` also if they are the journals of another store, whose folder was put here.
pub(super) fn read_journal_root_id(layout: &Layout, store_id: &str) -> Result<Option<String>> {
    let path = layout.journal_identity();
    match read_whole(&path) {
        Ok(bytes) => {
            let identity: JournalIdentity = serde_json::from_slice(&bytes)
                .map_err(|source| damaged(&path).with_source(source))?;
            match identity.store_id.filter(|it| it != store_id) {
                None => Ok(Some(identity.journal_root_id)),
                Some(other) => Err(Error::damaged(format!(
                    "{} belongs to the store {other}, not to this one ({store_id})",
                    path.display()
                ))
                .with_hint(
                    "Nothing was changed. Give each store a journal folder of its own; if the \
                     other store is no more, move this folder away.",
                )),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if first_journal(layout)?.is_some() && !path.exists() {
                Err(damaged(&path).with_source(error))
            } else {
                Ok(None)
            }
        }
        Err(error) => Err(error).context("read", &path),
    }
}

/// A journal file, if there is one: they are made after `root.json`.
fn first_journal(layout: &Layout) -> Result<Option<PathBuf>> {
    for number in slot::list(layout)? {
        if let Some(n) = slot::files(layout, number)?.first() {
            return Ok(Some(layout.journal_file(number, *n)));
        }
    }
    Ok(None)
}

/// The content of `root.json`.
pub(super) fn journal_identity_bytes(journal_root_id: &str, store_id: &str) -> Result<Vec<u8>> {
    let (journal_root_id, store_id) = (journal_root_id.to_owned(), Some(store_id.to_owned()));
    json_bytes("root.json", &JournalIdentity { journal_root_id, store_id })
}

/// Makes a place a store: the last thing that is written there.
pub(super) fn put(
    files: &dyn Files,
    layout: &Layout,
    ids: &dyn IdSource,
    identity: &Identity,
) -> Result<()> {
    let temporary = format!("{IDENTITY_NAME}.{}.tmp", ids.next_id());
    put_json(files, layout.root(), &temporary, IDENTITY_NAME, identity)
}

/// Writes `store.json` in the place of another.
pub(super) fn replace(
    files: &dyn Files,
    layout: &Layout,
    ids: &dyn IdSource,
    identity: &Identity,
) -> Result<()> {
    let temporary = format!("{IDENTITY_NAME}.{}.tmp", ids.next_id());
    let bytes = json_bytes(IDENTITY_NAME, identity)?;
    files.replace(layout.root(), IDENTITY_NAME, &temporary, &bytes)
}

fn put_json(
    files: &dyn Files,
    folder: &Path,
    temporary: &str,
    name: &str,
    value: &impl Serialize,
) -> Result<()> {
    files.put_if_absent(folder, name, temporary, &json_bytes(name, value)?).map(|_| ())
}

/// A value as the content of a file.
pub(super) fn json_bytes(name: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| Error::internal(format!("cannot encode {name}")).with_source(source))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Makes a folder and those above it.
pub(super) fn create_folders(path: &Path, disk: &dyn Disk) -> Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    if path.is_dir() {
        // Whoever made it may have died before its name was durable. If it was not one of us, the
        // folder above may not be ours to open.
        drop(path.parent().map(|parent| disk.sync_folder(parent)));
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_folders(parent, disk)?;
    }
    disk.create_folder(path).map_err(|source| {
        Error::unavailable(format!("cannot create the folder {}", path.display()))
            .with_source(source)
            .with_hint("Choose another path with --store, or check the permissions.")
    })
}

/// `is_known`: there is something of others at an address, where a look would cost a request.
fn no_store(root: &Path, is_known: bool) -> Error {
    let (what, hint) = if root.is_file() {
        ("is a file, not a store", "A store is a folder; choose another path with --store.")
    } else if is_known || root.exists() {
        (
            "is not a store: it has no store.json",
            "Choose another path with --store; a new store is made in a new or empty folder.",
        )
    } else {
        ("does not exist", "A run or a replay makes the store; or choose another with --store.")
    };
    Error::unavailable(format!("{} {what}", root.display())).with_hint(hint)
}

fn damaged(path: &Path) -> Error {
    Error::damaged(format!("{} does not say what it should", path.display())).with_hint(
        "Nothing was changed. `genstore store check --repair` makes the journals' root.json \
             anew; restore store.json from a backup.",
    )
}
