//! The journal's settings. Data only; `store` checks how they relate to its own.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, nearest};

/// When an acknowledged run is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// At its acknowledgement: survives power loss. The only setting under which damage and a torn
    /// tail can always be told apart.
    #[default]
    Run,
    /// At its acknowledgement against a crash of the process, within
    /// [`JournalOptions::sync_interval_ms`] against power loss.
    Interval,
    /// At its acknowledgement against a crash of the process, at the next flush against power loss.
    None,
}

impl Durability {
    /// All of them, the safest first.
    pub const ALL: [Self; 3] = [Self::Run, Self::Interval, Self::None];

    /// The name on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Interval => "interval",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str);
            let hint = nearest(text, names).map_or_else(
                || format!("There are {}.", names.join(", ")),
                |it| format!("Did you mean {it}?"),
            );
            Error::usage(format!("there is no durability {text:?}")).with_hint(hint)
        })
    }
}

/// Settings of one journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// A file that has reached this size is sealed.
    pub file_bytes_max: u64,
    /// A file whose first frame is this old is sealed.
    pub file_age_ms_max: u64,
    /// Rows waiting for a write, or written and not yet in a table, take at most about this many
    /// encoded bytes; beyond it, writers wait.
    pub held_bytes_max: u64,
    /// Rows that nobody waits for are written at the latest after this time.
    pub linger_ms: u64,
    /// When an acknowledged run is safe.
    pub durability: Durability,
    /// The longest time between two syncs under [`Durability::Interval`].
    pub sync_interval_ms: u64,
}
