//! What all runs share of one resource: its places, its rate, and whether it is left alone; and
//! what a step holds of it while it works. Knows no step; time comes in as a number.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::bucket::Bucket;
use super::circuit::{Circuit, Health, Passage};
use super::component::Output;
use super::failure::{ErrorClass, StepError};
use super::limits::ResourceLimit;
use super::line::{Line, Place};

/// The way to a resource.
pub(super) struct Door {
    pub(super) name: String,
    pub(super) places: Arc<Line>,
    /// Not before this time, because the other side asked for it.
    held_ns: AtomicI64,
    /// `None` if there is neither a rate nor a breaker: then no lock is taken.
    state: Option<Mutex<State>>,
    /// Tells when the passage is another.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    bucket: Option<Bucket>,
    circuit: Option<Circuit>,
}

/// Whether a step may go through.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// Not before this time.
    Later(i64),
    /// When the passage has changed.
    Changed,
    /// It is left alone.
    No(StepError),
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Door {
    pub(super) fn new(name: String, limit: &ResourceLimit) -> Self {
        let state =
            State { bucket: limit.rate.map(Bucket::new), circuit: limit.breaker.map(Circuit::new) };
        let plain = state.bucket.is_none() && state.circuit.is_none();
        Self {
            name,
            places: Arc::new(Line::new(limit.places)),
            held_ns: AtomicI64::new(i64::MIN),
            state: (!plain).then(|| Mutex::new(state)),
            changed: watch::Sender::new(()),
        }
    }

    /// Tells when the passage is another, if it can be.
    pub(super) fn changes(&self) -> Option<watch::Receiver<()>> {
        self.state.as_ref().map(|_| self.changed.subscribe())
    }

    pub(super) fn ask(&self, now_ns: i64) -> Answer {
        let held_ns = self.held_ns.load(Ordering::Relaxed);
        let Some(state) = &self.state else {
            return if held_ns > now_ns { Answer::Later(held_ns) } else { Answer::Yes };
        };
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        self.answer(&state, held_ns, now_ns)
    }

    fn answer(&self, state: &State, held_ns: i64, now_ns: i64) -> Answer {
        if let Some(circuit) = &state.circuit {
            match circuit.passage(now_ns) {
                Passage::Free => {}
                Passage::AfterTrial => return Answer::Changed,
                Passage::Shut { until_ns } => {
                    let left = Duration::from_nanos(u64::try_from(until_ns - now_ns).unwrap_or(0));
                    let (name, failures) = (&self.name, circuit.failures_max());
                    return Answer::No(StepError::circuit_open(name, failures, left));
                }
            }
        }
        let free_ns = state.bucket.as_ref().map_or(i64::MIN, Bucket::free_ns).max(held_ns);
        if free_ns > now_ns { Answer::Later(free_ns) } else { Answer::Yes }
    }

    /// Goes through with a place, if nobody else was faster to change the answer.
    pub(super) fn enter(self: &Arc<Self>, permit: Place, now_ns: i64) -> Result<Pass, Place> {
        let mut trial = false;
        if let Some(state) = &self.state {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let held_ns = self.held_ns.load(Ordering::Relaxed);
            if self.answer(&state, held_ns, now_ns) != Answer::Yes {
                return Err(permit);
            }
            if let Some(bucket) = &mut state.bucket {
                bucket.take(now_ns);
            }
            trial = state.circuit.as_mut().is_some_and(Circuit::pass);
        }
        Ok(Pass { door: Arc::clone(self), permit: Some(permit), trial })
    }

    fn ended(&self, trial: bool, health: Health, now_ns: i64) {
        let Some(state) = &self.state else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let circuit = state.circuit.as_mut();
        if circuit.is_some_and(|circuit| circuit.ended(trial, health, now_ns)) {
            self.changed.send_replace(());
        }
    }
}

/// What a working step holds of a resource. Dropped without a word, it says nothing about the
/// resource.
#[derive(Debug)]
pub(super) struct Pass {
    door: Arc<Door>,
    permit: Option<Place>,
    trial: bool,
}

impl Pass {
    /// The place alone, to be held longer than the pass.
    pub(super) fn take_place(&mut self) -> Option<Place> {
        self.permit.take()
    }

    /// Says how the attempt ended. When the other side asks for patience, the whole resource is
    /// held back, at most for `hold_max`.
    pub(super) fn tell(
        mut self,
        answer: &Result<Output, StepError>,
        hold_max: Duration,
        now_ns: i64,
    ) {
        let health = match answer.as_ref().map_err(|error| (error.class, &*error.error_type)) {
            Ok(_) | Err((ErrorClass::InvalidOutput, _)) => Health::Good,
            // the attempt may have had next to no time
            Err((ErrorClass::Timeout, "total_deadline")) => Health::Unknown,
            Err((ErrorClass::RateLimited { .. } | ErrorClass::Transient, _)) => Health::Bad,
            Err((ErrorClass::Timeout, _)) => Health::Bad,
            Err((ErrorClass::Permanent | ErrorClass::Cancelled, _)) => Health::Unknown,
        };
        if let Err(StepError {
            class: ErrorClass::RateLimited { retry_after: Some(wait) }, ..
        }) = answer
        {
            let wait_ns = i64::try_from(wait.min(&hold_max).as_nanos()).unwrap_or(i64::MAX);
            self.door.held_ns.fetch_max(now_ns.saturating_add(wait_ns), Ordering::Relaxed);
        }
        self.door.ended(std::mem::take(&mut self.trial), health, now_ns);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // the place first: who hears of the change finds it free
        self.permit = None;
        if self.trial {
            self.door.ended(true, Health::Unknown, i64::MIN);
        }
    }
}
