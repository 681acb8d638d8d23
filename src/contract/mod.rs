//! Contracts: a tolerant parser with places, one normal form, and lint rules. Does no IO.

pub mod document;
pub mod include;
pub mod model;

pub use include::{Includes, NoIncludes};
pub use model::{Contract, NodeType};
