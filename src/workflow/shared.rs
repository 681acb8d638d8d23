//! What the steps of a run share: ids, time, the way out for rows, and, for each plan at work in
//! it, the plan's input and what has ended. Decides nothing.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::cancel::Cancel;
use super::component::{Lane, Output, Value};
use super::engine::{Engine, Run};
use super::inside::{Composite, Inner, Inside};
use super::limits::Limits;
use super::outcome::ResultKind;
use super::plan::Plan;
use super::policy::Policy;
use crate::clock::Clock;
use crate::error::Error;
use crate::event::{EventSink, Row, StepRow, Text};

/// How a step ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) result: ResultKind,
    /// Whether steps that need this one may run.
    pub(super) passed: bool,
    /// Whether it was skipped because a step before it failed.
    pub(super) barred: bool,
    pub(super) degraded: bool,
    pub(super) output: Option<Output>,
}

impl Done {
    /// Ended without an output.
    pub(super) fn without_output(result: ResultKind) -> Self {
        Self { result, passed: false, barred: false, degraded: false, output: None }
    }

    /// Whether it failed, or could not be tried because something before it failed; a step that was
    /// not wanted did not.
    pub(super) fn failed(&self) -> bool {
        !self.passed && (self.barred || self.result != ResultKind::Skip)
    }
}

/// What a whole run shares: its own plan and all plans that run inside its steps.
pub(super) struct Root {
    pub(super) run: Run,
    /// What is wished from outside.
    pub(super) wish: Cancel,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) start_us: i64,
    pub(super) start_ns: i64,
    pub(super) node_type: OnceLock<Text>,
    pub(super) sink_failed: AtomicBool,
    attempts: AtomicU64,
    mouth: Mutex<Mouth>,
    kept: Mutex<Vec<Kept>>,
}

struct Mouth {
    sink: Arc<dyn EventSink>,
    closed: bool,
    error: Option<Error>,
}

/// A row of an inner step or of an undo, until the whole run has ended: only then it is known what
/// the run was about, and whether its longest chain went through here.
pub(super) struct Kept {
    pub(super) ordinal: u64,
    /// The attempt around it and the number of the inner run in it; `None` for an undo.
    pub(super) within: Option<(Arc<Inside>, usize)>,
    /// The attempt itself, if there were plans inside.
    pub(super) composite: Option<Arc<Composite>>,
    pub(super) row: StepRow,
}

impl Root {
    pub(super) fn new(engine: &Engine, run: Run, wish: &Cancel) -> Self {
        let mouth = Mouth { sink: Arc::clone(&engine.sink), closed: false, error: None };
        Self {
            wish: wish.clone(),
            clock: Arc::clone(&engine.clock),
            start_us: engine.clock.now_us(),
            start_ns: engine.clock.monotonic_ns(),
            node_type: run.node_type.clone().map_or_else(OnceLock::new, OnceLock::from),
            sink_failed: AtomicBool::new(false),
            attempts: AtomicU64::new(0),
            mouth: Mutex::new(mouth),
            kept: Mutex::default(),
            run,
        }
    }

    /// The ordinal of the next attempt, from 1.
    pub(super) fn next_attempt(&self) -> u64 {
        self.attempts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Hands a row to the sink. `false` when the run takes no more rows: it is over, or the sink
    /// has failed; the first error of the sink is kept.
    pub(super) fn emit(&self, row: Row) -> bool {
        let mut mouth = self.mouth.lock().unwrap_or_else(PoisonError::into_inner);
        if mouth.closed || mouth.error.is_some() {
            return false;
        }
        match mouth.sink.emit(row.into()) {
            Ok(()) => true,
            Err(error) => {
                mouth.error = Some(error);
                self.sink_failed.store(true, Ordering::Release);
                false
            }
        }
    }

    /// From now on no row is taken, not even from a step that was left behind. Returns the error
    /// of the sink, if it had one.
    pub(super) fn close(&self) -> Option<Error> {
        let mut mouth = self.mouth.lock().unwrap_or_else(PoisonError::into_inner);
        mouth.closed = true;
        mouth.error.take()
    }

    pub(super) fn keep(&self, rows: impl Iterator<Item = Kept>) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).extend(rows);
    }

    /// The rows of all inner steps, in the order of their step ids.
    pub(super) fn take_kept(&self) -> Vec<Kept> {
        let mut kept =
            std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.sort_unstable_by_key(|kept| kept.ordinal);
        kept
    }
}

/// What the steps of one plan share.
pub(super) struct Shared {
    pub(super) root: Arc<Root>,
    pub(super) plan: Arc<Plan>,
    pub(super) input: Option<Value>,
    /// Places, of this plan and of those inside of its steps.
    pub(super) limits: Limits,
    /// Of the waits between attempts.
    pub(super) seed: u64,
    pub(super) cancel: Cancel,
    pub(super) done: Vec<OnceLock<Done>>,
    /// What stands before the name of each step: nothing, or the step around it and a slash.
    pub(super) prefix: Text,
    /// Facts for the row of each step.
    pub(super) attributes: Map<String, Json>,
    /// Where it runs, if inside a step.
    pub(super) inner: Option<Inner>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("run_id", &self.root.run.run_id).finish_non_exhaustive()
    }
}

impl Shared {
    /// Of the plan that a run was started with.
    pub(super) fn outermost(root: Root, plan: &Arc<Plan>, limits: Limits) -> Self {
        Self {
            limits,
            input: root.run.input.clone(),
            seed: root.run.seed,
            root: Arc::new(root),
            plan: Arc::clone(plan),
            cancel: Cancel::new(),
            done: nothing_done(plan),
            prefix: Text::default(),
            attributes: Map::new(),
            inner: None,
        }
    }

    /// Longest time of one attempt of a step.
    pub(super) fn timeout(&self, policy: &Policy, lane: Lane) -> Option<Duration> {
        // a plan inside has steps with times of their own
        policy.timeout.or(self.root.run.step_timeout.filter(|_| lane != Lane::Nested))
    }

    /// How many steps are around the plan.
    pub(super) fn depth(&self) -> usize {
        self.inner.as_ref().map_or(0, |inner| inner.depth)
    }

    pub(super) fn done(&self, index: usize) -> Option<&Done> {
        self.done.get(index).and_then(OnceLock::get)
    }
}

pub(super) fn nothing_done(plan: &Plan) -> Vec<OnceLock<Done>> {
    std::iter::repeat_with(OnceLock::new).take(plan.len()).collect()
}
