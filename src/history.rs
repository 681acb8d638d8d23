//! What the store knows of earlier runs, for the engine: how long steps take, and the outputs that
//! steps have left behind. Writes nothing.

mod batches;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use serde_json::Value as Json;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{Estimates, Memo, StepKey};
use crate::sql::{ParamValue, Params, QueryOutput, Session, SessionSettings};
use crate::store::snapshot::Snapshot;
use crate::store::{Location, Store};

pub use batches::Finished;

/// Medians over the successful steps of the last month; what is older says little of now.
const MEDIANS: &str = "SELECT step_name, median(CAST(duration_ns AS DOUBLE)) AS ns FROM steps
     WHERE pipeline_name = $pipeline AND result = 'success' AND NOT cached
       AND start_time > ago('30d')
     GROUP BY step_name";

/// The outputs of one run, but for those of steps whose effect was taken back.
const OF_RUN: &str = "SELECT filename, content FROM artifacts
     WHERE run_id = $run_id AND kind = 'output' AND content IS NOT NULL
       AND regexp_replace(filename, '\\[[0-9]+\\]', '', 'g') || '.undo' NOT IN
         (SELECT step_name FROM steps
          WHERE run_id = $run_id AND step_name LIKE '%.undo' AND result = 'success')";

/// The newest outputs of the pipeline's steps, whatever the run; large ones cost more to look for
/// than they are worth.
const OF_PIPELINE: &str = "SELECT a.filename, a.content FROM artifacts a
     JOIN runs r ON r.run_id = a.run_id
     WHERE a.kind = 'output' AND a.content IS NOT NULL AND a.size_bytes <= 65536
       AND r.pipeline_name = $pipeline
     ORDER BY r.start_time DESC LIMIT 10000";

/// The pipeline of a run.
const PIPELINE: &str = "SELECT pipeline_name FROM runs WHERE run_id = $run_id";

/// The newest run of a pipeline that did not succeed.
const UNFINISHED: &str = "SELECT run_id FROM runs
     WHERE pipeline_name = $pipeline AND result NOT IN ('success', 'skip')
     ORDER BY start_time DESC LIMIT 1";

/// Answers questions about one moment of a store.
#[derive(Debug)]
pub struct History {
    session: Session,
}

impl History {
    /// Looks at a moment of a store.
    ///
    /// # Errors
    /// Internal, when no session can be made.
    pub fn new(snapshot: &Snapshot, clock: &Arc<dyn Clock>) -> Result<Self> {
        let session = Session::new(snapshot, SessionSettings::default(), Arc::clone(clock))?;
        Ok(Self { session })
    }

    /// How long the steps of a pipeline take.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub async fn medians(&self, pipeline: &str) -> Result<Medians> {
        let mut medians = BTreeMap::new();
        for batch in &self.ask(MEDIANS, "pipeline", pipeline).await?.batches {
            let names = texts(batch, 0)?;
            let ns = batch.column(1).as_primitive::<Float64Type>();
            let rows = names.into_iter().zip(ns);
            medians.extend(rows.filter_map(|(name, ns)| Some((name?, ns? as i64))));
        }
        Ok(Medians(medians))
    }

    /// The newest run of a pipeline that did not succeed.
    ///
    /// # Errors
    /// Usage, when there is none.
    pub async fn unfinished(&self, pipeline: &str) -> Result<String> {
        let found = self.texts(UNFINISHED, "pipeline", pipeline).await?;
        found.into_iter().next().ok_or_else(|| {
            let error = Error::usage(format!("no run of {pipeline} is left to go on with"));
            error.with_hint("Leave out --resume to begin a new one.")
        })
    }

    /// The outputs that a run has left behind, to go on where it has ended.
    ///
    /// # Errors
    /// Usage, when there is no such run of the pipeline.
    pub async fn of_run(&self, run_id: &str, pipeline: &str) -> Result<Outputs> {
        match self.texts(PIPELINE, "run_id", run_id).await?.first() {
            Some(found) if found == pipeline => self.outputs(OF_RUN, "run_id", run_id, true).await,
            Some(found) => {
                Err(Error::usage(format!("run {run_id} is one of {found}, not of {pipeline}")))
            }
            None => Err(Error::usage(format!("there is no run {run_id}"))
                .with_hint("`--resume last` is the newest that did not succeed.")),
        }
    }

    /// The outputs that steps of a pipeline have left behind in any run.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub async fn of_pipeline(&self, pipeline: &str) -> Result<Outputs> {
        self.outputs(OF_PIPELINE, "pipeline", pipeline, false).await
    }

    async fn outputs(&self, query: &str, name: &str, value: &str, one: bool) -> Result<Outputs> {
        let mut outputs = Outputs::default();
        for batch in &self.ask(query, name, value).await?.batches {
            for (step, content) in texts(batch, 0)?.into_iter().zip(texts(batch, 1)?) {
                let kept = content.as_deref().map(serde_json::from_str::<Kept>);
                // what is no longer to be read is done again
                let (Some(step), Some(Ok(kept))) = (step, kept) else { continue };
                let kept = Arc::new(kept);
                if one {
                    outputs.by_step.insert(step, Arc::clone(&kept));
                }
                outputs.by_inputs.entry(kept.input_digest.clone()).or_insert(kept);
            }
        }
        Ok(outputs)
    }

    /// The texts of the first column.
    async fn texts(&self, query: &str, name: &str, value: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for batch in &self.ask(query, name, value).await?.batches {
            found.extend(texts(batch, 0)?.into_iter().flatten());
        }
        Ok(found)
    }

    async fn ask(&self, query: &str, name: &str, value: &str) -> Result<QueryOutput> {
        let params = Params::from([(name.to_owned(), ParamValue::Text(value.to_owned()))]);
        self.session.query(query, &params).await
    }
}

/// The store at a place, if there is one.
///
/// # Errors
/// When one is there and cannot be read.
pub fn existing(location: &Location) -> Result<Option<Store>> {
    match Store::open_at_read_only(location) {
        Ok(store) => Ok(Some(store)),
        Err(_) if !location.is_remote() && !location.path().exists() => Ok(None),
        Err(error) => Err(error),
    }
}

fn texts(batch: &RecordBatch, column: usize) -> Result<Vec<Option<String>>> {
    let column = arrow::compute::cast(batch.column(column), &DataType::Utf8)
        .map_err(|source| Error::internal("a column is no text").with_source(source))?;
    Ok(column.as_string::<i32>().iter().map(|it| it.map(str::to_owned)).collect())
}

/// Median durations of the steps of one pipeline.
#[derive(Debug, Default)]
pub struct Medians(BTreeMap<String, i64>);

impl Estimates for Medians {
    fn estimate_ns(&self, step_name: &str) -> Option<i64> {
        self.0.get(step_name).copied()
    }
}

/// What a step has left behind.
#[derive(Debug, serde::Deserialize)]
struct Kept {
    component: String,
    version: String,
    input_digest: String,
    output: Json,
}

/// Outputs of earlier runs.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Of the run that is gone on with, by step.
    by_step: HashMap<String, Arc<Kept>>,
    /// By the digest of component, version and inputs.
    by_inputs: HashMap<String, Arc<Kept>>,
}

impl Outputs {
    /// Takes the outputs of other runs, too.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (digest, kept) in other.by_inputs {
            self.by_inputs.entry(digest).or_insert(kept);
        }
        self
    }
}

impl Memo for Outputs {
    /// The output of the same step of the run that is gone on with, if its inputs are the same
    /// still; of a pure step, that of any success with the same inputs.
    fn recall(&self, step: &StepKey<'_>) -> Option<Json> {
        let same = |it: &&Arc<Kept>| {
            it.component == step.component
                && it.version == step.version
                && it.input_digest == step.input_digest
        };
        let own = self.by_step.get(step.step).filter(same);
        let any = || self.by_inputs.get(step.input_digest).filter(|_| step.pure).filter(same);
        own.or_else(any).map(|it| it.output.clone())
    }
}
