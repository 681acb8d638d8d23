//! Which files are judged, and which of them together: a folder with a `contract.yaml` is a
//! package with all Python below it. Looks at names alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::replay::set::matches;

/// Most files of one call, and deepest folder: bounds against a wrong folder such as `/`.
const FILES_MAX: usize = 1_000_000;
const DEPTH_MAX: usize = 64;

/// A package of more files is judged file by file, to bound memory.
const PACKAGE_FILES_MAX: usize = 2_000;

/// Folders that hold no code of one's own.
const PASSED_OVER: [&str; 3] = ["__pycache__", "node_modules", "site-packages"];

/// The file that makes a folder a package of a node.
pub(super) const CONTRACT: &str = "contract.yaml";

/// What is judged together.
#[derive(Debug)]
pub(super) enum Unit {
    /// A file by itself.
    File(PathBuf),
    /// The package of a contract.
    Package {
        /// The folder of the contract.
        folder: PathBuf,
        /// All its Python files.
        files: Vec<PathBuf>,
        /// The files that were named, where it was not the folder that was.
        named: Option<BTreeSet<PathBuf>>,
    },
}

impl Unit {
    fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Package { folder, .. } => folder,
        }
    }
}

/// The units of some files, folders and globs, in the order of their paths.
pub(super) fn units(paths: &[String]) -> Result<Vec<Unit>> {
    let mut folders = Folders::default();
    let mut named: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for given in paths {
        let path = Path::new(given);
        let files = match path.symlink_metadata() {
            Ok(_) if path.is_dir() => {
                folders.walk(path)?;
                continue;
            }
            Ok(_) => vec![path.to_path_buf()],
            Err(_) => {
                let hint = "Name a Python file, a folder, or a glob such as 'nodes/**/*.py'.";
                matches(given, hint)?
            }
        };
        for file in files {
            let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
            match folder.join(CONTRACT).is_file() {
                true => {
                    named.entry(folder).or_default().insert(file);
                }
                false => {
                    folders.files.insert(file);
                }
            }
        }
    }
    for (folder, files) in named {
        if !folders.packages.contains_key(&folder) {
            let mut all = Folders::default();
            all.walk(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })?;
            let mut of_package = all.packages.into_values().next().unwrap_or_default();
            of_package.extend(files.iter().cloned());
            folders.named.push((folder, of_package, files));
        }
    }
    Ok(folders.units())
}

/// What was found in folders.
#[derive(Debug, Default)]
struct Folders {
    files: BTreeSet<PathBuf>,
    packages: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    named: Vec<(PathBuf, BTreeSet<PathBuf>, BTreeSet<PathBuf>)>,
}

impl Folders {
    fn walk(&mut self, root: &Path) -> Result<()> {
        let before = self.count();
        let mut pending = vec![(root.to_path_buf(), 0, None::<PathBuf>)];
        while let Some((folder, depth, package)) = pending.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(source) if depth == 0 => {
                    let message = format!("cannot list the folder {}", folder.display());
                    return Err(Error::failed(message).with_source(source));
                }
                // the others are still judged; a file of it that is named says what is wrong
                Err(_) => continue,
            };
            let has_contract = folder.join(CONTRACT).is_file();
            let package = if has_contract { Some(folder.clone()) } else { package };
            if has_contract {
                self.packages.entry(folder.clone()).or_default();
            }
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                // does not follow links, so that a loop cannot trap the listing
                let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
                if name.starts_with('.') || PASSED_OVER.contains(&name.as_str()) {
                    continue;
                }
                if is_folder && depth < DEPTH_MAX {
                    pending.push((entry.path(), depth + 1, package.clone()));
                } else if !is_folder && name.ends_with(".py") {
                    match package.as_ref().and_then(|it| self.packages.get_mut(it)) {
                        Some(files) => files.insert(entry.path()),
                        None => self.files.insert(entry.path()),
                    };
                }
            }
            if self.count() > FILES_MAX {
                let message = format!("{} holds more than {FILES_MAX} files", root.display());
                return Err(Error::invalid(message));
            }
        }
        if self.count() == before && !self.packages.contains_key(root) {
            let message = format!("there is no Python file (*.py) in {}", root.display());
            return Err(Error::invalid(message));
        }
        Ok(())
    }

    fn count(&self) -> usize {
        self.files.len() + self.packages.values().map(BTreeSet::len).sum::<usize>()
    }

    fn units(self) -> Vec<Unit> {
        let mut units: Vec<Unit> = self.files.into_iter().map(Unit::File).collect();
        for (folder, files) in self.packages {
            match files.len() > PACKAGE_FILES_MAX {
                true => units.extend(files.into_iter().map(Unit::File)),
                false => {
                    let files = files.into_iter().collect();
                    units.push(Unit::Package { folder, files, named: None });
                }
            }
        }
        units.extend(self.named.into_iter().map(|(folder, files, named)| Unit::Package {
            folder,
            files: files.into_iter().collect(),
            named: Some(named),
        }));
        units.sort_by(|a, b| a.path().cmp(b.path()));
        units
    }
}
