//! Many runs at a time: started in order, bounded in number, each acknowledged on its own.

use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};

use super::resume::{Resumed, Taken};
use crate::clock::{Clock, IdSource};
use crate::error::{Error, Result};
use crate::event::{BatchRow, EventSink, RunRow, RunStarted, Text, TimeUs};
use crate::pipeline::{NodeGeneration, PIPELINE, Report, Task};
use crate::recorder::{Recorder, RunRecorder};
use crate::workflow::{Cancel, Engine, Limits};

/// Runs in flight per place to work at: while some wait for the disk, others work.
const RUNS_PER_JOB: usize = 2;
/// Runs that are taken over by one commit.
const RUNS_PER_COMMIT: usize = 64;

/// What all runs share.
#[derive(Debug)]
pub struct Workshop {
    /// The pipeline.
    pub pipeline: Arc<NodeGeneration>,
    /// Where rows go.
    pub recorder: Recorder,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdSource>,
    /// Places for steps that work; whoever else works in this process may share them.
    pub limits: Limits,
    /// How many there are.
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
    /// The batch to go on with: its id, the beginning of it, or `last`.
    pub resume: Option<String>,
}

impl Workshop {
    /// Runs one contract and returns when its rows are durable.
    pub async fn run(&self, task: Task, batch_id: Option<Text>, cancel: &Cancel) -> Result<Report> {
        let started = RunStarted {
            run_id: self.ids.next_id().to_string().into(),
            batch_id,
            pipeline_name: PIPELINE.into(),
            contract_name: None,
            start_time: TimeUs(self.clock.now_us()),
            tool_version: env!("CARGO_PKG_VERSION").into(),
            attributes: None,
        };
        let recorder = Arc::new(self.recorder.begin(started.clone())?);
        let sink: Arc<dyn EventSink> = Arc::<RunRecorder>::clone(&recorder);
        let limits = self.limits.clone();
        let engine = Engine { clock: Arc::clone(&self.clock), sink, limits };
        let report = self.pipeline.execute(task, &started, &engine, cancel).await?;
        recorder.finish(report.run.clone()).await?;
        Ok(report)
    }

    /// Runs every contract of a batch, then records the batch. What an earlier batch has finished
    /// is taken over, if that is asked for. `seen` is called for each run once its rows are
    /// durable, in the order in which that happens.
    ///
    /// A cancelled batch starts no more runs, ends those that work, and is recorded as such. An
    /// error of `seen` cancels the batch and is returned; any other means that rows can no longer
    /// be recorded, or that there is nothing to go on with.
    pub async fn replay(
        self: &Arc<Self>,
        batch: Batch,
        cancel: &Cancel,
        seen: impl FnMut(&Report) -> Result<()>,
    ) -> Result<BatchRow> {
        let total = i64::try_from(batch.files.len()).unwrap_or(i64::MAX);
        let resumed = match &batch.resume {
            Some(wanted) => self.resume(wanted, batch.files).await?,
            None => Resumed { left: batch.files, ..Resumed::default() },
        };
        let row = BatchRow {
            batch_id: self.ids.next_id().to_string().into(),
            name: batch.name.map(Text::from),
            uri: batch.uri.into(),
            pipeline_name: PIPELINE.into(),
            start_time: TimeUs(self.clock.now_us()),
            total,
            resumed_from: resumed.from,
            ..BatchRow::default()
        };
        let mut tally = Tally { row, digests: Vec::new(), told: Ok(()), seen, cancel };
        self.take_over(resumed.taken, &mut tally).await?;
        self.work(resumed.left, &mut tally).await?;
        let Tally { mut row, digests, told, .. } = tally;
        row.end_time = TimeUs(self.clock.now_us().max(row.start_time.0));
        row.set_digest = Some(set_digest(digests));
        row.result = result(&row, cancel).into();
        self.recorder.record(vec![row.clone().into()]).await?;
        told.map(|()| row)
    }

    /// Records what was taken over, before anything is done: a batch that is killed can be gone on
    /// with in its turn.
    async fn take_over<S: FnMut(&Report) -> Result<()>>(
        &self,
        taken: Vec<Taken>,
        tally: &mut Tally<'_, S>,
    ) -> Result<()> {
        let mut taken = taken.into_iter().peekable();
        while taken.peek().is_some() && !tally.cancel.is_cancelled() {
            let some = taken.by_ref().take(RUNS_PER_COMMIT);
            let carried: Vec<_> = some.map(|it| self.carried(it, &tally.row)).collect();
            let (rows, reports): (Vec<_>, Vec<_>) = carried.into_iter().unzip();
            self.recorder.record(rows.into_iter().flatten().collect()).await?;
            reports.iter().for_each(|it| tally.add(it));
        }
        Ok(())
    }

    async fn work<S: FnMut(&Report) -> Result<()>>(
        self: &Arc<Self>,
        files: Vec<PathBuf>,
        tally: &mut Tally<'_, S>,
    ) -> Result<()> {
        // a free place goes to the run that began first: none starves, and what is cut off was few
        let mut waiting = files.into_iter();
        let mut priority = 0_i32;
        let mut working = FuturesUnordered::new();
        loop {
            let is_cancelled = || tally.cancel.is_cancelled();
            let has_room = |working: usize| working < self.jobs.max(1) * RUNS_PER_JOB;
            while has_room(working.len()) && !is_cancelled() && !tally.cancel.is_paused() {
                let Some(path) = waiting.next() else { break };
                let (workshop, cancel) = (Arc::clone(self), tally.cancel.clone());
                let batch_id = Some(tally.row.batch_id.clone());
                let task = Task { path, priority };
                priority = priority.saturating_sub(1);
                working
                    .push(tokio::spawn(async move { workshop.run(task, batch_id, &cancel).await }));
            }
            let wants = waiting.len() > 0 && !is_cancelled();
            if working.is_empty() && !wants {
                return Ok(());
            }
            let joined = tokio::select! {
                Some(joined) = working.next() => joined,
                // room that is not taken: there is a pause
                () = tally.cancel.resumed(), if wants && has_room(working.len()) => continue,
                () = tally.cancel.cancelled(), if working.is_empty() => continue,
            };
            let report = joined.map_err(|source| {
                Error::internal("a run ended without a result").with_source(source)
            })??;
            tally.add(&report);
        }
    }
}

/// What has come of a batch so far, and who is told.
struct Tally<'c, S> {
    row: BatchRow,
    digests: Vec<Text>,
    told: Result<()>,
    seen: S,
    cancel: &'c Cancel,
}

impl<S: FnMut(&Report) -> Result<()>> Tally<'_, S> {
    /// Takes note of a run whose rows are durable.
    fn add(&mut self, report: &Report) {
        count(&mut self.row, &report.run);
        self.digests.extend(report.run.contract_digest.clone());
        if self.told.is_ok() {
            self.told = (self.seen)(report);
            if self.told.is_err() {
                self.cancel.cancel();
            }
        }
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
