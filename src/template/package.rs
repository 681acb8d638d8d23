//! A generated package in memory: files with safe relative paths. Writing it is the pipeline's
//! work.

/// What a file of a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `contract.yaml`, the contract in normal form.
    Contract,
    /// `node.py`.
    Node,
    /// A pydantic model.
    Model,
    /// An enum.
    Enum,
    /// The behaviour.
    Handler,
    /// A test.
    Test,
    /// Something around the behaviour: retries, a cache.
    Mixin,
    /// An `__init__.py`.
    Package,
    /// What a reader should know.
    Documentation,
}

impl FileKind {
    /// The name in the `artifacts` table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Node => "node",
            Self::Model => "model",
            Self::Enum => "enum",
            Self::Handler => "handler",
            Self::Test => "test",
            Self::Mixin => "mixin",
            Self::Package => "package",
            Self::Documentation => "documentation",
        }
    }
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// Path inside the package, `/` between parts, each part `[A-Za-z0-9_.]+`, never `..`.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// Its text, ending in a newline.
    pub content: String,
}

/// A generated package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Folder name, a Python identifier such as `node_price_compute`.
    pub name: String,
    /// Files in the order of their paths.
    pub files: Vec<PackageFile>,
}
