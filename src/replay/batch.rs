//! Many runs at a time: started in order, bounded in number, each acknowledged on its own.

use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};

use crate::clock::{Clock, IdSource};
use crate::error::{Error, Result};
use crate::event::{BatchRow, EventSink, RunRow, RunStarted, Text, TimeUs};
use crate::pipeline::{NodeGeneration, PIPELINE, Report, Task};
use crate::recorder::{Recorder, RunRecorder};
use crate::workflow::{Cancel, Engine, Limits};

/// Runs in flight per place to work at: while some wait for the disk, others work.
const RUNS_PER_JOB: usize = 2;

/// What all runs share.
#[derive(Debug)]
pub struct Workshop {
    /// The pipeline.
    pub pipeline: NodeGeneration,
    /// Where rows go.
    pub recorder: Recorder,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdSource>,
    /// Steps that work at a time.
    pub jobs: usize,
}

/// The contracts of one batch.
#[derive(Debug)]
pub struct Batch {
    /// Name given by the user.
    pub name: Option<String>,
    /// The set as the user named it.
    pub uri: String,
    /// Its files, in order.
    pub files: Vec<PathBuf>,
}

impl Workshop {
    /// Runs one contract and returns when its rows are durable.
    pub async fn run(&self, task: Task, batch_id: Option<Text>, cancel: &Cancel) -> Result<Report> {
        self.run_with(task, batch_id, Limits::new(self.jobs), cancel).await
    }

    async fn run_with(
        &self,
        task: Task,
        batch_id: Option<Text>,
        limits: Limits,
        cancel: &Cancel,
    ) -> Result<Report> {
        let started = RunStarted {
            run_id: self.ids.next_id().to_string().into(),
            batch_id,
            pipeline_name: PIPELINE.into(),
            contract_name: None,
            start_time: TimeUs(self.clock.now_us()),
            tool_version: env!("CARGO_PKG_VERSION").into(),
        };
        let recorder = Arc::new(self.recorder.begin(started.clone())?);
        let sink: Arc<dyn EventSink> = Arc::<RunRecorder>::clone(&recorder);
        let engine = Engine { clock: Arc::clone(&self.clock), sink, limits };
        let report = self.pipeline.execute(task, &started, &engine, cancel).await?;
        recorder.finish(report.run.clone()).await?;
        Ok(report)
    }

    /// Runs every contract of a batch, then records the batch. `seen` is called for each run once
    /// its rows are durable, in the order in which that happens.
    ///
    /// A cancelled batch starts no more runs, ends those that work, and is recorded as such. An
    /// error of `seen` cancels the batch and is returned; any other means that rows can no longer
    /// be recorded.
    pub async fn replay(
        self: &Arc<Self>,
        batch: Batch,
        cancel: &Cancel,
        mut seen: impl FnMut(&Report) -> Result<()>,
    ) -> Result<BatchRow> {
        let mut row = BatchRow {
            batch_id: self.ids.next_id().to_string().into(),
            name: batch.name.map(Text::from),
            uri: batch.uri.into(),
            pipeline_name: PIPELINE.into(),
            start_time: TimeUs(self.clock.now_us()),
            total: i64::try_from(batch.files.len()).unwrap_or(i64::MAX),
            ..BatchRow::default()
        };
        let limits = Limits::new(self.jobs);
        let mut waiting = batch.files.into_iter();
        let mut working = FuturesUnordered::new();
        let mut digests = Vec::new();
        let mut told = Ok(());
        loop {
            while working.len() < self.jobs.max(1) * RUNS_PER_JOB && !cancel.is_cancelled() {
                let Some(path) = waiting.next() else { break };
                let (workshop, limits, cancel) = (Arc::clone(self), limits.clone(), cancel.clone());
                let batch_id = Some(row.batch_id.clone());
                working.push(tokio::spawn(async move {
                    workshop.run_with(Task { path }, batch_id, limits, &cancel).await
                }));
            }
            let Some(joined) = working.next().await else { break };
            let report = joined.map_err(|source| {
                Error::internal("a run ended without a result").with_source(source)
            })??;
            count(&mut row, &report.run);
            digests.extend(report.run.contract_digest.clone());
            if told.is_ok() {
                told = seen(&report);
                if told.is_err() {
                    cancel.cancel();
                }
            }
        }
        row.end_time = TimeUs(self.clock.now_us().max(row.start_time.0));
        row.set_digest = Some(set_digest(digests));
        row.result = result(&row, cancel).into();
        self.recorder.record(vec![row.clone().into()]).await?;
        told.map(|()| row)
    }
}

fn count(row: &mut BatchRow, run: &RunRow) {
    if run.result.as_str() == "success" {
        row.succeeded += 1;
    } else {
        row.failed += 1;
    }
    row.cached += i64::from(run.cached);
}

fn result(row: &BatchRow, cancel: &Cancel) -> &'static str {
    if cancel.is_cancelled() && row.succeeded + row.failed < row.total {
        "cancellation"
    } else if row.failed > 0 {
        "failure"
    } else {
        "success"
    }
}

/// Digest of a set: over the digests of its contracts, in the order of the digests.
fn set_digest(mut digests: Vec<Text>) -> Text {
    digests.sort();
    let mut hasher = blake3::Hasher::new();
    for digest in &digests {
        hasher.update(digest.as_bytes());
    }
    hasher.finalize().to_hex().as_str().into()
}
