//! What is validated: a package with its contract, or one Python file by itself; each file parsed
//! once, and what the generator itself had to say. Immutable, so that the validators share it.

use std::sync::Arc;

use super::settings::{Limits, ValidateSettings};
use super::suppression::{self, Suppression};
use crate::contract::model::Contract;
use crate::finding::Finding;
use crate::python::{self, Module};
use crate::template::package::{FileKind, Package, PackageFile};

/// A package together with its contract, or a file without one.
#[derive(Debug)]
pub struct Subject {
    contract: Option<Arc<Contract>>,
    package: Arc<Package>,
    sources: Vec<SourceFile>,
    generated: Vec<Finding>,
    limits: Limits,
}

/// One Python file of the package.
#[derive(Debug)]
pub struct SourceFile {
    /// Path inside the package.
    pub path: String,
    /// What the file is.
    pub kind: FileKind,
    /// Its syntax, names and metrics.
    pub module: Module,
    /// What its comments suppress.
    pub suppressions: Vec<Suppression>,
}

impl SourceFile {
    fn new(file: &PackageFile) -> Self {
        let module = python::parse(&file.content);
        let suppressions = suppression::read(&module);
        Self { path: file.path.clone(), kind: file.kind, module, suppressions }
    }

    /// Whether rules about production code do not apply.
    pub fn is_test(&self) -> bool {
        let stem = self.stem();
        self.kind == FileKind::Test
            || self.path.split('/').rev().skip(1).any(|it| it == "tests" || it == "node_tests")
            || stem.starts_with("test_")
            || stem.ends_with("_test")
            || stem == "conftest"
    }

    /// File name without folders and `.py`.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".py").unwrap_or(name)
    }
}

impl Subject {
    /// Parses every Python file of the package. `generated` are the generator's findings: the
    /// validator whose name begins a rule id passes the finding on, `completeness` all others.
    pub fn new(contract: Arc<Contract>, package: Arc<Package>, generated: Vec<Finding>) -> Self {
        Self::of(Some(contract), package, generated)
    }

    /// A Python file of which nothing else is known: rules about packages and contracts are silent.
    pub fn file(path: &str, content: String) -> Self {
        let file = PackageFile { path: path.to_owned(), kind: FileKind::Node, content };
        let package = Package { name: String::new(), files: vec![file] };
        Self::of(None, Arc::new(package), Vec::new())
    }

    fn of(contract: Option<Arc<Contract>>, package: Arc<Package>, generated: Vec<Finding>) -> Self {
        let python_files = package.files.iter().filter(|file| file.path.ends_with(".py"));
        let sources = python_files.map(SourceFile::new).collect();
        let limits = ValidateSettings::default().limits();
        Self { contract, package, sources, generated, limits }
    }

    /// The same under other thresholds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The contract, where there is one.
    pub fn contract(&self) -> Option<&Contract> {
        self.contract.as_deref()
    }

    /// The package.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// The thresholds.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The Python files in the order of their paths.
    pub fn sources(&self) -> &[SourceFile] {
        &self.sources
    }

    /// The Python files without the tests.
    pub fn production(&self) -> impl Iterator<Item = &SourceFile> {
        self.sources.iter().filter(|file| !file.is_test())
    }

    /// The Python file at a path.
    pub fn source(&self, path: &str) -> Option<&SourceFile> {
        self.sources.iter().find(|file| file.path == path)
    }

    /// What the generator reported.
    pub fn generated(&self) -> &[Finding] {
        &self.generated
    }
}
