//! The store's settings. Data only.

use serde::{Deserialize, Serialize};

use super::compact::{Bounds, LARGE_BYTES};
use super::delta::LogKeeping;
use crate::error::{Error, Result};
use crate::journal::{Durability, JournalOptions};

/// More slots than this a store never has.
pub(super) const WRITERS_MAX: u32 = 64;

/// Files that are merged at a time are open at a time, of which a process may have few.
const COMPACT_FILES_MAX: u64 = 256;

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
    /// Whether small files of the tables are merged into larger ones while the store is written.
    pub compact: bool,
    /// So many files of about the same number of rows are merged into one.
    pub compact_files_min: u64,
    /// At most so many files are merged at a time.
    pub compact_files_max: u64,
    /// Files that are merged at a time have at most so many bytes together.
    pub compact_step_bytes_max: u64,
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
            compact: true,
            compact_files_min: 8,
            compact_files_max: 64,
            compact_step_bytes_max: 128 << 20,
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
            ("compact_step_bytes_max", self.compact_step_bytes_max),
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
        if self.compact_files_min < 2 {
            return Err(Error::invalid(format!(
                "store setting compact_files_min ({}) must be at least 2",
                self.compact_files_min
            )));
        }
        if !(self.compact_files_min..=COMPACT_FILES_MAX).contains(&self.compact_files_max) {
            return Err(Error::invalid(format!(
                "store setting compact_files_max ({}) must be at least compact_files_min ({}), and \
                 at most {COMPACT_FILES_MAX}",
                self.compact_files_max, self.compact_files_min
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

    /// The bounds of a step of a compaction; `None` if there is to be none.
    pub(super) fn compact_bounds(&self) -> Option<Bounds> {
        let count = |it| usize::try_from(it).unwrap_or(usize::MAX);
        self.compact.then(|| Bounds {
            large_bytes: LARGE_BYTES,
            files_min: count(self.compact_files_min),
            files_max: count(self.compact_files_max),
            bytes_max: self.compact_step_bytes_max,
        })
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
