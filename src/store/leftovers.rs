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

/// The committed journal files of one slot, whose lock this process holds.
#[derive(Debug)]
pub(super) struct Leftovers {
    slot: u32,
    files: Vec<Leftover>,
}

impl Leftovers {
    pub(super) fn new(slot: u32, files: Vec<Leftover>) -> Self {
        Self { slot, files }
    }

    pub(super) fn push(&mut self, file: Leftover) {
        self.files.push(file);
    }

    /// Removes the files whose time has come. `newest` is the newest file that the slot's journal
    /// has made.
    pub(super) fn remove_due(&mut self, writing: &Writing, newest: u64) -> Result<()> {
        let now_us = writing.clock.now_us();
        let due = |it: &Leftover| {
            now_us.saturating_sub(it.flush_time_us) >= writing.journal_grace_us
                && (!it.open_runs || it.n < newest)
        };
        let (gone, kept): (Vec<Leftover>, Vec<Leftover>) =
            self.files.iter().copied().partition(due);
        if gone.is_empty() {
            return Ok(());
        }
        for it in &gone {
            let path = writing.layout.journal_file(self.slot, it.n);
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
