//! A run that a program records by hand: its steps, scores and findings, and its end. Runs nothing
//! itself; for work that is to be planned, retried and resumed there are pipelines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Recorder, RunRecorder};
use crate::clock::Clock;
use crate::error::{Error, Result, nearest};
use crate::event::{
    Event, EventSink, IssueRow, RunRow, RunStarted, ScoreRow, StepRow, Text, TimeUs,
};

/// How a run or a step may end.
const RESULTS: [&str; 6] = ["success", "failure", "error", "timeout", "cancellation", "skip"];
/// How bad a finding may be.
const LEVELS: [&str; 4] = ["none", "note", "warning", "error"];

/// A run that has begun. A run that is dropped before [`Run::finish`] stays open: when the store is
/// next recovered, it gets the result `error`, `abandoned`.
#[derive(Debug)]
pub struct Run {
    recorder: RunRecorder,
    clock: Arc<dyn Clock>,
    start_ns: i64,
    row: Mutex<RunRow>,
    steps: Mutex<i64>,
}

impl Recorder {
    /// Begins a run now.
    ///
    /// # Errors
    /// `Unavailable` when the store is open for reading only.
    pub fn run(&self, pipeline_name: &str) -> Result<Run> {
        let (clock, ids) = self.store().clock_and_ids()?;
        let start_ns = clock.monotonic_ns();
        let started = RunStarted {
            run_id: ids.next_id().to_string().into(),
            pipeline_name: pipeline_name.into(),
            start_time: TimeUs(clock.now_us()),
            tool_version: env!("CARGO_PKG_VERSION").into(),
            ..RunStarted::default()
        };
        let row = RunRow {
            run_id: started.run_id.clone(),
            pipeline_name: started.pipeline_name.clone(),
            tool_version: started.tool_version.clone(),
            start_time: started.start_time,
            strategy: "sequential".into(),
            ..RunRow::default()
        };
        let recorder = self.begin(started)?;
        Ok(Run { recorder, clock, start_ns, row: Mutex::new(row), steps: Mutex::new(0) })
    }
}

impl Run {
    /// Its id, as in the column `run_id`.
    pub fn id(&self) -> Text {
        self.row().run_id.clone()
    }

    /// Begins a step now.
    pub fn step(&self, name: &str) -> Step<'_> {
        let (start_time, start_ns) = (TimeUs(self.clock.now_us()), self.clock.monotonic_ns());
        Step { run: self, name: name.into(), start_time, start_ns }
    }

    /// Records a score of the run; the one called `quality` is also its `quality_score`.
    pub fn score(&self, name: &str, value: f64) -> Result<()> {
        if name == "quality" {
            self.row().quality_score = Some(value);
        }
        self.recorder.emit(Event::from(ScoreRow {
            run_id: self.id(),
            name: name.into(),
            value: Some(value),
            annotator_kind: "CODE".into(),
            time: TimeUs(self.clock.now_us()),
            ..ScoreRow::default()
        }))
    }

    /// Records a finding: a rule, its level (`note`, `warning`, `error`) and what it says.
    ///
    /// # Errors
    /// `Invalid` for another level.
    pub fn issue(&self, rule_id: &str, level: &str, message: &str) -> Result<()> {
        known("level", level, &LEVELS)?;
        let mut row = self.row();
        match level {
            "error" => row.error_count += 1,
            "warning" => row.warning_count += 1,
            "note" => row.note_count += 1,
            _ => {}
        }
        let run_id = row.run_id.clone();
        drop(row);
        // the same rule with the same words is the same finding, in whatever run
        let fingerprint = blake3::hash(format!("{rule_id}\n{message}").as_bytes());
        self.recorder.emit(Event::from(IssueRow {
            run_id,
            validator_name: rule_id.split('.').next().unwrap_or(rule_id).into(),
            rule_id: rule_id.into(),
            level: level.into(),
            message: message.into(),
            fingerprint: fingerprint.to_hex().as_str().into(),
            time: TimeUs(self.clock.now_us()),
            ..IssueRow::default()
        }))
    }

    /// Ends the run: `success`, `failure` (what was made is not good enough), `error`, `timeout`,
    /// `cancellation` or `skip`. When this returns, all of the run is durable; its row is given.
    ///
    /// # Errors
    /// `Invalid` for another result; any other means that the run is not recorded.
    pub async fn finish(self, result: &str) -> Result<RunRow> {
        known("result", result, &RESULTS)?;
        let mut row = self.row.into_inner().unwrap_or_else(PoisonError::into_inner);
        row.result = result.into();
        row.end_time = TimeUs(self.clock.now_us().max(row.start_time.0));
        row.duration_ns = self.clock.monotonic_ns() - self.start_ns;
        self.recorder.finish(row.clone()).await?;
        Ok(row)
    }

    fn row(&self) -> MutexGuard<'_, RunRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step that has begun. Dropped before [`Step::finish`], it is not recorded.
#[derive(Debug)]
#[must_use = "a step is recorded when it is finished"]
pub struct Step<'r> {
    run: &'r Run,
    name: Text,
    start_time: TimeUs,
    start_ns: i64,
}

impl Step<'_> {
    /// Ends the step, by the same results as a run. Steps count as done one after the other.
    ///
    /// # Errors
    /// `Invalid` for another result.
    pub fn finish(self, result: &str) -> Result<()> {
        known("result", result, &RESULTS)?;
        let run = self.run;
        let duration_ns = run.clock.monotonic_ns() - self.start_ns;
        let ordinal = {
            let mut steps = run.steps.lock().unwrap_or_else(PoisonError::into_inner);
            *steps += 1;
            *steps
        };
        let mut row = run.row();
        row.work_ns += duration_ns;
        row.critical_path_ns += duration_ns;
        let (run_id, pipeline_name) = (row.run_id.clone(), row.pipeline_name.clone());
        drop(row);
        run.recorder.emit(Event::from(StepRow {
            run_id,
            step_id: format!("{ordinal:016x}").into(),
            pipeline_name,
            step_name: self.name,
            attempt: 1,
            result: result.into(),
            start_time: self.start_time,
            duration_ns,
            on_critical_path: true,
            ..StepRow::default()
        }))
    }
}

fn known(what: &str, given: &str, known: &[&'static str]) -> Result<()> {
    if known.contains(&given) {
        return Ok(());
    }
    let error = Error::invalid(format!("there is no {what} {given:?}"));
    Err(match nearest(given, known.iter().copied()) {
        Some(near) => error.with_hint(format!("did you mean {near}?")),
        None => error.with_hint(format!("it is one of {}", known.join(", "))),
    })
}
