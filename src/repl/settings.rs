//! The settings of the shell. Data only.

use serde::{Deserialize, Serialize};

use crate::output::Format;
use crate::setting::{Fault, count, names, within};

/// How the shell begins and what it remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShellSettings {
    /// How rows are written.
    #[serde(with = "names")]
    pub format: Format,
    /// Whether to say how long a query took.
    pub timer: bool,
    /// Entries that the history keeps; at 0, nothing is remembered.
    pub history_entries_max: usize,
}

impl Default for ShellSettings {
    fn default() -> Self {
        Self { format: Format::default(), timer: false, history_entries_max: 10_000 }
    }
}

impl ShellSettings {
    /// Checks each setting.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        // all of it is in memory, and read at the start
        let entries = self.history_entries_max as u64;
        within("repl.history_entries_max", entries, (0, 1_000_000), count)
    }
}
