//! Templates: sets per kind and variant of node, and strict rendering into a package.

mod builtin;
pub mod library;
pub mod names;
pub mod package;
pub mod python_text;
mod role;
mod variant;

pub use library::{CacheStatistics, Library, Origin, Template, TemplateSet, View};
pub use package::{FileKind, Package, PackageFile};
pub use variant::Variant;
