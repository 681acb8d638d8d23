//! A line that says how a run gets on: on a terminal's stderr, and nowhere else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

use super::super::{Context, progress};
use crate::clock::Clock;
use crate::event::Watch;
use crate::output::escape;
use crate::workflow::{Cancel, Plan, Workflow, span};

/// What the line shows while steps work.
const BAR: &str = "{bar:30} {pos}/{len} steps, {elapsed}{prefix}{paused}{msg}";

/// Working steps that the line names.
const NAMES_MAX: usize = 4;

/// How a run gets on.
#[derive(Debug)]
pub(super) struct View {
    bar: ProgressBar,
    plan: Arc<Plan>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When steps began to work, by name: those of a list have one in common.
    working: BTreeMap<String, Vec<i64>>,
    tally: progress::Tally,
}

impl View {
    /// `None` where nobody looks on.
    pub(super) fn new(
        workflow: &Workflow,
        cancel: &Cancel,
        context: &Context,
    ) -> Option<Arc<Self>> {
        if !context.env.terminal.stderr {
            return None;
        }
        let bar = progress::steered(BAR, workflow.plan.len() as u64, cancel, context);
        if let Some(expected_ns) = workflow.expected_ns() {
            bar.set_prefix(format!(" of about {}", span(expected_ns)));
        }
        let state = State { working: BTreeMap::new(), tally: progress::Tally::new() };
        let (plan, clock) = (Arc::clone(&workflow.plan), Arc::clone(&context.clock));
        Some(Arc::new(Self { bar, plan, clock, state: Mutex::new(state) }))
    }

    /// Takes the line away, so that others can write.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let names = state.names();
        let working = (!names.is_empty()).then(|| format!("at work: {}", names.join(", ")));
        let parts = state.tally.parts().into_iter().chain(working);
        self.bar.set_message(parts.map(|it| format!(", {}", escape(&it))).collect::<String>());
    }
}

impl State {
    fn names(&self) -> Vec<String> {
        let name = |(name, starts): (&String, &Vec<i64>)| match starts.len() {
            1 => name.clone(),
            count => format!("{count} × {name}"),
        };
        let more = match self.working.len().saturating_sub(NAMES_MAX) {
            0 => None,
            count => Some(format!("{count} more")),
        };
        self.working.iter().take(NAMES_MAX).map(name).chain(more).collect()
    }

    /// When the step began to work that has ended now: of several, the first.
    fn take(&mut self, step_name: &str) -> Option<i64> {
        let starts = self.working.get_mut(step_name)?;
        let start_ns = starts.remove(0);
        if starts.is_empty() {
            self.working.remove(step_name);
        }
        Some(start_ns)
    }
}

impl Watch for View {
    fn working(&self, step_name: &str) {
        let now_ns = self.clock.monotonic_ns();
        self.change(|state| state.working.entry(step_name.to_owned()).or_default().push(now_ns));
    }

    fn ended(&self, step_name: &str, result: &str) {
        // steps of lists come on top of those that the plan has
        if self.plan.find(step_name).is_some() {
            self.bar.inc(1);
        }
        let now_ns = self.clock.monotonic_ns();
        self.change(|state| {
            let duration_ns = state.take(step_name).map(|it| now_ns - it);
            state.tally.add(matches!(result, "success" | "skip"), duration_ns);
        });
    }
}
