//! The process group of a program, and its end. Dropping it kills whatever is in it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;

/// Groups that are at work in this process.
static AT_WORK: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

fn at_work() -> MutexGuard<'static, BTreeSet<Pid>> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all groups of this process.
pub(super) fn end_all() {
    for leader in std::mem::take(&mut *at_work()) {
        kill(leader);
    }
}

/// The group that a child leads.
#[derive(Debug)]
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group of a child that was started as the leader of one and has not been waited for.
    pub(super) fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        at_work().extend(leader);
        Self(leader)
    }

    /// Asks everyone in it to end.
    pub(super) fn ask(&self) {
        if let Some(leader) = self.0 {
            killpg(leader, Signal::SIGTERM).ok();
            // one that is stopped does not hear the first before the second
            killpg(leader, Signal::SIGCONT).ok();
        }
    }

    /// Kills whoever is left. To be called soon after the leader was waited for: nobody else gets
    /// the number of a group as long as someone is in it, but one day after.
    pub(super) fn end(&mut self) {
        if let Some(leader) = self.0.take()
            && at_work().remove(&leader)
        {
            kill(leader);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// An error means that nobody is left.
fn kill(leader: Pid) {
    killpg(leader, Signal::SIGKILL).ok();
}
