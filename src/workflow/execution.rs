//! One run at work: starts ready steps while there are places, takes note of their ends, and stops
//! when asked. It writes nothing: what happened is kept per attempt, and `summary` makes rows of it
//! when the run has ended.
//!
//! Everything of a run happens in one task: no lock, no channel, and for a step that ends without
//! awaiting nothing but its own future.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, Future};
use futures::stream::FuturesUnordered;
use serde_json::{Map, Value as Json};
use tokio::sync::OwnedSemaphorePermit;

use super::attempt::Attempt;
use super::cancel::Cancel;
use super::component::{Output, Verdict};
use super::context::{Done, Shared, StepContext, View};
use super::engine::{Engine, Run};
use super::failure::{ErrorClass, StepError};
use super::limits::Gate;
use super::outcome::{Outcome, ResultKind};
use super::plan::Plan;
use super::policy::{Decision, OnFailure, random};
use super::record::{Record, step_id};
use super::schedule::{Schedule, may_run};
use super::summary::{Ended, Stop, conclude};
use crate::error::Result;
use crate::event::Text;

/// After this long without awaiting, a run lets other tasks of its thread work.
const TURN_NS: i64 = 1_000_000;

/// A run while it lasts.
pub(super) struct Execution<'p> {
    plan: &'p Arc<Plan>,
    shared: Arc<Shared>,
    schedule: Schedule,
    states: Vec<State>,
    records: Vec<Record>,
    signals: FuturesUnordered<BoxFuture<'p, Signal>>,
    /// Door to the places of all runs.
    places: Gate,
    /// Doors to the resources; the first is slot 1.
    resources: Vec<Gate>,
    concurrency_max: usize,
    working: usize,
    unfinished: usize,
    /// Steps that wait for nothing more, to be queued or skipped.
    released: Vec<usize>,
    start_us: i64,
    start_ns: i64,
    deadline_ns: Option<i64>,
    grace: Duration,
    cancel: &'p Cancel,
    stop: Option<Stop>,
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
    /// When its last attempt ended that is to be repeated.
    backed_off_ns: i64,
    wait_ns: i64,
    held: Option<Held>,
}

/// The places that a working step holds, of all runs and of its resource.
type Held = (Option<OwnedSemaphorePermit>, Option<OwnedSemaphorePermit>);

/// Something that the run waits for.
enum Signal {
    Ended(usize, Result<Output, StepError>),
    BackedOff(usize),
    /// A place of a slot: 0 for one of all runs, else of a resource. `None`: there are no more.
    Place(usize, Option<OwnedSemaphorePermit>),
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
    pub(super) fn new(
        engine: &Engine,
        plan: &'p Arc<Plan>,
        run: &Run,
        cancel: &'p Cancel,
    ) -> Result<Self> {
        let resources = plan.resources().iter().map(|name| engine.limits.resource_gate(name));
        let start_ns = engine.clock.monotonic_ns();
        let mut execution = Self {
            plan,
            shared: Arc::new(Shared::new(engine, plan, run)),
            schedule: Schedule::new(plan, run.strategy),
            states: (0..plan.len()).map(|_| State::new()).collect(),
            records: Vec::with_capacity(plan.len()),
            signals: FuturesUnordered::new(),
            places: engine.limits.gate(),
            resources: resources.collect::<Result<_>>()?,
            concurrency_max: run.strategy.concurrency_max(run.concurrency_max),
            working: 0,
            unfinished: plan.len(),
            released: Vec::new(),
            start_us: engine.clock.now_us(),
            start_ns,
            deadline_ns: run.timeout.map(|timeout| start_ns.saturating_add(nanos(timeout))),
            grace: run.grace,
            cancel,
            stop: None,
        };
        execution.signal(async move {
            cancel.cancelled().await;
            Signal::Stop(Stop::Cancelled)
        });
        if let Some(timeout) = run.timeout {
            execution.signal(async move {
                tokio::time::sleep(timeout).await;
                Signal::Stop(Stop::Deadline)
            });
        }
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
                return Poll::Pending;
            }
        }
    }

    /// Makes the outcome of the run, and its rows.
    pub(super) fn conclude(self, run: Run) -> Outcome {
        let Self { shared, records, stop, start_us, start_ns, .. } = self;
        conclude(Ended { shared, run, records, stop, start_us, start_ns })
    }

    fn signal(&mut self, signal: impl Future<Output = Signal> + Send + 'p) {
        self.signals.push(Box::pin(signal));
    }

    fn take(&mut self, signal: Signal) {
        match signal {
            Signal::Ended(index, answer) => {
                self.working -= 1;
                self.states[index].held = None;
                self.ended(index, answer);
            }
            Signal::BackedOff(index) if self.stop.is_none() => self.queue_again(index),
            Signal::BackedOff(_) => {}
            Signal::Place(_, None) => self.stop(Stop::Limits),
            Signal::Place(0, Some(permit)) => self.places.answer(permit),
            Signal::Place(slot, Some(permit)) => self.resources[slot - 1].answer(permit),
            Signal::Stop(stop) => self.stop(stop),
            Signal::GraceOver => self.abandon(),
        }
    }

    fn start_ready(&mut self, cx: &mut Context<'_>) -> Turn {
        let turn_ns = self.shared.clock.monotonic_ns();
        let mut now_ns = turn_ns;
        let mut turn = Turn::Idle;
        while self.stop.is_none() {
            if let Some(stop) = self.should_stop(now_ns) {
                self.stop(stop);
                break;
            }
            if now_ns - turn_ns > TURN_NS {
                turn = Turn::Over;
                break;
            }
            let Some((index, held)) = self.next() else { break };
            self.start(index, held, cx);
            now_ns = self.shared.clock.monotonic_ns();
        }
        self.places.give_back();
        for (at, gate) in self.resources.iter_mut().enumerate() {
            if !self.schedule.wants(at + 1) {
                gate.give_back();
            }
        }
        turn
    }

    fn should_stop(&self, now_ns: i64) -> Option<Stop> {
        if self.unfinished == 0 {
            return None;
        }
        if self.shared.sink_failed.load(Ordering::Acquire) {
            return Some(Stop::Sink);
        }
        if self.cancel.is_cancelled() {
            return Some(Stop::Cancelled);
        }
        self.deadline_ns.is_some_and(|deadline_ns| now_ns >= deadline_ns).then_some(Stop::Deadline)
    }

    /// The most urgent step for which there are places, with its places. A place of a resource is
    /// taken first and kept while waiting for one of the places of all runs, never the other way
    /// round: two runs cannot wait for each other.
    fn next(&mut self) -> Option<(usize, Held)> {
        if self.working >= self.concurrency_max {
            return None;
        }
        let resources = &mut self.resources;
        let slot = self.schedule.best(|slot| slot == 0 || resources[slot - 1].secure());
        for at in 0..self.resources.len() {
            let open = self.resources[at].is_secured();
            if !open && self.schedule.wants(at + 1) {
                let semaphore = self.resources[at].claim();
                self.claim(at + 1, semaphore);
            }
        }
        let slot = slot?;
        if !self.places.secure() {
            let semaphore = self.places.claim();
            self.claim(0, semaphore);
            return None;
        }
        let resource = if slot == 0 { None } else { self.resources[slot - 1].take() };
        let index = self.schedule.pop(slot)?;
        Some((index, (self.places.take(), resource)))
    }

    fn claim(&mut self, slot: usize, semaphore: Option<Arc<tokio::sync::Semaphore>>) {
        if let Some(semaphore) = semaphore {
            self.signal(async move { Signal::Place(slot, semaphore.acquire_owned().await.ok()) });
        }
    }

    fn start(&mut self, index: usize, held: Held, cx: &mut Context<'_>) {
        let plan = self.plan;
        let policy = &plan.nodes()[index].step.policy;
        let component = match &policy.on_failure {
            OnFailure::Fallback(fallback) if self.states[index].by_fallback => fallback,
            _ => &plan.nodes()[index].step.component,
        };
        let start_ns = self.shared.clock.monotonic_ns();
        let step_deadline_ns = policy.timeout.map(|it| start_ns.saturating_add(nanos(it)));
        let ordinal = self.shared.next_attempt();
        let step_id = step_id(ordinal);
        let state = &mut self.states[index];
        state.attempt += 1;
        state.ordinal = ordinal;
        state.step_id = Some(step_id.clone());
        state.start_ns = start_ns;
        let ctx = StepContext {
            view: View { shared: Arc::clone(&self.shared), index },
            step_id,
            attempt: state.attempt,
            deadline_ns: [step_deadline_ns, self.deadline_ns].into_iter().flatten().min(),
        };
        let mut attempt = Attempt::start(component, ctx);
        // most steps compute and end at once: they cost no task, no timer and no queue
        match Pin::new(&mut attempt).poll(cx) {
            Poll::Ready(answer) => {
                drop((attempt, held));
                self.ended(index, answer);
            }
            Poll::Pending => {
                state.phase = Phase::Working;
                state.held = Some(held);
                self.working += 1;
                let timeout = policy.timeout;
                self.signal(async move { Signal::Ended(index, attempt.within(timeout).await) });
            }
        }
    }

    /// Takes note of the end of an attempt and decides what follows.
    fn ended(&mut self, index: usize, answer: Result<Output, StepError>) {
        let now_ns = self.shared.clock.monotonic_ns();
        let by_fallback = self.states[index].by_fallback;
        match answer {
            Ok(mut output) => {
                let mut record = self.record(index, ResultKind::Success, now_ns);
                record.degraded = by_fallback;
                record.input_digest = output.input_digest.take();
                record.output_digest = output.output_digest.take();
                record.attributes = std::mem::take(&mut output.attributes);
                if let Verdict::Failure(message) = &output.verdict {
                    record.result = ResultKind::Failure;
                    record.error_type = Some("rejected".into());
                    record.error_message = Some(message.as_str().into());
                }
                let result = record.result;
                self.records.push(record);
                let passed = result == ResultKind::Success;
                let output = Some(output);
                self.done(index, Done { result, passed, degraded: by_fallback, output });
                self.settle(now_ns);
            }
            Err(error) => self.failed(index, &error, now_ns),
        }
    }

    fn failed(&mut self, index: usize, error: &StepError, now_ns: i64) {
        let policy = &self.plan.nodes()[index].step.policy;
        let state = &mut self.states[index];
        let decision = if state.by_fallback || self.stop.is_some() {
            Decision::Fail
        } else {
            let left = self.deadline_ns.map(|deadline_ns| duration(deadline_ns - now_ns));
            let random = random(self.shared.seed, index, state.attempt);
            policy.decide(error.class, state.attempt, random, left)
        };
        let result = match error.class {
            ErrorClass::Timeout => ResultKind::Timeout,
            ErrorClass::Cancelled => ResultKind::Cancellation,
            _ => ResultKind::Error,
        };
        let mut record = self.record(index, result, now_ns);
        record.degraded = decision == Decision::Degrade;
        record.error_type = Some((&*error.error_type).into());
        record.error_message = Some(error.message.as_str().into());
        record.attributes.insert("decision".to_owned(), decision.as_str().into());
        self.records.push(record);
        let state = &mut self.states[index];
        state.phase = Phase::Waiting;
        match decision {
            Decision::Retry { wait } => {
                state.backed_off_ns = now_ns;
                self.signal(async move {
                    tokio::time::sleep(wait).await;
                    Signal::BackedOff(index)
                });
            }
            Decision::Fallback => {
                state.by_fallback = true;
                state.wait_ns = 0;
                state.ready_ns = now_ns;
                self.schedule.push(self.plan, index);
            }
            Decision::Degrade | Decision::Fail => {
                let degraded = decision == Decision::Degrade;
                self.done(index, Done { result, passed: degraded, degraded, output: None });
                self.settle(now_ns);
            }
        }
    }

    fn queue_again(&mut self, index: usize) {
        let now_ns = self.shared.clock.monotonic_ns();
        let state = &mut self.states[index];
        state.wait_ns = now_ns - state.backed_off_ns;
        state.ready_ns = now_ns;
        self.schedule.push(self.plan, index);
    }

    /// Queues or skips the steps that wait for nothing more, and those that this releases.
    fn settle(&mut self, now_ns: i64) {
        let mut at = 0;
        while let Some(&index) = self.released.get(at) {
            at += 1;
            match self.may_start(index) {
                Ok(None) => {
                    self.states[index].ready_ns = now_ns;
                    self.schedule.push(self.plan, index);
                }
                Ok(Some(reason)) => self.refuse(index, ResultKind::Skip, None, reason, now_ns),
                Err(error) => {
                    let error_type = Some((&*error.error_type).into());
                    self.refuse(index, ResultKind::Error, error_type, error.message, now_ns);
                }
            }
        }
        self.released.clear();
    }

    /// Why a step is to be skipped, if it is; an error if its condition has none.
    fn may_start(&self, index: usize) -> Result<Option<String>, StepError> {
        let node = &self.plan.nodes()[index];
        let ends = node.dependencies.iter().filter_map(|&dependency| {
            Some((self.plan.step_name(dependency), self.shared.done(dependency)?))
        });
        if let Err(reason) = may_run(node.step.run_when, ends) {
            return Ok(Some(reason));
        }
        let Some(condition) = &node.step.condition else { return Ok(None) };
        let view = View { shared: Arc::clone(&self.shared), index };
        let holds = catch_unwind(AssertUnwindSafe(|| condition.holds(&view)))
            .unwrap_or_else(|panic| Err(StepError::panicked(&*panic)))
            .map_err(|error| {
                let message = format!("condition `{}`: {error}", condition.text());
                StepError::permanent("condition", message)
            })?;
        Ok((!holds).then(|| format!("condition `{}` does not hold", condition.text())))
    }

    /// Ends a step that was not, or not again, started.
    fn refuse(
        &mut self,
        index: usize,
        result: ResultKind,
        error_type: Option<Text>,
        reason: String,
        now_ns: i64,
    ) {
        let ordinal = self.shared.next_attempt();
        let state = &mut self.states[index];
        (state.ordinal, state.step_id) = (ordinal, Some(step_id(ordinal)));
        (state.ready_ns, state.start_ns) = (now_ns, now_ns);
        let mut record = self.record(index, result, now_ns);
        record.attempt += 1;
        record.tried = false;
        record.wait_ns = 0;
        record.error_type = error_type;
        match result {
            ResultKind::Error => record.error_message = Some(reason.into()),
            _ => drop(record.attributes.insert("reason".to_owned(), Json::String(reason))),
        }
        self.records.push(record);
        self.done(index, Done { result, passed: false, degraded: false, output: None });
    }

    fn record(&mut self, index: usize, result: ResultKind, now_ns: i64) -> Record {
        let state = &mut self.states[index];
        Record {
            index,
            ordinal: state.ordinal,
            step_id: state.step_id.take().unwrap_or_else(|| step_id(state.ordinal)),
            attempt: state.attempt,
            tried: true,
            by_fallback: state.by_fallback,
            result,
            degraded: false,
            error_type: None,
            error_message: None,
            start_ns: state.start_ns,
            duration_ns: now_ns - state.start_ns,
            queue_ns: state.start_ns - state.ready_ns,
            wait_ns: state.wait_ns,
            input_digest: None,
            output_digest: None,
            attributes: Map::new(),
        }
    }

    fn done(&mut self, index: usize, done: Done) {
        self.shared.done[index].get_or_init(|| done);
        self.states[index].phase = Phase::Done;
        self.unfinished -= 1;
        if self.stop.is_none() {
            self.schedule.finish(self.plan, index, &mut self.released);
        }
    }

    /// Starts nothing more, tells the working steps, and gives them a little time.
    fn stop(&mut self, stop: Stop) {
        if self.stop.is_some() || self.unfinished == 0 {
            return;
        }
        self.stop = Some(stop);
        self.schedule.clear();
        self.shared.cancel.cancel();
        let now_ns = self.shared.clock.monotonic_ns();
        for index in 0..self.states.len() {
            if self.states[index].phase == Phase::Waiting {
                let reason = stop.reason().to_owned();
                self.refuse(index, ResultKind::Cancellation, None, reason, now_ns);
            }
        }
        if self.working > 0 {
            let grace = self.grace;
            self.signal(async move {
                tokio::time::sleep(grace).await;
                Signal::GraceOver
            });
        }
    }

    /// Drops the steps that still work.
    fn abandon(&mut self) {
        let now_ns = self.shared.clock.monotonic_ns();
        self.signals.clear();
        self.working = 0;
        for index in 0..self.states.len() {
            if self.states[index].phase == Phase::Working {
                self.states[index].held = None;
                let mut record = self.record(index, ResultKind::Cancellation, now_ns);
                record.error_type = Some("cancelled".into());
                record.error_message = self.stop.map(|stop| stop.reason().into());
                self.records.push(record);
                let result = ResultKind::Cancellation;
                self.done(index, Done { result, passed: false, degraded: false, output: None });
            }
        }
    }
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
            backed_off_ns: 0,
            wait_ns: 0,
            held: None,
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn duration(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

#[cfg(test)]
mod tests;
