//! The end of a run before its time: no step starts, working ones are told, then left.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::sync::atomic::Ordering;

use super::{Execution, Phase, Signal};
use crate::workflow::outcome::ResultKind;
use crate::workflow::shared::Done;
use crate::workflow::summary::Stop;

impl Execution<'_> {
    pub(super) fn should_stop(&self, now_ns: i64) -> Option<Stop> {
        if self.unfinished == 0 {
            return None;
        }
        if self.shared.root.sink_failed.load(Ordering::Acquire) {
            return Some(Stop::Sink);
        }
        if self.cancel.is_cancelled() {
            return Some(Stop::Cancelled);
        }
        let (deadline_ns, stop) = self.deadline?;
        (now_ns >= deadline_ns).then_some(stop)
    }

    /// Starts nothing more, tells the working steps, and gives them a little time.
    pub(super) fn stop(&mut self, stop: Stop) {
        if self.stop.is_some() || self.unfinished == 0 {
            return;
        }
        self.stop = Some(stop);
        self.schedule.clear();
        self.shared.cancel.cancel();
        let now_ns = self.clock.monotonic_ns();
        for index in 0..self.states.len() {
            if self.states[index].phase == Phase::Waiting {
                let mut record = self.untried(index, ResultKind::Cancellation, now_ns);
                record.attributes.insert("reason".to_owned(), stop.reason().into());
                self.records.push(record);
                self.done(index, Done::without_output(ResultKind::Cancellation));
            }
        }
        let grace = if stop.is_at_once() { std::time::Duration::ZERO } else { self.grace };
        if grace.is_zero() {
            self.abandon();
        } else if self.unfinished > 0 {
            self.signal(async move {
                tokio::time::sleep(grace).await;
                Signal::GraceOver
            });
        }
    }

    /// Ends everything at once: nobody waits for the end any more.
    pub(in crate::workflow) fn give_up(&mut self) {
        self.stop(Stop::GivenUp);
        self.abandon();
    }

    /// Drops the steps that still work.
    pub(super) fn abandon(&mut self) {
        // inner plans write their records as they are dropped
        self.signals.clear();
        let now_ns = self.clock.monotonic_ns();
        self.working = 0;
        for index in 0..self.states.len() {
            if self.states[index].phase == Phase::Working {
                self.states[index].held = None;
                let mut record = self.record(index, ResultKind::Cancellation, now_ns);
                record.error_type = Some("cancelled".into());
                record.error_message = self.stop.map(|stop| stop.reason().into());
                self.records.push(record);
                self.done(index, Done::without_output(ResultKind::Cancellation));
            }
        }
    }
}
