//! Which files SQL may touch, and how those that it may become tables. Every path that a statement
//! names is judged here, whole and with its links followed, before anything opens it.
//!
//! A session without [`Files`] touches none but the store's.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::datasource::file_format::FileFormat as EngineFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::execution::session_state::SessionState;

use crate::error::{Error, Result, nearest};

/// Files of one table at most.
const FILES_MAX: usize = 10_000;

/// The files that sessions may read and write, and the names that were given to some.
#[derive(Debug, Clone, Default)]
pub struct Files(Option<Arc<Allowed>>);

#[derive(Debug)]
struct Allowed {
    folders: Vec<PathBuf>,
    /// `CREATE EXTERNAL TABLE name`: pattern and format.
    named: Mutex<BTreeMap<String, (String, FileKind)>>,
}

/// Two that allow files are alike to settings, whatever was named since.
impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        let folders = |it: &Self| it.0.as_ref().map(|it| it.folders.clone());
        folders(self) == folders(other)
    }
}

impl Eq for Files {}

/// How a file holds rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Parquet.
    Parquet,
    /// CSV with a header line.
    Csv,
    /// One JSON object per line.
    Ndjson,
}

impl FileKind {
    /// The names of formats, which are also the extensions of files.
    const NAMES: [(&'static str, Self); 5] = [
        ("parquet", Self::Parquet),
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
        ("jsonl", Self::Ndjson),
        ("json", Self::Ndjson),
    ];

    fn named(name: &str) -> Result<Self> {
        let lower = name.to_ascii_lowercase();
        if let Some((_, kind)) = Self::NAMES.iter().find(|it| it.0 == lower) {
            return Ok(*kind);
        }
        let names = Self::NAMES.map(|it| it.0);
        let error = Error::invalid(format!("SQL reads and writes no files of format {name:?}"));
        Err(match nearest(&lower, names) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error.with_hint(format!("formats are {}", names.join(", "))),
        })
    }

    /// The format that is named, else that of the path's extension.
    pub(super) fn of(named: Option<&str>, path: &str) -> Result<Self> {
        match (named, path.rsplit_once('.')) {
            (Some(name), _) => Self::named(name),
            (None, Some((_, extension))) if !extension.contains(['/', '\\']) => {
                Self::named(extension)
            }
            (None, _) => Err(Error::invalid(format!("the name '{path}' says no format"))
                .with_hint("end it with .parquet, .csv or .ndjson, or say STORED AS PARQUET")),
        }
    }

    fn format(self) -> Arc<dyn EngineFormat> {
        match self {
            Self::Parquet => Arc::new(ParquetFormat::default()),
            Self::Csv => Arc::new(CsvFormat::default().with_has_header(true)),
            Self::Ndjson => Arc::new(JsonFormat::default()),
        }
    }
}

impl Files {
    /// Files below these folders; paths in statements count from the working directory.
    pub fn below(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let folders = folders.into_iter().collect();
        Self(Some(Arc::new(Allowed { folders, named: Mutex::default() })))
    }

    /// Whether there may be any.
    pub fn is_allowed(&self) -> bool {
        self.0.is_some()
    }

    fn allowed(&self) -> Result<&Allowed> {
        self.0.as_deref().ok_or_else(|| {
            Error::invalid("SQL here touches no files").with_hint("--files allows it")
        })
    }

    /// Gives a name to files, from now on and for every session that has these.
    pub(super) fn name(&self, name: String, pattern: String, kind: FileKind) -> Result<()> {
        let allowed = self.allowed()?;
        allowed.read(&pattern)?;
        allowed.named().insert(name, (pattern, kind));
        Ok(())
    }

    /// The files that a table's name means, and their format; `None` if it means none: it has no
    /// path's form and was given to no files.
    pub(super) fn find(&self, name: &str) -> Result<Option<(Vec<PathBuf>, FileKind)>> {
        let Some(allowed) = &self.0 else { return Ok(None) };
        let named = allowed.named().get(name).cloned();
        let (pattern, kind) = match named {
            Some(named) => named,
            None if is_path(name) => (name.to_owned(), FileKind::of(None, name)?),
            None => return Ok(None),
        };
        Ok(Some((allowed.read(&pattern)?, kind)))
    }

    /// The file that a statement may write: its folder with links followed, and its name.
    pub(super) fn writable(&self, path: &str) -> Result<PathBuf> {
        let allowed = self.allowed()?;
        let whole = plain(path)?;
        let Some(name) = whole.file_name().filter(|_| !path.ends_with(['/', '\\'])) else {
            return Err(refused(path, "it is a folder").with_hint("name a file in it"));
        };
        let folder = whole.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().map_err(|source| {
            refused(path, "its folder cannot be opened").with_source(source).with_hint("make it")
        })?;
        let real = folder.join(name);
        allowed.judge(path, &real)?;
        match real.symlink_metadata() {
            Ok(it) if !it.is_file() => Err(refused(path, "there is something that is no file")
                .with_hint("choose another name")),
            _ => Ok(real),
        }
    }
}

impl Allowed {
    fn named(&self) -> MutexGuard<'_, BTreeMap<String, (String, FileKind)>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files that a path or pattern means, with links followed.
    fn read(&self, pattern: &str) -> Result<Vec<PathBuf>> {
        let whole = plain(pattern)?;
        if !pattern.contains(['*', '?', '[']) {
            return Ok(vec![self.readable(pattern, &whole)?]);
        }
        // what lies outside is not even listed
        let fixed =
            |it: &Component<'_>| !it.as_os_str().to_string_lossy().contains(['*', '?', '[']);
        let fixed: PathBuf = whole.components().take_while(fixed).collect();
        let start = if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed };
        if let Ok(real) = start.canonicalize() {
            self.judge(pattern, &real)?;
        }
        let options = glob::MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let found = glob::glob_with(pattern, options)
            .map_err(|it| Error::invalid(format!("'{pattern}' is no pattern: {it}")))?;
        let mut files = Vec::new();
        for path in found.filter_map(Result::<_, glob::GlobError>::ok).filter(|it| it.is_file()) {
            files.push(self.readable(pattern, &path)?);
            if files.len() > FILES_MAX {
                return Err(refused(pattern, &format!("these are more than {FILES_MAX} files"))
                    .with_hint("name fewer at a time"));
            }
        }
        match files.is_empty() {
            true => Err(Error::invalid(format!("no file is called '{pattern}'"))),
            false => Ok(files),
        }
    }

    fn readable(&self, named: &str, path: &Path) -> Result<PathBuf> {
        let real = match path.canonicalize() {
            Ok(real) => real,
            // whether it is there is nobody's business who may not read it
            Err(_) if self.is_outside(path) => return Err(outside(named)),
            Err(_) => return Err(Error::invalid(format!("there is no file '{named}'"))),
        };
        self.judge(named, &real)?;
        if real.is_dir() {
            let pattern = format!("'{}/*.parquet'", named.trim_end_matches(['/', '\\']));
            return Err(refused(named, "it is a folder")
                .with_hint(format!("name its files, such as {pattern}")));
        }
        if !real.is_file() {
            return Err(refused(named, "it is no regular file").with_hint("copy it to one"));
        }
        if real.to_string_lossy().contains(['*', '?', '[']) {
            return Err(refused(named, "its name is a pattern").with_hint("rename it"));
        }
        Ok(real)
    }

    /// The folder that a real path lies in, if it lies in one.
    fn folder_of(&self, real: &Path) -> Option<PathBuf> {
        let folders = self.folders.iter().filter_map(|it| it.canonicalize().ok());
        folders.filter(|it| real.starts_with(it)).max_by_key(|it| it.components().count())
    }

    /// Whether a path lies outside as far as its text says: it is absolute, or leads upwards.
    fn is_outside(&self, path: &Path) -> bool {
        let existing = path.ancestors().find_map(|it| match it.as_os_str().is_empty() {
            true => Path::new(".").canonicalize().ok(),
            false => it.canonicalize().ok(),
        });
        existing.is_none_or(|it| self.folder_of(&it).is_none())
    }

    /// Judges a path whose links are followed.
    fn judge(&self, named: &str, real: &Path) -> Result<()> {
        let Some(folder) = self.folder_of(real) else { return Err(outside(named)) };
        let is_store = |it: &Path| it.join("store.json").is_file() && it.join("tables").is_dir();
        if real.ancestors().any(is_store) {
            return Err(refused(named, "it lies in a store").with_hint(
                "ask for the store's tables by their names; `export` writes them to files",
            ));
        }
        let inner = real.strip_prefix(&folder).unwrap_or(real);
        let is_hidden = |it: Component<'_>| it.as_os_str().to_string_lossy().starts_with('.');
        if inner.components().any(is_hidden) {
            return Err(refused(named, "it is hidden, as files are that are not whole yet")
                .with_hint("give it a name without a dot at its beginning"));
        }
        Ok(())
    }
}

/// A path as SQL may name it: none with an address, and nothing that no file can be called.
fn plain(path: &str) -> Result<PathBuf> {
    if path.contains("://") {
        return Err(refused(path, "it is an address")
            .with_hint("SQL touches local files only; `export --to` writes to addresses"));
    }
    if path.is_empty() || path.contains('\0') {
        return Err(Error::invalid(format!("{path:?} is the name of no file")));
    }
    Ok(PathBuf::from(path))
}

/// Whether a table's name has a path's form.
pub(super) fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
        || FileKind::NAMES.iter().any(|it| {
            let (_, extension) = name.rsplit_once('.').unwrap_or_default();
            extension.eq_ignore_ascii_case(it.0)
        })
}

fn refused(path: &str, why: &str) -> Error {
    Error::invalid(format!("SQL may not touch '{path}': {why}"))
}

fn outside(path: &str) -> Error {
    refused(path, "it lies outside of the working directory")
        .with_hint("copy it there, or name its folder in the setting sql.file_dirs")
}

/// Files as one table.
pub(super) async fn table(
    state: &SessionState,
    files: &[PathBuf],
    kind: FileKind,
) -> Result<Arc<dyn TableProvider>> {
    let made = async {
        let urls = files.iter().map(|it| ListingTableUrl::parse(it.to_string_lossy()));
        let urls = urls.collect::<EngineResult<Vec<_>>>()?;
        let options = ListingOptions::new(kind.format()).with_file_extension("");
        let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options);
        ListingTable::try_new(config.infer_schema(state).await?)
    };
    let table = made.await.map_err(|source| {
        let of = files.first().map(|it| it.display().to_string()).unwrap_or_default();
        let others = if files.len() > 1 { " and others" } else { "" };
        let said = source.find_root().message().into_owned();
        Error::invalid(format!("cannot read {of}{others} as {kind:?}")).with_source(said)
    })?;
    Ok(Arc::new(table))
}

/// The files that one statement names, and behind them the tables of a session.
#[derive(Debug)]
pub(super) struct FilesFirst {
    files: HashMap<String, Arc<dyn TableProvider>>,
    tables: Arc<dyn SchemaProvider>,
}

impl FilesFirst {
    pub(super) fn new(
        files: HashMap<String, Arc<dyn TableProvider>>,
        tables: Arc<dyn SchemaProvider>,
    ) -> Self {
        Self { files, tables }
    }
}

#[async_trait]
impl SchemaProvider for FilesFirst {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.tables.table_names();
        names.extend(self.files.keys().cloned());
        names
    }

    async fn table(&self, name: &str) -> EngineResult<Option<Arc<dyn TableProvider>>> {
        match self.files.get(name) {
            Some(table) => Ok(Some(Arc::clone(table))),
            None => self.tables.table(name).await,
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.files.contains_key(name) || self.tables.table_exist(name)
    }
}
