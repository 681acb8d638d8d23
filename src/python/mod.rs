//! Python source as facts: one parse and one walk per file collect what checks ask about (imports,
//! classes, functions, calls, names, metrics), with the place of each. Never runs, imports or
//! evaluates anything, and never fails: what does not parse is listed in [`Module::problems`].

pub mod annotation;
mod builtins;
mod collect;
mod definition;
mod expression;
pub mod facts;
mod halstead;
mod import;
mod kind;
mod lines;
pub mod metrics;
mod module;
mod place;
mod scope;
mod syntax;
mod walk;

pub use halstead::Halstead;
pub use lines::LineCounts;
pub use metrics::Metrics;
pub use module::{Module, Problem};
pub use place::{Place, inside};
pub use syntax::parse;

/// The largest text that is parsed; a longer one is a problem in itself. Generated files are a few
/// kilobytes.
pub const SIZE_BYTES_MAX: usize = 4 << 20;
