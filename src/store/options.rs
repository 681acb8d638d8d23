//! The store's settings. Data only.

use serde::{Deserialize, Serialize};

use super::compact::{Bounds, LARGE_BYTES};
use super::delta::LogKeeping;
use crate::journal::{Durability, JournalOptions};
use crate::setting::{Fault, count, names, size, sizes, time, times, within};

/// More slots than this a store never has.
pub(super) const WRITERS_MAX: u32 = 64;

/// Files that are merged at a time are open at a time, of which a process may have few.
const COMPACT_FILES_MAX: u64 = 256;

/// How a store is written. Every queue and wait of the store is bounded by one of these. In a file
/// the names carry no unit, and the values do: `flush_age = "5s"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreOptions {
    /// When an acknowledged run is safe: `run` (synced before it is acknowledged), `interval`
    /// (synced every `sync_interval_ms`) or `none` (synced when flushed).
    #[serde(with = "names")]
    pub durability: Durability,
    /// The longest time between two syncs under durability `interval`.
    #[serde(rename = "sync_interval", with = "times")]
    pub sync_interval_ms: u64,
    /// A journal file of this size is flushed to the tables.
    #[serde(with = "sizes")]
    pub journal_bytes_max: u64,
    /// Rows are flushed to the tables at the latest this long after they were written.
    #[serde(rename = "flush_age", with = "times")]
    pub flush_age_ms: u64,
    /// Rows that no table holds yet take at most about this many encoded bytes of memory; beyond
    /// it, writers wait for the flush.
    #[serde(with = "sizes")]
    pub hot_bytes_max: u64,
    /// Rows that nobody waits for are written to the journal at the latest after this time.
    #[serde(rename = "linger", with = "times")]
    pub linger_ms: u64,
    /// A journal file stays this long after its rows are in the tables, for readers that still
    /// look at it.
    #[serde(rename = "journal_grace", with = "times")]
    pub journal_grace_ms: u64,
    /// A failed flush is tried again after this time.
    #[serde(rename = "flush_retry", with = "times")]
    pub flush_retry_ms: u64,
    /// A checkpoint of a table's log is written every so many commits: opening the store reads it
    /// and the commits after it.
    pub checkpoint_commits: u64,
    /// So many of a log's newest commits are never removed.
    pub log_commits_kept: u64,
    /// Commits younger than this are never removed from a log: a reader of an older version may
    /// still be at work. At 0, age does not count.
    #[serde(rename = "log_kept", with = "times")]
    pub log_kept_ms: u64,
    /// Processes that may write at the same time, each in a slot of its own.
    pub writers_max: u32,
    /// How small files of the tables are merged into larger ones while the store is written.
    pub compaction: Compaction,
}

/// How small files of the tables are merged into larger ones while a store is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compaction {
    /// Whether they are.
    pub enabled: bool,
    /// So many files of about the same number of rows are merged into one.
    pub files_min: u64,
    /// At most so many files are merged at a time.
    pub files_max: u64,
    /// Files that are merged at a time have at most so many bytes together.
    #[serde(with = "sizes")]
    pub step_bytes_max: u64,
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
            compaction: Compaction::default(),
        }
    }
}

impl Default for Compaction {
    fn default() -> Self {
        Self { enabled: true, files_min: 8, files_max: 64, step_bytes_max: 128 << 20 }
    }
}

impl StoreOptions {
    /// Checks each setting and how they relate.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        let any = (1, u64::MAX);
        within("store.sync_interval", self.sync_interval_ms, any, time)?;
        within("store.journal_bytes_max", self.journal_bytes_max, any, size)?;
        within("store.flush_age", self.flush_age_ms, any, time)?;
        within("store.linger", self.linger_ms, any, time)?;
        within("store.flush_retry", self.flush_retry_ms, any, time)?;
        within("store.checkpoint_commits", self.checkpoint_commits, any, count)?;
        let slots = (1, u64::from(WRITERS_MAX));
        within("store.writers_max", u64::from(self.writers_max), slots, count)?;
        // while one file is flushed, the next must have room to grow
        if self.hot_bytes_max < self.journal_bytes_max.saturating_mul(2) {
            let (hot, journal) = (size(self.hot_bytes_max), size(self.journal_bytes_max));
            return Err(Fault::new(
                &["store.hot_bytes_max", "store.journal_bytes_max"],
                format!(
                    "store.hot_bytes_max is {hot}, but must be at least twice \
                     store.journal_bytes_max, which is {journal}"
                ),
            ));
        }
        self.compaction.validate()
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

impl Compaction {
    fn validate(&self) -> Result<(), Fault> {
        let any = (1, u64::MAX);
        within("store.compaction.step_bytes_max", self.step_bytes_max, any, size)?;
        within("store.compaction.files_min", self.files_min, (2, u64::MAX), count)?;
        let open = (2, COMPACT_FILES_MAX);
        within("store.compaction.files_max", self.files_max, open, count)?;
        if self.files_max < self.files_min {
            return Err(Fault::new(
                &["store.compaction.files_max", "store.compaction.files_min"],
                format!(
                    "store.compaction.files_max is {}, but must be at least \
                     store.compaction.files_min, which is {}",
                    self.files_max, self.files_min
                ),
            ));
        }
        Ok(())
    }

    /// The bounds of one step.
    pub(super) fn bounds(&self) -> Bounds {
        let count = |it| usize::try_from(it).unwrap_or(usize::MAX);
        Bounds {
            large_bytes: LARGE_BYTES,
            files_min: count(self.files_min),
            files_max: count(self.files_max),
            bytes_max: self.step_bytes_max,
        }
    }
}
