//! The settings of runs and of the packages that they write. Data only.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::setting::{Fault, count, time, times, within};
use crate::workflow::Run;

/// Steps that work at a time are bounded by this.
const JOBS_MAX: u64 = 1_024;

/// How runs are carried out. In a file the names carry no unit, and the values do:
/// `run_timeout = "1h"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunSettings {
    /// Steps that work at a time, over all runs; at 0, as many as there are cores.
    pub jobs: usize,
    /// Steps of one run that work at a time, unless its pipeline says how many.
    pub run_jobs_max: usize,
    /// The longest time of a run, unless its pipeline says how long; at 0, any.
    #[serde(rename = "run_timeout", with = "times")]
    pub run_timeout_ms: u64,
    /// The longest time of one attempt of a step that says nothing of it; at 0, that of its run.
    #[serde(rename = "step_timeout", with = "times")]
    pub step_timeout_ms: u64,
    /// How long working steps may go on after the wish to stop; then they are dropped.
    #[serde(rename = "grace", with = "times")]
    pub grace_ms: u64,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            jobs: 0,
            run_jobs_max: 8,
            run_timeout_ms: 3_600_000,
            step_timeout_ms: 300_000,
            grace_ms: 1_000,
        }
    }
}

impl RunSettings {
    /// Checks each setting and how they relate.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting and the bound.
    pub fn validate(&self) -> Result<(), Fault> {
        within("workflow.jobs", self.jobs as u64, (0, JOBS_MAX), count)?;
        within("workflow.run_jobs_max", self.run_jobs_max as u64, (1, JOBS_MAX), count)?;
        let (run, step) = (self.run_timeout_ms, self.step_timeout_ms);
        if run != 0 && step > run {
            return Err(Fault::new(
                &["workflow.step_timeout", "workflow.run_timeout"],
                format!(
                    "workflow.step_timeout is {}, but must be at most workflow.run_timeout, which \
                     is {}",
                    time(step),
                    time(run)
                ),
            ));
        }
        Ok(())
    }

    /// Steps that work at a time on this machine.
    pub fn jobs(&self) -> usize {
        match self.jobs {
            0 => available_parallelism().map_or(1, NonZeroUsize::get),
            jobs => jobs,
        }
    }

    /// The run under these settings.
    pub fn run(&self, mut run: Run) -> Run {
        run.concurrency_max = self.run_jobs_max;
        run.timeout = limit(self.run_timeout_ms);
        run.step_timeout = limit(self.step_timeout_ms);
        run.grace = Duration::from_millis(self.grace_ms);
        run
    }
}

fn limit(ms: u64) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms))
}

/// Where packages go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackageSettings {
    /// Folder for the generated packages.
    pub out: PathBuf,
    /// Whether the generated files are synced to disk.
    pub fsync: bool,
    /// Folder of templates that stand in the place of the built-in ones; empty for none.
    pub templates: PathBuf,
}

impl Default for PackageSettings {
    fn default() -> Self {
        Self { out: PathBuf::from("generated"), fsync: false, templates: PathBuf::new() }
    }
}

impl PackageSettings {
    /// Checks each setting.
    ///
    /// # Errors
    /// A [`Fault`] that names the setting.
    pub fn validate(&self) -> Result<(), Fault> {
        if self.out.as_os_str().is_empty() {
            let message = "pipeline.out is empty, but must name a folder; \".\" is this one";
            return Err(Fault::new(&["pipeline.out"], message));
        }
        Ok(())
    }
}
