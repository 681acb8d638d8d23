//! The template library: the built-in templates, those of the user's folder in their place, all
//! compiled once; and a bounded cache of sets, one per kind and variant of node. Rendering is
//! strict: an unknown variable is an error, never an empty text, and fuel bounds how long a
//! template may run. Chooses by contract; never reads a folder.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::{Variant, builtin, python_text, role};
use crate::contract::{Contract, NodeType};
use crate::error::{Error, Result, nearest};

/// Steps that one rendering may take; the largest real contract takes below a fiftieth of it.
const FUEL: u64 = 5_000_000;

/// Sets that the cache keeps, where nothing else is said: more than there are.
pub const SETS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

/// Where a template comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is compiled into the program.
    Builtin,
    /// A user's file.
    File(String),
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its text.
    pub source: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// What a template sees: a struct turned into template values once, for any number of renderings.
#[derive(Debug, Clone)]
pub struct View(Value);

impl View {
    /// The view of a struct; its fields are the template's variables.
    pub fn new(fields: impl Serialize) -> Self {
        Self(Value::from(Serde(fields)))
    }
}

/// The templates for one kind and variant of node: for each role one.
#[derive(Clone)]
pub struct TemplateSet {
    /// Its name, such as `effect/io_operations`.
    pub name: String,
    /// Kind of node that it is for.
    pub node_type: NodeType,
    /// What the node is built around.
    pub variant: Variant,
    /// blake3 of names and texts, hex, for `runs.template_digest`.
    pub digest: String,
    /// The template of each role.
    names: BTreeMap<&'static str, String>,
    environment: Arc<Environment<'static>>,
}

impl std::fmt::Debug for TemplateSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TemplateSet")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl TemplateSet {
    /// Each role with the name of its template, by role.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.names.iter().map(|(role, name)| (*role, name.as_str()))
    }

    /// Renders the template of a role, such as `node.py` or `mixins/retry.py`.
    ///
    /// # Errors
    /// `Invalid` when the template asks for what the view lacks, or runs for too long: both are
    /// mistakes of the template's author, not of the contract's. `Internal` when there is no such
    /// role.
    pub fn render(&self, role: &str, view: &View) -> Result<String> {
        let Some(name) = self.names.get(role) else {
            return Err(Error::internal(format!("no template has the role {role}")));
        };
        let failed = |source: minijinja::Error| {
            Error::invalid(format!("cannot render the template {}", place(name, &source)))
                .with_source(source)
        };
        let template = self.environment.get_template(name).map_err(failed)?;
        template.render(view.0.clone()).map_err(failed)
    }
}

/// How the cache of sets does, as the original system counted it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CacheStatistics {
    /// Sets in it.
    pub size: usize,
    /// Sets that it keeps at most.
    pub size_max: usize,
    /// Choices that found their set.
    pub hits: u64,
    /// Choices that had to make it.
    pub misses: u64,
    /// Its size in parts of the most it keeps.
    pub utilisation: f64,
}

/// The library.
#[derive(Debug)]
pub struct Library {
    templates: BTreeMap<String, Template>,
    environment: Arc<Environment<'static>>,
    cache: Mutex<Cache>,
}

#[derive(Debug)]
struct Cache {
    sets: LruCache<(NodeType, Variant), Arc<TemplateSet>>,
    hits: u64,
    misses: u64,
}

impl Library {
    /// The templates that are compiled into the program.
    ///
    /// # Errors
    /// `Internal` when a template does not compile.
    pub fn builtin() -> Result<Self> {
        Self::with([])
    }

    /// The same with templates of a user in the place of those with their names, or as variants of
    /// their own: `(name, file, text)`, the name as `effect/handler.py`.
    ///
    /// # Errors
    /// `Invalid` when a name is none that is ever rendered, with the nearest one, or when a text
    /// does not compile, with its file and line.
    pub fn with(files: impl IntoIterator<Item = (String, String, String)>) -> Result<Self> {
        let mut templates: BTreeMap<String, Template> = builtin::TEMPLATES
            .iter()
            .map(|(name, source)| {
                let source = (*source).to_owned();
                ((*name).to_owned(), Template { source, origin: Origin::Builtin })
            })
            .collect();
        for (name, file, source) in files {
            if !role::is_name(&name) {
                return Err(unknown(&name, &file));
            }
            templates.insert(name, Template { source, origin: Origin::File(file) });
        }
        let environment = Arc::new(compiled(&templates)?);
        let sets = LruCache::new(SETS_MAX);
        Ok(Self { templates, environment, cache: Mutex::new(Cache { sets, hits: 0, misses: 0 }) })
    }

    /// All templates by name.
    pub fn templates(&self) -> impl Iterator<Item = (&str, &Template)> {
        self.templates.iter().map(|(name, template)| (name.as_str(), template))
    }

    /// A template by name.
    ///
    /// # Errors
    /// `Invalid` when there is none, with the nearest name.
    pub fn template(&self, name: &str) -> Result<&Template> {
        self.templates.get(name).ok_or_else(|| {
            let error = Error::invalid(format!("there is no template `{name}`"));
            match nearest(name, self.templates.keys().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint("`genstore template list` names them all."),
            }
        })
    }

    /// The set for a contract.
    pub fn select(&self, contract: &Contract) -> Arc<TemplateSet> {
        self.set(contract.node_type, Variant::of(contract))
    }

    /// The set for a kind and a variant.
    pub fn set(&self, node_type: NodeType, variant: Variant) -> Arc<TemplateSet> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = cache.sets.get(&(node_type, variant)).map(Arc::clone) {
            cache.hits += 1;
            return set;
        }
        cache.misses += 1;
        let set = Arc::new(self.made(node_type, variant));
        cache.sets.put((node_type, variant), Arc::clone(&set));
        set
    }

    /// How the cache of sets does.
    pub fn statistics(&self) -> CacheStatistics {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, size_max) = (cache.sets.len(), cache.sets.cap().get());
        CacheStatistics {
            size,
            size_max,
            hits: cache.hits,
            misses: cache.misses,
            utilisation: size as f64 / size_max as f64,
        }
    }

    fn made(&self, node_type: NodeType, variant: Variant) -> TemplateSet {
        let mut names = BTreeMap::new();
        let mut hasher = blake3::Hasher::new();
        for role in role::ROLES {
            let candidates = role.names(node_type, variant);
            let found = candidates.iter().find_map(|name| self.templates.get_key_value(name));
            let Some((name, template)) = found else { continue };
            names.insert(role.name, name.clone());
            for text in [name, &template.source] {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
        // what templates include or extend changes them as well
        for (name, template) in &self.templates {
            if role::is_part(name) {
                hasher.update(template.source.as_bytes());
            }
        }
        TemplateSet {
            name: format!("{}/{}", node_type.suffix(), variant.as_str()),
            node_type,
            variant,
            digest: hasher.finalize().to_hex().to_string(),
            names,
            environment: Arc::clone(&self.environment),
        }
    }
}

fn compiled(templates: &BTreeMap<String, Template>) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_syntax(syntax()?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    python_text::register(&mut environment);
    for (name, template) in templates {
        let added = environment.add_template_owned(name.clone(), template.source.clone());
        added.map_err(|source| match &template.origin {
            Origin::Builtin => {
                Error::internal(format!("cannot compile template {}", place(name, &source)))
                    .with_source(source)
            }
            Origin::File(file) => {
                Error::invalid(format!("{} is no template", place(file, &source)))
                    .with_source(source)
            }
        })?;
    }
    Ok(environment)
}

/// Block tags may stand on lines of their own and leave none behind.
fn syntax() -> Result<SyntaxConfig> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|source| Error::internal("cannot configure templates").with_source(source))
}

/// A template with the line that an error is about.
fn place(name: &str, error: &minijinja::Error) -> String {
    match (error.line(), error.name()) {
        (Some(line), Some(inner)) if inner != name && !name.contains(inner) => {
            format!("{name} ({inner}:{line})")
        }
        (Some(line), _) => format!("{name}:{line}"),
        (None, _) => name.to_owned(),
    }
}

fn unknown(name: &str, file: &str) -> Error {
    let error = Error::invalid(format!("{file}: no template is called `{name}`"));
    let names: Vec<&str> = builtin::TEMPLATES.iter().map(|(name, _)| *name).collect();
    match nearest(name, names.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("`genstore template list` names those that can be replaced."),
    }
}

#[cfg(test)]
mod tests;
