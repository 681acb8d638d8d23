//! Contracts: a tolerant parser with places, one normal form, and lint rules. Does no IO.

pub mod complexity;
pub(crate) mod constrained;
pub mod diff;
pub mod document;
pub mod draft;
mod expression;
pub mod fix;
pub mod include;
pub mod infer;
pub mod layers;
pub mod lint;
pub mod model;
mod notes;
pub mod parse;
pub mod parts;
pub mod schema;
mod spelling;
mod words;
pub mod write;
mod yaml;
pub mod yaml_text;

pub use complexity::{Complexity, Structure, complexity, structure};
pub use diff::{Diff, diff};
pub use fix::{Fixed, fix};
pub use include::{Includes, NoIncludes};
pub use infer::infer;
pub use layers::{Judgement, Layer, Verdicts, judge};
pub use lint::lint;
pub use model::{Contract, NodeType};
pub use parse::{Parsed, parse, parse_bytes};
pub(crate) use words::words;
