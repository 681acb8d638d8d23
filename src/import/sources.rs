//! The files of an import: named one by one, or found in a folder as `export` writes it. Reads
//! manifests and digests, and no rows.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{EXACT_HINT, Request, Target};
use crate::error::{Error, ErrorKind, IoContext, Result, nearest};
use crate::event::Table;
use crate::export::{FileFormat, MANIFEST, Profile, profile};
use crate::journal::disk::{open_file, read_whole};
use crate::output::escape;

const FORMAT_HINT: &str = "Name it with --format: parquet, csv or ndjson.";

/// A file to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) table: Table,
    pub(super) path: PathBuf,
    pub(super) format: FileFormat,
    pub(super) size_bytes: u64,
    /// BLAKE3 of its bytes, in hex.
    pub(super) digest: String,
}

/// What is used of a manifest.
#[derive(Debug, Deserialize)]
struct Manifest {
    manifest_version: u32,
    /// For whom the export was made; older builds made it for this one.
    #[serde(default = "exact")]
    profile: String,
    format: String,
    tables: Vec<ManifestTable>,
}

#[derive(Debug, Deserialize)]
struct ManifestTable {
    name: String,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Deserialize)]
struct ManifestFile {
    path: String,
    blake3: String,
}

fn exact() -> String {
    <&Profile>::default().name.to_owned()
}

/// The files of a request, in its order, each once.
pub(super) fn sources(request: &Request) -> Result<Vec<Source>> {
    let mut sources: Vec<Source> = Vec::new();
    match &request.target {
        Target::Table(table, paths) => {
            for path in paths {
                for file in files_of(path, request.format)? {
                    add(&mut sources, source(*table, &file, request.format)?);
                }
            }
        }
        Target::Folder(folder) if folder.join(MANIFEST).exists() => {
            for source in by_manifest(folder)? {
                add(&mut sources, source);
            }
        }
        Target::Folder(folder) => {
            for (table, path) in by_names(folder, request.format)? {
                add(&mut sources, source(table, &path, request.format)?);
            }
        }
    }
    Ok(sources)
}

/// Adds a file unless the table has one with the same bytes.
fn add(sources: &mut Vec<Source>, source: Source) {
    let is_same = |it: &Source| it.table == source.table && it.digest == source.digest;
    if !sources.iter().any(is_same) {
        sources.push(source);
    }
}

fn source(table: Table, path: &Path, format: Option<FileFormat>) -> Result<Source> {
    let format = match format.or_else(|| format_of(path)) {
        Some(format) => format,
        None => {
            let message = format!("{}: the name does not tell the format", path.display());
            return Err(Error::usage(message).with_hint(FORMAT_HINT));
        }
    };
    let file = open_file(path).context("read", path)?;
    let size_bytes = file.metadata().context("read", path)?.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).context("read", path)?;
    let digest = hasher.finalize().to_hex().to_string();
    Ok(Source { table, path: path.to_owned(), format, size_bytes, digest })
}

/// The format that the extension of a name says.
fn format_of(path: &Path) -> Option<FileFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "parquet" => Some(FileFormat::Parquet),
        "csv" => Some(FileFormat::Csv),
        "ndjson" | "jsonl" => Some(FileFormat::Ndjson),
        _ => None,
    }
}

/// A file itself; of a folder, the files in it whose names say a format, or all if one is given.
fn files_of(path: &Path, format: Option<FileFormat>) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = entries(path)?;
    files.retain(|it| it.is_file() && (format.is_some() || format_of(it).is_some()));
    if files.is_empty() {
        let message = format!("{} holds no file to import", path.display());
        return Err(Error::usage(message).with_hint(FORMAT_HINT));
    }
    Ok(files)
}

/// What is in a folder, but what is hidden: `part-2` before `part-10`.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).context("list", folder)? {
        let path = entry.context("list", folder)?.path();
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        if name.is_some_and(|it| !it.starts_with(['.', '_'])) {
            paths.push(path);
        }
    }
    paths.sort_by(|a, b| {
        let length = |it: &Path| it.as_os_str().len();
        length(a).cmp(&length(b)).then_with(|| a.cmp(b))
    });
    Ok(paths)
}

/// The files of a folder without a manifest: `runs.csv`, or files in a folder `runs`.
fn by_names(folder: &Path, format: Option<FileFormat>) -> Result<Vec<(Table, PathBuf)>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        let stem = if path.is_dir() { path.file_name() } else { path.file_stem() };
        let Some(table) = stem.and_then(|it| Table::by_name(it.to_str()?)) else { continue };
        let files = files_of(&path, format)?;
        found.extend(files.into_iter().map(|it| (table, it)));
    }
    if found.is_empty() {
        let message = format!("{} holds no {MANIFEST} and no file of a table", folder.display());
        return Err(Error::usage(message).with_hint(
            "Name files like runs.csv, or put them into a folder runs, \
             or name the table: `genstore import TABLE FILE`.",
        ));
    }
    Ok(found)
}

fn by_manifest(folder: &Path) -> Result<Vec<Source>> {
    let path = folder.join(MANIFEST);
    let wrong = |what: String| {
        let hint = format!("Copy the folder again, or remove {MANIFEST} to go by the names.");
        Error::invalid(what).with_hint(hint)
    };
    let bytes = read_whole(&path).context("read", &path)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|source| {
        wrong(format!("{} is no manifest of an export", path.display())).with_source(source)
    })?;
    if manifest.manifest_version != 1 {
        let version = manifest.manifest_version;
        let message = format!("{} has version {version} of its form", path.display());
        return Err(Error::new(ErrorKind::Unavailable, message)
            .with_hint("This build reads version 1: import it with a newer genstore."));
    }
    if let Ok(profile) = profile(&manifest.profile)
        && !profile.is_exact()
    {
        let message = format!("{} was exported for {profile}", folder.display());
        let error = Error::invalid(format!("{message}: it does not hold what the store held"));
        return Err(error.with_hint(EXACT_HINT));
    }
    let format: FileFormat = manifest.format.parse()?;
    let mut sources = Vec::new();
    for table in manifest.tables {
        let known = Table::by_name(&table.name).ok_or_else(|| {
            let names = Table::ALL.iter().map(|it| it.name());
            let near = nearest(&table.name, names).map(|it| format!(" ({it}?)"));
            let (path, name) = (path.display(), escape(&table.name));
            wrong(format!("{path} names a table {name}{}", near.unwrap_or_default()))
        })?;
        for file in table.files {
            let inside = Path::new(&file.path);
            if !inside.components().all(|it| matches!(it, Component::Normal(_))) {
                let (path, name) = (path.display(), escape(&file.path));
                return Err(wrong(format!("{path} names a file outside of its folder: {name}")));
            }
            let found = source(known, &folder.join(inside), Some(format))?;
            if found.digest != file.blake3 {
                let file = found.path.display();
                return Err(wrong(format!("{file} is not the file that the manifest names")));
            }
            sources.push(found);
        }
    }
    Ok(sources)
}
