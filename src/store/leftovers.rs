//! Journal files whose rows are in the tables: each may go when a grace time has passed, so that a
//! reader that still looks at it finds it. A file that goes late harms nobody.

use std::io;

use super::flush::Writing;
use crate::error::{IoContext, Result};

/// A committed journal file that may go at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leftover {
    pub(super) n: u64,
    pub(super) flush_time_us: i64,
    /// The file names runs that have not ended: it must outlive the making of the next file.
    pub(super) open_runs: bool,
}

/// A file that stays for a while, and when this process first looked at it, by the monotonic clock:
/// if the wall clock was set back, the flush lies in the future for long.
#[derive(Debug, Clone, Copy)]
struct Kept {
    file: Leftover,
    seen_ns: Option<i64>,
}

/// The committed journal files of one slot, whose lock this process holds.
#[derive(Debug)]
pub(super) struct Leftovers {
    slot: u32,
    files: Vec<Kept>,
}

impl Leftovers {
    pub(super) fn new(slot: u32, files: Vec<Leftover>) -> Self {
        let files = files.into_iter().map(|file| Kept { file, seen_ns: None }).collect();
        Self { slot, files }
    }

    pub(super) fn push(&mut self, file: Leftover) {
        self.files.push(Kept { file, seen_ns: None });
    }

    /// Removes the files whose time has come. `newest` is the newest file that the slot's journal
    /// has made.
    pub(super) fn remove_due(&mut self, writing: &Writing, newest: u64) -> Result<()> {
        let (now_us, now_ns) = (writing.clock.now_us(), writing.clock.monotonic_ns());
        for it in &mut self.files {
            it.seen_ns.get_or_insert(now_ns);
        }
        let due = |it: &Kept| {
            let since_flush_us = now_us.saturating_sub(it.file.flush_time_us);
            let since_seen_us = (now_ns - it.seen_ns.unwrap_or(now_ns)) / 1_000;
            since_flush_us.max(since_seen_us) >= writing.journal_grace_us
                && (!it.file.open_runs || it.file.n < newest)
        };
        let (gone, kept): (Vec<Kept>, Vec<Kept>) = self.files.iter().copied().partition(due);
        if gone.is_empty() {
            return Ok(());
        }
        for it in &gone {
            let path = writing.layout.journal_file(self.slot, it.file.n);
            match writing.disk.remove(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).context("remove", &path),
            }
        }
        self.files = kept;
        let folder = writing.layout.slot(self.slot);
        writing.disk.sync_folder(&folder).context("sync the folder", &folder)
    }
}
