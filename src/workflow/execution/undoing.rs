//! When effects are taken back: those inside of a step that failed before anything follows for it,
//! and those of a plan that has failed at its end.
#![allow(clippy::indexing_slicing, reason = "one entry per step of one plan")]

use std::sync::Arc;

use super::{Execution, Phase, Signal};
use crate::workflow::failure::StepError;
use crate::workflow::inside::Composite;
use crate::workflow::outcome::ResultKind;
use crate::workflow::summary::{Stop, verdict};
use crate::workflow::undo::{Undo, undo_all};

/// A list that goes back to where it came from, should its work be interrupted.
struct Borrowed {
    list: Vec<Undo>,
    composite: Arc<Composite>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.composite.add_undos(std::mem::take(&mut self.list));
    }
}

impl Execution<'_> {
    /// Takes back first what was done inside of a step that has failed; its end comes again when
    /// that is over. Returns the error if there is nothing to take back now.
    pub(super) fn undo_first(
        &mut self,
        index: usize,
        mut error: StepError,
    ) -> Result<(), StepError> {
        let composite = self.states[index].composite.clone().filter(|_| self.stop.is_none());
        let Some(composite) = composite else { return Err(error) };
        let list = composite.take_undos();
        if list.is_empty() {
            return Err(error);
        }
        // nothing more begins inside, but the step has not ended yet
        composite.inside.close();
        self.states[index].phase = Phase::Working;
        self.working += usize::from(self.counts(index));
        // from now on, and not only once it is polled: it may be dropped before
        let mut borrowed = Borrowed { list, composite };
        self.signal(async move {
            for failure in undo_all(&mut borrowed.list, "the step around it failed").await {
                error.message = format!("{}; {failure}", error.message);
            }
            Signal::Ended(index, Err(error))
        });
        Ok(())
    }

    /// Takes back what a plan has done that has failed by itself. What a plan inside of a step has
    /// done that is stopped with everything around it is taken back by the outermost, in order.
    pub(in crate::workflow) async fn undo(&mut self) {
        let inner = self.shared.inner.is_some();
        if self.undos.is_empty() || inner && !matches!(self.stop, None | Some(Stop::StepDeadline)) {
            return;
        }
        let (result, _) = verdict(&self.shared, &self.records, self.stop);
        if matches!(result, ResultKind::Success | ResultKind::Skip) {
            return;
        }
        let reason = format!("the run ended as {result}");
        self.undo_failures = undo_all(&mut self.undos, &reason).await;
    }

    /// What would have to be taken back if something around the plan fails.
    pub(in crate::workflow) fn take_undos(&mut self) -> Vec<Undo> {
        std::mem::take(&mut self.undos)
    }
}
