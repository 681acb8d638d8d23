//! The store as a reader sees it: every query sees it anew. Never writes, and opens nothing itself.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::Result;
use crate::sql::{Session, SessionSettings};
use crate::store::snapshot::Snapshot;

/// Where snapshots come from: a store that is opened when it is first asked, or rows in memory.
pub type Snapshots = Box<dyn FnMut() -> Result<Snapshot> + Send>;

/// A store to ask.
pub struct Reader {
    snapshots: Snapshots,
    settings: SessionSettings,
    clock: Arc<dyn Clock>,
    session: Option<Session>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader of these snapshots; none is taken yet.
    pub fn new(snapshots: Snapshots, settings: SessionSettings, clock: Arc<dyn Clock>) -> Self {
        Self { snapshots, settings, clock, session: None }
    }

    /// All tables at this moment.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        (self.snapshots)()
    }

    /// A session over all tables at this moment. Threads and caches are kept between sessions.
    pub fn session(&mut self) -> Result<Session> {
        let snapshot = self.snapshot()?;
        let session = match &self.session {
            Some(last) => last.with_snapshot(&snapshot)?,
            None => Session::new(&snapshot, self.settings.clone(), Arc::clone(&self.clock))?,
        };
        Ok(self.session.insert(session).clone())
    }

    /// Leaves threads and memory of the earlier sessions to a query that was cancelled: it ends at
    /// the next place where it yields, which can be seconds away. The next session has its own.
    pub fn abandon(&mut self) {
        self.session = None;
    }
}
