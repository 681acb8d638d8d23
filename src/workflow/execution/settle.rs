//! Steps that wait for nothing more: they queue, or end without having been tried.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Execution;
use crate::workflow::context::View;
use crate::workflow::failure::StepError;
use crate::workflow::outcome::ResultKind;
use crate::workflow::record::{Record, step_id};
use crate::workflow::schedule::{Bar, may_run};
use crate::workflow::shared::Done;

impl Execution<'_> {
    /// Queues or skips the steps that wait for nothing more, and those that this releases.
    pub(super) fn settle(&mut self, now_ns: i64) {
        let mut at = 0;
        while let Some(&index) = self.released.get(at) {
            at += 1;
            match self.may_start(index) {
                Ok(()) => self.queue_first(index, now_ns),
                Err(Refusal::Skip(bar)) => self.skip(index, bar, now_ns),
                Err(Refusal::Error(error)) => {
                    let mut record = self.untried(index, ResultKind::Error, now_ns);
                    record.error_type = Some((&*error.error_type).into());
                    record.error_message = Some(error.message.into());
                    record.class = Some(error.class);
                    self.records.push(record);
                    self.done(index, Done::without_output(ResultKind::Error));
                }
            }
        }
        self.released.clear();
    }

    /// Whether a step that waits for nothing more may queue.
    fn may_start(&self, index: usize) -> Result<(), Refusal> {
        let node = &self.plan.nodes()[index];
        let ends = node.dependencies.iter().filter_map(|&dependency| {
            Some((self.plan.step_name(dependency), self.shared.done(dependency)?))
        });
        may_run(node.step.run_when, ends).map_err(Refusal::Skip)?;
        let Some(condition) = &node.step.condition else { return Ok(()) };
        let view = View { shared: Arc::clone(&self.shared), index };
        let question = condition.question.as_ref().and_then(|it| self.plan.find(it));
        if let Some(question) = question
            && let Some(done) = self.shared.done(question).filter(|it| it.failed())
        {
            let (name, result) = (self.plan.step_name(question), done.result);
            let reason = format!("`{name}`, which decides on it, ended as {result}");
            return Err(Refusal::Skip(Bar { reason, by_failure: true }));
        }
        let text = condition.text();
        match catch_unwind(AssertUnwindSafe(|| condition.holds(&view)))
            .unwrap_or_else(|panic| Err(StepError::panicked(&*panic)))
        {
            Ok(true) => Ok(()),
            Ok(false) => {
                let reason = format!("condition `{text}` does not hold");
                Err(Refusal::Skip(Bar { reason, by_failure: false }))
            }
            Err(error) => {
                // an expression says by itself which one it is
                let message = match error.message.starts_with(&format!("`{text}`")) {
                    true => format!("condition {error}"),
                    false => format!("condition `{text}`: {error}"),
                };
                Err(Refusal::Error(StepError::permanent("condition", message)))
            }
        }
    }

    fn skip(&mut self, index: usize, bar: Bar, now_ns: i64) {
        let mut record = self.untried(index, ResultKind::Skip, now_ns);
        let cause = if bar.by_failure { "failure" } else { "condition" };
        record.attributes.insert("reason".to_owned(), bar.reason.into());
        record.attributes.insert("cause".to_owned(), cause.into());
        self.records.push(record);
        let done = Done { barred: bar.by_failure, ..Done::without_output(ResultKind::Skip) };
        self.done(index, done);
    }

    /// The record of a step that is not tried.
    pub(super) fn untried(&mut self, index: usize, result: ResultKind, now_ns: i64) -> Record {
        let state = &mut self.states[index];
        (state.ready_ns, state.wait_ns) = (now_ns, 0);
        self.unbegun(index, result, now_ns)
    }

    /// The record of an attempt that was waited for but not begun.
    pub(super) fn unbegun(&mut self, index: usize, result: ResultKind, now_ns: i64) -> Record {
        let ordinal = self.shared.root.next_attempt();
        let state = &mut self.states[index];
        (state.ordinal, state.step_id) = (ordinal, Some(step_id(ordinal)));
        state.start_ns = now_ns;
        state.attempt += 1;
        let mut record = self.record(index, result, now_ns);
        record.tried = false;
        record
    }
}

/// Why a step does not queue.
enum Refusal {
    Skip(Bar),
    /// Its condition has no answer.
    Error(StepError),
}
