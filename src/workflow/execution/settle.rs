//! Steps that wait for nothing more: they queue, or end without having been tried.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value as Json;

use super::Execution;
use crate::event::Text;
use crate::workflow::context::View;
use crate::workflow::failure::StepError;
use crate::workflow::outcome::ResultKind;
use crate::workflow::record::step_id;
use crate::workflow::schedule::may_run;
use crate::workflow::shared::Done;

impl Execution<'_> {
    /// Queues or skips the steps that wait for nothing more, and those that this releases.
    pub(super) fn settle(&mut self, now_ns: i64) {
        let mut at = 0;
        while let Some(&index) = self.released.get(at) {
            at += 1;
            match self.may_start(index) {
                Ok(None) => {
                    self.states[index].ready_ns = now_ns;
                    self.schedule.push(self.plan, index, false);
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
    pub(super) fn refuse(
        &mut self,
        index: usize,
        result: ResultKind,
        error_type: Option<Text>,
        reason: String,
        now_ns: i64,
    ) {
        let ordinal = self.shared.root.next_attempt();
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
}
