//! One plan at work: starts ready steps while there are places, takes note of their ends, and stops
//! when asked. It writes nothing: what happened is kept per attempt, and `summary` makes rows of it
//! when the run has ended.
//!
//! Everything of a run happens in one task, plans inside its steps included: no lock, no channel,
//! and for a step that ends without awaiting nothing but its own future.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

mod ends;
mod places;
mod settle;
mod stops;
mod undoing;
mod waiting;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, Future};
use futures::stream::FuturesUnordered;

use super::attempt::{Attempt, Held};
use super::cancel::Cancel;
use super::component::{Lane, Output};
use super::context::{StepContext, View};
use super::failure::StepError;
use super::gate::{Gate, ResourceGate};
use super::inside::Composite;
use super::line::Place;
use super::outcome::Outcome;
use super::plan::{FIRST_RESOURCE, FREE, PLAIN, Plan};
use super::policy::OnFailure;
use super::record::{Record, step_id};
use super::schedule::{Schedule, Strategy};
use super::shared::Shared;
use super::summary::{Ended, Stop, conclude};
use super::undo::Undo;
use super::waits::Waits;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{Text, Watch};

/// After this long without awaiting, a run lets other tasks of its thread work.
pub(super) const TURN_NS: i64 = 1_000_000;

/// A run while it lasts.
pub(super) struct Execution<'p> {
    plan: &'p Arc<Plan>,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    states: Vec<State>,
    records: Vec<Record>,
    signals: FuturesUnordered<BoxFuture<'p, Signal>>,
    /// Door to the places of all runs.
    places: Gate,
    /// Doors to the resources.
    resources: Vec<ResourceGate>,
    concurrency_max: usize,
    /// Whether a step with a plan inside counts as working, too.
    exclusive: bool,
    working: usize,
    unfinished: usize,
    /// Steps that wait for nothing more, to be queued or skipped.
    released: Vec<usize>,
    waits: Waits,
    /// Steps that can be taken back, in the order of their ends.
    undos: Vec<Undo>,
    undo_failures: Vec<String>,
    start_ns: i64,
    /// When it is stopped, and why.
    deadline: Option<(i64, Stop)>,
    grace: Duration,
    cancel: &'p Cancel,
    stop: Option<Stop>,
    /// Whether the wish to stop, and the deadline, are among the signals.
    listens: bool,
    /// Whether somebody waits for the end of a pause.
    paused: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for dependencies, for a place, or for the end of a back-off.
    Waiting,
    Working,
    Done,
}

/// What is known of a step while its run lasts.
#[derive(Debug)]
struct State {
    phase: Phase,
    attempt: u32,
    by_fallback: bool,
    ordinal: u64,
    step_id: Option<Text>,
    /// When it began to queue.
    ready_ns: i64,
    start_ns: i64,
    /// When the wait for a place is over, for a step that may not wait for ever.
    until_ns: Option<i64>,
    /// When all attempts of its component must have ended.
    total_ns: Option<i64>,
    /// When its last attempt ended that is to be repeated.
    backed_off_ns: i64,
    wait_ns: i64,
    held: Option<Held>,
    composite: Option<Arc<Composite>>,
}

/// Something that the run waits for.
enum Signal {
    Ended(usize, Result<Output, StepError>),
    BackedOff(usize),
    /// A place of all runs, for [`PLAIN`], or of a resource. `None`: there are no more.
    Place(usize, Option<Place>),
    /// It is time to look at a resource again, or it has changed.
    Look(usize),
    Changed(usize),
    /// A step has waited too long for its place.
    WaitOver,
    /// A pause is over.
    Resumed,
    Stop(Stop),
    GraceOver,
}

/// How starting steps came to an end.
enum Turn {
    /// Nothing more can start now.
    Idle,
    /// It took long enough: others first.
    Over,
}

impl<'p> Execution<'p> {
    /// `deadline` is when it is stopped, and why; `cancel` is the wish that stops it.
    pub(super) fn new(
        shared: Arc<Shared>,
        plan: &'p Arc<Plan>,
        concurrency_max: usize,
        deadline: Option<(i64, Stop)>,
        cancel: &'p Cancel,
    ) -> Result<Self> {
        refuse_misfits(plan)?;
        let root = &shared.root;
        let (strategy, clock) = (root.run.strategy, Arc::clone(&root.clock));
        let resources = plan.resources().iter().map(|name| shared.limits.resource_gate(name));
        let start_ns = clock.monotonic_ns();
        let mut execution = Self {
            plan,
            schedule: Schedule::new(plan, strategy),
            states: (0..plan.len()).map(|_| State::new()).collect(),
            records: Vec::with_capacity(plan.len()),
            signals: FuturesUnordered::new(),
            places: shared.limits.gate(),
            resources: resources.collect::<Result<_>>()?,
            concurrency_max: strategy.concurrency_max(concurrency_max),
            exclusive: strategy == Strategy::Sequential,
            working: 0,
            unfinished: plan.len(),
            released: Vec::new(),
            waits: Waits::default(),
            undos: Vec::new(),
            undo_failures: Vec::new(),
            start_ns,
            deadline,
            grace: root.run.grace,
            cancel,
            stop: None,
            listens: false,
            paused: false,
            shared,
            clock,
        };
        let roots = plan.nodes().iter().enumerate().filter(|(_, it)| it.dependencies.is_empty());
        execution.released.extend(roots.map(|(index, _)| index));
        execution.settle(start_ns);
        Ok(execution)
    }

    /// Goes on until every step has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            while let Poll::Ready(Some(signal)) = self.signals.poll_next_unpin(cx) {
                self.take(signal);
            }
            let waited_for = self.signals.len();
            let turn = self.start_ready(cx);
            if self.unfinished == 0 {
                return Poll::Ready(());
            }
            if matches!(turn, Turn::Over) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.signals.len() == waited_for {
                if self.listens {
                    return Poll::Pending;
                }
                self.listen();
            }
        }
    }

    /// Hears of the wish to stop, and of the deadline, also while it waits. Plans inside of a step
    /// are many, and most of them never wait.
    fn listen(&mut self) {
        self.listens = true;
        let cancel = self.cancel;
        self.signal(async move {
            cancel.cancelled().await;
            Signal::Stop(Stop::Cancelled)
        });
        if let Some((deadline_ns, stop)) = self.deadline {
            let left = duration(deadline_ns - self.clock.monotonic_ns());
            self.signal(async move {
                tokio::time::sleep(left).await;
                Signal::Stop(stop)
            });
        }
    }

    /// Makes the outcome of the plan, and its rows.
    pub(super) fn conclude(self) -> Outcome {
        let Self { shared, records, stop, start_ns, undo_failures, .. } = self;
        conclude(Ended { shared, records, stop, start_ns, undo_failures })
    }

    fn signal(&mut self, signal: impl Future<Output = Signal> + Send + 'p) {
        self.signals.push(Box::pin(signal));
    }

    fn take(&mut self, signal: Signal) {
        match signal {
            Signal::Ended(index, answer) => {
                self.working -= usize::from(self.counts(index));
                if let Some(held) = self.states[index].held.take() {
                    self.leave(index, held, &answer);
                }
                self.ended(index, answer);
            }
            Signal::BackedOff(index) if self.stop.is_none() => self.queue_again(index),
            Signal::BackedOff(_) => {}
            Signal::Place(_, None) => self.stop(Stop::Limits),
            Signal::Place(PLAIN, Some(permit)) => self.places.answer(permit),
            Signal::Place(slot, Some(permit)) => {
                self.resources[slot - FIRST_RESOURCE].places.answer(permit);
            }
            Signal::Look(at) => self.resources[at].looked(),
            Signal::Changed(at) => self.resources[at].seen(),
            Signal::Resumed => self.paused = false,
            Signal::WaitOver => self.end_waits(),
            Signal::Stop(stop) => self.stop(stop),
            Signal::GraceOver => self.abandon(),
        }
    }

    /// Tells who watches something of a step.
    fn tell(&self, what: impl FnOnce(&dyn Watch, &str), index: usize) {
        if let Some(watch) = &self.shared.root.run.watch {
            what(&**watch, &format!("{}{}", self.shared.prefix, self.plan.step_name(index)));
        }
    }

    fn start(&mut self, index: usize, mut held: Held, cx: &mut Context<'_>) {
        let node = &self.plan.nodes()[index];
        let policy = &node.step.policy;
        let by_fallback = self.states[index].by_fallback;
        let component = match &policy.on_failure {
            OnFailure::Fallback(fallback) if by_fallback => fallback,
            _ => &node.step.component,
        };
        let lane = node.lane(by_fallback);
        let start_ns = self.clock.monotonic_ns();
        self.end_wait(index);
        let limit = self.limit(index, start_ns);
        let own_deadline_ns = limit.map(|it| start_ns.saturating_add(nanos(it.duration)));
        let ordinal = self.shared.root.next_attempt();
        let step_id = step_id(ordinal);
        let composite = (lane == Lane::Nested)
            .then(|| Arc::new(Composite::new(step_id.clone(), own_deadline_ns)));
        let state = &mut self.states[index];
        state.attempt += 1;
        state.ordinal = ordinal;
        state.step_id = Some(step_id.clone());
        state.start_ns = start_ns;
        state.composite.clone_from(&composite);
        let deadline_ns = self.deadline.map(|(deadline_ns, _)| deadline_ns);
        let ctx = StepContext {
            view: View { shared: Arc::clone(&self.shared), index },
            step_id,
            attempt: state.attempt,
            deadline_ns: [own_deadline_ns, deadline_ns].into_iter().flatten().min(),
            composite,
            undo: None,
        };
        let mut attempt = Attempt::start(component, lane, ctx, &mut held);
        // most steps compute and end at once: they cost no task, no timer and no queue
        match Pin::new(&mut attempt).poll(cx) {
            Poll::Ready(answer) => {
                drop(attempt);
                self.leave(index, held, &answer);
                self.ended(index, answer);
            }
            Poll::Pending => {
                state.phase = Phase::Working;
                state.held = Some(held);
                self.working += usize::from(self.counts(index));
                let limit = match lane {
                    // plans inside keep the deadline themselves; this is for what does not
                    Lane::Nested => limit.map(|it| it.longer(self.shared.root.run.undo_grace)),
                    Lane::Inline | Lane::Task | Lane::Compute => limit,
                };
                self.signal(async move { Signal::Ended(index, attempt.within(limit).await) });
                self.tell(|watch, name| watch.working(name), index);
            }
        }
    }

    /// Whether the step counts as working while it works.
    fn counts(&self, index: usize) -> bool {
        let by_fallback = self.states[index].by_fallback;
        self.exclusive || self.plan.nodes()[index].lane(by_fallback) != Lane::Nested
    }
}

/// Complains about steps that hold no place but ask for one.
fn refuse_misfits(plan: &Plan) -> Result<()> {
    if plan.resources().is_empty() {
        return Ok(());
    }
    let misfit = plan.nodes().iter().find(|it| it.lane == Lane::Nested && it.slot != FREE);
    let Some(node) = misfit else { return Ok(()) };
    let resource = node.step.resource.as_deref().unwrap_or_default();
    let message =
        format!("step `{}` runs a plan inside and can hold no place of `{resource}`", node.name);
    Err(Error::invalid(message).with_hint("Let the steps inside use the resource."))
}

impl State {
    fn new() -> Self {
        Self {
            phase: Phase::Waiting,
            attempt: 0,
            by_fallback: false,
            ordinal: 0,
            step_id: None,
            ready_ns: 0,
            start_ns: 0,
            until_ns: None,
            total_ns: None,
            backed_off_ns: 0,
            wait_ns: 0,
            held: None,
            composite: None,
        }
    }
}

pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn duration(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

#[cfg(test)]
mod tests;
