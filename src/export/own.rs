//! The names of files that an export writes, and the removal of those that count no more. Whatever
//! has another name, or lies elsewhere, is never touched.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::target::Unfinished;
use super::{FileFormat, Manifest};
use crate::error::Result;
use crate::store::{Files, delta_commit_version, is_delta_temporary};

/// The folder of the keys of what was exported.
pub(super) const POSITION: &str = "_position";
/// The folder of a Delta log.
const DELTA_LOG: &str = "_delta_log";
/// What the name of a day's folder begins with.
pub(super) const DAY_PREFIX: &str = "dt=";
/// The day of rows that have none.
pub(super) const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// What may be removed of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clearing {
    /// The table, and its folder.
    pub(super) name: String,
    /// Files from this number on.
    pub(super) first_part: u64,
    /// Commits of its Delta log from this version on.
    pub(super) first_version: u64,
}

/// Whether a name is one of a folder that an export makes.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(plain)
}

/// The name of a file on its way.
pub(super) fn temporary(name: &str, export_id: Uuid) -> String {
    format!(".{name}.tmp-{}", export_id.simple())
}

/// The number of a file of rows, by its path.
pub(super) fn part_number(path: &str) -> Option<u64> {
    let name = path.rsplit('/').next()?;
    let name = match name.strip_prefix('.') {
        None => name,
        Some(hidden) => hidden.split_once(".tmp-")?.0,
    };
    let (stem, extension) = name.rsplit_once('.')?;
    if !FileFormat::ALL.iter().any(|it| it.as_str() == extension) {
        return None;
    }
    digits(stem.strip_prefix("part-")?)
}

/// The number of a file of keys, by its path.
pub(super) fn position_number(path: &str) -> Option<u64> {
    let name = path.rsplit('/').next()?;
    let name = match name.strip_prefix('.') {
        None => name,
        Some(hidden) => hidden.split_once(".tmp-")?.0,
    };
    digits(name.strip_suffix(".keys")?.rsplit_once('-')?.1)
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Removes what an export may have written, but for files that a manifest names; then folders that
/// are empty.
pub(super) fn clear(
    files: &dyn Files,
    root: &Path,
    unfinished: &Unfinished,
    manifest: Option<&Manifest>,
) -> Result<()> {
    let tables = manifest.iter().flat_map(|it| it.tables.iter().flat_map(|it| &it.files));
    let positions = manifest.iter().filter_map(|it| it.position.as_ref()).flat_map(|it| &it.files);
    let kept: HashSet<&str> = tables.chain(positions).map(|it| it.path.as_str()).collect();
    for table in unfinished.tables.iter().filter(|it| is_plain(&it.name)) {
        let is_part = |name: &str| part_number(name).is_some_and(|it| it >= table.first_part);
        let is_commit = |name: &str| {
            delta_commit_version(name).is_some_and(|it| it >= table.first_version)
                || is_delta_temporary(name)
        };
        let folder = root.join(&table.name);
        for name in files.names(&folder)? {
            if name.starts_with(DAY_PREFIX) {
                remove(files, root, &format!("{}/{name}", table.name), &kept, is_part)?;
            }
        }
        remove(files, root, &table.name, &kept, is_part)?;
        remove(files, root, &format!("{}/{DELTA_LOG}", table.name), &kept, is_commit)?;
        remove_folder(files, &folder);
    }
    let is_key =
        |name: &str| position_number(name).is_some_and(|it| it >= unfinished.first_position);
    remove(files, root, POSITION, &kept, is_key)?;
    files.sync_folder(root)
}

/// Removes what was to become a manifest, or to say that an export has begun.
pub(super) fn clear_root(files: &dyn Files, root: &Path) -> Result<()> {
    if files.is_remote() {
        return Ok(()); // an object is there when it is whole
    }
    for name in files.names(root)? {
        let named = name.strip_prefix('.').and_then(|it| it.split_once(".tmp-"));
        let is_ours = named.is_some_and(|(name, id)| {
            [super::MANIFEST, super::target::UNFINISHED].contains(&name)
                && Uuid::try_parse(id).is_ok()
        });
        if is_ours {
            files.remove(&root.join(name))?;
        }
    }
    Ok(())
}

fn remove(
    files: &dyn Files,
    root: &Path,
    folder: &str,
    kept: &HashSet<&str>,
    is_ours: impl Fn(&str) -> bool,
) -> Result<()> {
    let path = root.join(folder);
    for entry in files.list(&path)? {
        let name = &entry.name;
        if is_ours(name) && !kept.contains(format!("{folder}/{name}").as_str()) {
            files.remove(&path.join(name))?;
        }
    }
    remove_folder(files, &path);
    Ok(())
}

/// Removes a folder in which nothing is left. An object store has none, and one that stays is in
/// nobody's way.
fn remove_folder(files: &dyn Files, path: &Path) {
    if !files.is_remote() {
        drop(fs::remove_dir(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_files_are_ever_removed() {
        for (name, number) in [
            ("part-0.parquet", 0),
            ("runs/dt=2026-11-22/part-12.csv", 12),
            (".part-3.ndjson.tmp-77", 3),
            ("part-7.arrow", 7),
        ] {
            assert_eq!(part_number(name), Some(number), "{name}");
        }
        for name in
            ["part-.csv", "part-0.txt", "data.parquet", "part-x.csv", ".part-0.csv", "..", ""]
        {
            assert_eq!(part_number(name), None, "{name}");
        }
        assert_eq!(position_number("_position/runs-4.keys"), Some(4));
        assert_eq!(position_number("runs-x.keys"), None);
        for name in ["..", "a/b", "", "_delta_log", "A"] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
