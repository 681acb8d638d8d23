//! What the store knows of earlier batches, for one that goes on with them. Writes nothing.

use std::collections::{BTreeMap, HashSet};

use super::History;
use crate::error::{Error, Result};
use crate::event::{IssueRow, Row, RunRow, ScoreRow, Table, Text};
use crate::store::rows_of;

/// The newest batch with runs of a pipeline, whether or not it has ended: one that was killed has
/// no row of its own.
const NEWEST: &str = "SELECT batch_id FROM runs
     WHERE pipeline_name = $pipeline AND batch_id IS NOT NULL
     ORDER BY start_time DESC, batch_id DESC LIMIT 1";

/// The pipelines of a batch.
const PIPELINES: &str = "SELECT DISTINCT pipeline_name FROM runs WHERE batch_id = $batch_id";

/// The runs of a batch that need not be done again: a validator's no is an answer, too.
const FINISHED: &str = "SELECT * FROM runs
     WHERE batch_id = $batch_id AND result IN ('success', 'failure') ORDER BY run_id";

/// What belongs to these runs and to nothing else.
const ISSUES: &str = "SELECT i.* FROM issues i JOIN runs r ON r.run_id = i.run_id
     WHERE r.batch_id = $batch_id AND r.result IN ('success', 'failure')";
const SCORES: &str = "SELECT s.* FROM scores s JOIN runs r ON r.run_id = s.run_id
     WHERE r.batch_id = $batch_id AND r.result IN ('success', 'failure')";

/// The attributes of a run that was taken over: the run that did the work, and the batch that was
/// gone on with.
const FROM_RUN: &str = "from_run";
const FROM_BATCH: &str = "from_batch";

/// A run that has ended with an answer, and what was said of it.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Its row.
    pub run: RunRow,
    /// Its issues.
    pub issues: Vec<IssueRow>,
    /// Its scores.
    pub scores: Vec<ScoreRow>,
}

impl Finished {
    /// The run that did the work.
    pub fn origin(&self) -> Text {
        self.attribute(FROM_RUN).unwrap_or_else(|| self.run.run_id.clone())
    }

    /// The attributes of the run that takes this one's place in a batch that goes on with `batch`.
    pub fn attributes(&self, batch: &str) -> Text {
        serde_json::json!({ FROM_RUN: &*self.origin(), FROM_BATCH: batch }).to_string().into()
    }

    fn attribute(&self, name: &str) -> Option<Text> {
        let attributes = self.run.attributes.as_deref().filter(|_| self.run.cached)?;
        let attributes: serde_json::Value = serde_json::from_str(attributes).ok()?;
        attributes.get(name)?.as_str().map(Text::from)
    }
}

impl History {
    /// The newest batch of a pipeline.
    ///
    /// # Errors
    /// Usage, when there is none.
    pub async fn newest_batch(&self, pipeline: &str) -> Result<Text> {
        let found = self.texts(NEWEST, "pipeline", pipeline).await?;
        found.into_iter().next().map(Text::from).ok_or_else(|| {
            let error = Error::usage(format!("no batch of {pipeline} is there to go on with"));
            error.with_hint("Leave out --resume to begin a new one.")
        })
    }

    /// The runs of a batch, and of those that it went on with in its turn, that have ended with an
    /// answer: each once, by the run that did the work, the newest batch first.
    ///
    /// # Errors
    /// Usage, when the batch is one of another pipeline.
    pub async fn finished(&self, batch_id: &Text, pipeline: &str) -> Result<Vec<Finished>> {
        let pipelines = self.texts(PIPELINES, "batch_id", batch_id).await?;
        if let Some(other) = pipelines.iter().find(|it| *it != pipeline) {
            let message = format!("batch {batch_id} is one of {other}, not of {pipeline}");
            let error = Error::usage(message);
            return Err(match self.newest_batch(pipeline).await {
                Ok(newest) => error.with_hint(format!("The newest of {pipeline} is {newest}.")),
                Err(_) => error,
            });
        }
        let (mut all, mut origins, mut seen) = (Vec::new(), HashSet::new(), HashSet::new());
        let mut next = Some(batch_id.clone());
        while let Some(batch_id) = next.filter(|it| seen.insert(it.clone())) {
            let found = self.finished_in(&batch_id).await?;
            next = found.iter().find_map(|it| it.attribute(FROM_BATCH));
            all.extend(found.into_iter().filter(|it| origins.insert(it.origin())));
        }
        Ok(all)
    }

    async fn finished_in(&self, batch_id: &Text) -> Result<Vec<Finished>> {
        let mut found: BTreeMap<Text, Finished> = BTreeMap::new();
        for row in self.rows(Table::Runs, FINISHED, batch_id).await? {
            if let Row::Runs(run) = row {
                found.insert(run.run_id.clone(), Finished { run, ..Finished::default() });
            }
        }
        let children = [(Table::Issues, ISSUES), (Table::Scores, SCORES)];
        for (table, query) in children {
            for row in self.rows(table, query, batch_id).await? {
                let run_id = match &row {
                    Row::Issues(it) => &it.run_id,
                    Row::Scores(it) => &it.run_id,
                    _ => continue,
                };
                let Some(run) = found.get_mut(run_id) else { continue };
                match row {
                    Row::Issues(it) => run.issues.push(it),
                    Row::Scores(it) => run.scores.push(it),
                    _ => {}
                }
            }
        }
        Ok(found.into_values().collect())
    }

    async fn rows(&self, table: Table, query: &str, batch_id: &str) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for batch in &self.ask(query, "batch_id", batch_id).await?.batches {
            rows.extend(rows_of(table, batch)?);
        }
        Ok(rows)
    }
}
