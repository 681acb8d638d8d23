//! The thread that compacts behind a writer's back: after each flush it takes the steps that are
//! due, one at a time, each of them bounded, as long as no other process does. It never makes a
//! writer wait; a step that fails is tried again after another flush, and the store's end breaks
//! one off.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::plan::{self, Bounds};
use super::step::{self, Outcome};
use super::{files_of, inputs_of, name_of, plan_files};
use crate::error::{Error, Result};
use crate::event::Table;
use crate::store::flush::Writing;
use crate::store::keeper::Rewriting;
use crate::store::retain::retain_if_due;

/// The store's rules of retention are looked at this often: ten minutes.
const RULES_AGE_NS: i64 = 600_000_000_000;

/// Wakes the thread, and ends it.
#[derive(Debug, Default)]
pub(in crate::store) struct Signal {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_woken: bool,
    is_closed: bool,
    /// Tables whose last step failed, and why.
    failures: BTreeMap<Option<Table>, String>,
}

impl Signal {
    /// There may be something to do.
    pub(in crate::store) fn wake(&self) {
        self.state().is_woken = true;
        self.moved.notify_all();
    }

    fn close(&self) {
        self.state().is_closed = true;
        self.moved.notify_all();
    }

    fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Waits until there may be something to do; `false` at the end.
    fn wait(&self) -> bool {
        let mut state = self.state();
        while !state.is_woken && !state.is_closed {
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_woken = false;
        !state.is_closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running thread.
#[derive(Debug)]
pub(in crate::store) struct Compactor {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Compactor {
    /// Begins with what earlier writers have left to do.
    pub(in crate::store) fn start(
        writing: Arc<Writing>,
        signal: Arc<Signal>,
        bounds: Bounds,
    ) -> Result<Self> {
        signal.wake();
        let work = Work {
            writing,
            signal: Arc::clone(&signal),
            bounds,
            left_alone: BTreeSet::new(),
            rules_seen_ns: None,
        };
        let thread = std::thread::Builder::new()
            .name("genstore-compact".to_owned())
            .spawn(move || work.run())
            .map_err(|source| Error::failed("cannot start a thread").with_source(source))?;
        Ok(Self { signal, thread: Mutex::new(Some(thread)) })
    }

    /// Lets the thread begin no other step, and break off the one it is at.
    pub(in crate::store) fn stop(&self) {
        self.signal.close();
    }

    /// Stops the thread and waits for its end. Once is enough.
    pub(in crate::store) fn close(&self) {
        self.stop();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            drop(thread.join()); // a panic there is a bug that its own message has told
        }
    }

    /// Why the last step of a table failed.
    pub(in crate::store) fn failure(&self) -> Option<String> {
        self.signal.state().failures.values().next().cloned()
    }
}

impl Drop for Compactor {
    fn drop(&mut self) {
        self.close();
    }
}

struct Work {
    writing: Arc<Writing>,
    signal: Arc<Signal>,
    bounds: Bounds,
    /// Files that cannot be read, by table.
    left_alone: BTreeSet<(Table, String)>,
    /// When the store's rules of retention were last looked at, by the monotonic clock.
    rules_seen_ns: Option<i64>,
}

impl Work {
    fn run(mut self) {
        while self.signal.wait() {
            self.apply_rules();
            for table in Table::ALL {
                self.steps(*table);
            }
        }
    }

    /// Retention, where the store holds rules and a day has passed.
    fn apply_rules(&mut self) {
        let now_ns = self.writing.clock.monotonic_ns();
        if self.rules_seen_ns.is_some_and(|it| now_ns - it < RULES_AGE_NS) {
            return;
        }
        self.rules_seen_ns = Some(now_ns);
        let retain = AssertUnwindSafe(|| retain_if_due(&self.writing));
        let retained =
            catch_unwind(retain).unwrap_or_else(|_| Err(Error::internal("a retention panicked")));
        match retained {
            Ok(None) => {} // not its turn
            Ok(Some(_)) => self.tell(None, None),
            Err(error) => self.tell(None, Some(&error)),
        }
    }

    /// Each step leaves a file less at least, or one more that is left alone.
    fn steps(&mut self, table: Table) {
        while !self.signal.is_closed() {
            let step = catch_unwind(AssertUnwindSafe(|| self.step(table)));
            let step = step.unwrap_or_else(|_| Err(Error::internal("a compaction panicked")));
            match step {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    if !self.signal.is_closed() {
                        self.tell(Some(table), Some(&error));
                    }
                    return;
                }
            }
        }
    }

    /// Takes a step; `false` if none is due.
    fn step(&mut self, table: Table) -> Result<bool> {
        let files = files_of(&self.writing, table)?;
        let left_alone: BTreeSet<String> = files
            .iter()
            .map(|it| name_of(&it.path))
            .filter(|name| self.left_alone.contains(&(table, name.clone())))
            .collect();
        self.left_alone.retain(|(of, name)| *of != table || left_alone.contains(name));
        let Some(group) = plan::step(&plan_files(&files, &left_alone), &self.bounds) else {
            return Ok(false);
        };
        // another process that has it does the work; each step is a turn of its own
        let Ok(_right) = Rewriting::take(&self.writing.layout) else { return Ok(false) };
        let inputs = inputs_of(&files, &group);
        let signal = Arc::clone(&self.signal);
        let go_on = &mut |_| match signal.is_closed() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        match step::merge_files(&self.writing, table, &inputs, &group, true, go_on)? {
            Outcome::Done(..) => self.tell(Some(table), None),
            Outcome::Stale => {}
            Outcome::Unreadable(path, error) => {
                self.left_alone.insert((table, name_of(&path)));
                self.tell(Some(table), Some(&error));
            }
        }
        Ok(true)
    }

    /// `of`: the table that a step was of; none for a retention.
    fn tell(&self, of: Option<Table>, failure: Option<&Error>) {
        let failures = &mut self.signal.state().failures;
        match failure {
            Some(error) => drop(failures.insert(of, error.in_one_line())),
            None => drop(failures.remove(&of)),
        }
    }
}
