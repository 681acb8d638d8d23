//! The template library: the built-in templates, compiled once, and one bounded set of them per
//! node type. Rendering is strict: an unknown variable is an error, never an empty text, and fuel
//! bounds how long a template may run. Chooses by contract; never reads a folder.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::{FileKind, python_text};
use crate::contract::{Contract, NodeType};
use crate::error::{Error, Result};

/// Steps that one rendering may take; the largest real contract takes below a fiftieth of it.
const FUEL: u64 = 5_000_000;

/// One template of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    /// Name in the library, such as `compute/node.py`.
    pub name: &'static str,
    /// What it renders to.
    pub kind: FileKind,
    /// The template's text.
    pub source: &'static str,
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

/// The templates for one node type.
#[derive(Clone)]
pub struct TemplateSet {
    /// Name of the set, such as `builtin/compute`.
    pub name: String,
    /// Kind of node that it is for.
    pub node_type: NodeType,
    /// blake3 of names and texts, hex, for `runs.template_digest`.
    pub digest: String,
    /// The templates, in the order of their names.
    pub files: Vec<TemplateFile>,
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
    /// Renders the template called `name` with `view`.
    ///
    /// # Errors
    /// `Internal` when the template is not in the library or asks for what the view lacks: both
    /// are mistakes of the template's author, not of the contract's.
    pub fn render(&self, name: &str, view: &View) -> Result<String> {
        let failed = |source: minijinja::Error| {
            Error::internal(format!("cannot render template {name}")).with_source(source)
        };
        let template = self.environment.get_template(name).map_err(failed)?;
        template.render(view.0.clone()).map_err(failed)
    }
}

/// The library: one set per node type.
#[derive(Debug, Clone)]
pub struct Library {
    sets: Vec<Arc<TemplateSet>>,
}

impl Library {
    /// The templates that are compiled into the program.
    ///
    /// # Errors
    /// `Internal` when a template does not compile.
    pub fn builtin() -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_syntax(syntax()?);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        python_text::register(&mut environment);
        for file in BUILTIN {
            environment.add_template(file.name, file.source).map_err(|source| {
                Error::internal(format!("cannot compile template {}", file.name))
                    .with_source(source)
            })?;
        }
        let environment = Arc::new(environment);
        let set = |node_type| Arc::new(builtin_set(node_type, &environment));
        Ok(Self { sets: NodeType::ALL.into_iter().map(set).collect() })
    }

    /// The set for a contract.
    ///
    /// # Errors
    /// `Internal` when the library has no set for the contract's node type.
    pub fn select(&self, contract: &Contract) -> Result<Arc<TemplateSet>> {
        let fits = |set: &&Arc<TemplateSet>| set.node_type == contract.node_type;
        self.sets.iter().find(fits).map(Arc::clone).ok_or_else(|| {
            Error::internal(format!("no template set for {}", contract.node_type.as_str()))
        })
    }
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

fn builtin_set(node_type: NodeType, environment: &Arc<Environment<'static>>) -> TemplateSet {
    let own = format!("{}/", node_type.suffix());
    let files: Vec<TemplateFile> = BUILTIN
        .iter()
        .filter(|file| file.name.starts_with("shared/") || file.name.starts_with(&own))
        .cloned()
        .collect();
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        for text in [file.name, file.source] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    TemplateSet {
        name: format!("builtin/{}", node_type.suffix()),
        node_type,
        digest: hasher.finalize().to_hex().to_string(),
        files,
        environment: Arc::clone(environment),
    }
}

macro_rules! builtin {
    ($($kind:ident $name:literal),* $(,)?) => {
        &[$(TemplateFile {
            name: $name,
            kind: FileKind::$kind,
            source: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/data/templates/", $name, ".j2"
            )),
        }),*]
    };
}

/// Every built-in template, in the order of names.
const BUILTIN: &[TemplateFile] = builtin![
    Handler "compute/handler.py",
    Node "compute/node.py",
    Test "compute/test.py",
    Handler "effect/handler.py",
    Node "effect/node.py",
    Test "effect/test.py",
    Handler "orchestrator/handler.py",
    Node "orchestrator/node.py",
    Test "orchestrator/test.py",
    Handler "reducer/handler.py",
    Node "reducer/node.py",
    Test "reducer/test.py",
    Enum "shared/enum.py",
    Package "shared/folder.py",
    Model "shared/model.py",
    Package "shared/package.py",
];
