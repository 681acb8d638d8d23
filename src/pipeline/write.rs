//! Puts a package on disk: into its own folder below the output folder, wholly or not at all,
//! never over another contract's package and never over a file that somebody has edited.
//!
//! A folder that genstore made holds `.genstore.json`: which contract it is of, and the digest of
//! each file as it was generated. That is how an edited file is told from a generated one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext, Result};
use crate::template::Package;

mod leftovers;
mod whole;

/// Name of the file that says what genstore generated.
pub const MANIFEST: &str = ".genstore.json";

/// So often may other processes be faster at making a package's folder.
const ATTEMPTS_MAX: usize = 3;

/// How packages are written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Replace files that were edited after they were generated.
    pub overwrite: bool,
    /// Sync files and folders; without it a power loss may take the package (the store has it).
    pub fsync: bool,
}

/// The output folder of one or many runs.
#[derive(Debug)]
pub struct OutputFolder {
    /// Absolute, without links.
    root: PathBuf,
    /// As the user named it.
    named: PathBuf,
    options: WriteOptions,
    /// Which contract took which folder name in this process.
    taken: Mutex<BTreeMap<String, String>>,
    /// Keeps others from taking our temporary files for a dead process's.
    _in_use: Option<fs::File>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The package's folder, below the output folder as the user named it.
    pub folder: PathBuf,
    /// Files created or changed; 0 when everything was there already.
    pub changed: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    generator: String,
    /// Path of the contract relative to the output folder where both have a common root.
    contract: String,
    contract_digest: String,
    files: BTreeMap<String, String>,
}

impl OutputFolder {
    /// Creates the folder if it is not there, and removes what a killed process was writing.
    pub fn open(root: &Path, options: WriteOptions) -> Result<Self> {
        if root.exists() && !root.is_dir() {
            return Err(Error::invalid(format!("the output folder {} is a file", root.display()))
                .with_hint("Name another folder with --out."));
        }
        fs::create_dir_all(root)
            .context("create the output folder", root)
            .map_err(|error| error.with_hint("Name a folder you may write to with --out."))?;
        let named = root.to_path_buf();
        let root = root.canonicalize().context("resolve the output folder", root)?;
        // before anything temporary is made: who has the folder alone removes all that is
        let in_use = leftovers::clear(&root);
        let probe = leftovers::probe(&root);
        fs::write(&probe, b"")
            .context("write into the output folder", &root)
            .map_err(|error| error.with_hint("Name a folder you may write to with --out."))?;
        fs::remove_file(&probe).context("remove", &probe)?;
        Ok(Self { root, named, options, taken: Mutex::new(BTreeMap::new()), _in_use: in_use })
    }

    /// Writes `package`, generated from the contract at `uri` with this digest. `unique`, the
    /// run's id, names what is temporary.
    ///
    /// The folder is the package's name; where another contract has it, name and the first eight
    /// digits of the digest of `uri`. Fails, and changes nothing, if a file of the folder was
    /// edited since it was generated.
    pub fn write(
        &self,
        package: &Package,
        uri: &Path,
        contract_digest: &str,
        unique: &str,
    ) -> Result<Written> {
        let contract = self.relative(uri);
        let files = package.files.iter();
        let manifest = Manifest {
            generator: generator().to_owned(),
            contract,
            contract_digest: contract_digest.to_owned(),
            files: files.map(|it| (it.path.clone(), digest(it.content.as_bytes()))).collect(),
        };
        for _ in 0..ATTEMPTS_MAX {
            let name = self.take(&package.name, &manifest);
            let folder = self.root.join(&name);
            let changed = match folder.exists() {
                true => Some(self.update(&folder, package, &manifest, unique)?),
                false => self.create(&folder, package, &manifest, unique)?,
            };
            if let Some(changed) = changed {
                return Ok(Written { folder: self.named.join(name), changed });
            }
            self.taken().remove(&package.name); // it may be of another contract
        }
        Err(Error::failed(format!(
            "other processes make and remove the package {} all the time",
            self.root.join(&package.name).display()
        ))
        .with_hint("Let one process at a time write there, or use --out to write elsewhere."))
    }

    /// The path of a contract as the manifest has it: relative to the output folder, so that it
    /// stays the same when the whole tree moves.
    fn relative(&self, uri: &Path) -> String {
        let uri = uri.canonicalize().unwrap_or_else(|_| uri.to_path_buf());
        let common =
            uri.components().zip(self.root.components()).take_while(|(a, b)| a == b).count();
        let up = self.root.components().count() - common;
        let mut path = PathBuf::new();
        path.extend(std::iter::repeat_n("..", up));
        path.extend(uri.components().skip(common));
        path.to_string_lossy().into_owned()
    }

    /// The folder's name for this contract: the package's, unless another contract has it.
    fn take(&self, package: &str, manifest: &Manifest) -> String {
        let contract = &manifest.contract;
        let mut taken = self.taken();
        let ours = taken.get(package).map(|it| it == contract).unwrap_or_else(|| {
            read_manifest(&self.root.join(package)).ok().flatten().is_none_or(|it| {
                it.contract == *contract || it.contract_digest == manifest.contract_digest
            })
        });
        if ours {
            taken.insert(package.to_owned(), contract.clone());
            return package.to_owned();
        }
        let suffix = digest(contract.as_bytes());
        format!("{package}_{}", suffix.get(..8).unwrap_or(&suffix))
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: another process has just made the folder.
    fn create(
        &self,
        folder: &Path,
        package: &Package,
        manifest: &Manifest,
        unique: &str,
    ) -> Result<Option<usize>> {
        let temporary = leftovers::temporary(&self.root, unique);
        let created =
            self.write_all(&temporary, package, manifest).and_then(|()| {
                match fs::rename(&temporary, folder) {
                    Ok(()) => Ok(Some(package.files.len())),
                    Err(error) if is_taken(&error) => Ok(None),
                    Err(error) => Err(error).context("create the package", folder),
                }
            });
        if !matches!(created, Ok(Some(_))) {
            // The error that matters is the first one.
            drop(fs::remove_dir_all(&temporary));
        } else if self.options.fsync {
            sync_folder(&self.root)?;
        }
        created
    }

    fn write_all(&self, folder: &Path, package: &Package, manifest: &Manifest) -> Result<()> {
        fs::create_dir(folder).context("create", folder)?;
        let mut folders = vec![folder.to_path_buf()];
        for file in &package.files {
            let path = folder.join(safe(&file.path)?);
            if let Some(parent) = path.parent()
                && !folders.iter().any(|it| it == parent)
            {
                fs::create_dir_all(parent).context("create", parent)?;
                folders.push(parent.to_path_buf());
            }
            self.write_file(&path, file.content.as_bytes())?;
        }
        self.write_file(&folder.join(MANIFEST), &to_json(manifest)?)?;
        if self.options.fsync {
            folders.iter().rev().try_for_each(|it| sync_folder(it))?;
        }
        Ok(())
    }

    /// Brings a folder that genstore made up to date, file by file, the manifest last: after a
    /// crash the next run finishes the work.
    fn update(
        &self,
        folder: &Path,
        package: &Package,
        manifest: &Manifest,
        unique: &str,
    ) -> Result<usize> {
        refuse_link(folder, folder)?;
        let old = match read_manifest(folder)? {
            Some(manifest) => checked(manifest.files, folder)?,
            None => {
                self.refuse_foreign(folder)?;
                BTreeMap::new()
            }
        };
        let mut changed = Vec::new();
        for file in &package.files {
            let path = folder.join(safe(&file.path)?);
            refuse_link(folder, &path)?;
            match fs::read(&path) {
                Ok(bytes) if bytes == file.content.as_bytes() => {}
                Ok(bytes) => {
                    self.refuse_edited(&path, old.get(&file.path), &bytes)?;
                    changed.push((path, Some(file.content.as_bytes())));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    changed.push((path, Some(file.content.as_bytes())));
                }
                Err(error) => return Err(error).context("read", &path),
            }
        }
        for name in old.keys().filter(|it| !manifest.files.contains_key(*it)) {
            let path = folder.join(safe(name)?);
            refuse_link(folder, &path)?;
            if let Ok(bytes) = fs::read(&path) {
                self.refuse_edited(&path, old.get(name), &bytes)?;
                changed.push((path, None));
            }
        }
        for (path, content) in &changed {
            match content {
                Some(content) => self.replace_file(path, content, unique)?,
                None => fs::remove_file(path).context("remove", path)?,
            }
        }
        let json = to_json(manifest)?;
        let path = folder.join(MANIFEST);
        if fs::read(&path).ok().as_deref() != Some(&json) {
            self.replace_file(&path, &json, unique)?;
        }
        Ok(changed.len())
    }

    /// A folder without a manifest is somebody else's, unless there is nothing in it.
    fn refuse_foreign(&self, folder: &Path) -> Result<()> {
        if !folder.is_dir() {
            return Err(Error::failed(format!(
                "{} is a file, where the folder of the package should be",
                folder.display()
            ))
            .with_hint("Move it away, or use --out to write elsewhere."));
        }
        let empty = fs::read_dir(folder).context("read", folder)?.next().is_none();
        if empty || self.options.overwrite {
            return Ok(());
        }
        Err(Error::failed(format!(
            "the folder {} was not made by genstore; it was left as it is",
            folder.display()
        ))
        .with_hint("Use --overwrite to write into it, or --out to write elsewhere."))
    }

    /// A file is ours to replace if it still is what was generated.
    fn refuse_edited(&self, path: &Path, generated: Option<&String>, bytes: &[u8]) -> Result<()> {
        if self.options.overwrite || generated.is_some_and(|it| *it == digest(bytes)) {
            return Ok(());
        }
        Err(Error::failed(format!(
            "{} was edited after it was generated; the package was left as it is",
            path.display()
        ))
        .with_hint("Use --overwrite to replace it, or --out to write elsewhere."))
    }

    fn replace_file(&self, path: &Path, content: &[u8], unique: &str) -> Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).context("create", parent)?;
        }
        let temporary = leftovers::temporary(&self.root, unique);
        let written = self
            .write_file(&temporary, content)
            .and_then(|()| fs::rename(&temporary, path).context("replace", path));
        if written.is_err() {
            // The error that matters is the first one.
            drop(fs::remove_file(&temporary));
        }
        written
    }

    fn write_file(&self, path: &Path, content: &[u8]) -> Result<()> {
        let mut file = fs::File::create(path).context("create", path)?;
        file.write_all(content).context("write", path)?;
        if self.options.fsync {
            file.sync_all().context("sync", path)?;
        }
        Ok(())
    }
}

/// A package's path as a relative path that cannot leave its folder. The templates make no other;
/// this is the second lock on the door.
fn safe(path: &str) -> Result<&Path> {
    let ok = !path.is_empty()
        && path.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"._".contains(&it))
        });
    if ok {
        return Ok(Path::new(path));
    }
    Err(Error::internal(format!("the package has a file with the unsafe path {path:?}")))
}

/// The files of a folder's manifest, none of which may be named outside the folder.
fn checked(files: BTreeMap<String, String>, folder: &Path) -> Result<BTreeMap<String, String>> {
    match files.keys().find(|it| safe(it).is_err()) {
        None => Ok(files),
        Some(name) => Err(Error::failed(format!(
            "{} names a file outside its folder: {name:?}",
            folder.join(MANIFEST).display()
        ))
        .with_hint("Remove the folder, or use --out to write elsewhere.")),
    }
}

/// Links are how a path leaves its folder: no part of `path` from `folder` on may be one.
fn refuse_link(folder: &Path, path: &Path) -> Result<()> {
    let inside = path.ancestors().take_while(|it| it.starts_with(folder));
    for part in inside {
        if fs::symlink_metadata(part).is_ok_and(|it| it.file_type().is_symlink()) {
            return Err(Error::failed(format!(
                "{} is a link; packages are written to plain folders only",
                part.display()
            ))
            .with_hint("Remove the link, or use --out to write elsewhere."));
        }
    }
    Ok(())
}

/// What a manifest calls this genstore.
fn generator() -> &'static str {
    concat!("genstore ", env!("CARGO_PKG_VERSION"))
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn to_json(manifest: &Manifest) -> Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(manifest)
        .map_err(|source| Error::internal("cannot write a manifest").with_source(source))?;
    json.push(b'\n');
    Ok(json)
}

/// The manifest of a folder; `None` where there is none.
fn read_manifest(folder: &Path) -> Result<Option<Manifest>> {
    let path = folder.join(MANIFEST);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| {
            Error::failed(format!("{} is not a manifest of genstore", path.display()))
                .with_hint("Remove the folder, or use --out to write elsewhere.")
                .with_source(source)
        }),
        // a file in the folder's place: whoever writes the package says so
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).context("read", &path),
    }
}

fn is_taken(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
    matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | NotADirectory)
}

fn sync_folder(folder: &Path) -> Result<()> {
    fs::File::open(folder).and_then(|it| it.sync_all()).context("sync", folder)
}
