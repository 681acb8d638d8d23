//! The journal's settings. Data only; `store` checks how they relate to its own.

use serde::{Deserialize, Serialize};

/// When an acknowledged run is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
