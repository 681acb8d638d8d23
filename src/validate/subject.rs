//! What is validated: a contract, the package generated from it, each Python file parsed once, and
//! what the generator itself had to say. Immutable, so that the validators share it.

use std::sync::Arc;

use crate::contract::model::Contract;
use crate::finding::Finding;
use crate::python::{self, Module};
use crate::template::package::{FileKind, Package};

/// A generated package together with its contract.
#[derive(Debug)]
pub struct Subject {
    contract: Arc<Contract>,
    package: Arc<Package>,
    sources: Vec<SourceFile>,
    generated: Vec<Finding>,
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
}

impl SourceFile {
    /// Whether rules about production code do not apply.
    pub fn is_test(&self) -> bool {
        self.kind == FileKind::Test || self.path.starts_with("tests/")
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
        let python_files = package.files.iter().filter(|file| file.path.ends_with(".py"));
        let sources = python_files
            .map(|file| SourceFile {
                path: file.path.clone(),
                kind: file.kind,
                module: python::parse(&file.content),
            })
            .collect();
        Self { contract, package, sources, generated }
    }

    /// The contract.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The package.
    pub fn package(&self) -> &Package {
        &self.package
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
