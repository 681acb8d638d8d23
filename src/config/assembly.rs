//! The settings of this call: defaults < the store's file < the user's file < the file in the
//! working directory < `GENSTORE_*` variables < `--config`, and where each value came from. A flag
//! of a command wins over all of them; that is the command's business.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Value;

use super::document::{self, Layer};
use super::keys::{DEFAULTS, KEYS, Key, set_in};
use super::settings::Settings;
use super::words;
use crate::error::{Error, Result};
use crate::finding::{Finding, Level, Span};
use crate::setting::Fault;

/// No file of settings is longer.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where settings may come from, before anything is read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Files that need not be there.
    pub files: Vec<(Layer, PathBuf)>,
    /// All variables whose names begin with `GENSTORE_`.
    pub variables: Vec<(String, std::ffi::OsString)>,
    /// What `--config` was given: `store.flush_age=1s`.
    pub flags: Vec<String>,
}

/// Where a value came from. Later ones win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A file.
    File {
        /// Whose.
        layer: Layer,
        /// Which.
        path: PathBuf,
        /// Where in it.
        span: Span,
    },
    /// A variable, by its name.
    Variable(String),
    /// `--config`.
    Flag,
}

impl Origin {
    fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::File { layer: Layer::Store, .. } => 1,
            Self::File { layer: Layer::User, .. } => 2,
            Self::File { layer: Layer::WorkingDirectory, .. } => 3,
            Self::Variable(_) => 4,
            Self::Flag => 5,
        }
    }
}

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedAt {
    /// Whose.
    pub layer: Layer,
    /// Where.
    pub path: PathBuf,
    /// Whether it is there.
    pub found: bool,
}

/// Something that is wrong with a source.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// What, and where in which file.
    pub finding: Finding,
    /// The text of that file.
    pub text: Option<Arc<str>>,
    /// Whether the command line is at fault.
    is_usage: bool,
}

/// Settings with their origins.
#[derive(Debug, Clone)]
pub struct Assembly {
    settings: Settings,
    values: BTreeMap<&'static str, (Value, Origin)>,
    texts: BTreeMap<PathBuf, Arc<str>>,
    /// The files in the order in which later ones win.
    pub files: Vec<LookedAt>,
    /// All that is wrong, in the order of the sources.
    pub mistakes: Vec<Mistake>,
}

impl Mistake {
    fn of(finding: Finding) -> Self {
        Self { finding, text: None, is_usage: false }
    }
}

impl Assembly {
    /// Reads all sources. Nothing is an error here: see [`Assembly::settings`].
    pub fn read(sources: &Sources) -> Self {
        let mut made = Self {
            settings: Settings::default(),
            values: BTreeMap::new(),
            texts: BTreeMap::new(),
            files: Vec::new(),
            mistakes: Vec::new(),
        };
        let mut known = Vec::new();
        for (layer, path) in &sources.files {
            // one file is one layer, also where the working directory is the store's, or the user's
            let real = fs::canonicalize(path).ok();
            if real.as_ref().is_some_and(|it| known.contains(it)) {
                continue;
            }
            known.extend(real);
            made.file(*layer, path);
        }
        let (given, wrong) = words::of_variables(&sources.variables);
        made.take(given, wrong, false);
        let (given, wrong) = words::of_flags(&sources.flags);
        made.take(given, wrong, true);
        made.assemble();
        made
    }

    /// The settings.
    ///
    /// # Errors
    /// `Invalid`, or `Usage` for a flag: the first mistake, with its place.
    pub fn settings(&self) -> Result<&Settings> {
        let Some(first) = self.mistakes.first() else { return Ok(&self.settings) };
        let Finding { message, uri, span, help, .. } = &first.finding;
        let place = match (uri, span) {
            (Some(uri), Some(at)) => format!("{uri}:{}:{}: ", at.start_line, at.start_column),
            (Some(uri), None) => format!("{uri}: "),
            (None, _) => String::new(),
        };
        let message = format!("{place}{message}");
        let error = if first.is_usage { Error::usage(message) } else { Error::invalid(message) };
        let hint = match (help, self.mistakes.len()) {
            (Some(help), 1) => help.clone(),
            (None, 1) => return Err(error),
            (help, count) => {
                let help = help.as_ref().map(|it| format!("{it} ")).unwrap_or_default();
                format!("{help}`genstore config check` shows all {count} mistakes.")
            }
        };
        Err(error.with_hint(hint))
    }

    /// Every setting with its value and where that came from, in the order of [`KEYS`].
    pub fn values(&self) -> impl Iterator<Item = (&'static Key, Value, &Origin)> {
        KEYS.iter().map(|key| match self.values.get(key.name) {
            Some((value, origin)) => (key, value.clone(), origin),
            None => (key, key.default_value(), &Origin::Default),
        })
    }

    fn file(&mut self, layer: Layer, path: &Path) {
        let text = match read_text(path) {
            Ok(None) => {
                self.files.push(LookedAt { layer, path: path.to_owned(), found: false });
                return;
            }
            Ok(Some(text)) => text,
            Err(unreadable) => {
                self.files.push(LookedAt { layer, path: path.to_owned(), found: true });
                let finding = unreadable.in_file(path.display().to_string());
                self.mistakes.push(Mistake::of(finding));
                return;
            }
        };
        self.files.push(LookedAt { layer, path: path.to_owned(), found: true });
        let text: Arc<str> = text.into();
        let (entries, findings) = document::read(&text, layer);
        for it in entries {
            let origin = Origin::File { layer, path: path.to_owned(), span: it.span };
            self.values.insert(it.key.name, (it.value, origin));
        }
        let uri = path.display().to_string();
        self.mistakes.extend(findings.into_iter().map(|it| Mistake {
            text: Some(Arc::clone(&text)),
            ..Mistake::of(it.in_file(uri.clone()))
        }));
        self.texts.insert(path.to_owned(), text);
    }

    fn take(&mut self, given: Vec<words::Given>, wrong: Vec<Finding>, is_usage: bool) {
        for it in given {
            let origin = it.variable.map_or(Origin::Flag, Origin::Variable);
            self.values.insert(it.key.name, (it.value, origin));
        }
        let mistake = |finding| Mistake { is_usage, ..Mistake::of(finding) };
        self.mistakes.extend(wrong.into_iter().map(mistake));
    }

    /// Puts the values together, and checks how they relate; that only if each is right by itself.
    fn assemble(&mut self) {
        if !self.mistakes.is_empty() {
            return;
        }
        let mut table = DEFAULTS.clone();
        for (name, (value, _)) in &self.values {
            set_in(&mut table, name, value.clone());
        }
        match table.try_into::<Settings>() {
            Ok(settings) => {
                let faults = settings.faults();
                self.settings = settings;
                self.mistakes = faults.into_iter().map(|it| self.located(it)).collect();
            }
            // each value was tried by itself, so this cannot be
            Err(error) => {
                let finding = Finding::new("setting.type", Level::Error, error.message());
                self.mistakes.push(Mistake::of(finding));
            }
        }
    }

    /// A fault where the last word was said about one of its settings.
    fn located(&self, fault: Fault) -> Mistake {
        let said = fault.keys.iter().filter_map(|it| self.values.get(it).map(|(_, origin)| origin));
        // of two in one place the first, which the message begins with
        let mut last = None;
        for origin in said {
            if last.is_none_or(|it: &Origin| it.rank() < origin.rank()) {
                last = Some(origin);
            }
        }
        let finding = |message| Finding::new("setting.range", Level::Error, message);
        match last {
            Some(Origin::File { path, span, .. }) => Mistake {
                text: self.texts.get(path).cloned(),
                ..Mistake::of(finding(fault.message).in_file(path.display().to_string()).at(*span))
            },
            Some(Origin::Variable(name)) => {
                Mistake::of(finding(format!("{name}: {}", fault.message)))
            }
            Some(Origin::Flag) => Mistake {
                is_usage: true,
                ..Mistake::of(finding(format!("--config: {}", fault.message)))
            },
            Some(Origin::Default) | None => Mistake::of(finding(fault.message)),
        }
    }
}

/// The text of a file; `None` if there is none. What cannot be read is a finding.
fn read_text(path: &Path) -> Result<Option<String>, Box<Finding>> {
    let wrong = |message: &str| Box::new(Finding::new("setting.unreadable", Level::Error, message));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => wrong("this file may not be read"),
        _ => wrong(&format!("this file cannot be read: {error}")),
    };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_dir() {
        return Err(wrong("this is a folder, not a file of settings"));
    }
    if !metadata.is_file() {
        return Err(wrong("this is no regular file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong("this file has more than 1 MiB: no settings are that long"));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(error.as_bytes().get(..at).unwrap_or_default());
        Box::new(wrong("this file is not UTF-8").at(document::span(&before, at..at)))
    })
}
