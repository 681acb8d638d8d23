//! Steps that wait: for a place, and until when; and how long what they wait for may take.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::collections::HashSet;

use super::{Execution, Signal, duration, nanos};
use crate::workflow::attempt::Limit;
use crate::workflow::failure::StepError;
use crate::workflow::policy::{Choice, Reason};

impl Execution<'_> {
    /// A step may start for the first time.
    pub(super) fn queue_first(&mut self, index: usize, now_ns: i64) {
        let policy = &self.plan.nodes()[index].step.policy;
        if let Some(total) = policy.total_timeout {
            self.states[index].total_ns = Some(now_ns.saturating_add(nanos(total)));
        }
        self.queue(index, now_ns);
    }

    /// A step waits for a place.
    pub(super) fn queue(&mut self, index: usize, now_ns: i64) {
        let queue_timeout = self.plan.nodes()[index].step.policy.queue_timeout;
        let state = &mut self.states[index];
        state.ready_ns = now_ns;
        let queue_ns = queue_timeout.map(|it| now_ns.saturating_add(nanos(it)));
        let total_ns = state.total_ns.filter(|_| !state.by_fallback);
        state.until_ns = queue_ns.into_iter().chain(total_ns).min();
        self.schedule.push(self.plan, index, state.by_fallback);
        if let Some(until_ns) = state.until_ns {
            let look_ns = self.waits.begin(until_ns, index);
            self.look_at_waits(look_ns, now_ns);
        }
    }

    /// A step that waited starts.
    pub(super) fn end_wait(&mut self, index: usize) {
        if let Some(until_ns) = self.states[index].until_ns.take() {
            self.waits.end(until_ns, index);
        }
    }

    /// Ends the steps that have waited too long.
    pub(super) fn end_waits(&mut self) {
        if self.stop.is_some() {
            return;
        }
        let now_ns = self.clock.monotonic_ns();
        let (over, look_ns) = self.waits.over(now_ns);
        self.look_at_waits(look_ns, now_ns);
        self.schedule.remove(&over.iter().copied().collect::<HashSet<_>>());
        for index in over {
            let policy = &self.plan.nodes()[index].step.policy;
            let state = &mut self.states[index];
            let total = state.total_ns.is_some_and(|total_ns| state.until_ns == Some(total_ns));
            state.until_ns = None;
            let (error, reason) = match (total, policy.queue_timeout, policy.total_timeout) {
                (true, _, Some(limit)) => (StepError::took_too_long(limit), Reason::TotalDeadline),
                (_, limit, _) => {
                    let error = StepError::queued_too_long(limit.unwrap_or_default());
                    (error, Reason::QueueDeadline)
                }
            };
            let choice = if state.by_fallback { Choice::fail(reason) } else { policy.last(reason) };
            self.fail_unbegun(index, &error, choice, now_ns);
        }
    }

    fn look_at_waits(&mut self, look_ns: Option<i64>, now_ns: i64) {
        if let Some(look_ns) = look_ns {
            let left = duration(look_ns - now_ns);
            self.signal(async move {
                tokio::time::sleep(left).await;
                Signal::WaitOver
            });
        }
    }

    /// How long the attempt that starts now may take.
    pub(super) fn limit(&self, index: usize, now_ns: i64) -> Option<Limit> {
        let (node, state) = (&self.plan.nodes()[index], &self.states[index]);
        let policy = &node.step.policy;
        let one = self.shared.timeout(policy, node.lane(state.by_fallback)).map(|it| {
            let error = StepError::timed_out;
            Limit { duration: it, error, named: it }
        });
        let total_ns = state.total_ns.filter(|_| !state.by_fallback);
        let (Some(total_ns), Some(named)) = (total_ns, policy.total_timeout) else { return one };
        let left = duration(total_ns - now_ns);
        match one {
            Some(one) if one.duration <= left => Some(one),
            _ => Some(Limit { duration: left, error: StepError::took_too_long, named }),
        }
    }
}
