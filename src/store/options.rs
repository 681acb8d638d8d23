//! The store's settings. Data only.

use serde::{Deserialize, Serialize};

use super::delta::LogKeeping;
use crate::error::{Error, Result};
use crate::journal::{Durability, JournalOptions};

/// More slots than this a store never has.
pub(super) const WRITERS_MAX: u32 = 64;

/// How a store is written. Every queue and wait of the store is bounded by one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// When an acknowledged run is safe: `run` (synced before it is acknowledged), `interval`
    /// (synced every `sync_interval_ms`) or `none` (synced when flushed).
    pub durability: Durability,
    /// The longest time between two syncs under durability `interval`.
    pub sync_interval_ms: u64,
    /// A journal file of this size is flushed to the tables.
    pub journal_bytes_max: u64,
    /// Rows are flushed to the tables at the latest this long after they were written.
    pub flush_age_ms: u64,
    /// Rows that no table holds yet take at most about this many encoded bytes of memory; beyond
    /// it, writers wait for the flush.
    pub hot_bytes_max: u64,
    /// Rows that nobody waits for are written to the journal at the latest after this time.
    pub linger_ms: u64,
    /// A journal file stays this long after its rows are in the tables, for readers that still
    /// look at it.
    pub journal_grace_ms: u64,
    /// A failed flush is tried again after this time.
    pub flush_retry_ms: u64,
    /// A checkpoint of a table's log is written every so many commits: opening the store reads it
    /// and the commits after it.
    pub checkpoint_commits: u64,
    /// So many of a log's newest commits are never removed.
    pub log_commits_kept: u64,
    /// Commits younger than this are never removed from a log: a reader of an older version may
    /// still be at work. At 0, age does not count.
    pub log_kept_ms: u64,
    /// Processes that may write at the same time, each in a slot of its own.
    pub writers_max: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Run,
            sync_interval_ms: 1_000,
            journal_bytes_max: 16 << 20,
            flush_age_ms: 5_000,
            hot_bytes_max: 64 << 20,
            linger_ms: 50,
            journal_grace_ms: 60_000,
            flush_retry_ms: 1_000,
            checkpoint_commits: 100,
            log_commits_kept: 1_000,
            log_kept_ms: 24 * 3_600_000,
            writers_max: 16,
        }
    }
}

impl StoreOptions {
    /// Checks each setting and how they relate.
    ///
    /// # Errors
    /// `Invalid`, naming the setting and the bound.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("sync_interval_ms", self.sync_interval_ms),
            ("journal_bytes_max", self.journal_bytes_max),
            ("flush_age_ms", self.flush_age_ms),
            ("linger_ms", self.linger_ms),
            ("flush_retry_ms", self.flush_retry_ms),
            ("checkpoint_commits", self.checkpoint_commits),
            ("writers_max", u64::from(self.writers_max)),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::invalid(format!("store setting {name} must be above 0")));
        }
        // while one file is flushed, the next must have room to grow
        if self.hot_bytes_max < self.journal_bytes_max.saturating_mul(2) {
            return Err(Error::invalid(format!(
                "store setting hot_bytes_max ({}) must be at least twice journal_bytes_max ({})",
                self.hot_bytes_max, self.journal_bytes_max
            )));
        }
        if self.writers_max > WRITERS_MAX {
            return Err(Error::invalid(format!(
                "store setting writers_max ({}) must be at most {WRITERS_MAX}",
                self.writers_max
            )));
        }
        Ok(())
    }

    pub(super) fn journal_grace_us(&self) -> i64 {
        i64::try_from(self.journal_grace_ms.saturating_mul(1_000)).unwrap_or(i64::MAX)
    }

    pub(super) fn log_keeping(&self) -> LogKeeping {
        LogKeeping {
            checkpoint_commits: self.checkpoint_commits,
            commits_kept: self.log_commits_kept,
            kept_ms: self.log_kept_ms,
        }
    }

    pub(super) fn journal(&self) -> JournalOptions {
        JournalOptions {
            file_bytes_max: self.journal_bytes_max,
            file_age_ms_max: self.flush_age_ms,
            held_bytes_max: self.hot_bytes_max,
            linger_ms: self.linger_ms,
            durability: self.durability,
            sync_interval_ms: self.sync_interval_ms,
        }
    }
}
