//! Templates: the built-in sets per node type and strict rendering into a package.

pub mod library;
pub mod names;
pub mod package;
pub mod python_text;

pub use library::{Library, TemplateFile, TemplateSet, View};
pub use package::{FileKind, Package, PackageFile};
