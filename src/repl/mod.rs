//! The shell: SQL and dot commands, typed by a person or read from a script.
//!
//! [`Shell`] knows no terminal: it takes lines and writes to a given [`std::io::Write`]. The loop
//! that reads a terminal is [`interact`], the one that reads a script [`script`].

mod command;
mod complete;
mod editor;
mod listing;
mod reader;
mod settings;
mod shell;

pub use editor::{Prompter, Surroundings, interact};
pub use listing::{columns, functions, queries, table_by_name, tables};
pub use reader::{Reader, Snapshots, Source};
pub use settings::ShellSettings;
pub use shell::{BYTE_ORDER_MARK, Failure, Launcher, Settings, Shell, Step, script};
