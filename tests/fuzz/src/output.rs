//! Of the room `output` what findings are told by. Draws no rows.

#[path = "../../../src/output/diagnostic.rs"]
pub mod diagnostic;
#[path = "../../../src/output/sarif.rs"]
pub mod sarif;
#[path = "../../../src/output/text.rs"]
mod text;
