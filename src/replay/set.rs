//! Which files a replay is about: a folder, a file or a glob, listed in a stable order.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Most files of one set, and deepest folder: bounds against a link that leads to itself or a
/// wrong folder such as `/`.
const FILES_MAX: usize = 1_000_000;
const DEPTH_MAX: usize = 64;

/// Folders that hold parts of contracts, not contracts.
const PARTS: &str = "subcontracts";

/// Lists the contracts of `set`, sorted: a file is itself; a folder, every `*.yaml` and `*.yml`
/// below it, but nothing below hidden folders and folders named `subcontracts`; anything else, a
/// glob. A file that cannot be read is listed all the same: its run says what is wrong.
pub fn contracts(set: &str) -> Result<Vec<PathBuf>> {
    let path = Path::new(set);
    let mut found = match path.symlink_metadata() {
        Ok(_) if path.is_dir() => folder(path)?,
        Ok(_) => vec![path.to_path_buf()],
        Err(_) => {
            let hint = "Name a folder of contracts, a contract, or a glob such as 'nodes/*.yaml'.";
            matches(set, hint)?
        }
    };
    found.sort();
    found.dedup();
    Ok(found)
}

fn folder(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(source) if depth == 0 => {
                return Err(Error::failed(format!("cannot list the folder {}", folder.display()))
                    .with_source(source));
            }
            // The others of the set are still done; the run of this path says what is wrong.
            Err(_) => {
                found.push(folder);
                continue;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            // `file_type` does not follow links: a link to a folder is not entered, so that a
            // loop cannot trap the listing.
            let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
            if name.starts_with('.') {
                continue;
            }
            if is_folder && name != PARTS && depth < DEPTH_MAX {
                pending.push((path, depth + 1));
            } else if !is_folder && is_contract(&name) {
                found.push(path);
            }
            if found.len() > FILES_MAX {
                return Err(Error::invalid(format!(
                    "{} holds more than {FILES_MAX} contracts",
                    root.display()
                )));
            }
        }
    }
    if found.is_empty() {
        return Err(Error::invalid(format!(
            "there is no contract (*.yaml, *.yml) in {}",
            root.display()
        )));
    }
    Ok(found)
}

fn is_contract(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"))
}

/// The files that a glob matches; `hint` says what to name where there is none.
pub(crate) fn matches(pattern: &str, hint: &str) -> Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern).map_err(|source| {
        Error::usage(format!("{pattern:?} is neither a path nor a glob")).with_source(source)
    })?;
    // An entry that cannot be read is still named by its path.
    let found: Vec<PathBuf> = paths
        .take(FILES_MAX)
        .map(|it| it.unwrap_or_else(|error| error.path().to_path_buf()))
        .filter(|it| !it.is_dir())
        .collect();
    if found.is_empty() {
        let message = format!("no file or folder matches {pattern:?}");
        return Err(Error::invalid(message).with_hint(hint));
    }
    Ok(found)
}
