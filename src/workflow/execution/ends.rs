//! The end of an attempt: its record, and what follows for the step.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;

use super::{Execution, Phase, Signal, duration};
use crate::workflow::component::{Output, Verdict};
use crate::workflow::door::Answer;
use crate::workflow::failure::{ErrorClass, StepError};
use crate::workflow::outcome::ResultKind;
use crate::workflow::plan::FIRST_RESOURCE;
use crate::workflow::policy::{Choice, Decision, Reason, random};
use crate::workflow::record::{Record, result_of, step_id};
use crate::workflow::shared::Done;
use crate::workflow::undo::Undo;

impl Execution<'_> {
    /// Takes note of the end of an attempt and decides what follows.
    pub(super) fn ended(&mut self, index: usize, answer: Result<Output, StepError>) {
        let now_ns = self.clock.monotonic_ns();
        let by_fallback = self.states[index].by_fallback;
        match answer {
            Ok(mut output) => {
                let mut record = self.record(index, ResultKind::Success, now_ns);
                let inside = record.sums().is_some_and(|it| it.degraded);
                let degraded = by_fallback || output.degraded || inside;
                record.degraded = degraded;
                record.cached = output.cached;
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
                if passed && self.plan.nodes()[index].undo.is_some() {
                    self.undos.push(Undo { shared: Arc::clone(&self.shared), index });
                }
                let output = Some(output);
                self.done(index, Done { result, passed, barred: false, degraded, output });
                self.settle(now_ns);
            }
            Err(error) => {
                if let Err(error) = self.undo_first(index, error) {
                    self.failed(index, &error, now_ns);
                }
            }
        }
    }

    fn failed(&mut self, index: usize, error: &StepError, now_ns: i64) {
        let choice = self.decide(index, error, 0, now_ns);
        let record = self.record(index, result_of(error.class), now_ns);
        self.follow(record, error, choice, now_ns);
    }

    /// What follows an error of the last attempt, or of the one after it that could not begin.
    pub(super) fn decide(&self, index: usize, error: &StepError, more: u32, now_ns: i64) -> Choice {
        let state = &self.states[index];
        if self.stop.is_some() {
            return Choice::fail(Reason::Stopping);
        }
        if state.by_fallback {
            return Choice::fail(Reason::FallbackFailed);
        }
        let ends_ns = [self.deadline.map(|(deadline_ns, _)| deadline_ns), state.total_ns];
        let left = ends_ns.into_iter().flatten().min().map(|it| duration(it - now_ns));
        let attempt = state.attempt.saturating_add(more);
        let random = random(self.shared.seed, index, attempt);
        let policy = &self.plan.nodes()[index].step.policy;
        let Some(class) = self.until_door_opens(index, error.class, now_ns) else {
            return policy.decide(error.class, attempt, random, left);
        };
        let mut choice = policy.decide(class, attempt, random, left);
        if more > 0 || matches!(choice.decision, Decision::Retry { .. }) {
            choice.reason = Reason::CircuitOpen;
        }
        choice
    }

    /// The class of an error with the time for which the step's resource is left alone, if it is:
    /// to try before that would only use up an attempt.
    fn until_door_opens(&self, index: usize, class: ErrorClass, now_ns: i64) -> Option<ErrorClass> {
        let at = self.plan.nodes()[index].slot.checked_sub(FIRST_RESOURCE)?;
        let Answer::No(shut) = self.resources[at].door.ask(now_ns) else { return None };
        match (class, shut.class) {
            (ErrorClass::Permanent | ErrorClass::Cancelled, _) => None,
            (
                ErrorClass::RateLimited { retry_after: Some(asked) },
                ErrorClass::RateLimited { retry_after: Some(left) },
            ) => Some(ErrorClass::RateLimited { retry_after: Some(asked.max(left)) }),
            (_, shut) => Some(shut),
        }
    }

    /// Takes note that an attempt could not begin.
    pub(super) fn fail_unbegun(
        &mut self,
        index: usize,
        error: &StepError,
        choice: Choice,
        now_ns: i64,
    ) {
        let record = self.unbegun(index, result_of(error.class), now_ns);
        self.follow(record, error, choice, now_ns);
    }

    /// Does what was decided after a failure.
    fn follow(&mut self, mut record: Record, error: &StepError, choice: Choice, now_ns: i64) {
        let (index, result, decision) = (record.index, record.result, choice.decision);
        record.class = Some(error.class);
        record.degraded = decision == Decision::Degrade;
        record.error_type = Some((&*error.error_type).into());
        record.error_message = Some(error.message.as_str().into());
        record.attributes.insert("decision".to_owned(), decision.as_str().into());
        record.attributes.insert("reason".to_owned(), choice.reason.as_str().into());
        if let Decision::Retry { wait } = decision {
            record.attributes.insert("wait_ms".to_owned(), millis(wait).into());
        }
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
                self.queue(index, now_ns);
            }
            Decision::Degrade | Decision::Fail => {
                let degraded = decision == Decision::Degrade;
                let done = Done { passed: degraded, degraded, ..Done::without_output(result) };
                self.done(index, done);
                self.settle(now_ns);
            }
        }
    }

    pub(super) fn queue_again(&mut self, index: usize) {
        let now_ns = self.clock.monotonic_ns();
        let state = &mut self.states[index];
        state.wait_ns = now_ns - state.backed_off_ns;
        self.queue(index, now_ns);
    }

    pub(super) fn record(&mut self, index: usize, result: ResultKind, now_ns: i64) -> Record {
        let state = &mut self.states[index];
        let composite = state.composite.take();
        if let Some(composite) = &composite {
            composite.inside.close();
            self.undos.extend(composite.take_undos());
        }
        Record {
            index,
            ordinal: state.ordinal,
            step_id: state.step_id.take().unwrap_or_else(|| step_id(state.ordinal)),
            attempt: state.attempt,
            tried: true,
            by_fallback: state.by_fallback,
            result,
            degraded: false,
            cached: false,
            error_type: None,
            error_message: None,
            start_ns: state.start_ns,
            duration_ns: now_ns - state.start_ns,
            queue_ns: state.start_ns - state.ready_ns,
            wait_ns: state.wait_ns,
            input_digest: None,
            output_digest: None,
            attributes: Map::new(),
            class: None,
            composite,
            undo: false,
        }
    }

    pub(super) fn done(&mut self, index: usize, done: Done) {
        self.tell(|watch, name| watch.ended(name, done.result.as_str()), index);
        self.shared.done[index].get_or_init(|| done);
        self.states[index].phase = Phase::Done;
        self.unfinished -= 1;
        if self.stop.is_none() {
            self.schedule.finish(self.plan, index, &mut self.released);
        }
    }
}

/// Milliseconds, rounded up as the timer does.
fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
