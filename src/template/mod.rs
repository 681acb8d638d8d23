//! Templates: the built-in sets per node type and strict rendering into a package.

pub mod package;

pub use package::{FileKind, Package, PackageFile};
