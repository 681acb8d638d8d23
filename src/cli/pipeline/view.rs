//! A line that says how a run gets on: on a terminal's stderr, and nowhere else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

use super::super::{Context, progress};
use crate::event::Watch;
use crate::output::escape;
use crate::workflow::{Plan, Workflow, span};

/// What the line shows while steps work.
const BAR: &str = "{bar:30} {pos}/{len} steps, {elapsed}{prefix} {wide_msg}";

/// How a run gets on.
#[derive(Debug)]
pub(super) struct View {
    bar: ProgressBar,
    plan: Arc<Plan>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    working: BTreeSet<String>,
    unsuccessful: usize,
}

impl View {
    /// `None` where nobody looks on.
    pub(super) fn new(workflow: &Workflow, context: &Context) -> Option<Arc<Self>> {
        if !context.env.terminal.stderr {
            return None;
        }
        let bar = progress::bar(BAR, workflow.plan.len() as u64, context);
        if let Some(expected_ns) = workflow.expected_ns() {
            bar.set_prefix(format!(" of about {}", span(expected_ns)));
        }
        let state = Mutex::default();
        Some(Arc::new(Self { bar, plan: Arc::clone(&workflow.plan), state }))
    }

    /// Takes the line away, so that others can write.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let names: Vec<&str> = state.working.iter().map(String::as_str).collect();
        let failed = match state.unsuccessful {
            0 => String::new(),
            count => format!("{count} not successful; "),
        };
        self.bar.set_message(format!("{failed}{}", escape(&names.join(", "))));
    }
}

impl Watch for View {
    fn working(&self, step_name: &str) {
        self.change(|state| {
            state.working.insert(step_name.to_owned());
        });
    }

    fn ended(&self, step_name: &str, result: &str) {
        // steps of lists come on top of those that the plan has
        if self.plan.find(step_name).is_some() {
            self.bar.inc(1);
        }
        self.change(|state| {
            state.working.remove(step_name);
            state.unsuccessful += usize::from(!matches!(result, "success" | "skip"));
        });
    }
}
