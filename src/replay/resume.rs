//! A batch that goes on with an earlier one: which of its contracts have an answer there, and the
//! rows that carry the answers over. Runs nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::batch::Workshop;
use crate::error::{Error, Result};
use crate::event::{BatchRow, Row, RunRow, Text, TimeUs};
use crate::history::{Finished, History};
use crate::pipeline::{Known, PIPELINE, Report, Task, Written};

/// The word for the newest batch.
const LAST: &str = "last";

/// A set as an earlier batch has left it.
#[derive(Debug, Default)]
pub(super) struct Resumed {
    /// The batch that is gone on with.
    pub(super) from: Option<Text>,
    /// Contracts that have an answer.
    pub(super) taken: Vec<Taken>,
    /// Contracts that are to be done, in order.
    pub(super) left: Vec<PathBuf>,
}

/// A contract that has an answer, and what was written of it.
#[derive(Debug)]
pub(super) struct Taken {
    path: PathBuf,
    finished: Finished,
    written: Option<Written>,
}

impl Workshop {
    /// Looks for the answers that an earlier batch has for the contracts of a set. `wanted` is its
    /// id, the beginning of it, or `last`. A run answers for one contract only, so that of two with
    /// the same content each has its run; one that succeeded, only if its package is still there.
    pub(super) async fn resume(&self, wanted: &str, files: Vec<PathBuf>) -> Result<Resumed> {
        let store = self.recorder.store();
        let history = History::new(&store.snapshot()?, &self.clock)?;
        let from = match wanted {
            LAST => history.newest_batch(PIPELINE).await?,
            typed => store.batch(typed)?,
        };
        let finished = history.finished(&from, PIPELINE).await?;
        let known = self.known(&files).await?;
        if !known.iter().flatten().any(|it| finished.iter().any(|has| it.is_of(&has.run))) {
            return Err(nothing_shared(&from, &finished, &known));
        }
        let mut by_contract: HashMap<Option<Text>, Vec<Finished>> = HashMap::new();
        // the newest are tried first
        for it in finished.into_iter().rev() {
            by_contract.entry(it.run.contract_digest.clone()).or_default().push(it);
        }
        let whole = self.pipeline.output().whole();
        let mut resumed = Resumed { from: Some(from), ..Resumed::default() };
        for (path, known) in files.into_iter().zip(known) {
            let answer = known.and_then(|known| {
                let written = whole.get(&known.contract_digest);
                let fits = |it: &Finished| {
                    let is_there = it.run.result.as_str() != "success" || written.is_some();
                    known.is_of(&it.run) && is_there
                };
                let answers = by_contract.get_mut(&Some(known.contract_digest.clone()))?;
                let answer = answers.swap_remove(answers.iter().rposition(fits)?);
                let succeeded = answer.run.result.as_str() == "success";
                Some((answer, written.filter(|_| succeeded).cloned()))
            });
            match answer {
                Some((finished, written)) => resumed.taken.push(Taken { path, finished, written }),
                None => resumed.left.push(path),
            }
        }
        Ok(resumed)
    }

    /// What the runs over these files will be known by.
    async fn known(&self, files: &[PathBuf]) -> Result<Vec<Option<Known>>> {
        let read = stream::iter(files).map(|path| {
            let (pipeline, task) = (Arc::clone(&self.pipeline), Task::new(path));
            tokio::task::spawn_blocking(move || pipeline.known(&task))
        });
        let read = read.buffered(self.jobs.max(1)).collect::<Vec<_>>().await;
        let ended = |it: std::result::Result<_, tokio::task::JoinError>| {
            it.map_err(|source| Error::internal("a contract was not read").with_source(source))
        };
        read.into_iter().map(ended).collect()
    }

    /// The rows by which a batch carries an answer over, and what is told of it.
    pub(super) fn carried(&self, taken: Taken, batch: &BatchRow) -> (Vec<Row>, Report) {
        let Taken { path, finished, written } = taken;
        let from = batch.resumed_from.as_deref().unwrap_or_default();
        let attributes = finished.attributes(from);
        let Finished { run, issues, scores } = finished;
        let now = TimeUs(self.clock.now_us());
        let run_id = Text::from(self.ids.next_id().to_string());
        let mut rows: Vec<Row> = Vec::with_capacity(1 + issues.len() + scores.len());
        for mut issue in issues {
            issue.run_id = run_id.clone();
            issue.step_id = None;
            rows.push(issue.into());
        }
        for mut score in scores {
            score.run_id = run_id.clone();
            rows.push(score.into());
        }
        // this one has cost no time and no money
        let mut run = RunRow {
            run_id,
            batch_id: Some(batch.batch_id.clone()),
            cached: true,
            start_time: now,
            end_time: now,
            attributes: Some(attributes),
            ..run
        };
        (run.duration_ns, run.queue_ns, run.work_ns, run.critical_path_ns) = (0, 0, 0, 0);
        (run.input_tokens, run.output_tokens, run.cost_usd) = (None, None, None);
        rows.push(run.clone().into());
        (rows, Report { run, uri: Task::new(path).uri(), steps: 0, written })
    }
}

/// Why a batch has no answer for any contract of a set.
fn nothing_shared(from: &Text, finished: &[Finished], known: &[Option<Known>]) -> Error {
    let contracts = || finished.iter().filter_map(|it| it.run.contract_digest.as_ref());
    let is_known = |digest: &Text| known.iter().flatten().any(|it| it.contract_digest == *digest);
    let why = if finished.is_empty() {
        "no run of it has finished"
    } else if contracts().any(is_known) {
        "another genstore, or other templates, made its runs"
    } else {
        "its contracts are others"
    };
    Error::usage(format!("batch {from} has nothing to take over: {why}")).with_hint(
        "`genstore query batches` lists those that ended; leave out --resume to do all of the set.",
    )
}
