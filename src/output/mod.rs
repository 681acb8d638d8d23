//! Rows and findings as text: for a person at a terminal, and for a program behind a pipe.
//!
//! Everything here writes to a given [`std::io::Write`]; nothing knows a store, a query or the
//! environment. A text from a store never drives the terminal: control characters are escaped
//! wherever a person reads.

mod csv;
pub mod diagnostic;
pub mod failure;
mod fit;
mod format;
mod json;
mod markdown;
pub mod sarif;
mod table;
mod terminal;
mod text;
mod value;
mod writer;

pub use format::Format;
pub use terminal::terminal_width;
pub use text::escape;
pub use value::texts;
pub use writer::{Look, RowWriter};
