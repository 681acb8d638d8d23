//! Which runs have begun and not ended. Pure: fed with events in their order.

use std::collections::HashMap;

use crate::event::{Event, Row, RunStarted, Text};

/// Runs that have begun and not ended.
#[derive(Debug, Clone, Default)]
pub struct OpenRuns {
    runs: HashMap<Text, RunStarted>,
}

impl OpenRuns {
    /// The runs that a file's header names.
    pub fn new(runs: impl IntoIterator<Item = RunStarted>) -> Self {
        Self { runs: runs.into_iter().map(|run| (run.run_id.clone(), run)).collect() }
    }

    /// Takes notice of an event.
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::RunStarted(run) => {
                self.runs.insert(run.run_id.clone(), run.clone());
            }
            Event::Row(Row::Runs(run)) => {
                self.runs.remove(&run.run_id);
            }
            Event::Row(_) => {}
        }
    }

    /// Whether no run is open.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The open runs, oldest first.
    pub fn to_vec(&self) -> Vec<RunStarted> {
        let mut runs: Vec<_> = self.runs.values().cloned().collect();
        runs.sort_by(|a, b| (a.start_time, &a.run_id).cmp(&(b.start_time, &b.run_id)));
        runs
    }
}
