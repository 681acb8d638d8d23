//! The folder that an export goes to. Decides what may be written and what may be removed there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{ExportedFile, FileFormat, MANIFEST, Manifest};
use crate::error::{Error, IoContext, Result};
use crate::event::Table;

/// A folder that may be written.
pub(super) struct Target {
    root: PathBuf,
}

impl Target {
    /// Makes the folder if it is not there. With `force` the manifest of an earlier export is
    /// taken away first: until the new one is there, the export is not complete.
    pub(super) fn open(root: &Path, force: bool) -> Result<Self> {
        if root.exists() && !root.is_dir() {
            return Err(Error::usage(format!("the export target {} is a file", root.display()))
                .with_hint("Name a folder with --to."));
        }
        fs::create_dir_all(root).context("create the folder", root)?;
        let mut entries = fs::read_dir(root).context("list", root)?;
        if entries.next().is_some() && !force {
            return Err(Error::usage(format!("the folder {} is not empty", root.display()))
                .with_hint("Name another with --to, or replace the export in it with --force."));
        }
        let manifest = root.join(MANIFEST);
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).context("remove", &manifest);
            }
            _ => {}
        }
        Ok(Self { root: root.to_path_buf() })
    }

    /// The folder of a table, made if it is not there.
    pub(super) fn table_folder(&self, table: Table) -> Result<PathBuf> {
        let folder = self.root.join(table.name());
        fs::create_dir_all(&folder).context("create the folder", &folder)?;
        Ok(folder)
    }

    /// Removes what an earlier export left of `table` beside `files`: parts of any format, and
    /// temporary files of an export that died. Then syncs the folder.
    pub(super) fn clear_stale(&self, table: Table, files: &[ExportedFile]) -> Result<()> {
        let folder = self.root.join(table.name());
        for entry in fs::read_dir(&folder).context("list", &folder)? {
            let entry = entry.context("list", &folder)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{}/{name}", table.name());
            let current = files.iter().any(|it| it.path == path);
            if !current && is_ours(&name) {
                fs::remove_file(entry.path()).context("remove", &entry.path())?;
            }
        }
        sync(&folder)
    }

    /// Writes the manifest: the export is complete.
    pub(super) fn finish(&self, manifest: &Manifest) -> Result<()> {
        let path = self.root.join(MANIFEST);
        let temporary = self.root.join(format!(".{MANIFEST}.tmp-{}", std::process::id()));
        let text = serde_json::to_string_pretty(manifest)
            .map_err(|it| Error::internal("cannot write the manifest").with_source(it))?;
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        };
        write().context("write", &temporary)?;
        fs::rename(&temporary, &path).context("rename to", &path)?;
        sync(&self.root)
    }
}

pub(super) fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|it| it.sync_all()).context("sync the folder", folder)
}

/// Whether an export gave a file this name: `part-<n>.<format>`, or the temporary name of one.
fn is_ours(name: &str) -> bool {
    let name = match name.strip_prefix('.') {
        None => name,
        Some(hidden) => match hidden.split_once(".tmp-") {
            Some((name, _process)) => name,
            None => return false,
        },
    };
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let number = stem.strip_prefix("part-").unwrap_or_default();
    let known = FileFormat::ALL.iter().any(|it| it.as_str() == extension);
    known && !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_own_files_are_ever_removed() {
        for name in ["part-0.parquet", "part-12.csv", ".part-3.ndjson.tmp-77"] {
            assert!(is_ours(name), "{name}");
        }
        for name in
            ["part-.csv", "part-0.txt", "data.parquet", "part-x.csv", ".part-0.csv", "..", ""]
        {
            assert!(!is_ours(name), "{name}");
        }
    }
}
