//! Taking effects back: when a plan has failed, the undo components of the steps that had succeeded
//! run one after the other, the last to end first. Decides nothing about the run.
//!
//! A saga, H. Garcia-Molina and K. Salem, SIGMOD 1987. An undo waits for no place: what goes wrong
//! must not keep it from running, and only one of a plan works at a time.

use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempt, Held, Limit};
use super::cancel::Cancel;
use super::context::{StepContext, View};
use super::execution::{duration, nanos};
use super::failure::StepError;
use super::record::{Record, step_id};
use super::shared::{Kept, Shared};

/// A step that has succeeded and can be taken back.
pub(super) struct Undo {
    pub(super) shared: Arc<Shared>,
    pub(super) index: usize,
}

/// Takes back what is on the list, the last first, within the run's grace for it. One that is
/// interrupted stays on the list. Returns what went wrong, in words.
pub(super) async fn undo_all(list: &mut Vec<Undo>, reason: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let Some(root) = list.last().map(|undo| Arc::clone(&undo.shared.root)) else {
        return failures;
    };
    let end_ns = root.clock.monotonic_ns().saturating_add(nanos(root.run.undo_grace));
    while let Some(undo) = list.last() {
        let left = duration(end_ns - root.clock.monotonic_ns());
        if let Err(error) = undo.run(reason, left).await {
            failures.push(format!("could not undo `{}`: {error}", undo.name()));
        }
        list.pop();
    }
    failures
}

impl Undo {
    fn name(&self) -> String {
        format!("{}{}", self.shared.prefix, self.shared.plan.step_name(self.index))
    }

    /// Calls the component once and keeps the row.
    async fn run(&self, reason: &str, left: Duration) -> Result<(), StepError> {
        let root = &self.shared.root;
        let Some(node) = self.shared.plan.nodes().get(self.index) else { return Ok(()) };
        let (Some(component), Some(other)) = (&node.step.undo, &node.undo) else { return Ok(()) };
        let start_ns = root.clock.monotonic_ns();
        let limit = limit(self.shared.timeout(&node.step.policy, other.lane), left);
        let ordinal = root.next_attempt();
        let ctx = StepContext {
            view: View { shared: Arc::clone(&self.shared), index: self.index },
            step_id: step_id(ordinal),
            attempt: 1,
            deadline_ns: Some(start_ns.saturating_add(nanos(limit.duration))),
            composite: None,
            // not the wish that ended the run: that must not end this
            undo: Some(Cancel::new()),
        };
        let answer = if left.is_zero() {
            Err((limit.error)(limit.named))
        } else {
            let attempt = Attempt::start(component, other.lane, ctx, &mut Held::default());
            attempt.within(Some(limit)).await
        };
        let duration_ns = root.clock.monotonic_ns() - start_ns;
        let record = Record::undo(self.index, ordinal, start_ns, duration_ns, &answer, reason);
        let row = record.into_row(&self.shared, false);
        root.keep(row.into_iter().map(|row| Kept { ordinal, within: None, composite: None, row }));
        answer.map(drop)
    }
}

fn limit(timeout: Option<Duration>, left: Duration) -> Limit {
    match timeout {
        Some(timeout) if timeout <= left => {
            Limit { duration: timeout, error: StepError::timed_out, named: timeout }
        }
        _ => Limit { duration: left, error: |_| StepError::no_time_to_undo(), named: left },
    }
}
