//! The store as a reader sees it: every query sees it anew, or as it was at one moment. Never
//! writes, and opens nothing itself.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::sql::{Session, SessionSettings};
use crate::store::snapshot::Snapshot;

/// Where snapshots come from: a store that is opened when it is first asked, or rows in memory,
/// which have no past.
pub trait Source: Send {
    /// All tables now.
    fn now(&mut self) -> Result<Snapshot>;

    /// All tables as of a moment.
    fn as_of(&mut self, _moment_us: i64) -> Result<Snapshot> {
        Err(no_past())
    }

    /// The moment that a text means, in microseconds: a time, or a batch.
    fn moment(&mut self, _text: &str, _now_us: i64) -> Result<i64> {
        Err(no_past())
    }
}

impl<F: FnMut() -> Result<Snapshot> + Send> Source for F {
    fn now(&mut self) -> Result<Snapshot> {
        self()
    }
}

fn no_past() -> Error {
    Error::usage("these rows have no past").with_hint("A store on disk has.")
}

/// A source of snapshots.
pub type Snapshots = Box<dyn Source>;

/// A store to ask.
pub struct Reader {
    snapshots: Snapshots,
    settings: SessionSettings,
    clock: Arc<dyn Clock>,
    as_of_us: Option<i64>,
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
        Self { snapshots, settings, clock, as_of_us: None, session: None }
    }

    /// Changes the bounds of queries from now on.
    pub fn bound(&mut self, change: impl FnOnce(&mut SessionSettings)) {
        change(&mut self.settings);
        self.session = None;
    }

    /// The moment that is looked at, in microseconds; `None` for the present.
    pub fn as_of_us(&self) -> Option<i64> {
        self.as_of_us
    }

    /// Looks at the moment that a text means from now on: a time, or a batch.
    pub fn look_back(&mut self, text: &str) -> Result<()> {
        self.as_of_us = Some(self.snapshots.moment(text, self.clock.now_us())?);
        Ok(())
    }

    /// Looks at a moment from now on, or at the present.
    pub fn look_at(&mut self, as_of_us: Option<i64>) {
        self.as_of_us = as_of_us;
    }

    /// All tables at this moment, or at the one that is looked at.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        match self.as_of_us {
            Some(as_of_us) => self.snapshots.as_of(as_of_us),
            None => self.snapshots.now(),
        }
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
